// The volatility surface as the core takes it: whole or not at all, by the event alone; what a
// refused fit and an old curve are told as; and which models stand behind an order.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/one_block.hpp"
#include "tests/support/surface_bytes.hpp"

namespace gimbal {
namespace {

struct SurfaceInCore : EngineTest {
  test::OneBlock store;
  void SetUp() override {
    setup.blocks = {&store, &test::OneBlock::find};
    setup.portfolio.surface_age_max = seconds(10);
  }
  SurfaceHead head() const {
    SurfaceHead h;
    h.expiry = table[option].expiry;
    h.as_of = now;
    h.underlying = test::the_coin;
    h.source = VolSource::svi;
    h.verdict = SurfaceVerdict::accepted;
    return h;
  }
  void give(const std::vector<std::byte>& bytes) {
    store.bytes = bytes;
    SideBlockRef ref;
    ref.kind = SideBlockKind::surface;
    ref.bytes = static_cast<std::uint32_t>(bytes.size());
    send(EventKind::side_block, ref);
  }
  void surface(double sigma) { give(test::surface_bytes(head(), {{option, {}, sigma, -0.2}})); }
  void refuse(SurfaceVerdict verdict) {
    SurfaceHead h = head();
    h.source = VolSource::none;
    h.verdict = verdict;
    h.rms = 0.01;
    h.rms_max = 0.003;
    give(test::surface_bytes(h, {}));
  }
  [[nodiscard]] std::vector<Trip> raised(TripCode code) const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise && c.raise().code == code) all.push_back(c.raise());
    }
    return all;
  }
  EngineCounters counters() const { return engine->snapshot().counters; }
};

TEST_F(SurfaceInCore, PricesThePositionAndIsShownInTheStatus) {
  go();
  to_armed(50000, 0, -10);
  const double by_venue = engine->snapshot().underlyings[0].vega;
  surface(0.9);
  const EngineStatus s = engine->snapshot();
  EXPECT_EQ(counters().surfaces_adopted, 1U);
  EXPECT_NE(s.underlyings[0].vega, by_venue);
  EXPECT_TRUE(s.underlyings[0].models.has(VolSource::svi));
  EXPECT_FALSE(s.underlyings[0].models.has(VolSource::venue));
  ASSERT_EQ(s.positions_shown, 1U);
  EXPECT_EQ(s.position[0].model, VolSource::svi);
  EXPECT_EQ(s.underlyings[0].surface_age_s, 0);
}

TEST_F(SurfaceInCore, EachOrderKeepsWhichModelsPricedTheBook) {
  go();
  to_armed(50000, 0, -10);
  const PlaceOrder first = order();
  surface(0.6);
  const PlaceOrder second = order();
  EXPECT_TRUE(core().orders().find(first.order)->decision.models.has(VolSource::venue));
  EXPECT_TRUE(core().orders().find(second.order)->decision.models.has(VolSource::svi));
  EXPECT_FALSE(core().orders().find(second.order)->decision.models.has(VolSource::venue));
}

TEST_F(SurfaceInCore, IsRefusedWholeWhenOneNumberIsImpossible) {
  go();
  to_armed(50000, 0, -10);
  surface(0.6);
  surface(60.0);  // over [risk] iv_max_bps
  EXPECT_EQ(counters().surfaces_refused, 1U);
  give({});
  auto cut = test::surface_bytes(head(), {{option, {}, 0.6, 0}});
  cut.pop_back();
  give(cut);
  EXPECT_EQ(counters().surfaces_refused, 3U);
  EXPECT_EQ(core().portfolio().mark(option).sigma, 0.6) << "the last good one stands";
  EXPECT_EQ(counters().surfaces_adopted, 1U);
}

