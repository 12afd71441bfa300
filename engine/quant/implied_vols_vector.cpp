// The warm steps in vectors. Compiled once per vector target: Highway includes this file again with
// other flags.
#include "engine/core/math.hpp"
#include "engine/quant/implied_vols.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quant/implied_vols_vector.cpp"
// Without fused multiply-add the bits would differ.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gimbal::quant::HWY_NAMESPACE {
namespace {

namespace part {
#include "engine/quant/vector_math.inc"
}  // namespace part

// Two vectors as one: a step is a chain of dependent operations, and two fill each other's waits.
namespace hn = hwy::HWY_NAMESPACE;
using D = part::D;
struct V {
  part::V a, b;
};
struct M {
  part::M a, b;
};
#define LANES_OF_ONE(type, name, f) \
  HWY_INLINE type name(V x) { return {f(x.a), f(x.b)}; }
#define LANES_OF_TWO(type, name, f, operand) \
  HWY_INLINE type name(operand x, operand y) { return {f(x.a, y.a), f(x.b, y.b)}; }
LANES_OF_ONE(V, Abs, hn::Abs)
LANES_OF_ONE(V, Neg, hn::Neg)
LANES_OF_ONE(V, Sqrt, hn::Sqrt)
LANES_OF_ONE(V, exp, part::exp)
LANES_OF_ONE(V, log, part::log)
LANES_OF_ONE(V, mills, part::mills)
LANES_OF_TWO(V, Add, hn::Add, V)
LANES_OF_TWO(V, Sub, hn::Sub, V)
LANES_OF_TWO(V, Mul, hn::Mul, V)
LANES_OF_TWO(V, Div, hn::Div, V)
LANES_OF_TWO(M, Eq, hn::Eq, V)
LANES_OF_TWO(M, Ge, hn::Ge, V)
LANES_OF_TWO(M, Gt, hn::Gt, V)
LANES_OF_TWO(M, Le, hn::Le, V)
LANES_OF_TWO(M, Lt, hn::Lt, V)
LANES_OF_TWO(M, And, hn::And, M)
LANES_OF_TWO(M, AndNot, hn::AndNot, M)
#undef LANES_OF_TWO
#undef LANES_OF_ONE
HWY_INLINE V set(double v) { return {part::set(v), part::set(v)}; }
HWY_INLINE V fma(V x, V y, V z) { return {part::fma(x.a, y.a, z.a), part::fma(x.b, y.b, z.b)}; }
HWY_INLINE V log_ratio(V x, V y, V quotient) {
  return {part::log_ratio(x.a, y.a, quotient.a), part::log_ratio(x.b, y.b, quotient.b)};
}
HWY_INLINE V IfThenElse(M m, V x, V y) {
  return {hn::IfThenElse(m.a, x.a, y.a), hn::IfThenElse(m.b, x.b, y.b)};
}
HWY_INLINE bool none(M m) { return hn::AllFalse(D{}, hn::Or(m.a, m.b)); }

#define LANE_INLINE HWY_INLINE
#include "engine/quant/warm_vol.inc"
#undef LANE_INLINE

HWY_INLINE V load(const double* from) {
  const D d;
  return {hn::LoadU(d, from), hn::LoadU(d, from + hn::Lanes(d))};
}

void warm(const VolColumns& in, std::size_t count, double* sigma) noexcept {
  const D d;
  for (std::size_t i = 0; i < count; i += 2 * hn::Lanes(d)) {
    const V answer = warm_sigma({load(in.forward + i), load(in.strike + i), load(in.years + i),
                                 load(in.discount + i), load(in.price + i), load(in.sign + i),
                                 load(in.warm + i)});
    hn::StoreU(answer.a, d, sigma + i);
    hn::StoreU(answer.b, d, sigma + i + hn::Lanes(d));
  }
}

WarmVol target_warm_vol() { return {&warm, hwy::TargetName(HWY_TARGET)}; }

}  // namespace
}  // namespace gimbal::quant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gimbal::quant {

namespace {
HWY_EXPORT(target_warm_vol);
}  // namespace

WarmVol warm_vol() { return HWY_DYNAMIC_DISPATCH(target_warm_vol)(); }

WarmVol proven_warm_vol() {
  const WarmVol widest = warm_vol();
  return agrees_with_twin(widest.kernel) ? widest : warm_vol_twin();
}

std::vector<WarmVol> warm_vol_targets() {
  std::vector<WarmVol> all;
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    all.push_back(warm_vol());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return all;
}

}  // namespace gimbal::quant
#endif
