#include "engine/quant/surface/vol_surface.hpp"

#include <algorithm>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

constexpr double same_expiry_years = 60.0 / 31'536'000.0;

// Volatility of the quotes at the money, linear between the two nearest strikes.
double at_the_money(const SliceQuotes& in) noexcept {
  const auto above =
      std::find_if(in.quotes.begin(), in.quotes.end(), [](const VolQuote& q) { return q.k >= 0; });
  if (above == in.quotes.end()) return in.quotes.back().vol;
  if (above == in.quotes.begin()) return above->vol;
  const auto below = above - 1;
  const double part = -below->k / (above->k - below->k);
  return below->vol + part * (above->vol - below->vol);
}

bool usable(double sigma) noexcept { return math::finite(sigma) && sigma > 0; }

VolSurface::Answer answer_of(const SviPoint& p, double years) noexcept {
  VolSurface::Answer out;
  if (!(p.w > 0)) return out;
  out.sigma = math::sqrt(p.w / years);
  out.slope = p.w1 / (2.0 * out.sigma * years);
  return out;
}

}  // namespace

std::string_view to_string(VolSource s) noexcept {
  switch (s) {
    case VolSource::none: return "none";
    case VolSource::svi: return "svi";
    case VolSource::ssvi: return "ssvi";
    case VolSource::kept: return "kept";
    case VolSource::interpolated: return "interpolated";
    case VolSource::venue: return "venue";
    case VolSource::flat: return "flat";
  }
  return "?";
}

const VolSurface::Slice* VolSurface::find(std::int64_t expiry) const noexcept {
  const auto at = std::find_if(slices_.begin(), slices_.end(),
                               [&](const Slice& s) { return s.expiry == expiry; });
  return at == slices_.end() ? nullptr : &*at;
}

bool VolSurface::fit(std::span<const ExpiryQuotes> expiries, double now_s,
                     const SurfaceLimits& limits, const VolSurface* last, double keep_max_s) {
  slices_.clear();
  for (std::size_t i = 1; i < expiries.size(); ++i) {
    if (!(expiries[i].quotes.years > expiries[i - 1].quotes.years)) return false;
  }
  const Task task{expiries, now_s, limits, last, keep_max_s};
  const auto well_quoted = [&](std::size_t i) {
    return expiries[i].quotes.firm && expiries[i].quotes.quotes.size() >= limits.svi_strikes_min;
  };
  const auto strikes = [&](std::size_t i) { return expiries[i].quotes.quotes.size(); };
  std::vector<std::size_t> order(expiries.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
    if (well_quoted(x) != well_quoted(y)) return well_quoted(x);
    return well_quoted(x) || strikes(x) == strikes(y) ? x > y : strikes(x) > strikes(y);
  });
  const std::size_t all = fit_in_order(task, order);
  std::size_t wanted = 0;
  for (std::size_t i = 0; i < order.size(); ++i) wanted += well_quoted(i) ? strikes(i) : 0;
  if (all >= wanted) return true;

  // Some last expiry may have bound the others to a bad wing.
  std::sort(order.begin(), order.end(), [&](std::size_t x, std::size_t y) {
    if (well_quoted(x) != well_quoted(y)) return well_quoted(x);
    return strikes(x) == strikes(y) ? x > y : strikes(x) > strikes(y);
  });
  VolSurface other;
  if (other.fit_in_order(task, order) > all) slices_ = std::move(other.slices_);
  return true;
}

