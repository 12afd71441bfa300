// What the venue does to an account against its will.
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
  o.price = def.ticks.snap(s.markets[i].mark, passive(o.side));
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

}  // namespace gimbal::sim
