// Sessions that say good-bye to a peer that never answers, and goes on sending.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <functional>
#include <thread>

#include "ops/app/feed_session.hpp"
#include "ops/app/hot_pipelined.hpp"
#include "ops/app/order_session.hpp"
#include "tests/runtime/temp_dir.hpp"
#include "tests/support/deaf_peer.hpp"
#include "tests/venues/deribit_gateway_rig.hpp"

namespace gimbal {
namespace {

constexpr Nanos moment = milliseconds(1);
constexpr int close_wait_ms = static_cast<int>(close_wait_max.count / 1'000'000);

// A poller without sockets of its own, one session on it, and time that a test lets pass.
struct SessionEnd : testing::Test {
  test::DeafPeer peer;
  TscClock clock;
  std::unique_ptr<Poller> poller;
  RecvTime now{};

  void SetUp() override {
    PollerConfig config;
    config.kind = PollerKind::spin;
    PollerChoice choice;
    poller = Poller::open(config, choice);
    ASSERT_TRUE(poller) << choice.reason;
    now = clock.now();
  }
  template <class Session>
  void put(Session& session) {
    auto connection = peer.connect();
    ASSERT_TRUE(session.port().to_hot.put(connection));
    ASSERT_TRUE(session.adopt(*poller, now));
    session.port().wanted = false;
  }
  // A heartbeat and a cycle each millisecond. How many passed before the session was gone, at
  // most `most`.
  template <class Session>
  int beat_until_gone(Session& session, int most) {
    for (int ms = 0; ms < most; ++ms) {
      if (!session.up()) return ms;
      now = now + moment;
      peer.heartbeat();
      turn(session);
    }
    return most;
  }
  template <class Session>
  void turn(Session& session) {
    struct Sink {
      SessionEnd& test;
      Session& session;
      void on_received(std::uint16_t, std::span<const char> bytes, RecvTime) {
        session.received(*test.poller, bytes, test.now);
      }
      void on_lost(std::uint16_t, int error) { session.lost(*test.poller, error); }
    } sink{*this, session};
    (void)poller->poll(clock, sink);
    session.upkeep(*poller, now);
  }
};

struct Listener {
  int texts{0};
  int endings{0};
  LinkClosed closed{};
  void opened(RecvTime) {}
  void text(const TextFrame&) { ++texts; }
  void ended(const LinkClosed& how, RecvTime) {
    closed = how;
    ++endings;
  }
  void timer(RecvTime) {}
};

TEST_F(SessionEnd, AGoodByeThatIsNotAnsweredEndsAfterItsWaitWhateverThePeerSends) {
  Listener owner;
  Session<Listener> session{owner, 0, Priority::normal, LinkConfig{}};
  session.set_silence_max(seconds(15));
  put(session);
  ASSERT_EQ(beat_until_gone(session, 100), 100) << "a session that nobody closed stays";
  const int before = owner.texts;
  EXPECT_GT(before, 0);
  session.close(1001, "no data");
  const int waited = beat_until_gone(session, 2000);
  EXPECT_GE(waited, close_wait_ms) << "the peer has its time to answer";
  EXPECT_LE(waited, close_wait_ms + 2);
  EXPECT_EQ(owner.texts, before) << "what came after the close frame is nobody's";
  EXPECT_EQ(owner.endings, 1);
  EXPECT_EQ(owner.closed.cause, CloseCause::unanswered);
  EXPECT_TRUE(session.port().wanted) << "nobody makes the next connection";
  // The wait of one connection is none of the next.
  session.port().to_cold.take().reset();
  put(session);
  EXPECT_EQ(beat_until_gone(session, 2 * close_wait_ms), 2 * close_wait_ms);
}

TEST_F(SessionEnd, LeavingWaitsForNothing) {
  Listener owner;
  Session<Listener> session{owner, 0, Priority::first, LinkConfig{}};
  put(session);
  session.leave(1001, "overload");
  EXPECT_EQ(beat_until_gone(session, 2000), 1) << "gone with the next cycle";
  EXPECT_EQ(owner.endings, 1);
  EXPECT_TRUE(session.port().wanted);
  session.leave(1001, "again");  // nothing is there
  turn(session);
  EXPECT_EQ(owner.endings, 1);
}

// --- the order session

// As much of the bot as an order session needs; the core's ring is as small as a test wants it.
struct OrderSessionEnd : SessionEnd {
  test::DeribitGatewayRig rig;
  test::TempDir dir;
  SpscRing<Event> to_core{64};
  SpscRing<FillNote> fills{64};
  GatePage page;
  StopPage stop;
  TermsRing terms{1};
  TscProbe probe{64};
  std::unique_ptr<OrderSession<DeribitVenue>> orders;

