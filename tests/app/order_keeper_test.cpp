// What a boot learns of the orders of the one before: from its snapshot, from the journal behind
// it, and what it says when it cannot.
#include "ops/app/order_keeper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/core/engine_status.hpp"
#include "tests/app/dead_boot.hpp"

namespace gimbal {
namespace {

using test::account;

constexpr std::uint32_t before = 6;

struct OneDirectory {
  test::TempDir dir;
};
// A boot that sends orders, keeps them and dies.
struct Dead : OneDirectory, test::DeadBoot {
  Dead() : DeadBoot{dir, before} {}
  [[nodiscard]] LeftOrders left(const std::string& of = account) const {
    return test::left_behind(dir, before + 1, of);
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
  EXPECT_EQ(left.events, 2U);
  ASSERT_EQ(left.orders.size(), 2U);
  EXPECT_EQ(left.orders[0].terms.order, dead.id(2));
  EXPECT_EQ(left.orders[1].terms.order, dead.id(3));
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
  const LeftOrders left = read_left_orders(
      {dead.dir.file("orders"), account, dead.journal(), before + 1}, TailLimits{});
  EXPECT_EQ(left.trouble, "");
  EXPECT_EQ(left.searched, 0U);
  EXPECT_EQ(left.events, 1U);
  EXPECT_EQ(left.orders.size(), 2U);
}

TEST(OrderKeeper, PricesOfTheDecisionComeFromTheStatusAndAreKept) {
  Dead dead;
  dead.send(1);
  OrderStatus shown;
  shown.id = dead.id(1);
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

TEST(OrderKeeper, AWriteThatFailedIsNotTriedAgainAtOnce) {
  test::TempDir dir;
  OrderKeeper keeper{dir.file("nowhere/orders"), account};
  keeper.offer({}, {}, RecvTime{1});
  const auto began = std::chrono::steady_clock::now();
  std::atomic<bool> stop{false};
  std::thread writer{[&] { keeper.run(stop); }};
  while (keeper.trouble().empty()) std::this_thread::yield();
  std::filesystem::create_directory(dir.file("nowhere"));
  while (!keeper.trouble().empty()) std::this_thread::yield();
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{500});
  stop = true;
  writer.join();
  EXPECT_TRUE(std::filesystem::exists(dir.file("nowhere/orders")));
}

}  // namespace
}  // namespace gimbal