// Fits all of it; returns the number of firm quotes that accepted slices stand on.
std::size_t VolSurface::fit_in_order(const Task& task, std::span<const std::size_t> order) {
  slices_.assign(task.expiries.size(), {});
  for (const std::size_t i : order) {
    slices_[i].expiry = task.expiries[i].expiry;
    slices_[i].years = task.expiries[i].quotes.years;
  }
  const auto earlier = [&](std::size_t i) -> const Slice* {
    const Slice* old = task.last == nullptr ? nullptr : task.last->find(slices_[i].expiry);
    return old != nullptr && old->source == VolSource::none ? nullptr : old;
  };
  std::size_t stand_on = 0;
  for (const std::size_t i : order) {
    const SliceQuotes& quotes = task.expiries[i].quotes;
    const Slice* old = earlier(i);
    Slice& s = slices_[i];
    s.fit = fit_slice(quotes, task.limits, old == nullptr ? nullptr : &old->svi, beside(i));
    if (s.fit.verdict != SliceVerdict::accepted) continue;
    s.source = s.fit.model == SliceModel::svi ? VolSource::svi : VolSource::ssvi;
    s.svi = s.fit.svi;
    s.fitted_at = task.now_s;
    stand_on += quotes.firm ? quotes.quotes.size() : 0;
  }
  // Old curves come last: none keeps a new one out.
  for (const std::size_t i : order) {
    const Slice* old = earlier(i);
    if (slices_[i].source != VolSource::none || old == nullptr ||
        !(task.now_s - old->fitted_at <= task.keep_max_s)) {
      continue;
    }
    keep(slices_[i], *old, task.expiries[i].quotes, beside(i), task.limits);
  }
  return stand_on;
}

Neighbours VolSurface::beside(std::size_t i) const noexcept {
  Neighbours out;
  for (std::size_t j = 0; j < slices_.size(); ++j) {
    if (slices_[j].source == VolSource::none || j == i) continue;
    if (j < i) out.before = &slices_[j].svi;
    if (j > i && out.after == nullptr) out.after = &slices_[j].svi;
  }
  return out;
}

// The old curve's shape in volatility, for the time that is left, moved to the level of the quotes
// at the money where they can be used at all.
bool VolSurface::keep(Slice& slice, const Slice& last, const SliceQuotes& in,
                      const Neighbours& sides, const SurfaceLimits& limits) const noexcept {
  Svi moved = last.svi;
  const double time = slice.years / last.years;
  moved.a *= time;
  moved.b *= time;
  if (check_quotes(in, limits) == SliceFault::none) {
    const double level = at_the_money(in);
    moved.a += level * level * in.years - svi_at(moved, 0).w;
  }
  if (!check_butterfly(moved).free()) return false;
  if (!check_calendar(moved, sides).free()) return false;
  slice.svi = moved;
  slice.source = VolSource::kept;
  slice.fitted_at = last.fitted_at;
  return true;
}

VolSurface::Answer VolSurface::at(double k, double years) const noexcept {
  if (!math::finite(k) || !(years > 0) || slices_.empty()) return {};
  const auto after = std::find_if(slices_.begin(), slices_.end(), [&](const Slice& s) {
    return s.years >= years - same_expiry_years;
  });
  if (after == slices_.end()) return {};
  if (after->source == VolSource::none) return {};
  if (math::abs(after->years - years) <= same_expiry_years) {
    Answer own = answer_of(svi_at(after->svi, k), after->years);
    own.source = own.sigma > 0 ? after->source : VolSource::none;
    own.fitted_at = after->fitted_at;
    return own;
  }
  if (after == slices_.begin()) return {};
  const auto before = after - 1;
  if (before->source == VolSource::none) return {};
  const double part = (years - before->years) / (after->years - before->years);
  const SviPoint low = svi_at(before->svi, k);
  const SviPoint high = svi_at(after->svi, k);
  Answer between =
      answer_of({low.w + part * (high.w - low.w), low.w1 + part * (high.w1 - low.w1), 0}, years);
  between.source = between.sigma > 0 ? VolSource::interpolated : VolSource::none;
  between.fitted_at = std::min(before->fitted_at, after->fitted_at);
  return between;
}

VolSurface::Answer volatility(const VolLadder& ladder, double now_s, double k, double years,
                              double venue) noexcept {
  if (ladder.surface != nullptr) {
    const VolSurface::Answer own = ladder.surface->at(k, years);
    const double age = now_s - own.fitted_at;
    // A curve from the future is a clock that went wrong: passed over, too.
    if (own.source != VolSource::none && usable(own.sigma) && age >= 0 &&
        age <= ladder.surface_age_max_s) {
      return own;
    }
  }
  if (usable(venue)) return {venue, 0, VolSource::venue, now_s};
  if (usable(ladder.flat)) return {ladder.flat, 0, VolSource::flat, now_s};
  return {};
}

}  // namespace gimbal::quant
