// [budget]: how long a tick may take on its way to an order. Off by default: without the table, or
// with zeros, nothing is refused and nothing is told.
//
// The core judges `tick_to_order` by the time in the event (from receive to step), so that a replay
// judges alike. The hops are judged on the cold side, from the probe's histograms, and only told:
// their names are those of ProbeHop (engine/runtime/probe.hpp).
#pragma once

#include <cstdint>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct BudgetLimits {
  Nanos tick_to_order{};     // nothing grows on a tick that is older at its step; 0: off
  Nanos window{seconds(1)};  // late ticks are counted over, and hops are judged over
  std::int64_t late_ticks_max{0};  // more of a venue within the window: REDUCE; 0: never
  // Since the hop before it; 0: no budget.
  Nanos decrypt{};
  Nanos parse{};
  Nanos step{};
  Nanos state{};
  Nanos strategy{};
  Nanos commands{};
  Nanos encode{};
  Nanos encrypt{};
  Nanos send{};
  Nanos ack{};
};

template <class Visitor>
void fields(Visitor&& visit, BudgetLimits& c) {
  constexpr double queue_max_s = 4;  // an event cannot tell a longer wait
  const auto hop = [](std::string_view doc) {
    return FieldInfo{0, 60, false, Reload::fixed, "s", doc};
  };
  visit("tick_to_order", c.tick_to_order,
        FieldInfo{0, queue_max_s, false, Reload::fixed, "s",
                  "Nothing grows on a tick that is older when it is decided on; 0: off."});
  visit("window", c.window,
        FieldInfo{0.01, 3600, false, Reload::fixed, "s",
                  "Time over which late ticks are counted and hops are judged."});
  visit("late_ticks_max", c.late_ticks_max,
        FieldInfo{0, 1e6, false, Reload::fixed, "ticks",
                  "More late ticks of a venue within the window latch REDUCE on it; 0: never."});
  visit("decrypt", c.decrypt, hop("From the frame's last byte to its plain text; 0: no budget."));
  visit("parse", c.parse, hop("Plain text to events."));
  visit("step", c.step, hop("The events' wait for the core, their journal included."));
  visit("state", c.state, hop("Book, marks, portfolio and orders."));
  visit("strategy", c.strategy, hop("Decision and gate."));
  visit("commands", c.commands, hop("The rest of the step."));
  visit("encode", c.encode, hop("The order's text."));
  visit("encrypt", c.encrypt, hop("The order's TLS record."));
  visit("send", c.send, hop("The send call."));
  visit("ack", c.ack, hop("From send to the venue's answer."));
}

}  // namespace gimbal
