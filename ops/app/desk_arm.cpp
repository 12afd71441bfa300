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

ArmCounts Desk::arm_counts() const {
  return {bot_.stop_page_.requests(), bot_.gate_.layout().fire.fires.load(), bot_.halts()};
}

// What speaks against an arm that began with `arm`'s counts, looked at anew: when it begins, at
// each step of its wait, before the gate opens and behind the opening. The gate is in HALT all the
// while, so none of the watchers would act on it.
std::string Desk::arm_objection(const PendingArm& arm) const {
  if (bot_.sentinel_there()) {
    return "the sentinel file " + bot_.sentinel_path() + " is there; remove it first";
  }
  if (!bot_.journal_trouble_.empty()) {
    return "the journal cannot be kept: " + bot_.journal_trouble_ + "; free the disk and restart";
  }
  if (std::string why = bot_.day_->trouble(); !why.empty()) return why;
  return closed_since(arm.counts, arm_counts());
}

// The core may have accepted it, or may yet: its scope is stopped again in gate, core and latch, as
// strictly as before, so that no strategy works against a closed gate and no boot finds it open.
void Desk::take_back(const PendingArm& arm, const std::string& why, Mode wiped) {
  const Mode mode = stricter(stricter(bot_.gate_.at(arm.scope), arm.before), wiped);
  if (arm.command == 0 || mode == Mode::active) return;  // nothing of it was opened anywhere
  (void)bot_.closer_->close(arm.scope, mode);
  const std::uint64_t command = next_command_++;
  send_command(OperatorAction::kill, command, arm.scope, mode, OperatorSource::monitor,
               ControlPeer{});
  (void)latch(
      latch_entry(arm.scope, mode, command, ControlPeer{}, "an arm was taken back: " + why));
}

ControlAnswer Desk::refuse_arm(const PendingArm& pending, const std::string& why, Mode wiped) {
  const PendingArm arm = pending;
  take_back(arm, why, wiped);
  arm_.reset();
  return refused_answer(why);
}

ControlAnswer Desk::arm(const ArmRequest& request) {
  const std::string running = bot_.loaded_->hash_hex();
  if (request.config_hash.size() < 8 || running.rfind(request.config_hash, 0) != 0) {
    return refused_answer("config hash " + request.config_hash + " is not the running one (" +
                          running.substr(0, 16) + ")");
  }
  PendingArm fresh;
  fresh.scope = request.scope;
  fresh.reason = request.reason;
  fresh.peer = request.peer;
  fresh.before = bot_.gate_.at(request.scope);
  fresh.counts = arm_counts();
  fresh.counts.stops = bot_.mirrored_stops_;  // one that nobody has looked at yet speaks against it
  if (const std::string why = arm_objection(fresh); !why.empty()) return refused_answer(why);
  if (arm_) (void)refuse_arm(*arm_, "a later arm was asked for");
  arm_ = std::move(fresh);
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
  if (!arm_ || (arm_->command != 0 && !(arm_->scope == stopped))) return;
  const PendingArm arm = *arm_;
  arm_.reset();
  take_back(arm,
            "its scope was stopped");  // a milder stop would leave the core milder than the gate
}

void Desk::withdraw_waiting_arm() {
  if (arm_ && arm_->command == 0) arm_.reset();
}

std::string Desk::arm_verdict(const OperatorAnswer& answer) const {
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
  return why;
}

ControlAnswer Desk::finish_arm(const OperatorAnswer& answer) {
  if (answer.result != OperatorResult::accepted) {
    arm_.reset();
    return refused_answer(arm_verdict(answer));
  }
  const PendingArm arm = *arm_;
  bot_.drain_alerts();
  // The file may be missing or damaged: whatever else is held goes back into it.
  std::vector<LatchEntry> held = held_scopes(bot_.gate_, arm.scope);
  for (LatchEntry& e : held) e.name = bot_.scope_name(e.scope);
  if (const Outcome stored = bot_.latch_->release(arm.scope, held); !stored) {
    return refuse_arm(
        arm, "the latch cannot be written: " + stored.error() + "; the last gate stays closed");
  }
  // The latch took a disk's time.
  if (const std::string why = arm_objection(arm); !why.empty()) return refuse_arm(arm, why);
  // The stop page last: what was approved before is void before anything opens.
  if (!bot_.gate_.reopen(arm.scope, arm.before, Mode::active, answer.gate_epoch)) {
    return refuse_arm(arm,
                      "the gate was closed while the arm waited; see the alerts, then arm again");
  }
  const Mode wiped = bot_.stop_page_.clear(arm.scope);
  // What came between the look and the opening is not lost: it is seen now.
  if (const std::string why = arm_objection(arm); !why.empty()) return refuse_arm(arm, why, wiped);
  arm_.reset();
  bot_.hold_again(arm.scope, answer.seq);
  bot_.say(fmt::format("armed: {} ({})", scope_text(arm.scope), arm.reason));
  const bool waived = !bot_.loaded_->config.runtime.guardian_required;
  return done_answer(
      fmt::format(R"({{"armed":true,"scope":"{}","config_hash":"{}","guardian":"{}{}"}})",
                  scope_text(arm.scope), bot_.loaded_->hash_hex(), bot_.guardian_->text(),
                  waived ? " (waived)" : ""));
}

ControlAnswer Desk::arm_progress(bool deadline_passed) {
  if (const std::string why = arm_objection(*arm_); !why.empty()) return refuse_arm(*arm_, why);
  if (!send_arm()) {
    if (!deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
    return refuse_arm(
        *arm_,
        "started less than [engine] order_ttl ago: an order of the boot before may still arrive");
  }
  bot_.refresh(false);
  const OperatorAnswer& answer = bot_.snapshot_->engine.answer_to(OperatorAction::arm);
  const bool mine = answer.command_id == arm_->command;
  if (mine && answer.result != OperatorResult::waiting) return finish_arm(answer);
  if (!deadline_passed) return ControlAnswer{AnswerState::pending, 0, {}};
  return refuse_arm(*arm_,
                    std::string{"no answer in time: "} +
                        (mine ? result_text(answer.result) : "the core did not step the command"));
}

}  // namespace gimbal
