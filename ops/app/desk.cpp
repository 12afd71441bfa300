#include "ops/app/desk.hpp"

#include <fmt/format.h>

#include "engine/core/payload.hpp"
#include "ops/app/hash.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/scope_names.hpp"

namespace gimbal {
namespace {

constexpr Nanos page_stop_window = seconds(2);

const char* mode_text(Mode m) {
  switch (m) {
    case Mode::active: return "active";
    case Mode::reduce: return "reduce";
    case Mode::halt: return "halt";
    case Mode::cancel: return "cancel";
    case Mode::lock: return "lock";
  }
  return "lock";
}

}  // namespace

Desk::Desk(Bot& bot) : bot_{bot} {}

std::string Desk::open() {
  ControlOptions options;
  options.path = bot_.loaded_->config.control_socket_path();
  options.policy = ControlPolicy::of_this_process();
  server_ = std::make_unique<ControlServer>(std::move(options), *this);
  Outcome o = server_->open();
  return o ? std::string{} : o.error();
}

std::string Desk::instrument_name(InstrumentId id) const {
  const std::string_view name = bot_.universe_.symbols().name(id);
  return name.empty() ? "instrument " + std::to_string(id.value) : std::string{name};
}

std::optional<std::uint16_t> Desk::resolve(ScopeLevel level, std::string_view name) {
  const Config& config = bot_.loaded_->config;
  switch (level) {
    case ScopeLevel::global: return std::uint16_t{0};
    case ScopeLevel::venue:
      return config.venues[0].name == name ? std::optional<std::uint16_t>{0} : std::nullopt;
    case ScopeLevel::account:
      return config.venues[0].account == name ? std::optional<std::uint16_t>{0} : std::nullopt;
    case ScopeLevel::strategy:
      for (std::size_t s = 0; s < Strategies::names.size(); ++s) {
        if (Strategies::names[s] == name) return static_cast<std::uint16_t>(s);
      }
      return std::nullopt;
    case ScopeLevel::underlying: {
      const UnderlyingId id = bot_.universe_.underlyings().find(name);
      return id.valid() ? std::optional<std::uint16_t>{id.value} : std::nullopt;
    }
    case ScopeLevel::instrument: {
      const InstrumentId id = bot_.universe_.symbols().find(name);
      return id.valid() ? std::optional<std::uint16_t>{id.value} : std::nullopt;
    }
  }
  return std::nullopt;
}

void Desk::send_command(OperatorAction action, std::uint64_t id, Scope scope, Mode mode,
                        OperatorSource source, const ControlPeer& peer) {
  OperatorCommand c;
  c.command_id = id;
  c.config_hash = bot_.loaded_->short_hash();
  c.scope = scope;
  c.action = action;
  c.mode = mode;
  c.source = source;
  c.uid = peer.uid;
  c.gid = peer.gid;
  c.pid = peer.pid;
  push_command(c);
}

bool Desk::try_push(const OperatorCommand& c) {
  Event head = make_event(EventKind::operator_command, bot_.venue_, InstrumentId{},
                          bot_.clock_.now(), {}, c);
  std::array<Event, parts_of<OperatorCommand>> unit;
  write_parts(head, c, unit.data());
  unit.back().add_flag(event_flag::last_in_packet);
  return bot_.from_control_.push_unit(unit.data(), unit.size());
}

void Desk::push_command(const OperatorCommand& command) {
  switch (unsent_.send(command, [this](const OperatorCommand& c) { return try_push(c); })) {
    case CommandFate::sent: return;
    case CommandFate::waits:
      return bot_.say(
          fmt::format("control ring full: command {} waits for room; a stop holds at the gate",
                      command.command_id));
    case CommandFate::dropped:
      return bot_.say(fmt::format("control ring full: command {} is dropped", command.command_id));
  }
}

void Desk::send_unsent() {
  unsent_.flush([this](const OperatorCommand& c) { return try_push(c); });
}

void Desk::latch(Scope scope, Mode mode, const ControlPeer& peer, const std::string& reason) {
  LatchEntry entry;
  entry.scope = scope;
  entry.mode = mode;
  entry.uid = peer.uid;
  entry.command_id = kill_ ? kill_->command : 0;
  entry.when = wall_now();
  entry.reason = reason;
  entry.name = bot_.scope_name(scope);
  if (Outcome o = bot_.latch_->tighten(entry); !o) {
    proof_.latch = "NOT DURABLE: " + o.error();
    bot_.say("latch: " + o.error());
    return;
  }
  proof_.latch = bot_.latch_->path() + " (durable)";
}

// Order of work: gate, core (which cancels at the venue), latch, print.
void Desk::begin_kill(Scope scope, Mode mode, OperatorSource source, const ControlPeer& peer,
                      const std::string& reason) {
  withdraw_arm(scope);
  PendingKill k;
  k.command = next_command_++;
  k.scope = scope;
  k.mode = mode;
  k.t_recv = bot_.clock_.now();
  bot_.orders().note_kill();
  const OrderSessionCounters& c = bot_.orders().counters();
  k.cancels_before = c.cancels.load() + c.mass_cancels.load();
  const CloseResult closed = bot_.closer_->close(scope, mode);
  k.t_closed = closed.t_gate_closed;
  kill_ = k;
  send_command(OperatorAction::kill, k.command, scope, mode, source, peer);

  proof_ = KillProof{};
  proof_.kill_id = k.command;
  proof_.scope = scope_text(scope);
  proof_.mode = mode_text(mode);
  proof_.reason = reason;
  proof_.uid = peer.uid;
  proof_.gid = peer.gid;
  proof_.pid = peer.pid;
  proof_.exe = peer.exe;
  proof_.t_recv_unix_ns = wall_now().unix_ns;
  proof_.t_gate_closed_mono_ns = closed.t_gate_closed.mono_ns;
  proof_.gate_closed_ns = (closed.t_gate_closed - k.t_recv).count;
  for (std::size_t i = 0; i < closed.in_flight; ++i) {
    proof_.in_flight_orders.push_back(fmt::format("{:016x}", closed.order[i].value));
  }
  proof_.build_hash = to_hex(build_hash());
  proof_.config_hash = bot_.loaded_->hash_hex();
  KillVenueProof venue;
  venue.account = bot_.loaded_->config.venues[0].account;
  venue.live_before = bot_.snapshot_->engine.open_orders - bot_.snapshot_->engine.unknown_orders;
  venue.in_doubt_before = bot_.snapshot_->engine.unknown_orders;
  venue.escaped = closed.in_flight;
  venue.still_open = venue.live_before;
  proof_.venues.push_back(venue);
  latch(scope, mode, peer, reason);
}

void Desk::stop_from(OperatorSource source, Scope scope, Mode mode, const std::string& reason) {
  bot_.refresh(false);
  begin_kill(scope, mode, source, ControlPeer{}, reason);
  kill_->from_page = source == OperatorSource::stop_page;
}

// gimbalctl writes the stop page first and asks second: one kill, one proof.
bool Desk::joins_page_stop(const KillRequest& request) const {
  return kill_ && kill_->from_page && kill_->scope == request.scope &&
         kill_->mode >= request.mode && bot_.clock_.now() - kill_->t_recv < page_stop_window;
}

ControlAnswer Desk::kill(const KillRequest& request) {
  bot_.refresh(false);
  kill_request_ = request.id;
  if (joins_page_stop(request)) {
    kill_->from_page = false;
    proof_.reason = request.reason;
    proof_.uid = request.peer.uid;
    proof_.gid = request.peer.gid;
    proof_.pid = request.peer.pid;
    proof_.exe = request.peer.exe;
    return ControlAnswer{AnswerState::pending, 0, {}};
  }
  begin_kill(request.scope, request.mode, OperatorSource::human, request.peer, request.reason);
  return ControlAnswer{AnswerState::pending, 0, {}};
}

// True when the core has carried the stop out as far as it can tell.
bool Desk::kill_settled(bool& counted, std::uint64_t& ours) {
  counted = false;
  ours = 0;
  if (!kill_) return true;
  const EngineStatus& s = bot_.snapshot_->engine;
  // In the order of the numbers: the answer to a later one says that this one was stepped.
  if (s.answer_to(OperatorAction::kill).command_id >= kill_->command) kill_->answered = true;
  if (!kill_->answered) return false;
  if (kill_->mode < Mode::cancel) return true;
  if (s.cancel_jobs > 0) return false;
  if (kill_->count_asked == 0) kill_->count_asked = bot_.query_loop_->ask_count();
  const QueryLoop::Count count = bot_.query_loop_->last_count();
  if (count.number < kill_->count_asked) return false;
  if (!count.ok) {
    kill_->count_asked = 0;  // ask again: silence proves nothing
    return false;
  }
  counted = true;
  const bool all =
      kill_->scope.level == ScopeLevel::global && bot_.loaded_->config.venues[0].own_account;
  ours = all ? count.open.all : count.open.ours;
  if (ours > 0) kill_->count_asked = 0;
  return true;
}

void Desk::fill_proof() {
  const EngineStatus& s = bot_.snapshot_->engine;
  const OrderSessionCounters& c = bot_.orders().counters();
  KillVenueProof& venue = proof_.venues[0];
  venue.cancels_sent = c.cancels.load() + c.mass_cancels.load() - kill_->cancels_before;
  const std::int64_t first = c.first_cancel_ns.load();
  venue.first_wire_ns = first == 0 ? -1 : first - kill_->t_closed.mono_ns;
  venue.last_wire_ns = first == 0 ? -1 : c.last_cancel_ns.load() - kill_->t_closed.mono_ns;
  venue.unknown = s.unknown_orders;
  venue.dead_man = s.venues[0].cancel_on_disconnect ? "cancel_on_disconnect on (verified)"
                                                    : "cancel_on_disconnect NOT verified";
  venue.acked = venue.live_before > venue.still_open ? venue.live_before - venue.still_open : 0;
  fill_status();
  proof_.positions = report_.positions;
  proof_.underlyings = report_.underlyings;
}

ControlAnswer Desk::kill_progress(bool deadline_passed) {
  bot_.refresh(false);
  bool counted = false;
  std::uint64_t ours = 0;
  const bool settled = kill_settled(counted, ours);
  KillVenueProof& venue = proof_.venues[0];
  if (counted) venue.still_open = ours;
  if (settled && kill_->mode < Mode::cancel)
    venue.still_open = 0;  // resting orders stay, by design
  fill_proof();
  if (!settled && !deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
  if (!settled) venue.still_open = std::max<std::uint64_t>(venue.still_open, 1);  // not proven
  if (settled && proof_.confirmed()) confirmed_command_ = kill_->command;
  const ControlAnswer answer = kill_answer(proof_, kill_->shown, deadline_passed);
  if (answer.state == AnswerState::partial) kill_->shown = true;
  return answer;
}

bool Desk::stop_confirmed() {
  bot_.refresh(false);
  if (!kill_) return false;
  if (confirmed_command_ == kill_->command) return true;
  bool counted = false;
  std::uint64_t ours = 0;
  if (!kill_settled(counted, ours)) return false;
  if (counted) proof_.venues[0].still_open = ours;
  fill_proof();
  if (!proof_.resolved()) return false;
  confirmed_command_ = kill_->command;
  return true;
}

ControlAnswer Desk::other(const OtherRequest& request) {
  switch (request.verb) {
    case ControlVerb::ack: return bot_.monitor_->ack(request);
    case ControlVerb::reload: return reload(request);
    default:
      return refused_answer("this verb is not supported by this version; nothing was changed");
  }
}

ControlAnswer Desk::progress(std::uint64_t request_id, bool deadline_passed) {
  if (kill_ && request_id == kill_request_) return kill_progress(deadline_passed);
  if (arm_ && request_id == arm_request_) return arm_progress(deadline_passed);
  if (flatten_ && request_id == flatten_request_) return flatten_progress(deadline_passed);
  if (reload_ && request_id == reload_request_) return reload_progress(deadline_passed);
  return refused_answer("superseded by a later command");
}

const StatusReport& Desk::picture() {
  fill_status();
  return report_;
}

void Desk::note_ack(std::uint64_t alert, TripCode subject, const ControlPeer& peer) {
  OperatorCommand c;
  c.command_id = next_command_++;
  c.config_hash = alert;
  c.action = OperatorAction::ack;
  c.subject = static_cast<std::uint32_t>(subject);
  c.mode = Mode::active;
  c.uid = peer.uid;
  c.gid = peer.gid;
  c.pid = peer.pid;
  push_command(c);
}

void Desk::pause_growth(bool pause) {
  send_command(pause ? OperatorAction::pause : OperatorAction::resume, next_command_++, Scope{},
               Mode::active, OperatorSource::monitor, ControlPeer{});
}

const StatusReport& Desk::status() {
  bot_.refresh(true);
  fill_status();
  return report_;
}

}  // namespace gimbal
