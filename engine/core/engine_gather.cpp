// What the gate looks at besides the order: market, account and book at this very event.
#include <algorithm>

#include "engine/core/bring_near.hpp"
#include "engine/core/engine_core.hpp"
#include "engine/core/risk/option_sanity.hpp"

namespace gimbal {
namespace {

constexpr Nanos century{INT64_MAX / 2};

Nanos age(RecvTime now, RecvTime at) noexcept {
  if (at.mono_ns == 0) return century;
  return now > at ? now - at : Nanos{};
}

}  // namespace

GateContext EngineCore::gather(InstrumentId id, StrategyId strategy, Side side, Price price,
                               Qty added, Scenarios scenarios) const noexcept {
  const Instrument& i = table_[id];
  const Market& m = markets_[id.value];
  GateContext c;
  c.instrument = &i;
  c.now = now_;
  c.venue_now = venue_now(i.venue);
  c.mode = gate_.modes().effective({i.venue, strategy, i.underlying, id});
  const bool known_venue = i.venue.value < venues_max;
  c.gateway_ready = known_venue && venues_[i.venue.value].gateway == GatewayState::ready;
  c.reconciled = known_venue && venues_[i.venue.value].reconciled;
  c.growth_blocked = growth_blocked(id, strategy);
  c.late_ns = late_on(id);
  c.late_max = setup_.budget.tick_to_order;
  c.self_match = meets_own(id, side, price);
  c.mark = m.mark;
  c.mark_age = age(now_, m.mark_at);
  c.quote_age = age(now_, m.data_at);
  c.position = portfolio_.position(id);
  c.exposure = orders_.exposure(id);
  c.open_orders = orders_.open_count();
  c.open_orders_table_max = orders_.open_max();
  c.open_usd = orders_.reserved_usd();
  c.venue_open_usd = orders_.reserved_usd(i.venue);
  c.strategy = strategy;
  if (envelopes_.used()) {
    c.modules_late = envelopes_.late(now_);
    c.envelope = envelopes_.cap(id);
  }
  if (i.underlying.value >= underlyings_max) return c;
  const Coin& coin = coins_[i.underlying.value];
  c.index = coin.index;
  c.index_age = age(now_, coin.index_at);
  c.hedge_instrument = setup_.underlyings[i.underlying.value].hedge == id;
  gather_delta(c, i.underlying, signed_qty(side, added), scenarios);
  return c;
}

void EngineCore::gather_delta(GateContext& c, UnderlyingId u, Qty signed_added,
                              Scenarios scenarios) const noexcept {
  const bool option = is_option(c.instrument->kind);
  OptionMark mark;
  if (option) {
    mark = portfolio_.mark(c.instrument->id);
    if (markets_[c.instrument->id.value].insane_vol) c.option.insane = GreekKind::volatility;
    if (!mark.usable) return;
    if (c.option.insane == GreekKind::none) {
      c.option = OptionSanity::judge(mark, *c.instrument, gate_.limits());
    }
  }
  const RiskNumbers& risk = portfolio_.risk(u);
  const std::optional<ResidualDelta> residual_now = residual_of(u, risk);
  const std::optional<double> order_coins =
      option ? mark.delta_net * to_double(signed_added) : coins_of(c.instrument->id, signed_added);
  if (!residual_now || !order_coins) return;
  if (!decision_nano(*order_coins, c.order_delta)) return;
  c.delta = residual_now->worst;
  c.gross_delta = coins_[u.value].gross + (c.delta.high - c.delta.low);
  c.delta_known = true;
  gather_greeks(c, u, risk, mark, signed_added);
  if (scenarios == Scenarios::yes && gate_.limits().max_scenario_loss_bps > 0) {
    gather_scenarios(c, risk, signed_added);
  }
}

// Gamma, vega and the age of the Greeks: the book, what open and unknown orders may add both ways,
// and the order's own share.
void EngineCore::gather_greeks(GateContext& c, UnderlyingId u, const RiskNumbers& risk,
                               const OptionMark& mark, Qty signed_added) const noexcept {
  const BookGreeks book = book_greeks(risk, c.index);
  c.greeks_stale = greeks_stale(risk);
  c.gamma_usd = book.gamma_usd;
  c.vega_usd = book.vega_usd;
  c.options_delta = book.options_delta;
  c.delta_known = book.known;
  const RiskLimits& limits = gate_.limits();
  if (limits.max_gamma_usd.nano == 0 && limits.max_vega_usd.nano == 0) return;
  const double index = to_double(c.index);
  const double percent = index * index * 0.01;
  if (is_option(c.instrument->kind)) {
    const double amount = to_double(signed_added);
    c.delta_known = c.delta_known &&
                    decision_nano(mark.gamma * amount * percent, c.order_gamma_usd) &&
                    decision_nano(mark.vega * amount * 0.01, c.order_vega_usd);
  }
  for (std::size_t n = 0; n < orders_.listed() && c.delta_known; ++n) {
    const Order& o = orders_.open_order(n);
    if (o.underlying != u || !is_option(table_[o.instrument].kind)) continue;
    const OptionMark open = portfolio_.mark(o.instrument);
    const double amount = to_double(signed_qty(o.side, o.open_amount()));
    std::int64_t gamma = 0;
    std::int64_t vega = 0;
    c.delta_known = open.usable && decision_nano(open.gamma * amount * percent, gamma) &&
                    decision_nano(open.vega * amount * 0.01, vega);
    (gamma < 0 ? c.gamma_open.low : c.gamma_open.high) += gamma;
    (vega < 0 ? c.vega_open.low : c.vega_open.high) += vega;
  }
}

OrderId EngineCore::look_over(UnderlyingId u, StrategyId strategy) const noexcept {
  const OrderId next = make_order_id(boot_.epoch, strategy, order_counter_ + 1);
  if (u.value >= underlyings_max) return next;
  const InstrumentId hedge = setup_.underlyings[u.value].hedge;
  const Market* m = market(hedge);
  if (m == nullptr || m->book == nullptr) return next;
  const Instrument& i = table_[hedge];
  const GateContext c = gather(hedge, strategy, Side::buy, m->mark, i.lot, Scenarios::no);
  std::array<CheckVerdict, pure_checks_max> verdicts;
  const OrderFacts order{hedge, Side::buy, {}, m->mark, i.lot, i.lot, false, true};
  work_out(pure_verdicts(order, c, gate_.limits(), verdicts));
  m->book->look_over();
  if (m->outliers != nullptr) bring_near(*m->outliers);
  portfolio_.look_over(u);
  orders_.look_over(next);
  gate_.look_over(i.venue);
  bring_near(judged_);
  bring_near(counters_);
  bring_near(&started_, line_bytes);
  bring_near(&replan_, line_bytes);
  return next;
}

bool EngineCore::meets_own(InstrumentId id, Side side, Price price) const noexcept {
  const Exposure& e = orders_.exposure(id);
  if ((side == Side::buy ? e.worst_sell() : e.worst_buy()).nano == 0) return false;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.instrument != id || o.side == side || !o.open()) continue;
    const Price theirs = side == Side::buy
                             ? std::min(o.price, o.new_amount.nano > 0 ? o.new_price : o.price)
                             : std::max(o.price, o.new_amount.nano > 0 ? o.new_price : o.price);
    if (side == Side::buy ? price >= theirs : price <= theirs) return true;
  }
  return false;
}

bool EngineCore::growth_blocked(InstrumentId id, StrategyId strategy) const noexcept {
  return growth_held(id, strategy) || late_on(id) > 0;
}

bool EngineCore::growth_held(InstrumentId id, StrategyId strategy) const noexcept {
  const Market* m = market(id);
  if (m == nullptr || monitor_pause_) return true;
  if (m->lost || m->wants_quote || m->drift_since.mono_ns != 0) return true;
  const Instrument& i = table_[id];
  if (quality_blocks(i)) return true;
  if (pauses_.blocks(OrderScopes{i.venue, strategy, i.underlying, id}, now_)) return true;
  if (orders_.exposure(id).unknown == 0) return false;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.instrument == id && o.state == OrderState::unknown &&
        now_ - o.unknown_since > setup_.engine.orders.unknown_pause) {
      return true;
    }
  }
  return false;
}

}  // namespace gimbal
