// The volatility surface of one underlying, and the ladder that answers for one option: surface,
// else the venue's volatility, else a flat one; each answer says which it was.
//
// Room: engine/quant, cold; no exception, no libm. A surface is made again from each set of quotes,
// starting from the one before; where an expiry's quotes give no arbitrage-free curve within the
// bar, the one before stays for a while, shifted to today's level at the money.
//
// Units as in svi.hpp; times in seconds on the caller's clock.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/vol_source.hpp"
#include "engine/quant/surface/slice_fit.hpp"

namespace gimbal::quant {

// Which rung of the ladder a volatility is from.
using gimbal::VolSource;
[[nodiscard]] std::string_view to_string(VolSource s) noexcept;

struct SurfaceSlice {
  double years{0};                    // to expiry, at `fitted_at` of the surface
  VolSource source{VolSource::none};  // none: refused, the surface says nothing about this expiry
  Svi svi{};                          // of the curve in use
  double fitted_at{0};  // of the curve in use; earlier than the surface's where it was kept
  SliceFit fit{};       // of the newest quotes, accepted or not
};

// One expiry's quotes; `expiry` names it from one surface to the next (any number, for example its
// time).
struct ExpiryQuotes {
  std::int64_t expiry{0};
  SliceQuotes quotes{};
};

class VolSurface {
 public:
  // `expiries` with years strictly rising; false (and an empty surface) otherwise. First
  // the expiries with firm quotes at `svi_strikes_min` strikes or more, from the last to the first
  // (a later expiry's quotes reach further, so it is the wing without quotes that gives way), then
  // the others by their number of strikes; each between the accepted ones beside it. Where that
  // leaves a well quoted expiry out, the same with the most strikes first, and the surface that
  // stands on more quotes is taken. `last` gives warm starts and curves to keep, the latter for
  // `keep_max_s` after they were fitted.
  bool fit(std::span<const ExpiryQuotes> expiries, double now_s, const SurfaceLimits& limits,
           const VolSurface* last, double keep_max_s);

  struct Slice : SurfaceSlice {
    std::int64_t expiry{0};
  };
  [[nodiscard]] const std::vector<Slice>& slices() const noexcept { return slices_; }
  // A surface from curves that were fitted before, by rising years.
  void restore(std::vector<Slice> slices) noexcept { slices_ = std::move(slices); }

  struct Answer {
    double sigma{0};
    double slope{0};  // d sigma / dk
    VolSource source{VolSource::none};
    double fitted_at{0};  // of the older curve where two were used
  };
  // At log-moneyness k, `years` as of the time of the fit. Within a minute of an expiry of the
  // surface that expiry answers, or nothing does where it was refused; between two expiries both
  // must have a curve; outside all of them there is no answer.
  [[nodiscard]] Answer at(double k, double years) const noexcept;

 private:
  struct Task {
    std::span<const ExpiryQuotes> expiries;
    double now_s;
    const SurfaceLimits& limits;
    const VolSurface* last;
    double keep_max_s;
  };
  std::size_t fit_in_order(const Task& task, std::span<const std::size_t> order);
  [[nodiscard]] Neighbours beside(std::size_t i) const noexcept;
  [[nodiscard]] const Slice* find(std::int64_t expiry) const noexcept;
  bool keep(Slice& slice, const Slice& last, const SliceQuotes& in, const Neighbours& sides,
            const SurfaceLimits& limits) const noexcept;

  std::vector<Slice> slices_;
};

struct VolLadder {
  const VolSurface* surface{nullptr};
  double surface_age_max_s{0};  // an older curve is passed over
  double flat{0};               // 0: there is none
};
// `venue`: the published volatility, 0 where there is none. Values that are not finite and above 0
// are passed over.
[[nodiscard]] VolSurface::Answer volatility(const VolLadder& ladder, double now_s, double k,
                                            double years, double venue) noexcept;

}  // namespace gimbal::quant
