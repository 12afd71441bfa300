// FLATTEN from the operator's side: a plan and its token, then CANCEL of the scope, the pass
// through the last gate, the core's job, and the proof. Room: ops/app (wiring). Cold.
#include <fmt/format.h>

#include "engine/core/payload.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/refusal_names.hpp"

namespace gimbal {
namespace {

constexpr Nanos plan_life = seconds(60);

bool same_work(const FlattenRequest& a, const FlattenRequest& b) {
  return a.scope == b.scope && a.options == b.options && a.hedge_only == b.hedge_only &&
         a.max_loss == b.max_loss;
}

}  // namespace

Mode Desk::page_mode(Scope scope) const {
  return stricter(bot_.gate_.at(scope), bot_.stop_page_.at(scope));
}

// Why nothing may be closed there now; nothing has been changed when this is not empty.
std::string Desk::flatten_objection(Scope scope) const {
  const EngineStatus& s = bot_.snapshot_->engine;
  if (scope.level == ScopeLevel::strategy) {
    return "positions are kept per instrument, not per strategy: flatten an account, an underlying "
           "or an instrument";
  }
  if (s.flatten.running()) return "a flatten is running; gimbalctl flatten --stop ends it";
  if (page_mode(scope) == Mode::lock) return scope_text(scope) + " is LOCKED";
  if (scope.level != ScopeLevel::global && page_mode(Scope{}) >= Mode::halt) {
    return "the global scope is stopped; flatten it, or arm it first";
  }
  if (s.venues[0].gateway != GatewayState::ready) return "the order session is not ready";
  if (!s.venues[0].clock_known) return "the venue's clock is not known";
  if (!bot_.journal_trouble_.empty()) {
    return "the journal cannot be kept: " + bot_.journal_trouble_;
  }
  return {};
}

ControlAnswer Desk::flatten(const FlattenRequest& request) {
  bot_.refresh(true);
  if (request.stop) {
    bot_.gate_.revoke_pass();
    send_command(OperatorAction::stop_flatten, next_command_++, request.scope, Mode::cancel,
                 OperatorSource::human, request.peer);
    return done_answer(R"({"stopped":true})");
  }
  if (const std::string no = flatten_objection(request.scope); !no.empty()) {
    return refused_answer(no + "; nothing was changed");
  }
  if (request.token.empty()) return flatten_plan(request);
  const bool known = plan_ && plan_->token == request.token && same_work(*plan_, request) &&
                     bot_.clock_.now() - planned_ < plan_life;
  plan_.reset();
  if (!known) {
    return refused_answer(
        "the token is not that of a plan of the same work, younger than a minute; nothing was "
        "changed");
  }
  begin_flatten(request);
  return ControlAnswer{AnswerState::pending, 0, {}};
}

ControlAnswer Desk::flatten_plan(const FlattenRequest& request) {
  plan_ = request;
  plan_->token = random_token();
  planned_ = bot_.clock_.now();
  if (plan_->token.empty()) {
    plan_.reset();
    return refused_answer("no random token to be had; nothing was changed");
  }
  fill_status();
  JsonWriter w;
  w.begin_object().boolean("plan", true).text("token", plan_->token);
  w.text("scope", scope_text(request.scope)).boolean("options", request.options);
  w.boolean("hedge_only", request.hedge_only).decimal("max_loss_usd", request.max_loss.nano);
  w.begin_array("positions");
  const EngineStatus& s = bot_.snapshot_->engine;
  for (std::size_t i = 0; i < s.positions_shown; ++i) {
    const PositionStatus& p = s.position[i];
    const Instrument& def = bot_.universe_.table()[p.instrument];
    const bool inside =
        (request.scope.level != ScopeLevel::underlying ||
         def.underlying.value == request.scope.id) &&
        (request.scope.level != ScopeLevel::instrument || p.instrument.value == request.scope.id);
    if (!inside) continue;
    const bool selected = !request.hedge_only && (request.options || !is_option(def.kind));
    w.begin_object().text("instrument", instrument_name(p.instrument));
    w.decimal("amount", p.amount.nano).number("delta", p.delta_net);
    w.decimal("mark", p.mark.nano).boolean("selected", selected).end_object();
  }
  w.end_array().integer("open_orders", s.open_orders).integer("unknown_orders", s.unknown_orders);
  return done_answer(w.end_object().take());
}

// Gate, core, latch as for any kill; then the pass, then the job.
void Desk::begin_flatten(const FlattenRequest& request) {
  const std::uint64_t stops = bot_.stop_page_.requests();
  Stop stop = begin_kill(request.scope, Mode::cancel, OperatorSource::human, request.peer,
                         "flatten: " + request.reason);
  flatten_ =
      PendingFlatten{next_command_++, std::move(stop), stops, OperatorResult::accepted, false};
  flatten_request_ = request.id;
  bot_.gate_.grant_pass(request.scope, stops);
  OperatorCommand c;
  c.command_id = flatten_->command;
  c.config_hash = bot_.loaded_->short_hash();
  c.scope = request.scope;
  c.action = OperatorAction::flatten;
  c.mode = Mode::cancel;
  c.flags = static_cast<std::uint8_t>((request.options ? flatten_flag::options : 0) |
                                      (request.hedge_only ? flatten_flag::hedge_only : 0));
  c.max_loss = request.max_loss;
  c.uid = request.peer.uid;
  c.gid = request.peer.gid;
  c.pid = request.peer.pid;
  push_command(c);
  bot_.say(fmt::format("flatten {}: {}", scope_text(request.scope), request.reason));
}

// The pass lives as long as the core's job, and not beyond the next stop of anybody.
void Desk::watch_flatten() {
  if (!flatten_ || flatten_->over) return;
  const EngineStatus& s = bot_.snapshot_->engine;
  if (bot_.stop_page_.requests() != flatten_->stops) {
    bot_.gate_.revoke_pass();
    send_command(OperatorAction::stop_flatten, next_command_++, Scope{}, Mode::cancel,
                 OperatorSource::stop_page, ControlPeer{});
    flatten_->stops = bot_.stop_page_.requests();
  }
  const OperatorAnswer& answer = s.answer_to(OperatorAction::flatten);
  const bool refused =
      answer.command_id == flatten_->command && answer.result != OperatorResult::accepted;
  const bool ended = s.flatten.command_id == flatten_->command && !s.flatten.running();
  if (!refused && !ended) return;
  bot_.gate_.revoke_pass();
  flatten_->over = true;
  flatten_->result = refused ? answer.result : OperatorResult::accepted;
  bot_.say(refused
               ? "flatten: refused by the core"
               : fmt::format("flatten: {} after {} slices, cost {:.2f} USD", name_of(s.flatten.end),
                             s.flatten.orders, to_double(s.flatten.cost)));
}

std::string Desk::flatten_json(bool done) {
  fill_status();
  const KillProof& proof = flatten_->stop.proof;
  JsonWriter w;
  w.begin_object().integer("kill_id", proof.kill_id).text("scope", proof.scope);
  w.text("mode", proof.mode).text("reason", proof.reason);
  w.boolean("confirmed", proof.confirmed()).boolean("resolved", proof.resolved());
  w.boolean("done", done).integer("gate_closed_ns", proof.gate_closed_ns);
  w.integer("t_gate_closed_mono_ns", proof.t_gate_closed_mono_ns);
  put_flatten(w, report_.flatten);
  w.text("latch", proof.latch).text("build_hash", proof.build_hash);
  w.text("config_hash", proof.config_hash);
  return w.end_object().take();
}

// Whether the stop before the job is proven now: the first of the two proofs.
bool Desk::flatten_stop_proven() {
  Stop& stop = flatten_->stop;
  if (!kill_settled(stop)) return false;
  fill_proof(stop);
  return stop.proof.confirmed();
}

ControlAnswer Desk::flatten_progress(bool deadline_passed) {
  bot_.refresh(false);
  watch_flatten();
  if (flatten_->over && flatten_->result != OperatorResult::accepted) {
    return refused_answer(fmt::format("flatten was refused: {}; the scope is in CANCEL",
                                      result_text(flatten_->result)));
  }
  Stop& stop = flatten_->stop;
  const bool superseded = last_stop_ != stop.command;
  if (!superseded && !stop.shown && flatten_stop_proven()) {
    stop.shown = true;
    return {AnswerState::partial, 0, flatten_json(false)};
  }
  const FlattenEnd end = bot_.snapshot_->engine.flatten.end;
  const bool shown = superseded || stop.shown;
  if (flatten_->over && (shown || deadline_passed || end != FlattenEnd::flat)) {
    const bool good = end == FlattenEnd::flat && !superseded && stop.proof.resolved();
    return {AnswerState::final, good ? 0 : 5, flatten_json(true)};
  }
  if (deadline_passed) return {AnswerState::final, 5, flatten_json(false)};
  return {AnswerState::pending, 0, {}};
}

void Desk::fill_flatten() {
  const FlattenStatus& s = bot_.snapshot_->engine.flatten;
  FlattenReport& r = report_.flatten;
  r = FlattenReport{};
  if (s.phase == FlattenPhase::none) return;
  r.command = s.command_id;
  r.scope = scope_text(s.scope);
  r.phase = name_of(s.phase);
  r.end = name_of(s.end);
  r.options = (s.flags & flatten_flag::options) != 0;
  r.hedge_only = (s.flags & flatten_flag::hedge_only) != 0;
  r.orders = s.orders;
  r.fills = s.fills;
  r.held = s.held;
  r.unknown = s.unknown;
  r.cost = s.cost;
  r.max_loss = s.max_loss;
  r.elapsed_ns = ((s.running() ? bot_.snapshot_->engine.now : s.ended) - s.started).count;
  r.verified = s.verified.mono_ns != 0;
  for (std::size_t i = 0; i < s.items_shown; ++i) {
    const FlattenItem& item = s.item[i];
    r.positions.push_back(FlattenPosition{
        instrument_name(item.instrument), std::string{name_of(item.why)},
        item.why == FlattenWhy::refused ? std::string{name_of(item.refusal)} : std::string{},
        item.amount});
  }
}

}  // namespace gimbal
