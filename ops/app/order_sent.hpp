// What the connector tells of the bytes that it wrote for an order. Room: ops/app. Hot.
#pragma once

#include "engine/core/command.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

inline Event order_sent(const PlaceOrder& o, RecvTime now) noexcept {
  OrderSent sent;
  sent.order = o.order;
  sent.action = OrderAction::place;
  sent.side = o.side;
  sent.tif = static_cast<std::uint8_t>(o.tif);
  sent.flags = o.flags;
  sent.price = o.price;
  sent.amount = o.amount;
  return make_event(EventKind::order_sent, o.venue, o.instrument, now, o.valid_until, sent);
}

inline Event order_sent(const ReplaceOrder& o, RecvTime now) noexcept {
  OrderSent sent;
  sent.order = o.order;
  sent.action = OrderAction::replace;
  sent.flags = o.flags;
  sent.price = o.price;
  sent.amount = o.amount;
  return make_event(EventKind::order_sent, o.venue, o.instrument, now, o.valid_until, sent);
}

inline Event order_sent(const CancelOrder& o, RecvTime now) noexcept {
  OrderSent sent;
  sent.order = o.order;
  sent.action = OrderAction::cancel;
  return make_event(EventKind::order_sent, o.venue, o.instrument, now, {}, sent);
}

}  // namespace gimbal
