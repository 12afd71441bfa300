// Prices: the stochastic-volatility walk, index, marks, funding, the smile and the tickers.
#include <algorithm>

#include "venues/sim/black.hpp"
#include "venues/sim/state.hpp"

namespace gimbal::sim {
namespace {

constexpr double basis_memory_s = 300;  // the premium reverts over this time: marks are averaged
constexpr double basis_deviation = 0.0003;  // and lives at about 3 basis points
constexpr double funding_period_s = 8 * 3600;

BlackInput black_input(const Listing& l, const Market& m) noexcept {
  return {l.def.option == OptionType::call, m.forward, to_double(l.def.strike), m.years, m.vol};
}

Price snapped_up(const Instrument& def, double price) noexcept {
  const Price p = def.ticks.snap(Price{to_nano(price)}, Rounding::up);
  return p.nano > 0 ? p : def.ticks.base;
}

}  // namespace

void SimExchange::State::walk() {
  const double dt = static_cast<double>(config.step.count) * config.walk_speed / ns_per_year;
  const double root = sqrt_of(dt);
  const double common = walk_rng.normal();
  for (CoinState& c : coins) {
    const double w = c.config.common_weight;
    const double own = walk_rng.normal();
    const double for_vol = walk_rng.normal();
    const double z = w * common + sqrt_of(1 - w * w) * own;
    const double vol = exp_of(c.log_vol);
    double move = -0.5 * vol * vol * dt + vol * root * z;
    if (walk_rng.uniform() < c.config.jumps_per_year * dt) {
      move += c.config.jump_size * walk_rng.normal();
    }
    c.price *= exp_of(move);
    // Falling prices raise volatility: correlation -0.5 between the two shocks.
    const double shock = -0.5 * z + 0.8660254037844386 * for_vol;
    const double level = log_of(c.config.vol);
    c.log_vol +=
        c.config.vol_reversion * (level - c.log_vol) * dt + c.config.vol_of_vol * root * shock;
    c.log_vol = std::clamp(c.log_vol, level - 1.4, level + 1.4);
  }
  // The basis stays on exchange time: a faster walk moves coins, not the perpetual against them.
  const double seconds = static_cast<double>(config.step.count) * 1e-9;
  const double pull = std::min(seconds / basis_memory_s, 1.0);
  for (ProductState& p : products) {
    p.basis += -p.basis * pull + basis_deviation * sqrt_of(2 * pull) * walk_rng.normal();
    p.index = Price{to_nano(round_to(coins[p.coin].price, 2))};
  }
}

void SimExchange::State::mark_all_futures() {
  for (const Listing& l : listings) {
    if (!l.active || is_option(l.def.kind)) continue;
    const ProductState& p = products[l.product];
    Market& m = markets[l.index];
    const double index = to_double(p.index);
    const double fair = is_perpetual(l.def.kind) ? index * (1 + p.basis) : forward_of(l);
    m.mark = Price{to_nano(round_to(fair, 2))};
    m.mark_time = now;
    if (is_perpetual(l.def.kind)) {
      m.funding = round_to(
          funding_rate(to_double(m.mark), index, config.funding_damper, config.funding_cap), 9);
    }
  }
}

void SimExchange::State::accrue_funding() {
  const double share = static_cast<double>(config.step.count) * 1e-9 / funding_period_s;
  for (const InstrumentIndex i : perpetuals) {
    Market& m = markets[i];
    const double index = index_of(i);
    const bool inverse = is_inverse(listings[i].def.kind);
    const double paid = m.funding * share * (inverse ? 1 / index : index);
    m.funding_sum += static_cast<i128>(paid * static_cast<double>(funding_scale(listings[i].def)));
    m.funding_paid.add(now, m.funding * share, m.funding, products[listings[i].product].index);
    // A running mean with the memory of one funding period.
    m.funding_8h += (m.funding - m.funding_8h) * std::min(share, 1.0);
    m.interest = to_double(m.mark) / index - 1;
  }
}

double SimExchange::State::window_left(const Listing& l) const noexcept {
  const Nanos left = l.def.expiry - now;
  if (left >= config.averaging) return 1;
  if (left.count <= 0) return 0;
  return static_cast<double>(left.count) / static_cast<double>(config.averaging.count);
}

Price SimExchange::State::delivery_price(std::size_t product) const noexcept {
  const ProductState& p = products[product];
  if (p.samples == 0) return p.index;
  return Price{static_cast<std::int64_t>(divide(p.averaged, p.samples, Rounding::nearest))};
}

void SimExchange::State::sample_delivery() {
  if (settlement_at - now >= config.averaging) return;
  for (ProductState& p : products) {
    p.averaged += p.index.nano;
    ++p.samples;
  }
}

double SimExchange::State::forward_of(const Listing& l) const noexcept {
  const ProductState& p = products[l.product];
  const double index = to_double(p.index);
  const Nanos left = l.def.expiry - now;
  const bool linear = config.products[l.product].linear;
  const double years = static_cast<double>(std::max<std::int64_t>(left.count, 0)) / ns_per_year;
  double forward = linear ? index : index * exp_of(config.carry * years);
  // Inside the averaging window part of the delivery price is already known.
  const double open = window_left(l);
  if (open < 1) forward = (1 - open) * to_double(delivery_price(l.product)) + open * forward;
  return round_to(forward, 2);
}

double SimExchange::State::smile(const CoinState& c, double forward, double strike,
                                 double years) const noexcept {
  const double speed = c.config.vol_reversion * years;
  const double weight = speed > 1e-6 ? (1 - exp_of(-speed)) / speed : 1.0;
  const double level = c.config.vol + (exp_of(c.log_vol) - c.config.vol) * weight;
  const double sd = level * sqrt_of(std::max(years, 1e-6));
  const double x = std::clamp(log_of(strike / forward) / sd, -4.0, 4.0);
  const double vol = level * (1 - 0.03 * x + 0.02 * x * x);
  return round_to(std::clamp(vol, 0.05, 3.0), 4);  // 0.01 %
}

void SimExchange::State::mark_option(InstrumentIndex i) {
  const Listing& l = listings[i];
  Market& m = markets[i];
  if (m.mark_time == now) return;
  const CoinState& c = coins[products[l.product].coin];
  const Nanos left = l.def.expiry - now;
  m.years = static_cast<double>(std::max<std::int64_t>(left.count, 1)) / ns_per_year;
  m.forward = forward_of(l);
  m.vol = smile(c, m.forward, to_double(l.def.strike), m.years);
  const double value = black_value(black_input(l, m));
  const bool linear = l.def.kind == InstrumentKind::linear_option;
  m.mark = Price{to_nano(round_to(linear ? value : value / m.forward, 8))};
  m.mark_time = now;
  m.greeks = black_greeks(black_input(l, m), to_double(m.mark) * (linear ? 1 : m.forward));
}

Greeks SimExchange::State::greeks(InstrumentIndex i) const {
  const Listing& l = listings[i];
  Greeks g = markets[i].greeks;
  const double open = window_left(l);
  if (open < 1) {
    g = {g.delta * open, g.gamma * open, g.vega * open, g.theta * open, g.rho * open};
  }
  return g;
}

void SimExchange::State::bounds(InstrumentIndex i, Price& low, Price& high) const noexcept {
  const Instrument& def = listings[i].def;
  const double mark = to_double(markets[i].mark);
  double width = mark * config.price_band;
  if (is_option(def.kind)) {
    width = std::max(mark * 0.5, 0.04 * (is_inverse(def.kind) ? 1.0 : index_of(i)));
  }
  low = snapped_up(def, mark - width);
  high = snapped_up(def, mark + width);
}

TickerInfo SimExchange::State::ticker(InstrumentIndex i) const {
  const Listing& l = listings[i];
  const Market& m = markets[i];
  TickerInfo t;
  t.instrument = i;
  t.time = l.active ? std::max(m.mark_time, m.book_time) : m.mark_time;
  t.open = l.active;
  t.mark = m.mark;
  t.index = products[l.product].index;
  t.last = m.last;
  t.settlement = m.settlement;
  bounds(i, t.min_price, t.max_price);
  t.best_bid = m.top.bid;
  t.best_ask = m.top.ask;
  t.best_bid_amount = m.top.bid_amount;
  t.best_ask_amount = m.top.ask_amount;
  t.open_interest = Qty{m.gross / 2};
  t.delivery = m.delivery;
  const bool in_window = settlement_at - now < config.averaging;
  t.estimated_delivery = in_window ? delivery_price(l.product) : t.index;
  t.high = m.high;
  t.low = m.low;
  t.volume = m.volume;
  t.volume_usd = Money{to_nano(m.volume_usd)};
  if (m.first.nano > 0) {
    t.price_change_percent = round_to((to_double(m.last) / to_double(m.first) - 1) * 100, 4);
  }
  if (is_perpetual(l.def.kind)) {
    t.current_funding = m.funding;
    t.funding_8h = round_to(m.funding_8h, 9);
    t.interest_value = m.interest;
  }
  if (!is_option(l.def.kind)) return t;
  const bool linear = l.def.kind == InstrumentKind::linear_option;
  t.time = m.mark_time;
  t.mark = Price{to_nano(round_to(to_double(m.mark), 4))};
  t.underlying = Price{to_nano(m.forward)};
  t.mark_iv = round_to(m.vol * 100, 2);
  t.greeks = rounded(greeks(i));
  const BlackInput in = black_input(l, m);
  const double unit = linear ? 1 : m.forward;
  const auto iv = [&](Price p) {
    if (p.nano <= 0) return 0.0;
    return round_to(black_implied_vol(in, to_double(p) * unit) * 100, 2);
  };
  t.bid_iv = iv(t.best_bid);
  t.ask_iv = iv(t.best_ask);
  return t;
}

}  // namespace gimbal::sim
