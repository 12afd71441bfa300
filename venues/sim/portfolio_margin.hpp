// Room venues/sim, pure. Portfolio margin of a coin-settled account, written apart from engine/ on
// purpose: the venue and the bot check each other. Source: ops/docs/risk.md, section 3.2.
#pragma once

#include <cstdint>
#include <span>

#include "venues/sim/black.hpp"
#include "venues/sim/margin.hpp"
#include "venues/sim/portfolio_rules.hpp"

namespace gimbal::sim {

struct PortfolioLeg {
  bool option{false};
  double amount{0};        // signed: coins of an option, USD of a future
  double delta{0};         // coins, of the whole leg
  std::int64_t expiry{0};  // ns; 0: perpetual
  double years{0};
  BlackInput black{};  // of a future: forward alone
};

// In coins; index in USD per coin, positive.
Requirement portfolio_margin(std::span<const PortfolioLeg> legs, const PortfolioRules& rules,
                             double index);

}  // namespace gimbal::sim
