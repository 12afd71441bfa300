// Positions and market data of the portfolio; volatilities are in portfolio_volatility.cpp, pricing
// and answers in portfolio_risk.cpp.
#include "engine/core/portfolio.hpp"

#include <algorithm>

#include "engine/core/math.hpp"

namespace gimbal {

namespace {

constexpr std::size_t buckets_max = expiries_max * 2;
constexpr i128 atto_per_nano = nano_per_unit;

bool usable(Price p) noexcept { return p.nano > 0; }  // absent_nano is negative

// Exact sums of rounded contributions: their order and their history leave no trace.
i128 to_atto(double value) noexcept {
  const double scaled = value * 1e18;
  return scaled > -1e37 && scaled < 1e37 ? static_cast<i128>(scaled) : i128{0};
}

bool in_usd(InstrumentKind k) noexcept {
  return k == InstrumentKind::inverse_future || k == InstrumentKind::inverse_perpetual;
}

}  // namespace

Portfolio::Portfolio(const InstrumentTable& table, const PortfolioConfig& config,
                     const PricingKernels& kernels)
    : table_{table}, config_{config}, kernels_{kernels} {
  holdings_.resize(table.capacity());
  buckets_.resize(buckets_max);
  if (config_.surface_age_max.count > 0) surface_.resize(table.capacity());
  coins_.resize(underlyings_max);
  for (Coin& c : coins_) {
    c.buckets.reserve(buckets_max);
    c.filled.reserve(buckets_max);
  }
  active_.reserve(buckets_max);
  // Every bucket has at most one chunk that is not full.
  const std::size_t chunks = table.capacity() / rows_max + std::min(buckets_max, table.capacity());
  chunks_.resize(chunks);
  free_chunks_.reserve(chunks);
  for (std::size_t i = chunks; i > 0; --i) {
    free_chunks_.push_back(static_cast<std::uint16_t>(i - 1));
  }
}

void Portfolio::list(InstrumentId id) noexcept { open(id); }

Portfolio::Holding* Portfolio::open(InstrumentId id) noexcept {
  if (id.value >= holdings_.size() || !table_.contains(id)) return nullptr;
  Holding& h = holdings_[id.value];
  if (h.bucket != none) return &h;
  const Instrument& i = table_[id];
  if (i.underlying.value >= underlyings_max || i.expiry_id.value >= expiries_max) return nullptr;
  const std::size_t index = 2u * i.expiry_id.value + (is_inverse(i.kind) ? 0u : 1u);
  Bucket& b = buckets_[index];
  h.bucket = static_cast<std::uint16_t>(index);
  if (!b.used) {
    b.used = true;
    b.underlying = i.underlying;
    b.expiry = i.expiry;
    b.inverse = is_inverse(i.kind);
    std::vector<std::uint16_t>& listed = coins_[i.underlying.value].buckets;
    b.place = static_cast<std::uint16_t>(listed.size());
    listed.push_back(h.bucket);
  }
  return &h;
}

// --- positions ----------------------------------------------------------------------------------

void Portfolio::set_position(InstrumentId id, Qty amount) noexcept {
  ++version_;
  if (Holding* h = open(id)) change(id, *h, amount);
}

void Portfolio::apply_fill(InstrumentId id, Qty signed_amount) noexcept {
  ++version_;
  Holding* h = open(id);
  Qty sum{};
  if (h != nullptr && add_checked(h->amount, signed_amount, sum)) change(id, *h, sum);
}

Qty Portfolio::position(InstrumentId id) const noexcept {
  return id.value < holdings_.size() ? holdings_[id.value].amount : Qty{};
}

void Portfolio::settle(InstrumentId id, Price) noexcept {
  ++version_;
  Holding* h = open(id);
  if (h == nullptr) return;
  change(id, *h, Qty{});
  h->sigma = 0;
  h->venue_sigma = 0;
  if (!surface_.empty()) surface_[id.value] = Vol{};
  h->future_price = 0;
  h->venue_mark = Price{};
}

void Portfolio::change(InstrumentId id, Holding& h, Qty amount) noexcept {
  const Instrument& i = table_[id];
  if (is_option(i.kind)) return change_option(id, h, amount);
  if (is_perpetual(i.kind)) return change_perpetual(i, h, amount);
  change_future(i, h, amount, h.future_price);
}

void Portfolio::change_perpetual(const Instrument& i, Holding& h, Qty amount) noexcept {
  Coin& c = coins_[i.underlying.value];
  i128& sum = in_usd(i.kind) ? c.perpetual_usd_nano : c.perpetual_coins_nano;
  sum += static_cast<i128>(amount.nano) - h.amount.nano;
  h.amount = amount;
}

void Portfolio::change_future(const Instrument& i, Holding& h, Qty amount, double price) noexcept {
  Bucket& b = buckets_[h.bucket];
  const auto apply = [&](Qty size, double at, i128 sign) noexcept {
    const double n = to_double(size);
    if (!in_usd(i.kind)) {
      b.future_coins_atto += sign * static_cast<i128>(size.nano) * atto_per_nano;
    } else if (at > 0) {
      b.future_coins_atto += sign * to_atto(n / at);
      b.future_slope_atto -= sign * to_atto(n / at / at);
    } else {
      b.future_usd_nano += sign * size.nano;
    }
  };
  apply(h.amount, h.future_price, -1);
  apply(amount, price, 1);
  h.amount = amount;
  h.future_price = price;
  note_filled(h.bucket);
}

void Portfolio::change_option(InstrumentId id, Holding& h, Qty amount) noexcept {
  if (amount == h.amount) return;
  Bucket& b = buckets_[h.bucket];
  if (h.amount == Qty{}) insert_row(id, h, b);
  Chunk& c = chunks_[h.chunk];
  const double before = c.weight[h.row];
  const double after = h.sigma > 0 ? to_double(amount) : 0.0;
  h.amount = amount;
  c.weight[h.row] = after;
  if (b.priced) add_row(b, c, h.row, after - before, math::abs(after) - math::abs(before));
  if (amount == Qty{}) return remove_row(h, b);
  if (!b.priced) reprice(b);
}

void Portfolio::insert_row(InstrumentId id, Holding& h, Bucket& b) noexcept {
  if (b.newest == none || chunks_[b.newest].count == rows_max) {
    const std::uint16_t fresh = free_chunks_.back();
    free_chunks_.pop_back();
    chunks_[fresh].next = b.newest;
    b.newest = fresh;
  }
  Chunk& c = chunks_[b.newest];
  h.chunk = b.newest;
  h.row = c.count++;
  const Instrument& i = table_[id];
  if (laddered()) {
    const Vol vol = pick(id);
    h.sigma = vol.sigma;
    h.received = vol.at;
    c.slope[h.row] = vol.slope;
    c.source[h.row] = vol.source;
  } else {
    c.slope[h.row] = 0;
    c.source[h.row] = h.sigma > 0 ? VolSource::venue : VolSource::none;
  }
  if (h.sigma > 0) b.models.add(c.source[h.row]);
  c.owner[h.row] = id;
  c.strike[h.row] = to_double(i.strike);
  c.sign[h.row] = i.option == OptionType::put ? -1.0 : 1.0;
  c.sigma[h.row] = h.sigma > 0 ? h.sigma : 1.0;
  c.weight[h.row] = 0;
  c.received[h.row] = h.received;
  if (h.sigma == 0) {
    ++b.unmarked;
  } else if (b.held - b.unmarked == 0 || h.received < b.oldest_mark) {
    b.oldest_mark = h.received;
  }
  if (b.held++ == 0) activate(h.bucket);
  if (b.priced) price_row(b, c, h.row);
}

// The last row of the newest chunk moves into the gap.
void Portfolio::remove_row(Holding& h, Bucket& b) noexcept {
  Chunk& to = chunks_[h.chunk];
  Chunk& from = chunks_[b.newest];
  const std::size_t gap = h.row;
  const std::size_t last = --from.count;
  for (auto column : {&Chunk::strike, &Chunk::sigma, &Chunk::sign, &Chunk::weight, &Chunk::price,
                      &Chunk::delta, &Chunk::gamma, &Chunk::vega, &Chunk::theta, &Chunk::vanna,
                      &Chunk::speed, &Chunk::inverse_sd, &Chunk::slope}) {
    (to.*column)[gap] = (from.*column)[last];
  }
  to.received[gap] = from.received[last];
  to.source[gap] = from.source[last];
  to.owner[gap] = from.owner[last];
  Holding& moved = holdings_[from.owner[last].value];
  moved.chunk = h.chunk;
  moved.row = h.row;
  from.strike[last] = from.sigma[last] = from.sign[last] = 1.0;
  from.weight[last] = 0.0;
  h.chunk = none;
  if (h.sigma == 0) --b.unmarked;
  if (from.count == 0) {
    const std::uint16_t empty = b.newest;
    b.newest = from.next;
    from.next = none;
    free_chunks_.push_back(empty);
  }
  if (--b.held == 0) deactivate(h.bucket);
}

// --- what the market says -----------------------------------------------------------------------

void Portfolio::on_option_ticker(InstrumentId id, std::int64_t mark_iv_nano, Price underlying,
                                 Price mark, ExchTime venue_time, RecvTime now) noexcept {
  ++version_;
  Holding* h = open(id);
  if (h == nullptr || !is_option(table_[id].kind)) return;
  if (venue_now_ == ExchTime{}) venue_now_ = venue_time;  // until the first on_clock
  now_ = std::max(now_, now);
  Bucket& b = buckets_[h->bucket];
  if (usable(mark)) h->venue_mark = mark;
  if (usable(underlying)) {
    Coin& c = coins_[b.underlying.value];
    const double mid = c.lost ? 0.0 : c.mid;
    b.forward.on_underlying(to_double(underlying), mid, venue_time, now);
    c.anchored = c.anchored && mid > 0;
  }
  if (mark_iv_nano > 0) {
    h->venue_sigma = static_cast<double>(mark_iv_nano) * 1e-9;
    h->venue_received = now;
  }
  if (laddered()) {
    set_volatility(*h, pick(id));
  } else if (mark_iv_nano > 0) {
    set_volatility(*h, {h->venue_sigma, 0, now, VolSource::venue});
  }
  if (b.held > 0) on_forward(b);
}

void Portfolio::on_perpetual_mid(UnderlyingId u, Price mid, ExchTime, RecvTime now) noexcept {
  ++version_;
  if (u.value >= coins_.size() || !usable(mid)) return;
  now_ = std::max(now_, now);
  Coin& c = coins_[u.value];
  c.mid = to_double(mid);
  c.lost = false;
  ++work_.ticks;
  if (!c.anchored) {
    for (const std::uint16_t index : c.buckets) buckets_[index].forward.anchor(c.mid);
    c.anchored = true;
  }
  for (const std::uint16_t index : c.filled) {
    Bucket& b = buckets_[index];
    ++work_.bucket_visits;
    if (b.held > 0) on_forward(b);
  }
}

void Portfolio::on_perpetual_lost(UnderlyingId u) noexcept {
  ++version_;
  if (u.value >= coins_.size()) return;
  Coin& c = coins_[u.value];
  for (const std::uint16_t index : c.buckets) buckets_[index].forward.hold(c.mid);
  c.lost = true;
  c.anchored = false;
}

void Portfolio::on_future_mid(InstrumentId id, Price mid, ExchTime, RecvTime now) noexcept {
  ++version_;
  Holding* h = open(id);
  if (h == nullptr || !usable(mid)) return;
  const Instrument& i = table_[id];
  if (is_option(i.kind) || is_perpetual(i.kind)) return;
  now_ = std::max(now_, now);
  change_future(i, *h, h->amount, to_double(mid));
}

void Portfolio::on_index(UnderlyingId u, Price index, ExchTime venue_time) noexcept {
  ++version_;
  if (u.value >= coins_.size() || !usable(index)) return;
  Coin& c = coins_[u.value];
  if (c.index > 0) {
    if (venue_time < c.index_time) return;
    for (const std::uint16_t k : c.buckets) {
      Bucket& b = buckets_[k];
      const ExchTime start = b.expiry - config_.expiry_window;
      if (b.window_open || venue_time < start || b.expiry < venue_time) continue;
      b.window_open = true;
      b.window_from = std::max(start, c.index_time);
      b.window_integral =
          c.index_integral +
          c.index * static_cast<double>((b.window_from - c.index_time).count) * 1e-9;
    }
    c.index_integral += c.index * static_cast<double>((venue_time - c.index_time).count) * 1e-9;
  }
  c.index = to_double(index);
  c.index_time = venue_time;
}

}  // namespace gimbal
