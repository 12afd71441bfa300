// What a boot learns of the orders of the one before: from its snapshot, from the journal behind
// it, and what it says when it cannot.
#include "ops/app/order_keeper.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "engine/core/engine_status.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

constexpr std::uint32_t before = 6;
const char* const account = "deribit/main/2";

// A boot that sends orders, keeps them and dies.
struct Dead {
  test::TempDir dir;
  OrderKeeper keeper{dir.file("orders"), account};
  std::unique_ptr<JournalWriter> writer;
  std::uint64_t seq{0};

  Dead() {
    std::filesystem::create_directory(journal());
    JournalConfig config;
    config.directory = journal();
    config.segment_bytes = 256 * 1024;
    config.reserve_bytes = 64 * 1024;
    writer = std::make_unique<JournalWriter>(config, JournalIdentity{before, 1, 1}, nullptr);
    writer->observe([this](const Event& e) { keeper.take(e); });
    EXPECT_TRUE(writer->open());
    Boot b;
    b.epoch = before;
    add(make_event(EventKind::boot, VenueId{0}, {}, RecvTime{1}, {}, b));
  }
  [[nodiscard]] std::string journal() const { return dir.file("journal"); }
  void add(Event e) {
    e.set_seq({++seq});
    EXPECT_TRUE(writer->append(&e, 1));
    writer->drain();
  }
  static OrderId id(std::uint32_t n) { return make_order_id(before, StrategyId{0}, n); }
  void send(std::uint32_t n, InstrumentId instrument = InstrumentId{0}) {
    OrderSent s;
    s.order = id(n);
    s.price = Price{50'000'000'000};
    s.amount = Qty{10'000'000'000};
    add(make_event(EventKind::order_sent, VenueId{0}, instrument, RecvTime{2}, ExchTime{9}, s));
  }
  void end(std::uint32_t n) {
    OrderDone d;
    d.order = id(n);
    add(make_event(EventKind::order_done, VenueId{0}, InstrumentId{0}, RecvTime{3}, {}, d));
  }
  void keep() {
    ASSERT_TRUE(keeper.due(RecvTime{1}));
    keeper.offer({"BTC-PERPETUAL"}, writer->place_behind(keeper.log().seq()), RecvTime{1});
    ASSERT_TRUE(keeper.write());
    EXPECT_FALSE(keeper.due(RecvTime{1}));
  }
  [[nodiscard]] LeftOrders left(const std::string& of = account) const {
    TailLimits limits;
    limits.time_max = seconds(60);
    return read_left_orders(dir.file("orders"), of, journal(), limits);
  }
};

TEST(OrderKeeper, TheNextBootHasTheSnapshotAndWhatTheJournalHasBehindIt) {
  Dead dead;
  dead.send(1);
  dead.send(2);
  dead.keep();
  dead.end(1);
  dead.send(3);
  const LeftOrders left = dead.left();
  EXPECT_EQ(left.trouble, "");
  EXPECT_EQ(left.epoch, before);
  EXPECT_EQ(left.snapshot, 2U);
  EXPECT_EQ(left.tail.events, 2U);
  ASSERT_EQ(left.orders.size(), 2U);
  EXPECT_EQ(left.orders[0].terms.order, Dead::id(2));
  EXPECT_EQ(left.orders[1].terms.order, Dead::id(3));
}

// With the limits of a start: what is before the snapshot is not read again.
TEST(OrderKeeper, TheJournalIsReadFromTheSnapshotsPlaceOn) {
  Dead dead;
  for (std::uint32_t n = 1; n <= 8000; ++n) {
    dead.send(n);
    dead.end(n);
  }
  dead.send(8001);
  dead.keep();
  dead.send(8002);
  const LeftOrders left =
      read_left_orders(dead.dir.file("orders"), account, dead.journal(), TailLimits{});
  EXPECT_EQ(left.trouble, "");
  EXPECT_EQ(left.tail.searched, 0U);
  EXPECT_EQ(left.tail.events, 1U);
  EXPECT_EQ(left.orders.size(), 2U);
}

TEST(OrderKeeper, PricesOfTheDecisionComeFromTheStatusAndAreKept) {
  Dead dead;
  dead.send(1);
  OrderStatus shown;
  shown.id = Dead::id(1);
  shown.decision = Price{49};
  shown.theoretical = Price{48};
  dead.keeper.note(shown);
  dead.keep();
  dead.keeper.note(shown);
  EXPECT_FALSE(dead.keeper.due(RecvTime{1})) << "nothing new";
  ASSERT_EQ(dead.left().orders.size(), 1U);
  EXPECT_EQ(dead.left().orders[0].terms.decision, Price{49});
  EXPECT_EQ(dead.left().orders[0].terms.theoretical, Price{48});
}

TEST(OrderKeeper, AJournalThatGoesOnMakesItDueAgainEveryFiveSeconds) {
  Dead dead;
  dead.keep();
  dead.end(7);  // of no order
  EXPECT_FALSE(dead.keeper.due(RecvTime{seconds(5).count}));
  EXPECT_TRUE(dead.keeper.due(RecvTime{seconds(5).count + 1}));
}

TEST(OrderKeeper, NothingThatCannotBeUsedIsBelieved) {
  Dead dead;
  dead.send(1);
  EXPECT_EQ(dead.left().trouble, "") << "a first start";
  EXPECT_EQ(dead.left().epoch, 0U);
  dead.keep();
  const LeftOrders foreign = dead.left("deribit/other/2");
  EXPECT_TRUE(foreign.orders.empty());
  EXPECT_NE(foreign.trouble.find("not of deribit/other/2"), std::string::npos) << foreign.trouble;
  const std::string path = dead.dir.file("orders");
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  const LeftOrders cut = dead.left();
  EXPECT_TRUE(cut.orders.empty());
  EXPECT_NE(cut.trouble.find("checksum"), std::string::npos) << cut.trouble;
}

TEST(OrderKeeper, WithoutItsJournalTheSnapshotHoldsAndItSaysSo) {
  Dead dead;
  dead.send(1);
  dead.keep();
  std::filesystem::remove_all(dead.journal());
  const LeftOrders left = dead.left();
  EXPECT_EQ(left.orders.size(), 1U);
  EXPECT_NE(left.trouble.find("journal of boot 6"), std::string::npos) << left.trouble;
}

TEST(OrderKeeper, AnOrderWithoutANameOfItsInstrumentIsLeftOutAndItSaysSo) {
  Dead dead;
  dead.keep();
  dead.send(1, InstrumentId{1});  // listed since
  const LeftOrders left = dead.left();
  EXPECT_TRUE(left.orders.empty());
  EXPECT_NE(left.trouble.find("has no name"), std::string::npos) << left.trouble;
}

TEST(OrderKeeper, ADirectoryThatCannotBeWrittenIsSaidAndTriedAgain) {
  test::TempDir dir;
  OrderKeeper keeper{dir.file("nowhere/orders"), account};
  keeper.offer({}, {}, RecvTime{1});
  EXPECT_FALSE(keeper.write());
  EXPECT_NE(keeper.trouble().find("nowhere/orders"), std::string::npos) << keeper.trouble();
  std::filesystem::create_directory(dir.file("nowhere"));
  EXPECT_TRUE(keeper.write());
  EXPECT_EQ(keeper.trouble(), "");
}

}  // namespace
}  // namespace gimbal
