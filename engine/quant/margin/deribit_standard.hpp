// Deribit's standard margin: requirements of single positions, added up without netting.
//
// Room: engine/quant, cold. Source: ops/docs/risk.md, section 3.1: the venue's public articles for
// futures; the option fractions are known from secondary sources only. Every rate comes from the
// caller; the venue changes them, and announced a reworked model in August 2026.
#pragma once

#include <utility>

#include "engine/quant/margin/model.hpp"

namespace gimbal::quant {

struct StandardRates {
  // Futures and perpetuals: rate = base + per_coin |x| with x in coins.
  double future_initial{0};
  double future_maintenance{0};
  double future_per_coin{0};
  // Options, fractions of one coin.
  double option_initial{0};      // short, before the out-of-the-money amount is taken off
  double option_initial_min{0};  // short, at least
  double option_maintenance{0};  // short
};

// Open orders are not part of it: they add to the initial margin only.
class DeribitStandardMargin final : public MarginModel {
 public:
  DeribitStandardMargin(Book book, StandardRates rates) : book_{std::move(book)}, rates_{rates} {}
  [[nodiscard]] Margin at(const Shock& shock) const override;

 private:
  Book book_;
  StandardRates rates_;
};

}  // namespace gimbal::quant
