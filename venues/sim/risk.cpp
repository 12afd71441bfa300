// Margin, liquidation, daily settlement and delivery.
#include <algorithm>
#include <vector>

#include "venues/sim/portfolio_margin.hpp"
#include "venues/sim/state.hpp"

namespace gimbal::sim {
namespace {

constexpr double healthy = 1.1;  // a liquidation stops this far above the maintenance margin

i128 ceil_nano(double value) noexcept {
  const std::int64_t nano = to_nano(value);
  return static_cast<double>(nano) * 1e-9 < value ? nano + 1 : nano;
}

}  // namespace

Requirement SimExchange::State::requirement(InstrumentIndex i, double size) const noexcept {
  const Instrument& def = listings[i].def;
  const Market& m = markets[i];
  if (!is_option(def.kind)) {
    return futures_margin(def, margin_rates(listings[i].base), size, to_double(m.mark),
                          index_of(i));
  }
  return option_margin(def, size, to_double(m.mark), m.forward, index_of(i));
}

// The worse outcome of the open orders: all buys or all sells done. Bought options cost their mark.
double SimExchange::State::initial_with_orders(InstrumentIndex i, const Holding& h) const noexcept {
  const double size = static_cast<double>(h.size) * 1e-9;
  const double up = size + static_cast<double>(h.open_buys) * 1e-9;
  const double down = size - static_cast<double>(h.open_sells) * 1e-9;
  const double worst = std::max(requirement(i, size).initial, requirement(i, down).initial);
  if (!is_option(listings[i].def.kind)) return std::max(worst, requirement(i, up).initial);
  return worst + (std::max(up, 0.0) - std::max(size, 0.0)) * to_double(markets[i].mark);
}

bool SimExchange::State::coin_settled(AccountId account, std::size_t ccy) const noexcept {
  const Account& a = accounts[account];
  for (const ProductConfig& p : config.products) {
    if (p.linear && currency(p.settlement) == currencies[ccy]) return false;
  }
  return std::all_of(a.active.begin(), a.active.end(), [&](InstrumentIndex i) {
    return currency_of(i) != ccy || is_inverse(listings[i].def.kind);
  });
}

// The whole account's; open orders are added by standard margin.
Requirement SimExchange::State::portfolio_requirement(AccountId account, std::size_t ccy) const {
  const Account& a = accounts[account];
  std::vector<PortfolioLeg> legs;
  double index = 0;
  for (const InstrumentIndex i : a.active) {
    const Holding& h = a.holdings[i];
    const Instrument& def = listings[i].def;
    if (currency_of(i) != ccy || h.size == 0 || !listings[i].active) continue;
    const Market& m = markets[i];
    PortfolioLeg leg;
    leg.option = is_option(def.kind);
    leg.amount = static_cast<double>(h.size) * 1e-9;
    leg.expiry = def.expiry.unix_ns;
    leg.years = static_cast<double>((def.expiry - now).count) / ns_per_year;
    if (leg.option) {
      leg.black = {def.option == OptionType::call, m.forward, to_double(def.strike), m.years,
                   m.vol};
      leg.delta = leg.amount * (m.greeks.delta - black_value(leg.black) / m.forward);
    } else {
      leg.black.forward = to_double(m.mark);
      leg.delta = leg.amount / leg.black.forward;
    }
    index = index_of(i);
    legs.push_back(leg);
  }
  if (legs.empty() || !(index > 0)) return {};
  return portfolio_margin(legs, config.portfolio, index);
}

AccountMargin SimExchange::State::margin(AccountId account, std::size_t ccy) const {
  const Account& a = accounts[account];
  double initial = 0;
  double positions_only = 0;
  double maintenance_sum = 0;
  for (const InstrumentIndex i : a.active) {
    const Holding& h = a.holdings[i];
    if (currency_of(i) != ccy || h.idle() || !listings[i].active) continue;
    const Requirement r = requirement(i, static_cast<double>(h.size) * 1e-9);
    positions_only += r.initial;
    maintenance_sum += r.maintenance;
    initial += initial_with_orders(i, h);
  }
  if (config.portfolio.used && coin_settled(account, ccy)) {
    const Requirement whole = portfolio_requirement(account, ccy);
    const double orders_add = std::max(initial - positions_only, 0.0);
    return {ceil_nano(whole.initial + orders_add), ceil_nano(whole.initial),
            ceil_nano(whole.maintenance)};
  }
  return {ceil_nano(initial), ceil_nano(positions_only), ceil_nano(maintenance_sum)};
}

i128 SimExchange::State::upl(const Holding& h, InstrumentIndex i) const noexcept {
  return signed_value(listings[i].def, h.size, markets[i].mark.nano) - h.cost;
}

i128 SimExchange::State::margin_balance(AccountId account, std::size_t ccy) const {
  const Account& a = accounts[account];
  i128 sum = a.cash[ccy].balance + a.cash[ccy].session_rpl;
  for (const InstrumentIndex i : a.active) {
    if (currency_of(i) != ccy || is_option(listings[i].def.kind)) continue;
    const Holding& h = a.holdings[i];
    if (h.size != 0) sum += upl(h, i) + pending_funding(h, i);
  }
  return sum;
}

void SimExchange::State::check_margins(Observer& out) {
  for (AccountId account = first_user; account < accounts.size(); ++account) {
    for (std::size_t ccy = 0; ccy < currencies.size(); ++ccy) liquidate(account, ccy, out);
  }
}

// Starts, continues or ends the liquidation of one account in one currency.
void SimExchange::State::liquidate(AccountId account, std::size_t ccy, Observer& out) {
  Account& a = accounts[account];
  const AccountMargin m = margin(account, ccy);
  const i128 equity = margin_balance(account, ccy);
  auto& busy = a.liquidating_in[ccy];
  if (busy == 0) {
    if (equity >= m.maintenance || (m.maintenance == 0 && equity >= 0)) return;
    busy = 1;
    a.liquidating = true;
    const std::vector<OrderNo> open(a.open.begin(), a.open.end());
    for (const OrderNo n : open) {
      if (currency_of(orders[n - 1].info.instrument) == ccy) {
        cancel_one(n, CancelReason::autoliquidation, out);
      }
    }
    out.on_liquidation(account, true, false);
  }
  const double target = static_cast<double>(m.maintenance) * healthy;
  const bool safe = static_cast<double>(equity) >= target && equity >= 0;
  if (!safe && liquidation_slice(account, ccy, out)) return;
  if (!safe && margin(account, ccy).maintenance > 0) return;  // no counterparty yet: try again
  const i128 left = margin_balance(account, ccy);
  const bool broke = left < 0;
  if (broke) {
    a.bankrupt = true;
    a.cash[ccy].balance -= left;
    ledgers[ccy].insurance += left;
  }
  busy = 0;
  a.liquidating =
      std::find(a.liquidating_in.begin(), a.liquidating_in.end(), 1) != a.liquidating_in.end();
  out.on_liquidation(account, a.liquidating, broke);
  out.on_user_portfolio(account, currencies[ccy]);
}

// Sends one slice of the position with the largest requirement at the price bound. False when the
// account has nothing to close.
bool SimExchange::State::liquidation_slice(AccountId account, std::size_t ccy, Observer& out) {
  Account& a = accounts[account];
  InstrumentIndex worst = no_instrument;
  double most = 0;
  for (const InstrumentIndex i : a.active) {
    const Holding& h = a.holdings[i];
    if (currency_of(i) != ccy || h.size == 0 || !listings[i].active) continue;
    const double need = requirement(i, static_cast<double>(h.size) * 1e-9).maintenance;
    if (need > most) {
      most = need;
      worst = i;
    }
  }
  if (worst == no_instrument) return false;
  const Instrument& def = listings[worst].def;
  const std::int64_t size = a.holdings[worst].size;
  const std::int64_t held = size < 0 ? -size : size;
  const double part = static_cast<double>(held) * config.liquidation_slice;
  const std::int64_t lots = static_cast<std::int64_t>(part) / def.lot.nano + 1;
  const Qty amount{std::min(held, lots * def.lot.nano)};
  NewOrder o;
  o.instrument = worst;
  o.side = size < 0 ? Side::buy : Side::sell;
  o.tif = TimeInForce::immediate_or_cancel;
  o.amount = amount;
  o.reduce_only = true;
  Price low;
  Price high;
  bounds(worst, low, high);
  o.price = o.side == Side::buy ? high : low;
  Action act{worst, out, nullptr, {}, {}};
  OrderRecord& r = new_record(account, 0, o);
  r.info.liquidation = true;
  execute(act, r, amount);
  finish(act);
  return true;
}

void SimExchange::State::settle(Observer& out) {
  for (const Listing& l : listings) {
    if (l.active && l.def.expiry.unix_ns != 0 && l.def.expiry <= now) deliver(l.index, out);
  }
  settle_session(out);
  for (ProductState& p : products) {
    p.averaged = 0;
    p.samples = 0;
  }
  settlement_at = next_settlement(now);
  pause_until = now + config.settlement_pause;
  for (std::uint32_t p = 0; p < products.size(); ++p) list_calendar(p, out);
}

void SimExchange::State::note_settlement(SettlementRow row) {
  settlements.push_back(row);
  if (settlements.size() > kept_settlements_max) settlements.pop_front();
}

void SimExchange::State::deliver(InstrumentIndex i, Observer& out) {
  Listing& l = listings[i];
  Market& m = markets[i];
  const std::size_t ccy = currency_of(i);
  const std::int64_t price = delivery_price(l.product).nano;
  std::int64_t worth = price;  // of one unit: futures settle at the price, options at the payoff
  if (is_option(l.def.kind)) {
    const bool call = l.def.option == OptionType::call;
    const std::int64_t deep = call ? price - l.def.strike.nano : l.def.strike.nano - price;
    worth = std::max<std::int64_t>(deep, 0);
    if (is_inverse(l.def.kind)) {
      worth = static_cast<std::int64_t>(
          divide(static_cast<i128>(worth) * nano_per_unit, price, Rounding::nearest));
    }
  }
  for (AccountId account = first_user; account < accounts.size(); ++account) {
    const std::vector<OrderNo> open(accounts[account].open.begin(), accounts[account].open.end());
    for (const OrderNo n : open) {
      if (orders[n - 1].info.instrument == i) cancel_one(n, CancelReason::settlement, out);
    }
  }
  note_settlement({now, i, no_account, true, Qty{m.gross / 2}, Price{worth}, Price{price}, {}, {}});
  for (AccountId account = 0; account < accounts.size(); ++account) {
    if (find_holding(account, i) == nullptr) continue;
    Holding& h = accounts[account].holdings[i];
    if (h.size == 0) continue;
    if (account >= first_user) {
      const Money profit = to_money(signed_value(l.def, h.size, worth) - h.cost);
      note_settlement(
          {now, i, account, true, Qty{h.size}, Price{worth}, Price{price}, profit, profit});
    }
    Cash& cash = accounts[account].cash[ccy];
    const i128 value = signed_value(l.def, h.size, worth);
    ledgers[ccy].rounding -= value;
    if (is_option(l.def.kind)) {
      cash.balance += value;
      if (account >= first_user && l.period != Period::day) {
        const i128 fee = delivery_fee_of(l.def, h.size, worth, price);
        cash.balance -= fee;
        cash.fees += fee;
        ledgers[ccy].fees += fee;
      }
    } else {
      cash.session_rpl += value - h.cost;
    }
    h.size = 0;
    h.cost = h.entry = 0;
    if (account >= first_user) out.on_user_portfolio(account, currencies[ccy]);
  }
  for (auto& ladder : m.ladder) {
    for (const Book::Handle& handle : ladder) {
      if (m.book.alive(handle)) m.book.remove(handle.slot);
    }
    ladder.clear();
  }
  m.gross = 0;
  m.delivery = Price{price};
  l.active = false;
  l.state = ListingState::settled;
  l.def.state = InstrumentState::settled;
  flush_book(i, out);
  hash(static_cast<std::uint64_t>(price) ^ i);
  out.on_instrument_state(i, ListingState::settled);
}

// Realised and unrealised session results move to the balance; costs are re-based to the mark.
void SimExchange::State::settle_session(Observer& out) {
  mark_all_futures();
  for (InstrumentIndex i = 0; i < listings.size(); ++i) {
    if (listings[i].active && is_option(listings[i].def.kind)) mark_option(i);
    if (!listings[i].active) continue;
    markets[i].settlement = markets[i].mark;
    if (is_option(listings[i].def.kind)) continue;
    note_settlement({now,
                     i,
                     no_account,
                     false,
                     Qty{markets[i].gross / 2},
                     markets[i].mark,
                     products[listings[i].product].index,
                     {},
                     {}});
  }
  for (AccountId account = 0; account < accounts.size(); ++account) {
    Account& a = accounts[account];
    for (const InstrumentIndex i : a.active) {
      book_funding(account, i);
      Holding& h = a.holdings[i];
      h.realized = h.funding = 0;
      if (is_option(listings[i].def.kind) || h.size == 0) continue;
      if (account >= first_user) {
        const Money open_profit = to_money(upl(h, i));
        note_settlement({now, i, account, false, Qty{h.size}, markets[i].mark,
                         products[listings[i].product].index, open_profit, open_profit});
      }
      a.cash[currency_of(i)].balance += upl(h, i);
      h.cost = signed_value(listings[i].def, h.size, markets[i].mark.nano);
    }
    for (std::size_t c = 0; c < currencies.size(); ++c) {
      a.cash[c].balance += a.cash[c].session_rpl;
      a.cash[c].session_rpl = 0;
      if (account >= first_user) out.on_user_portfolio(account, currencies[c]);
    }
  }
}

void SimExchange::State::list_calendar(std::uint32_t product, Observer& out) {
  for (const CalendarEntry& e : expiry_calendar(now, config.products[product].expiries)) {
    list_expiry(product, e, out);
  }
}

std::size_t SimExchange::State::list_expiry(std::uint32_t product, const CalendarEntry& e,
                                            Observer& out) {
  if (e.at <= now || product >= products.size()) return 0;
  const ProductConfig& p = config.products[product];
  const ProductState& s = products[product];
  const ListingContext c{p, product, UnderlyingId{static_cast<std::uint8_t>(s.coin)}, now};
  std::size_t count = 0;
  const auto add = [&](Listing&& l) {
    if (names.find(l.name) != names.end()) return;
    list(std::move(l), out);
    ++count;
  };
  for (const Listing& l : listings) {  // an expiry keeps the strikes it was listed with
    if (l.product == product && l.def.expiry == e.at && is_option(l.def.kind)) return 0;
  }
  if (p.futures && e.period != Period::day) add(future_listing(c, e));
  const double years = static_cast<double>((e.at - now).count) / ns_per_year;
  const double forward = to_double(s.index);
  for (const double strike : strike_ladder(forward, coins[s.coin].config.vol, years, p.strikes)) {
    add(option_listing(c, e, strike, OptionType::call));
    add(option_listing(c, e, strike, OptionType::put));
  }
  return count;
}

}  // namespace gimbal::sim
