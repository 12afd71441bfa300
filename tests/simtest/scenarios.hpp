// Bad days for a margin account, against the exchange model that liquidates for real: each is run
// with the ladder of strategies/liquidation and without it, in virtual time, the same to the byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "strategies/liquidation/ladder.hpp"

namespace gimbal::simtest {

// What one run did to the account. Balances in BTC.
struct ScenarioOutcome {
  std::string fault;  // the run itself is not valid
  bool liquidated{false};
  bool mismatch{false};      // own margin and the venue's differed
  double balance_before{0};  // margin balance
  double balance_after{0};
  double equity_before{0};  // and held options at their marks
  double equity_after{0};
  double fees{0};
  double health_worst{0};  // by the venue's figures, sampled every 50 ms
  MarginState worst{MarginState::green};
  std::uint64_t orders{0};  // of the ladder
  std::uint64_t hedges{0};  // of the delta hedge
  std::size_t held{0};      // positions left
  double residual{0};       // coins of delta left; of a hedged book only
};

struct Scenario {
  std::string_view name;
  std::string_view doc;
  bool survivable{true};  // false: the venue liquidates whatever the ladder does
  ScenarioOutcome (*run)(bool with_ladder){nullptr};
};
[[nodiscard]] std::span<const Scenario> scenarios() noexcept;

// Empty when the pair of runs is what the scenario promises; otherwise what is not.
[[nodiscard]] std::string verdict(const Scenario& scenario, const ScenarioOutcome& with,
                                  const ScenarioOutcome& alone);
[[nodiscard]] std::string text(std::string_view name, std::string_view how,
                               const ScenarioOutcome& outcome);

}  // namespace gimbal::simtest
