// Turns the core's snapshot and the sessions' counters into the status report. Room: ops/app. Cold.
#include <fmt/format.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "ops/app/desk.hpp"
#include "ops/app/execution_lines.hpp"
#include "ops/app/hash.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/vol_models.hpp"

namespace gimbal {
namespace {

const char* text(OrderState s) {
  switch (s) {
    case OrderState::pending_new: return "sent";
    case OrderState::live: return "working";
    case OrderState::pending_cancel: return "cancelling";
    case OrderState::pending_replace: return "replacing";
    case OrderState::unknown: return "unknown";
    case OrderState::filled: return "filled";
    case OrderState::cancelled: return "cancelled";
    case OrderState::rejected: return "rejected";
  }
  return "unknown";
}

const char* text(GatewayState s) {
  switch (s) {
    case GatewayState::down: return "down";
    case GatewayState::connecting: return "connecting";
    case GatewayState::authenticated: return "authenticated";
    case GatewayState::ready: return "ready";
  }
  return "down";
}

const char* text(Mode m) {
  switch (m) {
    case Mode::active: return "active";
    case Mode::reduce: return "reduce";
    case Mode::halt: return "halt";
    case Mode::cancel: return "cancel";
    case Mode::lock: return "lock";
  }
  return "lock";
}

// As the latch has it, which the guardian writes too; empty: it was not latched.
std::string reason_of(const std::vector<LatchEntry>& latched, Scope scope) {
  for (const LatchEntry& e : latched) {
    if (e.scope == scope) return e.reason;
  }
  return {};
}

// The journal's trouble stands in front for as long as it holds, whoever stopped the scope since.
std::string with_trouble(const std::string& trouble, const std::string& reason) {
  if (trouble.empty() || reason.empty() || reason == trouble) {
    return trouble.empty() ? reason : trouble;
  }
  return trouble + "; " + reason;
}

LatencyStatus latency(const std::string& hop, const Histogram& h, const HopBudget& budget,
                      HopVerdict verdict) {
  return LatencyStatus{hop,
                       h.count(),
                       static_cast<std::int64_t>(h.p50()),
                       static_cast<std::int64_t>(h.p90()),
                       static_cast<std::int64_t>(h.p99()),
                       static_cast<std::int64_t>(h.p999()),
                       static_cast<std::int64_t>(h.max()),
                       static_cast<std::int64_t>(budget.limit_ns),
                       budget.over,
                       std::string{name_of(verdict)}};
}

// What the core counted, under the names that `status` shows.
template <class Put>
void core_counters(const EngineStatus& s, Put&& put) {
  put("events", s.counters.events);
  put("commands", s.counters.commands);
  put("approved", s.approved);
  put("fills", s.counters.fills);
  put("duplicate_fills", s.counters.duplicate_fills);
  put("foreign_fills", s.counters.foreign_fills);
  put("reconciles", s.counters.reconciles);
  put("positions_corrected", s.counters.positions_corrected);
  put("books_invalidated", s.counters.books_invalidated);
  put("delta_alarms", s.counters.delta_alarms);
  put("cash_ties", s.counters.cash_ties);
  put("cash_alarms", s.counters.cash_alarms);
  put("drift_alarms", s.counters.drift_alarms);
  put("stale_data", s.counters.stale);
  put("sequence_gaps", s.counters.gaps);
  put("crossed_books", s.counters.crossed);
  put("outlier_prices", s.counters.outliers);
  put("receive_lags", s.counters.lags);
  put("late_ticks", s.counters.late_ticks);
  put("clock_pauses", s.counters.clock_pauses);
  put("unknown_fields", s.counters.unknown_fields);
  put("modules_lost", s.counters.modules_lost);
  put("surfaces_adopted", s.counters.surfaces_adopted);
  put("surface_blocks_refused", s.counters.surfaces_refused);
  put("surface_fits_refused", s.counters.surface_fits_refused);
  put("scenario_rows_asked", s.counters.scenario_rows_asked);
  put("scenario_rows_taken", s.counters.scenario_rows_taken);
  put("scenario_rows_late", s.counters.scenario_rows_late);
  put("scenario_rows_refused", s.counters.scenario_rows_refused);
}

}  // namespace

std::string Desk::scope_text(Scope s) const {
  switch (s.level) {
    case ScopeLevel::global: return "global";
    case ScopeLevel::venue: {
      const std::vector<VenueConfig>& venues = bot_.loaded_->config.venues;
      return "venue:" + (s.id < venues.size() ? venues[s.id].name : std::to_string(s.id));
    }
    case ScopeLevel::account: return "account:" + bot_.loaded_->config.venues[0].account;
    case ScopeLevel::strategy:
      return "strategy:" + (s.id < Strategies::names.size() ? std::string{Strategies::names[s.id]}
                                                            : std::to_string(s.id));
    case ScopeLevel::underlying:
      return "underlying:" + std::string{bot_.universe_.underlyings().name(
                                 UnderlyingId{static_cast<std::uint8_t>(s.id)})};
    case ScopeLevel::instrument: return "instrument:" + instrument_name(InstrumentId{s.id});
  }
  return "unknown";
}

void Desk::fill_scopes() {
  report_.scopes.clear();
  std::optional<LatchState> latch;  // read when something is stopped
  for (std::size_t l = 0; l < scope_levels; ++l) {
    const auto level = static_cast<ScopeLevel>(l);
    for (std::size_t id = 0; id < scope_count(level); ++id) {
      const Scope s{level, static_cast<std::uint16_t>(id)};
      const Mode page = stricter(bot_.gate_.at(s), bot_.stop_page_.at(s));
      if (page == Mode::active) continue;
      if (!latch) latch = bot_.latch_->load();
      std::string why = reason_of(latch->entries, s);
      if (level == ScopeLevel::global) why = with_trouble(bot_.journal_trouble_, why);
      report_.scopes.push_back(ScopeStatus{scope_text(s), text(page), true, std::move(why)});
    }
  }
  const Mode page = stricter(bot_.gate_.at(Scope{}), bot_.stop_page_.at(Scope{}));
  const Mode global = stricter(page, bot_.snapshot_->engine.global);
  report_.mode = text(global);
  report_.armed = global == Mode::active;
}

void Desk::fill_venues() {
  const EngineStatus& s = bot_.snapshot_->engine;
  const VenueConfig& venue = bot_.loaded_->config.venues[0];
  const VenueStatus& v = s.venues[0];
  GatewayStatusLine line;
  line.account = venue.account;
  line.environment = venue.environment == Environment::sim    ? "sim"
                     : venue.environment == Environment::test ? "test"
                                                              : "live";
  line.state = text(v.gateway);
  line.cancel_on_disconnect = v.cancel_on_disconnect;
  line.reconciled = v.reconciled;
  line.reconcile_age_ns = v.reconciled ? (s.now - v.reconciled_at).count : -1;
  const std::uint64_t connected = bot_.orders().session().port().connected.load();
  line.reconnects = connected > 0 ? connected - 1 : 0;
  line.poller = std::string{name_of(bot_.poller_choice_.kind)} + ": " + bot_.poller_choice_.reason;
  report_.gateways = {line};
  const deribit::FeedCounters c = bot_.feed_counters();
  FeedStatusLine feed;
  feed.account = venue.account;
  feed.connected = bot_.snapshot_->books_valid > 0;
  feed.instruments_valid = bot_.snapshot_->books_valid;
  feed.instruments_invalid = bot_.snapshot_->books_invalid;
  feed.newest_age_ns = bot_.snapshot_->newest_data_age.count;
  feed.frames = c.frames;
  feed.events = c.events;
  feed.gaps = c.gaps;
  feed.malformed = c.malformed;
  feed.resyncs = c.resyncs;
  report_.feeds = {feed};
}

void Desk::fill_books() {
  const HotSnapshot& snap = *bot_.snapshot_;
  const EngineStatus& s = snap.engine;
  report_.underlyings.clear();
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    const auto& from = s.underlyings[u];
    if (!from.used) continue;
    UnderlyingLine line;
    line.underlying =
        std::string{bot_.universe_.underlyings().name(UnderlyingId{static_cast<std::uint8_t>(u)})};
    line.index = to_double(from.index);
    line.delta = from.residual;
    line.options_delta = from.delta_bs;
    line.gamma = from.gamma;
    line.vega = from.vega;
    line.theta = from.theta;
    line.band = snap.hedge[u].band;
    line.inside_band = !snap.hedge[u].outside;
    line.models = models_text(from.models);
    line.surface_age_s = from.surface_age_s;
    line.delta_shift = snap.hedge[u].shift;
    line.outside_band_worst_ms = static_cast<double>(snap.hedge[u].outside_longest.count) * 1e-6;
    report_.underlyings.push_back(line);
  }
  report_.positions.clear();
  for (std::size_t i = 0; i < s.positions_shown; ++i) {
    PositionLine line;
    line.account = bot_.loaded_->config.venues[0].account;
    line.instrument = instrument_name(s.position[i].instrument);
    line.amount = s.position[i].amount;
    line.mark = s.position[i].mark;
    line.delta = s.position[i].delta_net;
    line.model = std::string{quant::to_string(s.position[i].model)};
    report_.positions.push_back(line);
  }
  report_.orders.clear();
  for (std::size_t i = 0; i < s.orders_shown; ++i) {
    const auto& o = s.order[i];
    report_.orders.push_back(OrderLine{
        fmt::format("{:016x}", o.id.value), bot_.loaded_->config.venues[0].account,
        instrument_name(o.instrument), o.side == Side::buy ? "buy" : "sell", o.price, o.amount,
        o.filled, text(o.state), (s.now - o.created).count, models_text(o.models),
        !o.adopted   ? "this boot"
        : !o.carried ? "venue"
                     : fmt::format("journal of boot {}", o.id.epoch())});
  }
  report_.margins.clear();
  for (const MarginReport& m : snap.margin) {
    if (m.settlement.text().empty()) continue;
    report_.margins.push_back(MarginStatus{bot_.loaded_->config.venues[0].account,
                                           std::string{m.settlement.text()}, m.equity, m.balance,
                                           m.initial_margin, m.maintenance_margin, m.available});
  }
}

