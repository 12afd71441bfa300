#include "ops/app/run_picture.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace gimbal {
namespace {

// Between two boots nothing is known.
HistorySample broken_at(double t) {
  HistorySample s;
  s.t = t;
  s.mid = s.residual = s.band = s.pnl = s.options = NAN;
  return s;
}

void join_underlying(UnderlyingHistory& day, UnderlyingHistory later) {
  day.inside_s += later.inside_s;
  day.outside_s += later.outside_s;
  if (later.samples.empty()) return;
  if (std::isnan(day.first_equity)) day.first_equity = later.first_equity;
  if (day.samples.empty()) {
    day.samples = std::move(later.samples);
    return;
  }
  // The equity goes on from where the day began; the explanation from where the boot before ended:
  // what happened between them is explained by nobody.
  const HistorySample last = day.samples.back();
  const double equity = later.first_equity - day.first_equity;
  day.samples.push_back(broken_at((last.t + later.samples.front().t) / 2));
  for (HistorySample& s : later.samples) {
    s.pnl += equity;
    s.options += last.options;
    s.gamma += last.gamma;
    s.theta += last.theta;
    s.hedge += last.hedge;
    s.fees += last.fees;
    s.execution += last.execution;
    day.samples.push_back(s);
  }
}

template <class Item, class Same>
Item* same_in(std::vector<Item>& items, Same same) {
  const auto at = std::find_if(items.begin(), items.end(), same);
  return at == items.end() ? nullptr : &*at;
}

void join_limits(std::vector<LimitUse>& day, const std::vector<LimitUse>& later) {
  for (const LimitUse& l : later) {
    LimitUse* same = same_in(day, [&](const LimitUse& d) { return d.name == l.name; });
    if (same == nullptr) {
      day.push_back(l);
      continue;
    }
    // Of two configs' limits the one that was nearer counts.
    const auto share = [](const LimitUse& u) { return u.limit == 0 ? 0 : u.used / u.limit; };
    if (share(l) > share(*same)) *same = l;
  }
}

void join_profit(std::vector<ProfitAccount>& day, std::vector<ProfitAccount> later) {
  for (ProfitAccount& a : later) {
    ProfitAccount* same = same_in(day, [&](const ProfitAccount& d) {
      return d.venue == a.venue && d.settlement == a.settlement;
    });
    if (same == nullptr) {
      day.push_back(std::move(a));
      continue;
    }
    ProfitRow between;
    between.name = "between boots";
    between.first_equity = same->rows.back().last_equity;
    between.last_equity = a.rows.front().first_equity;
    between.profit.profit = between.last_equity - between.first_equity;
    same->rows.push_back(std::move(between));
    std::move(a.rows.begin(), a.rows.end(), std::back_inserter(same->rows));
  }
}

}  // namespace

std::uint64_t RunPicture::events() const {
  std::uint64_t sum = 0;
  for (const BootLine& b : boots) sum += b.events;
  return sum;
}

bool RunPicture::agrees() const {
  return std::all_of(boots.begin(), boots.end(), [](const BootLine& b) { return b.agrees(); });
}

void add(GapTotals& to, const GapTotals& more) noexcept {
  to.fills += more.fills;
  to.unpriced += more.unpriced;
  to.traded_usd += more.traded_usd;
  to.shortfall_usd += more.shortfall_usd;
  to.delay_usd += more.delay_usd;
  to.theory_usd += more.theory_usd;
  to.fees_usd += more.fees_usd;
  for (std::size_t k = 0; k < to.after_usd.size(); ++k) {
    to.after_usd[k] += more.after_usd[k];
    to.marked[k] += more.marked[k];
  }
}

void add(GapTotals& to, const HistoryFill& fill) noexcept {
  const FillGap& g = fill.gap;
  GapTotals one;
  one.fills = 1;
  one.unpriced = g.priced ? 0 : 1;
  one.traded_usd = fill.traded_usd;
  one.shortfall_usd = g.shortfall_usd;
  one.delay_usd = g.delay_usd;
  one.theory_usd = g.theory_usd;
  one.fees_usd = g.fee_usd;
  for (std::size_t k = 0; k < one.after_usd.size(); ++k) {
    one.after_usd[k] = g.after_usd[k];
    one.marked[k] = g.mark[k].nano != 0 ? 1 : 0;
  }
  add(to, one);
}

void join(RunPicture& day, RunPicture later) {
  for (UnderlyingHistory& u : later.underlyings) {
    UnderlyingHistory* same =
        same_in(day.underlyings, [&](const UnderlyingHistory& d) { return d.name == u.name; });
    same == nullptr ? day.underlyings.push_back(std::move(u))
                    : join_underlying(*same, std::move(u));
  }
  for (const GapLine& l : later.gaps) {
    GapLine* same = same_in(day.gaps, [&](const GapLine& d) { return d.of == l.of; });
    same == nullptr ? day.gaps.push_back(l) : add(same->totals, l.totals);
  }
  std::move(later.boots.begin(), later.boots.end(), std::back_inserter(day.boots));
  std::move(later.fills.begin(), later.fills.end(), std::back_inserter(day.fills));
  std::move(later.marks.begin(), later.marks.end(), std::back_inserter(day.marks));
  join_limits(day.limits, later.limits);
  for (const auto& [name, count] : later.refusals) day.refusals[name] += count;
  day.waited.merge(later.waited);
  day.tick_to_order.merge(later.tick_to_order);
  day.order_to_ack.merge(later.order_to_ack);
  add(day.all_gaps, later.all_gaps);
  day.placed += later.placed;
  join_profit(day.profit, std::move(later.profit));
  day.seconds += later.seconds;
}

}  // namespace gimbal