  void SetUp() override {
    SessionEnd::SetUp();
    ASSERT_TRUE(page.create(dir.path() + "/gate", 1));
    ASSERT_TRUE(stop.create(dir.path() + "/stop"));
    orders = std::make_unique<OrderSession<DeribitVenue>>(
        std::move(rig.gateway()), to_core, fills, page,
        SenderGate{page, stop, page.register_sender()}, rig.table, terms, probe, clock, 0,
        rig.config.venue, LinkConfig{});
  }
  [[nodiscard]] auto& session() { return orders->session(); }
  void drain() {
    while (to_core.peek() != nullptr) to_core.pop();
  }
  // Connects and answers the login; what came before it is read away.
  void log_in_over_the_wire() {
    put(session());
    const std::string asked = peer.heard();
    ASSERT_NE(asked.find("public/auth"), std::string::npos) << asked;
    peer.say(R"({"jsonrpc":"2.0","id":)" + test::DeribitGatewayRig::id_of(asked) +
             R"(,"result":{"access_token":"A","expires_in":900,"refresh_token":"R",)"
             R"("scope":"connection trade:read_write","token_type":"bearer"}})");
    turn(session());
    ASSERT_NE(peer.heard().find("set_heartbeat"), std::string::npos) << "not logged in";
  }
  // Events for the core until its ring takes no more.
  void overload() {
    for (int i = 0; i < 200 && session().link().state() == LinkState::open; ++i) {
      orders->execute(cancel());
    }
  }
  Command cancel() const {
    CancelOrder c;
    c.order = make_order_id(1, StrategyId{1}, 7);
    c.instrument = rig.instrument;
    c.venue = rig.config.venue;
    return Command{c};
  }
};

TEST_F(OrderSessionEnd, AnOverloadedOneIsReplacedAtOnceAndCancelsOverTheNextConnection) {
  ASSERT_NO_FATAL_FAILURE(log_in_over_the_wire());
  overload();
  ASSERT_GT(orders->counters().queue_full.load(), 0u);
  EXPECT_LE(beat_until_gone(session(), 1000), 1) << "no cancel can leave as long as it is there";
  EXPECT_TRUE(session().port().wanted);
  EXPECT_TRUE(orders->owes()) << "the ring has no room for the word that it is gone";
  drain();
  now = now + milliseconds(20);
  turn(session());
  ASSERT_NE(to_core.peek(), nullptr) << "the core takes the gateway for ready";
  EXPECT_EQ(to_core.peek()->kind(), EventKind::gateway_status);
  EXPECT_EQ(to_core.peek()->as<GatewayStatus>().state, GatewayState::down);
  EXPECT_FALSE(orders->owes());
  drain();
  session().port().to_cold.take().reset();
  ASSERT_NO_FATAL_FAILURE(log_in_over_the_wire());
  orders->execute(cancel());
  EXPECT_NE(peer.heard().find("private/cancel"), std::string::npos);
}

TEST_F(OrderSessionEnd, AFailedSetUpIsReplacedAtOnce) {
  ASSERT_NO_FATAL_FAILURE(log_in_over_the_wire());
  peer.say(R"({"jsonrpc":"2.0","id":2,"error":{"code":10009,"message":"no","data":null}})");
  turn(session());
  ASSERT_TRUE(session().up());
  // The gateway's patience with a set-up, in heartbeats.
  int ms = 0;
  while (ms < 60'000 && session().link().state() == LinkState::open) {
    now = now + moment;
    if (++ms % 1000 == 0) peer.heartbeat();
    turn(session());
    drain();
  }
  EXPECT_LT(ms, 60'000) << "it never gave the set-up up";
  EXPECT_FALSE(session().up());
  EXPECT_TRUE(session().port().wanted);
}

// --- feeds behind a market ring that is full

struct FeedStageEnd : SessionEnd {
  static constexpr InstrumentId hedge{4};
  static constexpr InstrumentId option{5};
  deribit::SymbolTable symbols{16};
  EventRing ring{256};
  ResyncRing resyncs{16};
  TscProbe probe{64};
  FeedHops feed_hops;
  std::array<test::DeafPeer, 2> peers;
  std::unique_ptr<FeedStage> stage;

  [[nodiscard]] auto& session(std::size_t n) { return stage->feeds()[n]->session(); }
  void SetUp() override {
    SessionEnd::SetUp();
    ASSERT_TRUE(symbols.add("BTC-PERPETUAL", hedge));
    ASSERT_TRUE(symbols.add("BTC-25DEC26-76000-C", option));
    stage = std::make_unique<FeedStage>(*poller, ring, resyncs, clock, probe, feed_hops, 64);
    add(hedge_slot, hedge);
    add(option_slot, option);
    for (std::size_t n = 0; n < peers.size(); ++n) {
      auto connection = peers[n].connect();
      ASSERT_TRUE(session(n).port().to_hot.put(connection));
      session(n).port().wanted = false;
    }
    (void)stage->do_work();
    ASSERT_TRUE(session(0).up() && session(1).up());
  }
  void add(std::uint16_t slot, InstrumentId book) {
    deribit::LoginConfig login;
    login.client_id = "id";
    login.client_secret = "secret";
    login.grant = deribit::GrantType::client_credentials;
    stage->add_feed(std::make_unique<FeedStage::Feed>(
        FeedStage::Feed::Feed{deribit::DeribitFeed{deribit::FeedConfig{}, symbols},
                              deribit::DeribitLogin{login}},
        std::vector{book}, stage->sink(slot), probe, clock, slot, Priority::first, LinkConfig{}));
  }
  void level(std::uint16_t slot) {
    Event e = make_event(EventKind::book_delta, VenueId{0}, InstrumentId{9}, now, {}, BookDelta{});
    stage->sink(slot).events(std::span{&e, 1});
  }
  void overflow() {
    while (stage->overflows() == 0) level(option_slot);
    ASSERT_EQ(ring.size(), ring.capacity());
  }
  // The core takes events until the ring is half full.
  void take_half() {
    Event e;
    while (ring.over_half()) ASSERT_TRUE(ring.pop_into(e));
  }
  // What the core hears next: events of before the hole, then the word for both books, and no more.
  void expect_the_word_behind_what_was_before() {
    std::vector<Event> heard;
    Event e;
    while (ring.pop_into(e)) heard.push_back(e);
    ASSERT_EQ(heard.size(), ring.capacity() / 2 + 2);
    std::vector<InstrumentId> told;
    for (std::size_t i = 0; i < heard.size(); ++i) {
      const bool word = heard[i].kind() == EventKind::feed_status;
      EXPECT_EQ(word, i >= ring.capacity() / 2) << i;
      if (!word) continue;
      EXPECT_EQ(heard[i].as<FeedStatus>().state, FeedState::invalid);
      told.push_back(heard[i].instrument);
    }
    EXPECT_EQ(told, (std::vector{hedge, option}));
  }
};

TEST_F(FeedStageEnd, AHoleIsToldRightBehindTheLastEventBeforeItAndTheFeedsAreLeftAtOnce) {
  overflow();
  (void)stage->do_work();
  EXPECT_TRUE(session(0).up() && session(1).up()) << "there is no room to say that they are gone";
  Event e;
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ring.pop_into(e));
  const std::size_t left = ring.size();
  level(option_slot);
  level(hedge_slot);
  EXPECT_EQ(ring.size(), left) << "behind a hole nothing is passed on, room or not";
  take_half();
  (void)stage->do_work();
  EXPECT_FALSE(session(0).up() || session(1).up()) << "one cycle, no wait for the peer's answer";
  EXPECT_TRUE(session(0).port().wanted && session(1).port().wanted);
  ASSERT_NO_FATAL_FAILURE(expect_the_word_behind_what_was_before());
  level(hedge_slot);
  EXPECT_EQ(ring.size(), 1U) << "what comes from then on is passed on";
}

TEST_F(FeedStageEnd, AFeedThatEndsByItselfWhileTheRingIsFullIsToldAllTheSame) {
  overflow();
  session(1).lost(*poller, ECONNRESET);
  ASSERT_FALSE(session(1).up());
  take_half();
  (void)stage->do_work();
  EXPECT_FALSE(session(0).up());
  std::vector<InstrumentId> told;
  Event e;
  while (ring.pop_into(e)) {
    if (e.kind() == EventKind::feed_status) told.push_back(e.instrument);
  }
  EXPECT_EQ(told, (std::vector{option, hedge}));
}

}  // namespace
}  // namespace gimbal
