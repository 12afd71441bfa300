// The comparison of what the bot knows with the venue's newest list.
#include "ops/app/listings.hpp"

#include <gtest/gtest.h>

#include "ops/app/venue_queries.hpp"

namespace gimbal {
namespace {

constexpr ExchTime the_now{1'790'000'000'000'000'000};
constexpr Nanos one_day = seconds(86'400);

deribit::InstrumentRow row(std::string name, Nanos to_expiry = {}, double strike = 0) {
  deribit::InstrumentRow r;
  r.name = std::move(name);
  r.underlying = "BTC";
  r.price_index = "btc_usd";
  Instrument& d = r.definition;
  d.state = InstrumentState::open;
  d.settlement = currency("BTC");
  d.ticks.base = Price{500'000'000};
  d.lot = d.amount_min = d.contract_size = Qty{10'000'000'000};
  if (to_expiry.count != 0) d.expiry = the_now + to_expiry;
  d.kind =
      to_expiry.count == 0 ? InstrumentKind::inverse_perpetual : InstrumentKind::inverse_future;
  if (strike > 0) {
    d.kind = InstrumentKind::inverse_option;
    d.option = OptionType::call;
    d.strike = Price{static_cast<std::int64_t>(strike * 1e9)};
  }
  return r;
}

struct ListingsTest : testing::Test {
  std::vector<UnderlyingConfig> config{1};
  Universe universe;
  Listings listings;
  deribit::InstrumentList list;
  RecvTime at{seconds(100).count};

  void SetUp() override {
    config[0].name = "BTC";
    config[0].index = "btc_usd";
    config[0].currency = "BTC";
    config[0].hedge_instrument = "BTC-PERPETUAL";
    list.rows = {row("BTC-PERPETUAL"), row("BTC-F1", one_day * 7), row("BTC-O1", one_day, 100'000),
                 row("BTC-O2", one_day, 110'000)};
    ASSERT_EQ(universe.add(config[0], VenueId{0}, the_now, list), "");
  }
  std::vector<ListingChange> compare(ExchTime now = the_now) {
    InstrumentPicture picture;
    picture.begun = at;
    picture.lists.emplace_back("BTC", list);
    return listings.compare(config, universe, now, picture);
  }
  InstrumentId id(const char* name) const { return universe.symbols().find(name); }
  void drop(const char* name) {
    std::erase_if(list.rows, [name](const auto& r) { return r.name == name; });
  }
};

TEST_F(ListingsTest, TheSameListChangesNothing) { EXPECT_TRUE(compare().empty()); }

TEST_F(ListingsTest, OtherTermsAreARedefinitionAndAreFoundInEachMember) {
  for (int member = 0; member < 6; ++member) {
    const auto before = list;
    Instrument& d = list.rows[0].definition;
    if (member == 0) d.ticks.base = Price{2'500'000'000};
    if (member == 1) d.lot = Qty{20'000'000'000};
    if (member == 2) d.amount_min = Qty{20'000'000'000};
    if (member == 3) d.contract_size = Qty{1};
    if (member == 4) d.taker_fee_nano = 1;
    if (member == 5) {
      d.ticks.count = 1;
      d.ticks.steps[0] = {Price{1'000'000'000}, Price{1'000'000'000}};
    }
    const auto changes = compare();
    ASSERT_EQ(changes.size(), 1U) << member;
    EXPECT_EQ(changes[0].step, ListingStep::redefined);
    EXPECT_EQ(changes[0].instrument, id("BTC-PERPETUAL"));
    list = before;
  }
}

TEST_F(ListingsTest, NewInstrumentsComeNearestExpiryFirstUpToTheBudget) {
  config[0].option_instruments_max = 4;
  list.rows.push_back(row("BTC-O9", one_day * 9, 100'000));
  list.rows.push_back(row("BTC-O3", one_day * 3, 100'000));
  list.rows.push_back(row("BTC-O5", one_day * 5, 100'000));
  list.rows.push_back(row("BTC-F2", one_day * 30));
  const auto changes = compare();
  ASSERT_EQ(changes.size(), 3U) << "two options fit beside the two known; futures do not count";
  EXPECT_EQ(changes[0].row.name, "BTC-O3");
  EXPECT_EQ(changes[1].row.name, "BTC-O5");
  EXPECT_EQ(changes[2].row.name, "BTC-F2");
  EXPECT_EQ(listings.counters().over_budget, 1U);
}

TEST_F(ListingsTest, ASettledOptionGivesItsPlaceInTheBudgetBack) {
  config[0].option_instruments_max = 2;
  list.rows.push_back(row("BTC-O3", one_day * 3, 100'000));
  EXPECT_TRUE(compare().empty());
  universe.table().set_state(id("BTC-O1"), InstrumentState::settled);
  drop("BTC-O1");
  const auto changes = compare();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].row.name, "BTC-O3");
}

TEST_F(ListingsTest, RowsThatNobodyAskedForAreNotListed) {
  list.rows.push_back(row("BTC-OX", one_day * 2, 100'000));
  list.rows.back().price_index = "btc_usdc";
  list.rows.push_back(row("ETH-O1", one_day * 2, 100'000));
  list.rows.back().underlying = "ETH";
  list.rows.push_back(row("BTC-FAR", config[0].expiry_within + seconds(1), 100'000));
  EXPECT_TRUE(compare().empty());
}

TEST_F(ListingsTest, WhatIsGoneIsClosedBeforeItsExpiryAndSettledFromItOn) {
  drop("BTC-O1");
  auto changes = compare(the_now + one_day - Nanos{1});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].step, ListingStep::closed);
  EXPECT_EQ(changes[0].instrument, id("BTC-O1"));
  universe.table().set_state(id("BTC-O1"), InstrumentState::invalid);
  EXPECT_TRUE(compare(the_now + one_day - Nanos{1}).empty()) << "told once";
  changes = compare(the_now + one_day);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].step, ListingStep::settled);
}

TEST_F(ListingsTest, AnEmptyOrMissingListOfACurrencyThatWasNotReadClosesNothing) {
  InstrumentPicture picture;
  picture.lists.emplace_back("ETH", deribit::InstrumentList{});
  EXPECT_TRUE(listings.compare(config, universe, the_now, picture).empty());
}

TEST_F(ListingsTest, WhatTheFeedClosedOpensWithAListThatWasBegunLater) {
  const InstrumentId future = id("BTC-F1");
  universe.table().set_state(future, InstrumentState::invalid);
  listings.suspect(future, at);
  EXPECT_TRUE(compare().empty()) << "this list may be older than the feed's word";
  at = at + Nanos{1};
  const auto changes = compare();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].step, ListingStep::redefined);
  EXPECT_EQ(changes[0].instrument, future);
}

TEST_F(ListingsTest, WhatIsSettledStaysSettledWhateverTheListSays) {
  universe.table().set_state(id("BTC-O1"), InstrumentState::settled);
  EXPECT_TRUE(compare().empty());
}

TEST_F(ListingsTest, ANewInstrumentsNamesAreDumpedAndReadBackBehindTheFirstOnes) {
  Universe copy;
  std::string error;
  for (const auto& block : universe.dump(1 << 16)) ASSERT_TRUE(copy.restore(block, error)) << error;
  std::string why;
  const InstrumentId fresh = universe.list(0, VenueId{0}, row("BTC-O3", one_day * 3, 100'000), why);
  ASSERT_TRUE(fresh.valid()) << why;
  const auto more = universe.dump(1 << 16, fresh.value);
  ASSERT_EQ(more.size(), 1U);
  ASSERT_TRUE(copy.restore(more[0], error)) << error;
  EXPECT_EQ(copy.symbols().name(fresh), "BTC-O3");
  EXPECT_EQ(copy.table().size(), universe.table().size());
}

// A venue that answers every question with the same text.
class Answering final : public QueryTransport {
 public:
  explicit Answering(std::string result)
      : body_{R"({"jsonrpc":"2.0","id":1,"result":)" + std::move(result) +
              R"(,"usIn":1,"usOut":1700000000000000,"usDiff":1,"testnet":true})"} {}
  HttpResponse call(const HttpRequest&, std::chrono::milliseconds) override {
    return {200, body_, {}, false};
  }
  RecvTime now() const override { return RecvTime{1}; }
  ExchTime wall() const override { return the_now; }
  void pause(std::chrono::milliseconds) override {}

 private:
  std::string body_;
};

// The proof of a kill counts what rests, not what is subscribed.
TEST(OpenCountTest, OrdersOfCombosAndOfInstrumentsThatAreNotSubscribedAreCounted) {
  const auto order = [](const char* instrument, const char* label) {
    return std::string{R"({"order_id":"9","direction":"buy","price":1,"amount":10,)"} +
           R"("order_state":"open","instrument_name":")" + instrument + R"(","label":")" + label +
           R"("})";
  };
  const char* ours = "gdemo-0000010000000009-00000000";
  deribit::SymbolTable symbols;
  ASSERT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0}));
  QuerySetup setup;
  setup.label_tag = "demo";
  setup.symbols = &symbols;
  setup.transport = std::make_shared<Answering>("[" + order("BTC-PERPETUAL", ours) + "," +
                                                order("BTC-FS-27JUN25_PERP", "by-hand") + "," +
                                                order("ETH-27JUN25-2000-C", ours) + "]");
  VenueQueries queries{std::move(setup)};
  VenueQueries::OpenCount count;
  ASSERT_EQ(queries.count_open(count), "");
  EXPECT_EQ(count.all, 3u);
  EXPECT_EQ(count.ours, 2u);
}

// More open orders than a reply is read with, whoever's they are: nothing is concluded from the
// part that could be read.
class ListingOrders final : public QueryTransport {
 public:
  explicit ListingOrders(std::string orders) : orders_{std::move(orders)} {}
  HttpResponse call(const HttpRequest& asked, std::chrono::milliseconds) override {
    const auto asks = [&](const char* method) {
      return asked.body.find(method) != std::string::npos;
    };
    std::string result = "[]";
    if (asks("get_open_orders")) result = orders_;
    if (asks("get_user_trades")) result = R"({"trades":[],"has_more":false})";
    if (asks("get_account_summaries")) result = R"({"id":1,"summaries":[]})";
    return {200,
            R"({"jsonrpc":"2.0","id":1,"result":)" + result +
                R"(,"usIn":1,"usOut":1800000000000000,"usDiff":1,"testnet":true})",
            {},
            false};
  }
  RecvTime now() const override { return RecvTime{1}; }
  ExchTime wall() const override { return the_now; }
  void pause(std::chrono::milliseconds) override {}

 private:
  std::string orders_;
};

struct UnreadListTest : testing::Test {
  deribit::SymbolTable symbols;
  std::vector<ReconcilePhase> phases;
  std::size_t reports{0};

  QuerySetup setup(std::size_t orders) {
    EXPECT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0}));
    std::string list = "[";
    for (std::size_t n = 0; n < orders; ++n) {
      list += std::string{n == 0 ? "" : ","} + R"({"order_id":")" + std::to_string(n) +
              R"(","direction":"buy","price":1,"amount":10,"order_state":"open",)"
              R"("instrument_name":"BTC-PERPETUAL","label":"by-hand"})";
    }
    QuerySetup s;
    s.label_tag = "demo";
    s.symbols = &symbols;
    s.transport = std::make_shared<ListingOrders>(list + "]");
    s.currencies = {"BTC"};
    return s;
  }
  PushUnits push() {
    return [this](std::span<const Event> unit) {
      if (unit[0].kind() == EventKind::reconcile_mark) {
        phases.push_back(unit[0].as<ReconcileMark>().phase);
      } else {
        ++reports;
      }
      return true;
    };
  }
};

TEST_F(UnreadListTest, AsManyOrdersAsAReplyIsReadWithAreAPictureAndACount) {
  VenueQueries queries{setup(8192)};
  VenueQueries::OpenCount count;
  ASSERT_EQ(queries.count_open(count), "");
  EXPECT_EQ(count.all, 8192u);
  ASSERT_EQ(queries.reconcile(Reconcile{}, push()), "");
  EXPECT_EQ(phases.back(), ReconcilePhase::complete);
  EXPECT_EQ(reports, 8192u);
  EXPECT_EQ(queries.lists_unread(), 0u);
}

TEST_F(UnreadListTest, OneMoreIsNoCountNoPictureAndNoProofThatAnOrderIsGone) {
  VenueQueries queries{setup(8193)};
  VenueQueries::OpenCount count;
  EXPECT_NE(queries.count_open(count).find("too many orders"), std::string::npos);
  EXPECT_EQ(queries.lists_unread(), 1u);
  EXPECT_NE(queries.reconcile(Reconcile{}, push()).find("too many orders"), std::string::npos);
  const std::vector<ReconcilePhase> failed{ReconcilePhase::begin, ReconcilePhase::failed};
  EXPECT_EQ(phases, failed);
  EXPECT_EQ(reports, 0u) << "half a picture reached the core";
  EXPECT_GT(queries.lists_unread(), 1u) << "each is told";
  LookupOutcome outcome = LookupOutcome::absent;
  (void)queries.look_up(QueryOrder{}, [&](std::span<const Event> unit) {
    outcome = unit[0].as<OrderLookup>().outcome;
    return true;
  });
  EXPECT_EQ(outcome, LookupOutcome::unproven);
}

}  // namespace
}  // namespace gimbal
