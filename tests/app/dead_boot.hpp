// A boot that lists instruments, sends orders, keeps them and dies, for the tests of what the next
// one learns of it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/runtime/journal.hpp"
#include "ops/app/left_orders.hpp"
#include "ops/app/order_keeper.hpp"
#include "ops/app/universe.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal::test {

inline const char* const account = "deribit/main/2";

struct DeadBoot {
  std::string directory;
  std::uint32_t epoch;
  OrderKeeper keeper;
  SideBlockPool blocks{4, 1 << 16};
  Universe universe;
  std::unique_ptr<JournalWriter> writer;
  std::uint64_t seq{0};

  DeadBoot(const TempDir& dir, std::uint32_t boot, std::size_t ring = 65536)
      : directory{dir.file("journal")}, epoch{boot}, keeper{dir.file("orders"), account} {
    std::filesystem::create_directory(directory);
    JournalConfig config;
    config.directory = directory;
    config.ring_records = ring;
    config.segment_bytes = 256 * 1024;
    config.reserve_bytes = 64 * 1024;
    writer = std::make_unique<JournalWriter>(config, JournalIdentity{epoch, 1, 1}, &blocks);
    writer->observe([this](const Event& e) { keeper.take(e); });
    EXPECT_TRUE(writer->open());
    Boot b;
    b.epoch = epoch;
    add(make_event(EventKind::boot, VenueId{0}, {}, RecvTime{1}, {}, b));
  }
  [[nodiscard]] const std::string& journal() const { return directory; }
  [[nodiscard]] OrderId id(std::uint32_t n) const { return make_order_id(epoch, StrategyId{0}, n); }

  // False when it is lost: the ring is full.
  bool hand(const Event& event) {
    Event e = event;
    e.set_seq({++seq});
    return writer->append(&e, 1);
  }
  void add(const Event& e) {
    EXPECT_TRUE(hand(e));
    writer->drain();
  }
  [[nodiscard]] Event sent(std::uint32_t n, InstrumentId instrument = InstrumentId{0}) const {
    OrderSent s;
    s.order = id(n);
    s.price = Price{50'000'000'000};
    s.amount = Qty{10'000'000'000};
    return make_event(EventKind::order_sent, VenueId{0}, instrument, RecvTime{2}, ExchTime{9}, s);
  }
  void send(std::uint32_t n, InstrumentId instrument = InstrumentId{0}) {
    add(sent(n, instrument));
  }
  void end(OrderId order) {
    OrderDone d;
    d.order = order;
    add(make_event(EventKind::order_done, VenueId{0}, InstrumentId{0}, RecvTime{3}, {}, d));
  }
  void end(std::uint32_t n) { end(id(n)); }
  // Takes over an order of a boot before.
  void carry(OrderId order, InstrumentId instrument) {
    OrderCarry c;
    c.order = order;
    c.price = Price{50'000'000'000};
    c.amount = Qty{10'000'000'000};
    std::array<Event, parts_of<OrderCarry>> unit;
    write_parts(make_event(EventKind::order_carry, VenueId{0}, instrument, RecvTime{2}, {}, c), c,
                unit.data());
    for (Event& part : unit) part.set_seq({++seq});
    EXPECT_TRUE(writer->append(unit.data(), unit.size()));
    writer->drain();
  }
  // As the bot journals one more instrument.
  InstrumentId list(const std::string& name) {
    deribit::InstrumentRow row;
    row.name = name;
    row.underlying = "BTC";
    row.price_index = "btc_usd";
    Instrument& d = row.definition;
    d.state = InstrumentState::open;
    d.kind = InstrumentKind::inverse_perpetual;
    d.settlement = currency("BTC");
    d.ticks.base = Price{500'000'000};
    d.lot = d.amount_min = d.contract_size = Qty{10'000'000'000};
    std::string why;
    const InstrumentId listed = deribit::install(row, VenueId{0}, universe.underlyings(),
                                                 universe.table(), universe.symbols(), why);
    EXPECT_TRUE(listed.valid()) << why;
    for (const auto& bytes : universe.dump(1 << 16, listed.value)) {
      const SideBlockRef ref = blocks.publish(SideBlockKind::instrument, bytes, 1);
      EXPECT_TRUE(writer->append_side_block(ref));
      add(make_event(EventKind::side_block, VenueId{0}, InstrumentId{}, RecvTime{2}, {}, ref));
    }
    return listed;
  }
  void keep() {
    ASSERT_TRUE(keeper.due(RecvTime{1}));
    keeper.offer({"BTC-PERPETUAL"}, writer->place_behind(keeper.log().seq()), RecvTime{1});
    ASSERT_TRUE(keeper.write());
    EXPECT_FALSE(keeper.due(RecvTime{1}));
  }
};

// What boot `epoch` finds, with all the time it takes.
inline LeftOrders left_behind(const TempDir& dir, std::uint32_t epoch,
                              const std::string& of = account) {
  TailLimits limits;
  limits.time_max = limits.search_max = seconds(60);
  return read_left_orders({dir.file("orders"), of, dir.file("journal"), epoch}, limits);
}

}  // namespace gimbal::test
