// No heap allocation per frame once the feed stands: malloc and operator new are both counted.
#include <malloc.h>

#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/count_allocations.hpp"

namespace gimbal {
namespace {

TEST(DeribitAllocation, DecodingAllocatesNothing) {
  test::DeribitRig rig;
  ASSERT_TRUE(rig.feed->want_book(rig.perp, deribit::Interval::raw));
  ASSERT_TRUE(rig.feed->want_ticker(rig.option, deribit::Interval::ms100));
  ASSERT_TRUE(rig.feed->want_trades(rig.perp, deribit::Interval::ms100));
  rig.open(R"("book.BTC-PERPETUAL.raw",)"
           R"("ticker.BTC-25DEC26-76000-C.100ms","trades.BTC-PERPETUAL.100ms")");
  std::string many;
  for (int i = 0; i < 4000; ++i) {
    many += (i == 0 ? "[\"new\"," : ",[\"new\",") + std::to_string(i + 1) + ".5,10.0]";
  }
  std::vector<test::FrameBytes> frames;
  std::uint64_t id = 1;
  frames.emplace_back(test::book_message("snapshot", id, -1, many, many));
  frames.emplace_back(test::fixture("ticker_option.json"));
  frames.emplace_back(test::fixture("trades.json"));
  frames.emplace_back(R"({"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"})");
  frames.emplace_back(test::book_message("change", 900, 800, "", ""));
  frames.emplace_back("{\"broken");
  const std::size_t before = test::allocation_count();
  const struct mallinfo2 heap = mallinfo2();
  std::size_t events = 0;
  for (int round = 0; round < 50; ++round) {
    for (test::FrameBytes& bytes : frames) {
      rig.batch.clear();
      rig.outbox.clear();
      rig.now = rig.now + milliseconds(10);
      (void)rig.feed->on_frame(bytes.frame(), rig.now, rig.batch, rig.outbox);
      events += rig.batch.committed().size();
      rig.feed->on_timer(rig.now, rig.outbox, rig.batch);
    }
  }
  const struct mallinfo2 after = mallinfo2();
  EXPECT_EQ(test::allocation_count(), before);
  EXPECT_EQ(after.uordblks, heap.uordblks) << "malloc behind operator new's back";
  EXPECT_EQ(after.hblkhd, heap.hblkhd);
  EXPECT_GT(events, 50U * 8000U);
}

}  // namespace
}  // namespace gimbal
