// FLATTEN: cancel -> the venue's positions -> slices, one in flight at a time -> the venue's
// positions again. Nothing here starts by itself, and every doubt ends it or shrinks it.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

constexpr Nanos slice_gap = milliseconds(100);
constexpr Nanos look_again = milliseconds(50);
constexpr Nanos fill_patience = seconds(10);     // nothing could be closed for so long
constexpr Nanos picture_patience = seconds(15);  // the venue's positions did not come
constexpr std::uint8_t reopened_max = 3;
constexpr std::uint8_t gate_refusals_max = 10;
constexpr std::uint8_t rejects_max = 3;

}  // namespace

EngineCore::Judgement EngineCore::judge_flatten(const OperatorCommand& command) const noexcept {
  if (command.source != OperatorSource::human) return {OperatorResult::refused_source, 0};
  if (boot_.epoch == 0 || command.config_hash != boot_.config_hash) {
    return {OperatorResult::refused_config_hash, 0};
  }
  if (flatten_.running()) return {OperatorResult::refused_flatten_running, 0};
  // Positions are kept per instrument: nobody knows which part a strategy made.
  if (command.scope.level == ScopeLevel::strategy || command.max_loss.nano < 0) {
    return {OperatorResult::refused_scope, 0};
  }
  const ModeTable& modes = gate_.modes();
  if (modes.at(command.scope) != Mode::cancel) return {OperatorResult::refused_not_cancelled, 0};
  if (command.scope.level != ScopeLevel::global && modes.at({}) >= Mode::halt) {
    return {OperatorResult::refused_scope_stopped, 0};
  }
  for (std::size_t v = 0; v < venues_max; ++v) {
    const auto detail = static_cast<std::uint32_t>(v);
    if (!venues_[v].used) continue;
    if (venues_[v].gateway != GatewayState::ready) return {OperatorResult::refused_gateway, detail};
    if (!venues_[v].clock_known) return {OperatorResult::refused_clock, detail};
  }
  return {};
}

void EngineCore::on_flatten(const OperatorCommand& command) noexcept {
  if (command.action == OperatorAction::stop_flatten) {
    const bool running = flatten_.running();
    if (running) stop_flatten(FlattenEnd::by_operator);
    return answer(command, running ? OperatorResult::accepted : OperatorResult::unchanged);
  }
  const Judgement j = judge_flatten(command);
  if (j.result != OperatorResult::accepted) return answer(command, j.result, j.detail);
  flatten_ = FlattenJob{};
  FlattenStatus& s = flatten_.shown;
  s.command_id = command.command_id;
  s.scope = command.scope;
  s.flags = command.flags;
  s.max_loss = command.max_loss;
  s.started = now_;
  s.phase = FlattenPhase::cancelling;
  for (Market& m : markets_) {
    m.flatten_why = FlattenWhy::none;
    m.flatten_refusal = Refusal::none;
    m.flatten_rejects = 0;
  }
  flatten_.next = now_;
  start_cancel(command.scope);
  trace(TraceId::flatten, static_cast<std::int64_t>(s.phase), 0, 0, 0);
  answer(command, OperatorResult::accepted);
}

void EngineCore::stop_flatten(FlattenEnd end) noexcept {
  FlattenStatus& s = flatten_.shown;
  s.phase = FlattenPhase::ended;
  s.end = end;
  s.ended = now_;
  replan_ = true;
  const Order* slice = orders_.find(flatten_.order);
  if (slice != nullptr && slice->open()) orders_.want_cancel(slice->id);
  trace(TraceId::flatten, static_cast<std::int64_t>(s.phase), static_cast<std::int64_t>(end),
        s.orders, s.cost.nano);
}

void EngineCore::stop_flatten_under(Scope scope, FlattenEnd end) noexcept {
  if (!flatten_.running()) return;
  const Scope own = flatten_.shown.scope;
  if (scope.level < own.level || scope == own) stop_flatten(end);
}

