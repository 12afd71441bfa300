// What is counted over a day: profit and loss per strategy and over all (P-19), repeated executions
// (P-07), changes against trades (T-05). In integers, from fills, fees and marks.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

OrderToTrade::Group group_of(const Instrument& i) noexcept {
  return is_option(i.kind) ? OrderToTrade::Group::options : OrderToTrade::Group::futures;
}

Trip breach(TripCode code, Scope scope, std::int64_t limit, std::int64_t actual) noexcept {
  Trip t;
  t.code = code;
  t.severity = Severity::critical;
  t.latched = true;
  t.cancels = true;
  t.mode = Mode::reduce;
  t.scope = scope;
  t.limit = limit;
  t.actual = actual;
  return t;
}

}  // namespace

// The day of the venue's clock, from `day_start` after midnight UTC on. Trips of the day before
// stay.
void EngineCore::roll_day() noexcept {
  ExchTime venue_time{};
  for (std::size_t v = 0; v < venues_max && venue_time.unix_ns == 0; ++v) {
    venue_time = venue_now({static_cast<std::uint8_t>(v)});
  }
  if (venue_time.unix_ns <= 0) return;
  const std::int64_t day =
      (venue_time.unix_ns - gate_.limits().day_start.count) / trading_day.count;
  day_.runs = day;
  if (day == day_.number || (day_.held && day_.known())) return;
  const bool goes_on =
      !day_.known() && day_.carry == DayCarryState::waiting && venue_time < day_.carried_until;
  day_.number = day;
  if (goes_on) {
    day_.carry = DayCarryState::counted;
    return;
  }
  drop_carried();
  day_.peak_usd = 0;
  profits_.begin_day();
  order_to_trade_.begin_day();
}

// --- profit ------------------------------------------------------------------------------------

// The fee in the instrument's settlement currency: a venue may take it in the other one of the two.
Money EngineCore::fee_of(const Instrument& i, const Fill& fill) const noexcept {
  if (fill.fee.nano == absent_nano) return {};
  const Price index =
      i.underlying.value < underlyings_max ? coins_[i.underlying.value].index : Price{};
  const bool same = fill.fee_currency == Currency{} || fill.fee_currency == i.settlement;
  if (same || index.nano <= 0) return fill.fee;
  const i128 fee = fill.fee.nano;
  const i128 other = is_inverse(i.kind) ? divide(fee * nano_per_unit, index.nano, Rounding::up)
                                        : divide(fee * index.nano, nano_per_unit, Rounding::up);
  return fits_int64(other) ? Money{static_cast<std::int64_t>(other)} : fill.fee;
}

void EngineCore::book_fill(const Event& event, const Fill& fill) noexcept {
  const Instrument& i = table_[event.instrument];
  const bool over = i.state == InstrumentState::settled;
  if (fill.price.nano <= 0 || booked_before(event)) {
    if (!over) profits_.adopt(i, signed_qty(fill.side, fill.amount));
    return;
  }
  day_.booked = std::max(day_.booked, believed_time(event.exch, venue_now(event.venue)));
  const std::size_t owner = fill.order.valid() ? fill.order.strategy().value : ProfitLedger::house;
  profits_.trade(i, owner, signed_qty(fill.side, fill.amount), fill.price, fee_of(i, fill));
  if (over) {  // told behind the expiry, which paid for it all the same
    const Price paid = markets_[i.id.value].paid;
    profits_.settle(i, paid.nano == absent_nano ? fill.price : paid);
  }
  if (fill.liquidity == Liquidity::maker && i.underlying.value < underlyings_max) {
    std::int64_t coins = fill.amount.nano;
    if (is_inverse(i.kind) && !is_option(i.kind)) {
      const i128 worth = static_cast<i128>(fill.amount.nano) * nano_per_unit / fill.price.nano;
      coins = fits_int64(worth) ? static_cast<std::int64_t>(worth) : INT64_MAX;
    }
    order_to_trade_.maker(i.underlying, group_of(i), coins);
  }
  check_losses();
}

// Since the day began, in USD at 1e-9; what the boots before had is in dollars as last marked.
std::int64_t EngineCore::owner_profit(std::size_t owner) const noexcept {
  const auto index_of = [this](UnderlyingId u) noexcept { return coins_[u.value].index; };
  i128 usd = day_.carried_usd[owner];
  if (profits_.traded(owner)) usd += profits_.day_usd(owner, index_of);
  if (fits_int64(usd)) return static_cast<std::int64_t>(usd);
  return usd < 0 ? -INT64_MAX : INT64_MAX;
}

void EngineCore::check_losses() noexcept {
  roll_day();
  const RiskLimits& l = gate_.limits();
  // What was carried may be of a day that is over: nothing trips on it before that is known.
  const bool judged = day_.carry != DayCarryState::waiting;
  i128 all = 0;
  for (std::size_t owner = 0; owner < ProfitLedger::owners_max; ++owner) {
    const std::int64_t profit = owner_profit(owner);
    all += profit;
    if (owner == ProfitLedger::house || !judged ||
        -static_cast<i128>(profit) <= l.max_strategy_loss_usd.nano) {
      continue;
    }
    const Scope scope{ScopeLevel::strategy, static_cast<std::uint16_t>(owner)};
    if (gate_.modes().at(scope) >= Mode::reduce) continue;
    Trip t = breach(TripCode::strategy_loss, scope, l.max_strategy_loss_usd.nano, -profit);
    t.strategy = StrategyId{static_cast<std::uint8_t>(owner)};
    t.evidence = day_.number;
    trip(t);
  }
  const std::int64_t sum = fits_int64(all) ? static_cast<std::int64_t>(all)
                           : all < 0       ? -INT64_MAX
                                           : INT64_MAX;
  day_.profit_usd = sum;
  day_.peak_usd = std::max(day_.peak_usd, sum);
  if (!judged || gate_.modes().at({}) >= Mode::reduce) return;
  const i128 fall = static_cast<i128>(day_.peak_usd) - sum;
  if (-static_cast<i128>(sum) > l.max_day_loss_usd.nano) {
    Trip t = breach(TripCode::global_loss, {}, l.max_day_loss_usd.nano, -sum);
    t.evidence = day_.number;
    trip(t);
  } else if (fall > l.max_drawdown_usd.nano) {
    Trip t = breach(TripCode::drawdown, {}, l.max_drawdown_usd.nano,
                    fits_int64(fall) ? static_cast<std::int64_t>(fall) : INT64_MAX);
    t.evidence = day_.peak_usd;
    trip(t);
  }
}

