// The ladder of volatilities in the portfolio: surface, venue, flat; and the deltas of the smile.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/math.hpp"
#include "engine/core/portfolio.hpp"
#include "tests/support/option_book.hpp"
#include "tests/support/surface_bytes.hpp"

namespace gimbal {
namespace {

using namespace test;

PortfolioConfig with_surface(double flat = 0) {
  PortfolioConfig c;
  c.surface_age_max = seconds(10);
  c.flat_volatility = flat;
  c.expiry_rule = ExpiryRule::black;
  return c;
}

struct Laddered : testing::Test, Book<Portfolio> {
  Laddered() : Book{with_surface()} {}
  explicit Laddered(const PortfolioConfig& c) : Book{c} {}

  SurfaceHead head(bool inverse = true) const {
    SurfaceHead h;
    h.expiry = start + day * 7;
    h.as_of = now;
    h.underlying = btc;
    h.inverse = inverse ? 1 : 0;
    h.source = VolSource::svi;
    h.verdict = SurfaceVerdict::accepted;
    return h;
  }
  std::size_t surface(const SurfaceHead& h, const std::vector<SurfaceRow>& rows) {
    const auto bytes = surface_bytes(h, rows);
    const SurfaceBlock block{bytes};
    EXPECT_TRUE(block.sound());
    return portfolio->on_surface(block, now);
  }
  InstrumentId linear(double strike) {
    return option(strike, OptionType::call, InstrumentKind::linear_option);
  }
  bool only(VolSource s) const {
    VolSources one;
    one.add(s);
    return risk().models == one;
  }
};

TEST_F(Laddered, TheSurfacePricesWhileItIsYoungThenTheVenueDoes) {
  const InstrumentId id = option(50000);
  mid(50000);
  ticker(id, 0.5, 50000);
  portfolio->set_position(id, qty(1));
  EXPECT_TRUE(only(VolSource::venue));
  const double venue_vega = risk().vega.value;
  EXPECT_EQ(surface(head(), {{id, {}, 0.8, 0}}), 1U);
  EXPECT_TRUE(only(VolSource::svi));
  EXPECT_EQ(portfolio->mark(id).sigma, 0.8);
  EXPECT_EQ(portfolio->mark(id).source, VolSource::svi);
  EXPECT_NE(risk().vega.value, venue_vega);
  EXPECT_TRUE(risk().complete);
  EXPECT_EQ(risk().surface_stale, 0U);
  ticker(id, 0.55, 50000);
  EXPECT_EQ(portfolio->mark(id).sigma, 0.8) << "a ticker does not displace it";
  const RecvTime fitted = now;
  advance(seconds(9));
  ticker(id, 0.55, 50000);
  EXPECT_TRUE(only(VolSource::svi));
  advance(seconds(1) + milliseconds(1));
  ticker(id, 0.55, 50000);
  EXPECT_EQ(portfolio->mark(id).sigma, 0.55) << "past its age";
  advance(milliseconds(500));
  EXPECT_TRUE(only(VolSource::venue));
  EXPECT_EQ(risk().surface_stale, 1U);
  EXPECT_EQ(risk().surface_at, fitted);
  EXPECT_TRUE(risk().complete);
  surface(head(), {{id, {}, 0.7, 0}});
  EXPECT_TRUE(only(VolSource::svi));
  EXPECT_EQ(risk().surface_stale, 0U);
}

TEST_F(Laddered, GivesTheNumbersThatTheVenueWouldHaveGivenAtThatVolatility) {
  const InstrumentId a = option(48000);
  const InstrumentId b = option(52000, OptionType::put);
  mid(50000);
  for (const InstrumentId id : {a, b}) ticker(id, 0.9, 50000);
  portfolio->set_position(a, qty(3));
  portfolio->set_position(b, qty(-2));
  surface(head(), {{a, {}, 0.6, -0.1}, {b, {}, 0.65, -0.2}});
  Book<Portfolio> other{with_surface()};
  const InstrumentId c = other.option(48000);
  const InstrumentId d = other.option(52000, OptionType::put);
  other.mid(50000);
  other.ticker(c, 0.6, 50000);
  other.ticker(d, 0.65, 50000);
  other.portfolio->set_position(c, qty(3));
  other.portfolio->set_position(d, qty(-2));
  EXPECT_DOUBLE_EQ(risk().delta_net.value, other.risk().delta_net.value);
  EXPECT_DOUBLE_EQ(risk().vega.value, other.risk().vega.value);
  EXPECT_DOUBLE_EQ(risk().gamma.value, other.risk().gamma.value);
}

TEST_F(Laddered, TakesNothingForOptionsThatAreNotOfTheExpiry) {
  const InstrumentId other_day =
      option(50000, OptionType::call, InstrumentKind::inverse_option, day * 30);
  const InstrumentId other_kind = linear(50000);
  const InstrumentId future = add(make(InstrumentKind::inverse_future, btc, start + day * 7));
  mid(50000);
  EXPECT_EQ(surface(head(), {{other_day, {}, 0.8, 0},
                             {other_kind, {}, 0.8, 0},
                             {future, {}, 0.8, 0},
                             {InstrumentId{999}, {}, 0.8, 0}}),
            0U);
  EXPECT_EQ(portfolio->model(other_day), VolSource::none);
  EXPECT_EQ(portfolio->model(other_kind), VolSource::none);
}

TEST_F(Laddered, AStaleCurveWithNothingBelowItMakesTheRiskIncomplete) {
  const InstrumentId id = option(50000);
  mid(50000);
  portfolio->on_option_ticker(id, 0, price(50000), Price{INT64_MIN}, venue, now);
  portfolio->set_position(id, qty(1));
  surface(head(), {{id, {}, 0.6, 0}});
  EXPECT_TRUE(risk().complete);
  advance(seconds(11));
  portfolio->on_option_ticker(id, 0, price(50000), Price{INT64_MIN}, venue, now);
  advance(milliseconds(500));
  EXPECT_FALSE(risk().complete);
  EXPECT_FALSE(portfolio->mark(id).usable);
}

struct WithFlat : Laddered {
  WithFlat() : Laddered{with_surface(0.75)} {}
};

TEST_F(WithFlat, TheFlatVolatilityPricesWhatNothingElseDoes) {
  const InstrumentId id = option(50000);
  mid(50000);
  portfolio->on_option_ticker(id, 0, price(50000), Price{INT64_MIN}, venue, now);
  portfolio->set_position(id, qty(1));
  EXPECT_TRUE(only(VolSource::flat));
  EXPECT_EQ(portfolio->mark(id).sigma, 0.75);
  EXPECT_TRUE(risk().complete);
  ticker(id, 0.5, 50000);
  EXPECT_TRUE(portfolio->model(id) == VolSource::venue);
  for (int i = 0; i < 31; ++i) {  // the forward stays fresh, the venue's volatility does not
    advance(seconds(1));
    portfolio->on_option_ticker(id, 0, price(50000), Price{INT64_MIN}, venue, now);
  }
  EXPECT_EQ(portfolio->model(id), VolSource::flat);
  EXPECT_TRUE(risk().complete);
}

// d/dF of the value with sigma(ln K/F): what sticky delta means.
TEST_F(Laddered, TheStickyShiftIsTheSlopeOfTheValueAlongTheSmile) {
  const InstrumentId id = linear(53000);
  mid(50000);
  ticker(id, 0.6, 50000);
  portfolio->set_position(id, qty(2));
  constexpr double sigma = 0.62;
  constexpr double slope = -0.35;
  surface(head(false), {{id, {}, sigma, slope}});
  const double t = years(day * 7);
  const auto value = [&](double f) {
    const double k = std::log(53000 / f) - std::log(53000 / 50000.0);
    const OptionTerms terms{OptionType::call, f, 53000, t, sigma + slope * k, 0, 1};
    return price_linear(terms).price;
  };
  const double along = (value(50005) - value(49995)) / 10;
  EXPECT_NEAR(risk().delta_net.value + risk().sticky_delta_shift, 2 * along, 2e-6);
  EXPECT_GT(std::abs(risk().sticky_delta_shift), 0.01);
  EXPECT_EQ(risk().minimum_variance_shift, 0);
}

TEST_F(Laddered, TheMinimumVarianceShiftIsTheFormulaAndNeedsItsCoefficients) {
  const InstrumentId id = linear(53000);
  mid(50000);
  ticker(id, 0.6, 50000);
  portfolio->set_position(id, qty(2));
  SurfaceHead h = head(false);
  h.minimum_variance = {-0.2, 0.1, 0.05};
  surface(h, {{id, {}, 0.6, -0.3}});
  const OptionMark m = portfolio->mark(id);
  const double d = m.delta_bs;
  const double one = m.vega / (50000 * std::sqrt(years(day * 7))) * (-0.2 + 0.1 * d + 0.05 * d * d);
  EXPECT_NEAR(risk().minimum_variance_shift, 2 * one, 1e-12);
  advance(seconds(11));
  ticker(id, 0.6, 50000);
  advance(milliseconds(500));
  EXPECT_EQ(risk().minimum_variance_shift, 0) << "the venue's volatility has no coefficients";
  EXPECT_EQ(risk().sticky_delta_shift, 0);
}

TEST_F(Laddered, FillsMoveTheShiftsAsAFreshPricingWould) {
  const InstrumentId a = option(48000);
  const InstrumentId b = option(53000);
  mid(50000);
  ticker(a, 0.6, 50000);
  ticker(b, 0.6, 50000);
  SurfaceHead h = head();
  h.minimum_variance = {-0.2, 0.1, 0.05};
  surface(h, {{a, {}, 0.7, -0.3}, {b, {}, 0.6, -0.2}});
  portfolio->set_position(a, qty(1));
  portfolio->apply_fill(b, qty(-4));
  portfolio->apply_fill(a, qty(2));
  portfolio->apply_fill(b, qty(1));
  const RiskNumbers before = risk();
  portfolio->reprice(btc);
  EXPECT_NEAR(risk().sticky_delta_shift, before.sticky_delta_shift, 1e-12);
  EXPECT_NEAR(risk().minimum_variance_shift, before.minimum_variance_shift, 1e-12);
  portfolio->set_position(a, Qty{});
  portfolio->set_position(b, Qty{});
  EXPECT_TRUE(risk().models.empty());
  EXPECT_EQ(risk().sticky_delta_shift, 0);
}

TEST(WithoutASurface, ABlockChangesNothing) {
  Book<Portfolio> b;
  const InstrumentId id = b.option(50000);
  b.mid(50000);
  b.ticker(id, 0.5, 50000);
  b.portfolio->set_position(id, qty(1));
  SurfaceHead h;
  h.expiry = start + day * 7;
  h.as_of = b.now;
  h.source = VolSource::svi;
  const auto bytes = surface_bytes(h, {{id, {}, 0.9, 0.5}});
  EXPECT_EQ(b.portfolio->on_surface(SurfaceBlock{bytes}, b.now), 0U);
  EXPECT_EQ(b.portfolio->mark(id).sigma, 0.5);
  EXPECT_EQ(b.portfolio->model(id), VolSource::venue);
}

TEST(SurfaceBlockBytes, AreRefusedUnlessEveryNumberIsPossible) {
  SurfaceHead h;
  h.underlying = btc;
  h.source = VolSource::svi;
  const std::vector<SurfaceRow> rows{{InstrumentId{3}, {}, 0.6, 0.1}};
  const auto sound = [](const std::vector<std::byte>& b) { return SurfaceBlock{b}.sound(); };
  ASSERT_TRUE(sound(surface_bytes(h, rows)));
  auto cut = surface_bytes(h, rows);
  cut.pop_back();
  EXPECT_FALSE(sound(cut));
  cut.resize(10);
  EXPECT_FALSE(sound(cut));
  EXPECT_FALSE(sound({}));
  for (const double sigma : {0.0, -1.0, 101.0, std::nan(""), HUGE_VAL}) {
    EXPECT_FALSE(sound(surface_bytes(h, {{InstrumentId{3}, {}, sigma, 0}}))) << sigma;
  }
  for (const double slope : {51.0, std::nan("")}) {
    EXPECT_FALSE(sound(surface_bytes(h, {{InstrumentId{3}, {}, 0.6, slope}}))) << slope;
  }
  const auto with = [&](auto change) {
    SurfaceHead other = h;
    change(other);
    return sound(surface_bytes(other, rows));
  };
  EXPECT_FALSE(with([](SurfaceHead& o) { o.version = 2; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.underlying = UnderlyingId{32}; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.source = VolSource::venue; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.source = VolSource::none; })) << "rows of no curve";
  EXPECT_FALSE(with([](SurfaceHead& o) { o.verdict = static_cast<SurfaceVerdict>(9); }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.as_of = RecvTime{-1}; })) << "before the clock's zero";
  EXPECT_TRUE(with([](SurfaceHead& o) { o.as_of = RecvTime{}; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.minimum_variance[1] = std::nan(""); }));
  EXPECT_TRUE(with([](SurfaceHead& o) { o.minimum_variance = {2, -2, 2}; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.minimum_variance[0] = 2.001; }));
  EXPECT_FALSE(with([](SurfaceHead& o) { o.minimum_variance[2] = -2.001; }));
  auto more = surface_bytes(h, rows);
  const std::uint32_t huge = 0xFFFFFFFF;
  std::memcpy(more.data() + 4, &huge, sizeof huge);
  EXPECT_FALSE(sound(more));
}

}  // namespace
}  // namespace gimbal
