// What a boot learns where the newest snapshot is not the last boot's, where instruments were
// listed since, and where the journal lacks something.
#include "ops/app/left_orders.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "engine/core/orders.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/app/dead_boot.hpp"

namespace gimbal {
namespace {

using test::DeadBoot;
using test::left_behind;

std::vector<OrderId> ids_of(const LeftOrders& left) {
  std::vector<OrderId> ids;
  for (const KeptOrder& o : left.orders) ids.push_back(o.terms.order);
  return ids;
}

std::string name_of(const LeftOrders& left, std::size_t n) {
  return left.names.at(left.orders.at(n).instrument.value);
}

TEST(LeftOrders, ALaterBootThatCouldNotKeepItsOrdersIsKnownByItsJournal) {
  test::TempDir dir;
  DeadBoot kept{dir, 6};
  kept.send(1);
  kept.send(2);
  kept.keep();
  kept.send(3);
  DeadBoot later{dir, 7};
  later.list("ETH-PERPETUAL");  // its numbers are its own
  const InstrumentId perpetual = later.list("BTC-PERPETUAL");
  for (std::uint32_t n = 1; n <= 3; ++n) later.carry(kept.id(n), perpetual);
  later.end(kept.id(1));
  later.send(1, perpetual);
  later.send(2, perpetual);
  later.end(1);
  const LeftOrders left = left_behind(dir, 8);
  EXPECT_EQ(left.trouble, "");
  EXPECT_EQ(left.epoch, 6U);
  EXPECT_EQ(left.later_boots, 1U);
  EXPECT_EQ(ids_of(left), (std::vector{kept.id(2), kept.id(3), later.id(2)}));
  for (std::size_t n = 0; n < left.orders.size(); ++n) EXPECT_EQ(name_of(left, n), "BTC-PERPETUAL");
}

TEST(LeftOrders, ALaterBootThatDiedBeforeItTookThemOverChangesNothing) {
  test::TempDir dir;
  DeadBoot kept{dir, 6};
  kept.send(1);
  kept.keep();
  kept.send(2);
  { DeadBoot at_once{dir, 7}; }
  DeadBoot saw_one_end{dir, 8};
  saw_one_end.end(kept.id(2));
  const LeftOrders left = left_behind(dir, 9);
  EXPECT_EQ(left.trouble, "");
  EXPECT_EQ(left.later_boots, 2U);
  EXPECT_EQ(ids_of(left), std::vector{kept.id(1)});
}

TEST(LeftOrders, AJournalOfTheReadingBootOrBehindItIsNotRead) {
  test::TempDir dir;
  DeadBoot kept{dir, 6};
  kept.send(1);
  kept.keep();
  DeadBoot own{dir, 7};
  own.list("BTC-PERPETUAL");
  own.send(1);
  const LeftOrders left = left_behind(dir, 7);
  EXPECT_EQ(left.later_boots, 0U);
  EXPECT_EQ(ids_of(left), std::vector{kept.id(1)});
}

TEST(LeftOrders, OfMoreLaterBootsThanAreReadTheNewestAreAndItSaysSo) {
  test::TempDir dir;
  DeadBoot kept{dir, 6};
  kept.send(1);
  kept.keep();
  for (std::uint32_t epoch = 7; epoch < 17; ++epoch) {
    DeadBoot boot{dir, epoch};
    boot.list("BTC-PERPETUAL");
    boot.send(1);
  }
  const LeftOrders left = left_behind(dir, 17);
  EXPECT_EQ(left.later_boots, 8U);
  EXPECT_EQ(left.orders.size(), 1U + 8U);
  EXPECT_NE(left.trouble.find("of 2 boots"), std::string::npos) << left.trouble;
}

TEST(LeftOrders, AnInstrumentThatWasListedBehindTheSnapshotHasItsNameFromTheJournal) {
  test::TempDir dir;
  DeadBoot dead{dir, 6};
  dead.list("BTC-PERPETUAL");
  dead.keep();
  const InstrumentId fresh = dead.list("BTC-FRESH");
  dead.send(1, fresh);
  const LeftOrders left = left_behind(dir, 7);
  EXPECT_EQ(left.trouble, "");
  ASSERT_EQ(ids_of(left), std::vector{dead.id(1)});
  EXPECT_EQ(name_of(left, 0), "BTC-FRESH");
}

TEST(LeftOrders, EveryReasonWhyLessIsKnownIsNamed) {
  test::TempDir dir;
  DeadBoot dead{dir, 6};
  dead.keep();
  dead.send(1, InstrumentId{1});  // nothing tells its name
  const JournalPlace end = dead.writer->place_behind(Seq{dead.seq});
  ASSERT_TRUE(end.known());
  {
    const std::string path = list_segments(dead.journal(), journal_stream).at(0).path;
    std::fstream torn{path, std::ios::binary | std::ios::in | std::ios::out};
    torn.seekp(static_cast<std::streamoff>(end.offset));
    torn << "half of a record, and nothing behind it";
  }
  const LeftOrders left = left_behind(dir, 7);
  EXPECT_TRUE(left.orders.empty());
  EXPECT_NE(left.trouble.find("the last write is incomplete"), std::string::npos) << left.trouble;
  EXPECT_NE(left.trouble.find("has no name"), std::string::npos) << left.trouble;
}

TEST(LeftOrders, EventsThatTheJournalLostAreTroubleAndCounted) {
  test::TempDir dir;
  DeadBoot dead{dir, 6, 64};
  dead.keep();
  std::uint64_t lost = 0;
  for (std::uint32_t n = 1; n <= 100; ++n) lost += dead.hand(dead.sent(n)) ? 0U : 1U;
  ASSERT_GT(lost, 0U);
  dead.writer->drain();
  dead.send(101);
  const LeftOrders left = left_behind(dir, 7);
  EXPECT_EQ(left.gaps, lost);
  EXPECT_EQ(left.orders.size(), 101 - lost);
  EXPECT_NE(left.trouble.find("lacks " + std::to_string(lost) + " events"), std::string::npos)
      << left.trouble;
}

TEST(LeftOrders, TheGuardiansListHasWhatTheCoreTookAndNothingThatItRefused) {
  test::TempDir dir;
  GatePage gate;
  ASSERT_TRUE(gate.create(dir.file("gate"), 7));
  OrderTable orders{1, OrderConfig{}, 8};
  const OrderId taken = make_order_id(6, StrategyId{0}, 1);
  const OrderId refused = make_order_id(6, StrategyId{0}, 2);
  Order o;
  o.id = taken;
  o.instrument = InstrumentId{0};
  o.amount = Qty{10};
  ASSERT_TRUE(orders.carry(o, RecvTime{1}));
  for (const OrderId id : {taken, refused}) {
    OrderCarry c;
    c.order = id;
    std::array<Event, parts_of<OrderCarry>> unit;
    write_parts(make_event(EventKind::order_carry, VenueId{0}, InstrumentId{0}, RecvTime{1}, {}, c),
                c, unit.data());
    EXPECT_TRUE(list_carried(gate, orders, unit));
  }
  EXPECT_TRUE(gate.unlist_order(taken));
  EXPECT_FALSE(gate.unlist_order(refused));
}

}  // namespace
}  // namespace gimbal
