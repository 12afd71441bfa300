// What a RunHistory sums up once its journal is stepped.
#include <fmt/format.h>

#include <utility>

#include "ops/app/refusal_names.hpp"
#include "ops/app/run_history.hpp"

namespace gimbal {

// Of every strategy that has traded and of every venue of the config.
void RunHistory::sum_gaps() {
  std::array<GapTotals, strategies_max> strategies{};
  std::array<GapTotals, venues_max> venues{};
  for (const HistoryFill& f : out_.fills) {
    add(strategies[f.gap.order.strategy().value % strategies_max], f);
    add(venues[f.gap.venue.value % venues_max], f);
    add(out_.all_gaps, f);
  }
  for (std::size_t s = 0; s < strategies_max; ++s) {
    if (strategies[s].fills == 0) continue;
    const std::string name{s < Strategies::names.size() ? Strategies::names[s] : "?"};
    out_.gaps.push_back({"strategy " + name, strategies[s]});
  }
  const std::vector<VenueConfig>& configured = origin_.loaded->config.venues;
  for (std::size_t v = 0; v < venues_max; ++v) {
    if (v >= configured.size() && venues[v].fills == 0) continue;
    const std::string name = v < configured.size() ? configured[v].name : std::to_string(v);
    out_.gaps.push_back({"venue " + name, venues[v]});
  }
}

void RunHistory::take_profit() {
  const std::uint32_t epoch = core_.result().boot.epoch;
  for (const ExplainedAccount& a : profit_.accounts()) {
    ProfitAccount account{a.venue, a.settlement, {}};
    for (const ExplainedAccount::Day& d : a.days) {
      if (day_ != nullptr && d.number != day_->day.number) continue;
      const std::string name = day_ != nullptr ? fmt::format("boot {}", epoch) : day_text(d.number);
      account.rows.push_back({name, d.profit, d.first_equity, d.last_equity});
    }
    if (!account.rows.empty()) out_.profit.push_back(std::move(account));
  }
}

RunPicture RunHistory::finish() {
  if (place_ == Place::inside) leave(now_);
  if (events_ == 0) return std::move(out_);
  for (std::size_t r = 1; r < gimbal::refusals; ++r) {
    const std::uint64_t n = at_leave_.refused[r] - at_entry_.refused[r];
    if (n > 0) out_.refusals[std::string{name_of(static_cast<Refusal>(r))}] = n;
  }
  out_.placed = at_leave_.placed - at_entry_.placed;
  out_.seconds = static_cast<double>((ended_ - began_).count) * 1e-9;
  sum_gaps();
  take_profit();
  const ReplayResult result = core_.result();
  BootLine boot;
  boot.boot = result.boot;
  boot.from = time_of(began_);
  boot.to = time_of(ended_);
  boot.events = events_;
  boot.fills = out_.fills.size();
  boot.config = origin_.loaded->hash_hex();
  boot.verdict = result.verdict;
  boot.error = result.error;
  out_.boots.push_back(std::move(boot));
  return std::move(out_);
}

}  // namespace gimbal
