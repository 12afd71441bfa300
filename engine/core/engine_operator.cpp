// Stop and start: operator commands, tightening, arming.
#include <algorithm>
#include <initializer_list>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

constexpr Nanos arm_wait{3'000'000'000};

bool pauses_growth(OperatorAction action) noexcept {
  return action == OperatorAction::pause || action == OperatorAction::resume;
}

}  // namespace

bool EngineCore::covers(Scope scope, const Order& o) noexcept {
  switch (scope.level) {
    case ScopeLevel::global: return true;
    case ScopeLevel::venue:
    case ScopeLevel::account: return o.venue.value == scope.id;
    case ScopeLevel::strategy: return o.id.strategy().value == scope.id;
    case ScopeLevel::underlying: return o.underlying.value == scope.id;
    case ScopeLevel::instrument: return o.instrument.value == scope.id;
  }
  return true;
}

void EngineCore::answer(const OperatorCommand& command, OperatorResult result,
                        std::uint32_t detail) noexcept {
  last_operator_ = OperatorAnswer{command.command_id,
                                  seq_.value,
                                  command.action,
                                  result,
                                  gate_.modes().at(command.scope),
                                  0,
                                  detail,
                                  command.scope,
                                  gate_.epoch()};
  // A latched kill that a boot carries on has no number of this run: nobody waits for it.
  const bool carried_on = command.command_id == 0 && command.action == OperatorAction::kill;
  if (const auto a = static_cast<std::size_t>(command.action);
      a < operator_actions && !carried_on) {
    answers_[a] = last_operator_;
  }
  trace(TraceId::operator_answer, static_cast<std::int64_t>(command.command_id),
        static_cast<std::int64_t>(command.action), static_cast<std::int64_t>(result), detail);
}

void EngineCore::on_operator(const Event& event) noexcept {
  if (!operator_parts_.add(event)) return;
  const OperatorCommand& command = operator_parts_.value();
  replan_ = true;
  if (command.scope.id >= scope_count(command.scope.level)) {
    return answer(command, OperatorResult::refused_scope);
  }
  if (command.source == OperatorSource::monitor && pauses_growth(command.action)) {
    return monitor_pause(command);
  }
  switch (command.action) {
    case OperatorAction::kill:
    case OperatorAction::pause: {
      arm_waits_ = false;
      const Mode mode = command.action == OperatorAction::pause ? Mode::halt : command.mode;
      if (mode >= Mode::halt) stop_flatten_under(command.scope, FlattenEnd::by_operator);
      const bool changed = tighten(command.scope, mode);
      return answer(command, changed ? OperatorResult::accepted : OperatorResult::unchanged);
    }
    case OperatorAction::arm:
    case OperatorAction::resume: return arm(command);
    case OperatorAction::ack:
      if (command.subject == static_cast<std::uint32_t>(TripCode::other_instance)) {
        others_.acknowledge();
      }
      if (command.subject == static_cast<std::uint32_t>(TripCode::tie_out)) {
        day_.held = false;
        check_losses();
      }
      return answer(command, OperatorResult::accepted);
    case OperatorAction::flatten:
    case OperatorAction::stop_flatten: return on_flatten(command);
  }
  answer(command, OperatorResult::refused_unsupported);
}

// PAUSE(global) of the alert book: blocks growth, is no mode, and only the book ends it.
void EngineCore::monitor_pause(const OperatorCommand& command) noexcept {
  if (command.scope.level != ScopeLevel::global) {
    return answer(command, OperatorResult::refused_scope);
  }
  const bool wanted = command.action == OperatorAction::pause;
  const bool changed = monitor_pause_ != wanted;
  monitor_pause_ = wanted;
  answer(command, changed ? OperatorResult::accepted : OperatorResult::unchanged);
}

bool EngineCore::tighten(Scope scope, Mode mode) noexcept {
  if (mode >= Mode::halt) stop_flatten_under(scope, FlattenEnd::scope_stopped);
  const Mode before = gate_.modes().at(scope);
  if (!gate_.tighten(scope, mode)) return false;
  replan_ = true;
  trace(TraceId::mode_changed, static_cast<std::int64_t>(scope.level), scope.id,
        static_cast<std::int64_t>(before), static_cast<std::int64_t>(mode));
  if (mode == Mode::reduce) cancel_increasing();
  if (mode >= Mode::cancel) start_cancel(scope);
  return true;
}

// --- arming -----------------------------------------------------------------------------------

