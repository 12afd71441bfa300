// Health of a lending account in the form of Aave v3: collateral weighted by liquidation thresholds
// against debt, at oracle prices.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 3.4. Thresholds come from the caller
// (with eMode they are the category's).
#pragma once

#include <vector>

#include "engine/quant/margin/model.hpp"

namespace gimbal::quant {

struct Collateral {
  double price{0};      // of one unit, in the account's unit (USD)
  double amount{0};     // units
  double threshold{0};  // liquidation threshold, 0 .. 1
};
struct Debt {
  double price{0};
  double amount{0};
};

// As a margin model: equity is the weighted collateral, maintenance the debt, so that health = 1 /
// health factor and both reach 1 together. A shock moves the price of collateral 0 alone.
class LendingMargin final : public MarginModel {
 public:
  LendingMargin(std::vector<Collateral> collateral, std::vector<Debt> debt)
      : collateral_{std::move(collateral)}, debt_{std::move(debt)} {}
  [[nodiscard]] Margin at(const Shock& shock) const override;

  [[nodiscard]] double weighted_collateral() const noexcept;
  [[nodiscard]] double debt() const noexcept;
  // Liquidatable below 1; infinite without debt.
  [[nodiscard]] double health_factor() const noexcept;
  // The price of collateral 0 at which the health factor is 1; at or below 0 when there is no such
  // price. NaN without a collateral 0 that counts.
  [[nodiscard]] double liquidation_price() const noexcept;

 private:
  std::vector<Collateral> collateral_;
  std::vector<Debt> debt_;
};

}  // namespace gimbal::quant
