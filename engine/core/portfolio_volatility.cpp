// The portfolio's volatilities: the ladder surface, venue, flat, and what the smile adds to a
// delta.
#include <algorithm>

#include "engine/core/math.hpp"
#include "engine/core/portfolio.hpp"

namespace gimbal {

// --- the ladder ---------------------------------------------------------------------------------

// The ladder of one option, now.
Portfolio::Vol Portfolio::pick(InstrumentId id) const noexcept {
  if (!surface_.empty()) {
    const Vol& own = surface_[id.value];
    // One from the future is a clock that went wrong.
    if (own.sigma > 0 && own.at <= now_ && now_ - own.at <= config_.surface_age_max) return own;
  }
  const Holding& h = holdings_[id.value];
  const double flat = config_.flat_volatility;
  const bool recent = now_ - h.venue_received <= config_.volatility_age_max;
  if (h.venue_sigma > 0 && (recent || !(flat > 0))) {
    return {h.venue_sigma, 0, h.venue_received, VolSource::venue};
  }
  if (flat > 0) return {flat, 0, now_, VolSource::flat};
  return {};
}

void Portfolio::set_volatility(Holding& h, const Vol& vol) noexcept {
  const double before = h.sigma;
  if (!(vol.sigma > 0)) return;
  h.sigma = vol.sigma;
  h.received = vol.at;
  if (h.chunk == none) return;
  Bucket& b = buckets_[h.bucket];
  Chunk& c = chunks_[h.chunk];
  c.received[h.row] = vol.at;
  if (b.held - b.unmarked == 0) b.oldest_mark = vol.at;
  if (before == 0) --b.unmarked;
  if (vol.sigma == before && vol.slope == c.slope[h.row] && vol.source == c.source[h.row]) return;
  put_row(b, h, vol);
}

// One contribution leaves the sums and its successor enters, both at the reference point.
void Portfolio::put_row(Bucket& b, Holding& h, const Vol& vol) noexcept {
  Chunk& c = chunks_[h.chunk];
  const double old_weight = c.weight[h.row];
  if (b.priced) add_row(b, c, h.row, -old_weight, -math::abs(old_weight));
  c.sigma[h.row] = vol.sigma;
  c.slope[h.row] = vol.slope;
  c.source[h.row] = vol.source;
  b.models.add(vol.source);
  c.weight[h.row] = to_double(h.amount);
  if (!b.priced) return;
  price_row(b, c, h.row);
  add_row(b, c, h.row, c.weight[h.row], math::abs(c.weight[h.row]));
}

std::size_t Portfolio::on_surface(const SurfaceBlock& block, RecvTime now) noexcept {
  ++version_;
  if (surface_.empty()) return 0;
  now_ = std::max(now_, now);
  const SurfaceHead& head = block.head();
  const bool inverse = head.inverse != 0;
  std::size_t taken = 0;
  std::uint16_t touched = none;
  for (std::size_t n = 0; n < block.rows(); ++n) {
    const SurfaceRow row = block.row(n);
    const Holding* h = open(row.instrument);
    if (h == nullptr) continue;
    const Instrument& i = table_[row.instrument];
    if (!is_option(i.kind) || i.underlying != head.underlying || i.expiry != head.expiry ||
        is_inverse(i.kind) != inverse || i.state == InstrumentState::settled) {
      continue;
    }
    surface_[row.instrument.value] = {row.sigma, row.slope, head.as_of, head.source};
    touched = h->bucket;
    ++taken;
  }
  if (touched == none) return 0;
  Bucket& b = buckets_[touched];
  b.surfaced = true;
  b.minimum_variance = head.minimum_variance;
  if (b.priced) {
    reprice(b);
  } else {
    pick_rows(b);
  }
  return taken;
}

bool Portfolio::withdraw_surface(const SurfaceHead& head, RecvTime now) noexcept {
  ++version_;
  if (surface_.empty() || head.underlying.value >= coins_.size()) return false;
  now_ = std::max(now_, now);
  for (const std::uint16_t index : coins_[head.underlying.value].buckets) {
    Bucket& b = buckets_[index];
    if (!b.surfaced || b.expiry != head.expiry || b.inverse != (head.inverse != 0)) continue;
    b.surfaced = false;
    b.minimum_variance = {};
    for (std::size_t n = 0; n < table_.size(); ++n) {
      if (holdings_[n].bucket == index) surface_[n] = Vol{};
    }
    if (b.priced) {
      reprice(b);
    } else {
      pick_rows(b);
    }
    return true;
  }
  return false;
}

// Every row of the bucket on its rung of now, before it is priced.
void Portfolio::pick_rows(Bucket& b) noexcept {
  b.surface_stale = 0;
  b.surface_at = RecvTime{};
  for (std::uint16_t k = b.newest; k != none; k = chunks_[k].next) {
    Chunk& c = chunks_[k];
    for (std::size_t i = 0; i < c.count; ++i) {
      const Vol vol = pick(c.owner[i]);
      Holding& h = holdings_[c.owner[i].value];
      c.slope[i] = vol.slope;
      c.source[i] = vol.source;
      c.received[i] = h.received = vol.at;
      if (!(vol.sigma > 0)) {  // as an option that was never marked: incomplete
        if (h.sigma > 0) ++b.unmarked;
        h.sigma = 0;
        c.weight[i] = 0;
      } else {
        if (h.sigma == 0) --b.unmarked;
        c.sigma[i] = h.sigma = vol.sigma;
        c.weight[i] = to_double(h.amount);
      }
      if (surface_.empty() || !(surface_[c.owner[i].value].sigma > 0)) continue;
      const RecvTime at = surface_[c.owner[i].value].at;
      if (b.surface_at == RecvTime{} || at < b.surface_at) b.surface_at = at;
      b.surface_stale += of_surface(vol.source) ? 0U : 1U;
    }
  }
}

VolSource Portfolio::model(InstrumentId id) const noexcept {
  if (id.value >= holdings_.size() || holdings_[id.value].bucket == none) return VolSource::none;
  if (!is_option(table_[id].kind)) return VolSource::none;
  if (laddered()) return pick(id).source;
  return holdings_[id.value].sigma > 0 ? VolSource::venue : VolSource::none;
}

VolSources Portfolio::models(UnderlyingId u) const noexcept {
  VolSources out;
  if (u.value >= coins_.size()) return out;
  for (const std::uint16_t index : coins_[u.value].filled) out.add(buckets_[index].models);
  return out;
}

// --- buckets that hold something ----------------------------------------------------------------

// Once the bucket's holdings changed.
void Portfolio::note_filled(std::size_t bucket) noexcept {
  Bucket& b = buckets_[bucket];
  const bool holds =
      b.held > 0 || b.future_coins_atto != 0 || b.future_slope_atto != 0 || b.future_usd_nano != 0;
  if (holds == b.filled) return;
  b.filled = holds;
  std::vector<std::uint16_t>& filled = coins_[b.underlying.value].filled;
  const auto earlier = [this](std::uint16_t one, std::uint16_t other) noexcept {
    return buckets_[one].place < buckets_[other].place;
  };
  const auto index = static_cast<std::uint16_t>(bucket);
  const auto at = std::lower_bound(filled.begin(), filled.end(), index, earlier);
  if (holds) {
    filled.insert(at, index);
  } else {
    filled.erase(at);
  }
}

void Portfolio::activate(std::size_t bucket) noexcept {
  active_.push_back(static_cast<std::uint16_t>(bucket));
  note_filled(bucket);
}

void Portfolio::deactivate(std::size_t bucket) noexcept {
  Bucket& b = buckets_[bucket];
  b.priced = false;
  b.sums = Sums{};
  b.models = VolSources{};
  b.surface_stale = 0;
  b.surface_at = RecvTime{};
  b.oldest_mark = RecvTime{};
  const auto at = std::find(active_.begin(), active_.end(), static_cast<std::uint16_t>(bucket));
  *at = active_.back();
  active_.pop_back();
  note_filled(bucket);
}

// --- the smile ----------------------------------------------------------------------------------

void Portfolio::set_smile_units(Bucket& b) noexcept {
  b.sticky_unit = b.reference > 0 ? 1 / b.reference : 0;
  const bool studied = b.at.years >= minimum_variance_years_min;
  b.variance_unit = studied ? b.sticky_unit / math::sqrt(b.at.years) : 0;
}

// k falls by dF/F as the forward rises: under sticky delta sigma(k) stands, so
// d sigma / dF = -slope / F.
double Portfolio::sticky_share(const Bucket& b, const Chunk& c, std::size_t row) noexcept {
  return bounded_smile_shift(-c.vega[row] * c.slope[row] * b.sticky_unit,
                             call_delta(c.delta[row], c.sign[row] < 0));
}

// The coefficients are the surface's: a row that it does not price has none.
double Portfolio::variance_share(const Bucket& b, const Chunk& c, std::size_t row) noexcept {
  if (!of_surface(c.source[row])) return 0;
  const double delta = call_delta(c.delta[row], c.sign[row] < 0);
  if (!minimum_variance_applies(delta, b.at.years)) return 0;
  return bounded_smile_shift(
      c.vega[row] * b.variance_unit * minimum_variance_of(b.minimum_variance, delta), delta);
}

void Portfolio::add_smile(Bucket& b, const Chunk& c) noexcept {
  Sums& s = b.sums;
  for (std::size_t i = 0; i < c.count; ++i) {
    s.sticky_delta = math::fma(c.weight[i], sticky_share(b, c, i), s.sticky_delta);
    s.minimum_variance = math::fma(c.weight[i], variance_share(b, c, i), s.minimum_variance);
  }
}

// First order in the smile; between two pricings as at the reference point.
void Portfolio::add_smile_risk(const Bucket& b, RiskNumbers& out) noexcept {
  out.surface_stale += b.surface_stale;
  if (b.surface_at != RecvTime{} &&
      (out.surface_at == RecvTime{} || b.surface_at < out.surface_at)) {
    out.surface_at = b.surface_at;
  }
  out.sticky_delta_shift += b.at.scale * b.sums.sticky_delta;
  out.minimum_variance_shift += b.at.scale * b.sums.minimum_variance;
}

}  // namespace gimbal