EngineCore::Judgement EngineCore::judge_venue(std::size_t v) const noexcept {
  const Venue& venue = venues_[v];
  const auto detail = static_cast<std::uint32_t>(v);
  if (venue.gateway != GatewayState::ready) return {OperatorResult::refused_gateway, detail};
  if (setup_.engine.require_cancel_on_disconnect && !venue.cancel_on_disconnect) {
    return {OperatorResult::refused_cancel_on_disconnect, detail};
  }
  if (!venue.clock_known) return {OperatorResult::refused_clock, detail};
  if (!setup_.own_account[v] && gate_.limits().max_open_orders > gate_.limits().order_burst) {
    return {OperatorResult::refused_open_orders,
            static_cast<std::uint32_t>(gate_.limits().max_open_orders)};
  }
  if (!venue.reconciled || now_ - venue.reconciled_at > setup_.engine.reconcile_age_max) {
    return {OperatorResult::refused_not_reconciled, detail};
  }
  return {};
}

bool EngineCore::margin_contradicted(const UnderlyingSetup& u) const noexcept {
  if (u.margin == AccountMargin::unknown) return false;
  const AccountMargin told = margin_model(u.venue, u.settlement);
  return told != AccountMargin::unknown && told != u.margin;
}

EngineCore::Judgement EngineCore::judge_arm(const OperatorCommand& command) const noexcept {
  if (command.source != OperatorSource::human) return {OperatorResult::refused_source, 0};
  if (boot_.epoch == 0 || command.config_hash != boot_.config_hash) {
    return {OperatorResult::refused_config_hash, 0};
  }
  if (const OrderId other = others_.unacknowledged(); other.valid()) {
    return {OperatorResult::refused_other_instance, other.epoch()};
  }
  if (counters_.day_items_refused > 0) {
    return {OperatorResult::refused_day_figures,
            static_cast<std::uint32_t>(counters_.day_items_refused)};
  }
  if (guardian_missing()) return {OperatorResult::refused_guardian, 0};
  if (flatten_.running()) return {OperatorResult::refused_flatten_running, 0};
  const auto running =
      std::count_if(jobs_.begin(), jobs_.end(), [](const CancelJob& job) { return job.active; });
  if (running > 0) {
    return {OperatorResult::refused_cancel_running, static_cast<std::uint32_t>(running)};
  }
  if (orders_.unknown_count() > 0) {
    return {OperatorResult::refused_unknown_orders,
            static_cast<std::uint32_t>(orders_.unknown_count())};
  }
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    if (margin_contradicted(setup_.underlyings[u])) {
      return {OperatorResult::refused_margin_model, static_cast<std::uint32_t>(u)};
    }
  }
  Judgement waiting{};
  bool any = false;
  for (std::size_t v = 0; v < venues_max; ++v) {
    if (!venues_[v].used) continue;
    any = true;
    const Judgement j = judge_venue(v);
    if (j.result == OperatorResult::refused_not_reconciled) {
      waiting = j;
    } else if (j.result != OperatorResult::accepted) {
      return j;
    }
  }
  if (!any) return {OperatorResult::refused_gateway, 0};
  return waiting;
}

void EngineCore::arm(const OperatorCommand& command) noexcept {
  const Judgement j = judge_arm(command);
  if (j.result == OperatorResult::refused_not_reconciled) {
    // Everything else is in order: ask for a fresh picture and decide when it is in.
    const bool again = arm_waits_ && waiting_arm_.command_id == command.command_id;
    if (!again) {
      waiting_arm_ = command;
      waiting_until_ = now_ + arm_wait;
      arm_waits_ = true;
      for (Venue& v : venues_) {
        if (v.used && !v.reconciling) v.wants_reconcile = true;
      }
    }
    return answer(command, OperatorResult::waiting, j.detail);
  }
  arm_waits_ = false;
  if (j.result != OperatorResult::accepted) return answer(command, j.result, j.detail);
  const Mode before = gate_.modes().at(command.scope);
  const Mode to = command.mode == Mode::reduce ? Mode::reduce : Mode::active;
  gate_.loosen(command.scope, to);
  forget_confirmations();
  ++arm_generation_;
  trace(TraceId::mode_changed, static_cast<std::int64_t>(command.scope.level), command.scope.id,
        static_cast<std::int64_t>(before), static_cast<std::int64_t>(to));
  answer(command, OperatorResult::accepted);
  check_losses();  // a loss that is still over its limit holds at once, not at the next tick
}

void EngineCore::retry_arm() noexcept {
  if (!arm_waits_) return;
  const OperatorCommand command = waiting_arm_;
  if (now_ > waiting_until_) {
    arm_waits_ = false;
    const Judgement j = judge_arm(command);
    return answer(
        command,
        j.result == OperatorResult::accepted ? OperatorResult::refused_not_reconciled : j.result,
        j.detail);
  }
  if (judge_arm(command).result != OperatorResult::refused_not_reconciled) arm(command);
}

}  // namespace gimbal
