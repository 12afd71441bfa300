// Pictures and look-ups ask for trades by the venue's own clock: a host clock that is wrong, or
// jumps, hides none.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/payload.hpp"
#include "ops/app/venue_queries.hpp"

namespace gimbal {
namespace {

constexpr std::int64_t began_ms = 1'800'000'000'000;
constexpr std::int64_t minute_ms = 60'000;

// A venue with trades at times of its own, and a host whose wall clock is `gap_ms` ahead of it.
class Dated final : public QueryTransport {
 public:
  HttpResponse call(const HttpRequest& asked, std::chrono::milliseconds) override {
    now_ = now_ + milliseconds(3);
    const auto asks = [&](const char* text) { return asked.body.find(text) != std::string::npos; };
    std::string result = "[]";
    if (asks("get_time")) {
      ++times_asked;
      if (deaf_to_time) return {503, {}, {}, false};
      result = std::to_string(venue_ms());
    }
    if (asks("get_user_trades")) result = trades(asked.body);
    if (asks("get_account_summaries")) result = R"({"id":1,"summaries":[]})";
    std::string body = R"({"jsonrpc":"2.0","id":1,"result":)" + result;
    const std::int64_t ahead = asks("get_positions") ? positions_ahead_ms : 0;
    if (stamps) body += R"(,"usIn":1,"usOut":)" + std::to_string(venue_ms() + ahead) + "000";
    return {200, body + "}", {}, false};
  }
  RecvTime now() const override { return now_; }
  ExchTime wall() const override { return from_unix_ms(venue_ms() + gap_ms); }
  void pause(std::chrono::milliseconds time) override { pass(milliseconds(time.count())); }

  void pass(Nanos time) { now_ = now_ + time; }
  [[nodiscard]] std::int64_t venue_ms() const { return began_ms + now_.mono_ns / 1'000'000; }

  std::int64_t gap_ms{0};
  std::int64_t positions_ahead_ms{0};  // how far ahead of its clock the venue stamps them
  bool stamps{true};
  bool deaf_to_time{false};
  int times_asked{0};
  std::vector<std::int64_t> trades_at;
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;

 private:
  static std::int64_t number(const std::string& body, const std::string& name) {
    const std::size_t at = body.find("\"" + name + "\":");
    return at == std::string::npos ? -1 : std::atoll(body.c_str() + at + name.size() + 3);
  }
  std::string trades(const std::string& body) {
    const auto& span =
        spans.emplace_back(number(body, "start_timestamp"), number(body, "end_timestamp"));
    std::string rows;
    for (std::size_t n = 0; n < trades_at.size(); ++n) {
      if (trades_at[n] < span.first || trades_at[n] > span.second) continue;
      rows += (rows.empty() ? "" : ",") + std::string{R"({"trade_id":")"} + std::to_string(n) +
              R"(","instrument_name":"BTC-PERPETUAL","direction":"buy","price":5,"amount":10,)"
              R"("fee":0,"fee_currency":"BTC","order_id":"9","trade_seq":1,"timestamp":)" +
              std::to_string(trades_at[n]) + R"(,"label":"hand"})";
    }
    return R"({"trades":[)" + rows + R"(],"has_more":false})";
  }

  RecvTime now_{milliseconds(1).count};
};

struct TradesSpan : testing::Test {
  deribit::SymbolTable symbols;
  std::shared_ptr<Dated> venue = std::make_shared<Dated>();
  std::unique_ptr<VenueQueries> queries;

  void SetUp() override {
    ASSERT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0}));
    QuerySetup setup;
    setup.label_tag = "demo";
    setup.symbols = &symbols;
    setup.transport = venue;
    setup.currencies = {"BTC"};
    setup.burst = 10'000;
    queries = std::make_unique<VenueQueries>(std::move(setup));
  }
  std::size_t fills_of_a_picture() {
    std::size_t fills = 0;
    const std::string error = queries->reconcile(Reconcile{}, [&](std::span<const Event> unit) {
      fills += unit[0].kind() == EventKind::fill ? 1 : 0;
      return true;
    });
    EXPECT_EQ(error, "");
    return fills;
  }
};

