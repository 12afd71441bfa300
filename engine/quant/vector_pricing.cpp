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

HWY_INLINE V sign_of(V v) { return hn::And(v, set(-0.0)); }

// `noted` stays 0 while a b + c is finite. Finite terms whose sum is beyond 1e308 are taken for
// such too: slower, and the same bits.
HWY_INLINE V note(V noted, V a, V b, V c) { return fma(fma(a, b, c), hn::Zero(D{}), noted); }
HWY_INLINE bool all_finite(V noted) { return hn::AllTrue(D{}, hn::Eq(noted, hn::Zero(D{}))); }

// The scalar twin's operations, in its order: engine/core/pricing.cpp. A row that is not alive (at
// its intrinsic value) goes the same way with F - K for d1 and d2 and 0 for the density: that gives
// the intrinsic value by parity, and every Greek but delta at the money.
struct Core {
  V d1, d2, n1, cdf1, value;
};

HWY_INLINE Core evaluate(M alive, V q, V forward, V strike, V log_moneyness, V inverse_sd, V half) {
  Core c;
  const V apart = hn::Sub(forward, strike);
  c.d1 = hn::IfThenElse(alive, fma(log_moneyness, inverse_sd, half), apart);
  c.d2 = hn::IfThenElse(alive, fma(log_moneyness, inverse_sd, hn::Neg(half)), apart);
  const V a1 = hn::Min(hn::Abs(c.d1), set(1e25));
  const V square1 = hn::Mul(a1, a1);
  const M dense = hn::And(alive, hn::Lt(a1, set(math::density_end)));
  c.n1 = hn::IfThenElseZero(dense, density_within(a1, square1));
  const MillsParts m1 = mills_parts(a1, square1);
  const V tail1 = hn::Mul(c.n1, hn::Div(m1.above, m1.below));
  const V part1 = hn::Mul(forward, tail1);
  const V part2 = hn::Mul(hn::Mul(forward, c.n1), mills(hn::Abs(c.d2)));
  const V call = hn::Sub(hn::IfNegativeThenElse(c.d1, part1, hn::Sub(forward, part1)), part2);
  const V put = hn::Sub(hn::IfNegativeThenElse(c.d2, hn::Sub(strike, part2), part2), part1);
  const V zero = hn::Zero(D{});
  const V out = hn::Max(hn::IfNegativeThenElse(apart, call, put), zero);
  c.value = hn::Add(out, hn::Max(hn::Xor(apart, sign_of(q)), zero));
  const M undecided = hn::AndNot(alive, hn::Eq(apart, zero));
  const V tail = hn::IfThenElse(undecided, set(0.5), tail1);
  c.cdf1 = hn::IfNegativeThenElse(hn::Xor(q, c.d1), tail, hn::Sub(set(1.0), tail));
  return c;
}

// False: some number was not finite.
HWY_NOINLINE bool full_rows(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
                            std::size_t count) noexcept {
  const D d;
  V noted = hn::Zero(d);
  const FullScales by{at};
  const V forward = set(at.forward);
  const V discount = set(at.discount);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V strike = hn::Load(d, in.strike + i);
    const V sigma = hn::Load(d, in.sigma + i);
    const V q = hn::Load(d, in.sign + i);
    const V product = hn::Mul(sigma, set(by.root_years));
    noted = note(noted, product, q, strike);
    const M alive = hn::Ge(product, set(1e-100));
    const V sd = hn::IfThenElse(alive, product, set(1.0));
    const V inverse_sd = hn::Div(set(1.0), sd);
    const V x = log_quotient(forward, strike);
    const Core c = evaluate(alive, q, forward, strike, x, inverse_sd, hn::Mul(set(0.5), sd));
    const V density = hn::Mul(discount, c.n1);
    const V steep = hn::Mul(density, inverse_sd);
    const V gamma = hn::Mul(steep, set(by.inverse_forward));
    const V price = hn::Mul(discount, c.value);
    const V decay = hn::Mul(hn::Mul(sigma, sigma), hn::Mul(steep, set(by.decay)));
    const V vanna = hn::Mul(hn::Mul(steep, set(by.vanna)), c.d2);
    const V speed = hn::Mul(hn::Mul(gamma, set(by.speed)), fma(c.d1, inverse_sd, set(1.0)));
    hn::Store(price, d, out.price + i);
    hn::Store(hn::Xor(hn::Mul(discount, c.cdf1), sign_of(q)), d, out.delta + i);
    hn::Store(gamma, d, out.gamma + i);
    hn::Store(hn::Mul(density, set(by.vega)), d, out.vega + i);
    hn::Store(hn::IfThenElseZero(alive, fma(set(at.rate), price, decay)), d, out.theta + i);
    hn::Store(hn::IfThenElseZero(alive, vanna), d, out.vanna + i);
    hn::Store(hn::IfThenElseZero(alive, speed), d, out.speed + i);
    hn::Store(hn::IfThenElseZero(alive, inverse_sd), d, out.inverse_sd + i);
  }
  return all_finite(noted);
}

HWY_NOINLINE bool tick_rows(const BucketPoint& at, const PreparedColumns& in,
                            const TickColumns& out, std::size_t count) noexcept {
  const D d;
  V noted = hn::Zero(d);
  const V log_forward = set(math::log(at.forward));
  const V forward = set(at.forward);
  const V discount = set(at.discount);
  const V gamma = set(at.discount / at.forward);
  for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
    const V q = hn::Load(d, in.sign + i);
    const V inverse_sd = hn::Load(d, in.inverse_sd + i);
    const M alive = hn::Gt(inverse_sd, hn::Zero(d));
    // The twin halves twice the half: exact, so the half itself serves.
    const V half = hn::Load(d, in.half_sd + i);
    const V x = hn::Sub(log_forward, hn::Load(d, in.log_strike + i));
    const V strike = hn::Load(d, in.strike + i);
    noted = note(noted, fma(x, inverse_sd, half), q, strike);
    const Core c = evaluate(alive, q, forward, strike, x, inverse_sd, half);
    hn::Store(hn::Mul(discount, c.value), d, out.price + i);
    hn::Store(hn::Xor(hn::Mul(discount, c.cdf1), sign_of(q)), d, out.delta + i);
    hn::Store(hn::Mul(hn::Mul(c.n1, inverse_sd), gamma), d, out.gamma + i);
  }
  return all_finite(noted);
}

// What all rows of a bucket share.
bool usual(const BucketPoint& at) noexcept {
  return priceable({OptionType::call, at.forward, at.forward, at.years, 0, at.rate, at.discount});
}

// Where the twin asks, a vector masks, and a number that is not finite finds its way past a mask.
// A call that has one is the twin's as a whole: the same bits, payloads of NaN included, at the
// twin's pace. Looked at once a call; in the rows it costs two operations off the way to the price.
void full(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
          std::size_t count) noexcept {
  if (!usual(at) || !full_rows(at, in, out, count)) scalar_pricing().full(at, in, out, count);
}
void tick(const BucketPoint& at, const PreparedColumns& in, const TickColumns& out,
          std::size_t count) noexcept {
  if (!usual(at) || !tick_rows(at, in, out, count)) scalar_pricing().tick(at, in, out, count);
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
