// Orders that the venue refuses for their price or amount again and again.
#include "engine/core/refused_terms.hpp"

#include <cstring>

#include "tests/support/engine_fixture.hpp"
#include "tests/support/one_block.hpp"

namespace gimbal {
namespace {

constexpr InstrumentId one{3};
constexpr InstrumentId two{4};

Nanos pause_after(RefusedTerms& terms, RecvTime& now, InstrumentId id = one) {
  now = now + milliseconds(1);
  return terms.note(id, {}, now).pause;
}

TEST(RefusedTerms, PausesDoubleFromTheThirdRefusalOnAndEndAtTheLongest) {
  RefusedTerms terms;
  RecvTime now{seconds(10).count};
  for (const std::int64_t expected : {0, 0, 1, 2, 4, 8, 16, 32, 32, 32}) {
    EXPECT_EQ(pause_after(terms, now), seconds(expected));
  }
  for (int n = 0; n < 200; ++n) EXPECT_EQ(pause_after(terms, now), RefusedTerms::longest_pause);
  EXPECT_EQ(pause_after(terms, now, two), Nanos{}) << "another instrument's are its own";
}

TEST(RefusedTerms, AreForgottenWithOtherTermsAndWithTime) {
  RefusedTerms terms;
  RecvTime now{seconds(10).count};
  for (int n = 0; n < 4; ++n) static_cast<void>(pause_after(terms, now));
  EXPECT_TRUE(terms.waits(one));
  terms.forget(one);
  EXPECT_FALSE(terms.waits(one));
  EXPECT_EQ(pause_after(terms, now), Nanos{});
  for (int n = 0; n < 3; ++n) static_cast<void>(pause_after(terms, now));
  now = now + RefusedTerms::forgotten_after;
  EXPECT_EQ(pause_after(terms, now), Nanos{});
}

TEST(RefusedTerms, APauseIsOverOnceAndTheNextOnesTimeIsKnown) {
  RefusedTerms terms;
  RecvTime now{seconds(10).count};
  for (int n = 0; n < 4; ++n) static_cast<void>(pause_after(terms, now));
  const RecvTime later = now + seconds(2);
  for (int n = 0; n < 3; ++n) static_cast<void>(pause_after(terms, now, two));
  const RecvTime sooner = now + seconds(1);
  std::vector<InstrumentId> told;
  const auto tell = [&](const RefusedTerms::Refused& r) { told.push_back(r.instrument); };
  terms.take_due(sooner - Nanos{1}, tell);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(terms.next_due(), sooner);
  terms.take_due(sooner, tell);
  EXPECT_EQ(told, std::vector{two});
  EXPECT_EQ(terms.next_due(), later);
  terms.take_due(later, tell);
  EXPECT_EQ(told, (std::vector{two, one}));
  EXPECT_EQ(terms.next_due(), RecvTime{INT64_MAX});
}

// Closed without anybody to open it again would be for good.
TEST(RefusedTerms, WithoutRoomAmongThoseThatWaitTheListIsReadAtOnce) {
  RefusedTerms terms;
  RecvTime now{seconds(10).count};
  for (std::uint16_t id = 0; id < RefusedTerms::kept_max; ++id) {
    for (int n = 0; n < 3; ++n) static_cast<void>(pause_after(terms, now, InstrumentId{id}));
  }
  const InstrumentId more{RefusedTerms::kept_max};
  for (int n = 0; n < 5; ++n) EXPECT_EQ(pause_after(terms, now, more), Nanos{});
  std::size_t told = 0;
  terms.take_due(now + seconds(1), [&](const RefusedTerms::Refused&) { ++told; });
  EXPECT_EQ(told, RefusedTerms::kept_max);
}

struct RefusedAmounts : EngineTest {
  test::OneBlock block;
  void armed() {
    setup.blocks = {&block, &test::OneBlock::find};
    go();
    to_armed();
    seen.clear();
  }
  void refused(RejectReason why = RejectReason::wrong_amount) {
    const PlaceOrder o = order();
    ASSERT_TRUE(o.order.valid()) << static_cast<int>(last_refusal());
    OrderReject r;
    r.order = o.order;
    r.venue_code = 10021;
    r.reason = why;
    send(EventKind::order_reject, r, perp);
    EXPECT_EQ(state(o), OrderState::rejected);
    EXPECT_FALSE(open());
  }
  // As the cold side does after a list.
  void adopt(double lot = 10) {
    Instrument i = core().instruments()[perp];
    i.lot = amount(lot);
    i.state = InstrumentState::open;
    const auto bytes = std::as_bytes(std::span{&i, 1});
    block.bytes.assign(bytes.begin(), bytes.end());
    InstrumentChange c;
    c.change = InstrumentChangeKind::adopt;
    c.bytes = sizeof(Instrument);
    send(EventKind::instrument_change, c, perp);
    mark(perp, 50000, 50000);
    snapshot(perp, 49999.5, 50000.5);
  }
  [[nodiscard]] bool open() const {
    return core().instruments()[perp].state == InstrumentState::open;
  }
  [[nodiscard]] std::size_t told(TripCode code) const {
    return static_cast<std::size_t>(std::count_if(seen.begin(), seen.end(), [&](const Command& c) {
      return c.kind() == CommandKind::raise && c.raise().code == code;
    }));
  }
  // Until the list is asked for, or five minutes.
  Nanos until_told() {
    const RecvTime begun = now;
    const std::size_t before = told(TripCode::terms_refused);
    while (told(TripCode::terms_refused) == before && now - begun < seconds(300)) {
      run(milliseconds(100));
    }
    return now - begun;
  }
};

TEST_F(RefusedAmounts, UnderTheSameTermsReadAgainPauseTheListLongerEachTimeAndAreAnAlert) {
  armed();
  for (std::size_t n = 1; n <= 2; ++n) {
    refused();
    EXPECT_EQ(told(TripCode::terms_refused), n) << "the list may lag";
    adopt();
    ASSERT_TRUE(open());
  }
  EXPECT_EQ(told(TripCode::terms_disputed), 0U);
  std::size_t alerts = 0;
  for (const std::int64_t pause : {1, 2, 4}) {
    refused();
    EXPECT_EQ(told(TripCode::terms_disputed), ++alerts);
    EXPECT_EQ(until_told(), seconds(pause));
    adopt();
    ASSERT_TRUE(open());
  }
}

TEST_F(RefusedAmounts, APriceOffTheGridAgainAndAgainPausesInTheSameWay) {
  armed();
  for (int n = 0; n < 2; ++n) {
    refused(RejectReason::wrong_terms);
    adopt();
  }
  refused(RejectReason::wrong_terms);
  EXPECT_EQ(told(TripCode::terms_refused), 2U);
  EXPECT_EQ(until_told(), seconds(1));
}

TEST_F(RefusedAmounts, ARefreshThatBringsTheSameTermsDoesNotEndThePauseAndOtherTermsDo) {
  armed();
  for (int n = 0; n < 2; ++n) {
    refused();
    adopt();
  }
  refused();
  adopt();
  EXPECT_FALSE(open()) << "nobody has asked for it";
  adopt(20);
  EXPECT_TRUE(open());
  EXPECT_EQ(until_told(), seconds(300)) << "nothing is owed any more";
  refused();
  EXPECT_EQ(told(TripCode::terms_refused), 3U) << "the first under these terms: at once";
}

}  // namespace
}  // namespace gimbal
