// From a strategy's request to a command: snap, gather, gate, order table, command.
#include "engine/core/engine_core.hpp"

namespace gimbal {
void EngineCore::submit(const Requests& requests, Commands& out) noexcept {
  for (std::size_t i = 0; i < requests.holds_; ++i) {
    const HoldRequest& h = requests.hold_[i];
    pauses_.extend(h.scope, now_ + (h.length < hold_max ? h.length : hold_max));
  }
  for (std::size_t i = 0; i < requests.alerts_; ++i) {
    Trip t = requests.alert_[i];
    t.mode = Mode::active;
    t.latched = t.cancels = false;
    trip(t);
  }
  for (std::size_t i = 0; i < requests.cancels_; ++i) cancel(requests.cancel_[i].order, out);
  for (std::size_t i = 0; i < requests.replaces_; ++i) replace(requests.replace_[i], out);
  for (std::size_t i = 0; i < requests.places_; ++i) place(requests.place_[i], out);
  replan_ = true;
}

void EngineCore::count_refusal(StrategyId strategy, InstrumentId id) noexcept {
  if (strategy.value >= strategies_max) return;
  ++refusals_[strategy.value];
  if (!table_.contains(id) || table_[id].underlying.value >= underlyings_max) return;
  ++refusals_by_[strategy.value][table_[id].underlying.value];
}

void EngineCore::refused(const Refused& why, StrategyId strategy, InstrumentId id,
                         std::uint64_t intent, Price price) noexcept {
  count_refusal(strategy, id);
  if (strategy.value < strategies_max) last_refusal_[strategy.value] = why;
  trace(TraceId::order_refused, static_cast<std::int64_t>(why.reason), why.limit, why.actual,
        static_cast<std::int64_t>(intent), id, {}, strategy);
  after_refusal(why, strategy, id, intent, price);
}

void EngineCore::place(const OrderRequest& request, Commands& out) noexcept {
  const Market* m = market(request.instrument);
  if (m == nullptr || boot_.epoch == 0 || request.strategy.value >= strategies_max) {
    return refused(gate_.refuse({Refusal::malformed, 1, 0}), request.strategy, request.instrument,
                   request.intent);
  }
  const Instrument& i = table_[request.instrument];
  const bool rests = (request.flags & order_flag::post_only) != 0;
  PlaceOrder order;
  order.order = make_order_id(boot_.epoch, request.strategy, order_counter_ + 1);
  order.instrument = request.instrument;
  order.venue = i.venue;
  order.side = request.side;
  order.tif = request.tif;
  order.flags = request.flags;
  order.price =
      i.ticks.snap(request.limit, rests ? passive(request.side) : aggressive(request.side));
  order.amount = Qty{request.amount.nano - request.amount.nano % i.lot.nano};
  GateContext context =
      gather(request.instrument, request.strategy, request.side, order.price, order.amount);
  context.intent = request.intent;
  context.intent_open = orders_.intent_open(request.strategy, request.intent);
  gather_parent(context, request.strategy, request.parent, request.parent_amount);
  order.valid_until = context.venue_now + setup_.engine.order_ttl;
  judged_ = {order, context};
  auto answer = gate_.approve(order, context);
  if (const auto* why = std::get_if<Refused>(&answer)) {
    return refuse_place(*why, request, order.price);
  }
  if (out.room() <= room_for_orders) {
    ++counters_.commands_dropped;
    return refused(gate_.refuse({Refusal::table_full, 0, 1}), request.strategy, request.instrument,
                   request.intent);
  }
  NewOrder fresh{order,
                 i.underlying,
                 request.intent,
                 request.decision_price,
                 request.evidence_nano,
                 {},
                 request.parent,
                 {}};
  static_cast<void>(i.exposure_usd(order.price, order.amount, context.index, fresh.reserved_usd));
  fresh.decision = decision_on(request.instrument);
  if (orders_.place(fresh, now_, context.venue_now) == nullptr) {
    return refused(gate_.refuse({Refusal::table_full, 0, 1}), request.strategy, request.instrument,
                   request.intent);
  }
  ++order_counter_;
  trace(TraceId::order_requested, static_cast<std::int64_t>(order.order.value), order.amount.nano,
        order.price.nano, request.evidence_nano, request.instrument, i.venue, request.strategy);
  push(out, Command{std::move(std::get<Approved<PlaceOrder>>(answer))});
  count_change(request.instrument, request.strategy);
}

void EngineCore::refuse_place(const Refused& why, const OrderRequest& request,
                              Price price) noexcept {
  refused(why, request.strategy, request.instrument, request.intent, price);
  ParentBook::Parent* parent = parents_.find(request.strategy, request.parent);
  if (why.reason != Refusal::parent_amount || parent == nullptr) return;
  close_parent(*parent, Qty{why.actual}, request.instrument);
}

void EngineCore::replace(const ReplaceRequest& request, Commands& out) noexcept {
  const Order* current = orders_.find(request.order);
  if (current == nullptr) {
    return refused(gate_.refuse({Refusal::order_state, 1, 0}), request.order.strategy(), {}, 0);
  }
  const Instrument& i = table_[current->instrument];
  const bool rests = (current->flags & order_flag::post_only) != 0;
  ReplaceOrder change;
  change.order = request.order;
  change.instrument = current->instrument;
  change.venue = current->venue;
  change.flags = current->flags;
  change.price =
      i.ticks.snap(request.limit, rests ? passive(current->side) : aggressive(current->side));
  change.amount = Qty{request.amount.nano - request.amount.nano % i.lot.nano};
  const Qty grown = change.amount - current->amount;
  GateContext context = gather(current->instrument, request.order.strategy(), current->side,
                               change.price, grown.nano > 0 ? grown : Qty{});
  gather_parent(context, request.order.strategy(), current->parent, {});
  change.valid_until = context.venue_now + setup_.engine.order_ttl;
  auto answer = gate_.approve(change, *current, context);
  if (const auto* why = std::get_if<Refused>(&answer)) {
    return refused(*why, request.order.strategy(), current->instrument, current->intent,
                   change.price);
  }
  Money reserved;
  static_cast<void>(i.exposure_usd(change.price, change.amount, context.index, reserved));
  if (out.room() <= room_for_orders ||
      !orders_.ask_replace(change, reserved, now_, context.venue_now)) {
    return refused(gate_.refuse({Refusal::order_state, 1, 0}), request.order.strategy(),
                   current->instrument, current->intent);
  }
  push(out, Command{std::move(std::get<Approved<ReplaceOrder>>(answer))});
  count_change(current->instrument, request.order.strategy());
}

void EngineCore::cancel(OrderId id, Commands& out) noexcept {
  const Order* order = orders_.find(id);
  if (order == nullptr || !order->open()) return;
  orders_.want_cancel(id);  // at once, or as soon as the state allows it
  if (out.room() <= 1) return;
  const OrderState before = order->state;
  if (!orders_.ask_cancel(id, now_) || before == OrderState::pending_cancel) return;
  note_cancel(order->venue);
  push(out, Command{CancelOrder{id, order->instrument, order->venue, order->adopted,
                                order->label_hash}});
  replan_ = true;
}

// --- delta ------------------------------------------------------------------------------------

std::optional<double> EngineCore::delta_price(InstrumentId id) const noexcept {
  if (!table_.contains(id)) return std::nullopt;
  const Price price = markets_[id.value].delta_price;
  if (price.nano <= 0) return std::nullopt;
  return to_double(price);
}

std::optional<double> EngineCore::coins_of(InstrumentId id, Qty amount) const noexcept {
  if (!table_.contains(id)) return std::nullopt;
  const Instrument& i = table_[id];
  if (is_option(i.kind)) {
    const OptionMark mark = portfolio_.mark(id);
    if (!mark.usable) return std::nullopt;
    return mark.delta_net * to_double(amount);
  }
  if (!is_inverse(i.kind)) return to_double(amount);
  const std::optional<double> price = delta_price(id);
  if (!price) return std::nullopt;
  return i.coins(amount, *price);
}

std::optional<ResidualDelta> EngineCore::residual(UnderlyingId u) const noexcept {
  if (u.value >= underlyings_max) return std::nullopt;
  return residual_of(u, portfolio_.risk(u));
}

std::optional<ResidualDelta> EngineCore::residual_of(UnderlyingId u,
                                                     const RiskNumbers& risk) const noexcept {
  if (!risk.complete) return std::nullopt;
  double settled = risk.delta_net.value;
  const UnderlyingSetup& setup = setup_.underlyings[u.value];
  if (setup.numeraire == Numeraire::usd) {
    const MarginReport* account = margin(setup.venue, setup.settlement);
    if (account == nullptr) return std::nullopt;
    settled += to_double(account->equity);
  }
  ResidualDelta r;
  if (!decision_nano(settled, r.settled)) return std::nullopt;
  r.expected = r.settled;
  r.worst = {r.settled, r.settled};
  std::int64_t unknown_low = 0;
  std::int64_t unknown_high = 0;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.underlying != u) continue;
    const std::optional<double> coins = coins_of(o.instrument, signed_qty(o.side, o.open_amount()));
    std::int64_t d = 0;
    if (!coins || !decision_nano(*coins, d)) return std::nullopt;
    (d < 0 ? r.worst.low : r.worst.high) += d;
    if (o.state == OrderState::unknown) {
      ++r.unknown_orders;
      (d < 0 ? unknown_low : unknown_high) += d;
    } else {
      ++r.live;
      r.expected += d;
    }
  }
  if (orders_.any_twins() && !add_twins(u, r, unknown_low, unknown_high)) return std::nullopt;
  r.unknown = {r.expected + unknown_low, r.expected + unknown_high};
  return r;
}

}  // namespace gimbal
