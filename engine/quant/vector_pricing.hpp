// Pricing kernels in vectors, chosen for this machine when the program starts, behind the same
// table as the core's scalar twin.
//
// Room: engine/quant; the kernels are hot: no allocation, in the rows no branch on data. Every row
// has the same bits as the scalar twin's, on every target: the same operations in the same order,
// lane by lane. That holds for NaN and infinities too: a call with one of them, in a row or in the
// bucket, is the twin's as a whole, at its pace. Contract of the columns: engine/core/pricing.hpp;
// rows up to the next multiple of 8 are read and written, and those past the last are numbers too.
#pragma once

#include <string_view>
#include <vector>

#include "engine/core/pricing.hpp"

namespace gimbal::quant {

struct VectorPricing {
  PricingKernels kernels;
  std::string_view target;  // "AVX2"
};
// The widest target that this processor has. Cold: call once, at start.
[[nodiscard]] VectorPricing vector_pricing();
// The widest target, proven here and now: its kernels and the scalar twin price the same few
// hundred rows, and unless every bit agrees the scalar twin is given (target "scalar"). Cold: call
// once, at start.
[[nodiscard]] VectorPricing proven_pricing();
// The same for kernels that the caller gives.
[[nodiscard]] bool agrees_with_twin(const PricingKernels& kernels);
// One for each target that was compiled and that this processor has; for tests.
[[nodiscard]] std::vector<VectorPricing> vector_pricing_targets();

}  // namespace gimbal::quant
