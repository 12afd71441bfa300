// SVI slices, their arbitrage checks, the fit, and the ladder of the surface.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "engine/quant/surface/vol_surface.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::quant {
namespace {

using test::NumberTable;

// The example of Axel Vogt that Gatheral and Jacquier (2014) quote.
constexpr Svi vogt{-0.0410, 0.1331, 0.3060, 0.3586, 0.4153};
constexpr Svi month{0.0160, 0.085, -0.22, 0.015, 0.15};
constexpr Svi quarter{0.0480, 0.120, -0.25, 0.020, 0.25};
constexpr double month_years = 30.0 / 365;
constexpr double quarter_years = 90.0 / 365;

std::vector<VolQuote> quotes_of(const Svi& p, double years, int count, double spread = 0,
                                double shift = 0) {
  std::vector<VolQuote> out;
  const double width = 3 * std::sqrt(svi_at(p, 0).w);
  for (int i = 0; i < count; ++i) {
    const double k = width * (2.0 * i / (count - 1) - 1);
    const double vol = std::sqrt(svi_at(p, k).w / years) + shift;
    out.push_back({k, vol, vol - spread / 2, vol + spread / 2, 1});
  }
  return out;
}

double worst_vol_error(const Svi& got, const Svi& want, double years) {
  double worst = 0;
  for (const VolQuote& q : quotes_of(want, years, 101)) {
    worst = std::max(worst, std::abs(std::sqrt(svi_at(got, q.k).w / years) - q.vol));
  }
  return worst;
}

void expect_verdicts_of(const std::string& path) {
  const NumberTable t{path};
  double worst = 0;
  std::size_t free = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const Svi p{t.number(i, "a"), t.number(i, "b"), t.number(i, "rho"), t.number(i, "m"),
                t.number(i, "sigma")};
    const ButterflyCheck check = check_butterfly(p);
    worst = std::max(worst, std::abs(check.min_g - t.number(i, "min_g")));
    EXPECT_EQ(check.free(), t.text(i, "verdict") == "free") << path << " row " << i;
    free += check.free() ? 1 : 0;
  }
  std::printf("%zu slices, %zu of them free, largest error of the least g %.2g\n", t.size(), free,
              worst);
  EXPECT_GE(t.size(), 40u);
  EXPECT_LE(worst, 1e-11);
}

TEST(SviButterfly, VerdictAndLeastGOfOwnSlices) {
  expect_verdicts_of(test::fixture_path("quant/svi_slices.csv"));
}
TEST(SviButterfly, VerdictAndLeastGOfTheGoldenSlices) {
  const std::string path = test::shared_path("data/quant/svi_slices.csv");
  if (!test::present(path)) GTEST_SKIP() << "golden data absent: " << path;
  expect_verdicts_of(path);
}

TEST(SviPoints, DerivativesAndGEqualTheGoldenOnes) {
  const std::string path = test::shared_path("data/quant/svi_points.csv");
  const std::string slices = test::shared_path("data/quant/svi_slices.csv");
  if (!test::present(path)) GTEST_SKIP() << "golden data absent: " << path;
  const NumberTable t{path};
  const NumberTable s{slices};
  double worst = 0;
  std::size_t row = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    while (s.text(row, "slice") != t.text(i, "slice")) row = row + 1 == s.size() ? 0 : row + 1;
    const Svi p{s.number(row, "a"), s.number(row, "b"), s.number(row, "rho"), s.number(row, "m"),
                s.number(row, "sigma")};
    const double k = t.number(i, "k");
    const SviPoint at = svi_at(p, k);
    const std::array<std::array<double, 2>, 4> pairs{{{at.w, t.number(i, "w")},
                                                      {at.w1, t.number(i, "w1")},
                                                      {at.w2, t.number(i, "w2")},
                                                      {durrleman_g(at, k), t.number(i, "g")}}};
    for (const auto& [got, want] : pairs) {
      worst = std::max(worst, std::abs(got - want) / std::max(1.0, std::abs(want)));
    }
  }
  std::printf("%zu points, largest error %.2g\n", t.size(), worst);
  EXPECT_LE(worst, 1e-12);
}

