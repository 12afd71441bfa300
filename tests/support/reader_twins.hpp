// One frame through the reader of the usual form and through the JSON parser alone: both must say
// the same of it.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "feeds/deribit/reader.hpp"

namespace gimbal::test {

// Channels of three instruments; learns nothing.
class TwinChannels final : public deribit::FrameReader::Channels {
 public:
  explicit TwinChannels(const deribit::SymbolTable& symbols) : symbols_{symbols}, table_{64} {
    for (std::uint16_t i = 0; i < symbols.size(); ++i) {
      const std::string name{symbols.name(InstrumentId{i})};
      add("book." + name + ".raw", InstrumentId{i});
      add("ticker." + name + ".100ms", InstrumentId{i});
    }
    add("book.BTC-PERPETUAL.none.10.100ms", InstrumentId{0});
  }
  deribit::Channel* channel(std::string_view name) noexcept override { return table_.find(name); }
  InstrumentId instrument(std::string_view name) noexcept override { return symbols_.find(name); }

 private:
  void add(const std::string& name, InstrumentId id) {
    deribit::Channel* channel = table_.add(name);
    channel->kind = deribit::parse_channel(name).kind;
    channel->instrument = id;
  }
  const deribit::SymbolTable& symbols_;
  deribit::ChannelTable table_;
};

struct ReaderTwins {
  static constexpr std::size_t frame_max = 1 << 20;
  const deribit::SymbolTable& symbols;
  TwinChannels channels{symbols};
  deribit::FrameReader quick{{frame_max, false, true}, symbols};
  deribit::FrameReader slow{{frame_max, false, false}, symbols};

  // What the JSON parser's reader makes of a frame whose padding is filled with `behind`.
  struct Reading {
    deribit::FrameShape shape{};
    std::string channel{};
    const deribit::Channel* found{nullptr};
    std::size_t levels{0};
    friend bool operator==(const Reading&, const Reading&) = default;
  };
  Reading reading(std::string_view text, char behind) {
    const auto bytes = std::make_unique<char[]>(text.size() + frame_padding);
    std::copy(text.begin(), text.end(), bytes.get());
    std::fill_n(bytes.get() + text.size(), frame_padding, behind);
    const deribit::PublicFrame& f =
        slow.read({bytes.get(), text.size(), text.size() + frame_padding}, channels);
    const bool whole = f.shape != deribit::FrameShape::malformed;
    return {f.shape, std::string{f.channel_name}, f.channel, whole ? f.levels.size() : 0};
  }

  // What differs; empty: nothing. The padding is filled with `behind`.
  std::string difference(std::string_view text, char behind = '\0') {
    const auto bytes = std::make_unique<char[]>(text.size() + frame_padding);
    std::copy(text.begin(), text.end(), bytes.get());
    std::fill_n(bytes.get() + text.size(), frame_padding, behind);
    const Frame frame{bytes.get(), text.size(), text.size() + frame_padding};
    const deribit::PublicFrame& q = quick.read(frame, channels);
    const deribit::PublicFrame& s = slow.read(frame, channels);
    if (q.shape != s.shape || q.reason != s.reason || q.ignored != s.ignored) return "shape";
    if (q.channel_name != s.channel_name || q.channel != s.channel) return "channel";
    if (q.shape == deribit::FrameShape::malformed) return "";  // nothing else is looked at
    if (q.time != s.time || q.type != s.type || q.has_prev != s.has_prev) return "head";
    if (q.change_id != s.change_id || q.prev_change_id != s.prev_change_id) return "change ids";
    if (std::memcmp(&q.ticker, &s.ticker, sizeof(Ticker)) != 0) return "ticker";
    return std::equal(q.levels.begin(), q.levels.end(), s.levels.begin(), s.levels.end(),
                      [](const deribit::LevelRow& a, const deribit::LevelRow& b) {
                        return a.price == b.price && a.amount == b.amount && a.side == b.side;
                      })
               ? ""
               : "levels";
  }
};

}  // namespace gimbal::test
