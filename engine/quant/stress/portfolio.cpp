#include "engine/quant/stress/portfolio.hpp"

namespace gimbal::quant {

Repricer::Repricer(const Portfolio& portfolio) : portfolio_{portfolio} {
  for (const Account& a : portfolio.accounts) {
    std::vector<double>& values = unit_values_.emplace_back();
    for (const Leg& leg : a.book.legs) {
      values.push_back(leg.kind == LegKind::option ? unit_value(leg, a.book.settlement) : 0.0);
    }
  }
}

double Repricer::profit(std::size_t account, const Shock& shock) const noexcept {
  const Account& a = portfolio_.accounts[account];
  const std::vector<double>& values = unit_values_[account];
  double own = 0;
  for (std::size_t i = 0; i < a.book.legs.size(); ++i) {
    const Leg& leg = a.book.legs[i];
    const Leg after = shifted(leg, shock);
    own += leg.kind == LegKind::option
               ? leg.amount * (unit_value(after, a.book.settlement) - values[i])
               : quant::profit(leg, after, a.book.settlement);
  }
  if (a.book.settlement == Settlement::quote) return own;
  const double index = a.book.index * (1.0 + shock.move);
  const double collateral = portfolio_.numeraire == Numeraire::usd ? a.book.equity : 0.0;
  return own * index + collateral * (a.book.index * shock.move);
}

double Repricer::profit(std::span<const Shock> by_underlying) const noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < portfolio_.accounts.size(); ++i) {
    sum += profit(i, by_underlying[portfolio_.accounts[i].underlying]);
  }
  return sum;
}

}  // namespace gimbal::quant
