// The order calls: admission, checks in the venue's order, execution, edit and cancel.
#include <algorithm>

#include "venues/sim/state.hpp"

namespace gimbal::sim {

int SimExchange::State::admit(AccountId account, RequestClass kind, bool& terminate) {
  if (account < first_user || account >= accounts.size()) return code::unauthorized;
  auto& bucket = accounts[account].buckets[static_cast<std::size_t>(kind)];
  if (config.enforce_rates && !bucket.take(now)) {
    terminate = true;
    return code::too_many_requests;
  }
  if (maintenance) return code::system_maintenance;
  if (now < pause_until) return code::settlement_in_progress;
  return code::ok;
}

int SimExchange::State::check_amount(const Listing& l, Qty amount) const noexcept {
  if (amount.nano <= 0 || amount < l.def.amount_min) return code::qty_too_low;
  return amount.nano % l.def.lot.nano == 0 ? code::ok : code::invalid_amount;
}

// Beyond the bound the price is moved to it; far beyond (ten band widths of a future) is refused.
int SimExchange::State::clamp_price(InstrumentIndex i, Side side, Price& price,
                                    Price& limit_shown) const noexcept {
  Price low;
  Price high;
  bounds(i, low, high);
  const std::int64_t width = high.nano - markets[i].mark.nano;
  const bool future = !is_option(listings[i].def.kind);
  if (side == Side::buy && price > high) {
    if (future && price.nano - markets[i].mark.nano > 10 * width) {
      limit_shown = high;
      return code::price_too_high;
    }
    price = high;
  }
  if (side == Side::sell && price < low) {
    if (future && markets[i].mark.nano - price.nano > 10 * width) {
      limit_shown = low;
      return code::price_too_low;
    }
    price = low;
  }
  return code::ok;
}

// Clips `amount` to what reduces the position; false when nothing does.
bool SimExchange::State::reduce_amount(AccountId account, InstrumentIndex i, Side side,
                                       Qty& amount) const noexcept {
  const Holding* h = find_holding(account, i);
  const std::int64_t size = h == nullptr ? 0 : h->size;
  const std::int64_t left = side == Side::buy ? -size : size;
  if (left <= 0) return false;
  amount = Qty{std::min(amount.nano, left)};
  return true;
}

bool SimExchange::State::meets_own(AccountId account, InstrumentIndex i, Side side, Price limit,
                                   Qty amount) const {
  const Book& book = markets[i].book;
  std::int64_t left = amount.nano;
  for (Book::Slot s = book.front(opposite(side)); s != Book::none && left > 0; s = book.after(s)) {
    const Book::Resting& r = book.at(s);
    if (!crosses(side, limit, Price{r.price})) return false;
    if (r.account == account) return true;
    left -= r.remaining;
  }
  return false;
}

// What a fill-or-kill order can count on. Others' reduce_only orders may vanish while it executes,
// so they do not count: it is refused rather than filled in part.
Qty SimExchange::State::available(InstrumentIndex i, Side side, Price limit) const {
  const Book& book = markets[i].book;
  Qty sum{};
  for (Book::Slot s = book.front(opposite(side)); s != Book::none; s = book.after(s)) {
    const Book::Resting& r = book.at(s);
    if (!crosses(side, limit, Price{r.price})) break;
    if (r.order != 0 && orders[r.order - 1].info.reduce_only) continue;
    sum += Qty{r.remaining};
  }
  return sum;
}

int SimExchange::State::post_only_price(InstrumentIndex i, Side side, bool reject,
                                        Price& price) const {
  const Book& book = markets[i].book;
  const Price best = book.best(opposite(side));
  if (best.nano == absent_nano || !crosses(side, price, best)) return code::ok;
  if (reject) return code::post_only_reject;
  const TickSchedule& ticks = listings[i].def.ticks;
  const Price inside = side == Side::buy ? ticks.snap(Price{best.nano - 1}, Rounding::down)
                                         : ticks.snap(Price{best.nano + 1}, Rounding::up);
  if (inside.nano <= 0) return code::post_only_reject;
  price = inside;
  return code::ok;
}

// Whether the account can carry the order: an order that does not raise the requirement always can.
bool SimExchange::State::affordable(AccountId account, InstrumentIndex i, Side side, Price price,
                                    Qty amount) {
  const std::size_t ccy = currency_of(i);
  Holding with = holding(account, i);
  const double before = initial_with_orders(i, with);
  (side == Side::buy ? with.open_buys : with.open_sells) += amount.nano;
  const double rise = initial_with_orders(i, with) - before;
  if (rise <= 0) return true;
  const i128 fee = fee_of(listings[i].def, Liquidity::taker, amount.nano, price.nano,
                          products[listings[i].product].index.nano);
  const i128 need = margin(account, ccy).initial + static_cast<i128>(to_nano(rise)) + fee;
  return margin_balance(account, ccy) >= need;
}

int SimExchange::State::check_new(AccountId account, NewOrder& o, Price& limit_shown) {
  if (o.instrument >= listings.size()) return code::invalid_instrument;
  const Listing& l = listings[o.instrument];
  if (!l.active) return code::book_closed;
  if (o.valid_until.unix_ns != 0 && now > o.valid_until) return code::timed_out;
  if (o.label.size() > 64) return code::invalid_arguments_for_instrument;
  if (const int e = check_amount(l, o.amount); e != code::ok) return e;
  const bool instant = o.type == OrderType::market || o.tif != TimeInForce::good_til_cancelled;
  if (o.post_only && instant) return code::post_only_not_allowed;
  if (o.type == OrderType::market) {
    Price low;
    Price high;
    bounds(o.instrument, low, high);
    o.price = o.side == Side::buy ? high : low;
  } else {
    if (o.price.nano <= 0) return code::invalid_price;
    if (!l.def.ticks.on_tick(o.price)) return code::price_wrong_tick;
    if (const int e = clamp_price(o.instrument, o.side, o.price, limit_shown); e != code::ok) {
      return e;
    }
  }
  if (o.reduce_only && !reduce_amount(account, o.instrument, o.side, o.amount)) {
    return code::other_reject;
  }
  if (accounts[account].liquidating && !o.reduce_only) return code::account_locked;
  if (o.post_only) {
    const int e = post_only_price(o.instrument, o.side, o.reject_post_only, o.price);
    if (e != code::ok) return e;
  }
  if (config.self_trade == SelfTrade::reject_taker &&
      meets_own(account, o.instrument, o.side, o.price, o.amount)) {
    return code::order_overlap;
  }
  if (!affordable(account, o.instrument, o.side, o.price, o.amount)) return code::not_enough_funds;
  return code::ok;
}

OrderRecord& SimExchange::State::new_record(AccountId account, ConnectionId connection,
                                            const NewOrder& o) {
  orders.emplace_back();
  OrderRecord& r = orders.back();
  r.info.number = orders.size();
  r.info.account = account;
  r.info.connection = connection;
  r.info.instrument = o.instrument;
  r.info.side = o.side;
  r.info.type = o.type;
  r.info.tif = o.type == OrderType::market ? TimeInForce::immediate_or_cancel : o.tif;
  r.info.post_only = o.post_only;
  r.info.reject_post_only = o.reject_post_only;
  r.info.reduce_only = o.reduce_only;
  r.info.price = o.price;
  r.info.amount = o.amount;
  r.info.created = r.info.updated = now;
  r.info.label = std::string{o.label};
  accounts[account].open.insert(r.info.number);
  if (!r.info.label.empty()) accounts[account].labels[r.info.label].push_back(r.info.number);
  return r;
}

OrderResult SimExchange::State::submit(AccountId account, ConnectionId connection, NewOrder o,
                                       Observer& out) {
  OrderResult result;
  result.error = admit(account, RequestClass::matching, result.terminate_session);
  if (!result.ok()) return result;
  result.error = check_new(account, o, result.limit);
  if (!result.ok()) return result;
  Action a{o.instrument, out, &result, {}, {}};
  OrderRecord& r = new_record(account, connection, o);
  result.order = r.info.number;
  execute(a, r, o.amount);
  finish(a);
  return result;
}

// Matches `amount` of an order that is not in the book, then rests or cancels what is left.
void SimExchange::State::execute(Action& a, OrderRecord& r, Qty amount) {
  const InstrumentIndex i = r.info.instrument;
  const OrderNo n = r.info.number;
  const bool kill =
      r.info.tif == TimeInForce::fill_or_kill && available(i, r.info.side, r.info.price) < amount;
  const bool sweeps = !kill && !r.info.post_only;
  Qty done{};
  if (sweeps) {
    done = sweep(a, {r.info.account, n, r.info.side, r.info.price, amount, r.info.liquidation});
  }
  a.touch_order(n);
  a.touch_account(r.info.account);
  if (r.info.state != OrderState::open) return;
  Qty left = amount - done;
  // Own fills on the way may have used up the position that a reduce_only order may close.
  if (r.info.reduce_only && !reduce_amount(r.info.account, i, r.info.side, left)) {
    return close_order(a, r, OrderState::cancelled, CancelReason::reduce_only);
  }
  if (r.info.tif != TimeInForce::good_til_cancelled) {
    return close_order(a, r, OrderState::cancelled, CancelReason::remainder);
  }
  r.info.amount = r.info.filled + left;
  rest(r, left);
}

void SimExchange::State::rest(OrderRecord& r, Qty amount) {
  const InstrumentIndex i = r.info.instrument;
  r.slot = markets[i].book.insert(r.info.side, r.info.price, amount, r.info.account, r.info.number);
  Holding& h = holding(r.info.account, i);
  (r.info.side == Side::buy ? h.open_buys : h.open_sells) += amount.nano;
  if (r.info.reduce_only) ++h.reduce_only_orders;
}

void SimExchange::State::unrest(OrderRecord& r) {
  if (r.slot == Book::none) return;
  Book& book = markets[r.info.instrument].book;
  Holding& h = holding(r.info.account, r.info.instrument);
  (r.info.side == Side::buy ? h.open_buys : h.open_sells) -= book.at(r.slot).remaining;
  if (r.info.reduce_only) --h.reduce_only_orders;
  book.remove(r.slot);
  r.slot = Book::none;
}

void SimExchange::State::close_order(Action& a, OrderRecord& r, OrderState state,
                                     CancelReason reason) {
  unrest(r);
  r.info.state = state;
  r.info.cancel_reason = reason;
  r.info.updated = now;
  accounts[r.info.account].open.erase(r.info.number);
  accounts[r.info.account].closed.push_back(r.info.number);
  a.touch_order(r.info.number);
  a.touch_account(r.info.account);
}

int SimExchange::State::check_edit(AccountId account, const EditOrder& e, Price& price,
                                   OrderResult& result) {
  OrderRecord* r = record(e.order);
  if (r == nullptr || r->info.account != account) return code::order_not_found;
  if (r->slot == Book::none) return code::not_open_order;
  const Listing& l = listings[r->info.instrument];
  if (e.valid_until.unix_ns != 0 && now > e.valid_until) return code::timed_out;
  if (const int c = check_amount(l, e.amount); c != code::ok) return c;
  if (e.amount <= r->info.filled) return code::invalid_amount;
  if (price.nano <= 0) return code::invalid_price;
  if (!l.def.ticks.on_tick(price)) return code::price_wrong_tick;
  if (const int c = clamp_price(l.index, r->info.side, price, result.limit); c != code::ok) {
    return c;
  }
  Qty left = e.amount - r->info.filled;
  if (e.reduce_only && !reduce_amount(account, l.index, r->info.side, left)) {
    return code::other_reject;
  }
  if (accounts[account].liquidating && !e.reduce_only) return code::account_locked;
  return code::ok;
}

OrderResult SimExchange::State::edit(AccountId account, const EditOrder& e, Observer& out) {
  OrderResult result;
  result.error = admit(account, RequestClass::matching, result.terminate_session);
  if (!result.ok()) return result;
  Price price = e.price;
  result.error = check_edit(account, e, price, result);
  if (!result.ok()) return result;
  OrderRecord& r = *record(e.order);
  const InstrumentIndex i = r.info.instrument;
  result.order = e.order;
  Action a{i, out, &result, {}, {}};
  const Qty rest_before = r.info.amount - r.info.filled;
  const Qty rest_after = e.amount - r.info.filled;
  if (e.post_only) {
    result.error = post_only_price(i, r.info.side, e.reject_post_only, price);
    if (result.error != code::ok) {  // the venue cancels the order that it could not re-price
      close_order(a, r, OrderState::cancelled, CancelReason::edit_post_only_reject);
      finish(a);
      return result;
    }
  }
  if (config.self_trade == SelfTrade::reject_taker &&
      meets_own(account, i, r.info.side, price, rest_after)) {
    result.error = code::order_overlap;
    return result;
  }
  const Qty more = rest_after - rest_before;
  if (more.nano > 0 && !affordable(account, i, r.info.side, price, more)) {
    result.error = code::not_enough_funds;
    return result;
  }
  replace(a, r, e, price);
  finish(a);
  return result;
}

// Keeps the place in the queue only when the price stays and the amount does not grow.
void SimExchange::State::replace(Action& a, OrderRecord& r, const EditOrder& e, Price price) {
  Qty left = e.amount - r.info.filled;
  if (e.reduce_only)
    static_cast<void>(reduce_amount(r.info.account, r.info.instrument, r.info.side, left));
  Book& book = markets[r.info.instrument].book;
  const Qty resting{book.at(r.slot).remaining};
  const bool keeps_place = price == r.info.price && left <= resting;
  if (!keeps_place) unrest(r);
  Holding& h = holding(r.info.account, r.info.instrument);
  if (keeps_place) {
    const std::int64_t cut = resting.nano - left.nano;
    if (cut > 0) book.reduce(r.slot, Qty{cut});
    (r.info.side == Side::buy ? h.open_buys : h.open_sells) -= cut;
    if (r.info.reduce_only) --h.reduce_only_orders;
    if (e.reduce_only) ++h.reduce_only_orders;
  }
  r.info.replaced = true;
  r.info.price = price;
  r.info.amount = r.info.filled + left;
  r.info.post_only = e.post_only;
  r.info.reject_post_only = e.reject_post_only;
  r.info.reduce_only = e.reduce_only;
  r.info.updated = now;
  a.touch_account(r.info.account);
  if (keeps_place) return a.touch_order(r.info.number);
  execute(a, r, left);
}

OrderResult SimExchange::State::cancel(AccountId account, OrderNo n, Observer& out) {
  OrderResult result;
  result.error = admit(account, RequestClass::matching, result.terminate_session);
  if (!result.ok()) return result;
  const OrderRecord* r = record(n);
  if (r == nullptr || r->info.account != account) {
    result.error = code::order_not_found;
    return result;
  }
  result.order = n;
  if (r->slot == Book::none) {
    result.error = code::not_open_order;
    return result;
  }
  cancel_one(n, CancelReason::user_request, out);
  return result;
}

void SimExchange::State::cancel_one(OrderNo n, CancelReason reason, Observer& out) {
  OrderRecord& r = orders[n - 1];
  Action a{r.info.instrument, out, nullptr, {}, {}};
  close_order(a, r, OrderState::cancelled, reason);
  finish(a);
}

CancelAllResult SimExchange::State::cancel_all(AccountId account, const CancelAllFilter& f,
                                               Observer& out) {
  CancelAllResult result;
  result.error = admit(account, RequestClass::cancel_all, result.terminate_session);
  if (result.error != code::ok) return result;
  const std::vector<OrderNo> open(accounts[account].open.begin(), accounts[account].open.end());
  for (const OrderNo n : open) {
    const OrderInfo& o = orders[n - 1].info;
    const Instrument& def = listings[o.instrument].def;
    if (f.settlement != Currency{} && def.settlement != f.settlement) continue;
    if (f.instrument != no_instrument && o.instrument != f.instrument) continue;
    if (!(is_option(def.kind) ? f.options : f.futures)) continue;
    if (!f.label.empty() && o.label != f.label) continue;
    cancel_one(n, CancelReason::user_request, out);
    result.cancelled.push_back(n);
  }
  return result;
}

}  // namespace gimbal::sim
