// The living market: determinism, listings, quotes, tickers, settlement, new expiries.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "tests/sim/support.hpp"
#include "venues/sim/black.hpp"
#include "venues/sim/listing.hpp"
#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t just_before_eight = 1'790'063'990'000'000'000;  // 2026-09-22 07:59:50 UTC

std::uint64_t trace_of(std::uint64_t seed, Observer& out) {
  SimExchange x{small_market(seed)};
  x.advance(x.now() + seconds(10), out);
  return x.trace_hash();
}

TEST(Market, SameSeedGivesTheSameTraceWhoeverListens) {
  struct Deaf : Observer {
    bool wants_book(InstrumentIndex) override { return false; }
    bool wants_ticker(InstrumentIndex) override { return false; }
  };
  Recorder loud;
  Deaf deaf;
  const std::uint64_t a = trace_of(11, loud);
  EXPECT_EQ(a, trace_of(11, deaf));
  EXPECT_NE(a, trace_of(12, deaf));
}

// One number for every compiler, optimisation level and sanitizer. A deliberate change of the
// default config or of the order of outputs changes it; an accidental one must not pass.
TEST(Market, DefaultTraceIsTheSameInEveryBuild) {
  SimExchange x{SimConfig{}};
  Observer quiet;
  x.advance(x.now() + seconds(20), quiet);
  EXPECT_EQ(x.trace_hash(), 0xc0c7ea93cf0ce6dfULL);
}

TEST(Market, HowTimeIsCutDoesNotMatter) {
  SimExchange whole{small_market(4)};
  SimExchange cut{small_market(4)};
  Observer quiet;
  whole.advance(whole.now() + seconds(3), quiet);
  for (int n = 0; n < 1000; ++n) cut.advance(cut.now() + milliseconds(3), quiet);
  EXPECT_EQ(whole.trace_hash(), cut.trace_hash());
}

TEST(Market, UsersDoNotMoveThePricePath) {
  Venue busy{small_market(9)};
  Venue idle{small_market(9)};
  for (int n = 0; n < 50; ++n) {
    busy.buy(busy.bob, 1'000, 101'000);
    busy.sell(busy.bob, 1'000, 99'000);
    busy.run(milliseconds(20));
    idle.run(milliseconds(20));
    ASSERT_EQ(busy.exchange.index_price(0), idle.exchange.index_price(0));
  }
  EXPECT_NE(busy.exchange.trace_hash(), idle.exchange.trace_hash());
}

TEST(Market, DefaultListsTwoHundredOptionsOverFourExpiriesWithDeribitNames) {
  const SimExchange x{SimConfig{}};
  std::map<std::string, std::set<std::int64_t>> expiries;
  std::size_t options = 0;
  for (const Listing& l : x.instruments()) {
    EXPECT_EQ(x.find(l.name), l.index);
    EXPECT_TRUE(InstrumentTable::acceptable(l.def)) << l.name;
    if (!is_option(l.def.kind)) continue;
    ++options;
    expiries[l.name.substr(0, l.name.find('-'))].insert(l.def.expiry.unix_ns);
  }
  EXPECT_GE(options, 200u);
  EXPECT_EQ(expiries["BTC"].size(), 4u);
  EXPECT_EQ(expiries["ETH"].size(), 4u);
  EXPECT_EQ(expiries["BTC_USDC"].size(), 2u);
  for (const char* name : {"BTC-PERPETUAL", "ETH-PERPETUAL", "BTC_USDC-PERPETUAL", "BTC-25DEC26",
                           "BTC-25DEC26-100000-C", "ETH-25SEP26-4000-P"}) {
    EXPECT_NE(x.find(name), no_instrument) << name;
  }
  EXPECT_EQ(x.find("BTC-22SEP26"), no_instrument);  // no dated future on a daily expiry
  EXPECT_EQ(x.instruments()[x.find("BTC-25DEC26-100000-C")].underlying_index, "BTC-25DEC26");
}

