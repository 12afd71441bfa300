// Several orders in doubt are looked up by the same answers of the venue.
#include <gtest/gtest.h>

#include "ops/app/venue_queries.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal {
namespace {

constexpr OrderId rests = make_order_id(6, StrategyId{0}, 1);
constexpr OrderId cancelled = make_order_id(6, StrategyId{0}, 2);
constexpr OrderId absent = make_order_id(6, StrategyId{0}, 3);

std::string row(OrderId id, const char* state, const char* filled) {
  char label[deribit::label_text_max];
  const std::string text{label, deribit::write_label("demo", id, 0, label)};
  return std::string{R"([{"order_id":"1","direction":"buy","price":50000,"amount":10,)"} +
         R"("filled_amount":)" + filled + R"(,"order_state":")" + state +
         R"(","instrument_name":"BTC-PERPETUAL","label":")" + text + R"("}])";
}

class Answers final : public QueryTransport {
 public:
  explicit Answers(bool more_trades) : more_trades_{more_trades} {}
  HttpResponse call(const HttpRequest& asked, std::chrono::milliseconds) override {
    const auto asks = [&](const char* method) {
      return asked.body.find(method) != std::string::npos;
    };
    ++calls;
    std::string result = "[]";
    if (asks("get_open_orders")) result = row(rests, "open", "3");
    if (asks("get_order_history")) result = row(cancelled, "cancelled", "4");
    if (asks("get_user_trades")) {
      ++trade_calls;
      const bool more = more_trades_ && trade_calls == 1;
      result = std::string{R"({"trades":[],"has_more":)"} + (more ? "true}" : "false}");
    }
    return {200,
            R"({"jsonrpc":"2.0","id":1,"result":)" + result +
                R"(,"usIn":1,"usOut":1800000000000000,"usDiff":1,"testnet":true})",
            {},
            false};
  }
  RecvTime now() const override { return RecvTime{1}; }
  ExchTime wall() const override { return ExchTime{1'800'000'000'000'000'000}; }
  void pause(std::chrono::milliseconds) override {}

  int calls{0};
  int trade_calls{0};

 private:
  bool more_trades_;
};

struct LookUps : testing::TestWithParam<bool> {};

TEST_P(LookUps, ThreeAnswersDoForAllAndTooManyTradesAreAskedForOneByOne) {
  deribit::SymbolTable symbols;
  ASSERT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0}));
  const auto answers = std::make_shared<Answers>(GetParam());
  QuerySetup setup;
  setup.label_tag = "demo";
  setup.symbols = &symbols;
  setup.transport = answers;
  setup.currencies = {"BTC"};
  VenueQueries queries{std::move(setup)};
  std::array<QueryOrder, 3> orders;
  orders[0].order = rests;
  orders[1].order = cancelled;
  orders[2].order = absent;
  std::vector<OrderLookup> found;
  ASSERT_EQ(queries.look_up(orders,
                            [&](std::span<const Event> unit) {
                              found.push_back(unit[0].as<OrderLookup>());
                              return true;
                            }),
            "");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].order, rests);
  EXPECT_EQ(found[0].outcome, LookupOutcome::open);
  EXPECT_EQ(found[0].filled, Qty{3'000'000'000});
  EXPECT_EQ(found[1].outcome, LookupOutcome::cancelled);
  EXPECT_EQ(found[1].filled, Qty{4'000'000'000});
  EXPECT_EQ(found[2].order, absent);
  EXPECT_EQ(found[2].outcome, LookupOutcome::absent);
  EXPECT_EQ(answers->calls, GetParam() ? 6 : 3);
}

INSTANTIATE_TEST_SUITE_P(Trades, LookUps, ::testing::Values(false, true),
                         [](const auto& more) { return more.param ? "Many" : "Few"; });

}  // namespace
}  // namespace gimbal
