// Fits one expiry's quotes: raw SVI, repaired where it has arbitrage, else a slice of SSVI.
//
// Room: engine/quant, cold; no allocation, no exception, no libm: the same bits in every build.
// Source: for fixed (m, s) raw SVI is linear in its other parameters (De Marco & Martini 2009,
// quasi-explicit calibration): that gives the cold start; Levenberg-Marquardt in all five finishes.
// With the last parameters at hand it begins there, with arbitrage priced from the first step.
//
// Units as in svi.hpp. Errors and spreads are in volatility (0.003 is 0.3 points).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/quant/surface/svi.hpp"

namespace gimbal::quant {

// One strike. bid <= vol <= ask; all three equal where only one is known.
struct VolQuote {
  double k{0};
  double vol{0};
  double bid{0};
  double ask{0};
  double weight{0};  // vega over the price's spread, on any common scale; above 0
};

struct SliceQuotes {
  double years{0};
  std::span<const VolQuote> quotes{};  // k strictly rising
  bool firm{true};                     // from a book; else from a venue's marks
};

enum class SliceFault : std::uint8_t {
  none,
  years_out_of_range,  // not inside 1e-6 .. 100
  too_few_strikes,     // below SurfaceLimits::strikes_min
  not_finite,
  k_out_of_range,    // |k| above 20
  unsorted,          // k not strictly rising
  vol_out_of_range,  // not inside 1e-4 .. 100
  crossed,           // not bid <= vol <= ask
  no_vega,           // a weight that is not above 0
};
[[nodiscard]] std::string_view to_string(SliceFault f) noexcept;

struct SurfaceLimits {
  std::size_t strikes_min{5};
  std::size_t svi_strikes_min{8};  // fewer get the three parameters of SSVI at once
  double rms_max{0.003};           // error of a slice, in volatility
  double spread_share{0.5};  // a slice of wider quotes may have this share of their spread instead
};

[[nodiscard]] SliceFault check_quotes(const SliceQuotes& in, const SurfaceLimits& limits) noexcept;

enum class SliceModel : std::uint8_t { none, svi, ssvi };
[[nodiscard]] std::string_view to_string(SliceModel m) noexcept;

// What keeps a slice out.
enum class SliceVerdict : std::uint8_t {
  accepted,
  unusable,   // see the fault
  butterfly,  // no fit without it
  calendar,   // crosses an expiry next to it
  error,      // the error is over the bar
};
[[nodiscard]] std::string_view to_string(SliceVerdict v) noexcept;

struct SliceError {
  double rms{0};     // of model - vol, weighted as the fit
  double max{0};     // the largest |model - vol|
  double inside{0};  // share of the quotes with the model between bid and ask
  double bar{0};     // what rms may be: the larger of rms_max and spread_share of the spread's rms
};

struct SliceFit {
  SliceVerdict verdict{SliceVerdict::unusable};
  SliceFault fault{SliceFault::none};
  SliceModel model{SliceModel::none};  // none unless accepted
  Svi svi{};                           // the best that was found, accepted or not
  SliceError error{};
  ButterflyCheck butterfly{};
  CalendarCheck calendar{};  // the worse of both sides; infinite without a neighbour
  bool repaired{false};      // the free fit had arbitrage; a warm start does not try it
  int evaluations{0};
};

// The accepted curves of the expiries next to this one; null: none.
struct Neighbours {
  const Svi* before{nullptr};
  const Svi* after{nullptr};
};
// The worse of the two checks.
[[nodiscard]] CalendarCheck check_calendar(const Svi& p, const Neighbours& sides) noexcept;

// `warm`: the last parameters, or null. Accepted only without butterfly arbitrage, without crossing
// a neighbour, and with the error at or below the bar.
[[nodiscard]] SliceFit fit_slice(const SliceQuotes& in, const SurfaceLimits& limits,
                                 const Svi* warm = nullptr, const Neighbours& sides = {}) noexcept;
// The error of any curve against the quotes, which must have passed check_quotes.
[[nodiscard]] SliceError error_of(const Svi& p, const SliceQuotes& in,
                                  const SurfaceLimits& limits) noexcept;

}  // namespace gimbal::quant
