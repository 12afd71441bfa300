// The inside of DeribitFeed: subscriptions, chains, validity. Room: feeds (hot), private to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "feeds/deribit/channels.hpp"
#include "feeds/deribit/decoder.hpp"
#include "feeds/deribit/reader.hpp"

namespace gimbal::deribit {

// What a call into the feed reads and writes.
struct FeedCall {
  RecvTime now{};
  EventBatch* batch{nullptr};
  Outbox* outbox{nullptr};
};

struct DeribitFeed::State final : FrameReader::Channels {
  static constexpr std::size_t pending_max = 512;
  static constexpr std::size_t listed_max = 64;
  static constexpr std::int64_t heartbeat_id = 1;
  static constexpr std::int64_t test_id = 2;
  static constexpr std::int64_t first_channel_id = 16;
  static constexpr std::uint32_t no_channel = UINT32_MAX;

  struct Pending {
    std::int64_t id{0};  // 0: free
    std::uint32_t first{0};
    std::uint32_t count{0};
  };
  struct ListedName {
    std::array<char, symbol_text_max + 1> text{};
    std::size_t length{0};
  };

  State(const FeedConfig& settings, const SymbolTable& names);

  FeedConfig config;
  const SymbolTable* symbols;
  std::size_t names_end{SIZE_MAX};
  ChannelTable table;
  FrameReader reader;
  FeedCounters counters{};
  LastFrame last{};
  LearnName learner{nullptr};
  void* learner_context{nullptr};

  std::vector<std::uint8_t> bad_channels;   // by instrument: channels that forbid its use
  std::vector<std::uint32_t> book_channel;  // by instrument
  std::array<Pending, pending_max> pending{};
  std::vector<char> text;  // a request being written
  std::array<ListedName, listed_max> listed{};
  std::size_t listed_count{0};
  std::int64_t next_id{first_channel_id};
  std::uint64_t generation{0};
  bool open{false};
  bool locked{false};
  bool silent{false};
  bool all_waiting{false};  // a resync of every channel is due at all_due
  std::uint8_t all_failures{0};
  RecvTime all_due{};
  RecvTime all_failed_at{};
  RecvTime last_frame_at{};

  // --- FrameReader::Channels
  Channel* channel(std::string_view name) noexcept override;
  InstrumentId instrument(std::string_view name) noexcept override;

  // --- subscriptions (subscriptions.cpp)
  Channel* want(std::string_view name, ChannelKind kind, InstrumentId id) noexcept;
  void reset_channels() noexcept;
  // Asks for the idle ones among `count` channels from `first` on in one request; `again`: they are
  // unsubscribed in front of it.
  void request(std::uint32_t first, std::uint32_t count, bool again, const FeedCall& call) noexcept;
  // For every idle channel, `subscribe_batch` in each request.
  void request_idle(bool again, const FeedCall& call) noexcept;
  void resync_channel(Channel& channel, const FeedCall& call) noexcept;
  // The channel waits until the back-off that began at `from` is over; true when it is: then it is
  // idle, and to be asked for at once. What was waited for in vain since `from` is part of it, or
  // the two together outlast what a recovery may take.
  bool back_off(Channel& channel, const FeedCall& call) noexcept;
  void resync_all(const FeedCall& call) noexcept;
  void resubscribe_all(const FeedCall& call) noexcept;
  void on_reply(const PublicFrame& frame, const FeedCall& call) noexcept;
  void on_request_error(const PublicFrame& frame, const FeedCall& call) noexcept;
  void refuse(Channel& channel, const FeedCall& call) noexcept;
  void timer(const FeedCall& call) noexcept;
  void retire(InstrumentId id, const FeedCall& call) noexcept;
  Pending* find_pending(std::int64_t id) noexcept;
  [[nodiscard]] Nanos delay_after(std::uint8_t failures) const noexcept;

  // --- validity (validity.cpp)
  void status(InstrumentId id, FeedState state, FeedReason reason, const FeedCall& call,
              std::uint64_t expected = 0, std::uint64_t found = 0) noexcept;
  void mark_bad(Channel& channel) noexcept;
  void mark_all_bad() noexcept;
  void lose(Channel& channel, FeedReason reason, const FeedCall& call, std::uint64_t expected = 0,
            std::uint64_t found = 0) noexcept;
  void recover(Channel& channel, const FeedCall& call) noexcept;

  // --- frames (decoder.cpp)
  DecodeStatus decode(const PublicFrame& frame, const FeedCall& call) noexcept;
  DecodeStatus ignore(Ignored why) noexcept;
  DecodeStatus malformed(const PublicFrame& frame, FeedReason reason,
                         const FeedCall& call) noexcept;
  DecodeStatus subscription(const PublicFrame& frame, const FeedCall& call) noexcept;
  DecodeStatus book(const PublicFrame& frame, const FeedCall& call) noexcept;
  bool levels(const PublicFrame& frame, std::uint8_t flags, const FeedCall& call) noexcept;
  bool ticker(const PublicFrame& frame, const FeedCall& call) noexcept;
  bool trades(const PublicFrame& frame, const FeedCall& call) noexcept;
  bool marks(const PublicFrame& frame, const FeedCall& call) noexcept;
  bool index(const PublicFrame& frame, const FeedCall& call) noexcept;
  DecodeStatus state_change(const PublicFrame& frame, const FeedCall& call) noexcept;
  DecodeStatus platform(const PublicFrame& frame, const FeedCall& call) noexcept;
  void finish(const FeedCall& call, std::size_t staged_before) noexcept;
};

}  // namespace gimbal::deribit
