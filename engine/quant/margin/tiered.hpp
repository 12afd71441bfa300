// Margin by notional tiers, the form of Binance, Bybit and Hyperliquid: one linear or inverse
// perpetual, cross or isolated.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 3.3. MM(notional) = notional mmr_n -
// deduction_n in the tier n that holds the notional: continuous and convex.
#pragma once

#include <string>
#include <vector>

#include "engine/quant/margin/model.hpp"

namespace gimbal::quant {

struct Tier {
  double lower{0};  // of the notional: quote currency (linear) or coins (inverse)
  double upper{0};  // infinite in the last tier
  double rate{0};   // maintenance margin rate
  double deduction{0};
};
using TierTable = std::vector<Tier>;

// What is wrong with a table, empty if nothing: it starts at 0, has no gap, rates rise and stay in
// (0, 1), and each deduction makes the margin continuous (to 1e-9 of it).
[[nodiscard]] std::string fault_of(const TierTable& tiers);
// Deductions that make the margin continuous: ded_0 = 0, ded_n = ded_(n-1) + lower_n (mmr_n -
// mmr_(n-1)).
void fill_deductions(TierTable& tiers) noexcept;
[[nodiscard]] double tiered_maintenance(const TierTable& tiers, double notional) noexcept;

struct TieredPosition {
  Settlement settlement{Settlement::quote};
  double side{1};               // +1 long, -1 short
  double size{0};               // coins (quote settlement) or USD (coin settlement), not negative
  double mark{0};               // above 0
  double entry{0};              // above 0
  double wallet{0};             // balance without unrealised profit
  double other_maintenance{0};  // of other positions of the account; 0 when isolated
  double other_profit{0};       // unrealised, of other positions; 0 when isolated
};

class TieredMargin final : public MarginModel {
 public:
  TieredMargin(TieredPosition position, TierTable tiers)
      : position_{position}, tiers_{std::move(tiers)} {}
  // `initial` is NaN: it follows from the leverage that the user chose.
  [[nodiscard]] Margin at(const Shock& shock) const override;
  // In closed form, with the tier that holds at that price; NaN when no price above 0 liquidates.
  // For an account that is liquidatable already it may lie on either side of the mark.
  [[nodiscard]] double liquidation_price() const noexcept;

 private:
  TieredPosition position_;
  TierTable tiers_;
};

}  // namespace gimbal::quant
