// Recorded frames through the decoders and the gateway again: every event they write must be the
// journal's, every order's text must be the one that left. Room: ops/app. Cold.
//
// The journal gives sequence numbers and what did not come over these sessions (operator, queries,
// timers); a CoreReplay steps it along, so that commands are there when their text is compared.
// Names and terms of instruments that changed while running are in the frame stream itself, each at
// its place (frame kinds 7, 8, 10, 11); the tag of a reloaded config comes with the journal.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "feeds/frame.hpp"
#include "ops/app/core_ahead.hpp"
#include "ops/app/feed_calls.hpp"
#include "ops/app/frames_ahead.hpp"
#include "ops/app/journal_lines.hpp"
#include "ops/app/session_setup.hpp"

namespace gimbal {

// The first place where frames and journal disagree.
struct FrameDifference {
  bool found{false};
  std::string what{};                 // in words
  std::uint64_t seq{0};               // of the journal's event, or of the command's cause
  std::uint64_t frame{0};             // number of the frame in its stream, from 1
  std::uint16_t slot{0};              // of the session
  std::int64_t recv_ns{0};            // of the frame
  std::string journal{};              // what the journal holds
  std::string replayed{};             // what the replay gives
  std::string text{};                 // of the frame, its beginning
  std::vector<std::string> before{};  // the events that agreed last, oldest first
};

struct FrameReplayResult {
  JournalStatus status{JournalStatus::end};  // how the frame stream ended
  std::string error{};
  std::string parted{};        // why the frames were followed no further; empty: to their end
  std::uint64_t frames{0};     // records of the stream
  std::uint64_t messages{0};   // texts that went through a decoder or the gateway
  std::uint64_t bytes{0};      // of those texts
  std::uint64_t events{0};     // decoded and equal to the journal's, records
  std::uint64_t texts{0};      // encoded and equal to what left
  std::uint64_t unchecked{0};  // decoded, but the journal ended before
  FrameDifference difference{};
};

class FrameReplay {
 public:
  // The names of `origin` grow with the frames. `told`: see told_instruments().
  FrameReplay(JournalOrigin& origin, std::uint32_t epoch, bool told, CoreAhead& core,
              const JournalSegments& segments);

  // Whether the stream says what its sessions knew of instruments. Streams of earlier builds do
  // not: they can be followed up to the first change of one.
  [[nodiscard]] static bool told_instruments(const JournalSegments& segments);

  // See JournalReader.
  void chain_by(ChainHasher& hasher) noexcept { reader_.chain_by(hasher); }
  // Reads both streams to their ends, or to the first difference.
  void run();
  // Reads the frames that were not followed: they may be damaged too. Before bytes_read().
  void check_rest();
  [[nodiscard]] std::uint64_t bytes_read() const noexcept { return reader_.bytes(); }
  [[nodiscard]] const FrameReplayResult& result() const noexcept { return result_; }

 private:
  using Calls = FeedCalls<DeribitVenue>;
  struct Resync {
    std::uint64_t seq{0};
    InstrumentId instrument{};
  };
  struct FeedSide {
    std::unique_ptr<Calls> calls;
    std::vector<Resync> waiting;  // asked for by the core, not yet carried out
    bool listed{false};           // since its last timer
  };
  struct Sink {  // the feed's events, compared unit by unit
    FrameReplay* self;
    void events(std::span<Event> all) noexcept { self->compare_feed(all); }
  };

  bool take(const JournalRecord& record);
  [[nodiscard]] std::string parting(const FrameRecord& frame) const;
  bool note_instrument(const FrameRecord& frame, std::span<const std::byte> bytes);
  void note_name(const FrameRecord& frame, std::string_view name);
  void feed_frame(const FrameRecord& frame, std::span<const std::byte> bytes);
  void feed_call(FeedSide& side, const FrameRecord& frame, std::span<const std::byte> bytes);
  void list(FeedSide& side, std::uint32_t instrument);
  void run_deferred();
  void adopt_resyncs(FeedSide& side, std::uint64_t up_to);
  [[nodiscard]] std::uint64_t next_feed_seq();
  void compare_feed(std::span<Event> all);
  void order_frame(const FrameRecord& frame, std::span<const std::byte> bytes);
  void order_text(const FrameRecord& frame, std::string_view text);
  void compare_text(std::uint64_t seq, std::string_view text, std::string_view encoded);
  void compare_orders(bool to_the_end);
  // The next command that left as text, or nothing when the journal has none.
  bool next_sent(bool mass, std::uint64_t up_to, Outgoing& out);
  bool next_outgoing(std::uint64_t up_to, Outgoing& out);
  bool compare_unit(Fifo<Event>& journal, const Event* unit, std::size_t parts);
  bool wait_for(Fifo<Event>& events, std::size_t count);
  void differ(std::string what, std::uint64_t seq, std::string journal, std::string replayed);
  [[nodiscard]] std::string unit_text(const Event* unit, std::size_t parts);
  void follow_rest();
  void check_left_over();

  CoreAhead& core_;
  JournalOrigin& origin_;
  const bool told_;
  FramesAhead reader_;
  ConfigTags tags_;
  InstrumentTable terms_;  // the order session's own
  std::array<FeedSide, 2> feeds_{};
  std::unique_ptr<deribit::RateBudget> budget_;
  std::unique_ptr<deribit::DeribitGateway> gateway_;
  std::uint64_t generation_{0};
  EventBatch batch_{8192};
  Outbox outbox_{1u << 18, 256};
  Fifo<Event> written_;                  // by the gateway, not compared yet
  std::vector<std::string> mass_texts_;  // of the mass cancel being compared
  std::array<Event, 32> agreed_{};
  std::size_t agreed_count_{0};
  FrameRecord frame_{};
  FrameRecord deferred_{};
  bool has_deferred_{false};
  FrameReplayResult result_{};
};

}  // namespace gimbal
