#include "engine/runtime/frame_tape.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/runtime/clock.hpp"

namespace gimbal {
namespace {

constexpr std::size_t entry_align = 32;
constexpr std::size_t frames_per_look = 16;  // between two looks at the clock

constexpr std::size_t rounded(std::size_t bytes) noexcept {
  return (bytes + entry_align - 1) / entry_align * entry_align;
}

// Keys whose string values never reach the disk.
constexpr std::array<std::string_view, 6> secret_keys{"\"access_token\"",  "\"refresh_token\"",
                                                      "\"client_secret\"", "\"signature\"",
                                                      "\"nonce\"",         "\"client_id\""};

// Overwrites the string that follows a key's colon; escapes in it are skipped.
bool redact_value(std::span<char> text, std::size_t at) noexcept {
  while (at < text.size() && (text[at] == ' ' || text[at] == ':')) ++at;
  if (at >= text.size() || text[at] != '"') return false;
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    const bool escaped = text[at] == '\\' && at + 1 < text.size();
    text[at] = '*';
    if (escaped) text[++at] = '*';
  }
  return true;
}

}  // namespace

bool redact_tokens(std::span<char> text) noexcept {
  bool found = false;
  for (const std::string_view key : secret_keys) {
    const std::string_view all{text.data(), text.size()};
    for (std::size_t at = all.find(key); at != std::string_view::npos;
         at = all.find(key, at + key.size())) {
      found = redact_value(text, at + key.size()) || found;
    }
  }
  return found;
}

FrameTape::FrameTape(std::size_t bytes)
    : mask_{std::bit_ceil(std::max<std::size_t>(bytes, 4096)) - 1},
      bytes_{std::make_unique<std::byte[]>(mask_ + 1)} {}

bool FrameTape::put(const FrameRecord& record, std::string_view text) noexcept {
  const std::size_t size = mask_ + 1;
  const std::size_t need = rounded(sizeof(Entry) + text.size());
  std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::size_t to_end = size - (tail & mask_);
  const std::size_t skip = need > to_end ? to_end : 0;  // entries are contiguous
  if (need > size / 2 || size - (tail - cached_head_) < need + skip) {
    cached_head_ = head_.load(std::memory_order_acquire);
    if (need > size / 2 || size - (tail - cached_head_) < need + skip) {
      lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
  }
  if (skip != 0) {
    constexpr std::uint32_t none = 0;
    std::memcpy(bytes_.get() + (tail & mask_), &none, sizeof none);
    tail += skip;
  }
  Entry entry;
  entry.total = static_cast<std::uint32_t>(need);
  entry.text = static_cast<std::uint32_t>(text.size());
  entry.record = record;
  std::byte* at = bytes_.get() + (tail & mask_);
  std::memcpy(at, &entry, sizeof entry);
  if (!text.empty()) std::memcpy(at + sizeof entry, text.data(), text.size());
  tail_.store(tail + need, std::memory_order_release);
  return true;
}

bool FrameTape::peek(FrameRecord& record, std::span<char>& text) noexcept {
  std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  if (head == tail) return false;
  Entry entry;
  std::memcpy(&entry.total, bytes_.get() + (head & mask_), sizeof entry.total);
  if (entry.total == 0) {
    head += mask_ + 1 - (head & mask_);
    head_.store(head, std::memory_order_release);
    if (head == tail) return false;
  }
  std::byte* at = bytes_.get() + (head & mask_);
  std::memcpy(&entry, at, sizeof entry);
  record = entry.record;
  text = {reinterpret_cast<char*>(at + sizeof entry), entry.text};
  current_ = entry.total;
  return true;
}

void FrameTape::pop() noexcept {
  head_.store(head_.load(std::memory_order_relaxed) + current_, std::memory_order_release);
}

FrameRecorder::FrameRecorder(SegmentConfig config, const JournalIdentity& identity,
                             Nanos sync_interval, std::uint16_t private_slot)
    : segments_{std::move(config), frame_stream, identity},
      sync_interval_{sync_interval},
      private_slot_{private_slot} {}

Outcome FrameRecorder::open() {
  last_sync_ns_ = monotonic_now().mono_ns;
  return segments_.open();
}

std::size_t FrameRecorder::drain(std::size_t bytes_max, RecvTime until, Seq up_to) {
  std::size_t done = 0, bytes = 0;
  bool more = true;
  FrameRecord record;
  std::span<char> text;
  // Where the last call was cut short, so that a busy tape does not keep the others waiting.
  const std::size_t first = next_tape_;
  for (std::size_t i = 0; more && i < tapes_.size(); ++i) {
    FrameTape* tape = tapes_[(first + i) % tapes_.size()];
    while (more && tape->peek(record, text) && record.seq <= up_to.value) {
      take(record, text);
      bytes += text.size() + sizeof record;
      tape->pop();
      ++done;
      more = bytes < bytes_max && (done % frames_per_look != 0 || monotonic_now() < until);
    }
    if (!more) next_tape_ = (first + i + 1) % tapes_.size();
  }
  segments_.flush();
  const std::int64_t now = monotonic_now().mono_ns;
  if (segments_.unsynced() && now - last_sync_ns_ >= sync_interval_.count) {
    segments_.sync();
    last_sync_ns_ = monotonic_now().mono_ns;  // its end: a slow one leaves the thread its time
  }
  return done;
}

void FrameRecorder::take(FrameRecord& record, std::span<char> text) {
  if (segments_.failed() || (segments_.emergency() && record.slot != private_slot_)) {
    ++left_out_;
    return;
  }
  note_losses();  // counted by the tape before it took this frame
  if (redact_tokens(text)) record.flags |= frame_flag::redacted;
  segments_.put(RecordType::frame, 0, &record, sizeof record, text.data(), text.size());
  if (record.seq != 0) segments_.note_seq(record.seq);
  ++frames_;
}

Outcome FrameRecorder::close() {
  while (drain() != 0) {}
  note_losses();
  return segments_.close();
}

// Frames have no numbers: the record says only how many are missing.
void FrameRecorder::note_losses() {
  const std::uint64_t all = lost();
  if (all == losses_noted_) return;
  const GapRecord gap{0, all - losses_noted_};
  segments_.put(RecordType::gap, 0, &gap, sizeof gap);
  losses_noted_ = all;
}

std::string FrameRecorder::untold_error() {
  if (!failed() || error() == told_) return {};
  told_ = error();
  return told_;
}

std::uint64_t FrameRecorder::lost() const noexcept {
  std::uint64_t lost = left_out_;
  for (const FrameTape* tape : tapes_) lost += tape->lost();
  return lost;
}

}  // namespace gimbal
