// Stop and start: operator commands, tightening, and cancelling a scope until nothing is left open.
#include <algorithm>
#include <initializer_list>

#include "engine/core/engine_core.hpp"
#include "engine/core/risk/reduce_rule.hpp"

namespace gimbal {
namespace {

constexpr Nanos arm_wait{3'000'000'000};

bool pauses_growth(OperatorAction action) noexcept {
  return action == OperatorAction::pause || action == OperatorAction::resume;
}

bool has_mass_cancel(ScopeLevel level) noexcept { return level != ScopeLevel::strategy; }

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
                                  command.scope};
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
      const bool changed = tighten(command.scope, mode);
      return answer(command, changed ? OperatorResult::accepted : OperatorResult::unchanged);
    }
    case OperatorAction::arm:
    case OperatorAction::resume: return arm(command);
    case OperatorAction::ack: return answer(command, OperatorResult::accepted);
    case OperatorAction::flatten:
    case OperatorAction::stop_flatten: return answer(command, OperatorResult::refused_unsupported);
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

EngineCore::Judgement EngineCore::judge_arm(const OperatorCommand& command) const noexcept {
  if (command.source != OperatorSource::human) return {OperatorResult::refused_source, 0};
  if (boot_.epoch == 0 || command.config_hash != boot_.config_hash) {
    return {OperatorResult::refused_config_hash, 0};
  }
  if (guardian_missing()) return {OperatorResult::refused_guardian, 0};
  const auto running =
      std::count_if(jobs_.begin(), jobs_.end(), [](const CancelJob& job) { return job.active; });
  if (running > 0) {
    return {OperatorResult::refused_cancel_running, static_cast<std::uint32_t>(running)};
  }
  if (orders_.unknown_count() > 0) {
    return {OperatorResult::refused_unknown_orders,
            static_cast<std::uint32_t>(orders_.unknown_count())};
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

// --- cancelling a scope -----------------------------------------------------------------------

void EngineCore::start_cancel(Scope scope) noexcept {
  CancelJob* slot = nullptr;
  for (CancelJob& job : jobs_) {
    if (job.active && (job.scope == scope || job.scope.level == ScopeLevel::global)) {
      job.next = std::min(job.next, now_ + milliseconds(1));  // the wider one covers it
      return;
    }
    if (!job.active && slot == nullptr) slot = &job;
  }
  if (slot == nullptr) {  // too many at once: the widest stop is the safe one
    jobs_[0] = CancelJob{true, Scope{}, 0, now_, now_};
    return;
  }
  *slot = CancelJob{true, scope, 0, now_, now_};
}

// A stop outlives its first cancel job: an order that a later picture shows in a scope under CANCEL
// or LOCK (left by an earlier boot that died in mid-kill, or placed by hand in an account that is
// ours alone) is cancelled by a job of the widest such scope.
void EngineCore::resume_cancels(VenueId venue) noexcept {
  const auto resume = [this](std::initializer_list<Scope> widest_first) {
    for (const Scope scope : widest_first) {
      if (gate_.modes().at(scope) < Mode::cancel) continue;
      const bool runs = std::any_of(jobs_.begin(), jobs_.end(), [scope](const CancelJob& job) {
        return job.active && (job.scope == scope || job.scope.level == ScopeLevel::global);
      });
      if (!runs) start_cancel(scope);
      replan_ = true;
      return;
    }
  };
  const Scope at_venue{ScopeLevel::venue, venue.value};
  const Scope account{ScopeLevel::account, venue.value};
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (!o.open() || o.venue != venue) continue;
    resume({Scope{}, at_venue, account, Scope{ScopeLevel::strategy, o.id.strategy().value},
            Scope{ScopeLevel::underlying, o.underlying.value},
            Scope{ScopeLevel::instrument, o.instrument.value}});
  }
  if (venues_[venue.value].foreign > 0 && setup_.own_account[venue.value]) {
    resume({Scope{}, at_venue, account});
  }
}

std::size_t EngineCore::open_in(Scope scope) const noexcept {
  std::size_t open = 0;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.open() && covers(scope, o)) ++open;
  }
  return open;
}

void EngineCore::run_cancels(Commands& out) noexcept {
  for (CancelJob& job : jobs_) {
    if (!job.active) continue;
    const std::size_t open = open_in(job.scope);
    if (job.round > 0 && open == 0) {
      job.active = false;
      trace(TraceId::cancel_confirmed, static_cast<std::int64_t>(job.scope.level), job.scope.id,
            job.round, (now_ - job.started).count);
      continue;
    }
    if (now_ >= job.next) run_cancel(job, out);
  }
}

