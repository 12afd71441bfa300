// The channels of one feed: names, what each carries, and where its subscription stands. Room:
// feeds (hot look-up, cold changes). Source: Deribit API v2, subscriptions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"
#include "feeds/deribit/decoder.hpp"

namespace gimbal::deribit {

inline constexpr std::size_t channel_text_max = 95;

enum class ChannelStage : std::uint8_t {
  idle,       // not asked for on this connection
  requested,  // subscribe sent, no answer yet
  accepted,   // in the subscription answer
  waiting,    // resync after a back-off, at `due`
  refused,    // left out of the answer, or the request failed for good
  retired,    // its instrument has ended: never asked for again
};

struct Channel {
  char text_[channel_text_max];
  std::uint8_t length{0};
  ChannelKind kind{ChannelKind::other};
  ChannelStage stage{ChannelStage::idle};
  InstrumentId instrument{};
  UnderlyingId underlying{};
  bool bad{false};             // its instrument may not be used on account of this channel
  bool has_snapshot{false};    // book: the chain is followed
  bool empty_snapshot{false};  // book: nothing but an empty snapshot so far
  bool was_valid{false};       // decides between `connected` and `resynced`
  bool has_book{false};        // ticker and quote: the instrument also has a book channel here
  std::uint8_t failures{0};    // resyncs in a row
  std::uint64_t change_id{0};
  std::int64_t request_id{0};
  RecvTime due{};       // waiting: when to ask again; requested: when to give up waiting
  RecvTime asked_at{};  // when the newest request was made
  RecvTime failed_at{};

  [[nodiscard]] std::string_view name() const noexcept { return {text_, length}; }
  [[nodiscard]] bool is_book() const noexcept {
    return kind == ChannelKind::book || kind == ChannelKind::grouped_book;
  }
};

// What a channel name says; `instrument` and `index` are views into the name.
struct ChannelName {
  ChannelKind kind{ChannelKind::other};
  bool is_private{false};
  std::string_view instrument{};
  std::string_view index{};
};
[[nodiscard]] ChannelName parse_channel(std::string_view name) noexcept;

// Open addressing over the channels' names; capacity fixed at construction.
class ChannelTable {
 public:
  explicit ChannelTable(std::size_t capacity);

  // nullptr when full, too long, or already present.
  Channel* add(std::string_view name) noexcept;
  [[nodiscard]] Channel* find(std::string_view name) noexcept;
  [[nodiscard]] std::span<Channel> all() noexcept { return {channels_.data(), channels_.size()}; }
  [[nodiscard]] std::size_t size() const noexcept { return channels_.size(); }

 private:
  std::size_t capacity_;
  std::size_t mask_;
  std::vector<Channel> channels_;     // reserved, never moves
  std::vector<std::uint32_t> slots_;  // index + 1, 0 when free
};

// {"jsonrpc":"2.0","id":ID,"method":METHOD,"params":{"channels":[..]}} into `out`, with the
// channels that are at `stage`; its length, 0 when it does not fit.
[[nodiscard]] std::size_t write_channel_request(std::int64_t id, std::string_view method,
                                                std::span<const Channel> channels,
                                                ChannelStage stage, std::span<char> out) noexcept;

}  // namespace gimbal::deribit
