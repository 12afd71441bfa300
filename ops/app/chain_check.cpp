#include "ops/app/chain_check.hpp"

#include <utility>

namespace gimbal {

ChainCheck::ChainCheck(Spans events, Spans frames)
    : events_{std::move(events)}, frames_{std::move(frames)}, reader_{[this] {
        read(events_, journal_stream, events_damage_);
        read(frames_, frame_stream, frames_damage_);
      }} {}

ChainCheck::~ChainCheck() {
  stop_.store(true, std::memory_order_relaxed);
  finish();
}

void ChainCheck::finish() {
  if (reader_.joinable()) reader_.join();
}

void ChainCheck::read(const Spans& segments, const StreamName& stream, std::string& damage) const {
  if (segments.empty()) return;
  JournalReader reader{segments, stream};
  JournalRecord record;
  JournalStatus status = JournalStatus::record;
  while (status == JournalStatus::record) {
    if (stop_.load(std::memory_order_relaxed)) return;
    status = reader.next(record);
  }
  if (status != JournalStatus::corrupt) return;
  damage = reader.error() + " (segment " + std::to_string(reader.error_segment()) + ", offset " +
           std::to_string(reader.error_offset()) + ")";
}

}  // namespace gimbal
