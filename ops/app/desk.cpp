#include "ops/app/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

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

LatchEntry Desk::latch_entry(Scope scope, Mode mode, std::uint64_t command, const ControlPeer& peer,
                             const std::string& reason) const {
  LatchEntry entry;
  entry.scope = scope;
  entry.mode = mode;
  entry.uid = peer.uid;
  entry.command_id = command;
  entry.when = wall_now();
  entry.reason = reason;
  entry.name = bot_.scope_name(scope);
  return entry;
}

std::string Desk::latch(const LatchEntry& entry) {
  if (Outcome o = bot_.latch_->tighten(entry); !o) {
    bot_.say("latch: " + o.error());
    return "NOT DURABLE: " + o.error();
  }
  return bot_.latch_->path() + " (durable)";
}

// Order of work: gate, core (which cancels at the venue), latch, print.
Desk::Stop Desk::begin_kill(Scope scope, Mode mode, OperatorSource source, const ControlPeer& peer,
                            const std::string& reason) {
  withdraw_arm(scope);
  Stop k;
  k.command = next_command_++;
  k.scope = scope;
  k.mode = mode;
  k.t_recv = bot_.clock_.now();
  bot_.orders().note_kill();
  const OrderSessionCounters& c = bot_.orders().counters();
  k.cancels_before = c.cancels.load() + c.mass_cancels.load();
  const CloseResult closed = bot_.closer_->close(scope, mode);
  k.t_closed = closed.t_gate_closed;
  last_stop_ = k.command;
  send_command(OperatorAction::kill, k.command, scope, mode, source, peer);
  k.proof = first_proof(k, closed, peer, reason);
  k.proof.latch = latch(latch_entry(scope, mode, k.command, peer, reason));
  return k;
}

KillProof Desk::first_proof(const Stop& stop, const CloseResult& closed, const ControlPeer& peer,
                            const std::string& reason) {
  KillProof proof;
  proof.kill_id = stop.command;
  proof.scope = scope_text(stop.scope);
  proof.mode = mode_text(stop.mode);
  proof.reason = reason;
  proof.uid = peer.uid;
  proof.gid = peer.gid;
  proof.pid = peer.pid;
  proof.exe = peer.exe;
  proof.t_recv_unix_ns = wall_now().unix_ns;
  proof.t_gate_closed_mono_ns = closed.t_gate_closed.mono_ns;
  proof.gate_closed_ns = (closed.t_gate_closed - stop.t_recv).count;
  for (std::size_t i = 0; i < closed.in_flight; ++i) {
    proof.in_flight_orders.push_back(fmt::format("{:016x}", closed.order[i].value));
  }
  proof.build_hash = to_hex(build_hash());
  proof.config_hash = bot_.loaded_->hash_hex();
  KillVenueProof venue;
  venue.account = bot_.loaded_->config.venues[0].account;
  venue.live_before = bot_.snapshot_->engine.open_orders - bot_.snapshot_->engine.unknown_orders;
  venue.in_doubt_before = bot_.snapshot_->engine.unknown_orders;
  venue.escaped = closed.in_flight;
  venue.still_open = venue.live_before;
  proof.venues.push_back(venue);
  return proof;
}

void Desk::stop_from(OperatorSource source, Scope scope, Mode mode, const std::string& reason) {
  bot_.refresh(false);
  Stop stop = begin_kill(scope, mode, source, ControlPeer{}, reason);
  if (source == OperatorSource::stop_page)
    page_stop_ = std::move(stop);
  else if (source == OperatorSource::signal)
    leaving_ = std::move(stop);
}

// gimbalctl writes the stop page first and asks second: one kill, one proof.
bool Desk::joins_page_stop(const KillRequest& request) const {
  return page_stop_ && page_stop_->scope == request.scope && page_stop_->mode >= request.mode &&
         bot_.clock_.now() - page_stop_->t_recv < page_stop_window;
}

void Desk::join_page_stop(const KillRequest& request) {
  asked_.push_back(std::move(*page_stop_));
  page_stop_.reset();
  Stop& stop = asked_.back();
  stop.proof.reason = request.reason;
  stop.proof.uid = request.peer.uid;
  stop.proof.gid = request.peer.gid;
  stop.proof.pid = request.peer.pid;
  stop.proof.exe = request.peer.exe;
  const Outcome told = bot_.latch_->attribute(
      latch_entry(stop.scope, stop.mode, stop.command, request.peer, request.reason));
  if (!told) bot_.say("latch: holds, without its reason: " + told.error());
}