TEST(SviButterfly, VogtsSliceHasArbitrageThoughItsVariancesArePositive) {
  EXPECT_TRUE(well_formed(vogt));
  const ButterflyCheck check = check_butterfly(vogt);
  EXPECT_FALSE(check.free());
  EXPECT_NEAR(check.min_g, -0.032863573453623014, 1e-12);
  EXPECT_NEAR(check.k, 0.8792625416220679, 1e-5);
}

TEST(SviButterfly, ACurveThatIsNoneIsNotFree) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Svi& p :
       {Svi{}, Svi{0.1, -0.1, 0, 0, 0.1}, Svi{0.1, 0.1, 1, 0, 0.1}, Svi{-0.1, 0.1, 0, 0, 0.1},
        Svi{nan, 0.1, 0, 0, 0.1}, Svi{0.1, 0.1, nan, 0, 0.1}}) {
    EXPECT_FALSE(check_butterfly(p).free());
  }
  EXPECT_FALSE(check_butterfly({0.1, 1.2, 0.9, 0, 5}).free()) << "a wing over 2";
}

TEST(SviCalendar, CrossingsAreFoundBetweenTheQuotesAndInTheWings) {
  EXPECT_TRUE(check_calendar(month, quarter).free());
  EXPECT_FALSE(check_calendar(quarter, month).free());
  EXPECT_TRUE(check_calendar(month, month).free());
  Svi bump = quarter;  // dips below near the money only
  bump.a = 0.0480 - 0.03;
  bump.s = 0.05;
  bump.m = 0.3;
  const CalendarCheck inner = check_calendar(quarter, bump);
  EXPECT_FALSE(inner.free());
  EXPECT_TRUE(std::isfinite(inner.k));
  Svi flatter = quarter;  // above wherever one could look, flatter at the end
  flatter.a += 0.5;
  flatter.b *= 1 - 1e-6;
  const CalendarCheck wing = check_calendar(quarter, flatter);
  EXPECT_FALSE(wing.free());
  EXPECT_TRUE(std::isinf(wing.k));
  EXPECT_NEAR(wing.min_gap, -1e-6, 1e-9);
}

TEST(Ssvi, IsTheSameCurveAsRawSviAndFreeUpToItsBound) {
  for (const double theta : {1e-4, 0.01, 0.3, 2.0}) {
    for (const double rho : {-0.9, -0.3, 0.0, 0.7}) {
      const double bound = ssvi_phi_max(theta, rho);
      for (const double share : {0.05, 0.5, 1.0}) {
        const Ssvi p{theta, rho, share * bound};
        const Svi r = raw(p);
        for (const double k : {-1.0, -0.1, 0.0, 0.3}) {
          const double lean = p.phi * k + rho;
          const double w =
              theta / 2 * (1 + rho * p.phi * k + std::sqrt(lean * lean + 1 - rho * rho));
          EXPECT_NEAR(svi_at(r, k).w, w, 1e-12 * (1 + w));
        }
        EXPECT_GE(check_butterfly(r).min_g, -1e-9) << theta << " " << rho << " " << share;
      }
      EXPECT_FALSE(check_butterfly(raw({theta, rho, 3 * bound})).free());
    }
  }
}

TEST(SliceFit, RecoversTheParametersOfExactQuotes) {
  for (const Svi& p : {month, quarter, Svi{0.0003, 0.012, 0.1, -0.002, 0.015}}) {
    const std::vector<VolQuote> quotes = quotes_of(p, 0.1, 40);
    const SliceFit fit = fit_slice({0.1, quotes}, {});
    ASSERT_EQ(fit.verdict, SliceVerdict::accepted);
    EXPECT_EQ(fit.model, SliceModel::svi);
    EXPECT_FALSE(fit.repaired);
    EXPECT_NEAR(fit.svi.a / p.a, 1, 1e-4);
    EXPECT_NEAR(fit.svi.b / p.b, 1, 1e-4);
    EXPECT_NEAR(fit.svi.rho, p.rho, 1e-4);
    EXPECT_NEAR(fit.svi.m, p.m, 1e-4 * p.s);
    EXPECT_NEAR(fit.svi.s / p.s, 1, 1e-4);
    EXPECT_LT(worst_vol_error(fit.svi, p, 0.1), 1e-6);
  }
}

