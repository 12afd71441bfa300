#include "ops/app/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

constexpr Nanos judge_interval = milliseconds(50);
constexpr Nanos escalate_interval = milliseconds(200);  // the core answers within a snapshot

const char* mode_name(Mode mode) {
  static constexpr const char* names[] = {"active", "reduce", "halt", "cancel", "lock"};
  return names[static_cast<std::size_t>(mode)];
}

// Which alert a check that fails is.
struct CheckTrip {
  std::string_view check;  // beginning of its name
  TripCode code;
};
constexpr CheckTrip check_trips[] = {
    {"thread ", TripCode::thread_stalled}, {"core", TripCode::thread_stalled},
    {"dead man", TripCode::dead_man},      {"guardian", TripCode::guardian_lost},
    {"journal", TripCode::journal_fault},  {"alert record", TripCode::disk_full},
};

}  // namespace

Monitor::Monitor(Bot& bot)
    : bot_{bot},
      book_{bot.loaded_->config.alerts},
      watch_{bot.loaded_->config.health},
      hops_{bot.loaded_->config.budget, *bot.hops_} {}

std::string Monitor::open() {
  const Config& config = bot_.loaded_->config;
  const std::string path = config.runtime.state_dir + "/alerts.jsonl";
  if (Outcome o = book_.open(path, bot_.clock_.now()); !o) return o.error();
  if (book_.counters().damaged_lines > 0) {
    bot_.say(
        fmt::format("{}: {} damaged lines were skipped", path, book_.counters().damaged_lines));
  }
  ListenAddress address;
  if (!parse_listen(config.metrics.listen, address)) return {};
  http_ = std::make_unique<HttpListener>([this](std::string_view asked) { return answer(asked); });
  if (Outcome o = http_->open(address); !o) return "[metrics] listen: " + o.error();
  bot_.say(fmt::format("metrics: http://{}:{}/metrics", address.host, http_->port()));
  return {};
}

void Monitor::raise(Trip trip, std::string_view text) {
  const RecvTime now = bot_.clock_.now();
  const TripRow& row = row_of(trip.code);
  AlertFacts facts;
  facts.code = row.name;
  facts.row = row.row;
  facts.owner = row.owner;
  facts.severity = trip.severity;
  facts.latched = trip.latched;
  facts.mode = mode_name(trip.mode);
  facts.scope = bot_.desk_->scope_text(trip.scope);
  facts.text = row.sentence;
  if (!text.empty()) facts.text += ": " + std::string{text};
  facts.limit = trip.limit;
  facts.actual = trip.actual;
  facts.evidence = trip.evidence;
  facts.seq = trip.seq;
  facts.at = trip.at.mono_ns > 0 ? trip.at : now;
  (void)book_.raise(facts, now, wall_now());
}

std::string Monitor::line_of(const Alert& a) const {
  return fmt::format("{} {} {} ({}): {}; limit {} actual {} evidence {}, {} times", a.facts.row,
                     a.facts.code, a.facts.scope, a.facts.owner, a.facts.text, a.facts.limit,
                     a.facts.actual, a.facts.evidence, a.count);
}

void Monitor::announce(RecvTime now) {
  for (const std::uint64_t id : book_.due_announcements(now)) {
    const Alert& a = *book_.find(id);
    bot_.say(fmt::format("ALERT {} {}{} {}; acknowledge: gimbalctl ack {}", id,
                         text_of(a.facts.severity), a.from_before ? " (before this start)" : "",
                         line_of(a), id));
  }
}