void EngineCore::run_flatten(Commands& out) noexcept {
  FlattenStatus& s = flatten_.shown;
  if (gate_.modes().at(s.scope) != Mode::cancel) return stop_flatten(FlattenEnd::scope_stopped);
  switch (s.phase) {
    case FlattenPhase::cancelling: {
      flatten_.next = now_ + look_again;
      if (known_open_in(s.scope) > 0) return;
      return flatten_ask(FlattenPhase::settling);
    }
    case FlattenPhase::settling:
    case FlattenPhase::verifying:
      flatten_.next = now_ + look_again;
      if (!flatten_picture()) {
        if (now_ - flatten_.asked > picture_patience) stop_flatten(FlattenEnd::no_picture);
        return;
      }
      if (s.phase == FlattenPhase::verifying) return flatten_verified();
      s.phase = FlattenPhase::closing;
      flatten_.progress = now_;
      flatten_.next = now_;
      return flatten_close(out);
    case FlattenPhase::closing:
      if (now_ >= flatten_.next) flatten_close(out);
      return;
    case FlattenPhase::none:
    case FlattenPhase::ended: return;
  }
}

// The venue's positions as of a moment after now.
void EngineCore::flatten_ask(FlattenPhase phase) noexcept {
  flatten_.shown.phase = phase;
  flatten_.asked = now_;
  for (Venue& v : venues_) v.wants_reconcile = v.wants_reconcile || v.used;
  trace(TraceId::flatten, static_cast<std::int64_t>(phase),
        static_cast<std::int64_t>(flatten_.pending), flatten_.shown.orders,
        flatten_.shown.cost.nano);
}

bool EngineCore::flatten_picture() const noexcept {
  return std::all_of(venues_.begin(), venues_.end(), [this](const Venue& v) {
    return !v.used || (v.reconciled && v.unsettled == 0 && !v.reconciling && !v.wants_reconcile &&
                       v.begun_at >= flatten_.asked);
  });
}

// One slice at most. Futures before options; what cannot be closed now is passed over and tried
// again while anything else is still moving.
void EngineCore::flatten_close(Commands& out) noexcept {
  flatten_.next = now_ + look_again;
  const Order* last = orders_.find(flatten_.order);
  if (last != nullptr && last->open() && last->state != OrderState::unknown) return;
  bool in_doubt = false;
  bool blocked = false;
  for (const bool options : {false, true}) {
    for (std::size_t n = 0; n < table_.size(); ++n) {
      const InstrumentId id{static_cast<std::uint16_t>(n)};
      if (is_option(table_[id].kind) != options || !flatten_selects(id)) continue;
      Market& m = markets_[n];
      m.flatten_why = FlattenWhy::none;
      m.flatten_refusal = Refusal::none;
      const Qty want = flatten_want(id);
      if (want.nano == 0) {
        if (portfolio_.position(id).nano == 0 || !m.held) continue;
        if (orders_.exposure(id).open > 0) m.flatten_why = FlattenWhy::unknown_order;
        in_doubt = in_doubt || m.flatten_why == FlattenWhy::unknown_order;
        continue;
      }
      m.flatten_why =
          m.flatten_rejects < rejects_max ? flatten_send(id, want, out) : FlattenWhy::rejected;
      if (m.flatten_why == FlattenWhy::none || !flatten_.running()) return;
      blocked = true;
    }
  }
  if (blocked || in_doubt) {
    if (now_ - flatten_.progress <= fill_patience) return;
    flatten_.pending = blocked ? FlattenEnd::left_over : FlattenEnd::unknown_orders;
  } else {
    flatten_.pending = FlattenEnd::flat;
  }
  flatten_ask(FlattenPhase::verifying);
}