void Desk::fill_ladders() {
  constexpr std::array<const char*, 4> names{"green", "amber", "red", "black"};
  const HotSnapshot& snap = *bot_.snapshot_;
  report_.ladders.clear();
  for (const LiquidationState& from : snap.ladder) {
    if (!from.used) continue;
    const bool asleep = snap.engine.global >= Mode::halt;
    LadderLine line;
    line.account = bot_.loaded_->config.venues[0].account;
    line.underlying = std::string{bot_.universe_.underlyings().name(from.underlying)};
    line.currency = std::string{from.settlement.text()};
    line.state = asleep ? "asleep" : names[static_cast<std::size_t>(from.state)];
    line.usable = from.usable && !asleep;
    line.mismatch = from.mismatch;
    line.stuck = from.stuck;
    line.raised = from.raised;
    line.model = from.model == LadderMargin::portfolio        ? "portfolio"
                 : from.configured == LadderMargin::portfolio ? "standard, portfolio unknown"
                                                              : "standard";
    if (from.told != AccountMargin::unknown && from.told != venue_model(from.configured)) {
      line.model += from.told == AccountMargin::portfolio ? ", the venue's is portfolio"
                                                          : ", the venue's is standard";
    }
    line.balance = from.equity;
    line.maintenance = from.maintenance;
    line.health = from.health;
    line.health_own = from.health_own;
    line.health_venue = from.health_venue;
    line.sigmas = from.sigmas;
    line.below = from.below;
    line.above = from.above;
    line.orders = from.orders;
    line.alarms = from.alarms;
    report_.ladders.push_back(std::move(line));
  }
}