TEST(SliceFit, AWarmStartGivesTheSameCurveInAFewSteps) {
  const std::vector<VolQuote> quotes = quotes_of(quarter, quarter_years, 40);
  Svi last = quarter;
  last.a *= 1.05;
  last.b *= 0.97;
  last.rho += 0.03;
  const SliceFit warm = fit_slice({quarter_years, quotes}, {}, &last);
  const SliceFit cold = fit_slice({quarter_years, quotes}, {});
  EXPECT_EQ(warm.verdict, SliceVerdict::accepted);
  EXPECT_LE(warm.evaluations, 12);
  EXPECT_GT(cold.evaluations, warm.evaluations);
  EXPECT_LT(worst_vol_error(warm.svi, quarter, quarter_years), 1e-4);
}

TEST(SliceFit, AUselessWarmStartCostsOnlyTime) {
  const std::vector<VolQuote> quotes = quotes_of(quarter, quarter_years, 40);
  const Svi far_off{3, 1.5, 0.9, 2, 0.01};
  const SliceFit fit = fit_slice({quarter_years, quotes}, {}, &far_off);
  EXPECT_EQ(fit.verdict, SliceVerdict::accepted);
  EXPECT_LT(worst_vol_error(fit.svi, quarter, quarter_years), 1e-4);
}

TEST(SliceFit, StaysInsideBidAndAskWhereThatIsAllThatIsAsked) {
  std::vector<VolQuote> quotes = quotes_of(quarter, quarter_years, 21, 0.02);
  for (std::size_t i = 0; i < quotes.size(); ++i) quotes[i].vol += i % 2 == 0 ? 0.008 : -0.008;
  const SliceFit fit = fit_slice({quarter_years, quotes}, {});
  EXPECT_EQ(fit.verdict, SliceVerdict::accepted);
  EXPECT_EQ(fit.error.inside, 1);
  EXPECT_NEAR(fit.error.bar, 0.01, 1e-12);
}

TEST(SliceFit, VogtsQuotesAreNeverAnsweredWithArbitrage) {
  const std::vector<VolQuote> quotes = quotes_of(vogt, 1, 40, 0, 0);
  SurfaceLimits loose;
  loose.rms_max = 0.05;
  const SliceFit repaired = fit_slice({1, quotes}, loose);
  EXPECT_EQ(repaired.verdict, SliceVerdict::accepted);
  EXPECT_TRUE(repaired.repaired);
  EXPECT_GE(repaired.butterfly.min_g, 0);
  EXPECT_GT(repaired.error.rms, 0);
  std::printf("Vogt's slice repaired: least g %.3g, rms %.3f points, max %.3f\n",
              repaired.butterfly.min_g, 100 * repaired.error.rms, 100 * repaired.error.max);
  SurfaceLimits strict;
  strict.rms_max = repaired.error.rms / 3;
  const SliceFit refused = fit_slice({1, quotes}, strict);
  EXPECT_NE(refused.verdict, SliceVerdict::accepted);
  EXPECT_EQ(refused.model, SliceModel::none);
}

TEST(SliceFit, FewStrikesGetTheFallbackModel) {
  const Ssvi p{0.02, -0.3, 2.5};
  const std::vector<VolQuote> quotes = quotes_of(raw(p), 0.2, 6);
  const SliceFit fit = fit_slice({0.2, quotes}, {});
  EXPECT_EQ(fit.model, SliceModel::ssvi);
  EXPECT_TRUE(fit.butterfly.free());
  EXPECT_LT(worst_vol_error(fit.svi, raw(p), 0.2), 1e-5);
}

