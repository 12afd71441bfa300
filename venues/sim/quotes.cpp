// The house: a maker that quotes every instrument around the model marks, and a noise taker.
#include <algorithm>

#include "venues/sim/black.hpp"
#include "venues/sim/state.hpp"

namespace gimbal::sim {
namespace {

constexpr std::size_t bids = 0;
constexpr std::size_t asks = 1;

Qty to_lots(double amount, Qty lot) noexcept {
  const auto lots = static_cast<std::int64_t>(amount / to_double(lot) + 0.5);
  return Qty{std::max<std::int64_t>(lots, 1) * lot.nano};
}

bool moved(double now, double then, double by) noexcept {
  const double d = now - then;
  return d > then * by || d < -then * by || then == 0;
}

}  // namespace

void SimExchange::State::quote(Observer& out) {
  for (InstrumentIndex i = 0; i < listings.size(); ++i) {
    if (!listings[i].active) continue;
    Market& m = markets[i];
    if (!is_option(listings[i].def.kind)) {
      const bool thin = m.book.empty(Side::buy) || m.book.empty(Side::sell);
      if (thin || m.next_quote <= now ||
          moved(to_double(m.mark), m.quoted_value, config.maker.requote_move)) {
        quote_future(i, out);
        m.next_quote = now + milliseconds(250);
      }
    } else if (m.next_quote <= now) {
      m.next_quote = m.next_quote + config.maker.option_requote;
      if (m.next_quote <= now) m.next_quote = now + config.maker.option_requote;
      quote_option(i, out);
    }
  }
}

void SimExchange::State::quote_future(InstrumentIndex i, Observer& out) {
  const Instrument& def = listings[i].def;
  Market& m = markets[i];
  const MakerConfig& k = config.maker;
  const double mark = to_double(m.mark);
  const double half =
      std::max(mark * k.perpetual_half_spread * (is_perpetual(def.kind) ? 1.0 : 4.0),
               to_double(def.ticks.base) * 0.5);
  Price bid = def.ticks.snap(Price{to_nano(mark - half)}, Rounding::down);
  Price ask = def.ticks.snap(Price{to_nano(mark + half)}, Rounding::up);
  if (ask <= bid) ask = Price{bid.nano + def.ticks.tick_at(bid).nano};
  // Deeper levels sit on a fixed coarse grid, so that a small move changes only the best one.
  const std::int64_t tick = def.ticks.tick_at(bid).nano;
  const auto coarse = static_cast<std::int64_t>(mark * 5e-5 / (static_cast<double>(tick) * 1e-9));
  const std::int64_t gap = std::max<std::int64_t>(coarse, 1) * tick;
  const double usd = k.perpetual_top_usd * (is_perpetual(def.kind) ? 1.0 : 0.3);
  const double top = is_inverse(def.kind) ? usd : usd / index_of(i);
  const std::uint32_t count = is_perpetual(def.kind) ? k.perpetual_levels : k.future_levels;
  for (auto& side : want) side.clear();
  for (std::uint32_t n = 0; n < count; ++n) {
    const Qty amount = to_lots(top * (1 + 0.5 * n), def.lot);
    const std::int64_t steps = static_cast<std::int64_t>(n) - 1;
    const auto below = static_cast<std::int64_t>(divide(bid.nano - tick, gap, Rounding::down));
    const auto above = static_cast<std::int64_t>(divide(ask.nano + tick, gap, Rounding::up));
    const Price b{n == 0 ? bid.nano : (below - steps) * gap};
    const Price a{n == 0 ? ask.nano : (above + steps) * gap};
    if (b.nano > 0) want[bids].push_back({b, amount});
    want[asks].push_back({a, amount});
  }
  m.quoted_value = mark;
  sync_ladder(i, out);
}

void SimExchange::State::quote_option(InstrumentIndex i, Observer& out) {
  const Listing& l = listings[i];
  Market& m = markets[i];
  mark_option(i);
  const bool fresh = !m.ladder[asks].empty() && m.book.alive(m.ladder[asks].front());
  if (fresh && !moved(m.forward, m.quoted_value, 2e-5) && !moved(m.vol, m.quoted_vol, 1e-3)) return;
  m.quoted_value = m.forward;
  m.quoted_vol = m.vol;
  const bool linear = l.def.kind == InstrumentKind::linear_option;
  BlackInput in{l.def.option == OptionType::call, m.forward, to_double(l.def.strike), m.years,
                m.vol - config.maker.option_spread_vol};
  const double unit = linear ? 1 : m.forward;
  in.vol = std::max(in.vol, 0.01);
  const double low = black_value(in) / unit;
  in.vol = m.vol + config.maker.option_spread_vol;
  const double high = black_value(in) / unit;
  Price bid = l.def.ticks.snap(Price{to_nano(low)}, Rounding::down);
  Price ask = l.def.ticks.snap(Price{to_nano(high)}, Rounding::up);
  if (ask <= bid) ask = Price{bid.nano + l.def.ticks.tick_at(bid).nano};
  if (ask.nano <= 0) ask = l.def.ticks.base;
  for (auto& side : want) side.clear();
  for (std::uint32_t n = 0; n < config.maker.option_levels; ++n) {
    const Qty amount = to_lots(config.maker.option_top_coins * (1 + 0.6 * n), l.def.lot);
    if (bid.nano > 0) want[bids].push_back({bid, amount});
    want[asks].push_back({ask, amount});
    bid = l.def.ticks.snap(Price{bid.nano - 1}, Rounding::down);
    ask = l.def.ticks.snap(Price{ask.nano + 1}, Rounding::up);
  }
  sync_ladder(i, out);
}

void SimExchange::State::sync_ladder(InstrumentIndex i, Observer& out) {
  Market& m = markets[i];
  const Instrument& def = listings[i].def;
  Action a{i, out, nullptr, {}, {}};
  for (std::size_t s = 0; s < 2; ++s) {
    present[s].assign(want[s].size(), 0);
    std::size_t kept = 0;
    for (const Book::Handle h : m.ladder[s]) {
      if (!m.book.alive(h)) continue;
      const Book::Resting& r = m.book.at(h.slot);
      const auto it = std::find_if(want[s].begin(), want[s].end(),
                                   [&](const Level& l) { return l.price.nano == r.price; });
      // A half-eaten order is pulled and quoted afresh.
      if (it == want[s].end() || r.remaining * 3 < it->amount.nano) {
        m.book.remove(h.slot);
        continue;
      }
      present[s][static_cast<std::size_t>(it - want[s].begin())] = 1;
      m.ladder[s][kept++] = h;
    }
    m.ladder[s].resize(kept);
  }
  for (std::size_t s = 0; s < 2; ++s) {
    const Side side = s == bids ? Side::buy : Side::sell;
    for (std::size_t n = 0; n < want[s].size(); ++n) {
      if (present[s][n] != 0) continue;
      const double jitter = 0.7 + 0.6 * quote_rng.uniform();
      Qty amount = to_lots(to_double(want[s][n].amount) * jitter, def.lot);
      const Price price = want[s][n].price;
      const Qty traded = sweep(a, {house_maker, 0, side, price, amount, false});
      amount -= traded;
      if (amount.nano <= 0) continue;
      m.ladder[s].push_back(m.book.handle(m.book.insert(side, price, amount, house_maker, 0)));
    }
  }
  finish(a);
}

void SimExchange::State::noise(Observer& out) {
  const double seconds = static_cast<double>(config.step.count) * 1e-9;
  // A fixed number of draws a step keeps the noise independent of what users do.
  const bool trade = noise_rng.uniform() < config.maker.taker_per_s * seconds;
  const bool perpetual = noise_rng.uniform() < 0.6;
  const std::uint64_t pick = noise_rng.bits();
  const Side side = (noise_rng.bits() & 1) == 0 ? Side::buy : Side::sell;
  const double size = -log_of(1 - noise_rng.uniform());
  if (!trade) return;
  const InstrumentIndex i = perpetual ? perpetuals[pick % perpetuals.size()]
                                      : static_cast<InstrumentIndex>(pick % listings.size());
  if (!listings[i].active) return;
  const Instrument& def = listings[i].def;
  const double usd = config.maker.perpetual_top_usd * 0.4;
  const double mean = is_option(def.kind)    ? config.maker.option_top_coins * 0.2
                      : is_inverse(def.kind) ? usd
                                             : usd / index_of(i);
  Price low;
  Price high;
  bounds(i, low, high);
  Action a{i, out, nullptr, {}, {}};
  sweep(a, {house_taker, 0, side, side == Side::buy ? high : low, to_lots(mean * size, def.lot),
            false});
  finish(a);
}

}  // namespace gimbal::sim
