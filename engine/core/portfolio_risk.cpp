// Pricing of buckets, expansion in place and the answers of the portfolio.
#include <algorithm>

#include "engine/core/bring_near.hpp"
#include "engine/core/math.hpp"
#include "engine/core/portfolio.hpp"

namespace gimbal {

namespace {

// Of one word by the processor, of two by a call; either rounds to the nearest.
double rounded(i128 v) noexcept {
  const auto word = static_cast<std::int64_t>(v);
  return word == v ? static_cast<double>(word) : static_cast<double>(v);
}
double from_atto(i128 atto) noexcept { return rounded(atto) * 1e-18; }
double from_nano(i128 nano) noexcept { return rounded(nano) * 1e-9; }

double third_derivative_bound(double inverse_sd) noexcept {
  return math::fma(0.24198, inverse_sd, 0.39895) * inverse_sd;
}

// Bound of |d delta / d ln sd|, premium-adjusted or not.
double time_slope_bound(double inverse_sd) noexcept {
  return inverse_sd > 0 ? 0.242 + 0.798 / inverse_sd : 0.0;
}

}  // namespace

// --- pricing ------------------------------------------------------------------------------------

double Portfolio::forward_of(const Bucket& b) const noexcept {
  return b.forward.at(coins_[b.underlying.value].mid);
}

double Portfolio::window_average(const Bucket& b, double otherwise) const noexcept {
  const Coin& c = coins_[b.underlying.value];
  if (!b.window_open) return c.index > 0 ? c.index : otherwise;
  const ExchTime until = std::min(std::max(venue_now_, c.index_time), b.expiry);
  const double length = static_cast<double>((until - b.window_from).count) * 1e-9;
  if (!(length > 0)) return c.index;
  const double since = static_cast<double>((until - c.index_time).count) * 1e-9;
  return (c.index_integral + c.index * since - b.window_integral) / length;
}

Portfolio::Point Portfolio::point(const Bucket& b, double forward) const noexcept {
  const Nanos left = b.expiry - venue_now_;
  Point p;
  p.years = years(left);
  const Nanos window = config_.expiry_window;
  if (config_.expiry_rule == ExpiryRule::black || window.count <= 0) return p;
  if (left >= window) {
    if (config_.expiry_rule == ExpiryRule::effective_time) p.years -= years(window) * (2.0 / 3.0);
    return p;
  }
  const double share =
      left.count > 0 ? static_cast<double>(left.count) / static_cast<double>(window.count) : 0.0;
  p.scale = share;
  p.base = (1.0 - share) * window_average(b, forward);
  const double part = share * forward / math::fma(share, forward, p.base);
  p.years = std::max(p.years, 0.0) * (1.0 / 3.0) * part * part;
  return p;
}

// How far the delta of the bucket may be off after expanding from `reference` to `seen`.
double Portfolio::delta_error(const Bucket& b, double seen) const noexcept {
  const double x = math::abs(seen - b.reference);
  const double low = std::min(seen, b.reference);
  const double spread = x / low;
  double bound = 0.5 * b.sums.third * spread * spread;
  if (b.inverse) bound *= 1.0 + spread * (1.0 / 3.0);
  const double passed = years(venue_now_ - b.reference_time);
  if (b.at.years > 0) bound += b.sums.time_slope * math::abs(passed) * 0.5 / b.at.years;
  return bound;
}

void Portfolio::on_forward(Bucket& b) noexcept {
  if (!b.priced) return reprice(b);
  b.updated = now_;
  const double seen = math::fma(b.at.scale, forward_of(b), b.at.base);
  const double x = seen - b.reference;
  const double low = std::min(seen, b.reference);
  if (b.sums.third * (x * x) > 2.0 * config_.delta_error_max * (low * low)) reprice(b);
}

void Portfolio::price_row(const Bucket& b, Chunk& c, std::size_t row) noexcept {
  // A full group of rows, so that every kernel may use its whole width.
  alignas(64) std::array<double, virtual_lanes> strike, sigma, sign;
  alignas(64) std::array<std::array<double, virtual_lanes>, 8> out{};
  strike.fill(c.strike[row]);
  sigma.fill(c.sigma[row]);
  sign.fill(c.sign[row]);
  kernels_.full(BucketPoint{b.reference, b.at.years, 0.0, 1.0},
                OptionColumns{strike.data(), sigma.data(), sign.data()},
                GreekColumns{out[0].data(), out[1].data(), out[2].data(), out[3].data(),
                             out[4].data(), out[5].data(), out[6].data(), out[7].data()},
                1);
  c.price[row] = out[0][0];
  c.delta[row] = out[1][0];
  c.gamma[row] = out[2][0];
  c.vega[row] = out[3][0];
  c.theta[row] = out[4][0];
  c.vanna[row] = out[5][0];
  c.speed[row] = out[6][0];
  c.inverse_sd[row] = out[7][0];
  ++work_.rows_priced;
}

// Adds `weight` times the Greeks of one row; `size` is the change of its absolute amount.
void Portfolio::add_row(Bucket& b, const Chunk& c, std::size_t row, double weight,
                        double size) noexcept {
  Sums& s = b.sums;
  s.value = math::fma(weight, c.price[row], s.value);
  s.delta = math::fma(weight, c.delta[row], s.delta);
  s.gamma = math::fma(weight, c.gamma[row], s.gamma);
  s.vega = math::fma(weight, c.vega[row], s.vega);
  s.theta = math::fma(weight, c.theta[row], s.theta);
  s.vanna = math::fma(weight, c.vanna[row], s.vanna);
  s.speed = math::fma(weight, c.speed[row], s.speed);
  if (!surface_.empty()) {
    s.sticky_delta = math::fma(weight, sticky_share(b, c, row), s.sticky_delta);
    s.minimum_variance = math::fma(weight, variance_share(b, c, row), s.minimum_variance);
  }
  const double inverse_sd = c.inverse_sd[row];
  s.third = std::max(math::fma(size, third_derivative_bound(inverse_sd), s.third), 0.0);
  const double slope = time_slope_bound(inverse_sd);
  s.time_slope = std::max(math::fma(size, slope, s.time_slope), 0.0);
}

void Portfolio::add_chunk(Bucket& b, const Chunk& c) noexcept {
  Sums& s = b.sums;
  const double* w = c.weight.data();
  s.value += lane_dot(w, c.price.data(), c.count);
  s.delta += lane_dot(w, c.delta.data(), c.count);
  s.gamma += lane_dot(w, c.gamma.data(), c.count);
  s.vega += lane_dot(w, c.vega.data(), c.count);
  s.theta += lane_dot(w, c.theta.data(), c.count);
  s.vanna += lane_dot(w, c.vanna.data(), c.count);
  s.speed += lane_dot(w, c.speed.data(), c.count);
  if (!surface_.empty()) add_smile(b, c);
  alignas(64) std::array<double, rows_max> size, third, slope;
  for (std::size_t i = 0; i < c.count; ++i) {
    const double inverse_sd = c.inverse_sd[i];
    size[i] = math::abs(c.weight[i]);
    third[i] = third_derivative_bound(inverse_sd);
    slope[i] = time_slope_bound(inverse_sd);
    if (c.weight[i] == 0) continue;
    if (c.received[i] < b.oldest_mark) b.oldest_mark = c.received[i];
    b.models.add(c.source[i]);
  }
  s.third += lane_dot(size.data(), third.data(), c.count);
  s.time_slope += lane_dot(size.data(), slope.data(), c.count);
}

void Portfolio::reprice(Bucket& b) noexcept {
  if (!b.forward.known() || venue_now_ == ExchTime{} || b.held == 0) return;
  const double forward = forward_of(b);
  b.at = point(b, forward);
  b.reference = math::fma(b.at.scale, forward, b.at.base);
  b.reference_time = venue_now_;
  b.priced_at = now_;
  b.updated = now_;
  b.priced = true;
  set_smile_units(b);
  if (laddered()) pick_rows(b);
  b.sums = Sums{};
  b.models = VolSources{};
  b.oldest_mark = now_;
  const BucketPoint where{b.reference, b.at.years, 0.0, 1.0};
  for (std::uint16_t k = b.newest; k != none; k = chunks_[k].next) {
    Chunk& c = chunks_[k];
    kernels_.full(where, OptionColumns{c.strike.data(), c.sigma.data(), c.sign.data()},
                  GreekColumns{c.price.data(), c.delta.data(), c.gamma.data(), c.vega.data(),
                               c.theta.data(), c.vanna.data(), c.speed.data(), c.inverse_sd.data()},
                  c.count);
    add_chunk(b, c);
    work_.rows_priced += c.count;
  }
  ++work_.reprices;
  check_at_ = std::min(check_at_, due(b));
}

void Portfolio::reprice(UnderlyingId u) noexcept {
  if (u.value >= coins_.size()) return;
  ++version_;
  for (const std::uint16_t index : coins_[u.value].buckets) reprice(buckets_[index]);
}

// When the reference point of the bucket becomes too old.
RecvTime Portfolio::due(const Bucket& b) const noexcept {
  if (!b.priced) return now_;
  const Nanos left = b.expiry - b.reference_time;
  const auto share = static_cast<std::int64_t>(
      static_cast<double>(std::max(left.count, INT64_C(0))) * config_.time_share_max);
  const Nanos age = config_.reprice_age_max;
  return b.priced_at + (left.count > 0 ? std::min(age, Nanos{share}) : age);
}

void Portfolio::on_clock(RecvTime now, ExchTime venue_now) noexcept {
  ++version_;
  now_ = std::max(now_, now);
  venue_now_ = std::max(venue_now_, venue_now);
  if (now_ < check_at_) return;
  // One bucket a call, the one that is due longest, so that no event pays for all; whatever has
  // waited a whole period too long is priced at once.
  Bucket* oldest = nullptr;
  for (const std::uint16_t index : active_) {
    Bucket& b = buckets_[index];
    if (now_ < due(b)) continue;
    if (!b.priced || b.priced_at + config_.reprice_age_max * 2 <= now_) {
      reprice(b);
    } else if (oldest == nullptr || due(b) < due(*oldest)) {
      oldest = &b;
    }
  }
  if (oldest != nullptr) reprice(*oldest);
  check_at_ = now_ + config_.reprice_age_max;
  for (const std::uint16_t index : active_) check_at_ = std::min(check_at_, due(buckets_[index]));
}

// --- answers ------------------------------------------------------------------------------------

void Portfolio::add_options_risk(const Bucket& b, RiskNumbers& out) const noexcept {
  if (b.held == 0) return;
  const bool recent = now_ - b.forward.received() <= config_.forward_age_max &&
                      now_ - b.oldest_mark <= config_.volatility_age_max;
  out.complete = out.complete && b.priced && b.unmarked == 0 && recent;
  if (!b.priced) return;
  if (out.oldest_mark == RecvTime{} || b.oldest_mark < out.oldest_mark) {
    out.oldest_mark = b.oldest_mark;
  }
  if (out.updated == RecvTime{} || b.updated < out.updated) out.updated = b.updated;
  const double forward = forward_of(b);
  const double scale = b.at.scale;
  const double seen = math::fma(scale, forward, b.at.base);
  const double x = seen - b.reference;
  const Sums& s = b.sums;
  const double delta = math::fma(s.gamma, x, s.delta);
  const double gamma = math::fma(s.speed, x, s.gamma);
  const double value = math::fma(math::fma(0.5 * s.gamma, x, s.delta), x, s.value);
  out.options_delta.value += scale * delta;
  out.gamma.value += scale * scale * gamma;
  out.vega.value += math::fma(s.vanna, x, s.vega);
  out.theta.value += s.theta;
  out.delta_error += delta_error(b, seen);
  out.models.add(b.models);
  if (!surface_.empty()) add_smile_risk(b, out);
  if (b.inverse) {
    const double coins = value / seen;
    const double net = delta - coins;
    out.options_value += coins;
    out.delta_net.value += scale * (forward / seen) * net;
    out.gamma_net.value += scale * scale * (gamma - net / seen);
  } else {
    out.linear_value += value;
    out.delta_net.value += scale * delta;
    out.gamma_net.value += scale * scale * gamma;
  }
}

void Portfolio::add_futures_risk(const Bucket& b, RiskNumbers& out) const noexcept {
  out.delta_one += from_atto(b.future_coins_atto);
  if (!b.inverse) out.linear_one += from_atto(b.future_coins_atto);
  out.gamma_net.value += from_atto(b.future_slope_atto);
  if (b.future_usd_nano == 0) return;
  const double price = b.forward.known() ? forward_of(b) : coins_[b.underlying.value].mid;
  if (!b.forward.known()) out.complete = false;
  if (!(price > 0)) return;
  const double coins = from_nano(b.future_usd_nano) / price;
  out.delta_one += coins;
  out.gamma_net.value -= coins / price;
}

void Portfolio::add_perpetual_risk(const Coin& c, RiskNumbers& out) const noexcept {
  out.delta_one += from_nano(c.perpetual_coins_nano);
  out.linear_one += from_nano(c.perpetual_coins_nano);
  if (c.perpetual_usd_nano == 0) return;
  if (c.lost || !(c.mid > 0)) out.complete = false;
  if (!(c.mid > 0)) return;
  const double coins = from_nano(c.perpetual_usd_nano) / c.mid;
  out.delta_one += coins;
  out.gamma_net.value -= coins / c.mid;
}

RiskNumbers Portfolio::sum_of(const Coin& c) const noexcept {
  RiskNumbers out;
  for (const std::uint16_t index : c.filled) {
    add_options_risk(buckets_[index], out);
    add_futures_risk(buckets_[index], out);
  }
  add_perpetual_risk(c, out);
  out.delta_bs.value = out.options_delta.value + out.delta_one;
  out.delta_net.value += out.delta_one;
  return out;
}

void Portfolio::look_over(UnderlyingId u) const noexcept {
  if (u.value < coins_.size()) work_out(sum_of(coins_[u.value]));
}

const RiskNumbers& Portfolio::risk(UnderlyingId u) const noexcept {
  static constexpr RiskNumbers nothing{};
  if (u.value >= coins_.size()) return nothing;
  Answer& last = answers_[u.value];
  if (last.version != version_) last = {sum_of(coins_[u.value]), version_};
  return last.risk;
}

RiskNumbers Portfolio::risk(ExpiryId e) const noexcept {
  RiskNumbers out;
  if (e.value >= table_.expiry_count()) return out;
  for (std::size_t i = 2u * e.value; i < 2u * e.value + 2u; ++i) {
    add_options_risk(buckets_[i], out);
    if (buckets_[i].used) add_futures_risk(buckets_[i], out);
  }
  const InstrumentTable::Expiry& expiry = table_.expiry(e);
  if (expiry.at == ExchTime{} && expiry.underlying.value < coins_.size()) {
    add_perpetual_risk(coins_[expiry.underlying.value], out);
  }
  out.delta_bs.value = out.options_delta.value + out.delta_one;
  out.delta_net.value += out.delta_one;
  return out;
}

double Portfolio::forward(InstrumentId id) const noexcept {
  if (id.value >= holdings_.size() || holdings_[id.value].bucket == none) return 0;
  return forward_of(buckets_[holdings_[id.value].bucket]);
}

double Portfolio::perpetual_mid(UnderlyingId u) const noexcept {
  return u.value < coins_.size() ? coins_[u.value].mid : 0;
}

Portfolio::Seen Portfolio::see(InstrumentId id) const noexcept {
  Seen s;
  OptionMark& m = s.mark;
  if (id.value >= holdings_.size() || holdings_[id.value].bucket == none) return s;
  const Holding& h = holdings_[id.value];
  const Bucket& b = buckets_[h.bucket];
  const Instrument& i = table_[id];
  m.venue_mark = h.venue_mark;
  m.received = h.received;
  m.sigma = h.sigma;
  m.source = model(id);
  if (laddered() && is_option(i.kind)) {
    const Vol vol = pick(id);
    m.sigma = vol.sigma;
    m.received = vol.at;
  }
  m.forward = forward_of(b);
  if (!is_option(i.kind) || !(m.sigma > 0) || !b.forward.known() || venue_now_ == ExchTime{})
    return s;
  const Point p = point(b, m.forward);
  const double seen = math::fma(p.scale, m.forward, p.base);
  if (!priceable({i.option, seen, to_double(i.strike), p.years, m.sigma, 0.0, 1.0})) return s;
  s.scale = p.scale;
  m.usable = true;
  m.seen = seen;
  m.share = p.scale * m.forward / seen;
  m.years = p.years;
  return s;
}

OptionMark Portfolio::sight(InstrumentId id) const noexcept { return see(id).mark; }

OptionMark Portfolio::mark(InstrumentId id) const noexcept {
  auto [m, scale] = see(id);
  if (!m.usable) return m;
  const Instrument& i = table_[id];
  const OptionTerms t{i.option, m.seen, to_double(i.strike), m.years, m.sigma, 0.0, 1.0};
  const LinearGreeks g = price_linear(t);
  m.delta_bs = scale * g.delta;
  m.gamma = scale * scale * g.gamma;
  m.vega = g.vega;
  m.theta = g.theta;
  const bool inverse = buckets_[holdings_[id.value].bucket].inverse;
  m.price = inverse ? g.price / m.seen : g.price;
  m.delta_net = inverse ? scale * (m.forward / m.seen) * price_inverse(t).delta_net : m.delta_bs;
  return m;
}

}  // namespace gimbal
