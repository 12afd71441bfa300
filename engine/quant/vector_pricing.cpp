// Compiled once per vector target: Highway includes this file again with other flags.
#include "engine/quant/vector_pricing.hpp"

#include "engine/core/math.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/quant/vector_pricing.cpp"
// Without fused multiply-add the bits would differ.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gimbal::quant::HWY_NAMESPACE {
namespace {

#include "engine/quant/vector_math.inc"

// The scalar twin's operations, in its order: engine/core/pricing.cpp.
HWY_INLINE V normal_pdf(V x) {
  x = hn::Abs(x);
  const V square = hn::Mul(x, x);
  const V lost = fma(x, x, hn::Neg(square));
  const V density =
      hn::Mul(set(math::detail::inverse_sqrt_two_pi), exp(hn::Mul(set(-0.5), square)));
  const V value = fma(density, hn::Mul(set(-0.5), lost), density);
  return hn::IfThenElseZero(hn::Lt(x, set(39.0)), value);
}

HWY_INLINE V clamp_d(V d) {
  d = hn::IfThenElse(hn::Gt(d, set(1e8)), set(1e8), d);
  return hn::IfThenElse(hn::Lt(d, set(-1e8)), set(-1e8), d);
}

HWY_INLINE V side_of_tail(V q, V d, V tail) {
  return hn::IfThenElse(hn::Gt(hn::Mul(q, d), hn::Zero(D{})), hn::Sub(set(1.0), tail), tail);
}

struct Core {
  V d1, d2, n1, cdf1, value;
};

HWY_INLINE Core evaluate(V q, V forward, V strike, V m, V log_moneyness, V inverse_sd, V half) {
  Core c;
  c.d1 = clamp_d(fma(log_moneyness, inverse_sd, half));
  c.d2 = clamp_d(fma(log_moneyness, inverse_sd, hn::Neg(half)));
  c.n1 = normal_pdf(c.d1);
  const V tail1 = hn::Mul(c.n1, mills(hn::Abs(c.d1)));
  const V product = hn::Mul(hn::Mul(c.n1, m), mills(hn::Abs(c.d2)));
  const V tail2 = hn::IfThenElse(hn::Gt(product, set(1.0)), set(1.0), product);
  c.cdf1 = side_of_tail(q, c.d1, tail1);
  const V otm = hn::IfThenElse(hn::Le(forward, strike), set(1.0), set(-1.0));
  const V otm1 = side_of_tail(otm, c.d1, tail1);
  const V otm2 = side_of_tail(otm, c.d2, tail2);
  const V raw = hn::Mul(otm, fma(forward, otm1, hn::Neg(hn::Mul(strike, otm2))));
  const V out = hn::IfThenElse(hn::Lt(raw, hn::Zero(D{})), hn::Zero(D{}), raw);
  c.value = hn::IfThenElse(hn::Eq(q, otm), out, hn::Add(out, hn::Mul(q, hn::Sub(forward, strike))));
  return c;
}

struct Intrinsic {
  V value, share;
};
HWY_INLINE Intrinsic intrinsic(V q, V forward, V strike) {
  const V distance = hn::Mul(q, hn::Sub(forward, strike));
  const M in = hn::Gt(distance, hn::Zero(D{}));
  const M at = hn::Eq(distance, hn::Zero(D{}));
  return {hn::IfThenElseZero(in, distance),
          hn::IfThenElse(in, set(1.0), hn::IfThenElseZero(at, set(0.5)))};
}

void full(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
          std::size_t count) noexcept {
  const D d;
  const double root_years = at.years > 0 ? math::sqrt(at.years) : 0.0;
  const V forward = set(at.forward);
  const V discount = set(at.discount);
  const V inverse_forward = set(1.0 / at.forward);
  const V scaled_root = set(at.forward * root_years);
  const V zero = hn::Zero(d);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V strike = hn::Load(d, in.strike + i);
    const V sigma = hn::Load(d, in.sigma + i);
    const V q = hn::Load(d, in.sign + i);
    const V product = hn::IfThenElseZero(hn::Gt(sigma, zero), hn::Mul(sigma, set(root_years)));
    const M alive = hn::Ge(product, set(1e-100));
    const V sd = hn::IfThenElse(alive, product, set(1.0));
    const V inverse_sd = hn::Div(set(1.0), sd);
    const V m = hn::Div(forward, strike);
    const V x = log_ratio(forward, strike, m);
    const Core c = evaluate(q, forward, strike, m, x, inverse_sd, hn::Mul(set(0.5), sd));
    const V density = hn::Mul(discount, c.n1);
    const V steep = hn::Mul(density, inverse_sd);
    const V gamma = hn::Mul(steep, inverse_forward);
    const V price = hn::Mul(discount, c.value);
    const V decay = hn::Mul(hn::Mul(hn::Mul(hn::Mul(set(-0.5), sigma), sigma), forward), steep);
    const V vanna = hn::Div(hn::Mul(hn::Neg(density), c.d2), sigma);
    const V speed =
        hn::Mul(hn::Neg(hn::Mul(gamma, inverse_forward)), fma(c.d1, inverse_sd, set(1.0)));
    const Intrinsic now = intrinsic(q, forward, strike);
    hn::Store(hn::IfThenElse(alive, price, hn::Mul(discount, now.value)), d, out.price + i);
    hn::Store(hn::Mul(hn::Mul(discount, q), hn::IfThenElse(alive, c.cdf1, now.share)), d,
              out.delta + i);
    hn::Store(hn::IfThenElseZero(alive, gamma), d, out.gamma + i);
    hn::Store(hn::IfThenElseZero(alive, hn::Mul(density, scaled_root)), d, out.vega + i);
    hn::Store(hn::IfThenElseZero(alive, fma(set(at.rate), price, decay)), d, out.theta + i);
    hn::Store(hn::IfThenElseZero(alive, vanna), d, out.vanna + i);
    hn::Store(hn::IfThenElseZero(alive, speed), d, out.speed + i);
    hn::Store(hn::IfThenElseZero(alive, inverse_sd), d, out.inverse_sd + i);
  }
}

