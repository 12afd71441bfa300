// The second stream of the journal: what came and went on the wire, with its receive time.
//
// FrameTape: put() on one hot thread copies the text into a byte ring (no system call, never
// blocks; a frame that does not fit is lost, counted, and the caller trips HALT when frames are
// required). FrameRecorder: drain() on one cold thread takes every tape's frames, overwrites tokens
// and writes the segments "frames-EEEEEEEE-SSSSSS.gf" (format: ops/docs/journal-format.md); what a
// tape lost becomes a gap record, before the first frame that was put behind the loss.
// Frames of one tape keep their order; between tapes there is none.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/bring_near.hpp"
#include "engine/core/time.hpp"
#include "engine/runtime/journal_format.hpp"
#include "engine/runtime/outcome.hpp"
#include "engine/runtime/segment_writer.hpp"

namespace gimbal {

class FrameTape {
 public:
  // `bytes` is rounded up to a power of two; a frame may take half of it at most.
  explicit FrameTape(std::size_t bytes);
  FrameTape(const FrameTape&) = delete;
  FrameTape& operator=(const FrameTape&) = delete;

  // Hot, one thread. False: no room; nothing was written.
  bool put(const FrameRecord& record, std::string_view text) noexcept;
  [[nodiscard]] std::uint64_t lost() const noexcept {
    return lost_.load(std::memory_order_relaxed);
  }

  // Cold, one thread: the oldest frame, valid until pop(). False when there is none.
  [[nodiscard]] bool peek(FrameRecord& record, std::span<char>& text) noexcept;
  void pop() noexcept;

  // Where the next two frames of an order's size go: bring_near.hpp. Producer.
  void look_over() const noexcept {
    constexpr std::size_t frames = 1024;
    const std::size_t at = tail_.load(std::memory_order_relaxed) & mask_;
    bring_near(bytes_.get() + at, std::min(frames, mask_ + 1 - at));
  }

 private:
  struct Entry {
    std::uint32_t total{0};  // of the entry in the ring; 0: skip to the ring's start
    std::uint32_t text{0};
    FrameRecord record{};
  };
  static_assert(sizeof(Entry) == 32);

  std::size_t mask_;
  std::unique_ptr<std::byte[]> bytes_;
  alignas(128) std::atomic<std::uint64_t> tail_{0};
  std::uint64_t cached_head_{0};
  std::atomic<std::uint64_t> lost_{0};
  alignas(128) std::atomic<std::uint64_t> head_{0};
  std::uint32_t current_{0};
};

// Overwrites the values of access and refresh tokens, and of client secrets, signatures and nonces
// of a login, with '*'. True when there was one.
bool redact_tokens(std::span<char> text) noexcept;

class FrameRecorder {
 public:
  // `private_slot`: the session whose frames the emergency segment still takes; the others are left
  // out there, and count as lost.
  FrameRecorder(SegmentConfig config, const JournalIdentity& identity, Nanos sync_interval,
                std::uint16_t private_slot = 0);

  // Before the first drain. The tape must outlive the recorder.
  void add(FrameTape& tape) { tapes_.push_back(&tape); }
  Outcome open();
  // At most `bytes_max` of text a call, none long after `until` (always some), and none that was
  // put behind event `up_to`; gives the frames taken.
  std::size_t drain(std::size_t bytes_max = std::size_t{4} << 20,
                    RecvTime until = RecvTime{INT64_MAX}, Seq up_to = Seq{UINT64_MAX});
  Outcome close();

  [[nodiscard]] bool failed() const noexcept { return segments_.failed() || segments_.emergency(); }
  [[nodiscard]] const std::string& error() const noexcept { return segments_.error(); }
  // Once per failure: the error; empty where there is none that was not given before.
  [[nodiscard]] std::string untold_error();
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return segments_.bytes_written(); }
  // Given by the wire and in no segment: no room on a tape, left out of the emergency segment, or
  // behind a failure.
  [[nodiscard]] std::uint64_t lost() const noexcept;

 private:
  void take(FrameRecord& record, std::span<char> text);
  void note_losses();

  SegmentWriter segments_;
  std::vector<FrameTape*> tapes_{};
  std::size_t next_tape_{0};
  Nanos sync_interval_;
  std::int64_t last_sync_ns_{0};
  std::uint16_t private_slot_;
  std::uint64_t frames_{0};
  std::uint64_t left_out_{0};
  std::uint64_t losses_noted_{0};
  std::string told_{};
};

}  // namespace gimbal
