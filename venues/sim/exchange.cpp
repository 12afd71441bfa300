// Construction, the clockwork, outputs, and the public calls.
#include "venues/sim/exchange.hpp"

#include <algorithm>
#include <stdexcept>

#include "venues/sim/state.hpp"

namespace gimbal::sim {
namespace {

[[noreturn]] void refuse(const std::string& what) {
  throw std::invalid_argument("sim config: " + what);
}

void check(const SimConfig& c) {
  if (c.step < milliseconds(1) || c.step > seconds(1)) refuse("step must lie in 1 ms .. 1 s");
  if (c.coins.empty()) refuse("coins must not be empty");
  if (c.products.empty()) refuse("products must not be empty");
  if (c.start.unix_ns <= 0) refuse("start must be after 1970");
  if (!(c.walk_speed > 0 && c.walk_speed <= 100'000)) refuse("walk_speed must lie in 0..100000");
  if (!(c.liquidation_slice > 0 && c.liquidation_slice <= 1)) refuse("liquidation_slice: 0..1");
  for (const Nanos n : {c.option_ticker, c.perpetual_ticker, c.index_period, c.margin_period,
                        c.averaging, c.maker.option_requote}) {
    if (n.count <= 0) refuse("tickers, periods, averaging and requote must be positive");
  }
  for (const double r : {c.rates.matching_per_s, c.rates.cancel_all_per_s, c.rates.general_per_s,
                         c.rates.subscribe_per_s, c.rates.matching_burst, c.rates.general_burst,
                         c.rates.cancel_all_burst, c.rates.subscribe_burst}) {
    if (!(r > 0 && r <= 1e6)) refuse("rates must lie in 0..1000000");
  }
  for (const CoinConfig& coin : c.coins) {
    if (!(coin.price > 0 && coin.price < 1e7)) refuse("price of " + coin.coin);
    if (!(coin.vol > 0.01 && coin.vol < 5)) refuse("vol of " + coin.coin);
    if (!(coin.common_weight >= -1 && coin.common_weight <= 1)) {
      refuse("common_weight of " + coin.coin);
    }
  }
  for (const ProductConfig& p : c.products) {
    if (p.settlement.empty() || p.settlement.size() > 8) refuse("settlement of " + p.prefix);
    if (!(p.perpetual_tick > 0 && p.contract_usd > 0 && p.option_min > 0)) {
      refuse("tick, contract and option_min of " + p.prefix);
    }
    if (p.expiries > 4) refuse("expiries of " + p.prefix + " must be at most 4");
  }
}

}  // namespace

SimExchange::State::State(SimConfig c)
    : config{std::move(c)},
      walk_rng{mix64(config.seed ^ 0x77616c6bULL)},
      quote_rng{mix64(config.seed ^ 0x71756f74ULL)},
      noise_rng{mix64(config.seed ^ 0x6e6f6973ULL)} {
  check(config);
  trace = mix64(config.seed);
  now = config.start;
  next_step = now + config.step;
  settlement_at = next_settlement(now);
  next_index = next_margin = now;
  for (const CoinConfig& coin : config.coins) {
    coins.push_back({coin, coin.price, log_of(coin.vol)});
  }
  for (const ProductConfig& p : config.products) {
    ProductState s;
    while (s.coin < coins.size() && coins[s.coin].config.coin != p.coin) ++s.coin;
    if (s.coin == coins.size()) refuse("product " + p.prefix + " names an unknown coin");
    const Currency c8 = currency(p.settlement);
    s.currency = currency_index(c8);
    if (s.currency == currencies.size()) currencies.push_back(c8);
    s.index = Price{to_nano(round_to(coins[s.coin].price, 2))};
    products.push_back(s);
  }
  ledgers.resize(currencies.size());
  make_market();
}

void SimExchange::State::make_market() {
  Observer nobody;
  for (int house = 0; house < 2; ++house) {
    accounts.emplace_back();
    accounts.back().cash.resize(currencies.size());
    accounts.back().liquidating_in.resize(currencies.size());
  }
  for (std::uint32_t p = 0; p < products.size(); ++p) {
    const UnderlyingId coin{static_cast<std::uint8_t>(products[p].coin)};
    list(perpetual_listing({config.products[p], p, coin, now}), nobody);
    list_calendar(p, nobody);
  }
  mark_all_futures();
  for (const InstrumentIndex i : perpetuals) markets[i].funding_8h = markets[i].funding;
  quote(nobody);
}

InstrumentIndex SimExchange::State::list(Listing l, Observer& out) {
  const auto i = static_cast<InstrumentIndex>(listings.size());
  l.index = i;
  l.venue_number = 100'000 + i;
  l.state = ListingState::created;
  names.emplace(l.name, i);
  if (is_perpetual(l.def.kind)) perpetuals.push_back(i);
  listings.push_back(std::move(l));
  markets.emplace_back();
  Market& m = markets.back();
  m.next_quote = now;
  // Options' timers are spread over their period by instrument number.
  const auto spread = [&](Nanos period) {
    return Nanos{static_cast<std::int64_t>(mix64(i) % static_cast<std::uint64_t>(period.count))};
  };
  const bool fast = is_perpetual(listings[i].def.kind);
  m.next_ticker = now + spread(fast ? config.perpetual_ticker : config.option_ticker);
  if (is_option(listings[i].def.kind)) {
    mark_option(i);
  } else {
    mark_all_futures();
  }
  hash(i);
  out.on_instrument_state(i, ListingState::created);
  listings[i].state = ListingState::started;
  out.on_instrument_state(i, ListingState::started);
  return i;
}

void SimExchange::State::advance(ExchTime to, Observer& out) {
  while (next_step <= to) {
    now = next_step;
    next_step = next_step + config.step;
    step(out);
  }
  now = std::max(now, to);
}

void SimExchange::State::step(Observer& out) {
  walk();
  sample_delivery();
  accrue_funding();
  if (now >= settlement_at) settle(out);
  mark_all_futures();
  quote(out);
  noise(out);
  for (InstrumentIndex i = 0; i < listings.size(); ++i) {
    Market& m = markets[i];
    if (!listings[i].active || m.next_ticker > now) continue;
    m.next_ticker = m.next_ticker + (is_perpetual(listings[i].def.kind) ? config.perpetual_ticker
                                                                        : config.option_ticker);
    emit_ticker(i, out);
  }
  if (now >= next_index) {
    next_index = next_index + config.index_period;
    for (std::uint32_t p = 0; p < products.size(); ++p) {
      hash(static_cast<std::uint64_t>(products[p].index.nano));
      out.on_index(p, products[p].index);
    }
  }
  if (now >= next_margin) {
    next_margin = next_margin + config.margin_period;
    check_margins(out);
  }
}

void SimExchange::State::emit_ticker(InstrumentIndex i, Observer& out) {
  // The mark moves whether or not somebody listens: results must not depend on observers.
  if (is_option(listings[i].def.kind) && listings[i].active) mark_option(i);
  if (out.wants_ticker(i)) out.on_ticker(ticker(i));
}

void SimExchange::State::flush_book(InstrumentIndex i, Observer& out) {
  Market& m = markets[i];
  changes.clear();
  m.book.take_changes(changes);
  if (changes.empty()) return;
  const std::uint64_t previous = m.change_id;
  m.change_id = ++change_counter;
  m.book_time = now;
  hash(m.change_id ^ (static_cast<std::uint64_t>(i) << 40));
  for (const LevelChange& c : changes) {
    hash(static_cast<std::uint64_t>(c.price.nano) + static_cast<std::uint64_t>(c.side));
    hash(static_cast<std::uint64_t>(c.amount.nano));
  }
  if (out.wants_book(i)) out.on_book_change(i, m.change_id, previous, changes);
  const Top top{m.book.best(Side::buy), m.book.best(Side::sell), m.book.best_amount(Side::buy),
                m.book.best_amount(Side::sell)};
  if (top == m.top) return;
  m.top = top;
  emit_ticker(i, out);
}

void SimExchange::State::finish(Action& a) {
  for (const OrderNo n : a.orders) {
    const OrderInfo& o = orders[n - 1].info;
    hash(n ^ (static_cast<std::uint64_t>(o.state) << 60));
    hash(static_cast<std::uint64_t>(o.filled.nano) ^ static_cast<std::uint64_t>(o.price.nano));
    a.out.on_user_order(o);
  }
  flush_book(a.instrument, a.out);
  for (const AccountId account : a.accounts) {
    a.out.on_user_portfolio(account, listings[a.instrument].def.settlement);
  }
}

SimExchange::SimExchange(SimConfig config) : state_{std::make_unique<State>(std::move(config))} {}
SimExchange::~SimExchange() = default;

ExchTime SimExchange::now() const noexcept { return state_->now; }
void SimExchange::advance(ExchTime to, Observer& out) { state_->advance(to, out); }

OrderResult SimExchange::submit(AccountId account, ConnectionId connection, const NewOrder& order,
                                Observer& out) {
  return state_->submit(account, connection, order, out);
}
OrderResult SimExchange::edit(AccountId account, const EditOrder& change, Observer& out) {
  return state_->edit(account, change, out);
}
OrderResult SimExchange::cancel(AccountId account, OrderNo order, Observer& out) {
  return state_->cancel(account, order, out);
}
CancelAllResult SimExchange::cancel_all(AccountId account, const CancelAllFilter& filter,
                                        Observer& out) {
  return state_->cancel_all(account, filter, out);
}

void SimExchange::set_maintenance(bool on, Observer& out) {
  if (state_->maintenance == on) return;
  state_->maintenance = on;
  state_->hash(on ? 1 : 2);
  out.on_platform_state(on);
}

void SimExchange::set_ticks(InstrumentIndex instrument, const TickSchedule& ticks, Observer& out) {
  if (instrument >= state_->listings.size()) return;
  set_terms(instrument, ticks, state_->listings[instrument].def.lot, out);
}

void SimExchange::set_terms(InstrumentIndex instrument, const TickSchedule& ticks, Qty lot,
                            Observer& out) {
  if (instrument >= state_->listings.size()) return;
  State& s = *state_;
  Instrument changed = s.listings[instrument].def;
  const bool same_lot = changed.lot == lot;
  changed.ticks = ticks;
  if (!same_lot) changed.lot = changed.amount_min = lot;
  if (!InstrumentTable::acceptable(changed)) return;
  // Orders off the new grid leave the book; the house quotes again on the next step.
  Action a{instrument, out, nullptr, {}, {}};
  Market& m = s.markets[instrument];
  for (auto& ladder : m.ladder) {
    for (const Book::Handle& h : ladder) {
      if (m.book.alive(h)) m.book.remove(h.slot);
    }
    ladder.clear();
  }
  s.listings[instrument].def = changed;
  for (AccountId account = first_user; account < s.accounts.size(); ++account) {
    const std::vector<OrderNo> open(s.accounts[account].open.begin(),
                                    s.accounts[account].open.end());
    for (const OrderNo n : open) {
      OrderRecord& r = s.orders[n - 1];
      const bool whole = same_lot || (r.info.amount - r.info.filled).nano % lot.nano == 0;
      if (r.info.instrument != instrument || (whole && ticks.on_tick(r.info.price))) continue;
      s.close_order(a, r, OrderState::cancelled, CancelReason::settlement);
    }
  }
  s.hash(instrument);
  out.on_ticks_change(instrument);
  s.finish(a);
  m.next_quote = s.now;
}

std::size_t SimExchange::list_expiry(std::uint32_t product, ExchTime expiry, Period period,
                                     Observer& out) {
  if (next_settlement(expiry - Nanos{1}) != expiry) return 0;
  return state_->list_expiry(product, {expiry, period}, out);
}

std::size_t SimExchange::settle_expiry(std::uint32_t product, ExchTime expiry, Observer& out) {
  State& s = *state_;
  std::size_t count = 0;
  for (InstrumentIndex i = 0; i < s.listings.size(); ++i) {
    const Listing& l = s.listings[i];
    if (!l.active || l.product != product || l.def.expiry != expiry || expiry.unix_ns == 0)
      continue;
    s.deliver(i, out);
    ++count;
  }
  return count;
}

void SimExchange::mark_now() {
  State& s = *state_;
  for (const Account& a : s.accounts) {
    for (const InstrumentIndex i : a.active) {
      const Listing& l = s.listings[i];
      if (l.active && is_option(l.def.kind) && a.holdings[i].size != 0) s.mark_option(i);
    }
  }
}

void SimExchange::shock(std::string_view coin, double log_return, Observer& out) {
  State& s = *state_;
  for (std::size_t c = 0; c < s.coins.size(); ++c) {
    if (s.coins[c].config.coin != coin) continue;
    s.coins[c].price *= exp_of(std::clamp(log_return, -3.0, 3.0));
    for (ProductState& p : s.products) {
      if (p.coin == c) p.index = Price{to_nano(round_to(s.coins[c].price, 2))};
    }
  }
  s.requote(out);
}

void SimExchange::shock_volatility(std::string_view coin, double factor, Observer& out) {
  State& s = *state_;
  for (CoinState& c : s.coins) {
    if (c.config.coin != coin || !(factor > 0)) continue;
    const double level = log_of(c.config.vol);
    c.log_vol = std::clamp(c.log_vol + log_of(factor), level - 1.4, level + 1.4);
  }
  s.requote(out);
}

void SimExchange::shift_premium(std::uint32_t product, double fraction, Observer& out) {
  State& s = *state_;
  if (product >= s.products.size()) return;
  s.products[product].basis += std::clamp(fraction, -0.5, 0.5);
  s.requote(out);
}

// Everything is marked and quoted at once, whatever its own times are.
void SimExchange::State::requote(Observer& out) {
  mark_all_futures();
  for (InstrumentIndex i = 0; i < listings.size(); ++i) {
    if (!listings[i].active || !is_option(listings[i].def.kind)) continue;
    markets[i].mark_time = ExchTime{};
    mark_option(i);
    markets[i].next_quote = now;
  }
  quote(out);
}

}  // namespace gimbal::sim
