#include "ops/app/frames_ahead.hpp"

#include <utility>

#include "feeds/frame.hpp"

namespace gimbal {

FramesAhead::~FramesAhead() {
  queue_.stop();
  if (worker_.joinable()) worker_.join();
}

// --- the reading thread -----------------------------------------------------------------------

void FramesAhead::work() {
  for (bool more = true; more;) {
    std::unique_ptr<Batch> batch = queue_.fresh();
    if (batch == nullptr) return;
    try {
      fill(*batch);
    } catch (...) {
      batch->records.clear();  // the last may be without its text, and all without the padding
      batch->thrown = std::current_exception();
    }
    more = batch->status == JournalStatus::record && batch->thrown == nullptr;
    if (!queue_.put(std::move(batch))) return;
  }
}

void FramesAhead::fill(Batch& batch) {
  batch.records.clear();
  batch.texts.clear();
  JournalRecord record;
  while (batch.records.size() < batch_records && batch.texts.size() < batch_bytes) {
    batch.status = reader_.next(record);
    if (batch.status != JournalStatus::record) break;
    batch.records.push_back(
        Kept{record.type, record.frame, record.gap, batch.texts.size(), record.bytes.size()});
    batch.texts.insert(batch.texts.end(), record.bytes.begin(), record.bytes.end());
  }
  batch.texts.resize(batch.texts.size() + frame_padding);
}

// --- the decoders' ----------------------------------------------------------------------------

JournalStatus FramesAhead::next(JournalRecord& out) {
  if (!worker_.joinable()) worker_ = std::thread{[this] { work(); }};
  while (at_ == nullptr || taken_ == at_->records.size()) {
    if (at_ != nullptr && at_->thrown != nullptr) std::rethrow_exception(at_->thrown);
    if (at_ != nullptr && at_->status != JournalStatus::record) return at_->status;
    at_ = queue_.take(std::move(at_));
    taken_ = 0;
  }
  const Kept& kept = at_->records[taken_++];
  out.type = kept.type;
  out.frame = kept.frame;
  out.gap = kept.gap;
  out.bytes = std::span{at_->texts}.subspan(kept.begin, kept.bytes);
  return JournalStatus::record;
}

}  // namespace gimbal
