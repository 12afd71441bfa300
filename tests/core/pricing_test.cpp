// Identities, edges and kernels of the pricing room; the golden rows are in tests/quant.
#include "engine/core/pricing.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "engine/core/math.hpp"
#include "tests/support/random_terms.hpp"

namespace gimbal {
namespace {

using test::Numbers;
using test::other_type;
using test::random_terms;

TEST(Pricing, CallMinusPutIsTheDiscountedForward) {
  Numbers n;
  for (int i = 0; i < 2000; ++i) {
    OptionTerms call = random_terms(n);
    call.type = OptionType::call;
    call.discount = 0.97;
    const double difference = price_linear(call).price - price_linear(other_type(call)).price;
    EXPECT_NEAR(difference, 0.97 * (call.forward - call.strike), 1e-11 * call.forward);
  }
}

TEST(Pricing, GreeksSatisfyTheirIdentities) {
  Numbers n;
  for (int i = 0; i < 2000; ++i) {
    OptionTerms t = random_terms(n);
    t.rate = 0.04;
    t.discount = std::exp(-t.rate * t.years);
    const LinearGreeks g = price_linear(t);
    const double sd = t.sigma * std::sqrt(t.years);
    const double F = t.forward;
    EXPECT_NEAR(g.vega, F * F * sd * std::sqrt(t.years) * g.gamma, 1e-12 * g.vega);
    EXPECT_NEAR(g.theta - t.rate * g.price, -0.5 * t.sigma * t.sigma * F * F * g.gamma,
                1e-12 * (std::abs(g.theta) + g.price));
  }
}

// Central differences: independent of the formulas.
TEST(Pricing, LinearGreeksAreTheDerivativesOfThePrice) {
  Numbers n;
  for (int i = 0; i < 300; ++i) {
    const OptionTerms t = random_terms(n);
    const LinearGreeks g = price_linear(t);
    const auto moved = [&](double df, double ds, double dt) {
      OptionTerms m = t;
      m.forward += df;
      m.sigma += ds;
      m.years += dt;
      return price_linear(m);
    };
    const double h = t.forward * 1e-4;
    const double s = t.sigma * 1e-4;
    const double y = t.years * 1e-4;
    const auto slope = [](double up, double down, double step) { return (up - down) / (2 * step); };
    const double scale = 2e-5;
    EXPECT_NEAR(slope(moved(h, 0, 0).price, moved(-h, 0, 0).price, h), g.delta, scale);
    EXPECT_NEAR(slope(moved(h, 0, 0).delta, moved(-h, 0, 0).delta, h), g.gamma,
                1e-4 * g.gamma + 1e-12);
    EXPECT_NEAR(slope(moved(0, s, 0).price, moved(0, -s, 0).price, s), g.vega,
                scale * (1 + g.vega) + 1e-7 * t.forward);
    EXPECT_NEAR(-slope(moved(0, 0, y).price, moved(0, 0, -y).price, y), g.theta,
                scale * (1 - g.theta) + 1e-7 * t.forward / t.years);
    EXPECT_NEAR(slope(moved(0, s, 0).delta, moved(0, -s, 0).delta, s), g.vanna, 1e-4);
    EXPECT_NEAR(slope(moved(h, 0, 0).gamma, moved(-h, 0, 0).gamma, h), g.speed,
                1e-4 * (std::abs(g.speed) + g.gamma / t.forward));
    EXPECT_NEAR(-slope(moved(0, 0, y).delta, moved(0, 0, -y).delta, y), g.charm,
                1e-4 * (1 + std::abs(g.charm)));
  }
}

TEST(Pricing, InverseNetDeltaIsForwardTimesTheSlopeOfTheCoinValue) {
  Numbers n;
  for (int i = 0; i < 300; ++i) {
    const OptionTerms t = random_terms(n);
    const InverseGreeks g = price_inverse(t);
    OptionTerms up = t;
    OptionTerms down = t;
    const double h = t.forward * 1e-4;
    up.forward += h;
    down.forward -= h;
    const InverseGreeks a = price_inverse(up);
    const InverseGreeks b = price_inverse(down);
    EXPECT_NEAR(t.forward * (a.value - b.value) / (2 * h), g.delta_net, 1e-4);
    EXPECT_NEAR((a.delta_net - b.delta_net) / (2 * h), g.gamma_net,
                1e-3 * (std::abs(g.gamma_net) + g.gamma_bs));
    EXPECT_NEAR(g.delta_bs - g.value, g.delta_net, 1e-13 * (1 + t.strike / t.forward));
  }
}

TEST(Pricing, InversePutNetDeltaMayPassMinusOne) {
  const OptionTerms t{OptionType::put, 50000, 100000, 0.1, 0.6};
  EXPECT_LT(price_inverse(t).delta_net, -1.9);
  EXPECT_GT(price_inverse(t).delta_net, -2.0);
}

TEST(Pricing, ExpiredOrCertainOptionsAreWorthTheirIntrinsicValue) {
  for (const auto& [years, sigma] :
       {std::pair{0.0, 0.6}, std::pair{-0.1, 0.6}, std::pair{0.1, 0.0}, std::pair{0.1, -0.5}}) {
    const LinearGreeks in = price_linear({OptionType::call, 110, 100, years, sigma});
    EXPECT_EQ(in.price, 10);
    EXPECT_EQ(in.delta, 1);
    EXPECT_EQ(in.gamma, 0);
    EXPECT_EQ(in.vega, 0);
    EXPECT_EQ(in.theta, 0);
    const LinearGreeks at = price_linear({OptionType::put, 100, 100, years, sigma});
    EXPECT_EQ(at.price, 0);
    EXPECT_EQ(at.delta, -0.5);
    EXPECT_EQ(price_linear({OptionType::put, 110, 100, years, sigma}).delta, 0);
    const InverseGreeks coin = price_inverse({OptionType::put, 80, 100, years, sigma});
    EXPECT_EQ(coin.value, 0.25);
    EXPECT_EQ(coin.delta_bs, -1);
    EXPECT_EQ(coin.delta_net, -1.25);
  }
}

TEST(Pricing, NothingIsEverNanForPriceableTerms) {
  const std::array<double, 8> sizes{1e-100, 1e-30, 1e-3, 1, 63250.25, 1e9, 1e30, 1e100};
  const std::array<double, 9> small{-1, 0, 1e-300, 1e-160, 1e-12, 0.01, 1, 50, 1e6};
  for (const double F : sizes) {
    for (const double K : sizes) {
      for (const double T : small) {
        for (const double sigma : small) {
          for (const OptionType type : {OptionType::call, OptionType::put}) {
            const OptionTerms t{type, F, K, T, sigma, 0, 1};
            ASSERT_TRUE(priceable(t));
            const LinearGreeks g = price_linear(t);
            for (const double v :
                 {g.price, g.delta, g.gamma, g.vega, g.theta, g.vanna, g.volga, g.charm, g.speed}) {
              ASSERT_FALSE(std::isnan(v)) << F << ' ' << K << ' ' << T << ' ' << sigma;
            }
            ASSERT_GE(g.price, 0);
            ASSERT_LE(std::abs(g.delta), 1);
            const InverseGreeks c = price_inverse(t);
            for (const double v : {c.value, c.delta_bs, c.delta_net, c.gamma_bs, c.gamma_net,
                                   c.dv_df, c.d2v_df2, c.vega, c.theta, c.vanna_net, c.volga}) {
              ASSERT_FALSE(std::isnan(v)) << F << ' ' << K << ' ' << T << ' ' << sigma;
            }
          }
        }
      }
    }
  }
}

TEST(Pricing, NonFiniteAndAbsurdTermsAreNotPriceable) {
  const OptionTerms good{OptionType::call, 100, 100, 0.1, 0.5};
  ASSERT_TRUE(priceable(good));
  for (double OptionTerms::*field :
       {&OptionTerms::forward, &OptionTerms::strike, &OptionTerms::years, &OptionTerms::sigma,
        &OptionTerms::rate, &OptionTerms::discount}) {
    for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e200}) {
      OptionTerms t = good;
      t.*field = bad;
      EXPECT_FALSE(priceable(t));
    }
  }
  OptionTerms untyped = good;
  untyped.type = OptionType::none;
  EXPECT_FALSE(priceable(untyped));
  OptionTerms zero = good;
  zero.forward = 0;
  EXPECT_FALSE(priceable(zero));
}

TEST(Pricing, VenueThetaIsCappedByLifeAndWorth) {
  OptionTerms t{OptionType::call, 46000, 46000, 5.0 / 365, 0.8};
  const double daily = -price_linear(t).theta / 365;
  const double mark = price_inverse(t).value;
  EXPECT_DOUBLE_EQ(deribit_display(t, mark, true).theta, -daily);
  t.years = 0.25 / 365;  // six hours left: the decay of the remaining life
  EXPECT_NEAR(deribit_display(t, 1, true).theta, price_linear(t).theta / 365 / 4, 1e-9);
  EXPECT_DOUBLE_EQ(deribit_display(t, 1e-5, true).theta, -0.46);
  EXPECT_DOUBLE_EQ(deribit_display(t, 0.25, false).theta, -0.25);
  EXPECT_DOUBLE_EQ(deribit_display(t, mark, true).vega, price_linear(t).vega * 0.01);
}

}  // namespace
}  // namespace gimbal
