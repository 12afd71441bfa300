// The real engine and the real hedge against the simulated exchange, through the typed door, in
// virtual time: seeds instead of scripts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "engine/core/engine.hpp"
#include "ops/app/profit_explain.hpp"
#include "strategies/registry.hpp"
#include "tests/sim/support.hpp"
#include "venues/sim/typed_door.hpp"

namespace gimbal::sim {
namespace {

constexpr std::uint64_t config_hash = 77;

// The one side block of a run: terms that were read again.
struct Terms {
  Instrument read{};
  static std::span<const std::byte> find(const void* store, std::uint16_t, std::uint32_t) noexcept {
    return std::as_bytes(std::span{&static_cast<const Terms*>(store)->read, 1});
  }
};

struct Bot {
  Terms terms;
  Venue venue;
  AccountId account;
  InstrumentTable table;
  std::unique_ptr<TypedDoor> door;
  std::unique_ptr<Engine<NullProbe, std::tuple<DeltaHedge>>> engine;
  InstrumentId perpetual{};
  UnderlyingId coin{};
  Commands out;
  std::uint64_t seq{0};
  std::uint64_t throttled{0};
  std::uint64_t off_grid{0};  // orders that the exchange refused for their price
  std::uint64_t told{0};      // terms_refused
  std::uint64_t steps{0};
  std::vector<Event> told_of_orders;  // every word of the session on orders and fills
  std::unique_ptr<ProfitExplain> explain;

  static SimConfig market(std::uint64_t seed, Money misbooked_fee) {
    SimConfig c = small_market(seed);
    c.misbooked_fee = misbooked_fee;
    c.enforce_rates = true;
    c.walk_speed = 60;  // an hour's walk in a minute: plenty to hedge at three orders a second
    return c;
  }

