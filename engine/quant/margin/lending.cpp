#include "engine/quant/margin/lending.hpp"

#include <limits>

namespace gimbal::quant {

Margin LendingMargin::at(const Shock& shock) const {
  Margin m{weighted_collateral(), std::numeric_limits<double>::quiet_NaN(), debt()};
  if (!collateral_.empty()) {
    const Collateral& c = collateral_.front();
    m.equity += c.price * shock.move * c.amount * c.threshold;
  }
  return m;
}

double LendingMargin::weighted_collateral() const noexcept {
  double sum = 0;
  for (const Collateral& c : collateral_) sum += c.amount * c.price * c.threshold;
  return sum;
}

double LendingMargin::debt() const noexcept {
  double sum = 0;
  for (const Debt& d : debt_) sum += d.amount * d.price;
  return sum;
}

double LendingMargin::health_factor() const noexcept {
  const double owed = debt();
  return owed > 0 ? weighted_collateral() / owed : std::numeric_limits<double>::infinity();
}

double LendingMargin::liquidation_price() const noexcept {
  if (collateral_.empty()) return std::numeric_limits<double>::quiet_NaN();
  double rest = 0;
  for (std::size_t i = 1; i < collateral_.size(); ++i) {
    rest += collateral_[i].amount * collateral_[i].price * collateral_[i].threshold;
  }
  const double weight = collateral_.front().amount * collateral_.front().threshold;
  return weight > 0 ? (debt() - rest) / weight : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace gimbal::quant
