// A bot's journal on the cold side: both streams, what happens when they cannot be kept, and the
// care of closed segments. Room: ops/app (wiring). Cold.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/stream_turn.hpp"
#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

constexpr std::chrono::milliseconds archive_wait{200};
constexpr int archive_waits_per_pass = 50;
// Of each stream in one cycle of the cold loop: operators and the guardian's beat wait meanwhile.
constexpr Nanos journal_turn_max = milliseconds(20);

}  // namespace

std::string Bot::open_frames() {
  const JournalKeeping& keeping = loaded_->config.journal;
  if (keeping.frames == FrameKeeping::off) return {};
  SegmentConfig config;
  config.directory = loaded_->config.runtime.journal_dir;
  config.segment_bytes = std::uint64_t{loaded_->config.runtime.journal_segment_mib} << 20;
  config.reserve_bytes = std::uint64_t{keeping.reserve_mib} << 20;
  frames_ = std::make_unique<FrameRecorder>(
      std::move(config), JournalIdentity{epoch_, short_hash(build_hash()), loaded_->short_hash()},
      loaded_->config.runtime.journal_sync, order_slot);
  const Outcome opened = frames_->open();
  return opened ? std::string{} : opened.error();
}

// One for each thread that owns sessions; null when frames are not kept.
FrameTape* Bot::new_tape() {
  if (frames_ == nullptr) return nullptr;
  const std::size_t bytes = std::size_t{loaded_->config.journal.frames_buffer_mib} << 20;
  tapes_.push_back(std::make_unique<FrameTape>(bytes));
  frames_->add(*tapes_.back());
  return tapes_.back().get();
}

namespace {

// Empty: the events are kept.
std::string trouble_of(const JournalWriter& journal) {
  if (journal.failed() || journal.degraded()) return "journal: " + journal.error();
  const std::uint64_t lost = journal.lost_records();
  if (lost == 0) return {};
  return fmt::format("journal: the ring was full, {} records could not be kept", lost);
}

}  // namespace

void Bot::drain_journal() {
  write_turn(*journal_, frames_.get(), journal_turn_max);
  std::string why = trouble_of(*journal_);
  if (frames_ != nullptr) {
    const std::uint64_t lost = frames_->lost();
    const bool frames_kept = lost == 0 && !frames_->failed();
    if (!frames_kept && loaded_->config.journal.frames == FrameKeeping::required && why.empty()) {
      why = frames_->failed() ? "frames: " + frames_->error()
                              : fmt::format("frames: {} could not be kept", lost);
    }
    if (loaded_->config.journal.frames == FrameKeeping::best_effort) {
      if (const std::string error = frames_->untold_error(); !error.empty()) {
        say("frames: " + error + "; they are kept no longer (best_effort)");
      } else if (lost > frames_lost_ && !frames_->failed()) {
        say(fmt::format("frames: {} lost so far: the disk is slower than the wire", lost));
      }
    }
    frames_lost_ = lost;
  }
  const bool fresh = !why.empty() && journal_trouble_.empty();
  if (fresh) {
    journal_trouble_ = why;
    say(why + "; HALT");
  }
  if (journal_trouble_.empty()) return;
  // For good: nothing may be open again before a restart, whoever opened it. A gate that the hot
  // thread closed at a full ring is in HALT already: core and latch are to hear of it too. An arm
  // that waits is refused with the reason, and stops what the core has opened, by itself: that is
  // everything where it was an arm of everything.
  const Mode gate = gate_.at(Scope{});
  const bool told = !fresh || desk_->arming_all();
  if (gate > Mode::halt || (gate == Mode::halt && told)) return;
  desk_->stop_from(OperatorSource::monitor, Scope{}, Mode::halt, journal_trouble_);
}

void Bot::archive_loop() {
  // Taken once: a reload writes the configuration anew under a reader on another thread.
  const std::string directory = loaded_->config.runtime.journal_dir;
  const JournalKeeping keeping = loaded_->config.journal;
  RetentionConfig config;
  config.keep = keeping.keep;
  config.keep_bytes = std::uint64_t{keeping.keep_gib} << 30;
  config.pack = keeping.pack;
  while (!stop_cold_.load(std::memory_order_acquire)) {
    const RetentionResult result = tidy_segments(directory, epoch_, config, wall_now().unix_ns);
    for (const std::string& problem : result.problems) say("journal: " + problem);
    if (result.deleted > 0) {
      say(fmt::format("journal: {} old segments deleted, {} MiB left", result.deleted,
                      result.bytes_after >> 20));
    }
    for (int i = 0; i < archive_waits_per_pass; ++i) {
      if (stop_cold_.load(std::memory_order_acquire)) return;
      std::this_thread::sleep_for(archive_wait);
    }
  }
}

}  // namespace gimbal
