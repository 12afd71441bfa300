// Keeps the delta of each configured underlying inside a band by trading its hedge instrument.
//
// Hot. Residual = position delta + live orders + unknown orders, in the account's numeraire; the
// target is zero. While an order's fate is unknown only the part that is needed in every outcome is
// hedged; with nothing needed in every outcome it waits. One order at a time per underlying: what
// an earlier boot left resting beside it is cancelled first, and counts until the venue says it is
// gone.
//
// Band: fixed in coins, or Whalley & Wilmott (1997): H = (1.5 lam F Gamma^2 / A)^(1/3), clamped to
// [lot / 2, band_max]. Inside the band nothing happens. Amounts are whole lots: enough to come back
// inside, never more than the nearest to zero residual, always against it; less than half a lot is
// left alone. After three orders in a row without effect the next ones wait, up to 2 s each.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/core/bring_near.hpp"
#include "engine/core/engine_config.hpp"
#include "engine/core/field.hpp"
#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"
#include "strategies/pause.hpp"

namespace gimbal {

enum class HedgeExecution : std::uint8_t {
  ioc,    // immediate or cancel, up to the collar beyond the opposite best
  maker,  // post-only order resting at the price where gamma makes it needed
};
enum class HedgeTarget : std::uint8_t { edge, zero };  // trade back to the band's edge, or to zero
// Which delta of the options is hedged. The last two need [surface] and are Black's where it prices
// nothing, in REDUCE and, from a second on, while growth is blocked; limits of the gate stay on
// Black's.
enum class HedgeDelta : std::uint8_t {
  black,             // volatility stays with the strike
  sticky_delta,      // the smile moves with the forward
  minimum_variance,  // Hull & White (2017), fitted to what the prices did
};

template <>
struct EnumNames<HedgeExecution> {
  static constexpr std::array<EnumPair<HedgeExecution>, 2> all{
      {{"ioc", HedgeExecution::ioc}, {"maker", HedgeExecution::maker}}};
};
template <>
struct EnumNames<HedgeDelta> {
  static constexpr std::array<EnumPair<HedgeDelta>, 3> all{
      {{"black", HedgeDelta::black},
       {"sticky_delta", HedgeDelta::sticky_delta},
       {"minimum_variance", HedgeDelta::minimum_variance}}};
};
template <>
struct EnumNames<HedgeTarget> {
  static constexpr std::array<EnumPair<HedgeTarget>, 2> all{
      {{"edge", HedgeTarget::edge}, {"zero", HedgeTarget::zero}}};
};

// [[strategy.delta_hedge]]: one per underlying.
struct DeltaHedgeConfig {
  std::string underlying;                 // "BTC"
  Numeraire numeraire{Numeraire::unset};  // required
  HedgeExecution execution{HedgeExecution::ioc};
  HedgeTarget target{HedgeTarget::edge};
  HedgeDelta delta{HedgeDelta::black};
  double band{0.05};                     // coins; used when risk_aversion is zero
  double band_max{1.0};                  // coins
  double risk_aversion{0};               // A, per USD; above zero: gamma and cost based band
  double cost_bps{6};                    // lam: fee, half spread and impact of one trade
  std::int64_t collar_bps{20};           // how far an IOC may reach beyond the opposite best
  Nanos interval_min{milliseconds(20)};  // between two orders of one underlying
  std::uint32_t attempts_max{20};        // hedge cycles without improvement (P-07) ...
  Nanos attempts_window{seconds(60)};    // ... within this time stop the strategy
  Money usd_per_second_max{1'000'000'000'000'000};  // traded value, 1,000,000 USD
  Nanos data_age_max{milliseconds(1000)};           // older hedge-instrument data moves no order
  std::int64_t maker_reprice_bps{2};  // a resting order further off than this is moved
};

template <class Visitor>
void fields(Visitor&& visit, DeltaHedgeConfig& c) {
  visit("underlying", c.underlying,
        FieldInfo{1, 8, true, Reload::fixed, "", "The coin whose delta is hedged."});
  visit("numeraire", c.numeraire,
        FieldInfo{0, 0, true, Reload::fixed, "",
                  "coin: net delta is zero; usd: equity plus net delta is zero."});
  visit("execution", c.execution,
        FieldInfo{0, 0, false, Reload::fixed, "", "Take with a collar, or rest as a maker."});
  visit("target", c.target,
        FieldInfo{0, 0, false, Reload::live, "", "Trade back to the band's edge, or to zero."});
  visit("delta", c.delta,
        FieldInfo{0, 0, false, Reload::fixed, "",
                  "Delta of the options: black, or with [surface] sticky_delta (the smile moves "
                  "with the forward) or minimum_variance (fitted; black while it gains nothing)."});
  visit("band", c.band,
        FieldInfo{0, 1e6, false, Reload::live, "coins", "No trade inside; 0 is half a lot."});
  visit("band_max", c.band_max,
        FieldInfo{0, 1e6, false, Reload::live, "coins", "Upper bound of the gamma-based band."});
  visit("risk_aversion", c.risk_aversion,
        FieldInfo{0, 1e3, false, Reload::live, "1/USD",
                  "Above zero: the band follows gamma and cost."});
  visit("cost_bps", c.cost_bps,
        FieldInfo{0.01, 1000, false, Reload::live, "bp",
                  "Cost of a hedge: fee, half spread, impact."});
  visit("collar_bps", c.collar_bps,
        FieldInfo{0, 1000, false, Reload::live, "bp", "Reach of an IOC beyond the opposite best."});
  visit("interval_min", c.interval_min,
        FieldInfo{0, 60, false, Reload::live, "s", "Shortest time between two hedge orders."});
  visit("attempts_max", c.attempts_max,
        FieldInfo{1, 10000, false, Reload::fixed, "", "Cycles without improvement that stop it."});
  visit("attempts_window", c.attempts_window,
        FieldInfo{1, 3600, false, Reload::fixed, "s", "Window of attempts_max."});
  visit("usd_per_second_max", c.usd_per_second_max,
        FieldInfo{1, 9e9, false, Reload::tighten_lower, "USD", "Value traded per second."});
  visit("data_age_max", c.data_age_max,
        FieldInfo{0.001, 60, false, Reload::live, "s", "Age of the hedge instrument's data."});
  visit("maker_reprice_bps", c.maker_reprice_bps,
        FieldInfo{0, 1000, false, Reload::live, "bp", "Distance that moves a resting order."});
}

struct HedgeState {
  bool stopped{false};      // P-07 tripped: latched until the next arm
  bool outside{false};      // residual outside the band at the last look
  double residual{0};       // coins, at the last look
  double band{0};           // half-width, coins
  double shift{0};          // of `residual` from Black's delta, coins
  std::uint64_t orders{0};  // requests made
  std::uint64_t waits{0};   // looks that had to wait for unknown orders
  std::uint32_t cycles{0};  // attempts without improvement in the window
  RecvTime outside_since{};
  Nanos outside_longest{};
};

class DeltaHedge {
 public:
  using Config = DeltaHedgeConfig;
  static constexpr std::string_view table = "strategy.delta_hedge";
  static constexpr std::string_view doc =
      "Keeps one underlying's delta inside a band; off when absent.";
  static constexpr std::size_t configs_max = underlyings_max;

