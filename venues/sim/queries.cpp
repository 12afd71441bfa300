// Every read of the exchange.
#include <algorithm>

#include "venues/sim/state.hpp"

namespace gimbal::sim {

std::string_view message_of(int venue_code) noexcept {
  switch (venue_code) {
    case code::ok: return "ok";
    case code::qty_too_low: return "qty_too_low";
    case code::order_overlap: return "order_overlap";
    case code::order_not_found: return "order_not_found";
    case code::price_too_low: return "price_too_low";
    case code::price_too_high: return "price_too_high";
    case code::not_enough_funds: return "not_enough_funds";
    case code::book_closed: return "book_closed";
    case code::locked_by_admin: return "locked_by_admin";
    case code::invalid_instrument: return "invalid_or_unsupported_instrument";
    case code::invalid_amount: return "invalid_amount";
    case code::invalid_price: return "invalid_price";
    case code::too_many_requests: return "too_many_requests";
    case code::not_owner_of_order: return "not_owner_of_order";
    case code::invalid_arguments_for_instrument: return "invalid_args_for_instrument";
    case code::settlement_in_progress: return "settlement_in_progress";
    case code::price_wrong_tick: return "price_wrong_tick";
    case code::can_not_cancel_liquidation: return "can_not_cancel_liquidation_order";
    case code::other_reject: return "other_reject";
    case code::not_open_order: return "not_open_order";
    case code::system_maintenance: return "system_maintenance";
    case code::post_only_reject: return "post_only_reject";
    case code::post_only_not_allowed: return "post_only_not_allowed";
    case code::account_locked: return "account_locked";
    case code::invalid_credentials: return "invalid_credentials";
    case code::unauthorized: return "unauthorized";
    case code::non_unique_order_label: return "non_unique_order_label";
    case code::cod_not_enabled: return "cod_not_enabled";
    case code::timed_out: return "timed_out";
    default: return "error";
  }
}

std::string_view text_of(CancelReason reason) noexcept {
  switch (reason) {
    case CancelReason::none: return "";
    case CancelReason::user_request: return "user_request";
    case CancelReason::autoliquidation: return "autoliquidation";
    case CancelReason::cancel_on_disconnect: return "cancel_on_disconnect";
    case CancelReason::edit_post_only_reject: return "edit_post_only_reject";
    case CancelReason::settlement: return "settlement";
    case CancelReason::self_trade: return "risk_mitigation";
    case CancelReason::remainder: return "";
    case CancelReason::reduce_only: return "risk_mitigation";
  }
  return "";
}

Price OrderInfo::average() const noexcept {
  if (filled.nano <= 0) return {};
  return Price{static_cast<std::int64_t>(divide(filled_cost, filled.nano, Rounding::nearest))};
}

const SimConfig& SimExchange::config() const noexcept { return state_->config; }
std::span<const Listing> SimExchange::instruments() const noexcept { return state_->listings; }

InstrumentIndex SimExchange::find(std::string_view name) const noexcept {
  const auto it = state_->names.find(std::string{name});
  return it == state_->names.end() ? no_instrument : it->second;
}

void SimExchange::levels(InstrumentIndex instrument, Side side, std::size_t depth,
                         std::vector<Level>& levels) const {
  if (instrument < state_->markets.size()) {
    state_->markets[instrument].book.levels(side, depth, levels);
  }
}

std::uint64_t SimExchange::change_id(InstrumentIndex i) const noexcept {
  return i < state_->markets.size() ? state_->markets[i].change_id : 0;
}
ExchTime SimExchange::book_time(InstrumentIndex i) const noexcept {
  return i < state_->markets.size() ? state_->markets[i].book_time : ExchTime{};
}
TickerInfo SimExchange::ticker(InstrumentIndex i) const {
  return i < state_->markets.size() ? state_->ticker(i) : TickerInfo{};
}
Price SimExchange::index_price(std::uint32_t product) const noexcept {
  return product < state_->products.size() ? state_->products[product].index : Price{};
}
Price SimExchange::mark_price(InstrumentIndex i) const noexcept {
  return i < state_->markets.size() ? state_->markets[i].mark : Price{};
}

std::vector<PublicTrade> SimExchange::last_trades(InstrumentIndex i, std::size_t count) const {
  if (i >= state_->markets.size()) return {};
  const auto& all = state_->markets[i].trades;
  const std::size_t n = std::min(count, all.size());
  return {all.end() - static_cast<std::ptrdiff_t>(n), all.end()};
}

const CandleSeries& SimExchange::candles(InstrumentIndex i) const noexcept {
  return state_->markets[i].candles;
}
const FundingSeries& SimExchange::funding(InstrumentIndex i) const noexcept {
  return state_->markets[i].funding_paid;
}
const std::deque<SettlementRow>& SimExchange::settlements() const noexcept {
  return state_->settlements;
}

const OrderInfo* SimExchange::order(OrderNo number) const noexcept {
  const OrderRecord* r = state_->record(number);
  return r == nullptr ? nullptr : &r->info;
}

std::vector<OrderNo> SimExchange::orders_by_label(AccountId account, std::string_view label) const {
  if (account >= state_->accounts.size()) return {};
  const auto& labels = state_->accounts[account].labels;
  const auto it = labels.find(std::string{label});
  return it == labels.end() ? std::vector<OrderNo>{} : it->second;
}

std::vector<OrderNo> SimExchange::open_orders(AccountId account) const {
  if (account >= state_->accounts.size()) return {};
  const auto& open = state_->accounts[account].open;
  return {open.begin(), open.end()};
}

std::vector<OrderNo> SimExchange::order_history(AccountId account, std::size_t count) const {
  if (account >= state_->accounts.size()) return {};
  const auto& closed = state_->accounts[account].closed;
  const std::size_t n = std::min(count, closed.size());
  return {closed.rbegin(), closed.rbegin() + static_cast<std::ptrdiff_t>(n)};
}

std::size_t SimExchange::user_trade_count() const noexcept { return state_->user_trades.size(); }
const UserTrade& SimExchange::user_trade(std::size_t index) const noexcept {
  return state_->user_trades[index];
}

std::vector<std::size_t> SimExchange::user_trades(AccountId account, TradeNo after) const {
  if (account >= state_->accounts.size()) return {};
  const auto& rows = state_->accounts[account].trades;
  const auto first = std::partition_point(rows.begin(), rows.end(), [&](std::size_t row) {
    return state_->user_trades[row].trade.number <= after;
  });
  std::vector<std::size_t> out;
  std::copy_if(first, rows.end(), std::back_inserter(out),
               [&](std::size_t row) { return !state_->user_trades[row].voided; });
  return out;
}

Position SimExchange::State::position(AccountId account, InstrumentIndex i) const {
  Position p;
  p.instrument = i;
  const Market& m = markets[i];
  p.mark = m.mark;
  p.index = products[listings[i].product].index;
  p.settlement = m.settlement;
  const Holding* h = find_holding(account, i);
  if (h == nullptr) return p;
  const Instrument& def = listings[i].def;
  const i128 owed = pending_funding(*h, i);
  p.size = Qty{h->size};
  p.average = h->average(def);
  p.floating = to_money(upl(*h, i));
  p.realized = to_money(h->realized + owed);
  p.funding = to_money(h->funding + owed);
  const double size = to_double(p.size);
  if (is_option(def.kind)) {
    const Greeks g = greeks(i);
    p.delta = size * g.delta;
    p.gamma = size * g.gamma;
    p.vega = size * g.vega;
    p.theta = size * g.theta;
  } else {
    p.size_currency = def.coins(p.size, to_double(m.mark));
    p.delta = p.size_currency;
  }
  const Requirement r = requirement(i, size);
  p.initial_margin = Money{to_nano(r.initial)};
  p.maintenance_margin = Money{to_nano(r.maintenance)};
  return p;
}

Position SimExchange::position(AccountId account, InstrumentIndex instrument) const {
  if (instrument >= state_->listings.size() || account >= state_->accounts.size()) return {};
  return state_->position(account, instrument);
}

Qty SimExchange::held(AccountId account, InstrumentIndex instrument) const noexcept {
  if (instrument >= state_->listings.size() || account >= state_->accounts.size()) return {};
  const Holding* h = state_->find_holding(account, instrument);
  return h == nullptr ? Qty{} : Qty{h->size};
}

std::vector<Position> SimExchange::positions(AccountId account) const {
  std::vector<Position> list;
  if (account >= state_->accounts.size()) return list;
  for (const InstrumentIndex i : state_->accounts[account].active) {
    if (state_->accounts[account].holdings[i].size == 0) continue;
    list.push_back(state_->position(account, i));
  }
  return list;
}

std::size_t SimExchange::State::currency_index(Currency c) const noexcept {
  return static_cast<std::size_t>(std::find(currencies.begin(), currencies.end(), c) -
                                  currencies.begin());
}

Summary SimExchange::State::summary(AccountId account, std::size_t ccy) const {
  Summary s;
  const Account& a = accounts[account];
  const Cash& cash = a.cash[ccy];
  i128 futures_upl = 0;
  i128 owed = 0;
  i128 options_value = 0;
  i128 options_pl = 0;
  for (const InstrumentIndex i : a.active) {
    const Holding& h = a.holdings[i];
    if (currency_of(i) != ccy || h.size == 0) continue;
    const Instrument& def = listings[i].def;
    const double size = static_cast<double>(h.size) * 1e-9;
    if (is_option(def.kind)) {
      const Greeks g = greeks(i);
      const double open = window_left(listings[i]);
      const bool inverse = is_inverse(def.kind);
      const double mark = inverse ? to_double(markets[i].mark) : 0;
      options_value += signed_value(def, h.size, markets[i].mark.nano);
      options_pl += signed_value(def, h.size, markets[i].mark.nano) - h.entry;
      s.options_delta += size * g.delta;
      s.options_gamma += size * g.gamma;
      s.options_vega += size * g.vega;
      s.options_theta += size * g.theta;
      s.delta_total += size * (g.delta - mark * open);
      s.projected_delta_total += size * g.delta;
    } else {
      const double coins_held = def.coins(Qty{h.size}, to_double(markets[i].mark));
      futures_upl += upl(h, i);
      owed += pending_funding(h, i);
      s.delta_total += coins_held;
      s.projected_delta_total += coins_held;
    }
  }
  const AccountMargin m = margin(account, ccy);
  const i128 rpl = cash.session_rpl + owed;
  const i128 margin_bal = cash.balance + futures_upl + rpl;
  s.currency = currencies[ccy];
  s.portfolio_margin = config.portfolio.used && coin_settled(account, ccy);
  s.balance = to_money(cash.balance);
  s.margin_balance = to_money(margin_bal);
  s.options_value = to_money(options_value);
  s.options_pl = to_money(options_pl);
  s.equity = to_money(margin_bal + options_value);
  s.initial_margin = to_money(m.initial);
  s.maintenance_margin = to_money(m.maintenance);
  s.projected_initial_margin = to_money(m.initial_positions);
  s.projected_maintenance_margin = to_money(m.maintenance);
  s.available_funds = to_money(margin_bal - m.initial);
  s.available_withdrawal_funds = to_money(std::max<i128>(cash.balance - m.initial, 0));
  s.futures_session_upl = to_money(futures_upl);
  s.futures_session_rpl = s.session_rpl = to_money(rpl);
  s.session_upl = s.futures_session_upl;
  s.total_pl = to_money(futures_upl + rpl + options_pl);
  s.fees = to_money(cash.fees);
  return s;
}

Summary SimExchange::summary(AccountId account, Currency currency) const {
  const std::size_t c = state_->currency_index(currency);
  if (account >= state_->accounts.size() || c == state_->currencies.size()) return {};
  return state_->summary(account, c);
}

std::vector<Currency> SimExchange::currencies() const { return state_->currencies; }

Ledger SimExchange::ledger(Currency currency) const {
  const State& s = *state_;
  const std::size_t c = s.currency_index(currency);
  if (c == s.currencies.size()) return {};
  Ledger l = s.ledgers[c];
  for (const Account& a : s.accounts) {
    l.accounts += a.cash[c].balance + a.cash[c].session_rpl;
    for (const InstrumentIndex i : a.active) {
      if (s.currency_of(i) != c || is_option(s.listings[i].def.kind)) continue;
      const i128 owed = s.pending_funding(a.holdings[i], i);
      l.accounts += owed - a.holdings[i].cost;
      l.rounding -= owed;
    }
  }
  return l;
}

bool SimExchange::under_liquidation(AccountId account) const noexcept {
  return account < state_->accounts.size() && state_->accounts[account].liquidating;
}
bool SimExchange::bankrupt(AccountId account) const noexcept {
  return account < state_->accounts.size() && state_->accounts[account].bankrupt;
}

Money SimExchange::margin_of(InstrumentIndex instrument, Side side, Qty amount, Price price) const {
  if (instrument >= state_->listings.size()) return {};
  const double size = to_double(signed_qty(side, amount));
  double need = state_->requirement(instrument, size).initial;
  const bool premium = is_option(state_->listings[instrument].def.kind) && side == Side::buy;
  if (premium) need = size * to_double(price);
  return Money{to_nano(need)};
}

bool SimExchange::maintenance() const noexcept { return state_->maintenance; }
bool SimExchange::settling() const noexcept { return state_->now < state_->pause_until; }
std::uint64_t SimExchange::trace_hash() const noexcept { return state_->trace; }

}  // namespace gimbal::sim