TEST(SliceFit, ASliceAboveALaterExpiryIsBroughtBelowItOrRefused) {
  const std::vector<VolQuote> close = quotes_of(quarter, quarter_years, 40, 0, 0.001);
  SurfaceLimits limits;
  const SliceFit fit = fit_slice({quarter_years, close}, limits, nullptr, {nullptr, &quarter});
  EXPECT_EQ(fit.verdict, SliceVerdict::accepted);
  EXPECT_TRUE(fit.repaired);
  EXPECT_TRUE(check_calendar(fit.svi, quarter).free());
  const std::vector<VolQuote> far_above = quotes_of(quarter, quarter_years, 40, 0, 0.05);
  const SliceFit none = fit_slice({quarter_years, far_above}, limits, nullptr, {nullptr, &quarter});
  EXPECT_EQ(none.model, SliceModel::none);
  EXPECT_NE(none.verdict, SliceVerdict::accepted);
}

TEST(SliceFit, QuotesThatCannotBeUsedAreNamed) {
  const std::vector<VolQuote> good = quotes_of(month, month_years, 9);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  const auto fault = [](double years, const std::vector<VolQuote>& quotes) {
    const SliceFit fit = fit_slice({years, quotes}, {});
    EXPECT_EQ(fit.verdict, SliceVerdict::unusable);
    EXPECT_EQ(fit.model, SliceModel::none);
    return fit.fault;
  };
  const auto changed = [&](auto change) {
    std::vector<VolQuote> q = good;
    change(q[4]);
    return fault(month_years, q);
  };
  EXPECT_EQ(fault(0, good), SliceFault::years_out_of_range);
  EXPECT_EQ(fault(nan, good), SliceFault::years_out_of_range);
  EXPECT_EQ(fault(-1, good), SliceFault::years_out_of_range);
  EXPECT_EQ(fault(month_years, {}), SliceFault::too_few_strikes);
  EXPECT_EQ(fault(month_years, {good[0]}), SliceFault::too_few_strikes);
  EXPECT_EQ(changed([&](VolQuote& q) { q.k = nan; }), SliceFault::not_finite);
  EXPECT_EQ(changed([&](VolQuote& q) { q.vol = nan; }), SliceFault::not_finite);
  EXPECT_EQ(changed([&](VolQuote& q) { q.ask = inf; }), SliceFault::not_finite);
  EXPECT_EQ(changed([&](VolQuote& q) { q.k = good[0].k; }), SliceFault::unsorted);
  EXPECT_EQ(changed([&](VolQuote& q) { q.k = good[3].k; }), SliceFault::unsorted);
  EXPECT_EQ(changed([&](VolQuote& q) { q.k = 21; }), SliceFault::k_out_of_range);
  EXPECT_EQ(changed([&](VolQuote& q) { q.vol = q.bid = q.ask = 0; }), SliceFault::vol_out_of_range);
  EXPECT_EQ(changed([&](VolQuote& q) { q.bid = q.ask + 0.1; }), SliceFault::crossed);
  EXPECT_EQ(changed([&](VolQuote& q) { q.weight = 0; }), SliceFault::no_vega);
  EXPECT_EQ(changed([&](VolQuote& q) { q.weight = -1; }), SliceFault::no_vega);
  EXPECT_EQ(changed([&](VolQuote& q) { q.weight = 1e200; }), SliceFault::no_vega);
}

