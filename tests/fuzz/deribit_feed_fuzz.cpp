// Hostile bytes into the Deribit feed: no crash, no event but a FeedStatus from a refused frame,
// and nothing left staged; the reader of the usual form and the parser say the same. The first byte
// chooses strictness and whether channels are learnt.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "feeds/deribit/decoder.hpp"
#include "feeds/deribit/instruments.hpp"
#include "tests/support/reader_twins.hpp"

namespace {

using namespace gimbal;  // a program of one page

struct Feed {
  deribit::SymbolTable symbols{64};
  std::unique_ptr<deribit::DeribitFeed> feed;
  EventBatch batch{4096};
  Outbox outbox;

  explicit Feed(bool strict) {
    if (!symbols.add("BTC-PERPETUAL", InstrumentId{0})) std::abort();
    deribit::FeedConfig config;
    config.frame_max = 1 << 16;
    config.channels_max = 64;
    config.strict = strict;
    config.learn = true;
    feed = std::make_unique<deribit::DeribitFeed>(config, symbols);
    feed->set_learner(&Feed::learn, this);
    (void)feed->want_book(InstrumentId{0}, deribit::Interval::raw);
    (void)feed->want_trades(InstrumentId{0}, deribit::Interval::raw);
    (void)feed->want_price_index("btc_usd", UnderlyingId{0});
    feed->on_open(RecvTime{1}, outbox);
  }
  static InstrumentId learn(void* self, std::string_view name) {
    auto& symbols = static_cast<Feed*>(self)->symbols;
    const InstrumentId id{static_cast<std::uint16_t>(symbols.size())};
    return symbols.add(name, id) ? id : InstrumentId{};
  }
};

void check(Feed& f, const std::uint8_t* data, std::size_t size, std::int64_t at) {
  std::vector<char> bytes(data, data + size);
  bytes.resize(size + frame_padding);
  f.batch.clear();
  f.outbox.clear();
  const DecodeStatus status =
      f.feed->on_frame({bytes.data(), size, bytes.size()}, RecvTime{at}, f.batch, f.outbox);
  if (f.batch.staged() != f.batch.committed().size()) std::abort();
  if (status != DecodeStatus::malformed && status != DecodeStatus::sequence_gap) return;
  for (const Event& e : f.batch.committed()) {
    if (e.kind() != EventKind::feed_status) std::abort();
  }
}

void check_twins(const std::uint8_t* data, std::size_t size) {
  static const deribit::SymbolTable symbols = [] {
    deribit::SymbolTable t{4};
    if (!t.add("BTC-PERPETUAL", InstrumentId{0})) std::abort();
    return t;
  }();
  static test::ReaderTwins twins{symbols};
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  if (!twins.difference(text, size % 2 == 0 ? '7' : '"').empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Feed lazy{false};
  static Feed strict{true};
  static std::int64_t at = 1;
  if (size == 0) return 0;
  at += 1'000'000;
  Feed& f = (data[0] & 1) != 0 ? strict : lazy;
  check(f, data + 1, size - 1, at);
  check_twins(data + 1, size - 1);
  f.feed->on_timer(RecvTime{at}, f.outbox, f.batch);
  if ((data[0] & 2) != 0) {
    (void)deribit::parse_instruments(
        std::string_view{reinterpret_cast<const char*>(data) + 1, size - 1});
  }
  return 0;
}
