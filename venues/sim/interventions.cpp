// What the venue does to an account against its will: it deleverages it, it takes a trade back.
#include <algorithm>

#include "venues/sim/state.hpp"

namespace gimbal::sim {

// A bankrupt account's position goes to those on its other side. That account is the house here:
// it took, we made.
Qty SimExchange::deleverage(AccountId account, InstrumentIndex i, Qty amount, Observer& out) {
  State& s = *state_;
  if (account < first_user || account >= s.accounts.size() || i >= s.listings.size()) return {};
  const Instrument& def = s.listings[i].def;
  const std::int64_t size = held(account, i).nano;
  const std::int64_t most = std::min(size < 0 ? -size : size, amount.nano) / def.lot.nano;
  if (!s.listings[i].active || most <= 0) return {};
  NewOrder o;
  o.instrument = i;
  o.side = size < 0 ? Side::buy : Side::sell;
  o.amount = Qty{most * def.lot.nano};
  // A mark of less than a tick would snap to nothing, and no trade is made at that.
  o.price = std::max(def.ticks.snap(s.markets[i].mark, passive(o.side)), def.ticks.base);
  o.reduce_only = true;
  Action a{i, out, nullptr, {}, {}};
  const OrderNo n = s.new_record(account, 0, o).info.number;
  s.orders[n - 1].info.liquidation = true;
  PublicTrade t = s.new_trade(i, opposite(o.side), o.price, o.amount);
  t.liquidation = LiquidationSide::both;
  const std::int64_t ours = signed_qty(o.side, o.amount).nano;
  i128 fee = 0;
  i128 profit = 0;
  i128 house_fee = 0;
  i128 house_profit = 0;
  s.book_trade(account, i, ours, o.price.nano, Liquidity::maker, fee, profit);
  s.book_trade(house_taker, i, -ours, o.price.nano, Liquidity::taker, house_fee, house_profit);
  s.advance_order(n, o.price, o.amount);
  s.print_trade(a, t);
  s.user_row(a, t, n, Liquidity::maker, fee, profit);
  s.trim_reduce_only(a, account);
  s.finish(a);
  return o.amount;
}

void SimExchange::State::unbook_trade(AccountId account, InstrumentIndex i, std::int64_t amount,
                                      std::int64_t price, i128 fee) {
  const Instrument& def = listings[i].def;
  book_funding(account, i);
  Holding& h = holding(account, i);
  Cash& cash = accounts[account].cash[currency_of(i)];
  const std::int64_t before = h.size < 0 ? -h.size : h.size;
  const i128 profit = h.apply(def, -amount, price);
  if (is_option(def.kind)) {
    cash.balance += signed_value(def, amount, price);
  } else {
    cash.session_rpl += profit;
  }
  markets[i].gross += (h.size < 0 ? -h.size : h.size) - before;
  cash.balance += fee;
  cash.fees -= fee;
  ledgers[currency_of(i)].fees -= fee;
}

bool SimExchange::void_trade(std::size_t row, Observer& out) {
  State& s = *state_;
  if (row >= s.user_trades.size() || s.user_trades[row].voided) return false;
  const PublicTrade t = s.user_trades[row].trade;
  if (!s.listings[t.instrument].active) return false;
  Action a{t.instrument, out, nullptr, {}, {}};
  const auto undo = [&](AccountId account, Side side, i128 fee) {
    s.unbook_trade(account, t.instrument, signed_qty(side, t.amount).nano, t.price.nano, fee);
    s.trim_reduce_only(a, account);
    a.touch_account(account);
  };
  int users = 0;
  for (std::size_t n = row == 0 ? 0 : row - 1; n < std::min(row + 2, s.user_trades.size()); ++n) {
    UserTrade& u = s.user_trades[n];
    if (u.trade.number != t.number) continue;
    u.voided = true;
    undo(u.account, u.side, u.fee.nano);
    ++users;
  }
  if (users == 1) {
    const UserTrade& u = s.user_trades[row];
    undo(u.liquidity == Liquidity::taker ? house_maker : house_taker, opposite(u.side), 0);
  }
  s.finish(a);
  return true;
}

}  // namespace gimbal::sim
