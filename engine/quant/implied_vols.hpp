// Implied volatilities of many options at once, each started from its last one.
//
// Room: engine/quant; no allocation but in what is said to be cold. From a volatility that is off
// by some per cent, one or two of Householder's third-order steps (Jaeckel 2015) in vectors reach
// the answer; a row without a start that leads there, and every row whose status is not beyond
// doubt, takes the scalar path (implied_vol.hpp). So statuses are the scalar path's, exactly, and
// sigma agrees within max(1e-9, 64 `attainable`). The same bits on every vector target.
//
// Units as in implied_vol.hpp. The price of an inverse option is its coins times the forward, and
// its discount is 1.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "engine/quant/implied_vol.hpp"

namespace gimbal::quant {

// One row an option; no alignment is asked for.
struct VolColumns {
  const double* forward{nullptr};
  const double* strike{nullptr};
  const double* years{nullptr};
  const double* discount{nullptr};
  const double* price{nullptr};
  const double* sign{nullptr};  // +1 call, -1 put
  const double* warm{nullptr};  // the last volatility; what is not above 0 and finite: none
};

// Writes sigma for the rows that the warm steps solve and 0 for the others, in rows [0, count);
// `count` is a multiple of 16.
using WarmKernel = void (*)(const VolColumns& in, std::size_t count, double* sigma) noexcept;
struct WarmVol {
  WarmKernel kernel{nullptr};
  std::string_view target{};  // "AVX2"
};
// The widest target that this processor has. Cold: call once, at start.
[[nodiscard]] WarmVol warm_vol();
// The same operations one row at a time.
[[nodiscard]] WarmVol warm_vol_twin() noexcept;
// Whether a kernel gives the twin's bits on a few thousand rows of all kinds. Cold.
[[nodiscard]] bool agrees_with_twin(WarmKernel kernel);
// The widest target where it agrees with the twin, else the twin. Cold: call once, at start.
[[nodiscard]] WarmVol proven_warm_vol();
// One for each target that was compiled and that this processor has; for tests.
[[nodiscard]] std::vector<WarmVol> warm_vol_targets();

// Sigma and status of each row: sigma is 0 unless the status is ok. Terms that are not `solvable`
// give `unsolvable`. Returns how many rows took the scalar path.
std::size_t implied_vols(const WarmVol& warm, const VolColumns& in, std::size_t count,
                         double* sigma, VolStatus* status) noexcept;

}  // namespace gimbal::quant