FlattenWhy EngineCore::flatten_send(InstrumentId id, Qty want, Commands& out) noexcept {
  const Instrument& i = table_[id];
  Slice slice;
  const FlattenWhy why = flatten_slice(id, want, slice);
  if (why != FlattenWhy::none) return why;
  FlattenStatus& s = flatten_.shown;
  if ((s.flags & flatten_flag::hedge_only) == 0) flatten_cut(id, slice);
  const Price mark = markets_[id.value].mark;
  Money cost;
  if (!flatten_cost(i, mark, slice.limit, slice.amount, cost) ||
      static_cast<i128>(s.cost.nano) + cost.nano > s.max_loss.nano) {
    flatten_.pending = FlattenEnd::max_loss;
    flatten_ask(FlattenPhase::verifying);
    return FlattenWhy::none;
  }
  PlaceOrder order;
  order.order = make_order_id(boot_.epoch, operator_strategy, order_counter_ + 1);
  order.instrument = id;
  order.venue = i.venue;
  order.side = side_of(slice.amount);
  order.tif = TimeInForce::immediate_or_cancel;
  order.flags = order_flag::flattens;
  if ((s.flags & flatten_flag::hedge_only) == 0) order.flags |= order_flag::reduce_only;
  order.price = slice.limit;
  order.amount = abs(slice.amount);
  GateContext context = gather(id, operator_strategy, order.side, order.price, order.amount);
  context.mode = Mode::reduce;  // the job's own CANCEL aside; the others were asked by the slice
  // A person closes positions: no module of a third party has a say in that.
  context.modules_late = false;
  context.envelope = {};
  context.intent = (s.command_id << 20) + s.orders + 1;
  order.valid_until = context.venue_now + setup_.engine.order_ttl;
  auto answer = gate_.approve(order, context);
  if (const auto* refusal = std::get_if<Refused>(&answer)) {
    markets_[id.value].flatten_refusal = refusal->reason;
    // Traced, and no more: these are a person's orders, no strategy to be judged by them.
    trace(TraceId::order_refused, static_cast<std::int64_t>(refusal->reason), refusal->limit,
          refusal->actual, static_cast<std::int64_t>(context.intent), id, {}, operator_strategy);
    return FlattenWhy::refused;
  }
  NewOrder fresh;
  fresh.place = order;
  fresh.underlying = i.underlying;
  fresh.intent = context.intent;
  fresh.decision_price = mark;
  fresh.evidence_nano = want.nano;
  static_cast<void>(i.exposure_usd(order.price, order.amount, context.index, fresh.reserved_usd));
  if (out.room() <= room_for_orders || orders_.place(fresh, now_, context.venue_now) == nullptr) {
    markets_[id.value].flatten_refusal = Refusal::table_full;
    return FlattenWhy::refused;
  }
  ++order_counter_;
  ++s.orders;
  flatten_.order = order.order;
  flatten_.mark = mark;
  flatten_.next = now_ + slice_gap;
  trace(TraceId::order_requested, static_cast<std::int64_t>(order.order.value), order.amount.nano,
        order.price.nano, want.nano, id, i.venue, operator_strategy);
  push(out, Command{std::move(std::get<Approved<PlaceOrder>>(answer))});
  return FlattenWhy::none;
}

// The venue's positions after the last slice. What it still shows is closed again, or named.
void EngineCore::flatten_verified() noexcept {
  FlattenStatus& s = flatten_.shown;
  s.verified = now_;
  const bool in_doubt = flatten_unknown() > 0;
  bool left = false;
  for (std::size_t n = 0; n < table_.size() && !left; ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    left = flatten_selects(id) && flatten_want(id).nano != 0;
  }
  if (!left) return stop_flatten(in_doubt ? FlattenEnd::unknown_orders : FlattenEnd::flat);
  if (flatten_.pending != FlattenEnd::flat) return stop_flatten(flatten_.pending);
  if (flatten_.reopened == reopened_max) return stop_flatten(FlattenEnd::left_over);
  ++flatten_.reopened;
  s.phase = FlattenPhase::closing;
  flatten_.progress = now_;
  flatten_.next = now_;
}

void EngineCore::flatten_rejected(const OrderReject& reject) noexcept {
  flatten_.next = std::max(flatten_.next, now_ + slice_gap);
  switch (reject.reason) {
    case RejectReason::last_gate:  // also an approval that came too late: only a row of them means
      if (++flatten_.gate_refusals >= gate_refusals_max) stop_flatten(FlattenEnd::gate_closed);
      return;
    case RejectReason::venue:
    case RejectReason::wrong_terms:
    case RejectReason::wrong_amount: {
      const Order* order = orders_.find(reject.order);
      if (order != nullptr && markets_[order->instrument.value].flatten_rejects < rejects_max) {
        ++markets_[order->instrument.value].flatten_rejects;
      }
      return;
    }
    default: return;
  }
}

void EngineCore::flatten_filled(const Fill& fill, const Instrument& instrument) noexcept {
  FlattenStatus& s = flatten_.shown;
  ++s.fills;
  flatten_.progress = now_;
  flatten_.gate_refusals = 0;
  Money lost;
  const Qty moved = signed_qty(fill.side, fill.amount);
  Money cash;
  if (!instrument.profit(fill.price, flatten_.mark, moved, cash)) return;
  i128 total = static_cast<i128>(fill.fee.nano) - cash.nano;
  if (is_inverse(instrument.kind) && instrument.underlying.value < underlyings_max) {
    total =
        divide(total * coins_[instrument.underlying.value].index.nano, nano_per_unit, Rounding::up);
  }
  lost.nano = fits_int64(total) ? static_cast<std::int64_t>(total) : INT64_MAX / 2;
  s.cost += lost;
}

}  // namespace gimbal