TEST(Calendar, NearestDayWeekMonthAndQuarter) {
  const auto list = expiry_calendar(ExchTime{1'790'000'000'000'000'000}, 4);
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(date_code(list[0].at), "22SEP26");
  EXPECT_EQ(date_code(list[1].at), "25SEP26");
  EXPECT_EQ(date_code(list[2].at), "30OCT26");
  EXPECT_EQ(date_code(list[3].at), "25DEC26");
  EXPECT_EQ(date_code(ExchTime{951'782'400'000'000'000}), "29FEB00");
  EXPECT_EQ(date_code(ExchTime{1'614'585'600'000'000'000}), "1MAR21");
}

TEST(Market, EveryInstrumentIsQuotedOnItsTicksAroundTheMark) {
  Venue v{small_market(2)};
  v.run(seconds(2));
  for (const Listing& l : v.exchange.instruments()) {
    const auto bids = v.side(Side::buy, l.index);
    const auto asks = v.side(Side::sell, l.index);
    ASSERT_FALSE(asks.empty()) << l.name;
    if (!is_option(l.def.kind)) { ASSERT_FALSE(bids.empty()) << l.name; }
    for (const auto& side : {bids, asks}) {
      for (const Level& level : side) {
        EXPECT_TRUE(l.def.ticks.on_tick(level.price)) << l.name << ' ' << to_double(level.price);
        EXPECT_EQ(level.amount.nano % l.def.lot.nano, 0) << l.name;
      }
    }
    if (bids.empty()) continue;
    EXPECT_LT(bids[0].price, asks[0].price) << l.name;
    const double mark = to_double(v.exchange.mark_price(l.index));
    EXPECT_LE(to_double(bids[0].price), mark * 1.001 + 1e-3) << l.name;
    EXPECT_GE(to_double(asks[0].price), mark * 0.999 - 1e-3) << l.name;
  }
}

TEST(Market, ChangeIdChainsAreUnbrokenAndDeltasRebuildTheBooks) {
  Venue v{small_market(8)};
  const std::size_t count = v.exchange.instruments().size();
  std::vector<std::uint64_t> chain(count);
  std::vector<std::map<std::int64_t, std::int64_t>> book(2 * count);
  for (InstrumentIndex i = 0; i < count; ++i) {
    chain[i] = v.exchange.change_id(i);
    for (const Side s : {Side::buy, Side::sell}) {
      for (const Level& l : v.side(s, i)) {
        book[2 * i + static_cast<std::size_t>(s)][l.price.nano] = l.amount.nano;
      }
    }
  }
  for (int n = 0; n < 40; ++n) {
    v.buy(v.bob, 10'000, 101'000);
    v.sell(v.alice, 10'000, 99'000);
    v.run(milliseconds(100));
  }
  std::uint64_t global = 0;
  bool jumped = false;
  for (const auto& change : v.out.books) {
    ASSERT_EQ(change.previous, chain[change.instrument]);
    ASSERT_GT(change.id, global);
    jumped = jumped || change.id > change.previous + 1;
    global = chain[change.instrument] = change.id;
    for (const LevelChange& l : change.levels) {
      auto& side = book[2 * change.instrument + static_cast<std::size_t>(l.side)];
      const bool known = side.find(l.price.nano) != side.end();
      ASSERT_EQ(known, l.action != LevelAction::add);
      if (l.action == LevelAction::remove) {
        side.erase(l.price.nano);
      } else {
        side[l.price.nano] = l.amount.nano;
      }
    }
  }
  EXPECT_TRUE(jumped);
  for (InstrumentIndex i = 0; i < count; ++i) {
    EXPECT_EQ(chain[i], v.exchange.change_id(i));
    for (const Side s : {Side::buy, Side::sell}) {
      const auto levels = v.side(s, i);
      const auto& rebuilt = book[2 * i + static_cast<std::size_t>(s)];
      ASSERT_EQ(levels.size(), rebuilt.size());
      for (const Level& l : levels) EXPECT_EQ(rebuilt.at(l.price.nano), l.amount.nano);
    }
  }
}

TEST(Market, OptionTickersFollowThePublishedConventions) {
  Venue v{small_market(3)};
  v.run(seconds(3));
  std::size_t seen = 0;
  for (const TickerInfo& t : v.out.tickers) {
    const Listing& l = v.exchange.instruments()[t.instrument];
    if (!is_option(l.def.kind)) continue;
    ++seen;
    const bool linear = l.def.kind == InstrumentKind::linear_option;
    const double forward = to_double(t.underlying);
    const double years = static_cast<double>((l.def.expiry - t.time).count) / (365 * 86'400e9);
    const BlackInput in{l.def.option == OptionType::call, forward, to_double(l.def.strike), years,
                        t.mark_iv / 100};
    const double value = black_value(in);
    const double unit = linear ? 1 : forward;
    ASSERT_NEAR(to_double(t.mark), value / unit, 6e-5) << l.name;
    const Greeks g = black_greeks(in, value);
    ASSERT_NEAR(t.greeks.delta, g.delta, 1.1e-5) << l.name;
    ASSERT_NEAR(t.greeks.gamma, g.gamma, 1.1e-5) << l.name;
    ASSERT_NEAR(t.greeks.vega, g.vega, 1.1e-5 + g.vega * 1e-7) << l.name;
    // Capped by the mark at 8 decimals of a coin, which the ticker shows with 4.
    ASSERT_NEAR(t.greeks.theta, g.theta, 1.1e-5 + 5e-9 * unit) << l.name;
    ASSERT_EQ(t.mark_iv, round_to(t.mark_iv, 2));
    if (t.bid_iv > 0) {
      BlackInput bid = in;
      bid.vol = t.bid_iv / 100;
      const double vega_point = g.vega / unit;
      ASSERT_NEAR(black_value(bid) / unit, to_double(t.best_bid), vega_point * 0.011 + 1e-7)
          << l.name;
    }
  }
  EXPECT_GT(seen, 100u);
}

TEST(Market, TickerCadenceIsASecondForOptionsAndATenthForPerpetuals) {
  SimConfig c = empty_market();  // no quotes: only the timers are left
  Venue v{c};
  v.run(seconds(10));
  std::map<InstrumentIndex, int> count;
  for (const TickerInfo& t : v.out.tickers) ++count[t.instrument];
  EXPECT_NEAR(count[v.perpetual], 100, 1);
  EXPECT_NEAR(count[v.exchange.find("BTC-25SEP26-100000-C")], 10, 1);
}

TEST(Settlement, ExpiriesAreDeliveredAtTheAverageAndNewOnesListed) {
  SimConfig c = small_market(21);
  c.start = ExchTime{just_before_eight};
  c.averaging = seconds(8);
  c.walk_speed = 2'000;
  Venue v{c};
  const InstrumentIndex call = v.exchange.find("BTC-22SEP26-100000-C");
  ASSERT_NE(call, no_instrument);
  const double deposit = to_double(v.exchange.summary(v.bob, btc).balance);
  const InitialPosition held[]{{call, qty(2), Price{absent_nano}}};
  v.exchange.endow(v.bob, held);
  double sum = 0;
  int samples = 0;
  while (v.exchange.now().unix_ns < just_before_eight + 9'995'000'000) {
    v.run(c.step);
    if (v.exchange.now().unix_ns <= just_before_eight + 2'000'000'000) continue;
    sum += to_double(v.exchange.index_price(0));
    ++samples;
  }
  EXPECT_TRUE(v.exchange.instruments()[call].active);
  const double decayed = v.exchange.ticker(call).greeks.delta;
  EXPECT_LE(decayed, 0.001);  // 5 ms before expiry nearly nothing is left
  v.run(c.step);
  sum += to_double(v.exchange.index_price(0));
  ++samples;
  const Listing& l = v.exchange.instruments()[call];
  EXPECT_FALSE(l.active);
  EXPECT_EQ(l.state, ListingState::settled);
  const double delivery = to_double(v.exchange.ticker(call).delivery);
  EXPECT_NEAR(delivery, sum / samples, 0.01);
  const double payoff = std::max(delivery - 100'000, 0.0) / delivery;
  EXPECT_NEAR(to_double(v.exchange.summary(v.bob, btc).balance), deposit + 2 * payoff, 1e-8);
  EXPECT_EQ(v.exchange.position(v.bob, call).size, qty(0));
  EXPECT_TRUE(v.side(Side::sell, call).empty());
  EXPECT_TRUE(v.exchange.settling());
  EXPECT_EQ(v.buy(v.bob, 10, 99'000).error, code::settlement_in_progress);
  const auto fresh = std::count_if(
      v.exchange.instruments().begin(), v.exchange.instruments().end(), [](const Listing& x) {
        return x.name.find("23SEP26") != std::string::npos && x.state == ListingState::started;
      });
  EXPECT_GE(fresh, 6);
  v.run(seconds(4));
  EXPECT_FALSE(v.exchange.settling());
  EXPECT_NE(v.buy(v.bob, 10, 99'000).error, code::settlement_in_progress);
  EXPECT_FALSE(v.side(Side::sell, v.exchange.find("BTC_USDC-PERPETUAL")).empty());
}

TEST(Settlement, SessionResultsMoveToTheBalance) {
  SimConfig c = small_market(22);
  c.start = ExchTime{just_before_eight};
  Venue v{c};
  const InitialPosition held[]{{v.perpetual, qty(100'000), price(90'000)}};
  v.exchange.endow(v.bob, held);
  v.run(seconds(5));
  const Money before = v.exchange.summary(v.bob, btc).futures_session_upl;
  EXPECT_GT(before.nano, 100'000'000);
  v.run(seconds(5));
  const Summary after = v.exchange.summary(v.bob, btc);
  EXPECT_EQ(after.session_rpl.nano, 0);
  EXPECT_NEAR(to_double(after.balance), 10 + to_double(before), 2e-3);
  EXPECT_NEAR(to_double(v.exchange.position(v.bob, v.perpetual).average), 90'000, 0.01);
}

TEST(Market, AnExpiryCanBeListedWhileRunning) {
  Venue v{small_market(1)};
  const ExchTime at{1'790'323'200'000'000'000 + 7LL * 86'400'000'000'000};  // Friday 2 October
  ASSERT_EQ(date_code(at), "2OCT26");
  EXPECT_EQ(v.exchange.list_expiry(0, at, Period::week, v.out), 7u);
  EXPECT_EQ(v.exchange.list_expiry(0, at, Period::week, v.out), 0u);
  EXPECT_EQ(v.exchange.list_expiry(0, at + seconds(1), Period::week, v.out), 0u);
  const InstrumentIndex future = v.exchange.find("BTC-2OCT26");
  ASSERT_NE(future, no_instrument);
  v.run(milliseconds(300));
  EXPECT_FALSE(v.side(Side::buy, future).empty());
}

TEST(Market, ATickChangeRemovesOrdersOffTheNewGridAndQuotesAfresh) {
  Venue v{small_market(1)};
  const auto off = v.exchange.submit(
      v.bob, 0,
      [&] {
        NewOrder o = v.order(Side::buy, 10, 98'900);
        o.price.nano += nano_per_unit / 2;
        return o;
      }(),
      v.out);
  const auto on = v.buy(v.bob, 10, 98'900);
  ASSERT_TRUE(off.ok() && on.ok());
  TickSchedule coarse;
  coarse.base = price(5);
  v.exchange.set_ticks(v.perpetual, coarse, v.out);
  EXPECT_EQ(v.out.tick_changes, std::vector<InstrumentIndex>{v.perpetual});
  EXPECT_EQ(v.info(off).state, OrderState::cancelled);
  EXPECT_EQ(v.info(on).state, OrderState::open);
  v.run(milliseconds(20));
  for (const Level& l : v.side(Side::sell)) EXPECT_EQ(l.price.nano % price(5).nano, 0);
  EXPECT_FALSE(v.side(Side::sell).empty());
}

TEST(Market, NonsenseConfigIsRefusedByName) {
  SimConfig c;
  c.step = microseconds(1);
  EXPECT_THROW(SimExchange{c}, std::invalid_argument);
  c = {};
  c.products[0].coin = "DOGE";
  EXPECT_THROW(SimExchange{c}, std::invalid_argument);
  c = {};
  c.rates.matching_per_s = 0;
  EXPECT_THROW(SimExchange{c}, std::invalid_argument);
}

}  // namespace
}  // namespace gimbal::sim
