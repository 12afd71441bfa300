// The strategies of this program. To add one: its folder, its include, its name in `Strategies`.
//
// A strategy is a class with
//   using Config = ...;                         one entry of its [[strategy.*]] table
//   static constexpr table, doc, configs_max    the table's name, its sentence, its length at most
//   explicit S(StrategyId)
//   std::string_view bind(const Config&, const StrategyNames&) noexcept   "" or what is wrong
//   void wake(const StrategyView&, Requests&) noexcept
// and, beside Config, `fields(visit, Config&)` and EnumNames of its own enums.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/strategy.hpp"
#include "strategies/delta_hedge/delta_hedge.hpp"
#include "strategies/liquidation/liquidation.hpp"
#include "strategies/rebalance/rebalance.hpp"

namespace gimbal {

template <class... S>
struct StrategyList {
  using Set = std::tuple<S...>;
  using Configs = std::tuple<std::vector<typename S::Config>...>;
  static_assert(sizeof...(S) < strategies_max, "the last number is the operator's");
  // "delta_hedge": the table's name without "strategy."
  static constexpr std::array<std::string_view, sizeof...(S)> names{S::table.substr(9)...};
};

// Woken in this order. The StrategyId of each is its place in the list.
using Strategies = StrategyList<DeltaHedge, Rebalance, Liquidation>;

using StrategySet = Strategies::Set;

// The [[strategy.*]] tables of a config file. A strategy runs when it has an entry.
struct StrategyConfig {
  Strategies::Configs lists;

  template <class S>
  [[nodiscard]] std::vector<typename S::Config>& of() noexcept {
    return std::get<std::vector<typename S::Config>>(lists);
  }
  template <class S>
  [[nodiscard]] const std::vector<typename S::Config>& of() const noexcept {
    return std::get<std::vector<typename S::Config>>(lists);
  }
};

[[nodiscard]] inline StrategySet make_strategies() noexcept {
  return []<std::size_t... I>(std::index_sequence<I...>) {
    return StrategySet{
        std::tuple_element_t<I, StrategySet>{StrategyId{static_cast<std::uint8_t>(I)}}...};
  }
  (std::make_index_sequence<std::tuple_size_v<StrategySet>>{});
}

// The first entry that its strategy refused: its table, its number in the file from 1, and why.
// `why` is empty when all were accepted.
struct StrategyProblem {
  std::string_view table;
  std::size_t number{0};
  std::string_view why;
};

// Gives every configured entry to its strategy.
[[nodiscard]] inline StrategyProblem bind_strategies(const StrategyConfig& config,
                                                     const StrategyNames& names,
                                                     StrategySet& strategies) {
  StrategyProblem first;
  const auto bind = [&](auto& strategy) {
    using S = std::decay_t<decltype(strategy)>;
    std::size_t number = 0;
    for (const auto& entry : config.of<S>()) {
      ++number;
      const std::string_view why = strategy.bind(entry, names);
      if (!why.empty() && first.why.empty()) first = {S::table, number, why};
    }
  };
  std::apply([&](auto&... strategy) { (bind(strategy), ...); }, strategies);
  return first;
}

}  // namespace gimbal
