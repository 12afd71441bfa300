// Orders across a restart: what the boot before had at the venue, or on its way there, comes in as
// events and is held in doubt, at its worst on both sides, until the venue's picture shows it or a
// look-up proves that it has ended. No fill is made of it: fills come from the venue alone.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

// Sums of many orders fit: whatever a file says.
constexpr std::int64_t carried_sum_max = INT64_MAX / 8;

bool fits(std::int64_t sum, std::int64_t more) noexcept {
  return more >= 0 && more <= carried_sum_max && sum <= carried_sum_max - more;
}

bool known_words(const OrderCarry& c) noexcept {
  return c.side <= Side::sell && c.tif <= static_cast<std::uint8_t>(TimeInForce::fill_or_kill);
}

}  // namespace

bool EngineCore::takes_order(const Event& event, const OrderCarry& c) const noexcept {
  if (boot_.epoch == 0 || !c.order.valid() || c.order.epoch() >= boot_.epoch) return false;
  if (event.venue.value >= venues_max || !table_.contains(event.instrument)) return false;
  const Venue& venue = venues_[event.venue.value];
  if (venue.generation != 0 || venue.gateway != GatewayState::down) return false;
  if (table_[event.instrument].venue != event.venue || !known_words(c)) return false;
  if (c.amount.nano <= 0 || c.price.nano <= 0 || c.new_amount.nano < 0 || c.new_price.nano < 0) {
    return false;
  }
  const Qty whole = std::max(c.amount, c.new_amount);
  const Exposure& e = orders_.exposure(event.instrument);
  return c.filled.nano >= 0 && c.filled <= whole && fits(e.unknown_buy.nano, whole.nano) &&
         fits(e.unknown_sell.nano, whole.nano) &&
         fits(orders_.reserved_usd().nano, c.reserved_usd.nano);
}

void EngineCore::on_order_carry(const Event& event) noexcept {
  if (!order_carry_parts_.add(event)) return;
  const OrderCarry& c = order_carry_parts_.value();
  Order o;
  o.id = c.order;
  o.instrument = event.instrument;
  o.venue = event.venue;
  o.side = c.side;
  o.tif = static_cast<TimeInForce>(c.tif);
  o.flags = c.flags;
  // What the picture would call in doubt when the session of a live order is lost.
  o.doubt = c.confirmed != 0 ? OrderAction::cancel : OrderAction::place;
  o.label_hash = c.label_hash;
  o.confirmed = c.confirmed != 0;
  o.price = c.price;
  o.amount = c.amount;
  o.filled = c.filled;
  o.venue_filled = c.filled;
  o.new_price = c.new_price;
  o.new_amount = c.new_amount;
  o.valid_until = c.valid_until;
  o.sent_exch = c.sent;
  o.venue_ref = c.venue_ref;
  o.decision_price = c.decision;
  o.decision.theoretical = c.theoretical;
  o.decision.arrival = c.arrival;
  o.reserved_usd = c.reserved_usd;
  bool taken = takes_order(event, c);
  if (taken) {
    o.underlying = table_[event.instrument].underlying;
    taken = orders_.carry(o, now_);
  }
  if (!taken) ++counters_.orders_refused;
  replan_ = true;
}

}  // namespace gimbal
