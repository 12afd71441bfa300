// A Deribit feed with one book to open and its first snapshot.
#pragma once

#include "tests/feeds/deribit_rig.hpp"

namespace gimbal::test {

using deribit::Interval;

inline constexpr auto snapshot_bids = R"(["new",76914.0,1000200.0],["new",76909.0,4040.0])";
inline constexpr auto snapshot_asks = R"(["new",76914.5,1.0002e6])";

struct Decoder : testing::Test, DeribitRig {
  void open_book() {
    ASSERT_TRUE(feed->want_book(perp, Interval::raw));
    open(R"("book.BTC-PERPETUAL.raw")");
  }
  void snapshot(std::uint64_t id) {
    ASSERT_EQ(take(book_message("snapshot", id, -1, snapshot_bids, snapshot_asks)),
              DecodeStatus::ok);
  }
};

}  // namespace gimbal::test