  Bot(std::uint64_t seed, FaultConfig faults, Money misbooked_fee = {})
      : venue{market(seed, misbooked_fee)}, account{venue.add("bot", 20)} {
    short_options(5);
    DoorConfig config;
    config.account = account;
    config.faults = faults;
    config.faults.seed = seed;
    door = std::make_unique<TypedDoor>(venue.exchange, table, config);
    perpetual = door->id_of(venue.perpetual);
    coin = table[perpetual].underlying;
    make_engine();
  }
  // Sells the calls and puts of BTC that have more than two days to live.
  void short_options(double size) {
    std::vector<InitialPosition> book;
    const auto all = venue.exchange.instruments();
    for (std::size_t i = 0; i < all.size() && book.size() < 6; ++i) {
      const Instrument& d = all[i].def;
      if (d.kind != InstrumentKind::inverse_option || !all[i].name.starts_with("BTC-")) continue;
      if (d.expiry - venue.exchange.now() < seconds(2 * 86400)) continue;
      InitialPosition p;
      p.instrument = static_cast<InstrumentIndex>(i);
      p.size = Qty{static_cast<std::int64_t>(-size * 1e9)};
      book.push_back(p);
    }
    ASSERT_EQ(book.size(), 6U);
    venue.exchange.endow(account, book);
  }
  void make_engine() {
    EngineSetup setup;
    setup.limits.max_order_usd = coins(2'000'000);
    setup.limits.max_order_lots = 1'000'000;
    setup.limits.max_open_usd = coins(10'000'000);
    setup.limits.max_venue_open_usd = coins(10'000'000);
    setup.limits.max_position_lots = 10'000'000;
    setup.limits.max_delta_usd = coins(50'000'000);
    setup.limits.max_gross_delta_usd = coins(100'000'000);
    setup.limits.max_strategy_loss_usd = setup.limits.max_day_loss_usd =
        setup.limits.max_drawdown_usd = coins(50'000'000);
    setup.limits.order_rate_per_s = 3;  // 70% of the venue's 5
    setup.limits.order_burst = 14;      // and of its burst of 20
    setup.limits.cancel_reserve = 4;
    setup.engine.delta_one_books = 32;
    setup.engine.option_books = 8;
    setup.engine.option_levels = 16;
    setup.own_account[0] = setup.venue_used[0] = true;
    setup.blocks = {&terms, &Terms::find};
    setup.underlyings[coin.value] = {perpetual, Numeraire::coin, btc, VenueId{0}};
    DeltaHedgeConfig config;
    config.underlying = "BTC";
    config.numeraire = Numeraire::coin;
    config.band = 0.05;
    config.target = HedgeTarget::zero;
    config.interval_min = milliseconds(50);
    DeltaHedge hedge{StrategyId{0}};
    ASSERT_EQ(hedge.add(config, coin, perpetual), "");
    engine = std::make_unique<Engine<NullProbe, std::tuple<DeltaHedge>>>(setup, table,
                                                                         std::tuple{hedge});
    Boot boot;
    boot.epoch = 1;
    boot.config_hash = config_hash;
    step(make_event(EventKind::boot, VenueId{0}, {}, door->now(), {}, boot));
    door->connect();
  }
  void step(Event e) {
    e.set_seq({++seq});
    if (e.kind() == EventKind::order_reject &&
        e.as<OrderReject>().reason == RejectReason::throttled) {
      ++throttled;
    }
    if (e.kind() == EventKind::order_reject &&
        e.as<OrderReject>().reason == RejectReason::wrong_terms) {
      ++off_grid;
    }
    if (e.kind() >= EventKind::order_ack && e.kind() <= EventKind::order_done) {
      told_of_orders.push_back(e);
    }
    engine->step(e, out);
    if (explain != nullptr) explain->step(e);
    ++steps;
    for (const Command& c : out) {
      if (c.kind() == CommandKind::raise && c.raise().code == TripCode::terms_refused) ++told;
      door->send(c, e.now());
    }
  }
  // As at the venue: no message says so. The book's new levels come with a snapshot.
  void retick(std::int64_t factor) {
    TickSchedule coarse = table[perpetual].ticks;
    coarse.base.nano *= factor;
    venue.exchange.set_ticks(venue.perpetual, coarse, venue.out);
    door->send(Command{Resync{perpetual, VenueId{0}}}, door->now());
  }
  void read_terms() {
    terms.read = core().instruments()[perpetual];
    terms.read.ticks = venue.exchange.instruments()[venue.perpetual].def.ticks;
    terms.read.state = InstrumentState::open;
    InstrumentChange change;
    change.change = InstrumentChangeKind::adopt;
    change.bytes = sizeof(Instrument);
    step(make_event(EventKind::instrument_change, VenueId{0}, perpetual, door->now(), {}, change));
  }
  void run(Nanos d) {
    const RecvTime until = door->now() + d;
    Event e;
    while (door->next(until, e)) step(e);
  }
  // The venue sends its words on orders and fills once more, as they were, after all of them.
  void tell_again(const std::vector<Event>& words) {
    for (Event e : words) {
      e.recv = door->now();
      e.queue_ns = 0;
      step(e);
    }
  }
  void operate(OperatorAction action) {
    operator_events(action, seq, config_hash, door->now(), [this](Event& e) { step(e); });
  }
  const EngineCore& core() const { return engine->core(); }
  const HedgeState& hedge() { return std::get<0>(engine->strategies()).state(coin); }
  double residual() const {
    const auto r = core().residual(coin);
    return r ? static_cast<double>(r->settled) * 1e-9 : std::nan("");
  }
  void arm() {
    run(milliseconds(500));
    operate(OperatorAction::arm);
    run(milliseconds(500));
    ASSERT_EQ(engine->last_operator().result, OperatorResult::accepted);
  }
  void expect_stopped_clean() {
    operate(OperatorAction::kill);
    run(seconds(5));
    EXPECT_TRUE(venue.exchange.open_orders(account).empty());
    EXPECT_EQ(core().orders().open_count(), 0U);
    EXPECT_EQ(engine->snapshot().cancel_jobs, 0);
    EXPECT_TRUE(core().orders().consistent());
  }
  void expect_positions_match() {
    for (std::size_t i = 0; i < table.size(); ++i) {
      const InstrumentId id{static_cast<std::uint16_t>(i)};
      EXPECT_EQ(core().portfolio().position(id),
                venue.exchange.position(account, door->index_of(id)).size)
          << i;
    }
  }
};

// How many seeds: GIMBAL_SEEDS, 10 unless told.
std::uint64_t seeds() {
  const char* text = std::getenv("GIMBAL_SEEDS");
  return text == nullptr ? 10 : std::strtoull(text, nullptr, 10);
}

TEST(HedgeSim, KeepsTheDeltaInsideTheBandWithoutARateErrorAndStopsClean) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Bot bot{seed, {}};
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    int outside = 0;
    constexpr int looks = 300;
    for (int i = 0; i < looks; ++i) {
      bot.run(milliseconds(100));
      if (!(std::abs(bot.residual()) <= 0.1)) ++outside;
    }
    EXPECT_LT(outside, looks / 20);
    EXPECT_LT(bot.hedge().outside_longest, seconds(2));
    EXPECT_GT(bot.core().orders().counters().filled, 5U);
    EXPECT_FALSE(bot.hedge().stopped);
    EXPECT_EQ(bot.throttled, 0U);
    EXPECT_EQ(bot.door->counters().sessions_lost, 0U);
    bot.expect_positions_match();
    bot.expect_stopped_clean();
  }
}

TEST(HedgeSim, SurvivesLostAnswersLostFillsGapsAndDisconnects) {
  FaultConfig faults;
  faults.fill_lost = 0.05;
  faults.gap = 0.002;
  faults.jitter = milliseconds(2);
  constexpr double lost[] = {0.1, 0.01, 0.5, 1.0};  // of all acknowledgements
  for (std::uint64_t seed = 1; seed <= std::max<std::uint64_t>(seeds(), std::size(lost)); ++seed) {
    faults.ack_lost = lost[(seed - 1) % std::size(lost)];
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", lost " << faults.ack_lost);
    Bot bot{seed, faults};
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    for (int i = 0; i < 3; ++i) {
      bot.run(seconds(5));
      bot.door->disconnect();
      bot.run(seconds(5));
    }
    EXPECT_EQ(bot.throttled, 0U);
    bot.expect_stopped_clean();
    bot.run(seconds(10));  // what was promised and not told comes back by reconciliation
    bot.expect_positions_match();
    EXPECT_EQ(bot.core().orders().owed_count(), 0U);
    EXPECT_EQ(bot.core().counters().cash_alarms, 0U);  // lost fills are in a picture
  }
}