  DeltaHedge() noexcept = default;
  explicit DeltaHedge(StrategyId id) noexcept : id_{id} {}

  // Before start. Empty when accepted, otherwise what is wrong with the config.
  [[nodiscard]] std::string_view add(const DeltaHedgeConfig& config, UnderlyingId underlying,
                                     InstrumentId hedge) noexcept;
  [[nodiscard]] std::string_view bind(const DeltaHedgeConfig& config,
                                      const StrategyNames& names) noexcept {
    const UnderlyingId u = names.underlying(config.underlying);
    return add(config, u, names.hedge(u));
  }
  void wake(const StrategyView& view, Requests& requests) noexcept;

  [[nodiscard]] StrategyId id() const noexcept { return id_; }
  [[nodiscard]] const HedgeState& state(UnderlyingId u) const noexcept { return states_[u.value]; }

  // Books and states in use: bring_near.hpp.
  void look_over() const noexcept {
    bring_near(books_.data(), count_ * sizeof(Book));
    for (std::size_t n = 0; n < count_; ++n) bring_near(states_[books_[n].underlying.value]);
  }

 private:
  struct Book {  // one configured underlying
    UnderlyingId underlying{};
    InstrumentId hedge{};
    DeltaHedgeConfig config{};
    std::uint64_t intent{0};
    std::uint64_t arm_generation{0};
    RecvTime last_order{};
    RecvTime window_start{};
    RecvTime second_start{};
    Money second_usd{};
    std::int64_t asked_residual{0};  // when the last order was asked for
    RefusalRow refusals{};           // of this underlying
    bool awaiting{false};            // an order's effect has not been judged yet
    bool reducing{false};            // Black's delta, whatever the config names
    RecvTime turning_since{};        // when the other delta fell due; zero: none is
    std::int64_t apart{0};           // while one is: its residual less that of the one in use
  };
  struct Own {  // our open orders on the hedge instrument
    const Order* resting{nullptr};
    bool unknown{false};
  };