void Monitor::escalate(RecvTime now) {
  const bool wanted = book_.wants_pause(now);
  const bool shown = bot_.snapshot_->engine.monitor_pause;
  if (wanted == shown || now < escalate_due_) return;
  escalate_due_ = now + escalate_interval;
  bot_.desk_->pause_growth(wanted);
  if (wanted == paused_) return;  // told before; the picture is not here yet
  paused_ = wanted;
  book_.note_pause(wanted, wall_now());
  bot_.say(wanted ? "growth is paused: a critical alert was not acknowledged"
                  : "growth is no longer paused by alerts");
  if (!wanted) return;
  Trip t;
  t.code = TripCode::escalated;
  t.limit = book_.config().pause_after.count;
  const auto critical = [](const Alert& a) { return a.facts.severity == Severity::critical; };
  const auto& open = book_.open_alerts();
  if (const auto first = std::find_if(open.begin(), open.end(), critical); first != open.end()) {
    t.actual = (now - first->since).count;
    t.evidence = static_cast<std::int64_t>(first->id);
  }
  raise(t, "growth is paused");
}

HealthFacts Monitor::look(RecvTime now) const {
  const HotSnapshot& snap = *bot_.snapshot_;
  const Config& config = bot_.loaded_->config;
  HealthFacts f;
  f.now = now;
  for (const ThreadBeat& beat : bot_.beats_) {
    f.threads.push_back({beat.name, beat.cycles.load(std::memory_order_relaxed), true});
  }
  f.threads.push_back({"gimbal-connect", bot_.connects_->cycles(), false});
  f.threads.push_back({"gimbal-query", bot_.query_loop_->cycles(), false});
  f.pictures = bot_.snapshot_port_.box.writes();
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    const InstrumentId id = bot_.snapshot_port_.hedges[u];
    if (!id.valid()) continue;
    const HedgeData& d = snap.hedge_data[u];
    f.data.push_back({std::string{bot_.universe_.symbols().name(id)}, d.valid,
                      d.at.mono_ns > 0 ? now - d.at : Nanos{-1}});
  }
  const VenueStatus& v = snap.engine.venues[0];
  f.sessions.push_back({config.venues[0].account, v.gateway == GatewayState::ready,
                        config.engine.require_cancel_on_disconnect, v.cancel_on_disconnect,
                        v.reconciled});
  f.guardian_waived = !config.runtime.guardian_required;
  f.guardian_live = bot_.guardian_->live();
  f.guardian = bot_.guardian_->text();
  f.journal_given = snap.engine.seq;
  const JournalWriter& j = *bot_.journal_;
  f.journal = {j.written().value, j.durable().value, j.backlog(),
               j.bytes_written(), j.lost_records(),  j.failed() || j.degraded()};
  f.alert_record_error = book_.error();
  return f;
}

// A check that was met and is not any more is an alert.
void Monitor::compare(const HealthStatus& before) {
  for (const HealthLine& now : health_.checks) {
    if (now.ok) continue;
    const auto was = std::find_if(before.checks.begin(), before.checks.end(),
                                  [&](const HealthLine& l) { return l.check == now.check; });
    if (was == before.checks.end() || !was->ok) continue;
    for (const CheckTrip& c : check_trips) {
      if (now.check.compare(0, c.check.size(), c.check) != 0) continue;
      Trip t;
      t.code = c.code;
      t.severity = row_of(c.code).severity;
      raise(t, now.check + ": " + now.cause);
    }
  }
}

void Monitor::judge(RecvTime now) {
  const HealthStatus before = std::move(health_);
  health_ = watch_.judge(look(now));
  compare(before);
}

void Monitor::watch_counters() {
  if (const std::uint64_t seen = bot_.connects_->tls_refused(); seen > tls_refused_) {
    Trip t;
    t.code = TripCode::tls_refused;
    t.severity = Severity::critical;
    t.actual = static_cast<std::int64_t>(seen);
    tls_refused_ = seen;
    raise(t, "no connection is made; see the log");
  }
  if (const std::uint64_t seen = bot_.desk_->refused_requests(); seen > control_refused_) {
    Trip t;
    t.code = TripCode::control_refused;
    t.actual = static_cast<std::int64_t>(seen);
    control_refused_ = seen;
    raise(t);
  }
}