// What an expiry pays: an option's intrinsic value at the delivery price, a future the price
// itself.
void EngineCore::settle_profit(const Instrument& i, Price delivery) noexcept {
  Price pays = delivery.nano > 0 ? delivery : Price{};
  if (is_option(i.kind)) {
    const i128 in_money = i.option == OptionType::call
                              ? static_cast<i128>(delivery.nano) - i.strike.nano
                              : static_cast<i128>(i.strike.nano) - delivery.nano;
    i128 value = delivery.nano > 0 && in_money > 0 ? in_money : 0;
    if (is_inverse(i.kind) && value > 0) {
      value = divide(value * nano_per_unit, delivery.nano, Rounding::nearest);
    }
    pays = Price{fits_int64(value) ? static_cast<std::int64_t>(value) : 0};
    if (delivery.nano <= 0) pays = markets_[i.id.value].mark;
  }
  profits_.settle(i, pays);
  // Told again without a price, it stays what it was.
  Price& paid = markets_[i.id.value].paid;
  if (delivery.nano > 0 || paid.nano == absent_nano) {
    paid = pays.nano > 0 || is_option(i.kind) ? pays : markets_[i.id.value].mark;
  }
  if (paid.nano <= 0 && !is_option(i.kind)) paid = Price{absent_nano};
  check_losses();
}

// --- repeats and ratio ---------------------------------------------------------------------------

void EngineCore::trip_repeats(StrategyId strategy, InstrumentId id) noexcept {
  const Scope scope{ScopeLevel::strategy, strategy.value};
  if (gate_.modes().at(scope) >= Mode::reduce) return;
  const std::int64_t allowed = gate_.limits().cycles_max;
  Trip t = breach(TripCode::cycles_repeated, scope, allowed, allowed);
  t.strategy = strategy;
  t.instrument = id;
  t.venue = table_[id].venue;
  if (const auto r = residual(table_[id].underlying)) t.evidence = r->settled;
  trip(t);
}

// `before`: the underlying's delta without the fill; empty when it was not known.
void EngineCore::judge_fill(const Order& order, Side side,
                            const std::optional<ResidualDelta>& before) noexcept {
  const std::optional<ResidualDelta> after = residual(order.underlying);
  if (!before || !after) return;
  const auto size = [](std::int64_t v) noexcept { return v < 0 ? -static_cast<i128>(v) : v; };
  const bool betters = size(after->settled) < size(before->settled);
  if (repeats_.fill(order.id.strategy(), order.underlying, side, betters, now_, gate_.limits())) {
    trip_repeats(order.id.strategy(), order.instrument);
  }
}

// An order of ours ended: a miss when it wanted to take and took nothing; one change of the book
// more when it was cancelled.
void EngineCore::judge_end(const Order& o) noexcept {
  if (o.state != OrderState::cancelled) return;
  count_change(o.instrument, o.id.strategy());
  const bool missed = o.tif == TimeInForce::immediate_or_cancel && o.filled.nano == 0 &&
                      o.venue_filled.nano == 0 && !o.adopted;
  if (missed && repeats_.miss(o.id.strategy(), o.underlying, now_, gate_.limits())) {
    trip_repeats(o.id.strategy(), o.instrument);
  }
}

void EngineCore::count_change(InstrumentId id, StrategyId strategy) noexcept {
  const Instrument& i = table_[id];
  if (i.underlying.value >= underlyings_max) return;
  const std::int64_t allowed = setup_.underlyings[i.underlying.value].order_to_trade_max;
  const OrderToTrade::Group group = group_of(i);
  order_to_trade_.change(i.underlying, group);
  const RiskLimits& l = gate_.limits();
  OrderToTrade::Count& count = *order_to_trade_.at(i.underlying, group);
  // Far from it whatever the volume is: no division on the way of an order.
  const auto least = static_cast<std::uint64_t>(allowed * l.order_to_trade_warn_permille);
  if (allowed <= 0 || count.changes * 1000 < least) return;
  const std::int64_t used = order_to_trade_.used_permille(i.underlying, group, allowed);
  const Scope scope{ScopeLevel::strategy, strategy.value};
  Trip t = breach(TripCode::order_to_trade_limit, scope, l.order_to_trade_stop_permille, used);
  t.strategy = strategy;
  t.instrument = id;
  t.venue = i.venue;
  t.evidence = static_cast<std::int64_t>(count.changes);
  if (used >= l.order_to_trade_stop_permille) {
    if (gate_.modes().at(scope) < Mode::reduce) trip(t);
  } else if (used >= l.order_to_trade_warn_permille && !count.warned) {
    count.warned = true;
    t.code = TripCode::order_to_trade_high;
    t.severity = Severity::warning;
    t.latched = t.cancels = false;
    t.mode = Mode::active;
    t.limit = l.order_to_trade_warn_permille;
    trip(t);
  }
}

}  // namespace gimbal
