// A Deribit feed with a few instruments, a batch and an outbox, for tests.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/payload.hpp"
#include "feeds/deribit/decoder.hpp"
#include "feeds/deribit/instruments.hpp"

namespace gimbal::test {

// A frame's bytes with their padding; parsed in place, so each use needs its own.
class FrameBytes {
 public:
  explicit FrameBytes(std::string_view text)
      : bytes_(text.begin(), text.end()), size_{text.size()} {
    bytes_.resize(size_ + frame_padding, '\0');
  }
  [[nodiscard]] Frame frame() noexcept { return {bytes_.data(), size_, bytes_.size()}; }

 private:
  std::vector<char> bytes_;
  std::size_t size_;
};

inline std::string fixture(const std::string& name) {
  std::ifstream in{std::string{GIMBAL_SOURCE_DIR} + "/tests/fixtures/deribit/" + name};
  EXPECT_TRUE(in.is_open()) << "fixture " << name << " is missing";
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

inline Price px(double value) { return Price{static_cast<std::int64_t>(value * 1e9 + 0.5)}; }

struct DeribitRig {
  deribit::SymbolTable symbols{64};
  InstrumentId perp{0}, option{1}, dated{2};
  deribit::FeedConfig config;
  std::unique_ptr<deribit::DeribitFeed> feed;
  EventBatch batch{20000};
  Outbox outbox;
  RecvTime now{seconds(1).count};

  DeribitRig() {
    EXPECT_TRUE(symbols.add("BTC-PERPETUAL", perp));
    EXPECT_TRUE(symbols.add("BTC-25DEC26-76000-C", option));
    EXPECT_TRUE(symbols.add("BTC-25DEC26", dated));
    config.venue = VenueId{3};
    make();
  }
  void make() { feed = std::make_unique<deribit::DeribitFeed>(config, symbols); }

  // Opens with the channels wanted so far, and answers their subscription in full.
  void open(std::string_view accepted) {
    feed->on_open(now, outbox);
    outbox.clear();
    take(std::string{R"({"jsonrpc":"2.0","id":16,"result":[)"} + std::string{accepted} + "]}");
  }
  DecodeStatus take(std::string_view text) {
    batch.clear();
    FrameBytes bytes{text};
    now = now + milliseconds(1);
    return feed->on_frame(bytes.frame(), now, batch, outbox);
  }
  [[nodiscard]] std::vector<Event> events() {
    const auto all = batch.committed();
    return {all.begin(), all.end()};
  }
  [[nodiscard]] std::vector<EventKind> kinds() {
    std::vector<EventKind> out;
    for (const Event& e : batch.committed()) out.push_back(e.kind());
    return out;
  }
  [[nodiscard]] FeedStatus status_at(std::size_t i) {
    EXPECT_LT(i, batch.committed().size());
    EXPECT_EQ(batch.committed()[i].kind(), EventKind::feed_status);
    return batch.committed()[i].as<FeedStatus>();
  }
};

inline std::string book_message(std::string_view type, std::uint64_t id, std::int64_t prev,
                                std::string_view bids, std::string_view asks,
                                std::string_view channel = "book.BTC-PERPETUAL.raw") {
  std::ostringstream out;
  out << R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")" << channel
      << R"(","data":{"timestamp":1789344931639)";
  if (!type.empty()) out << R"(,"type":")" << type << '"';
  out << R"(,"change_id":)" << id << R"(,"instrument_name":"BTC-PERPETUAL","bids":[)" << bids
      << R"(],"asks":[)" << asks << ']';
  if (prev >= 0) out << R"(,"prev_change_id":)" << prev;
  out << "}}}";
  return out.str();
}

inline std::string data_message(std::string_view channel, std::string_view data) {
  return std::string{R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")"} +
         std::string{channel} + R"(","data":)" + std::string{data} + "}}";
}

}  // namespace gimbal::test
