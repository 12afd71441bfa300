// When the newest orders left, until the venue's first answer to each is read: the `ack` hop.
// Room: ops/app. Hot, the order session's thread: one store an order, one compare an answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/probe.hpp"

namespace gimbal {

class AnswerTimes {
 public:
  static constexpr std::size_t kept = 64;  // an order that more than so many follow is not measured

  void sent(OrderId order, std::uint64_t tsc) noexcept {
    slots_[order.value % kept] = {order.value, tsc};
  }
  // What the private session brought at `tsc`. True when it is the first answer to an order that is
  // waited for: `row` has its two marks then.
  bool answered(const Event& e, std::uint64_t tsc, HopRow& row) noexcept {
    const OrderId order = order_of(e);
    Slot& slot = slots_[order.value % kept];
    if (!order.valid() || slot.order != order.value) return false;
    row = HopRow{};
    row.tag = order.value;
    row.tsc[static_cast<std::size_t>(ProbeHop::send)] = slot.tsc;
    row.tsc[static_cast<std::size_t>(ProbeHop::ack)] = tsc;
    slot = {};
    return true;
  }

 private:
  struct Slot {
    std::uint64_t order{0};
    std::uint64_t tsc{0};
  };
  static OrderId order_of(const Event& e) noexcept {
    switch (e.kind()) {
      case EventKind::order_ack: return e.as<OrderAck>().order;
      case EventKind::order_reject: return e.as<OrderReject>().order;
      case EventKind::order_done: return e.as<OrderDone>().order;
      default: return {};
    }
  }
  std::array<Slot, kept> slots_{};
};

}  // namespace gimbal
