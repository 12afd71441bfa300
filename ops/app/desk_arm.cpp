// Arming: the core judges, then the latch, the stop page and the last gate follow. Room: ops/app
// (wiring). Cold.
#include <fmt/format.h>

#include "engine/core/payload.hpp"
#include "ops/app/day_keeper.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/held_scopes.hpp"
#include "ops/app/scope_names.hpp"

namespace gimbal {

const char* result_text(OperatorResult r) {
  switch (r) {
    case OperatorResult::none: return "no answer";
    case OperatorResult::accepted: return "accepted";
    case OperatorResult::unchanged: return "already so";
    case OperatorResult::waiting: return "waiting for a fresh reconciliation";
    case OperatorResult::refused_source: return "arming is for humans";
    case OperatorResult::refused_config_hash: return "the config hash is not the running one";
    case OperatorResult::refused_gateway: return "the order session is not ready";
    case OperatorResult::refused_cancel_on_disconnect:
      return "cancel-on-disconnect is not proven on at the venue";
    case OperatorResult::refused_not_reconciled: return "no clean reconciliation";
    case OperatorResult::refused_unknown_orders: return "orders are in doubt";
    case OperatorResult::refused_cancel_running: return "a kill is not confirmed yet";
    case OperatorResult::refused_open_orders:
      return "own_account = false: more open orders are allowed than one burst can cancel";
    case OperatorResult::refused_clock: return "the venue's clock is not known";
    case OperatorResult::refused_unsupported: return "not supported by this version";
    case OperatorResult::refused_scope: return "unknown scope";
    case OperatorResult::refused_guardian: return "no live guardian";
    case OperatorResult::refused_flatten_running: return "a flatten is running";
    case OperatorResult::refused_not_cancelled: return "the scope is not in CANCEL";
    case OperatorResult::refused_scope_stopped: return "a wider scope is stopped";
    case OperatorResult::refused_day_figures:
      return "the carried figures of the day make no sense; stop, look at the account, remove the "
             "file day of the state directory";
    case OperatorResult::refused_margin_model:
      return "the venue's margin model of the account is not the margin_model of its "
             "[[strategy.liquidation]]";
    case OperatorResult::refused_other_instance: return "another instance runs on this account";
    case OperatorResult::refused_tripped:
      return "a control stopped the scope while the arm waited; see the alerts";
  }
  return "refused";
}

ControlAnswer Desk::arm(const ArmRequest& request) {
  const std::string running = bot_.loaded_->hash_hex();
  if (request.config_hash.size() < 8 || running.rfind(request.config_hash, 0) != 0) {
    return refused_answer("config hash " + request.config_hash + " is not the running one (" +
                          running.substr(0, 16) + ")");
  }
  if (bot_.sentinel_) {
    return refused_answer("the sentinel file " + bot_.loaded_->config.runtime.runtime_dir + "/" +
                          std::string{sentinel_file} + " is there; remove it first");
  }
  if (!bot_.journal_trouble_.empty()) return refuse_without_journal();
  if (const std::string why = bot_.day_->trouble(); !why.empty()) return refused_answer(why);
  arm_ = PendingArm{request.scope, request.reason, request.peer, 0, bot_.mirrored_stops_};
  arm_request_ = request.id;
  (void)send_arm();
  return ControlAnswer{AnswerState::pending, 0, {}};
}

// An order that the boot before wrote as it died may reach the venue until its time to live is
// over: nothing is added to it before it could be seen.
bool Desk::send_arm() {
  if (arm_->command != 0) return true;
  if (bot_.clock_.now() < bot_.started_ + bot_.loaded_->config.engine.order_ttl) return false;
  // Numbered now: the core answers in the order of the numbers.
  arm_->command = next_command_++;
  send_command(OperatorAction::arm, arm_->command, arm_->scope, Mode::active, OperatorSource::human,
               arm_->peer);
  return true;
}

// A stop is newer than an arm that still waits, or that only the core has heard of: what the stop
// closed, that arm must not open.
void Desk::withdraw_arm(Scope stopped) {
  if (arm_ && (arm_->command == 0 || arm_->scope == stopped)) arm_.reset();
}

void Desk::withdraw_waiting_arm() {
  if (arm_ && arm_->command == 0) arm_.reset();
}

ControlAnswer Desk::refuse_without_journal() {
  arm_.reset();
  return refused_answer("the journal cannot be kept: " + bot_.journal_trouble_ +
                        "; free the disk and restart");
}

// A stop that was written to the page while the arm waited, where the gate was as strict already
// and nothing else shows it: the arm must not wipe it out.
ControlAnswer Desk::refuse_for_page_stop() {
  bot_.stop_page_.each_stop([this](Scope scope, Mode mode) {
    stop_from(OperatorSource::stop_page, scope, mode, "stop page");
  });
  return refused_answer("a stop was written while the arm waited; it holds, arm again");
}

ControlAnswer Desk::finish_arm(const OperatorAnswer& answer) {
  if (answer.result != OperatorResult::accepted) {
    std::string why = result_text(answer.result);
    if (answer.result == OperatorResult::refused_guardian) {
      why += " (" + bot_.guardian_->text() +
             "); start gimbal-guardian, or waive it with [runtime] guardian_required = false";
    }
    if (answer.result == OperatorResult::refused_other_instance) {
      why += fmt::format(
          " (boot epoch {}, ours is {}); stop it, then acknowledge the alert other_instance "
          "(gimbalctl status shows its number, gimbalctl ack NUMBER)",
          answer.detail, bot_.epoch_);
    }
    return refused_answer(why);
  }
  const Scope scope = arm_->scope;
  const std::uint64_t stops = arm_->stops;
  const auto stopped = [this, stops] { return bot_.stop_page_.requests() != stops; };
  if (stopped()) return refuse_for_page_stop();
  const std::string reason = arm_->reason;
  bot_.drain_alerts();
  // The file may be missing or damaged: whatever else is held goes back into it.
  std::vector<LatchEntry> held = held_scopes(bot_.gate_, scope);
  for (LatchEntry& e : held) e.name = bot_.scope_name(e.scope);
  const Outcome stored = bot_.latch_->release(scope, held);
  if (!stored)
    return refused_answer("the core is armed, but the latch cannot be written: " + stored.error() +
                          "; the last gate stays closed");
  if (stopped()) return refuse_for_page_stop();  // the latch took a disk's time
  // The page last: what was approved before is void before anything opens.
  bot_.gate_.reopen(scope, Mode::active, answer.gate_epoch);
  bot_.stop_page_.clear(scope);
  bot_.hold_again(scope, answer.seq);
  bot_.say(fmt::format("armed: {} ({})", scope_text(scope), reason));
  const bool waived = !bot_.loaded_->config.runtime.guardian_required;
  return done_answer(fmt::format(
      R"({{"armed":true,"scope":"{}","config_hash":"{}","guardian":"{}{}"}})", scope_text(scope),
      bot_.loaded_->hash_hex(), bot_.guardian_->text(), waived ? " (waived)" : ""));
}

ControlAnswer Desk::arm_progress(bool deadline_passed) {
  if (arm_->command == 0 && !bot_.journal_trouble_.empty()) return refuse_without_journal();
  if (!send_arm()) {
    if (!deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
    arm_.reset();
    return refused_answer(
        "started less than [engine] order_ttl ago: an order of the boot before may still arrive");
  }
  bot_.refresh(false);
  const OperatorAnswer& answer = bot_.snapshot_->engine.answer_to(OperatorAction::arm);
  const bool mine = answer.command_id == arm_->command;
  if (mine && answer.result != OperatorResult::waiting) {
    ControlAnswer done = finish_arm(answer);
    arm_.reset();
    return done;
  }
  if (!deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
  arm_.reset();
  return refused_answer(
      "no answer in time: " +
      std::string{mine ? result_text(answer.result) : "the core did not step the command"});
}

}  // namespace gimbal
