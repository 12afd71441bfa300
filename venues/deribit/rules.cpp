// Order rules: see rules.hpp.
#include "venues/deribit/rules.hpp"

namespace gimbal::deribit {

RuleBreach check_order(const Instrument& instrument, Price price, Qty total) noexcept {
  if (instrument.state != InstrumentState::open) return RuleBreach::not_open;
  if (price.nano <= 0) return RuleBreach::price_range;
  if (!instrument.ticks.on_tick(price)) return RuleBreach::price_tick;
  if (total.nano < instrument.amount_min.nano || total.nano <= 0) return RuleBreach::amount_min;
  if (instrument.lot.nano <= 0 || total.nano % instrument.lot.nano != 0) {
    return RuleBreach::amount_lot;
  }
  return RuleBreach::none;
}

}  // namespace gimbal::deribit
