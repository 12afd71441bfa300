// The surface's cold side: tickers in, blocks out.
#include "ops/app/surface_fitter.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/core/pricing.hpp"

namespace gimbal {
namespace {

constexpr ExchTime epoch{1'800'000'000'000'000'000};
constexpr Nanos day = seconds(86'400);

double smile(double k) { return 0.6 - 0.15 * k + 0.4 * k * k; }

struct FitterTest : testing::Test {
  SurfaceConfig config;
  RecvTime now{seconds(1000).count};
  ExchTime venue{epoch};
  SurfaceFitter fitter{config, 0.01, 5.0};
  double forward{100'000};

  // One of 26, without a price.
  SurfaceQuote option(int days, std::uint16_t first, int i) const {
    SurfaceQuote q;
    q.instrument = InstrumentId{static_cast<std::uint16_t>(first + i)};
    q.type = i % 2 == 0 ? OptionType::call : OptionType::put;
    q.underlying = UnderlyingId{0};
    q.forward = forward;
    q.strike = 70'000 + 5'000.0 * (i / 2);
    q.expiry = epoch + day * days;
    q.venue_time = venue;
    q.at = now;
    return q;
  }
  // 13 strikes, calls and puts, of an expiry that is `days` away; ids from `first` on.
  void chain(int days, std::uint16_t first, double level = 1, bool two_sided = true) {
    for (int i = 0; i < 26; ++i) {
      SurfaceQuote q = option(days, first, i);
      q.mark = level * smile(std::log(q.strike / q.forward));
      if (two_sided) {
        q.bid = q.mark - 0.004;
        q.ask = q.mark + 0.004;
      }
      fitter.quote(q);
    }
  }
  // The same chain by its prices: 0.4 points to either side of the smile. The venue says
  // `venue_off` more, or nothing.
  void priced_chain(int days, std::uint16_t first, double level, bool told, double venue_off = 0) {
    for (int i = 0; i < 26; ++i) {
      SurfaceQuote q = option(days, first, i);
      const double vol = level * smile(std::log(q.strike / q.forward));
      OptionTerms o;
      o.type = q.type;
      o.forward = q.forward;
      o.strike = q.strike;
      o.years = years(q.expiry - q.venue_time);
      o.sigma = vol - 0.004;
      q.bid_price = price_linear(o).price;
      o.sigma = vol + 0.004;
      q.ask_price = price_linear(o).price;
      if (told) {
        q.bid = vol - 0.004 + venue_off;
        q.ask = vol + 0.004 + venue_off;
      }
      fitter.quote(q);
    }
  }
  void pass(Nanos d) {
    now = now + d;
    venue = venue + d;
  }
  static SurfaceHead head_of(const std::vector<std::byte>& block) {
    EXPECT_TRUE(SurfaceBlock{block}.sound());
    return SurfaceBlock{block}.head();
  }
};

TEST_F(FitterTest, GivesEveryOptionOfTheExpiryItsVolatilityAndSlope) {
  for (const bool two_sided : {true, false}) {
    fitter = SurfaceFitter{config, 0.01, 5.0};
    const RecvTime quoted = now;
    chain(30, 10, 1, two_sided);
    pass(seconds(1));
    const auto blocks = fitter.fit(now);
    ASSERT_EQ(blocks.size(), 1U);
    const SurfaceBlock block{blocks[0]};
    ASSERT_TRUE(block.sound());
    EXPECT_EQ(block.head().expiry, epoch + day * 30);
    EXPECT_EQ(block.head().verdict, SurfaceVerdict::accepted);
    EXPECT_EQ(block.head().source, VolSource::svi);
    EXPECT_EQ(block.head().as_of, quoted) << "the oldest quote's time";
    ASSERT_EQ(block.rows(), 26U);
    for (std::size_t n = 0; n < block.rows(); ++n) {
      const SurfaceRow r = block.row(n);
      const double strike = 70'000 + 5'000.0 * static_cast<double>((r.instrument.value - 10) / 2);
      const double k = std::log(strike / 100'000);
      EXPECT_NEAR(r.sigma, smile(k), 0.003) << strike;
      EXPECT_NEAR(r.slope, -0.15 + 0.8 * k, 0.08) << strike;
    }
  }
}

TEST_F(FitterTest, ImpliesTheVolatilitiesOfTheBooksPrices) {
  for (const bool told : {false, true}) {
    fitter = SurfaceFitter{config, 0.01, 5.0};
    priced_chain(30, 10, 1, told);
    const auto blocks = fitter.fit(now);
    ASSERT_EQ(blocks.size(), 1U);
    const SurfaceBlock block{blocks[0]};
    EXPECT_EQ(block.head().verdict, SurfaceVerdict::accepted);
    ASSERT_EQ(block.rows(), 26U);
    for (std::size_t n = 0; n < block.rows(); ++n) {
      const SurfaceRow r = block.row(n);
      const double strike = 70'000 + 5'000.0 * static_cast<double>((r.instrument.value - 10) / 2);
      EXPECT_NEAR(r.sigma, smile(std::log(strike / 100'000)), 0.003) << strike;
    }
    EXPECT_EQ(fitter.counters().implied, 52U);
    EXPECT_EQ(fitter.counters().implied_slow, told ? 0U : 52U);
    EXPECT_EQ(fitter.counters().apart, 0U);
    EXPECT_TRUE(fitter.fit(now).empty());
    EXPECT_EQ(fitter.counters().implied, 52U) << "once for each quote";
    // The next prices start from the last volatilities.
    pass(seconds(1));
    priced_chain(30, 10, 1.03, false);
    EXPECT_EQ(fitter.fit(now).size(), 1U);
    EXPECT_EQ(fitter.counters().implied, 104U);
    EXPECT_EQ(fitter.counters().implied_slow, told ? 0U : 52U);
  }
}

TEST_F(FitterTest, APriceThatTheVenueSeesOtherwiseIsNotTaken) {
  priced_chain(30, 10, 1, true, 0.007);
  static_cast<void>(fitter.fit(now));
  EXPECT_EQ(fitter.counters().apart, 0U) << "within 0.2 points and a hundredth of it";
  pass(seconds(1));
  priced_chain(30, 10, 1, true, 0.05);
  const auto blocks = fitter.fit(now);
  EXPECT_EQ(fitter.counters().apart, 52U);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(head_of(blocks[0]).verdict, SurfaceVerdict::unusable);
}

TEST_F(FitterTest, APriceThatImpliesNothingIsNoQuoteWhateverTheVenueSays) {
  chain(30, 10);
  SurfaceQuote q;
  q.instrument = InstrumentId{22};
  q.type = OptionType::call;
  q.underlying = UnderlyingId{0};
  q.forward = forward;
  q.strike = 100'000;
  q.expiry = epoch + day * 30;
  q.mark = q.bid = q.ask = 0.6;
  q.bid_price = q.ask_price = 200'000;  // above the forward
  q.venue_time = venue;
  q.at = now;
  fitter.quote(q);
  const auto blocks = fitter.fit(now);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(head_of(blocks[0]).verdict, SurfaceVerdict::accepted);
  EXPECT_EQ(fitter.counters().implied_slow, 2U);
  EXPECT_EQ(fitter.counters().apart, 0U);
}

TEST_F(FitterTest, SaysTheSameCurveAgainBeforeItGetsOld) {
  chain(30, 10);
  ASSERT_EQ(fitter.fit(now).size(), 1U);
  std::size_t said = 0;
  for (int i = 0; i < 14; ++i) {
    pass(seconds(1));
    chain(30, 10);
    said += fitter.fit(now).size();
  }
  EXPECT_EQ(said, 2U) << "every third of 20 s";
  chain(30, 10, 1.01);
  EXPECT_EQ(fitter.fit(now).size(), 1U) << "another level is news at once";
}

TEST_F(FitterTest, KeepsTheLastGoodCurveWithItsAgeWhenTheNewestQuotesGiveNone) {
  chain(30, 10);
  chain(60, 50);
  const RecvTime first = now;
  ASSERT_EQ(fitter.fit(now).size(), 2U);
  pass(seconds(5));
  chain(30, 10);
  chain(60, 50, 0.5);  // less total variance than the month before it
  bool refused = false;
  for (int fit = 1; fit <= 3; ++fit) {
    for (const auto& b : fitter.fit(now)) {
      const SurfaceHead h = head_of(b);
      if (h.verdict == SurfaceVerdict::accepted) continue;
      refused = true;
      EXPECT_NE(h.verdict, SurfaceVerdict::unusable);
      EXPECT_TRUE(h.source == VolSource::none || h.as_of == first) << "a kept curve is not younger";
      EXPECT_TRUE(h.source != VolSource::none || fit == 3) << "given up at the third in a row";
    }
  }
  EXPECT_TRUE(refused);
  EXPECT_GE(fitter.counters().refused, 1U);
}

// A month that the newest quotes of the one after it leave with no curve, nor one to keep.
struct RefusedFit : FitterTest {
  RecvTime first{};
  void SetUp() override {
    chain(30, 10);
    chain(60, 50);
    first = now;
    ASSERT_EQ(fitter.fit(now).size(), 2U);
  }
  // Heads of what the next fit says of the first month.
  std::vector<SurfaceHead> next(double level, Nanos after = milliseconds(100)) {
    pass(after);
    chain(30, 10);
    chain(60, 50, level);
    return month_of(fitter.fit(now));
  }
  static std::vector<SurfaceHead> month_of(const std::vector<std::vector<std::byte>>& blocks) {
    std::vector<SurfaceHead> out;
    for (const auto& b : blocks) {
      if (head_of(b).expiry == epoch + day * 30) out.push_back(head_of(b));
    }
    return out;
  }
  static bool gives_up(const std::vector<SurfaceHead>& heads) {
    return !heads.empty() && heads[0].source == VolSource::none &&
           heads[0].verdict > SurfaceVerdict::unusable;
  }
  static constexpr double bad = 0.5;  // less total variance than the month before it
};

TEST_F(RefusedFit, IsToldWhileTheCurveBeforeItStands) {
  for (int n = 0; n < 3; ++n) {
    const auto told = next(bad);
    ASSERT_EQ(told.size(), 1U) << "counted and alerted by the core";
    EXPECT_GT(told[0].verdict, SurfaceVerdict::unusable);
    EXPECT_EQ(told[0].source, VolSource::kept);
    EXPECT_EQ(told[0].rows, 26U);
    if (n == 0) { EXPECT_EQ(told[0].as_of, first) << "not younger"; }
    EXPECT_FALSE(gives_up(next(bad)));
    const auto good = next(1);
    ASSERT_EQ(good.size(), 1U);
    EXPECT_EQ(good[0].verdict, SurfaceVerdict::accepted);
  }
}

TEST_F(RefusedFit, TheThirdGivesTheCurveUp) {
  EXPECT_FALSE(gives_up(next(bad)));
  EXPECT_FALSE(gives_up(next(bad)));
  EXPECT_TRUE(gives_up(next(bad)));
  EXPECT_TRUE(next(bad).empty()) << "nothing new";
}

TEST_F(RefusedFit, SoDoesOneThreeSecondsAfterTheFirst) {
  EXPECT_FALSE(gives_up(next(bad)));
  EXPECT_TRUE(gives_up(next(bad, seconds(3))));
}

TEST_F(RefusedFit, TooFewQuotesInBetweenAreNeitherARefusalNorAGoodFit) {
  EXPECT_FALSE(gives_up(next(bad)));
  pass(milliseconds(100));
  chain(30, 10, 0, false);
  const auto few = month_of(fitter.fit(now));
  ASSERT_EQ(few.size(), 1U);
  EXPECT_EQ(few[0].verdict, SurfaceVerdict::unusable);
  EXPECT_EQ(few[0].source, VolSource::none);
  const auto second = next(bad);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].source, VolSource::kept) << "the core still prices by it";
  EXPECT_EQ(second[0].rows, 26U);
  EXPECT_TRUE(gives_up(next(bad)));
}

TEST_F(FitterTest, OldQuotesMakeNoCurveAndExpiredOptionsAreForgotten) {
  chain(1, 10);
  ASSERT_EQ(fitter.fit(now).size(), 1U);
  pass(seconds(11));  // over half of 20 s
  const auto blocks = fitter.fit(now);
  ASSERT_EQ(blocks.size(), 1U);
  const SurfaceHead h = head_of(blocks[0]);
  EXPECT_EQ(h.verdict, SurfaceVerdict::unusable);
  EXPECT_EQ(h.source, VolSource::kept);
  EXPECT_EQ(h.as_of, RecvTime{seconds(1000).count});
  pass(day);
  EXPECT_TRUE(fitter.fit(now).empty());
}

TEST_F(FitterTest, TheStudyLeavesOutMarksThatTheCoreWouldNotBelieve) {
  const auto score_with = [&](bool glitch) {
    fitter = SurfaceFitter{config, 0.01, 0.8, seconds(1)};
    for (int n = 0; n < 40; ++n) {
      pass(seconds(1));
      forward = 100'000 + 20.0 * (n % 2);
      chain(30, 10);
      if (glitch && n == 25) {
        SurfaceQuote q;
        q.instrument = InstrumentId{22};  // the call at 100,000
        q.type = OptionType::call;
        q.underlying = UnderlyingId{0};
        q.forward = forward;
        q.strike = 100'000;
        q.expiry = epoch + day * 30;
        q.mark = 0.85;
        q.bid = 0.596;
        q.ask = 0.604;
        q.venue_time = venue;
        q.at = now;
        fitter.quote(q);
      }
      static_cast<void>(fitter.fit(now));
    }
    return fitter.studies().begin()->second.deltas.score();
  };
  const quant::DeltaScore clean = score_with(false);
  const quant::DeltaScore glitched = score_with(true);
  ASSERT_GT(clean.changes, 100U);
  EXPECT_EQ(glitched.changes + 2, clean.changes) << "to it and from it";
  EXPECT_NEAR(glitched.black / clean.black, 1, 0.05);
}

TEST_F(FitterTest, TheStudyDoesNotLookAcrossAGapOfTheFeed) {
  fitter = SurfaceFitter{config, 0.01, 5.0, seconds(1)};
  const auto changes_after = [&](Nanos gap) {
    const auto all = [&] { return fitter.studies().begin()->second.deltas.score().changes; };
    const auto look = [&](Nanos d) {
      pass(d);
      forward = forward > 100'000 ? 100'000 : 100'020;
      chain(30, 10);
      static_cast<void>(fitter.fit(now));
    };
    for (int n = 0; n < 15; ++n) look(seconds(1));
    const std::uint64_t before = all();
    look(gap);
    return all() - before;
  };
  EXPECT_GT(changes_after(seconds(3)), 0U);
  EXPECT_EQ(changes_after(seconds(3) + milliseconds(1)), 0U);
  EXPECT_GT(changes_after(seconds(1)), 0U);
}

TEST_F(FitterTest, NonsenseIsNotTaken) {
  chain(30, 10);
  SurfaceQuote q;
  q.instrument = InstrumentId{10};
  q.expiry = epoch + day * 30;
  q.venue_time = venue;
  q.at = now;
  q.forward = std::nan("");
  q.strike = 70'000;
  fitter.quote(q);
  q.forward = 0;
  fitter.quote(q);
  q.forward = 1;
  q.expiry = epoch;
  fitter.quote(q);
  const auto blocks = fitter.fit(now);
  ASSERT_EQ(blocks.size(), 1U);
  EXPECT_EQ(SurfaceBlock{blocks[0]}.rows(), 26U);
}

}  // namespace
}  // namespace gimbal
