// What the smile adds to Black's delta: one shift a strike, its sign, its bounds; and a surface
// that is withdrawn.
#include "engine/core/smile_delta.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/portfolio.hpp"
#include "tests/support/option_book.hpp"
#include "tests/support/surface_bytes.hpp"

namespace gimbal {
namespace {

using namespace test;

PortfolioConfig smile_config() {
  PortfolioConfig c;
  c.surface_age_max = seconds(10);
  c.expiry_rule = ExpiryRule::black;
  return c;
}

struct SmileDelta : testing::Test, Book<Portfolio> {
  SmileDelta() : Book{smile_config()} { mid(50000); }

  static constexpr std::array<double, 3> some{-0.2, 0.3, 0.1};

  InstrumentId held(double strike, OptionType type, double amount = 1,
                    InstrumentKind kind = InstrumentKind::inverse_option, Nanos life = day * 7) {
    const InstrumentId id = option(strike, type, kind, life);
    ticker(id, 0.6, 50000);
    portfolio->set_position(id, qty(amount));
    return id;
  }
  // One volatility and slope for one option.
  void surface(InstrumentId id, double slope, const std::array<double, 3>& variance = {}) {
    const Instrument& i = table[id];
    SurfaceHead h;
    h.expiry = i.expiry;
    h.as_of = now;
    h.underlying = btc;
    h.inverse = is_inverse(i.kind) ? 1 : 0;
    h.source = VolSource::svi;
    h.verdict = SurfaceVerdict::accepted;
    h.minimum_variance = variance;
    const auto bytes = surface_bytes(h, {{id, {}, 0.6, slope}});
    const SurfaceBlock block{bytes};
    ASSERT_TRUE(block.sound());
    ASSERT_EQ(portfolio->on_surface(block, now), 1U);
  }
  bool withdraw(InstrumentId id) {
    SurfaceHead h;
    h.expiry = table[id].expiry;
    h.underlying = btc;
    h.inverse = is_inverse(table[id].kind) ? 1 : 0;
    return portfolio->withdraw_surface(h, now);
  }
  double delta(InstrumentId id) const {
    return call_delta(portfolio->mark(id).delta_bs, table[id].option == OptionType::put);
  }
};

TEST_F(SmileDelta, ACallAndAPutOfOneStrikeHaveOneShift) {
  for (const InstrumentKind kind :
       {InstrumentKind::inverse_option, InstrumentKind::linear_option}) {
    for (const double strike : {45000.0, 50000.0, 55000.0}) {
      SCOPED_TRACE(strike);
      const InstrumentId call = held(strike, OptionType::call, 1, kind);
      surface(call, -0.4, some);
      const RiskNumbers one = risk();
      EXPECT_GT(std::abs(one.sticky_delta_shift), 0.001);
      EXPECT_GT(std::abs(one.minimum_variance_shift), 0.001);
      const InstrumentId put = held(strike, OptionType::put, -1, kind);
      surface(put, -0.4, some);
      EXPECT_NEAR(risk().sticky_delta_shift, 0, 1e-12) << "a conversion";
      EXPECT_NEAR(risk().minimum_variance_shift, 0, 1e-12);
      portfolio->set_position(call, Qty{});
      EXPECT_NEAR(risk().sticky_delta_shift, -one.sticky_delta_shift, 1e-12);
      EXPECT_NEAR(risk().minimum_variance_shift, -one.minimum_variance_shift, 1e-12);
      portfolio->set_position(put, Qty{});
    }
  }
}

// F dV/dF of the coin value with sigma(ln K/F): the coins that zero hedges, along the smile.
TEST_F(SmileDelta, TheStickyShiftOfInverseOptionsIsThatOfTheWholePricing) {
  for (const OptionType type : {OptionType::call, OptionType::put}) {
    for (const double slope : {-0.35, 0.35}) {
      const double strike = type == OptionType::call ? 53000 : 47000;
      const InstrumentId id = held(strike, type, 2);
      surface(id, slope);
      const double t = years(day * 7);
      const auto coins = [&](double f) {
        const double sigma = 0.6 + slope * std::log(50000 / f);
        return price_linear({type, f, strike, t, sigma, 0, 1}).price / f;
      };
      const double along = 50000 * (coins(50005) - coins(49995)) / 10;
      EXPECT_NEAR(risk().delta_net.value + risk().sticky_delta_shift, 2 * along, 5e-6);
      EXPECT_GT(risk().sticky_delta_shift * (slope < 0 ? 1 : -1), 0.01);
      portfolio->set_position(id, Qty{});
    }
  }
}

TEST_F(SmileDelta, NoOptionIsShiftedByMoreThanAQuarterOrBeyondItsRange) {
  const InstrumentId middle = held(50000, OptionType::call, 3);
  for (const double slope : {surface_slope_max, -surface_slope_max}) {
    surface(middle, slope, {2, 2, 2});
    EXPECT_NEAR(risk().sticky_delta_shift, slope > 0 ? -0.75 : 0.75, 1e-12);
    EXPECT_NEAR(risk().minimum_variance_shift, 0.75, 1e-12);
  }
  surface(middle, 0, {-2, -2, -2});
  EXPECT_NEAR(risk().minimum_variance_shift, -0.75, 1e-12);
  portfolio->set_position(middle, Qty{});
  for (const OptionType type : {OptionType::call, OptionType::put}) {
    const InstrumentId low = held(55000, type);
    ASSERT_LT(delta(low), 0.25);
    surface(low, surface_slope_max, {-2, -2, -2});
    EXPECT_NEAR(delta(low) + risk().sticky_delta_shift, 0, 1e-10);
    EXPECT_NEAR(delta(low) + risk().minimum_variance_shift, 0, 1e-10);
    portfolio->set_position(low, Qty{});
    const InstrumentId high = held(45000, type);
    ASSERT_GT(delta(high), 0.75);
    surface(high, -surface_slope_max, {2, 2, 2});
    EXPECT_NEAR(delta(high) + risk().sticky_delta_shift, 1, 1e-10);
    EXPECT_NEAR(delta(high) + risk().minimum_variance_shift, 1, 1e-10);
    portfolio->set_position(high, Qty{});
  }
}

TEST_F(SmileDelta, ThereIsNoMinimumVarianceShiftWhereNothingWasStudied) {
  const InstrumentId deep = held(40000, OptionType::call);
  ASSERT_GT(delta(deep), 0.95);
  surface(deep, -0.4, some);
  EXPECT_EQ(risk().minimum_variance_shift, 0);
  EXPECT_GT(risk().sticky_delta_shift, 0);
  portfolio->set_position(deep, Qty{});
  const auto in_hours = [&](std::int64_t left) {
    const InstrumentId id =
        held(50000, OptionType::call, 1, InstrumentKind::inverse_option, hour * left);
    surface(id, -0.4, some);
    EXPECT_GT(risk().sticky_delta_shift, 0);
    const double shift = risk().minimum_variance_shift;
    portfolio->set_position(id, Qty{});
    return shift;
  };
  EXPECT_NE(in_hours(13), 0);
  EXPECT_EQ(in_hours(11), 0);
}

TEST_F(SmileDelta, AWithdrawnSurfaceGivesWayToTheVenueAtOnce) {
  const InstrumentId coin = held(50000, OptionType::call);
  const InstrumentId unheld = option(52000);
  ticker(unheld, 0.6, 50000);
  const InstrumentId linear = held(50000, OptionType::call, 1, InstrumentKind::linear_option);
  EXPECT_FALSE(withdraw(coin)) << "there was none";
  surface(unheld, -0.4);
  surface(coin, -0.4, some);
  surface(linear, -0.4);
  const double both = risk().sticky_delta_shift;
  EXPECT_TRUE(withdraw(coin));
  EXPECT_EQ(portfolio->model(coin), VolSource::venue);
  EXPECT_EQ(portfolio->model(unheld), VolSource::venue);
  EXPECT_EQ(portfolio->model(linear), VolSource::svi) << "another settlement, another surface";
  EXPECT_EQ(risk().minimum_variance_shift, 0);
  EXPECT_NEAR(risk().sticky_delta_shift, both / 2, 1e-9);
  EXPECT_TRUE(risk().complete);
  EXPECT_EQ(risk().surface_stale, 0U);
  EXPECT_FALSE(withdraw(coin)) << "once";
  surface(coin, -0.4);
  EXPECT_EQ(portfolio->model(coin), VolSource::svi);
}

TEST_F(SmileDelta, WithNothingBelowAWithdrawnSurfaceTheRiskIsIncomplete) {
  const InstrumentId id = option(50000);
  portfolio->on_option_ticker(id, 0, price(50000), Price{INT64_MIN}, venue, now);
  portfolio->set_position(id, qty(1));
  surface(id, 0);
  EXPECT_TRUE(risk().complete);
  EXPECT_TRUE(withdraw(id));
  EXPECT_FALSE(risk().complete);
  EXPECT_FALSE(portfolio->mark(id).usable);
}

TEST(SmileBounds, AreWhereTheyAreSaidToBe) {
  const double half_day = 0.5 / 365;
  EXPECT_TRUE(minimum_variance_applies(0.05, half_day));
  EXPECT_TRUE(minimum_variance_applies(0.95, half_day));
  EXPECT_FALSE(minimum_variance_applies(0.0499, half_day));
  EXPECT_FALSE(minimum_variance_applies(0.9501, half_day));
  EXPECT_FALSE(minimum_variance_applies(0.5, half_day * 0.9999));
  EXPECT_FALSE(minimum_variance_applies(std::nan(""), half_day));
  EXPECT_EQ(bounded_smile_shift(0.25, 0.5), 0.25);
  EXPECT_EQ(bounded_smile_shift(0.26, 0.5), 0.25);
  EXPECT_EQ(bounded_smile_shift(-0.26, 0.5), -0.25);
  EXPECT_EQ(bounded_smile_shift(-0.2, 0.125), -0.125);
  EXPECT_EQ(bounded_smile_shift(0.2, 0.875), 0.125);
  EXPECT_EQ(bounded_smile_shift(std::nan(""), 0.5), 0);
  EXPECT_EQ(bounded_smile_shift(HUGE_VAL, 0.5), 0);
  EXPECT_EQ(call_delta(-0.25, true), 0.75);
  EXPECT_EQ(call_delta(0.75, false), 0.75);
}

}  // namespace
}  // namespace gimbal
