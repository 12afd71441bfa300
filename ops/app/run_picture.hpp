// What the report shows of a run, or of all boots of a day: plain values, nothing of the journal or
// the core that they came from. Room: ops/app. Cold; analytics in double.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/execution_gap.hpp"
#include "engine/runtime/histogram.hpp"
#include "engine/runtime/replay.hpp"
#include "ops/app/gate_numbers.hpp"
#include "ops/app/profit_text.hpp"

namespace gimbal {

// One look at an underlying. Money is in the unit of its account: coins, or the quote currency.
// Numbers of a break between boots are NAN.
struct HistorySample {
  double t{0};  // seconds on the page's clock
  double mid{0};
  double residual{0}, band{0};  // coins; band is the half width
  double pnl{0};                // change of the account's equity; NAN before its first report
  // Explanation, summed from the first sample on.
  double options{0}, gamma{0}, theta{0}, hedge{0}, fees{0}, execution{0};
  [[nodiscard]] double explained() const {
    return options + gamma + theta + hedge + fees + execution;
  }
};

struct UnderlyingHistory {
  UnderlyingId id{};  // of its boot
  std::string name;
  std::string unit;  // of the money
  bool inverse{true};
  InstrumentId hedge{};    // of its boot
  std::string hedge_name;  // its instrument
  double first_equity{0};  // NAN before the first report
  std::vector<HistorySample> samples;
  double inside_s{0}, outside_s{0};  // time of the residual against the band while armed
};

struct HistoryFill {
  double t{0};
  FillGap gap{};
  Money traded_usd{};
  std::string instrument;
};

struct HistoryMark {  // something to know about a moment
  double t{0};
  std::string text;
  bool bad{false};
};

struct GapLine {
  std::string of;  // "strategy delta_hedge", "venue deribit"
  GapTotals totals{};
};

struct BootLine {
  Boot boot{};
  double from{0}, to{0};  // first and last event that the page shows
  std::uint64_t events{0};
  std::size_t fills{0};
  std::string config;  // its hash
  ReplayVerdict verdict{ReplayVerdict::unchecked};
  std::string error{};  // of a damaged journal

  [[nodiscard]] bool agrees() const noexcept {
    return verdict == ReplayVerdict::same || verdict == ReplayVerdict::unchecked;
  }
};

struct RunPicture {
  std::string account, venue, environment;
  std::string day;  // "2026-11-29"; empty: one run
  std::string day_note;
  std::vector<BootLine> boots;
  std::vector<UnderlyingHistory> underlyings;
  std::vector<HistoryFill> fills;
  std::vector<HistoryMark> marks;
  std::vector<LimitUse> limits;  // the largest use of each, over all orders that were judged
  std::map<std::string, std::uint64_t> refusals;
  Histogram waited;         // received until stepped, market data
  Histogram tick_to_order;  // the deciding event received until the order's bytes left
  Histogram order_to_ack;   // bytes left until the venue's first answer
  std::vector<GapLine> gaps;
  GapTotals all_gaps{};
  std::uint64_t placed{0};  // orders
  std::vector<ProfitAccount> profit;
  double seconds{0};  // of all boots together

  [[nodiscard]] std::uint64_t events() const;
  [[nodiscard]] bool agrees() const;
};

void add(GapTotals& to, const GapTotals& more) noexcept;
// One fill of a strategy or a venue, as the core's own totals count it.
void add(GapTotals& to, const HistoryFill& fill) noexcept;

// Puts the picture of a later boot behind that of the earlier ones: lines are broken in between,
// sums go on.
void join(RunPicture& day, RunPicture later);

}  // namespace gimbal