// Whether one message covers the job's orders at the venue; sends it at the start of a round.
bool EngineCore::mass_cancel(const CancelJob& job, VenueId venue, Commands& out) noexcept {
  const Scope scope = job.scope;
  const bool other_venue =
      (scope.level == ScopeLevel::venue || scope.level == ScopeLevel::account) &&
      scope.id != venue.value;
  const bool other_instrument = scope.level == ScopeLevel::instrument &&
                                table_.contains({scope.id}) && table_[{scope.id}].venue != venue;
  if (!setup_.own_account[venue.value] || !has_mass_cancel(scope.level) || other_venue ||
      other_instrument || venues_[venue.value].gateway != GatewayState::ready) {
    return false;
  }
  if (job.partial) return true;
  if (out.room() <= 2 || !push(out, Command{CancelAll{scope, venue}})) return false;
  note_cancel(venue);
  return true;
}

// False when there was no room for its cancel.
bool EngineCore::cancel_in_round(const CancelJob& job, const Order& o, Commands& out) noexcept {
  if (out.room() <= 2) return false;
  const bool known = orders_.ask_cancel(o.id, now_);
  orders_.want_cancel(o.id);
  orders_.note_cancel_round(o.id, job.stamp);
  if (!known) return true;  // not acknowledged yet: goes with the acknowledgement
  note_cancel(o.venue);
  return push(out, Command{CancelOrder{o.id, o.instrument, o.venue, o.adopted, o.label_hash}});
}

// One round: mass cancels where the account is ours, order by order elsewhere; four rounds with
// doubling waits, then what is still silent becomes unknown and is looked up.
void EngineCore::run_cancel(CancelJob& job, Commands& out) noexcept {
  const bool silent = job.round >= 4;
  if (job.round == 4 && !job.partial) {  // four times without an answer (T-03)
    Trip t;
    t.code = TripCode::retry_storm;
    t.scope = job.scope;
    t.limit = 4;
    t.actual = static_cast<std::int64_t>(open_in(job.scope));
    t.evidence = (now_ - job.started).count;
    trip(t);
  }
  if (!job.partial) job.stamp = ++cancel_stamp_;
  std::array<bool, venues_max> massed{};
  for (std::size_t v = 0; v < venues_max && !silent; ++v) {
    massed[v] = venues_[v].used && mass_cancel(job, {static_cast<std::uint8_t>(v)}, out);
  }
  std::size_t open = 0;
  job.partial = false;
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    if (!o.open() || !covers(job.scope, o)) continue;
    ++open;
    if (o.cancel_round == job.stamp) continue;
    if (silent && o.state == OrderState::pending_cancel) {
      note(orders_.on_doubt(o.id, OrderAction::cancel, now_));
    } else if (massed[o.venue.value]) {
      static_cast<void>(orders_.ask_cancel(o.id, now_));
      orders_.want_cancel(o.id);
      orders_.note_cancel_round(o.id, job.stamp);
    } else if (!cancel_in_round(job, o, out)) {
      job.partial = true;
      break;
    }
  }
  if (job.partial) {
    job.next = now_;  // the rest goes with the next events
    return;
  }
  ++counters_.cancel_rounds;
  trace(TraceId::cancel_round, static_cast<std::int64_t>(job.scope.level), job.scope.id, job.round,
        static_cast<std::int64_t>(open));
  const Nanos first = setup_.engine.orders.cancel_retry;
  job.next =
      now_ + (job.round < 4 ? first * (1 << job.round) : setup_.engine.orders.query_interval);
  ++job.round;
}

// In REDUCE a resting order stays only if it could be sent now.
void EngineCore::cancel_increasing() noexcept {
  for (std::size_t n = orders_.listed(); n > 0; --n) {
    const Order& o = orders_.open_order(n - 1);
    if (!o.open() || o.wants_cancel) continue;
    const Qty rest = o.open_amount();
    GateContext c = gather(o.instrument, o.id.strategy(), o.side, o.price, rest);
    if (c.mode != Mode::reduce) continue;
    // Seen without its own share, which gather counts among the open orders.
    Qty& live = o.side == Side::buy ? c.exposure.live_buy : c.exposure.live_sell;
    Qty& unknown = o.side == Side::buy ? c.exposure.unknown_buy : c.exposure.unknown_sell;
    (o.state == OrderState::unknown ? unknown : live) -= rest;
    (c.order_delta < 0 ? c.delta.low : c.delta.high) -= c.order_delta;
    const OrderFacts facts{o.instrument, o.side, o.tif, o.price, o.amount, rest, false};
    if (ReduceRule::check(facts, c, gate_.limits()).reason != Refusal::none) {
      orders_.want_cancel(o.id);
    }
  }
}

}  // namespace gimbal