// R-04: no picture, no count and no look-up while it lasts, so no proof of a kill, no arm once the
// last picture is too old, and nothing new after twenty failed ones.
void Monitor::watch_lists() {
  const std::uint64_t seen = bot_.queries_->lists_unread();
  if (seen == lists_unread_) return;
  lists_unread_ = seen;
  Trip t;
  t.code = TripCode::orders_unread;
  t.severity = Severity::critical;
  t.limit = static_cast<std::int64_t>(VenueQueries::orders_max);
  t.actual = t.limit + 1;
  t.evidence = static_cast<std::int64_t>(seen);
  raise(t, "kill cancels them; no order is taken for gone");
}

// Q-01 and T-04 of the sessions.
void Monitor::watch_sessions() {
  if (const std::uint64_t seen = bot_.connects_->held_back(); seen > held_back_) {
    Trip t;
    t.code = TripCode::reconnect_storm;
    t.severity = Severity::critical;
    t.limit = bot_.loaded_->config.venues[0].reconnects_per_minute;
    t.actual = static_cast<std::int64_t>(seen);
    held_back_ = seen;
    raise(t);
  }
  if (const std::uint64_t seen = bot_.silences(); seen > silences_) {
    Trip t;
    t.code = TripCode::feed_stale;
    t.limit = bot_.loaded_->config.venues[0].data_silence_max.count;
    t.actual = static_cast<std::int64_t>(seen);
    silences_ = seen;
    raise(t, "heartbeats and no data: the connection is made again");
  }
}

void Monitor::watch_hops(RecvTime now) {
  Trip trip;
  std::string text;
  if (hops_.judge(now, trip, text)) raise(trip, text);
}

void Monitor::cycle(RecvTime now) {
  if (now >= judge_due_) {
    judge_due_ = now + judge_interval;
    judge(now);
    watch_counters();
    watch_lists();
    watch_sessions();
    watch_hops(now);
    escalate(now);
  }
  (void)book_.commit(bot_.clock_.now());
  announce(now);
  if (http_ != nullptr) (void)http_->poll_once();
}

void Monitor::finish() {
  book_.flush();
  if (!book_.commit(bot_.clock_.now())) bot_.say("alert record: " + book_.error());
}

ControlAnswer Monitor::ack(const OtherRequest& request) {
  std::string text;
  std::string remark;
  for (const auto& [key, value] : request.arguments) (key == "id" ? text : remark) = value;
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return refused_answer("ack needs id, the number of an alert");
  }
  const ControlPeer& peer = request.peer;
  const std::string who = fmt::format("uid {} pid {} {}", peer.uid, peer.pid, peer.exe);
  const Alert* alert = book_.find(id);
  const TripCode subject = alert != nullptr ? code_of(alert->facts.code) : TripCode::none;
  switch (book_.ack(id, who, remark, wall_now())) {
    case AlertBook::Ack::unknown: return refused_answer("there is no alert " + text);
    case AlertBook::Ack::already: return done_answer(R"({"acknowledged":0,"already":true})");
    case AlertBook::Ack::done: break;
  }
  bot_.say(fmt::format("alert {} acknowledged by {}", id, who));
  bot_.desk_->note_ack(id, subject, peer);
  if (!book_.commit(bot_.clock_.now())) bot_.say("alert record: " + book_.error());
  escalate_due_ = {};
  return done_answer(fmt::format(R"({{"acknowledged":{}}})", id));
}

HttpAnswer Monitor::answer(std::string_view path) {
  if (path == "/health") {
    return HttpAnswer{health_.ok ? 200 : 503, "application/json", health_json(health_) + "\n"};
  }
  if (path != "/metrics") return HttpAnswer{404, "text/plain", "/metrics and /health\n"};
  return HttpAnswer{200, "text/plain; version=0.0.4; charset=utf-8", bot_.desk_->metrics_page()};
}

}  // namespace gimbal