TEST(HedgeSim, AWholeSessionToldTenTimesLeavesPositionsAndCashWhereTheyWere) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Bot bot{seed, {}};
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    bot.run(seconds(20));
    bot.expect_stopped_clean();
    const std::vector<Event> session = bot.told_of_orders;
    const std::uint64_t fills = bot.core().counters().fills;
    const std::uint64_t twice = bot.core().counters().duplicate_fills;
    ASSERT_GT(fills, 5U);
    for (int i = 0; i < 9; ++i) bot.tell_again(session);
    EXPECT_EQ(bot.core().counters().fills, fills);
    EXPECT_EQ(bot.core().counters().duplicate_fills, twice + 9 * (fills + twice));
    EXPECT_EQ(bot.core().orders().open_count(), 0U);
    EXPECT_TRUE(bot.core().orders().consistent());
    bot.expect_positions_match();
    bot.run(seconds(10));
    bot.expect_positions_match();
    EXPECT_EQ(bot.core().counters().cash_alarms, 0U);
  }
}

TEST(HedgeSim, TheCashTiesOutUntilTheVenueTakesTwoUnitsMoreThanAFeeSays) {
  for (const std::int64_t wrong : {0, 10, 21}) {
    SCOPED_TRACE(testing::Message() << wrong << " nano a fill");
    Bot bot{5, {}, Money{wrong}};
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    bot.run(seconds(60));
    EXPECT_GT(bot.core().counters().fills, 20U);
    EXPECT_GT(bot.core().counters().cash_ties, 20U);
    if (wrong <= 10) {
      EXPECT_EQ(bot.core().counters().cash_alarms, 0U);
    } else {
      EXPECT_GT(bot.core().counters().cash_alarms, 0U);
    }
    EXPECT_EQ(bot.engine->snapshot().day.held, wrong > 10);
  }
}

TEST(HedgeSim, ATickThatChangesWithoutAWordCostsOneRefusedOrderUntilTheTermsAreReadAgain) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Bot bot{seed, {}};
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    bot.run(seconds(5));
    ASSERT_EQ(bot.off_grid, 0U);
    bot.retick(20);  // an order reaches 20 bp beyond the best: hardly ever on the new grid
    bot.run(seconds(10));
    EXPECT_EQ(bot.off_grid, 1U);
    EXPECT_EQ(bot.told, 1U);
    const std::uint64_t placed = bot.core().orders().counters().placed;
    bot.run(seconds(5));
    EXPECT_EQ(bot.core().orders().counters().placed, placed) << "closed";
    bot.read_terms();
    bot.run(seconds(10));
    EXPECT_GT(bot.core().orders().counters().filled, 0U);
    EXPECT_GT(bot.core().orders().counters().placed, placed);
    EXPECT_EQ(bot.off_grid, 1U) << "on the new grid";
    EXPECT_FALSE(bot.hedge().stopped);
    bot.expect_positions_match();
    bot.expect_stopped_clean();
  }
}

// Four hours' walk in four minutes: the moment between our marks and the venue's counts sixtyfold.
TEST(HedgeSim, TheProfitOfARunIsExplainedToFivePercentOfItsParts) {
#if defined(GIMBAL_SANITIZED)
  const std::uint64_t last = 1;  // half a minute of a build that sees no more in the second
#else
  const std::uint64_t last = 4;
#endif
  for (std::uint64_t seed = 1; seed <= last; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Bot bot{seed, {}};
    bot.explain = std::make_unique<ProfitExplain>(bot.core());
    ASSERT_NO_FATAL_FAILURE(bot.arm());
    bot.run(seconds(240));
    const auto accounts = bot.explain->accounts();
    const auto coin =
        std::ranges::find_if(accounts, [](const auto& a) { return a.settlement == btc; });
    ASSERT_NE(coin, accounts.end());
    const ExplainedProfit p = coin->whole();
    std::printf("seed %d: profit %+.6f BTC, unexplained %+.6f of %.6f: %.2f %%\n",
                static_cast<int>(seed), p.profit, p.unexplained(), p.gross(), 100 * p.share());
    EXPECT_LE(p.share(), 0.05);
    EXPECT_GT(p.fills, 5U);
    EXPECT_LT(p[ProfitPart::fees], 0);
    EXPECT_LT(p[ProfitPart::gamma], 0);
    EXPECT_LT(p[ProfitPart::execution], 0);
  }
}

TEST(HedgeSim, TheSameSeedGivesTheSameRun) {
  const auto run = [] {
    Bot bot{3, {}};
    bot.arm();
    bot.run(seconds(5));
    return std::tuple{bot.steps, bot.residual(), bot.core().orders().counters().placed,
                      bot.core().portfolio().position(bot.perpetual)};
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace gimbal::sim
