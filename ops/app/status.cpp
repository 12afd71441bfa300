#include "ops/app/status.hpp"

#include <algorithm>

#include "ops/app/json_writer.hpp"

namespace gimbal {
namespace {

void put(JsonWriter& w, const ScopeStatus& s) {
  w.begin_object().text("scope", s.scope).text("mode", s.mode).boolean("latched", s.latched);
  w.text("reason", s.reason).end_object();
}

void put(JsonWriter& w, const FeedStatusLine& f) {
  w.begin_object().text("account", f.account).boolean("connected", f.connected);
  w.integer("instruments_valid", f.instruments_valid)
      .integer("instruments_invalid", f.instruments_invalid);
  w.integer("frames", f.frames).integer("events", f.events).integer("gaps", f.gaps);
  w.integer("malformed", f.malformed)
      .integer("resyncs", f.resyncs)
      .integer("reconnects", f.reconnects);
  w.integer("newest_age_ns", f.newest_age_ns).end_object();
}

void put(JsonWriter& w, const GatewayStatusLine& g) {
  w.begin_object()
      .text("account", g.account)
      .text("environment", g.environment)
      .text("state", g.state);
  w.boolean("cancel_on_disconnect", g.cancel_on_disconnect).boolean("reconciled", g.reconciled);
  w.integer("reconcile_age_ns", g.reconcile_age_ns).integer("reconnects", g.reconnects);
  w.number("rate_credits", g.rate_credits).text("poller", g.poller).end_object();
}

void put(JsonWriter& w, const UnderlyingLine& u) {
  w.begin_object()
      .text("underlying", u.underlying)
      .number("index", u.index)
      .number("delta", u.delta);
  w.number("options_delta", u.options_delta).number("gamma", u.gamma).number("vega", u.vega);
  w.number("theta", u.theta).number("band", u.band).boolean("inside_band", u.inside_band);
  w.number("outside_band_worst_ms", u.outside_band_worst_ms).text("models", u.models);
  w.number("surface_age_s", u.surface_age_s).number("delta_shift", u.delta_shift).end_object();
}

void put(JsonWriter& w, const PositionLine& p) {
  w.begin_object()
      .text("account", p.account)
      .text("instrument", p.instrument)
      .decimal("amount", p.amount.nano);
  w.decimal("average", p.average.nano).decimal("mark", p.mark.nano).number("delta", p.delta);
  w.number("gamma", p.gamma).number("vega", p.vega).number("theta", p.theta);
  w.text("model", p.model).end_object();
}

void put(JsonWriter& w, const OrderLine& o) {
  w.begin_object()
      .text("order", o.order)
      .text("account", o.account)
      .text("instrument", o.instrument);
  w.text("side", o.side).decimal("price", o.price.nano).decimal("amount", o.amount.nano);
  w.decimal("filled", o.filled.nano)
      .text("state", o.state)
      .integer("age_ns", o.age_ns)
      .text("models", o.models)
      .text("from", o.from)
      .end_object();
}

void put(JsonWriter& w, const MarginStatus& m) {
  w.begin_object()
      .text("account", m.account)
      .text("currency", m.currency)
      .decimal("equity", m.equity.nano);
  w.decimal("balance", m.balance.nano).decimal("initial_margin", m.initial_margin.nano);
  w.decimal("maintenance_margin", m.maintenance_margin.nano)
      .decimal("available", m.available.nano)
      .end_object();
}

void put(JsonWriter& w, const LadderLine& l) {
  w.begin_object().text("account", l.account).text("underlying", l.underlying);
  w.text("currency", l.currency).text("state", l.state).boolean("usable", l.usable);
  w.boolean("mismatch", l.mismatch).boolean("stuck", l.stuck);
  w.text("model", l.model);
  w.number("balance", l.balance).number("maintenance", l.maintenance).number("health", l.health);
  w.number("health_own", l.health_own).number("health_venue", l.health_venue);
  w.number("sigmas", l.sigmas).number("below", l.below).number("above", l.above);
  w.integer("orders", l.orders)
      .integer("raised", l.raised)
      .integer("alarms", l.alarms)
      .end_object();
}

void put(JsonWriter& w, const ModuleLine& m) {
  w.begin_object().text("module", m.module).text("state", m.state);
  w.boolean("required", m.required).boolean("denies", m.denies);
  w.integer("instruments", m.instruments).integer("envelopes", m.envelopes);
  w.integer("invalid", m.invalid).integer("lost", m.lost).integer("ttl_ns", m.ttl_ns);
  w.integer("age_ns", m.age_ns).integer("behind", m.behind);
  w.text("trouble", m.trouble).end_object();
}

void put(JsonWriter& w, const LatencyStatus& l) {
  w.begin_object().text("hop", l.hop).integer("count", l.count).integer("p50_ns", l.p50_ns);
  w.integer("p90_ns", l.p90_ns).integer("p99_ns", l.p99_ns).integer("p999_ns", l.p999_ns);
  w.integer("max_ns", l.max_ns).integer("budget_ns", l.budget_ns).integer("over", l.over);
  w.text("verdict", l.verdict).end_object();
}

void put(JsonWriter& w, const ExecutionLine& e) {
  w.begin_object().text("of", e.of).integer("fills", e.fills).integer("unpriced", e.unpriced);
  w.decimal("traded_usd", e.traded.nano).decimal("shortfall_usd", e.shortfall.nano);
  w.decimal("delay_usd", e.delay.nano).decimal("theory_usd", e.theory.nano);
  w.decimal("fees_usd", e.fees.nano).decimal("after_1s_usd", e.after_1s.nano);
  w.decimal("after_60s_usd", e.after_60s.nano).end_object();
}

void put(JsonWriter& w, const CounterStatus& c) {
  w.begin_object().text("name", c.name).integer("value", c.value).end_object();
}

void put(JsonWriter& w, const RefusalStatus& r) {
  w.begin_object().text("reason", r.reason).integer("count", r.count).end_object();
}

void put(JsonWriter& w, const ThreadStatusLine& t) {
  w.begin_object().text("name", t.name).integer("beats", t.beats);
  w.integer("still_ns", t.still_ns).end_object();
}

void put(JsonWriter& w, const KillVenueProof& v) {
  w.begin_object().text("account", v.account).integer("live_before", v.live_before);
  w.integer("in_doubt_before", v.in_doubt_before).integer("cancels_sent", v.cancels_sent);
  w.integer("first_wire_ns", v.first_wire_ns)
      .integer("last_wire_ns", v.last_wire_ns)
      .integer("acked", v.acked);
  w.integer("still_open", v.still_open).integer("unknown", v.unknown).integer("escaped", v.escaped);
  w.text("dead_man", v.dead_man).end_object();
}

void put_day(JsonWriter& w, const DayStatus& d) {
  w.begin_object("day").text("began", d.began).text("carry", d.carry).boolean("held", d.held);
  w.number("carried_usd", d.carried_usd).integer("from_boot", d.from_boot);
  w.number("found_profit_usd", d.found_profit_usd).number("found_peak_usd", d.found_peak_usd);
  w.integer("kept_age_ns", d.kept_age_ns).integer("holdings_left_out", d.holdings_left_out);
  w.text("trouble", d.trouble).end_object();
}

void put_recovery(JsonWriter& w, const RecoveryStatus& r) {
  w.begin_object("recovery").integer("from_boot", r.from_boot).integer("snapshot", r.snapshot);
  w.integer("tail_events", r.tail_events).integer("gaps", r.gaps);
  w.integer("later_boots", r.later_boots).integer("orders", r.orders);
  w.integer("refused", r.refused).integer("left_out", r.left_out);
  w.text("trouble", r.trouble).text("keeping", r.keeping).end_object();
}

template <class Item>
void put_all(JsonWriter& w, std::string_view name, const std::vector<Item>& items) {
  w.begin_array(name);
  for (const auto& item : items) put(w, item);
  w.end_array();
}

void put_head(JsonWriter& w, const StatusReport& r) {
  w.text("build_hash", r.build_hash)
      .text("config_hash", r.config_hash)
      .integer("boot_epoch", r.boot_epoch);
  w.integer("pid", r.pid).integer("uptime_ns", r.uptime_ns).text("topology", r.topology);
  w.boolean("armed", r.armed).text("mode", r.mode);
  put_all(w, "scopes", r.scopes);
  w.boolean("guardian_alive", r.guardian_alive).boolean("guardian_waived", r.guardian_waived);
  w.text("guardian", r.guardian);
  w.integer("journal_seq", r.journal_seq).integer("orders_sent", r.orders_sent);
  w.integer("orders_filled", r.orders_filled).integer("orders_rejected", r.orders_rejected);
  w.integer("orders_open", r.orders_open).integer("orders_unknown", r.orders_unknown);
}

}  // namespace

bool KillProof::confirmed() const noexcept {
  return std::all_of(venues.begin(), venues.end(),
                     [](const KillVenueProof& v) { return v.still_open == 0; });
}

bool KillProof::resolved() const noexcept {
  return confirmed() && std::all_of(venues.begin(), venues.end(),
                                    [](const KillVenueProof& v) { return v.unknown == 0; });
}

std::string status_json(const StatusReport& r) {
  JsonWriter w;
  w.begin_object();
  put_head(w, r);
  put_flatten(w, r.flatten);
  put_all(w, "gateways", r.gateways);
  put_all(w, "feeds", r.feeds);
  put_all(w, "underlyings", r.underlyings);
  put_all(w, "positions", r.positions);
  put_all(w, "orders", r.orders);
  put_all(w, "margins", r.margins);
  put_all(w, "ladders", r.ladders);
  put_all(w, "modules", r.modules);
  put_all(w, "latencies", r.latencies);
  put_all(w, "execution", r.execution);
  put_all(w, "counters", r.counters);
  put_all(w, "refusals", r.refusals);
  put_all(w, "threads", r.threads);
  put_journal(w, r.journal);
  w.boolean("paused", r.alert_totals.paused);
  w.number("day_profit_usd", r.day_profit_usd).number("day_peak_usd", r.day_peak_usd);
  put_day(w, r.day);
  put_recovery(w, r.recovery);
  put_all(w, "alerts", r.alerts);
  put_health(w, r.health);
  return w.end_object().take();
}

std::string positions_json(const StatusReport& r) {
  JsonWriter w;
  w.begin_object();
  put_all(w, "positions", r.positions);
  put_all(w, "underlyings", r.underlyings);
  put_all(w, "margins", r.margins);
  return w.end_object().take();
}

std::string orders_json(const StatusReport& r) {
  JsonWriter w;
  w.begin_object();
  put_all(w, "orders", r.orders);
  return w.end_object().take();
}

std::string latency_json(const StatusReport& r) {
  JsonWriter w;
  w.begin_object();
  put_all(w, "latencies", r.latencies);
  return w.end_object().take();
}

std::string execution_json(const std::vector<ExecutionLine>& lines) {
  JsonWriter w;
  w.begin_array();
  for (const ExecutionLine& e : lines) put(w, e);
  return w.end_array().take();
}

std::string kill_json(const KillProof& p, bool done) {
  JsonWriter w;
  w.begin_object().integer("kill_id", p.kill_id).text("scope", p.scope).text("mode", p.mode);
  w.text("reason", p.reason).boolean("confirmed", p.confirmed()).boolean("resolved", p.resolved());
  w.boolean("done", done);
  w.begin_object("caller")
      .integer("uid", p.uid)
      .integer("gid", p.gid)
      .integer("pid", p.pid)
      .text("exe", p.exe);
  w.end_object()
      .integer("t_recv_unix_ns", p.t_recv_unix_ns)
      .integer("gate_closed_ns", p.gate_closed_ns)
      .integer("t_gate_closed_mono_ns", p.t_gate_closed_mono_ns);
  w.begin_array("in_flight_orders");
  for (const auto& order : p.in_flight_orders) w.text({}, order);
  w.end_array();
  put_all(w, "venues", p.venues);
  put_all(w, "positions", p.positions);
  put_all(w, "underlyings", p.underlyings);
  w.text("latch", p.latch).text("build_hash", p.build_hash).text("config_hash", p.config_hash);
  return w.end_object().take();
}

}  // namespace gimbal