void Desk::fill_latency() {
  report_.latencies.clear();
  const HopTimes& times = *bot_.hops_;
  const auto verdict = [this](std::size_t hop) {
    return bot_.monitor_ != nullptr ? bot_.monitor_->hops().verdict(hop) : HopVerdict::none;
  };
  report_.latencies.push_back(latency("tick_to_order", times.tick_to_order(),
                                      times.budget_of(ProbeHop::receive),
                                      verdict(HopBudgets::whole_way)));
  for (std::size_t h = 1; h < probe_hops; ++h) {
    const auto hop = static_cast<ProbeHop>(h);
    report_.latencies.push_back(
        latency(std::string{name_of(hop)}, times.step_of(hop), times.budget_of(hop), verdict(h)));
  }
}

void Desk::fill_execution() {
  const EngineStatus& s = bot_.snapshot_->engine;
  report_.execution = execution_lines(s.strategy_gaps, s.venue_gaps, bot_.loaded_->config.venues);
}

void Desk::fill_status() {
  const EngineStatus& s = bot_.snapshot_->engine;
  report_.build_hash = to_hex(build_hash());
  report_.config_hash = bot_.loaded_->hash_hex();
  report_.boot_epoch = bot_.epoch_;
  report_.pid = static_cast<std::uint32_t>(::getpid());
  report_.uptime_ns = (bot_.clock_.now() - bot_.started_).count;
  report_.topology = bot_.fused_ != nullptr ? "fused" : "pipelined";
  report_.guardian_alive = bot_.guardian_->live();
  report_.guardian_waived = !bot_.loaded_->config.runtime.guardian_required;
  report_.guardian = bot_.guardian_->text();
  report_.journal_seq = bot_.journal_->written().value;
  const OrderSessionCounters& c = bot_.orders().counters();
  report_.orders_sent = c.placed.load();
  report_.orders_filled = s.orders.filled;
  report_.orders_rejected = s.orders.rejected;
  report_.orders_open = s.open_orders;
  report_.orders_unknown = s.unknown_orders;
  fill_scopes();
  fill_venues();
  fill_books();
  fill_ladders();
  fill_latency();
  report_.day_profit_usd = to_double(s.day_profit_usd);
  report_.day_peak_usd = to_double(s.day_peak_usd);
  report_.day = day_status();
  report_.recovery = recovery_status();
  fill_flatten();
  fill_execution();
  fill_modules();
  report_.counters.clear();
  const auto put = [this](const char* name, std::uint64_t v) {
    report_.counters.push_back(CounterStatus{name, v});
  };
  core_counters(s, put);
  put("replaced", c.replaced.load());
  put("cancels", c.cancels.load());
  put("mass_cancels", c.mass_cancels.load());
  put("last_gate", c.last_gate.load());
  put("stale_approvals", c.stale.load());
  put("unlisted_refusals", c.unlisted.load());
  put("guardian_fires", bot_.guardian_->status().fires);
  put("local_refusals", c.refused.load());
  put("sequencer_faults", bot_.faults());
  put("journal_lost", bot_.journal_->lost_records());
  put("silent_feeds", bot_.silences());
  put("tickers_conflated", bot_.feed_stage_ == nullptr ? 0 : bot_.feed_stage_->tickers_replaced());
  put("reconnects_held_back", bot_.connects_->held_back());
  const ListingCounters& l = bot_.listings_.counters();
  put("instruments", bot_.universe_.table().size());
  put("instrument_refreshes", l.refreshes);
  put("instruments_listed", l.listed);
  put("instruments_redefined", l.redefined);
  put("instruments_closed", l.closed);
  put("instruments_settled", l.settled);
  put("instruments_over_budget", l.over_budget);
  put("hot_allocations", bot_.hot_allocations_.load());
  bot_.show_surface(report_.counters);
  bot_.show_scenarios(report_.counters);
  if (bot_.rehearsal_ != nullptr) {
    const RehearsalCounters& r = bot_.rehearsal_->counters();
    put("rehearsals", r.finished.load());
    put("rehearsals_missed", r.missed.load());
    put("rehearsing", r.running.load() ? 1 : 0);
  }
  if (bot_.monitor_ != nullptr) bot_.monitor_->fill(report_);
}

}  // namespace gimbal
