// Matching against the book, and what a fill does to both accounts.
#include <algorithm>

#include "venues/sim/black.hpp"
#include "venues/sim/state.hpp"

namespace gimbal::sim {

void Action::touch_order(OrderNo n) {
  if (n == 0 || std::find(orders.begin(), orders.end(), n) != orders.end()) return;
  orders.push_back(n);
}

void Action::touch_account(AccountId a) {
  if (a < first_user || std::find(accounts.begin(), accounts.end(), a) != accounts.end()) return;
  accounts.push_back(a);
}

Holding& SimExchange::State::holding(AccountId account, InstrumentIndex i) {
  Account& a = accounts[account];
  if (a.holdings.size() <= i) a.holdings.resize(listings.size());
  if (!std::binary_search(a.active.begin(), a.active.end(), i)) {
    a.active.insert(std::lower_bound(a.active.begin(), a.active.end(), i), i);
    a.holdings[i].funding_mark = markets[i].funding_sum;
  }
  return a.holdings[i];
}

const Holding* SimExchange::State::find_holding(AccountId account,
                                                InstrumentIndex i) const noexcept {
  const auto& list = accounts[account].holdings;
  return i < list.size() ? &list[i] : nullptr;
}

i128 SimExchange::State::pending_funding(const Holding& h, InstrumentIndex i) const noexcept {
  if (h.size == 0 || !is_perpetual(listings[i].def.kind)) return 0;
  const i128 held = h.size < 0 ? -static_cast<i128>(h.size) : h.size;
  const i128 grown = markets[i].funding_sum - h.funding_mark;
  const i128 paid = divide(held * grown, funding_scale(listings[i].def), Rounding::nearest);
  return h.size < 0 ? paid : -paid;
}

void SimExchange::State::book_funding(AccountId account, InstrumentIndex i) {
  Holding& h = holding(account, i);
  const i128 received = pending_funding(h, i);
  h.funding_mark = markets[i].funding_sum;
  if (received == 0) return;
  h.funding += received;
  h.realized += received;
  accounts[account].cash[currency_of(i)].session_rpl += received;
  ledgers[currency_of(i)].rounding -= received;
}

void SimExchange::State::book_trade(AccountId account, InstrumentIndex i, std::int64_t amount,
                                    std::int64_t price, Liquidity side, i128& fee, i128& profit) {
  const Instrument& def = listings[i].def;
  book_funding(account, i);
  Holding& h = holding(account, i);
  Cash& cash = accounts[account].cash[currency_of(i)];
  const std::int64_t before = h.size < 0 ? -h.size : h.size;
  if (is_option(def.kind)) {
    cash.balance -= signed_value(def, amount, price);
    profit = h.apply(def, amount, price);
  } else {
    profit = h.apply(def, amount, price);
    cash.session_rpl += profit;
  }
  markets[i].gross += (h.size < 0 ? -h.size : h.size) - before;
  fee = 0;
  if (account < first_user) return;  // the house trades free
  const std::int64_t size = amount < 0 ? -amount : amount;
  fee = fee_of(def, side, size, price, products[listings[i].product].index.nano);
  const i128 charged = fee + config.misbooked_fee.nano;
  cash.balance -= charged;
  cash.fees += charged;
  ledgers[currency_of(i)].fees += charged;
}

void SimExchange::State::print_trade(Action& a, PublicTrade t) {
  Market& m = markets[t.instrument];
  if (m.last.nano > 0) {
    const bool flat = t.price == m.last;
    const bool was_up = m.tick == TickDirection::plus || m.tick == TickDirection::zero_plus;
    const bool up = flat ? was_up : t.price > m.last;
    m.tick = up ? (flat ? TickDirection::zero_plus : TickDirection::plus)
                : (flat ? TickDirection::zero_minus : TickDirection::minus);
  }
  t.tick = m.tick;
  m.last = t.price;
  if (m.first.nano <= 0) m.first = t.price;
  if (m.high.nano <= 0 || t.price > m.high) m.high = t.price;
  if (m.low.nano <= 0 || t.price < m.low) m.low = t.price;
  m.volume += t.amount;
  Money usd;
  const Instrument& def = listings[t.instrument].def;
  if (def.notional_usd(t.price, t.amount, t.index, usd)) m.volume_usd += to_double(usd);
  const double traded = is_option(def.kind) || !is_inverse(def.kind)
                            ? to_double(t.amount)
                            : to_double(t.amount) / to_double(t.price);
  m.candles.add(t.time, t.price, traded, to_double(usd));
  m.trades.push_back(t);
  if (m.trades.size() > kept_trades_max) m.trades.pop_front();
  hash(t.number);
  hash(static_cast<std::uint64_t>(t.price.nano));
  hash(static_cast<std::uint64_t>(t.amount.nano) ^ t.instrument);
  a.out.on_trade(t);
}

void SimExchange::State::user_row(Action& a, const PublicTrade& t, OrderNo order, Liquidity side,
                                  i128 fee, i128 profit) {
  const OrderInfo& o = orders[order - 1].info;
  UserTrade row;
  row.trade = t;
  row.trade.tick = markets[t.instrument].tick;
  row.account = o.account;
  row.order = order;
  row.side = o.side;
  row.liquidity = side;
  row.state = o.state;
  row.type = o.type;
  row.post_only = o.post_only;
  row.reduce_only = o.reduce_only;
  row.fee = to_money(fee);
  row.profit = to_money(profit);
  row.currency = listings[t.instrument].def.settlement;
  if (is_option(listings[t.instrument].def.kind)) {
    row.underlying = Price{to_nano(markets[t.instrument].forward)};
  }
  row.label = o.label;
  accounts[o.account].trades.push_back(user_trades.size());
  if (a.result != nullptr && side == Liquidity::taker) {
    a.result->trades.push_back(user_trades.size());
  }
  user_trades.push_back(std::move(row));
  hash(static_cast<std::uint64_t>(fee));
  hash(static_cast<std::uint64_t>(profit));
  a.touch_order(order);
  a.touch_account(o.account);
  a.out.on_user_trade(user_trades.back());
}

PublicTrade SimExchange::State::new_trade(InstrumentIndex i, Side taker, Price price, Qty amount) {
  Market& m = markets[i];
  const Instrument& def = listings[i].def;
  PublicTrade t;
  t.number = ++trade_counter;
  t.seq = ++m.trade_seq;
  t.instrument = i;
  t.time = now;
  t.price = price;
  t.amount = amount;
  t.taker = taker;
  t.index = products[listings[i].product].index;
  t.mark = m.mark;
  if (is_option(def.kind)) {
    const BlackInput in{def.option == OptionType::call, m.forward, to_double(def.strike), m.years,
                        m.vol};
    const double unit = def.kind == InstrumentKind::linear_option ? 1 : m.forward;
    t.iv_percent = round_to(black_implied_vol(in, to_double(t.price) * unit) * 100, 2);
  }
  return t;
}

void SimExchange::State::advance_order(OrderNo n, Price price, Qty amount) {
  OrderRecord& r = orders[n - 1];
  r.info.filled += amount;
  r.info.filled_cost += static_cast<i128>(price.nano) * amount.nano;
  r.info.updated = now;
  if (r.info.filled < r.info.amount) return;
  r.info.state = OrderState::filled;
  accounts[r.info.account].open.erase(n);
  accounts[r.info.account].closed.push_back(n);
}

void SimExchange::State::fill(Action& a, const TakerOrder& taker, Book::Slot slot, Qty amount) {
  const InstrumentIndex i = a.instrument;
  Market& m = markets[i];
  const Book::Resting maker = m.book.at(slot);
  PublicTrade t = new_trade(i, taker.side, Price{maker.price}, amount);
  t.liquidation = taker.liquidation ? LiquidationSide::taker : LiquidationSide::none;
  const std::int64_t signed_amount = signed_qty(taker.side, amount).nano;
  i128 maker_fee = 0;
  i128 maker_profit = 0;
  i128 taker_fee = 0;
  i128 taker_profit = 0;
  book_trade(maker.account, i, -signed_amount, maker.price, Liquidity::maker, maker_fee,
             maker_profit);
  book_trade(taker.account, i, signed_amount, maker.price, Liquidity::taker, taker_fee,
             taker_profit);
  if (maker.order != 0) {
    Holding& h = holding(maker.account, i);
    (maker.side == Side::buy ? h.open_buys : h.open_sells) -= amount.nano;
    OrderRecord& r = orders[maker.order - 1];
    advance_order(maker.order, t.price, amount);
    if (r.info.state == OrderState::filled) {
      r.slot = Book::none;
      if (r.info.reduce_only) --h.reduce_only_orders;
    }
  }
  if (taker.order != 0) advance_order(taker.order, t.price, amount);
  m.book.reduce(slot, amount);
  print_trade(a, t);
  if (maker.order != 0) user_row(a, t, maker.order, Liquidity::maker, maker_fee, maker_profit);
  if (taker.order != 0) user_row(a, t, taker.order, Liquidity::taker, taker_fee, taker_profit);
  trim_reduce_only(a, maker.account);
  trim_reduce_only(a, taker.account);
}

Qty SimExchange::State::sweep(Action& a, const TakerOrder& taker) {
  Book& book = markets[a.instrument].book;
  const Side resting = opposite(taker.side);
  Qty done{};
  while (done < taker.amount) {
    const Book::Slot slot = book.front(resting);
    if (slot == Book::none) break;
    const Book::Resting& r = book.at(slot);
    if (!crosses(taker.side, taker.limit, Price{r.price})) break;
    if (r.account == taker.account) {
      // Users are checked before (reject_taker) or lose the resting order (cancel_maker); the
      // house never meets itself, but must not loop if a config makes its quotes touch.
      if (r.order == 0) break;
      close_order(a, orders[r.order - 1], OrderState::cancelled, CancelReason::self_trade);
      continue;
    }
    const Qty amount{std::min(taker.amount.nano - done.nano, r.remaining)};
    fill(a, taker, slot, amount);
    done += amount;
  }
  return done;
}

// After a fill moved a position, reduce_only orders that no longer reduce it go or shrink.
void SimExchange::State::trim_reduce_only(Action& a, AccountId account) {
  if (account < first_user) return;
  const Holding& h = holding(account, a.instrument);
  if (h.reduce_only_orders == 0) return;
  const std::vector<OrderNo> open(accounts[account].open.begin(), accounts[account].open.end());
  for (const OrderNo n : open) {
    OrderRecord& r = orders[n - 1];
    if (!r.info.reduce_only || r.info.instrument != a.instrument || r.slot == Book::none) continue;
    const std::int64_t left = r.info.side == Side::buy ? -h.size : h.size;
    const std::int64_t resting = r.info.amount.nano - r.info.filled.nano;
    if (left <= 0) {
      close_order(a, r, OrderState::cancelled, CancelReason::reduce_only);
    } else if (resting > left) {
      const Qty cut{resting - left};
      markets[a.instrument].book.reduce(r.slot, cut);
      Holding& mine = holding(account, a.instrument);
      (r.info.side == Side::buy ? mine.open_buys : mine.open_sells) -= cut.nano;
      r.info.amount -= cut;
      r.info.updated = now;
      a.touch_order(n);
    }
  }
}

}  // namespace gimbal::sim
