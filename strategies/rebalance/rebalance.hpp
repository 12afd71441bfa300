// Moves an instrument to a target position when a price, volatility or time trigger fires, in
// slices, and stops there. Each rule fires once per arming.
//
// Hot. Reads const state, asks for IOC orders with a collar; every limit of the risk gate applies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/core/field.hpp"
#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"
#include "strategies/pause.hpp"

namespace gimbal {

enum class RebalanceTrigger : std::uint8_t {
  price_above,  // mid at or above `level`
  price_below,
  volatility_above,  // the watched option's mark volatility, a fraction
  volatility_below,
  after,  // `delay` since the last arm
};

template <>
struct EnumNames<RebalanceTrigger> {
  static constexpr std::array<EnumPair<RebalanceTrigger>, 5> all{
      {{"price_above", RebalanceTrigger::price_above},
       {"price_below", RebalanceTrigger::price_below},
       {"volatility_above", RebalanceTrigger::volatility_above},
       {"volatility_below", RebalanceTrigger::volatility_below},
       {"after", RebalanceTrigger::after}}};
};

// [[strategy.rebalance]]
struct RebalanceConfig {
  std::string instrument;  // symbol to trade
  std::string watch;       // symbol whose price or volatility is watched; empty: itself
  RebalanceTrigger trigger{RebalanceTrigger::after};
  Price level{};             // price triggers
  double volatility{0};      // volatility triggers
  Nanos delay{seconds(60)};  // time trigger
  Qty target{};              // signed position wanted, in the venue's amount unit
  Qty slice_max{};           // largest single order; zero: everything at once
  std::int64_t collar_bps{20};
  Nanos interval_min{milliseconds(200)};
  std::uint32_t orders_max{100};  // then it stops until the next arm
  Nanos data_age_max{seconds(1)};
};

template <class Visitor>
void fields(Visitor&& visit, RebalanceConfig& c) {
  visit("instrument", c.instrument,
        FieldInfo{1, 48, true, Reload::fixed, "", "Instrument whose position is moved."});
  visit("watch", c.watch,
        FieldInfo{0, 48, false, Reload::fixed, "", "Instrument that the trigger watches."});
  visit("trigger", c.trigger, FieldInfo{0, 0, true, Reload::fixed, "", "What starts the move."});
  visit("level", c.level, FieldInfo{0, 9e9, false, Reload::live, "", "Price of a price trigger."});
  visit("volatility", c.volatility,
        FieldInfo{0, 10, false, Reload::live, "", "Level of a volatility trigger, a fraction."});
  visit("delay", c.delay,
        FieldInfo{0, 864000, false, Reload::live, "s", "Time after the last arm."});
  visit("target", c.target,
        FieldInfo{-9e9, 9e9, true, Reload::live, "amount", "Signed position to reach."});
  visit("slice_max", c.slice_max,
        FieldInfo{0, 9e9, false, Reload::live, "amount", "Largest single order; 0 is no bound."});
  visit(
      "collar_bps", c.collar_bps,
      FieldInfo{0, 1000, false, Reload::live, "bp", "Reach of an order beyond the opposite best."});
  visit("interval_min", c.interval_min,
        FieldInfo{0, 3600, false, Reload::live, "s", "Shortest time between two orders."});
  visit("orders_max", c.orders_max,
        FieldInfo{1, 100000, false, Reload::live, "", "Orders until it gives up."});
  visit("data_age_max", c.data_age_max,
        FieldInfo{0.001, 60, false, Reload::live, "s", "Age of the data it acts on."});
}

class Rebalance {
 public:
  using Config = RebalanceConfig;
  static constexpr std::string_view table = "strategy.rebalance";
  static constexpr std::string_view doc =
      "Moves one instrument to a target when a trigger fires; off when absent.";
  static constexpr std::size_t rules_max = 32;
  static constexpr std::size_t configs_max = rules_max;

  Rebalance() noexcept = default;
  explicit Rebalance(StrategyId id) noexcept : id_{id} {}

  // Before start. Empty when accepted, otherwise what is wrong.
  [[nodiscard]] std::string_view add(const RebalanceConfig& config, InstrumentId instrument,
                                     InstrumentId watch) noexcept;
  [[nodiscard]] std::string_view bind(const RebalanceConfig& config,
                                      const StrategyNames& names) noexcept {
    const InstrumentId instrument = names.instrument(config.instrument);
    return add(config, instrument,
               config.watch.empty() ? instrument : names.instrument(config.watch));
  }
  void wake(const StrategyView& view, Requests& requests) noexcept;

  [[nodiscard]] StrategyId id() const noexcept { return id_; }
  [[nodiscard]] std::size_t rules() const noexcept { return count_; }
  [[nodiscard]] bool fired(std::size_t rule) const noexcept { return rules_[rule].fired; }
  [[nodiscard]] bool done(std::size_t rule) const noexcept { return rules_[rule].done; }

 private:
  struct Rule {
    RebalanceConfig config{};
    InstrumentId instrument{};
    InstrumentId watch{};
    std::uint64_t arm_generation{0};
    std::uint64_t intent{0};
    RecvTime armed_at{};
    RecvTime last_order{};
    Qty whole{};            // missing when it fired; zero before the first order
    RefusalRow refusals{};  // of this underlying
    std::uint32_t orders{0};
    bool fired{false};
    bool done{false};
  };
  [[nodiscard]] static bool triggered(const Rule& rule, const StrategyView& view) noexcept;
  [[nodiscard]] std::uint64_t parent_of(const Rule& rule, const StrategyView& view) const noexcept;
  void move(Rule& rule, const StrategyView& view, Requests& requests) noexcept;

  StrategyId id_{1};
  std::size_t count_{0};
  std::array<Rule, rules_max> rules_{};
};

}  // namespace gimbal
