#include "engine/core/pricing.hpp"

#include <algorithm>

#include "engine/core/math.hpp"

namespace gimbal {

namespace {

constexpr double sd_min = 1e-100;  // below it an option is at its intrinsic value

// Everything that prices and Greeks are made of, for one option, without discounting.
struct Core {
  double d1, d2;
  double n1;            // n(d1)
  double cdf1;          // N(q d1)
  double strike_share;  // K N(q d2)
  double value;         // undiscounted Black value
};

struct Volatility {
  double sd;
  double inverse_sd;
};

bool negative(double x) noexcept { return __builtin_signbit(x) != 0; }

// One exponential serves both distributions: K n(d2) = F n(d1), and F/K is not asked for. The
// out-of-the-money option is evaluated, a call below the strike and a put from it up, and the other
// one follows by parity. Signs choose, not comparisons: a vector does that in one operation.
Core evaluate(double q, double forward, double strike, double log_moneyness,
              Volatility v) noexcept {
  Core c;
  const double half = 0.5 * v.sd;
  c.d1 = math::fma(log_moneyness, v.inverse_sd, half);
  c.d2 = math::fma(log_moneyness, v.inverse_sd, -half);
  c.n1 = math::normal_pdf(c.d1);
  const double tail1 = c.n1 * math::mills(math::abs(c.d1));
  const double part1 = forward * tail1;                                  // F N(-|d1|)
  const double part2 = (forward * c.n1) * math::mills(math::abs(c.d2));  // K N(-|d2|)
  const double rest2 = strike - part2;
  c.cdf1 = negative(q * c.d1) ? tail1 : 1.0 - tail1;
  c.strike_share = negative(q * c.d2) ? part2 : rest2;
  const double apart = forward - strike;
  const double call = (negative(c.d1) ? part1 : forward - part1) - part2;
  const double put = (negative(c.d2) ? rest2 : part2) - part1;
  const double out = std::max(negative(apart) ? call : put, 0.0);
  c.value = out + std::max(q * apart, 0.0);
  return c;
}

// Step functions of an expired or certain option.
struct Intrinsic {
  double value;
  double share;  // 1 in the money, 1/2 at the money, 0 out of it
};
Intrinsic intrinsic(double q, double forward, double strike) noexcept {
  const double distance = q * (forward - strike);
  return {distance > 0 ? distance : 0.0, distance > 0 ? 1.0 : (distance == 0 ? 0.5 : 0.0)};
}

double sign_of(OptionType type) noexcept { return type == OptionType::put ? -1.0 : 1.0; }

Volatility volatility(double sigma, double root_years) noexcept {
  const double sd = sigma > 0 ? sigma * root_years : 0.0;
  return sd >= sd_min ? Volatility{sd, 1.0 / sd} : Volatility{0.0, 0.0};
}

double root(double years) noexcept { return years > 0 ? math::sqrt(years) : 0.0; }

bool within(double x, double low, double high) noexcept { return x >= low && x <= high; }

}  // namespace

bool priceable(const OptionTerms& t) noexcept {
  return t.type != OptionType::none && within(t.forward, 1e-100, 1e100) &&
         within(t.strike, 1e-100, 1e100) && within(t.years, -1e6, 1e6) &&
         within(t.sigma, -1e6, 1e6) && within(t.rate, -1e6, 1e6) && within(t.discount, 1e-60, 1e60);
}

LinearGreeks price_linear(const OptionTerms& t) noexcept {
  const double q = sign_of(t.type);
  const double root_years = root(t.years);
  const Volatility v = volatility(t.sigma, root_years);
  LinearGreeks g;
  if (!(v.sd > 0)) {
    const Intrinsic now = intrinsic(q, t.forward, t.strike);
    g.price = t.discount * now.value;
    g.delta = t.discount * q * now.share;
    return g;
  }
  const Core c = evaluate(q, t.forward, t.strike, math::log_quotient(t.forward, t.strike), v);
  const double density = t.discount * c.n1;
  g.price = t.discount * c.value;
  g.delta = t.discount * q * c.cdf1;
  g.gamma = density * v.inverse_sd / t.forward;
  g.vega = density * t.forward * root_years;
  const double decay = 0.5 * t.sigma * t.sigma * t.forward * (density * v.inverse_sd);
  g.theta = math::fma(t.rate, g.price, -decay);
  g.vanna = -density * c.d2 / t.sigma;
  g.volga = g.vega * c.d1 * c.d2 / t.sigma;
  g.charm = math::fma(t.rate, g.delta, density * c.d2 * 0.5 / t.years);
  g.speed = -(g.gamma / t.forward) * math::fma(c.d1, v.inverse_sd, 1.0);
  return g;
}

InverseGreeks price_inverse(const OptionTerms& t) noexcept {
  const double q = sign_of(t.type);
  const double root_years = root(t.years);
  const Volatility v = volatility(t.sigma, root_years);
  InverseGreeks g;
  if (!(v.sd > 0)) {
    const Intrinsic now = intrinsic(q, t.forward, t.strike);
    g.value = now.value / t.forward;
    g.delta_bs = q * now.share;
    g.delta_net = q * now.share * (t.strike / t.forward);
    g.dv_df = g.delta_net / t.forward;
    return g;
  }
  const Core c = evaluate(q, t.forward, t.strike, math::log_quotient(t.forward, t.strike), v);
  const double by_sigma = c.n1 / t.sigma;
  g.value = c.value / t.forward;
  g.delta_bs = q * c.cdf1;
  g.delta_net = q * c.strike_share / t.forward;
  g.gamma_bs = c.n1 * v.inverse_sd / t.forward;
  g.gamma_net = (c.n1 * v.inverse_sd - g.delta_net) / t.forward;
  g.dv_df = g.delta_net / t.forward;
  g.d2v_df2 = (c.n1 * v.inverse_sd - 2.0 * g.delta_net) / t.forward / t.forward;
  g.vega = c.n1 * root_years;
  g.theta = -0.5 * t.sigma * t.sigma * (c.n1 * v.inverse_sd);
  g.vanna_net = -by_sigma * c.d1;  // -n(d1) d2/sigma - vega/F = -n(d1) (d2 + sd)/sigma
  g.volga = g.vega * c.d1 * c.d2 / t.sigma;
  return g;
}

VenueGreeks deribit_display(const OptionTerms& t, double mark, bool inverse) noexcept {
  OptionTerms plain = t;
  plain.rate = 0;
  plain.discount = 1;
  const LinearGreeks g = price_linear(plain);
  const double days = std::max(t.years * 365.0, 0.0);
  const double worth = std::max(inverse ? mark * t.forward : mark, 0.0);
  VenueGreeks out;
  out.delta = g.delta;
  out.gamma = g.gamma;
  out.vega = g.vega * 0.01;
  out.theta = -std::min(-g.theta / 365.0 * std::min(1.0, days), worth);
  // K N(q d2) = F N(q d1) - q P
  const double strike_part = t.forward * g.delta - g.price;
  out.rho = strike_part * std::max(t.years, 0.0) * 0.01;
  return out;
}

FullScales::FullScales(const BucketPoint& at) noexcept
    : root_years{root(at.years)},
      inverse_forward{1.0 / at.forward},
      vega{at.forward * root_years},
      decay{-0.5 * at.forward},
      vanna{-root_years},
      speed{-inverse_forward} {}

namespace {

void intrinsic_row(const BucketPoint& at, double q, double strike, const GreekColumns& out,
                   std::size_t i) noexcept {
  const Intrinsic now = intrinsic(q, at.forward, strike);
  out.price[i] = at.discount * now.value;
  out.delta[i] = at.discount * q * now.share;
  out.gamma[i] = out.vega[i] = out.theta[i] = 0.0;
  out.vanna[i] = out.speed[i] = out.inverse_sd[i] = 0.0;
}

void full_scalar(const BucketPoint& at, const OptionColumns& in, const GreekColumns& out,
                 std::size_t count) noexcept {
  const FullScales by{at};
  for (std::size_t i = 0; i < count; ++i) {
    const double q = in.sign[i];
    const double sigma = in.sigma[i];
    const Volatility v = volatility(sigma, by.root_years);
    if (!(v.sd > 0)) {
      intrinsic_row(at, q, in.strike[i], out, i);
      continue;
    }
    const double x = math::log_quotient(at.forward, in.strike[i]);
    const Core c = evaluate(q, at.forward, in.strike[i], x, v);
    const double density = at.discount * c.n1;
    const double steep = density * v.inverse_sd;
    const double gamma = steep * by.inverse_forward;
    out.price[i] = at.discount * c.value;
    out.delta[i] = at.discount * q * c.cdf1;
    out.gamma[i] = gamma;
    out.vega[i] = density * by.vega;
    out.theta[i] = math::fma(at.rate, out.price[i], (sigma * sigma) * (steep * by.decay));
    out.vanna[i] = (steep * by.vanna) * c.d2;
    out.speed[i] = (gamma * by.speed) * math::fma(c.d1, v.inverse_sd, 1.0);
    out.inverse_sd[i] = v.inverse_sd;
  }
}

void tick_scalar(const BucketPoint& at, const PreparedColumns& in, const TickColumns& out,
                 std::size_t count) noexcept {
  const double log_forward = math::log(at.forward);
  const double gamma = at.discount / at.forward;
  for (std::size_t i = 0; i < count; ++i) {
    const double q = in.sign[i];
    if (!(in.inverse_sd[i] > 0)) {
      const Intrinsic now = intrinsic(q, at.forward, in.strike[i]);
      out.price[i] = at.discount * now.value;
      out.delta[i] = at.discount * q * now.share;
      out.gamma[i] = 0.0;
      continue;
    }
    const Volatility v{2.0 * in.half_sd[i], in.inverse_sd[i]};
    const Core c = evaluate(q, at.forward, in.strike[i], log_forward - in.log_strike[i], v);
    out.price[i] = at.discount * c.value;
    out.delta[i] = at.discount * q * c.cdf1;
    out.gamma[i] = (c.n1 * v.inverse_sd) * gamma;
  }
}

constexpr PricingKernels scalar_table{&full_scalar, &tick_scalar};

}  // namespace

const PricingKernels& scalar_pricing() noexcept { return scalar_table; }

double lane_dot(const double* weight, const double* value, std::size_t count) noexcept {
  double lane[virtual_lanes] = {};
  for (std::size_t i = 0; i < count; ++i) {
    double& sum = lane[i % virtual_lanes];
    sum = math::fma(weight[i], value[i], sum);
  }
  return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

}  // namespace gimbal