TEST_F(TradesSpan, AHostClockThatIsFiveMinutesSlowHidesNoTradeFromAPicture) {
  venue->gap_ms = -5 * minute_ms;
  venue->trades_at = {venue->venue_ms() - 1'000};
  EXPECT_EQ(fills_of_a_picture(), 1U);
  EXPECT_EQ(venue->times_asked, 1) << "no reply had told the venue's time before";
}

TEST_F(TradesSpan, AHostClockThatIsAnHourFastHidesNoneFromTheFirstPicture) {
  venue->gap_ms = 60 * minute_ms;
  venue->trades_at = {venue->venue_ms() - 1'000};
  EXPECT_EQ(fills_of_a_picture(), 1U);
}

TEST_F(TradesSpan, AJumpOfTheWallClockMovesNoSpan) {
  EXPECT_EQ(fills_of_a_picture(), 0U);
  for (const std::int64_t gap : {-90'000L, 90'000L, -40'000'000L, 40'000'000L}) {
    venue->gap_ms = gap;
    venue->pass(seconds(30));
    venue->trades_at.push_back(venue->venue_ms());
    venue->spans.clear();
    EXPECT_EQ(fills_of_a_picture(), venue->trades_at.size()) << gap;
    for (const auto& [start, end] : venue->spans) {
      EXPECT_GT(end, venue->venue_ms());
      EXPECT_LE(end, venue->venue_ms() + minute_ms);
      EXPECT_LT(start, venue->venue_ms() - 9 * minute_ms);
    }
  }
}

TEST_F(TradesSpan, OneReplyThatIsStampedFarAheadHidesNoLaterTrade) {
  venue->positions_ahead_ms = 24 * 60 * minute_ms;
  EXPECT_EQ(fills_of_a_picture(), 0U);
  venue->positions_ahead_ms = 0;
  venue->pass(seconds(30));
  venue->trades_at = {venue->venue_ms() - 1'000};
  EXPECT_EQ(fills_of_a_picture(), 1U);
}

TEST_F(TradesSpan, AVenueWithoutStampsIsAskedForItsClockOnce) {
  venue->stamps = false;
  venue->gap_ms = -5 * minute_ms;
  venue->trades_at = {venue->venue_ms() - 1'000};
  EXPECT_EQ(fills_of_a_picture(), 1U);
  venue->pass(seconds(300));
  venue->trades_at.push_back(venue->venue_ms());
  EXPECT_EQ(fills_of_a_picture(), 2U);
  EXPECT_EQ(venue->times_asked, 1);
}

TEST_F(TradesSpan, WithoutAnyTimeOfTheVenueThereIsNoPicture) {
  venue->stamps = false;
  venue->deaf_to_time = true;
  std::vector<ReconcilePhase> phases;
  const std::string error = queries->reconcile(Reconcile{}, [&](std::span<const Event> unit) {
    phases.push_back(unit[0].as<ReconcileMark>().phase);
    return true;
  });
  EXPECT_NE(error.find("get_time"), std::string::npos) << error;
  EXPECT_EQ(phases, (std::vector{ReconcilePhase::begin, ReconcilePhase::failed}));
  EXPECT_TRUE(venue->spans.empty()) << "trades were asked for by another clock";
}

TEST_F(TradesSpan, ALookUpEndsBehindTheVenuesClock) {
  venue->stamps = false;  // else the list of open orders, which it reads first, tells the time
  venue->gap_ms = -5 * minute_ms;
  QueryOrder order;
  order.order = make_order_id(6, StrategyId{0}, 1);
  order.sent = from_unix_ms(venue->venue_ms() - 2'000);
  order.valid_until = from_unix_ms(venue->venue_ms() - 1'500);
  EXPECT_EQ(queries->look_up(order, [](std::span<const Event>) { return true; }), "");
  ASSERT_FALSE(venue->spans.empty());
  for (const auto& span : venue->spans) EXPECT_GT(span.second, venue->venue_ms());
}

}  // namespace
}  // namespace gimbal
