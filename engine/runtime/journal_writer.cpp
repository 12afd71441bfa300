#include <algorithm>
#include <cstring>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {
namespace {

// Far below a block of 64 KiB: at most one write lies between two looks at the clock.
constexpr std::size_t records_per_look = 64;

}  // namespace

bool essential(EventKind kind) noexcept {
  switch (kind) {
    case EventKind::book_delta:
    case EventKind::book_reset:
    case EventKind::trade:
    case EventKind::ticker:
    case EventKind::index_price:
    case EventKind::feed_status:
    case EventKind::timer:
    case EventKind::margin_report:
    case EventKind::venue_clock: return false;
    default: return true;
  }
}

JournalWriter::JournalWriter(JournalConfig config, JournalIdentity identity, SideBlockPool* blocks)
    : config_{std::move(config)},
      blocks_{blocks},
      ring_{config_.ring_records},
      ring_reserve_{std::min(journal_ring_reserve, ring_.capacity() / 16)},
      segments_{SegmentConfig{config_.directory, config_.segment_bytes, config_.reserve_bytes},
                journal_stream, identity} {}

JournalWriter::~JournalWriter() = default;

Outcome JournalWriter::open() {
  last_sync_ns_ = monotonic_now().mono_ns;
  return segments_.open();
}

// --- hot side
// ---------------------------------------------------------------------------------------

bool JournalWriter::append(const Event* unit, std::size_t count) noexcept {
  if (!booted_) {
    if (count != 1 || unit[0].kind() != EventKind::boot) return lose(unit, count);
    booted_ = true;
  }
  if (failed_.load(std::memory_order_relaxed)) return lose(unit, count);
  std::size_t keep = 0;
  if (!essential(unit[0].kind())) {
    if (degraded_.load(std::memory_order_relaxed)) return lose(unit, count);
    keep = ring_reserve_;
  }
  if (lost_ != 0 && !write_gap(keep)) return lose(unit, count);
  return ring_.push_unit(unit, count, keep) || lose(unit, count);
}

bool JournalWriter::append_side_block(const SideBlockRef& ref) noexcept {
  return push_control(RecordType::side_block, &ref, sizeof ref, 0);
}

// Of commands that the missing events had a part in: not to be compared as if nothing were missing.
bool JournalWriter::append_digest(const DigestRecord& digest) noexcept {
  if (lost_ != 0 && !write_gap(ring_reserve_)) return false;
  return push_control(RecordType::digest, &digest, sizeof digest, ring_reserve_);
}

bool JournalWriter::lose(const Event* unit, std::size_t count) noexcept {
  if (lost_ == 0) lost_first_ = unit[0].seq().value;
  lost_ += count;
  lost_total_ += count;
  return false;
}

bool JournalWriter::write_gap(std::size_t keep) noexcept {
  const GapRecord gap{lost_first_, lost_};
  if (!push_control(RecordType::gap, &gap, sizeof gap, keep)) return false;
  lost_ = 0;
  return true;
}

// Records that are no events cross the ring as an Event of kind none, with the type as instrument.
bool JournalWriter::push_control(RecordType type, const void* body, std::size_t bytes,
                                 std::size_t keep) noexcept {
  if (!booted_ || failed_.load(std::memory_order_relaxed)) return false;
  Event entry;
  entry.instrument.value = static_cast<std::uint16_t>(type);
  std::memcpy(entry.payload, body, bytes < payload_bytes ? bytes : payload_bytes);
  return ring_.push_unit(&entry, 1, keep);
}

// --- cold side
// --------------------------------------------------------------------------------------

std::size_t JournalWriter::drain(RecvTime until) {
  std::size_t done = 0;
  bool more = true;
  Event entry;
  while ((more || segments_.mid_unit()) && ring_.pop_into(entry)) {
    take(entry);
    ++done;
    more = more && done < config_.drain_max &&
           (done % records_per_look != 0 || monotonic_now() < until);
  }
  segments_.flush();
  const std::int64_t now = monotonic_now().mono_ns;
  if (segments_.unsynced() && now - last_sync_ns_ >= config_.sync_interval.count) {
    segments_.sync();
    last_sync_ns_ = monotonic_now().mono_ns;  // its end: a slow one leaves the thread its time
  }
  publish();
  return done;
}

void JournalWriter::publish() {
  if (segments_.failed()) failed_.store(true, std::memory_order_relaxed);
  if (segments_.emergency()) degraded_.store(true, std::memory_order_relaxed);
  bytes_total_.store(segments_.bytes_written(), std::memory_order_relaxed);
  written_.store(segments_.written_seq(), std::memory_order_release);
  if (!segments_.unsynced() && !segments_.failed()) {
    durable_.store(segments_.written_seq(), std::memory_order_release);
  }
}

void JournalWriter::take(const Event& entry) {
  const bool is_event = entry.kind() != EventKind::none;
  const auto type = is_event ? RecordType::event : static_cast<RecordType>(entry.instrument.value);
  if (is_event) {
    const bool more = !entry.last_part();
    segments_.put(type, more ? record_flag::more : std::uint16_t{0}, &entry, sizeof entry);
    if (!more) segments_.note_seq(entry.seq().value);
    for (const auto& look : looks_) look(entry);
  } else if (type == RecordType::side_block) {
    const auto ref = entry.as<SideBlockRef>();
    const auto bytes = blocks_ != nullptr ? blocks_->peek(ref) : std::span<const std::byte>{};
    if (bytes.data() == nullptr) {
      segments_.fail(Outcome::failure("side block in slot " + std::to_string(ref.slot) +
                                      " was gone before the journal wrote it"));
      return;
    }
    segments_.put(type, 0, &ref, sizeof ref, bytes.data(), bytes.size());
    blocks_->release(ref);
  } else {
    segments_.put(type, 0, entry.payload,
                  type == RecordType::digest ? sizeof(DigestRecord) : sizeof(GapRecord));
  }
}

Outcome JournalWriter::close() {
  while (drain() != 0) {}
  if (!segments_.failed() && lost_ != 0) {
    const GapRecord gap{lost_first_, lost_};
    lost_ = 0;
    segments_.put(RecordType::gap, 0, &gap, sizeof gap);
  }
  Outcome ended = segments_.close();
  publish();
  return ended;
}

}  // namespace gimbal
