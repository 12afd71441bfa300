// What every scenario of [scenarios] would do to an account, kept up to date in place.
//
// Room: engine/core, hot. One row per option: profit of one coin in each scenario, with slope and
// curve in the price. One book per underlying and settlement: the sums of the held rows. An order,
// a fill or a move of the price costs a few vector operations and no pricing: rows are priced on a
// cold thread and enter as an event (scenario_rows.hpp).
//
// Rows and sums are polynomials of second order in z = S / anchor - 1, S the perpetual's mid, all
// forwards moving with it. When S is further than `move_max` from the anchor, the anchor moves to S
// and no row counts until it has been priced again: until then the answer is unknown. Futures are
// exact and have no rows. All memory is taken at construction.
//
// Units: coins for inverse, quote currency for linear instruments. Profit is positive.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/risk/scenario_book.hpp"
#include "engine/core/risk/scenario_rows.hpp"
#include "engine/core/risk/scenario_table.hpp"
#include "engine/core/risk/scenarios.hpp"

namespace gimbal {

class ScenarioCells {
 public:
  static constexpr std::size_t standard_count = ScenarioTable::standard_count;
  static constexpr std::size_t cell_count = ScenarioTable::count;
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

  ScenarioCells(const ScenarioConfig& config, std::size_t instruments);
  [[nodiscard]] bool used() const noexcept { return config_.used(); }
  [[nodiscard]] const ScenarioConfig& config() const noexcept { return config_; }

  // Moves the anchors of the underlying when the price left them behind.
  void follow(UnderlyingId u, double spot) noexcept;
  // Looks for the oldest row of the option's book; `held`: every instrument with a position. After
  // rows of held options were taken, and when one comes to be held or is no more.
  void find_oldest(const Instrument& i, std::span<const InstrumentId> held) noexcept;
  // No held row of the book is too old; one that was never priced is.
  [[nodiscard]] bool young(UnderlyingId u, bool inverse, RecvTime now) const noexcept {
    if (!used() || u.value >= underlyings_max) return false;
    const Book& b = books_[place(u, inverse)];
    return b.held == 0 || now - b.oldest <= config_.row_age_max;
  }
  // The anchor of an option's book and its generation, for a question.
  struct Anchor {
    double at{0};
    std::uint32_t generation{0};
  };
  [[nodiscard]] Anchor anchor(const Instrument& i) const noexcept {
    return {book(i).anchor, book(i).generation};
  }
  // Takes rows over. Late: the anchor has moved since they were asked for; nothing is taken.
  // Refused: they are not of this table of scenarios, of other instruments than they say, of the
  // future, or no numbers; again nothing is taken.
  enum class Taken : std::uint8_t { all, late, refused };
  [[nodiscard]] Taken take(const ScenarioRows& rows, const InstrumentTable& table,
                           RecvTime now) noexcept;
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
    double held{0};             // signed coins
    std::uint8_t place{books};  // of its book, once it was held
    std::uint32_t generation{0};
    RecvTime at{};
  };
  struct Book {
    double anchor{0};
    std::uint32_t generation{1};
    std::uint32_t held{0};     // rows with a position
    std::uint32_t counted{0};  // of them, in `sums`
    RecvTime oldest{};         // of the held rows
    Polynomial sums{};
  };
  // The book that an option's row counts in, one per underlying and settlement.
  static constexpr std::size_t books = 2 * underlyings_max;
  [[nodiscard]] static std::size_t place(UnderlyingId u, bool inverse) noexcept {
    return 2u * u.value + (inverse ? 0u : 1u);
  }
  [[nodiscard]] static bool has_place(const Instrument& i) noexcept {
    return i.underlying.value < underlyings_max && is_option(i.kind);
  }
  void adopt(const Instrument& i, const ScenarioRows& rows, std::size_t n) noexcept;
  [[nodiscard]] const Book& book(const Instrument& i) const noexcept;
  [[nodiscard]] Book& book(const Instrument& i) noexcept;
  static void add(Book& b, const Polynomial& row, double amount) noexcept;
  [[nodiscard]] static bool near(const Book& b, double spot) noexcept;

  ScenarioConfig config_;
  ScenarioTable table_;
  std::array<Cells, 2> future_{};  // profit of one coin: inverse, linear (times S)
  std::array<Cells, 2> relief_{};  // inverse: USD, to be divided by the index; linear: as it is
  std::vector<Polynomial> polynomials_;  // one per instrument
  std::vector<Row> rows_;
  std::vector<Book> books_;
};

}  // namespace gimbal