  void look(Book& book, const StrategyView& view, Requests& requests) noexcept;
  // Whether the delta in use is the one that it should be.
  void note_turn(Book& book, const StrategyView& view) const noexcept;
  // Changes it when that is due. True while an order of the delta before still has to go.
  [[nodiscard]] bool turn(Book& book, const StrategyView& view, const Own& own,
                          Requests& requests) const noexcept;
  // In coins, with the delta in use; empty when unknown.
  [[nodiscard]] std::optional<ResidualDelta> chosen_residual(Book& book,
                                                             const StrategyView& view) noexcept;
  // The part of a residual that both deltas have while one is about to be changed for the other.
  [[nodiscard]] static std::int64_t agreed(const Book& book, std::int64_t residual) noexcept;
  [[nodiscard]] static bool ready(const Book& book, const StrategyView& view) noexcept;
  [[nodiscard]] Own own_orders(const Book& book, const StrategyView& view) const noexcept;
  // Cancels what an earlier boot, or another execution, left resting. True while some of it is
  // still there, so that nothing new is sent beside it.
  [[nodiscard]] bool take_back(const Book& book, const StrategyView& view, const Own& own,
                               Requests& requests) const noexcept;
  [[nodiscard]] std::int64_t half_band(const Book& book, const StrategyView& view,
                                       Price price) const noexcept;
  void note_residual(const Book& book, std::int64_t residual, std::int64_t band, RecvTime now,
                     bool trading) noexcept;
  void judge_last(Book& book, const StrategyView& view, std::int64_t residual) noexcept;
  // The residual that is there in every outcome; zero when the outcomes disagree.
  [[nodiscard]] std::int64_t certain(const Book& book, const StrategyView& view,
                                     const ResidualDelta& r, std::int64_t band) noexcept;
  // Whole lots that bring `residual` back; zero when there is nothing to do or no budget.
  [[nodiscard]] Qty amount_for(Book& book, const StrategyView& view, std::int64_t residual,
                               std::int64_t band, Price price) noexcept;
  void take(Book& book, const StrategyView& view, const Quote& quote, std::int64_t residual,
            std::int64_t band, Requests& requests) noexcept;
  void rest(Book& book, const StrategyView& view, const Quote& quote, const ResidualDelta& r,
            std::int64_t band, const Own& own, Requests& requests) noexcept;
  void ask(Book& book, const StrategyView& view, OrderRequest request, std::int64_t residual,
           std::int64_t band, Requests& requests) noexcept;
  void say(const StrategyView& view, const Book& book, TraceId what, std::int64_t a, std::int64_t b,
           std::int64_t c = 0, std::int64_t d = 0) const noexcept;

  StrategyId id_{0};
  std::size_t count_{0};
  std::array<Book, underlyings_max> books_{};
  std::array<HedgeState, underlyings_max> states_{};
};

// Cube root of a non-negative number by Newton steps from an exponent guess: the same bits in every
// build, no libm. Relative error below 4e-16.
[[nodiscard]] double cube_root(double x) noexcept;

// Whalley-Wilmott half-band in coins. `cost` is a fraction, `aversion` per USD; zero when an input
// is not positive (gamma may have any sign).
[[nodiscard]] double whalley_wilmott_band(double cost, double price, double gamma,
                                          double aversion) noexcept;

}  // namespace gimbal