void tick(const BucketPoint& at, const PreparedColumns& in, const TickColumns& out,
          std::size_t count) noexcept {
  const D d;
  const V log_forward = set(math::log(at.forward));
  const V forward = set(at.forward);
  const V discount = set(at.discount);
  const V inverse_forward = set(1.0 / at.forward);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V strike = hn::Load(d, in.strike + i);
    const V q = hn::Load(d, in.sign + i);
    const V inverse_sd = hn::Load(d, in.inverse_sd + i);
    const M alive = hn::Gt(inverse_sd, hn::Zero(d));
    // The twin halves twice the half: exact, so the half itself serves.
    const V half = hn::Load(d, in.half_sd + i);
    const V x = hn::Sub(log_forward, hn::Load(d, in.log_strike + i));
    const Core c = evaluate(q, forward, strike, hn::Div(forward, strike), x, inverse_sd, half);
    const Intrinsic now = intrinsic(q, forward, strike);
    const V gamma = hn::Mul(hn::Mul(hn::Mul(discount, c.n1), inverse_sd), inverse_forward);
    hn::Store(hn::Mul(discount, hn::IfThenElse(alive, c.value, now.value)), d, out.price + i);
    hn::Store(hn::Mul(hn::Mul(discount, q), hn::IfThenElse(alive, c.cdf1, now.share)), d,
              out.delta + i);
    hn::Store(hn::IfThenElseZero(alive, gamma), d, out.gamma + i);
  }
}

// A target's own name, for reports and tests.
VectorPricing target_pricing() { return {{&full, &tick}, hwy::TargetName(HWY_TARGET)}; }

}  // namespace
}  // namespace gimbal::quant::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gimbal::quant {

namespace {
HWY_EXPORT(target_pricing);
}  // namespace

VectorPricing vector_pricing() { return HWY_DYNAMIC_DISPATCH(target_pricing)(); }

VectorPricing proven_pricing() {
  const VectorPricing widest = vector_pricing();
  if (agrees_with_twin(widest.kernels)) return widest;
  return {scalar_pricing(), "scalar"};
}

std::vector<VectorPricing> vector_pricing_targets() {
  std::vector<VectorPricing> all;
  for (std::int64_t left = hwy::SupportedTargets() & HWY_TARGETS; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    all.push_back(vector_pricing());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return all;
}

}  // namespace gimbal::quant
#endif
