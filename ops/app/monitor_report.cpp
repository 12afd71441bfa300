// What the monitor adds to the status report. Room: ops/app (wiring). Cold.
#include <algorithm>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/metrics.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/refusal_names.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

AlertStatus shown(const Alert& a, std::string line, ExchTime wall) {
  AlertStatus s;
  s.id = a.id;
  s.severity = text_of(a.facts.severity);
  s.text = std::move(line);
  s.age_ns = (wall - a.first).count;
  s.acknowledged = a.acknowledged;
  s.code = a.facts.code;
  s.row = a.facts.row;
  s.owner = a.facts.owner;
  s.scope = a.facts.scope;
  s.mode = a.facts.mode;
  s.latched = a.facts.latched;
  s.count = a.count;
  s.limit = a.facts.limit;
  s.actual = a.facts.actual;
  s.evidence = a.facts.evidence;
  s.seq = a.facts.seq;
  s.acknowledged_by = a.acknowledged_by;
  return s;
}

}  // namespace

void Monitor::fill_alerts(StatusReport& report) const {
  const ExchTime wall = wall_now();
  report.alerts.clear();
  for (const Alert& a : book_.open_alerts()) {
    if (report.alerts.size() == alerts_shown_max) break;
    report.alerts.push_back(shown(a, line_of(a), wall));
  }
  const std::size_t seen = std::min(acknowledged_shown_max, book_.acknowledged().size());
  for (auto a = book_.acknowledged().end() - static_cast<std::ptrdiff_t>(seen);
       a != book_.acknowledged().end(); ++a) {
    report.alerts.push_back(shown(*a, line_of(*a), wall));
  }
  const AlertCounters& c = book_.counters();
  report.alert_totals = {c.raised,
                         c.repeats,
                         c.acknowledged,
                         c.pauses,
                         c.write_failures,
                         c.slowest_ns,
                         bot_.snapshot_->engine.monitor_pause};
}

void Monitor::fill(StatusReport& report) {
  const RecvTime now = bot_.clock_.now();
  const HealthFacts facts = look(now);
  report.health = watch_.judge(facts);
  report.threads = watch_.threads(now);
  report.journal = facts.journal;
  report.refusals.clear();
  for (std::size_t r = 1; r < refusals; ++r) {
    report.refusals.push_back(
        {std::string{name_of(static_cast<Refusal>(r))}, bot_.snapshot_->engine.refused[r]});
  }
  fill_alerts(report);
}

std::string Desk::metrics_page() {
  std::vector<HopHistogram> times{{"tick_to_order", &bot_.hops_->tick_to_order()}};
  for (std::size_t h = 1; h < probe_hops; ++h) {
    const auto hop = static_cast<ProbeHop>(h);
    times.push_back({name_of(hop), &bot_.hops_->step_of(hop)});
  }
  return metrics_text(picture(), times);
}

std::uint64_t Desk::refused_requests() const noexcept { return server_->counters().refused; }

}  // namespace gimbal
