#include "engine/quant/implied_vols.hpp"

#include <array>
#include <cstring>
#include <limits>

#include "engine/core/math.hpp"
#include "engine/quant/normalised_black.hpp"
#include "engine/quant/stress/philox.hpp"

namespace gimbal::quant {

namespace {

// One lane with the vector's names.
namespace twin {

using V = double;
using M = bool;
inline V set(double v) { return v; }
inline V fma(V a, V b, V c) { return math::fma(a, b, c); }
inline V exp(V x) { return math::exp(x); }
inline V log(V x) { return math::log(x); }
inline V log_ratio(V a, V b, V quotient) {
  return math::log(quotient) + math::fma(-quotient, b, a) / a;
}
inline V mills(V a) { return math::mills(a); }
inline V Abs(V a) { return math::abs(a); }
inline V Add(V a, V b) { return a + b; }
inline V Sub(V a, V b) { return a - b; }
inline V Mul(V a, V b) { return a * b; }
inline V Div(V a, V b) { return a / b; }
inline V Neg(V a) { return -a; }
inline V Sqrt(V a) { return math::sqrt(a); }
inline M And(M a, M b) { return a && b; }
inline M AndNot(M a, M b) { return !a && b; }
inline M Eq(V a, V b) { return a == b; }
inline M Ge(V a, V b) { return a >= b; }
inline M Gt(V a, V b) { return a > b; }
inline M Le(V a, V b) { return a <= b; }
inline M Lt(V a, V b) { return a < b; }
inline V IfThenElse(M m, V a, V b) { return m ? a : b; }
inline bool none(M m) { return !m; }

#define LANE_INLINE inline
#include "engine/quant/warm_vol.inc"
#undef LANE_INLINE

void warm(const VolColumns& in, std::size_t count, double* sigma) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    sigma[i] = warm_sigma({in.forward[i], in.strike[i], in.years[i], in.discount[i], in.price[i],
                           in.sign[i], in.warm[i]});
  }
}

}  // namespace twin

constexpr std::size_t block = 16;  // two of the widest vectors
constexpr std::size_t columns = 7;

VolColumns from(const VolColumns& in, std::size_t row) noexcept {
  return {in.forward + row, in.strike + row, in.years + row, in.discount + row,
          in.price + row,   in.sign + row,   in.warm + row};
}

// What is left over of the last block, filled up with rows that are not solved.
void warm_tail(WarmKernel kernel, const VolColumns& in, std::size_t count, double* sigma) noexcept {
  std::array<std::array<double, block>, columns> c{};
  const std::array<const double*, columns> given{in.forward, in.strike, in.years, in.discount,
                                                 in.price,   in.sign,   in.warm};
  for (std::size_t k = 0; k < columns; ++k) {
    for (std::size_t i = 0; i < count; ++i) c[k][i] = given[k][i];
  }
  std::array<double, block> out{};
  kernel(
      {c[0].data(), c[1].data(), c[2].data(), c[3].data(), c[4].data(), c[5].data(), c[6].data()},
      block, out.data());
  for (std::size_t i = 0; i < count; ++i) sigma[i] = out[i];
}

ImpliedVol cold(const VolColumns& in, std::size_t i) noexcept {
  const double sign = in.sign[i];
  QuotedOption o;
  o.type = sign == 1 ? OptionType::call : sign == -1 ? OptionType::put : OptionType::none;
  o.forward = in.forward[i];
  o.strike = in.strike[i];
  o.years = in.years[i];
  o.discount = in.discount[i];
  o.price = in.price[i];
  return solvable(o) ? implied_vol(o) : ImpliedVol{VolStatus::unsolvable};
}

// Rows of all kinds: near and far strikes, starts that are near, far and none, prices that imply
// nothing, and what is no number.
constexpr std::size_t proof_rows = 512;
using ProofColumn = std::array<double, proof_rows>;

void fill(std::array<ProofColumn, columns>& c, std::uint64_t round) {
  for (std::size_t i = 0; i < proof_rows; ++i) {
    PathDraws draws{round, i, false};
    const double wide = i % 2 == 0 ? 0.5 : 6.0;
    const double forward = 63250.25;
    const double strike = forward * math::exp(wide * (draws.uniform() - 0.5));
    const double years = math::exp(9.0 * draws.uniform() - 8.0);
    const double sd = math::exp(5.0 * draws.uniform() - 4.0);
    const double x = -math::abs(math::log_ratio(forward, strike));
    const NormalisedBlack b = normalised_black(x, sd);
    const double sign = draws.uniform() < 0.5 ? -1.0 : 1.0;
    const double intrinsic = sign * (forward - strike);
    const double off = i % 3 == 0 ? 0.002 : i % 3 == 1 ? 0.1 : 3.0;
    c[0][i] = forward;
    c[1][i] = strike;
    c[2][i] = years;
    c[3][i] = 0.97;
    c[4][i] = 0.97 * (b.value * math::sqrt(forward * strike) + (intrinsic > 0 ? intrinsic : 0));
    c[5][i] = i % 31 == 0 ? 0.0 : sign;
    c[6][i] = i % 29 == 0 ? 0.0 : sd / math::sqrt(years) * math::exp(off * (draws.uniform() - 0.5));
    if (i % 23 == 0) c[4][i] *= 0.9;
  }
  constexpr double endless = std::numeric_limits<double>::infinity();
  constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
  constexpr std::array<double, 4> odd{no_number, -no_number, endless, -endless};
  for (std::size_t i = 5; i < proof_rows; i += 19) c[i / 19 % columns][i] = odd[i % odd.size()];
}

}  // namespace

WarmVol warm_vol_twin() noexcept { return {&twin::warm, "scalar"}; }

bool agrees_with_twin(WarmKernel kernel) {
  std::array<ProofColumn, columns> c{};
  ProofColumn ours{};
  ProofColumn theirs{};
  for (std::uint64_t round = 0; round < 4; ++round) {
    fill(c, round);
    const VolColumns in{c[0].data(), c[1].data(), c[2].data(), c[3].data(),
                        c[4].data(), c[5].data(), c[6].data()};
    twin::warm(in, proof_rows, ours.data());
    kernel(in, proof_rows, theirs.data());
    if (std::memcmp(ours.data(), theirs.data(), sizeof ours) != 0) return false;
  }
  return true;
}

std::size_t implied_vols(const WarmVol& warm, const VolColumns& in, std::size_t count,
                         double* sigma, VolStatus* status) noexcept {
  const std::size_t whole = count - count % block;
  if (whole > 0) warm.kernel(in, whole, sigma);
  if (whole < count) warm_tail(warm.kernel, from(in, whole), count - whole, sigma + whole);
  std::size_t slow = 0;
  for (std::size_t i = 0; i < count; ++i) {
    status[i] = VolStatus::ok;
    if (sigma[i] > 0) continue;
    ++slow;
    const ImpliedVol v = cold(in, i);
    status[i] = v.status;
    sigma[i] = v.sigma;
  }
  return slow;
}

}  // namespace gimbal::quant
