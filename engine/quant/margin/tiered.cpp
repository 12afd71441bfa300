#include "engine/quant/margin/tiered.hpp"

#include <limits>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

const Tier& tier_of(const TierTable& tiers, double notional) noexcept {
  for (const Tier& t : tiers) {
    if (notional < t.upper) return t;
  }
  return tiers.back();
}

}  // namespace

void fill_deductions(TierTable& tiers) noexcept {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    tiers[i].deduction =
        i == 0 ? 0.0
               : tiers[i - 1].deduction + tiers[i].lower * (tiers[i].rate - tiers[i - 1].rate);
  }
}

std::string fault_of(const TierTable& tiers) {
  if (tiers.empty()) return "it has no tier";
  if (tiers.front().lower != 0) return "the first tier must start at 0";
  TierTable exact = tiers;
  fill_deductions(exact);
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    const Tier& t = tiers[i];
    const std::string name = "tier " + std::to_string(i);
    if (!(t.upper > t.lower)) return name + ": upper must be above lower";
    if (!(t.rate > 0 && t.rate < 1)) return name + ": mmr must be between 0 and 1";
    if (i > 0 && t.lower != tiers[i - 1].upper) return name + " must start where the last one ends";
    if (i > 0 && t.rate < tiers[i - 1].rate) return name + ": mmr must not fall";
    if (math::abs(t.deduction - exact[i].deduction) > 1e-9 * (1.0 + t.lower * t.rate)) {
      return name + ": the deduction does not make the margin continuous";
    }
  }
  return {};
}

double tiered_maintenance(const TierTable& tiers, double notional) noexcept {
  const Tier& t = tier_of(tiers, notional);
  return notional * t.rate - t.deduction;
}

Margin TieredMargin::at(const Shock& shock) const {
  const TieredPosition& p = position_;
  const double mark = p.mark * (1.0 + shock.move);
  const bool linear = p.settlement == Settlement::quote;
  const double profit = linear ? p.side * p.size * (mark - p.entry)
                               : p.side * p.size * ((mark - p.entry) / p.entry / mark);
  const double notional = linear ? p.size * mark : p.size / mark;
  return {p.wallet + p.other_profit + profit, not_a_number,
          p.other_maintenance + tiered_maintenance(tiers_, notional)};
}

double TieredMargin::liquidation_price() const noexcept {
  const TieredPosition& p = position_;
  for (const Tier& t : tiers_) {
    double price = 0;
    double notional = 0;
    const double free = p.wallet + p.other_profit - p.other_maintenance + t.deduction;
    if (p.settlement == Settlement::quote) {
      price = (free - p.side * p.size * p.entry) / (p.size * (t.rate - p.side));
      notional = p.size * price;
    } else {
      price = p.size * (t.rate + p.side) / (free + p.side * p.size / p.entry);
      notional = p.size / price;
    }
    if (math::finite(price) && price > 0 && notional >= t.lower && notional < t.upper) return price;
  }
  return not_a_number;
}

}  // namespace gimbal::quant
