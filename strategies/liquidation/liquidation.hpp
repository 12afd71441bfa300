// Deleverages a margin account before its venue would: the ladder GREEN, AMBER, RED, BLACK.
//
// Hot. Acts on the worse of the own model (standard or portfolio margin, at the marks and at the
// mid) and the venue's report; on a fresh report alone while the own model cannot be used.
//   AMBER: growth is held back in every underlying of the account, resting orders that add risk go
//   RED:   reduce-only slices, one at a time, until `target_health` and `amber_sigmas`
//   BLACK: every resting order of the account goes, then slices with the wide collars
// A limit of the gate stays a limit; it lets exits pass. Market orders do not exist here. With a
// delta_hedge on the same coin (`hedged`) this strategy closes what asks for margin and leaves the
// delta to it: both look at the same residual, live orders counted, so neither trades against the
// other. Every order carries the health it was decided on as its evidence.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "engine/core/strategy.hpp"
#include "engine/core/strategy_view.hpp"
#include "strategies/liquidation/account.hpp"
#include "strategies/liquidation/config.hpp"
#include "strategies/liquidation/ladder.hpp"
#include "strategies/liquidation/plan.hpp"
#include "strategies/pause.hpp"

namespace gimbal {

// One account, for status and metrics.
struct LiquidationState {
  bool used{false};
  MarginState state{MarginState::green};
  bool usable{false};    // own numbers known, complete and fresh
  bool mismatch{false};  // own maintenance margin and the venue's differ by more than mismatch_max
  bool stuck{false};     // a reduction is wanted and none is possible
  LadderMargin configured{LadderMargin::standard};
  LadderMargin model{LadderMargin::standard};  // what the own numbers are by: standard margin while
                                               // the scenarios are not known
  AccountMargin told{AccountMargin::unknown};  // by the venue
  UnderlyingId underlying{};
  Currency settlement{};
  double equity{0};  // margin balance, own; settlement currency
  double maintenance{0};
  double health{0};  // worst of own and venue; infinite without a balance
  double health_own{0};
  double health_venue{0};
  double sigmas{0};  // nearer side; infinite when there is none
  double below{0};   // move to liquidation, F_liq / F - 1; NaN: none
  double above{0};
  std::uint64_t orders{0};
  std::uint64_t raised{0};  // of these, first legs of pairs that alone made a health worse
  std::uint64_t alarms{0};
};

class Liquidation {
 public:
  using Config = LiquidationConfig;
  static constexpr std::string_view table = "strategy.liquidation";
  static constexpr std::string_view doc =
      "Reduces a margin account before the venue would; off when absent.";
  static constexpr std::size_t accounts_max = 4;
  static constexpr std::size_t configs_max = accounts_max;
  static constexpr bool behind_orders = true;  // a look costs more than all the rest of a tick

  Liquidation() noexcept = default;
  explicit Liquidation(StrategyId id) noexcept : id_{id} {}

  // Before start. Empty when accepted, otherwise what is wrong.
  [[nodiscard]] std::string_view add(const LiquidationConfig& config, UnderlyingId underlying,
                                     InstrumentId hedge) noexcept;
  [[nodiscard]] std::string_view bind(const LiquidationConfig& config,
                                      const StrategyNames& names) noexcept {
    const UnderlyingId u = names.underlying(config.underlying);
    return add(config, u, names.hedge(u));
  }
  void wake(const StrategyView& view, Requests& requests) noexcept;

  [[nodiscard]] StrategyId id() const noexcept { return id_; }
  [[nodiscard]] std::size_t accounts() const noexcept { return count_; }
  [[nodiscard]] const LiquidationState& state(std::size_t n) const noexcept {
    return books_[n].shown;
  }

 private:
  struct Book {  // one account
    UnderlyingId underlying{};
    InstrumentId hedge{};
    LiquidationConfig config{};
    MarginAccount account{};
    Ladder ladder{};
    MarginState told{MarginState::green};  // worst of the present entry that raised its alert
    LiquidationState shown{};
    std::uint64_t intent{0};
    std::uint64_t reports{0};     // of the account, when last compared
    std::uint32_t mismatches{0};  // in a row
    RefusalRow refusals{};        // of this underlying
    std::uint32_t misses{0};      // orders that ended without a fill, in a row
    bool arrived{false};          // this RED or BLACK was reduced to its target: small moves wait
    bool waiting{false};          // an order of ours has not ended
    Qty position_before{};        // of its instrument
    InstrumentId asked_for{};
    RecvTime last_order{};
    RecvTime settled_at{};     // the last order ended: the picture must be younger
    Qty position_seen{};       // of the same, at the last look
    bool uncertain{false};     // an order of ours has an unknown fate
    RecvTime traded_at{};      // an order of ours traded, or may have: a report must be younger
    RecvTime unknown_since{};  // portfolio margin without scenarios; zero: known
    RecvTime modelled_at{};    // the last look with them, and the price then
    double modelled_price{0};
    bool unknown_told{false};
    bool model_told{false};
    RecvTime moved_at{};   // RED or BLACK: the last time that it was reduced, or needed not to be
    bool reducing{false};  // RED or BLACK at the last look
    std::uint64_t arm_generation{0};
    bool stuck_told{false};
  };

  void look(Book& book, const StrategyView& view, Requests& requests) noexcept;
  [[nodiscard]] MarginReading read(Book& book, const StrategyView& view) const noexcept;
  // Portfolio margin that was known a moment ago, at nearly this price.
  [[nodiscard]] static bool repricing(Book& book, bool modelled, RecvTime now) noexcept;
  void compare(Book& book, const StrategyView& view, Requests& requests) noexcept;
  void tell_model(Book& book, const StrategyView& view, Requests& requests) noexcept;
  void tell_unknown(Book& book, const StrategyView& view, Requests& requests) noexcept;
  void tell_stuck(Book& book, const StrategyView& view, const MarginReading& r,
                  Requests& requests) noexcept;
  void trace_state(const Book& book, const StrategyView& view, MarginState before,
                   const MarginReading& r) const noexcept;
  void tell(Book& book, const StrategyView& view, const MarginReading& r,
            Requests& requests) noexcept;
  void restrain(const Book& book, const StrategyView& view, Requests& requests) const noexcept;
  void reduce(Book& book, const StrategyView& view, const MarginReading& r,
              Requests& requests) noexcept;
  // Whether there is anything to reduce for.
  [[nodiscard]] bool wants(Book& book, const StrategyView& view, const MarginReading& r,
                           double too_much) const noexcept;
  [[nodiscard]] double missing(const Book& book, const StrategyView& view, const MarginReading& r,
                               double target) const noexcept;
  // There is a report from after our last trade, and no order of ours is in doubt.
  [[nodiscard]] bool answered(const Book& book, const StrategyView& view) const noexcept;
  [[nodiscard]] bool settled(Book& book, const StrategyView& view) noexcept;
  void send(Book& book, const StrategyView& view, const Reduction& reduction,
            const MarginReading& r, Requests& requests) noexcept;
  [[nodiscard]] bool adds_risk(const Book& book, const StrategyView& view,
                               const Order& order) const noexcept;

  StrategyId id_{0};
  std::size_t count_{0};
  std::array<Book, accounts_max> books_{};
};

}  // namespace gimbal
