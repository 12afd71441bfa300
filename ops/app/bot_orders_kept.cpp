// Orders across a restart, on the cold side: what the boot before left becomes events, and what
// the journal tells of this boot's orders goes to the keeper. Room: ops/app (wiring). Cold.
#include <fmt/format.h>

#include <optional>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/left_orders.hpp"
#include "ops/app/order_keeper.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal {
namespace {

constexpr Nanos keep_orders_interval = milliseconds(500);

}  // namespace

void Bot::load_orders_kept() {
  const Config& config = loaded_->config;
  const LeftPlaces places{config.runtime.state_dir + "/orders", account_text(config.venues[0]),
                          config.runtime.journal_dir, epoch_};
  left_orders_ = std::make_unique<LeftOrders>(read_left_orders(places, TailLimits{}));
  orders_kept_ = std::make_unique<OrderKeeper>(places.orders, places.account);
  const LeftOrders& left = *left_orders_;
  if (left.epoch == 0 && left.trouble.empty()) {
    return say("orders: none of an earlier boot: " + places.orders + " is not there");
  }
  if (left.epoch != 0) {
    say(
        fmt::format("orders: {} of boot {} may still live: {} in its snapshot, then {} events of "
                    "its journal",
                    left.orders.size(), left.epoch, left.snapshot, left.events));
  }
  if (left.later_boots > 0) {
    say(fmt::format("orders: {} later boots kept none: their journals are among those events",
                    left.later_boots));
  }
  if (!left.trouble.empty()) {
    say("orders: " + left.trouble + "; what is not known from there the venue's picture says");
  }
}

// Behind Boot and the tables, before anything is connected.
std::vector<std::array<Event, parts_of<OrderCarry>>> Bot::order_events() {
  std::vector<std::array<Event, parts_of<OrderCarry>>> units;
  for (const KeptOrder& o : left_orders_->orders) {
    const std::string& name = left_orders_->names.at(o.instrument.value);
    const InstrumentId id = universe_.symbols().find(name);
    if (!id.valid()) {
      ++orders_left_out_;
      say("orders: " + name + " is listed no more: its order ended with it");
      continue;
    }
    const Event head = make_event(EventKind::order_carry, venue_, id, clock_.now(), {}, o.terms);
    write_parts(head, o.terms, units.emplace_back().data());
  }
  return units;
}

std::optional<std::uint32_t> Bot::label_hash(OrderId order) const {
  if (order.epoch() == epoch_) return gate_.layout().tags.of(order);
  for (const KeptOrder& kept : left_orders_->orders) {
    if (kept.terms.order == order) return kept.terms.label_hash;
  }
  return std::nullopt;
}

void Bot::keep_orders(RecvTime now) {
  if (now < orders_kept_due_) return;
  orders_kept_due_ = now + keep_orders_interval;
  const EngineStatus& s = snapshot_->engine;
  for (std::size_t i = 0; i < s.orders_shown; ++i) orders_kept_->note(s.order[i]);
  offer_orders(now);
  const std::string trouble = orders_kept_->trouble();
  if (trouble != orders_kept_trouble_) {
    say("orders: " + (trouble.empty() ? "they are kept again" : trouble));
  }
  orders_kept_trouble_ = trouble;
}

void Bot::offer_orders(RecvTime now) {
  if (!orders_kept_->due(now)) return;
  std::vector<std::string> names;
  const std::size_t count = universe_.table().size();
  names.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    names.emplace_back(universe_.symbols().name(InstrumentId{static_cast<std::uint16_t>(i)}));
  }
  const Seq taken = orders_kept_->log().seq();
  orders_kept_->offer(std::move(names), journal_->place_behind(taken), now);
}

// With all threads ended and the journal written: what it has last.
Outcome Bot::close_orders_kept() {
  offer_orders(clock_.now());
  return orders_kept_->write();
}

RecoveryStatus Desk::recovery_status() {
  const LeftOrders& left = *bot_.left_orders_;
  RecoveryStatus out;
  out.from_boot = left.epoch;
  out.snapshot = left.snapshot;
  out.tail_events = left.events;
  out.gaps = left.gaps;
  out.later_boots = left.later_boots;
  out.orders = left.orders.size();
  out.refused = bot_.snapshot_->engine.counters.orders_refused;
  out.left_out = bot_.orders_left_out_;
  out.trouble = left.trouble;
  out.keeping = bot_.orders_kept_->trouble();
  return out;
}

}  // namespace gimbal