TEST_F(SurfaceInCore, ARefusedFitWithNoCurveToKeepIsWithdrawnAndToldOnceUntilAGoodOne) {
  go();
  to_armed(50000, 0, -10);
  surface(0.6);
  refuse(SurfaceVerdict::unusable);
  EXPECT_EQ(raised(TripCode::surface_refused).size(), 0U) << "too few quotes are nobody's fault";
  for (int i = 0; i < 5; ++i) {
    advance(seconds(1));
    refuse(SurfaceVerdict::butterfly);
  }
  ASSERT_EQ(raised(TripCode::surface_refused).size(), 1U);
  const Trip t = raised(TripCode::surface_refused)[0];
  EXPECT_EQ(t.limit, 3'000'000);
  EXPECT_EQ(t.actual, 10'000'000);
  EXPECT_EQ(t.evidence, static_cast<std::int64_t>(SurfaceVerdict::butterfly));
  EXPECT_EQ(t.mode, Mode::active) << "an alert; trading goes on";
  EXPECT_EQ(counters().surface_fits_refused, 5U);
  EXPECT_EQ(core().portfolio().mark(option).source, VolSource::venue) << "withdrawn";
  surface(0.6);
  EXPECT_EQ(core().portfolio().mark(option).source, VolSource::svi);
  advance(seconds(2));
  refuse(SurfaceVerdict::calendar);
  EXPECT_EQ(raised(TripCode::surface_refused).size(), 2U);
}

TEST_F(SurfaceInCore, OnlyARefusedFitWithoutACurveWithdrawsTheOneInUse) {
  go();
  to_armed(50000, 0, -10);
  const double by_venue = engine->snapshot().underlyings[0].vega;
  const auto source = [&] { return core().portfolio().mark(option).source; };
  for (const SurfaceVerdict verdict :
       {SurfaceVerdict::butterfly, SurfaceVerdict::calendar, SurfaceVerdict::error}) {
    surface(0.9);
    EXPECT_GT(std::abs(engine->snapshot().underlyings[0].vega - by_venue), 10);
    refuse(SurfaceVerdict::unusable);
    refuse(SurfaceVerdict::accepted);
    EXPECT_EQ(source(), VolSource::svi) << "until its age";
    SurfaceHead kept = head();
    kept.source = VolSource::kept;
    kept.verdict = verdict;
    give(test::surface_bytes(kept, {{option, {}, 0.85, -0.2}}));
    EXPECT_EQ(source(), VolSource::kept);
    refuse(verdict);
    EXPECT_EQ(source(), VolSource::venue);
    EXPECT_NEAR(engine->snapshot().underlyings[0].vega, by_venue, 1);
    EXPECT_TRUE(engine->snapshot().underlyings[0].models.has(VolSource::venue));
  }
  EXPECT_TRUE(raised(TripCode::surface_stale).empty());
}

TEST_F(SurfaceInCore, AnOldCurveGivesWayToTheVenueWithItsNumbers) {
  go();
  to_armed(50000, 0, -10);
  surface(0.9);
  run(seconds(9));
  EXPECT_EQ(raised(TripCode::surface_stale).size(), 0U);
  for (int i = 0; i < 4; ++i) {
    run(seconds(1));
    option_ticker(0.6, 50000, 50000);
  }
  ASSERT_EQ(raised(TripCode::surface_stale).size(), 1U);
  const Trip t = raised(TripCode::surface_stale)[0];
  EXPECT_EQ(t.limit, seconds(10).count);
  EXPECT_GT(t.actual, seconds(10).count);
  EXPECT_LT(t.actual, seconds(12).count);
  EXPECT_EQ(t.evidence, 1);
  EXPECT_EQ(core().portfolio().mark(option).source, VolSource::venue);
  EXPECT_EQ(engine->snapshot().global, Mode::active);
}

TEST_F(SurfaceInCore, TheSameBlocksGiveTheSameCommandsAndOthersDoNot) {
  const auto digest_with = [](double sigma) {
    struct Run : SurfaceInCore {
      void TestBody() override {}
    } r;
    r.SetUp();
    r.setup.limits.max_delta_usd = money(200'000);
    r.go();
    r.to_armed(50000, 0, -10);
    r.surface(sigma);
    r.order(50010, 50000, Side::sell);
    r.run(seconds(1));
    return r.digest.value();
  };
  EXPECT_EQ(digest_with(0.6), digest_with(0.6));
  EXPECT_NE(digest_with(0.6), digest_with(4.5)) << "the block decides what the gate lets through";
}

TEST_F(SurfaceInCore, WithoutASurfaceInTheConfigABlockIsNothing) {
  setup.portfolio.surface_age_max = {};
  go();
  to_armed(50000, 0, -10);
  surface(0.9);
  refuse(SurfaceVerdict::butterfly);
  EXPECT_EQ(core().portfolio().mark(option).source, VolSource::venue);
  EXPECT_EQ(counters().surfaces_adopted + counters().surfaces_refused, 0U);
  EXPECT_TRUE(raised(TripCode::surface_refused).empty());
}

}  // namespace
}  // namespace gimbal
