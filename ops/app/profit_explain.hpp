// Where the profit came from: what the venue says the equity did, day by day (UTC), against what
// positions, prices, volatility, time, funding, fees and fills explain of it. Fed with a core after
// every step, from a journal or a simulation. Room: ops/app. Cold; analytics in double.
//
// Formulas and limits: ops/docs/risk.md, section 9. Money is in the settlement currency of the
// account: coins, or the quote currency.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/engine_core.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

enum class ProfitPart : std::uint8_t {
  delta,      // options: slope in the forward
  gamma,      // half the curve, squared move
  speed,      // the third order in the forward: jumps
  vega,       // slope in the volatility
  volga,      // half its curve
  vanna,      // forward and volatility together
  theta,      // time
  futures,    // futures and perpetuals, mark to mark
  funding,    // estimated from the perpetual's rate over 8 hours
  fees,       // as the fills tell them
  execution,  // own fills against the mark at the fill
  venue,      // fills that the venue or somebody else made, and deliveries, against the mark
};
inline constexpr std::size_t profit_parts = 12;
[[nodiscard]] std::string_view name_of(ProfitPart part) noexcept;

struct ExplainedProfit {
  double profit{0};  // change of the venue's equity, first report to last
  std::array<double, profit_parts> parts{};
  double seconds{0};  // between those reports
  std::uint64_t fills{0};
  std::uint64_t adopted{0};  // positions that changed without a fill: what they cost is not known

  [[nodiscard]] double& operator[](ProfitPart p) noexcept {
    return parts[static_cast<std::size_t>(p)];
  }
  [[nodiscard]] double operator[](ProfitPart p) const noexcept {
    return parts[static_cast<std::size_t>(p)];
  }
  [[nodiscard]] double explained() const noexcept;
  [[nodiscard]] double unexplained() const noexcept { return profit - explained(); }
  // The parts' absolute values, summed.
  [[nodiscard]] double gross() const noexcept;
  // |unexplained| over gross; 0 when both are.
  [[nodiscard]] double share() const noexcept;
  ExplainedProfit& operator+=(const ExplainedProfit& o) noexcept;
};

struct ExplainedAccount {
  struct Day {
    std::int64_t number{0};  // days since 1970-01-01, UTC, by the venue's clock
    ExplainedProfit profit{};
    double first_equity{0}, last_equity{0};  // between which that profit is
  };
  VenueId venue{};
  Currency settlement{};
  std::vector<Day> days;  // in order; what crosses midnight belongs to the day that it ends in
  [[nodiscard]] ExplainedProfit whole() const noexcept;
};

// "2026-11-27"
[[nodiscard]] std::string day_text(std::int64_t number);

class ProfitExplain {
 public:
  // Days begin `day_start` after midnight and have the date on which they begin.
  explicit ProfitExplain(const EngineCore& core, Nanos day_start = {})
      : core_{core}, day_start_{day_start}, lines_(core.instruments().capacity()) {}

  // After the core has stepped `event`.
  void step(const Event& event);
  // Accounts that had a report, in the order of their first.
  [[nodiscard]] std::span<const ExplainedAccount> accounts() const noexcept { return accounts_; }

 private:
  struct Line {  // one instrument
    Qty held{};
    bool known{false};
    double price{0};        // futures: mark, moved with the mid
    double mark_to_mid{0};  // futures: at the last ticker
    double forward{0}, sigma{0}, years{0};
    double value{0}, d_forward{0}, d2_forward{0}, d3_forward{0}, d_sigma{0}, d2_sigma{0}, d_both{0},
        d_time{0};
    double funding_8h{0};
    RecvTime at{};
  };
  struct Open {  // since the last report of an account
    bool based{false};
    double equity{0};
    RecvTime at{};
    ExplainedProfit profit{};
  };

  void look();
  void bring_up(InstrumentId id);
  void advance(InstrumentId id);
  void advance_future(const Instrument& i, Line& line, double held, ExplainedProfit& to) const;
  void advance_option(const Instrument& i, Line& line, double held, ExplainedProfit& to) const;
  void on_fill(const Event& event);
  void on_settled(const Event& event);
  void on_report(const Event& event);
  void on_ticker(const Event& event);
  // What a trade at `price` gains by where its position is counted from then on.
  [[nodiscard]] double against_mark(const Instrument& i, Qty change, double price) const;
  [[nodiscard]] std::size_t account_of(VenueId venue, Currency settlement);
  [[nodiscard]] ExplainedProfit& open_of(const Instrument& i) {
    return open_[account_of(i.venue, i.settlement)].profit;
  }

  const EngineCore& core_;
  const Nanos day_start_;
  std::vector<Line> lines_;
  std::vector<ExplainedAccount> accounts_;
  std::vector<Open> open_;
  PartsBuffer<Fill> fill_{};
  PartsBuffer<MarginReport> report_{};
  PartsBuffer<Ticker> ticker_{};
  RecvTime next_{};
};

}  // namespace gimbal
