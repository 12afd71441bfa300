// What every scenario of [scenarios] would do to an account, kept up to date in place.
//
// Room: engine/core, hot. One row per option: profit of one coin in each scenario, with slope and
// curve in the price, from a full pricing of that option. One book per underlying and settlement:
// the sums of the held rows. An order, a fill or a move of the price costs a few vector operations
// and no pricing; rows are priced one at a time, between orders (EngineCore::price_cells).
//
// Rows and sums are polynomials of second order in z = S / anchor - 1, S the perpetual's mid, all
// forwards moving with it. When S is further than `move_max` from the anchor, the anchor moves to S
// and no row counts until it has been priced again: until then the answer is unknown. Futures are
// exact and have no rows. All memory is taken at construction.
//
// Units: coins for inverse, quote currency for linear instruments. Profit is positive.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/portfolio.hpp"
#include "engine/core/pricing.hpp"
#include "engine/core/risk/scenario_book.hpp"
#include "engine/core/risk/scenarios.hpp"

namespace gimbal {

class ScenarioCells {
 public:
  // 9 price moves by 3 volatilities (index 3 * move + down, same, up), then 8 far moves, vol up.
  static constexpr std::size_t standard_count = 27;
  static constexpr std::size_t cell_count = 35;
  static constexpr std::size_t padded = 40;
  static constexpr double move_max = 0.01;
  using Cells = ScenarioBook::Cells;

  // One question of the gate, filled by the engine.
  struct Position {
    double spot{0};      // perpetual's mid
    double index{0};     // for what the far moves are reduced by
    double coins{0};     // held futures and perpetuals
    double open_buy{0};  // coins of futures in open and unknown orders, both positive
    double open_sell{0};
  };

  ScenarioCells(const ScenarioConfig& config, std::size_t instruments,
                const PricingKernels& kernels);
  [[nodiscard]] bool used() const noexcept { return config_.used(); }
  [[nodiscard]] const ScenarioConfig& config() const noexcept { return config_; }

  // Moves the anchors of the underlying when the price left them behind.
  void follow(UnderlyingId u, double spot) noexcept;
  // Whether the row must be priced to count: another anchor, or a quarter of its greatest age.
  [[nodiscard]] bool outdated(const Instrument& i, RecvTime now) const noexcept;
  // The book that an option's row counts in, one per underlying and settlement.
  static constexpr std::size_t books = 2 * underlyings_max;
  [[nodiscard]] static std::size_t place(UnderlyingId u, bool inverse) noexcept {
    return 2u * u.value + (inverse ? 0u : 1u);
  }
  [[nodiscard]] static bool has_place(const Instrument& i) noexcept {
    return i.underlying.value < underlyings_max && is_option(i.kind);
  }
  // Of each book: when the oldest of some rows was priced; zero: never.
  using Oldest = std::array<RecvTime, books>;
  void note_age(Oldest& oldest, const Instrument& i) const noexcept {
    if (!used() || !has_place(i)) return;
    RecvTime& at = oldest[place(i.underlying, is_inverse(i.kind))];
    at = std::min(at, rows_[i.id.value].at);
  }
  // Whether a row that was priced then may still be used.
  [[nodiscard]] bool young(RecvTime priced, RecvTime now) const noexcept {
    return now - priced <= config_.row_age_max;
  }
  // A full pricing of one option in every scenario. `mark` usable, `follow` called with `spot`.
  void price(const Instrument& i, const OptionMark& mark, double spot, RecvTime now) noexcept;
  // The position of an option is now `amount`.
  void hold(const Instrument& i, Qty amount) noexcept;

  // Every held row counts at the present anchor, and `spot` is near it.
  [[nodiscard]] bool complete(UnderlyingId u, bool inverse, double spot) const noexcept;
  // The row may be used: of the present anchor, `spot` near it, and young enough.
  [[nodiscard]] bool fresh(const Instrument& i, double spot, RecvTime now) const noexcept;

  // Profit of the book in each scenario, futures included, at their worst over the open futures
  // orders.
  [[nodiscard]] Cells cells(UnderlyingId u, bool inverse, const Position& p) const noexcept;
  // The held book alone, open orders left out, around the present spot.
  [[nodiscard]] ScenarioBook held_book(UnderlyingId u, bool inverse,
                                       const Position& p) const noexcept;
  // Adds an option order that may fill or not: only where it hurts.
  void add_worst(Cells& cells, const Instrument& option, double amount, double spot) const noexcept;
  // Adds an order as filled.
  void add_option(Cells& cells, const Instrument& option, double amount,
                  double spot) const noexcept;
  void add_future(Cells& cells, bool inverse, double coins, double spot) const noexcept;
  // The largest loss, at least 0, after what the far moves are reduced by; NaN when a cell is no
  // finite number.
  [[nodiscard]] double worst_loss(const Cells& cells, bool inverse, double index) const noexcept;

 private:
  struct alignas(64) Polynomial {
    Cells value{}, slope{}, half_curve{};
  };
  struct Row {
    double held{0};  // signed coins
    std::uint32_t generation{0};
    RecvTime at{};
  };
  struct Book {
    double anchor{0};
    std::uint32_t generation{1};
    std::uint32_t held{0};     // rows with a position
    std::uint32_t counted{0};  // of them, in `sums`
    Polynomial sums{};
  };
  struct Scenario {
    double move{0};
    double weight{1};      // of the far moves
    double relief_usd{0};  // times 1 / index for coins
    int volatility{0};     // -1, 0, +1
  };

  void make_scenarios() noexcept;
  [[nodiscard]] double shocked(double sigma, double scale, int volatility) const noexcept;
  void evaluate(const OptionMark& mark, const Instrument& i, Polynomial& out) const noexcept;
  [[nodiscard]] const Book& book(const Instrument& i) const noexcept;
  [[nodiscard]] Book& book(const Instrument& i) noexcept;
  static void add(Book& b, const Polynomial& row, double amount) noexcept;
  [[nodiscard]] static bool near(const Book& b, double spot) noexcept;

  ScenarioConfig config_;
  PricingKernels kernels_;
  std::array<Scenario, cell_count> scenarios_{};
  std::array<Cells, 2> future_{};  // profit of one coin: inverse, linear (times S)
  std::array<Cells, 2> relief_{};  // inverse: USD, to be divided by the index; linear: as it is
  std::vector<Polynomial> polynomials_;  // one per instrument
  std::vector<Row> rows_;
  std::vector<Book> books_;
};

}  // namespace gimbal
