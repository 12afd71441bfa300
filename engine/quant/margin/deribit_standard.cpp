#include "engine/quant/margin/deribit_standard.hpp"

#include <algorithm>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

struct Requirement {
  double initial{0};
  double maintenance{0};
};

Requirement of_future(const Leg& leg, const Book& book, const StandardRates& r) noexcept {
  const bool coin = book.settlement == Settlement::coin;
  const double size = math::abs(coin ? leg.amount / leg.forward : leg.amount);
  const double unit = size * (coin ? 1.0 : book.index);
  const double increase = r.future_per_coin * size;
  return {unit * (r.future_initial + increase), unit * (r.future_maintenance + increase)};
}

// The mark and the fractions are in coins, for quote settlement in the quote currency.
Requirement of_option(const Leg& leg, const Book& book, const StandardRates& r) noexcept {
  if (leg.amount >= 0) return {};  // a bought option's premium is paid
  const double mark = unit_value(leg, book.settlement);
  const double unit = book.settlement == Settlement::coin ? 1.0 : book.index;
  const double q = leg.type == OptionType::put ? -1.0 : 1.0;
  const double out_of_money = std::max(q * (leg.strike - leg.forward), 0.0) / leg.forward;
  Requirement per;
  per.initial = std::max(r.option_initial - out_of_money, r.option_initial_min) * unit + mark;
  per.maintenance = r.option_maintenance * unit + mark;
  if (leg.type == OptionType::put) {
    per.maintenance = std::max(r.option_maintenance * unit, r.option_maintenance * mark) + mark;
    per.initial = std::max(per.initial, per.maintenance);
  }
  return {per.initial * -leg.amount, per.maintenance * -leg.amount};
}

}  // namespace

Margin DeribitStandardMargin::at(const Shock& shock) const {
  const Book book = shifted(book_, shock);
  Margin sum{book.equity, 0, 0};
  for (const Leg& leg : book.legs) {
    const Requirement one =
        leg.kind == LegKind::option ? of_option(leg, book, rates_) : of_future(leg, book, rates_);
    sum.initial += one.initial;
    sum.maintenance += one.maintenance;
  }
  return sum;
}

}  // namespace gimbal::quant
