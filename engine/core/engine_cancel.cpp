// Cancelling a scope until nothing is left open, and what REDUCE cancels.
#include <algorithm>
#include <initializer_list>

#include "engine/core/engine_core.hpp"
#include "engine/core/risk/module_envelope.hpp"
#include "engine/core/risk/reduce_rule.hpp"

namespace gimbal {
namespace {

bool has_mass_cancel(ScopeLevel level) noexcept { return level != ScopeLevel::strategy; }

}  // namespace

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
    if (o.open() && covers(scope, o) && !flatten_order(o.id) && !o.unseen) ++open;
  }
  return open;
}

// Of these, the ones that are not in doubt.
std::size_t EngineCore::known_open_in(Scope scope) const noexcept {
  std::size_t open = 0;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    const bool known = o.open() && o.state != OrderState::unknown;
    if (known && covers(scope, o) && !flatten_order(o.id)) ++open;
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
    if (!o.open() || !covers(job.scope, o) || flatten_order(o.id)) continue;
    if (o.unseen) {  // nobody knows that it exists: cancelled as soon as the venue shows it
      orders_.want_cancel(o.id);
      continue;
    }
    ++open;
    if (o.cancel_round == job.stamp) continue;
    if (silent && o.state == OrderState::pending_cancel) {
      note(orders_.on_doubt(o.id, OrderAction::cancel, now_));
    } else if (silent && o.state == OrderState::unknown) {
      orders_.want_cancel(o.id);  // looked up; cancelled again once it is shown open
      orders_.note_cancel_round(o.id, job.stamp);
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
    if (!o.open() || o.wants_cancel || o.unseen) continue;
    const Qty rest = o.open_amount();
    GateContext c = gather(o.instrument, o.id.strategy(), o.side, o.price, rest, Scenarios::no);
    const bool reduce = c.mode == Mode::reduce;
    if (c.mode > Mode::reduce || (!reduce && !envelopes_.used())) continue;
    // Seen without its own share, which gather counts among the open orders.
    Qty& live = o.side == Side::buy ? c.exposure.live_buy : c.exposure.live_sell;
    Qty& unknown = o.side == Side::buy ? c.exposure.unknown_buy : c.exposure.unknown_sell;
    (o.state == OrderState::unknown ? unknown : live) -= rest;
    (c.order_delta < 0 ? c.delta.low : c.delta.high) -= c.order_delta;
    const OrderFacts facts{o.instrument, o.side, o.tif, o.price, o.amount, rest, false};
    const bool grows =
        reduce && ReduceRule::check(facts, c, gate_.limits()).reason != Refusal::none;
    if (grows || ModuleEnvelope::check(facts, c, gate_.limits()).reason != Refusal::none) {
      orders_.want_cancel(o.id);
    }
  }
}

}  // namespace gimbal
