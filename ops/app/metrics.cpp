#include "ops/app/metrics.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "ops/app/metrics_text.hpp"

namespace gimbal {
namespace {

constexpr std::array<std::string_view, 5> modes{"active", "reduce", "halt", "cancel", "lock"};

double flag(bool b) { return b ? 1.0 : 0.0; }
// Seconds; NaN for "none yet".
double seconds_of(std::int64_t ns) {
  return ns < 0 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(ns) * 1e-9;
}
double whole(std::int64_t nano) { return static_cast<double>(nano) * 1e-9; }

double mode_number(std::string_view mode) {
  for (std::size_t i = 0; i < modes.size(); ++i) {
    if (modes[i] == mode) return static_cast<double>(i);
  }
  return static_cast<double>(modes.size() - 1);  // unknown: the strictest
}

void put_process(MetricsText& m, const StatusReport& s) {
  m.gauge("gimbal_build_info", "Always 1; the running build and config.");
  m.sample(1.0, {{"build", s.build_hash.substr(0, 16)},
                 {"config", s.config_hash.substr(0, 16)},
                 {"topology", s.topology}});
  m.gauge("gimbal_uptime_seconds", "Time since the start of the process.");
  m.sample(seconds_of(s.uptime_ns));
  m.gauge("gimbal_boot_epoch", "Boot epoch of the process.");
  m.sample(std::uint64_t{s.boot_epoch});
  m.gauge("gimbal_health", "1: the check is met. The check named \"all\" is all of them.");
  m.sample(flag(s.health.ok), {{"check", "all"}});
  for (const HealthLine& h : s.health.checks) m.sample(flag(h.ok), {{"check", h.check}});
  m.counter("gimbal_thread_cycles_total", "Cycles of each thread's loop.");
  for (const ThreadStatusLine& t : s.threads) m.sample(t.beats, {{"thread", t.name}});
  m.gauge("gimbal_thread_still_seconds", "Time since a cycle of the thread was seen.");
  for (const ThreadStatusLine& t : s.threads)
    m.sample(seconds_of(t.still_ns), {{"thread", t.name}});
}

void put_modes(MetricsText& m, const StatusReport& s) {
  m.gauge("gimbal_mode",
          "Mode of each scope that is not active, and of global: 0 active, 1 reduce, "
          "2 halt, 3 cancel, 4 lock.");
  m.sample(mode_number(s.mode), {{"scope", "global"}});
  for (const ScopeStatus& scope : s.scopes) {
    if (scope.scope != "global") m.sample(mode_number(scope.mode), {{"scope", scope.scope}});
  }
  m.gauge("gimbal_armed", "1: new orders are allowed.");
  m.sample(flag(s.armed));
  m.gauge("gimbal_paused", "1: growth is paused until a critical alert is acknowledged.");
  m.sample(flag(s.alert_totals.paused));
  m.gauge("gimbal_guardian_alive", "1: the guardian beats.");
  m.sample(flag(s.guardian_alive));
}

void put_alerts(MetricsText& m, const StatusReport& s) {
  m.gauge("gimbal_alerts_unacknowledged", "Alerts that nobody has acknowledged.");
  for (const std::string_view severity : {"info", "warning", "critical"}) {
    std::uint64_t open = 0;
    for (const AlertStatus& a : s.alerts) open += a.severity == severity && !a.acknowledged ? 1 : 0;
    m.sample(open, {{"severity", severity}});
  }
  m.gauge("gimbal_alert_open", "Trips counted by each unacknowledged alert.");
  for (const AlertStatus& a : s.alerts) {
    if (a.acknowledged) continue;
    m.sample(a.count, {{"code", a.code},
                       {"row", a.row},
                       {"severity", a.severity},
                       {"owner", a.owner},
                       {"scope", a.scope}});
  }
  const AlertTotals& t = s.alert_totals;
  m.counter("gimbal_alerts_total", "Alerts raised since start.");
  m.sample(t.raised);
  m.counter("gimbal_alert_repeats_total", "Trips that were counted into an alert that was open.");
  m.sample(t.repeats);
  m.counter("gimbal_alert_pauses_total", "Times that a missing acknowledgement paused growth.");
  m.sample(t.pauses);
  m.counter("gimbal_alert_write_failures_total", "Commits of the alert record that failed.");
  m.sample(t.write_failures);
  m.gauge("gimbal_alert_record_delay_max_seconds", "Longest time from a trip to its record.");
  m.sample(seconds_of(t.slowest_ns));
}

void put_orders(MetricsText& m, const StatusReport& s) {
  m.counter("gimbal_orders_total", "Orders by what became of them.");
  m.sample(s.orders_sent, {{"result", "sent"}});
  m.sample(s.orders_filled, {{"result", "filled"}});
  m.sample(s.orders_rejected, {{"result", "rejected"}});
  m.gauge("gimbal_orders_open", "Working orders, in doubt ones included.");
  m.sample(s.orders_open);
  m.gauge("gimbal_orders_unknown", "Orders whose fate is in doubt.");
  m.sample(s.orders_unknown);
  m.counter("gimbal_refusals_total", "Orders that the risk gate refused, by reason.");
  for (const RefusalStatus& r : s.refusals) m.sample(r.count, {{"reason", r.reason}});
  m.counter("gimbal_events_total", "Counters of the core and the order session, by name.");
  for (const CounterStatus& c : s.counters) m.sample(c.value, {{"name", c.name}});
}

void put_sessions(MetricsText& m, const StatusReport& s) {
  m.gauge("gimbal_session_ready", "1: the order session is ready.");
  for (const auto& g : s.gateways) m.sample(flag(g.state == "ready"), {{"account", g.account}});
  m.gauge("gimbal_dead_man_armed", "1: cancel-on-disconnect is proven on at the venue.");
  for (const auto& g : s.gateways) m.sample(flag(g.cancel_on_disconnect), {{"account", g.account}});
  m.gauge("gimbal_reconciled", "1: the venue's picture and ours agreed.");
  for (const auto& g : s.gateways) m.sample(flag(g.reconciled), {{"account", g.account}});
  m.counter("gimbal_session_reconnects_total", "Connections of the order session after the first.");
  for (const auto& g : s.gateways) m.sample(g.reconnects, {{"account", g.account}});
  m.gauge("gimbal_rate_credits", "Order requests that may be sent now.");
  for (const auto& g : s.gateways) m.sample(g.rate_credits, {{"account", g.account}});
}

void put_feeds(MetricsText& m, const StatusReport& s) {
  const auto each = [&m, &s](auto member) {
    for (const FeedStatusLine& f : s.feeds) m.sample(f.*member, {{"account", f.account}});
  };
  m.gauge("gimbal_feed_instruments_valid", "Instruments with a valid book.");
  each(&FeedStatusLine::instruments_valid);
  m.gauge("gimbal_feed_instruments_invalid", "Instruments whose book is not to be trusted.");
  each(&FeedStatusLine::instruments_invalid);
  m.gauge("gimbal_feed_data_age_seconds", "Age of the newest data of the feed.");
  for (const FeedStatusLine& f : s.feeds)
    m.sample(seconds_of(f.newest_age_ns), {{"account", f.account}});
  m.counter("gimbal_feed_frames_total", "Frames read.");
  each(&FeedStatusLine::frames);
  m.counter("gimbal_feed_events_total", "Events made of frames.");
  each(&FeedStatusLine::events);
  m.counter("gimbal_feed_gaps_total", "Breaks of a book's sequence.");
  each(&FeedStatusLine::gaps);
  m.counter("gimbal_feed_malformed_total", "Frames that were not understood.");
  each(&FeedStatusLine::malformed);
  m.counter("gimbal_feed_resyncs_total", "Snapshots asked for after trouble.");
  each(&FeedStatusLine::resyncs);
  m.counter("gimbal_feed_reconnects_total", "Connections of the feed after the first.");
  each(&FeedStatusLine::reconnects);
}

void put_book(MetricsText& m, const StatusReport& s) {
  const auto each = [&m, &s](double UnderlyingLine::*member) {
    for (const UnderlyingLine& u : s.underlyings)
      m.sample(u.*member, {{"underlying", u.underlying}});
  };
  m.gauge("gimbal_index_price", "Index of the coin.");
  each(&UnderlyingLine::index);
  m.gauge("gimbal_delta_coins", "Residual delta, hedge included.");
  each(&UnderlyingLine::delta);
  m.gauge("gimbal_delta_band_coins", "Present half width of the band.");
  each(&UnderlyingLine::band);
  m.gauge("gimbal_gamma", "Gamma of the book, coins per unit of price.");
  each(&UnderlyingLine::gamma);
  m.gauge("gimbal_vega", "Vega of the book.");
  each(&UnderlyingLine::vega);
  m.gauge("gimbal_theta", "Theta of the book.");
  each(&UnderlyingLine::theta);
  m.gauge("gimbal_inside_band", "1: the residual delta is inside the band.");
  for (const UnderlyingLine& u : s.underlyings)
    m.sample(flag(u.inside_band), {{"underlying", u.underlying}});
  const auto margin = [&m, &s](Money MarginStatus::*member) {
    for (const MarginStatus& g : s.margins)
      m.sample(whole((g.*member).nano), {{"account", g.account}, {"currency", g.currency}});
  };
  m.gauge("gimbal_equity", "Equity of the account, in the currency of the label.");
  margin(&MarginStatus::equity);
  m.gauge("gimbal_initial_margin", "Initial margin.");
  margin(&MarginStatus::initial_margin);
  m.gauge("gimbal_maintenance_margin", "Maintenance margin.");
  margin(&MarginStatus::maintenance_margin);
}

// Margin accounts that have a ladder; nothing is written without one.
void put_ladders(MetricsText& m, const StatusReport& s) {
  if (s.ladders.empty()) return;
  const auto each = [&m, &s](double LadderLine::*member) {
    for (const LadderLine& l : s.ladders)
      m.sample(l.*member, {{"underlying", l.underlying}, {"currency", l.currency}});
  };
  m.gauge("gimbal_margin_state", "0 green, 1 amber, 2 red, 3 black, -1 not armed.");
  for (const LadderLine& l : s.ladders) {
    const double state = l.state == "green"   ? 0
                         : l.state == "amber" ? 1
                         : l.state == "red"   ? 2
                         : l.state == "black" ? 3
                                              : -1;
    m.sample(state, {{"underlying", l.underlying}, {"currency", l.currency}});
  }
  m.gauge("gimbal_margin_health",
          "Maintenance margin over margin balance, worse of own and venue.");
  each(&LadderLine::health);
  m.gauge("gimbal_margin_health_own", "The same by own arithmetic.");
  each(&LadderLine::health_own);
  m.gauge("gimbal_liquidation_sigmas", "Distance to liquidation in standard deviations.");
  each(&LadderLine::sigmas);
  m.gauge("gimbal_margin_usable", "1: own numbers are complete and fresh.");
  for (const LadderLine& l : s.ladders)
    m.sample(flag(l.usable), {{"underlying", l.underlying}, {"currency", l.currency}});
  m.counter("gimbal_reducing_orders_total", "Orders of the liquidation ladder.");
  for (const LadderLine& l : s.ladders)
    m.sample(l.orders, {{"underlying", l.underlying}, {"currency", l.currency}});
}

void put_modules(MetricsText& m, const StatusReport& s) {
  if (s.modules.empty()) return;
  m.gauge("gimbal_module_live", "1: the risk module's newest envelope is valid and in time.");
  for (const ModuleLine& l : s.modules) m.sample(flag(l.state == "live"), {{"module", l.module}});
  m.counter("gimbal_module_envelopes_total", "Envelopes taken.");
  for (const ModuleLine& l : s.modules) m.sample(l.envelopes, {{"module", l.module}});
  m.counter("gimbal_module_invalid_total", "Envelopes refused.");
  for (const ModuleLine& l : s.modules) m.sample(l.invalid, {{"module", l.module}});
}

void put_journal(MetricsText& m, const StatusReport& s) {
  const JournalStatusLine& j = s.journal;
  m.gauge("gimbal_journal_sequence", "Newest sequence number, by how far it has come.");
  m.sample(j.written, {{"stage", "written"}});
  m.sample(j.durable, {{"stage", "durable"}});
  m.gauge("gimbal_journal_backlog_records", "Records that wait for the writer.");
  m.sample(j.backlog);
  m.counter("gimbal_journal_bytes_total", "Bytes written.");
  m.sample(j.bytes);
  m.counter("gimbal_journal_lost_total", "Records that could not be journalled.");
  m.sample(j.lost);
  m.gauge("gimbal_journal_failed", "1: the writer has failed; the gate is closed.");
  m.sample(flag(j.failed));
}

// Hops without a budget have no samples.
void put_budgets(MetricsText& m, const StatusReport& s) {
  const auto each = [&m, &s](auto value) {
    for (const LatencyStatus& l : s.latencies) {
      if (l.budget_ns > 0) m.sample(value(l), {{"hop", l.hop}});
    }
  };
  m.gauge("gimbal_hop_budget_seconds", "Budget of the hop; tick_to_order is the whole way.");
  each([](const LatencyStatus& l) { return seconds_of(l.budget_ns); });
  m.counter("gimbal_hop_over_budget_total", "Times that the hop took longer than its budget.");
  each([](const LatencyStatus& l) { return l.over; });
  m.gauge("gimbal_hop_within_budget", "0: the p99 of the last window was over the budget.");
  each([](const LatencyStatus& l) { return flag(l.verdict != "over"); });
}

}  // namespace

std::string metrics_text(const StatusReport& status, const std::vector<HopHistogram>& times) {
  MetricsText m;
  put_process(m, status);
  put_modes(m, status);
  put_alerts(m, status);
  put_orders(m, status);
  put_sessions(m, status);
  put_feeds(m, status);
  put_book(m, status);
  put_ladders(m, status);
  put_modules(m, status);
  put_journal(m, status);
  m.histogram("gimbal_hop_seconds",
              "Time of each hop since the one before it; tick_to_order is the whole way.");
  for (const HopHistogram& h : times) m.sample(*h.nanoseconds, {{"hop", h.hop}});
  put_budgets(m, status);
  return m.take();
}

}  // namespace gimbal