ControlAnswer Desk::kill(const KillRequest& request) {
  bot_.refresh(false);
  if (joins_page_stop(request)) {
    join_page_stop(request);
  } else {
    asked_.push_back(begin_kill(request.scope, request.mode, OperatorSource::human, request.peer,
                                request.reason));
  }
  asked_.back().request = request.id;
  // An operator who went away asks no more; the stop itself goes on.
  if (asked_.size() > asked_max) asked_.pop_front();
  return ControlAnswer{AnswerState::pending, 0, {}};
}

// True when the core has carried the stop out as far as it can tell; the proof says what is open.
bool Desk::kill_settled(Stop& stop) {
  const EngineStatus& s = bot_.snapshot_->engine;
  // In the order of the numbers: the answer to a later one says that this one was stepped.
  if (s.answer_to(OperatorAction::kill).command_id >= stop.command) stop.answered = true;
  if (!stop.answered) return false;
  std::uint64_t& still_open = stop.proof.venues[0].still_open;
  if (stop.mode < Mode::cancel) {
    still_open = 0;  // resting orders stay, by design
    return true;
  }
  if (s.cancel_jobs > 0) return false;
  if (stop.count_asked == 0) stop.count_asked = bot_.query_loop_->ask_count();
  const QueryLoop::Count count = bot_.query_loop_->last_count();
  if (count.number < stop.count_asked) return false;
  if (!count.ok) {
    stop.count_asked = 0;  // ask again: silence proves nothing
    return false;
  }
  const bool all =
      stop.scope.level == ScopeLevel::global && bot_.loaded_->config.venues[0].own_account;
  still_open = all ? count.open.all : count.open.ours;
  if (still_open > 0) stop.count_asked = 0;
  return true;
}

void Desk::fill_proof(Stop& stop) {
  const EngineStatus& s = bot_.snapshot_->engine;
  const OrderSessionCounters& c = bot_.orders().counters();
  KillVenueProof& venue = stop.proof.venues[0];
  venue.cancels_sent = c.cancels.load() + c.mass_cancels.load() - stop.cancels_before;
  const std::int64_t first = c.first_cancel_ns.load();
  venue.first_wire_ns = first == 0 ? -1 : first - stop.t_closed.mono_ns;
  venue.last_wire_ns = first == 0 ? -1 : c.last_cancel_ns.load() - stop.t_closed.mono_ns;
  venue.unknown = s.unknown_orders;
  venue.dead_man = s.venues[0].cancel_on_disconnect ? "cancel_on_disconnect on (verified)"
                                                    : "cancel_on_disconnect NOT verified";
  venue.acked = venue.live_before > venue.still_open ? venue.live_before - venue.still_open : 0;
  fill_status();
  stop.proof.positions = report_.positions;
  stop.proof.underlyings = report_.underlyings;
}

ControlAnswer Desk::kill_progress(Stop& stop, bool deadline_passed) {
  bot_.refresh(false);
  const bool settled = kill_settled(stop);
  fill_proof(stop);
  if (!settled && !deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
  if (!settled) {
    std::uint64_t& still_open = stop.proof.venues[0].still_open;
    still_open = std::max<std::uint64_t>(still_open, 1);  // not proven
  }
  const ControlAnswer answer = kill_answer(stop.proof, stop.shown, deadline_passed);
  if (answer.state == AnswerState::partial) stop.shown = true;
  return answer;
}

bool Desk::stop_confirmed() {
  bot_.refresh(false);
  if (!leaving_) return false;
  if (leaving_->confirmed) return true;
  if (!kill_settled(*leaving_)) return false;
  fill_proof(*leaving_);
  leaving_->confirmed = leaving_->proof.resolved();
  return leaving_->confirmed;
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
  const auto asked = std::find_if(asked_.begin(), asked_.end(),
                                  [&](const Stop& s) { return s.request == request_id; });
  if (asked != asked_.end()) {
    ControlAnswer answer = kill_progress(*asked, deadline_passed);
    if (answer.state == AnswerState::final) asked_.erase(asked);
    return answer;
  }
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
