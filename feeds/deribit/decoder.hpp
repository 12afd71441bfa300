// Deribit's public channels: JSON-RPC text in, Events out. Room: feeds (hot). Source: Deribit API
// v2 (JSON-RPC over WebSocket), subscriptions.
//
// Promises
// - A frame is staged whole and committed after its last check. A malformed frame, or one that
//   breaks a book's change_id chain, commits only FeedStatus{invalid, reason} and asks for one
//   resync (unsubscribe + subscribe) of that channel; the book stays invalid until a snapshot.
//   Repeated failure backs off from resync_delay to resync_delay_max; an answer or a snapshot that
//   was waited for in vain is part of that. A frame that cannot be attributed to a channel
//   invalidates the session and resyncs every channel, all of them together.
// - Member order is free, numbers follow the whole JSON grammar, a member that counts may not come
//   twice, nesting is limited, prices and amounts are exact at 1e-9 or the frame is refused.
// - No allocation after construction; no clock; no exception leaves it.
// - A snapshot gives BookReset, its levels, then (when the instrument was invalid)
// FeedStatus{valid,
//   connected|resynced}; the last event of every frame, all of its parts, carries last_in_packet.
//   A change that arrives while a book waits for its snapshot is counted and ignored.
// - An instrument is valid while its book channel (without one: its ticker or quote) has a picture
//   and none of its channels was malformed since its last good frame. A malformed frame of a
//   channel that belongs to no instrument invalidates the session.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "feeds/decoder.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"

namespace gimbal::deribit {

enum class ChannelKind : std::uint8_t {
  other,         // known to the venue, nothing in it for us
  book,          // incremental, raw | 100ms | agg2
  grouped_book,  // full picture each time
  quote,
  ticker,
  trades,          // of one instrument
  trades_of_kind,  // trades.{kind}.{currency}.{interval}
  price_index,
  mark_prices,  // markprice.options.{index}
  instrument_state,
  platform_state,
  perpetual,
};

enum class Interval : std::uint8_t { raw, ms100, agg2 };
[[nodiscard]] std::string_view text(Interval interval) noexcept;

// Why a frame or a part of it gave no event; each has a counter.
enum class Ignored : std::uint8_t {
  none,
  heartbeat,
  reply,          // an answer to a request of this feed
  foreign_reply,  // an answer with an id that nobody waits for
  error_reply,
  request,          // a client's own message (in recordings)
  bare_result,      // an object or array without a JSON-RPC envelope (in recordings)
  private_channel,  // user.*: belongs to the gateway
  other_channel,    // chart.*, announcements, volatility index ..
  not_subscribed,   // a channel that this feed did not ask for
  unknown_instrument,
  change_before_snapshot,
  nothing_new,  // instrument.state of a listing, platform state without a lock
  count_
};
inline constexpr std::size_t ignored_kinds = static_cast<std::size_t>(Ignored::count_);
[[nodiscard]] std::string_view text(Ignored why) noexcept;

struct FeedCounters {
  std::uint64_t frames{0};
  std::uint64_t events{0};
  std::uint64_t malformed{0};
  std::uint64_t gaps{0};
  std::uint64_t resyncs{0};
  std::uint64_t not_accepted{0};
  // Reasons to read the venue's list again: instrument.state messages that say `created` or
  // `started`, and each confirmed subscription to that channel.
  std::uint64_t listings{0};
  std::array<std::uint64_t, ignored_kinds> ignored{};
};

struct FeedConfig {
  VenueId venue{};
  std::size_t frame_max{std::size_t{1} << 20};  // bytes; larger frames are malformed
  std::size_t channels_max{4096};
  std::size_t subscribe_batch{100};       // channels per request
  std::uint32_t heartbeat_s{10};          // 0: no set_heartbeat
  Nanos resync_delay{milliseconds(100)};  // doubles for each failure in a row
  Nanos resync_delay_max{seconds(4)};
  Nanos answer_timeout{seconds(4)};  // for subscription answers and snapshots
  bool private_subscribe{false};     // raw channels: private/subscribe after a login
  bool learn{false};   // accept channels that were not asked for (tools reading recordings)
  bool strict{false};  // validate whole documents, skipped members included
};

class DeribitFeed {
 public:
  // `symbols` must outlive the feed; names may be added to it while running.
  DeribitFeed(const FeedConfig& config, const SymbolTable& symbols);
  DeribitFeed(DeribitFeed&&) noexcept;
  DeribitFeed& operator=(DeribitFeed&&) noexcept;
  ~DeribitFeed();

  // --- what to subscribe; before on_open, or while running followed by subscribe_new ------------
  // False when the instrument has no name, or the channel table is full or has it already.
  bool want_book(InstrumentId id, Interval interval);
  bool want_grouped_book(InstrumentId id, std::string_view group, unsigned depth,
                         Interval interval);
  bool want_quote(InstrumentId id);
  bool want_ticker(InstrumentId id, Interval interval);
  bool want_trades(InstrumentId id, Interval interval);
  bool want_perpetual(InstrumentId id, UnderlyingId underlying, Interval interval);
  bool want_price_index(std::string_view index, UnderlyingId underlying);
  bool want_mark_prices(std::string_view index);
  bool want_instrument_state(std::string_view kind, std::string_view currency);
  bool want_platform_state();
  // Sends requests for channels added since.
  void subscribe_new(RecvTime now, Outbox& outbox);
  // Of what `symbols` got while running, ids from `end` on are not known yet: what instrument.state
  // says of them is ignored. Until the first call everything is known. A replay makes the same
  // calls between the same frames.
  void know(std::size_t end) noexcept;
  // The instrument has ended: its channels are given back and never asked for again.
  void retire(InstrumentId id, RecvTime now, Outbox& outbox);

  // --- FeedDecoder ------------------------------------------------------------------------------
  void on_open(RecvTime now, Outbox& outbox);
  DecodeStatus on_frame(const Frame& frame, RecvTime recv, EventBatch& batch, Outbox& outbox);
  void on_close(RecvTime now, EventBatch& batch);
  void on_timer(RecvTime now, Outbox& outbox, EventBatch& batch);

  // The core asks for a fresh book (crossed, stale): commits FeedStatus{invalid, reason} and starts
  // a resync, single-flight.
  void resync(InstrumentId id, FeedReason reason, RecvTime now, EventBatch& batch, Outbox& outbox);

  // Reads an instrument's name out of instrument.state messages that name an unknown one; the app
  // fetches its definition. Empty when there is none left.
  [[nodiscard]] std::string take_listed();

  [[nodiscard]] const FeedCounters& counters() const noexcept;
  [[nodiscard]] bool book_valid(InstrumentId id) const noexcept;

  // --- of the last frame, for tools -------------------------------------------------------------
  struct LastFrame {
    Ignored ignored{Ignored::none};
    ChannelKind kind{ChannelKind::other};
    std::string_view channel{};  // empty when the frame named none
    std::string_view reason{};   // why it was malformed
    std::uint64_t expected{0};   // gap: change ids
    std::uint64_t found{0};
    std::uint64_t change_id{0};  // book channels: the last one applied
    bool book_valid{false};
  };
  [[nodiscard]] const LastFrame& last() const noexcept;
  // learn mode: called with each name that `symbols` does not know; returns its id or the invalid
  // one. Cold.
  using LearnName = InstrumentId (*)(void* context, std::string_view name);
  void set_learner(LearnName learner, void* context) noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
static_assert(FeedDecoder<DeribitFeed>);

}  // namespace gimbal::deribit
