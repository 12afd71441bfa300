#include "ops/app/hop_budget.hpp"

#include <algorithm>
#include <cstdio>

#include "engine/core/quality/late_ticks.hpp"

namespace gimbal {
namespace {

std::string micros(double ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f us", ns * 1e-3);
  return text.data();
}

std::string_view way_name(std::size_t hop) {
  return hop == HopBudgets::whole_way ? "tick_to_order" : name_of(static_cast<ProbeHop>(hop));
}

std::int64_t packed(const HopBudget& b) {
  LateTicks::Tally tally;
  tally.late = static_cast<std::int64_t>(b.window_over);
  tally.ticks = static_cast<std::int64_t>(b.window.count());
  return LateTicks::packed(tally);
}

}  // namespace

std::string_view name_of(HopVerdict verdict) noexcept {
  switch (verdict) {
    case HopVerdict::none: return "none";
    case HopVerdict::waiting: return "waiting";
    case HopVerdict::ok: return "ok";
    case HopVerdict::over: return "over";
  }
  return "none";
}

HopBudgets::HopBudgets(const BudgetLimits& limits, HopTimes& times)
    : window_{limits.window}, times_{times} {
  // In the order of ProbeHop.
  const std::array<Nanos, probe_hops> of_hops{limits.tick_to_order, limits.decrypt, limits.parse,
                                              limits.step,          limits.state,   limits.strategy,
                                              limits.commands,      limits.encode,  limits.encrypt,
                                              limits.send,          limits.ack};
  for (std::size_t h = 0; h < probe_hops; ++h) {
    times.set_budget(static_cast<ProbeHop>(h), static_cast<std::uint64_t>(of_hops[h].count));
    if (of_hops[h].count > 0) verdicts_[h] = HopVerdict::waiting;
  }
}

bool HopBudgets::judge(RecvTime now, Trip& trip, std::string& text) {
  text.clear();
  double worst = 0;
  for (std::size_t h = 0; h < probe_hops; ++h) {
    const HopBudget& b = times_.budget_of(static_cast<ProbeHop>(h));
    if (b.limit_ns == 0) continue;
    if (b.window.count() == 0) began_[h] = now;
    if (now - began_[h] < window_ || b.window.count() < hop_rows_min) continue;
    const bool over = b.window_over * 100 > b.window.count();
    verdicts_[h] = over ? HopVerdict::over : HopVerdict::ok;
    if (over) {
      const std::uint64_t p99 = std::max(b.window.p99(), b.limit_ns + 1);
      if (!text.empty()) text += "; ";
      text += std::string{way_name(h)} + " p99 " + micros(static_cast<double>(p99)) + ", budget " +
              micros(static_cast<double>(b.limit_ns)) + ", " + std::to_string(b.window_over) +
              " of " + std::to_string(b.window.count()) + " over";
      const double ratio = static_cast<double>(p99) / static_cast<double>(b.limit_ns);
      if (ratio > worst) {
        worst = ratio;
        trip = Trip{};
        trip.code = TripCode::hop_slow;
        trip.limit = static_cast<std::int64_t>(b.limit_ns);
        trip.actual = static_cast<std::int64_t>(p99);
        trip.evidence = packed(b);
      }
    }
    began_[h] = now;
    times_.begin_window(static_cast<ProbeHop>(h));
  }
  return !text.empty();
}

std::string late_ticks_text(const Trip& trip) {
  if (trip.code != TripCode::late_ticks) return {};
  return std::to_string(trip.evidence >> 32) + " of " + std::to_string(trip.evidence & 0xFFFFFFFF) +
         " ticks late, worst " + micros(static_cast<double>(trip.actual)) + ", budget " +
         micros(static_cast<double>(trip.limit));
}

}  // namespace gimbal