// Uniform numbers, the same on every machine.
class Numbers {
 public:
  double operator()(double low, double high) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return low + (high - low) * static_cast<double>(state_ >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_{20261127};
};

// On points of its own, finer than those of the checks.
void expect_no_arbitrage(const Svi& p, const Neighbours& sides) {
  for (int i = -3000; i <= 3000; ++i) {
    const double k = p.m + p.s * std::sinh(0.004 * i + 0.0007);
    const SviPoint at = svi_at(p, k);
    ASSERT_GT(at.w, 0);
    ASSERT_GE(durrleman_g(at, k), -1e-9) << k;
    const double low = sides.before != nullptr ? svi_at(*sides.before, k).w : 0;
    const double high = sides.after != nullptr ? svi_at(*sides.after, k).w : 1e300;
    ASSERT_GE(at.w, low * (1 - 1e-9)) << k;
    ASSERT_LE(at.w, high * (1 + 1e-9)) << k;
  }
}

TEST(SliceFit, WhateverIsAcceptedHasNoArbitrageOnAFinerGrid) {
  Numbers number;
  std::array<std::size_t, 5> verdicts{};
  std::size_t warm_accepted = 0;
  for (int round = 0; round < 250; ++round) {
    const double years = std::pow(10, number(-2.5, 0.3));
    const double level = number(0.2, 1.5);
    const double width = number(1, 5) * level * std::sqrt(years);
    const double skew = number(-0.4, 0.4);
    const double smile = number(0, 1.5);
    const double noise = round % 3 == 0 ? 0 : number(0, 0.03);
    const int strikes = 5 + static_cast<int>(number(0, 40));
    std::vector<VolQuote> quotes;
    for (int i = 0; i < strikes; ++i) {
      const double x = 2.0 * i / (strikes - 1) - 1;
      const double vol = level * (1 + skew * x + smile * x * x) * (1 + number(-noise, noise));
      const double spread = number(0, 0.06) * vol;
      quotes.push_back({width * x, vol, vol - spread / 2, vol + spread / 2, number(0.1, 10)});
    }
    Svi low{0.8 * level * level * years, 0.05 * level * std::sqrt(years), 0, 0, width};
    Svi high{1.5 * level * level * years, 0.6 * level * std::sqrt(years), 0, 0, width};
    low.a -= low.b * low.s;
    if (!check_butterfly(low).free() || !check_butterfly(high).free()) continue;
    const Neighbours sides{round % 4 > 1 ? &low : nullptr, round % 2 == 1 ? &high : nullptr};
    const SliceFit fit = fit_slice({years, quotes}, {}, nullptr, sides);
    ++verdicts[static_cast<std::size_t>(fit.verdict)];
    ASSERT_EQ(fit.model == SliceModel::none, fit.verdict != SliceVerdict::accepted);
    if (fit.verdict != SliceVerdict::accepted) continue;
    expect_no_arbitrage(fit.svi, sides);
    for (VolQuote& q : quotes) q = {q.k, q.vol + 0.001, q.bid + 0.001, q.ask + 0.001, q.weight};
    const SliceFit next = fit_slice({years, quotes}, {}, &fit.svi, sides);
    if (next.verdict != SliceVerdict::accepted) continue;
    expect_no_arbitrage(next.svi, sides);
    ++warm_accepted;
  }
  std::printf("accepted %zu (again from there %zu), butterfly %zu, calendar %zu, error %zu\n",
              verdicts[0], warm_accepted, verdicts[2], verdicts[3], verdicts[4]);
  EXPECT_GT(verdicts[0], 50u);
  EXPECT_GT(warm_accepted, 25u);
}

TEST(SliceFit, LegalExtremesEndAndGiveFiniteNumbers) {
  Numbers number;
  for (int round = 0; round < 300; ++round) {
    std::vector<VolQuote> quotes;
    const int strikes = 5 + static_cast<int>(number(0, 8));
    double k = number(-20, -10);
    for (int i = 0; i < strikes; ++i) {
      k += std::pow(10, number(-12, 0));
      const double vol = std::pow(10, number(-4, 2));
      quotes.push_back(
          {k, vol, vol * number(0, 1), vol * number(1, 3), std::pow(10, number(-29, 29))});
    }
    const SliceFit fit = fit_slice({std::pow(10, number(-6, 2)), quotes}, {});
    if (fit.verdict == SliceVerdict::unusable) continue;
    for (const double v : {fit.svi.a, fit.svi.b, fit.svi.rho, fit.svi.m, fit.svi.s, fit.error.max,
                           fit.error.inside}) {
      EXPECT_TRUE(std::isfinite(v)) << round;
    }
    EXPECT_TRUE(fit.verdict != SliceVerdict::accepted || check_butterfly(fit.svi).free());
  }
}

// Two expiries, the second one's quotes moved by `shift`.
struct TwoExpiries {
  std::vector<VolQuote> near = quotes_of(month, month_years, 20);
  std::vector<VolQuote> far;
  std::array<ExpiryQuotes, 2> in;
  explicit TwoExpiries(double shift = 0) : far{quotes_of(quarter, quarter_years, 20, 0, shift)} {
    in = {ExpiryQuotes{1, {month_years, near}}, ExpiryQuotes{2, {quarter_years, far}}};
  }
};

TEST(VolLadder, EachAnswerSaysWhichRungItIsFrom) {
  const TwoExpiries two;
  VolSurface surface;
  ASSERT_TRUE(surface.fit(two.in, 1000, {}, nullptr, 0));
  const VolLadder ladder{&surface, 60, 0.7};
  const auto at = [&](double now, double years, double venue) {
    return volatility(ladder, now, 0.1, years, venue);
  };
  const auto own = at(1010, month_years, 0.5);
  EXPECT_EQ(own.source, VolSource::svi);
  EXPECT_NEAR(own.sigma, std::sqrt(svi_at(month, 0.1).w / month_years), 1e-6);
  const double up = std::sqrt(svi_at(month, 0.1001).w / month_years);
  const double down = std::sqrt(svi_at(month, 0.0999).w / month_years);
  EXPECT_NEAR(own.slope, (up - down) / 0.0002, 1e-4);
  const double between_years = (month_years + quarter_years) / 2;
  const auto between = at(1010, between_years, 0.5);
  EXPECT_EQ(between.source, VolSource::interpolated);
  EXPECT_NEAR(between.sigma * between.sigma * between_years,
              (svi_at(month, 0.1).w + svi_at(quarter, 0.1).w) / 2, 1e-6);
  EXPECT_EQ(at(1061, month_years, 0.5).source, VolSource::venue) << "over the age limit";
  EXPECT_EQ(at(1061, month_years, 0.5).sigma, 0.5);
  EXPECT_EQ(at(999, month_years, 0.5).source, VolSource::venue) << "a curve from the future";
  EXPECT_EQ(at(std::numeric_limits<double>::quiet_NaN(), month_years, 0.5).source,
            VolSource::venue);
  EXPECT_EQ(at(1010, 0.01, 0.5).source, VolSource::venue) << "before the first expiry";
  EXPECT_EQ(at(1010, 1, 0.5).source, VolSource::venue) << "after the last";
  EXPECT_EQ(at(1010, 1, 0).source, VolSource::flat);
  EXPECT_EQ(at(1010, 1, std::numeric_limits<double>::quiet_NaN()).source, VolSource::flat);
  EXPECT_EQ(volatility({&surface, 60, 0}, 1010, 0.1, 1, 0).source, VolSource::none);
  EXPECT_EQ(volatility({nullptr, 60, 0}, 1010, 0.1, month_years, 0.4).source, VolSource::venue);
}

TEST(VolSurface, ARefusedExpiryIsKeptForAWhileShiftedToTheMoneyThenSaysNothing) {
  const TwoExpiries first;
  VolSurface old;
  ASSERT_TRUE(old.fit(first.in, 1000, {}, nullptr, 0));
  TwoExpiries now{0.02};
  for (std::size_t i = 0; i < now.far.size(); ++i) now.far[i].vol += i % 2 == 0 ? 0.03 : -0.03;
  for (VolQuote& q : now.far) q.bid = q.ask = q.vol;
  VolSurface kept;
  ASSERT_TRUE(kept.fit(now.in, 1030, {}, &old, 60));
  EXPECT_EQ(kept.slices()[0].source, VolSource::svi);
  EXPECT_EQ(kept.slices()[1].fit.verdict, SliceVerdict::error);
  EXPECT_EQ(kept.slices()[1].source, VolSource::kept);
  EXPECT_EQ(kept.slices()[1].fitted_at, 1000);
  const double level = std::sqrt(svi_at(quarter, 0).w / quarter_years);
  EXPECT_NEAR(kept.at(0, quarter_years).sigma, level + 0.02, 0.01);
  EXPECT_EQ(volatility({&kept, 60, 0}, 1050, 0, quarter_years, 0.5).source, VolSource::kept);
  EXPECT_EQ(volatility({&kept, 60, 0}, 1061, 0, quarter_years, 0.5).source, VolSource::venue);
  VolSurface late;
  ASSERT_TRUE(late.fit(now.in, 1061, {}, &old, 60));
  EXPECT_EQ(late.slices()[1].source, VolSource::none);
  EXPECT_EQ(late.at(0, quarter_years).source, VolSource::none);
  EXPECT_EQ(late.at(0, (month_years + quarter_years) / 2).source, VolSource::none)
      << "no interpolation into an expiry that was refused";
}

TEST(VolSurface, ACurveIsNotKeptWithArbitrage) {
  const std::vector<VolQuote> three = quotes_of(vogt, 1, 3);
  const std::array<ExpiryQuotes, 1> alone{ExpiryQuotes{7, {1, three}}};
  VolSurface::Slice slice;
  slice.expiry = 7;
  slice.years = 1;
  slice.source = VolSource::svi;
  slice.svi = quarter;
  VolSurface old;
  VolSurface now;
  old.restore({slice});
  ASSERT_TRUE(now.fit(alone, 0, {}, &old, 60));
  EXPECT_EQ(now.slices()[0].source, VolSource::kept);
  slice.svi = vogt;
  old.restore({slice});
  ASSERT_TRUE(now.fit(alone, 0, {}, &old, 60));
  EXPECT_EQ(now.slices()[0].source, VolSource::none) << "butterfly";

  TwoExpiries two{-0.25};  // the later expiry's level falls below the earlier one's variance
  two.in[1].quotes.quotes = two.far;
  for (std::size_t i = 0; i < two.far.size(); ++i) {
    two.far[i].vol += i % 2 == 0 ? 0.02 : -0.02;
    two.far[i].bid = two.far[i].ask = two.far[i].vol;
  }
  slice.expiry = 2;
  slice.years = quarter_years;
  slice.svi = quarter;
  old.restore({slice});
  ASSERT_TRUE(now.fit(two.in, 0, {}, &old, 60));
  EXPECT_EQ(now.slices()[0].source, VolSource::svi);
  EXPECT_EQ(now.slices()[1].source, VolSource::none) << "calendar";
}

TEST(VolSurface, ARefusedFirstExpiryIsNotInterpolatedFrom) {
  TwoExpiries two;
  two.in[0].quotes.quotes = std::span{two.near}.first(3);
  VolSurface surface;
  ASSERT_TRUE(surface.fit(two.in, 0, {}, nullptr, 0));
  EXPECT_EQ(surface.slices()[1].source, VolSource::svi);
  EXPECT_EQ(surface.at(0, (month_years + quarter_years) / 2).source, VolSource::none);
}

TEST(SliceFit, ABendWiderThanTheQuotesSupportIsNotFitted) {
  std::vector<VolQuote> quotes;
  for (int i = 0; i < 21; ++i) {
    const double k = 0.02 * (i - 10);
    const double vol = 0.6 + 0.1 * k * k;
    quotes.push_back({k, vol, vol, vol, 1});
  }
  const SliceFit fit = fit_slice({quarter_years, quotes}, {});
  EXPECT_EQ(fit.verdict, SliceVerdict::accepted);
  EXPECT_LE(fit.svi.s, 0.8 + 1e-12);
}

TEST(VolSurface, ExpiriesOutOfOrderAreRefused) {
  TwoExpiries two;
  std::swap(two.in[0], two.in[1]);
  VolSurface surface;
  EXPECT_FALSE(surface.fit(two.in, 0, {}, nullptr, 0));
  EXPECT_TRUE(surface.slices().empty());
}

TEST(VolSurface, AcceptedNeighboursNeverCross) {
  TwoExpiries two;
  two.near = quotes_of(quarter, month_years, 20);  // the variance of three months in one
  two.in[0].quotes.quotes = two.near;
  two.far = quotes_of(month, quarter_years, 20);
  two.in[1].quotes.quotes = two.far;
  VolSurface surface;
  ASSERT_TRUE(surface.fit(two.in, 0, {}, nullptr, 0));
  const auto& s = surface.slices();
  EXPECT_NE(s[0].source == VolSource::none, s[1].source == VolSource::none);
}

}  // namespace
}  // namespace gimbal::quant
