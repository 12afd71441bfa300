#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {
namespace {

constexpr std::size_t buffer_bytes = 1u << 20;
constexpr std::uint64_t segment_bytes_min = 4096;

std::string segment_path(const std::string& directory, std::uint32_t epoch, std::uint32_t segment) {
  char name[48];
  std::snprintf(name, sizeof name, "/journal-%08x-%06x.gj", epoch, segment);
  return directory + name;
}

Outcome sync_directory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Outcome::system("open directory", directory);
  const bool synced = ::fsync(fd) == 0;
  const Outcome result = synced ? Outcome{} : Outcome::system("sync directory", directory);
  ::close(fd);
  return result;
}

Outcome write_all(int fd, const std::byte* data, std::size_t bytes, std::uint64_t offset) {
  while (bytes > 0) {
    const ssize_t n = ::pwrite(fd, data, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Outcome::system("write", "journal segment");
    data += n;
    bytes -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace

JournalWriter::JournalWriter(JournalConfig config, JournalIdentity identity, SideBlockPool* blocks)
    : config_{std::move(config)},
      identity_{identity},
      blocks_{blocks},
      ring_{config_.ring_records},
      buffer_(buffer_bytes) {
  if (config_.segment_bytes < segment_bytes_min) config_.segment_bytes = segment_bytes_min;
}

JournalWriter::~JournalWriter() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome JournalWriter::open() {
  last_sync_ns_ = monotonic_now().mono_ns;
  return open_segment();
}

// --- hot side
// ---------------------------------------------------------------------------------------

bool JournalWriter::append(const Event* unit, std::size_t count) noexcept {
  if (!booted_) {
    if (count != 1 || unit[0].kind() != EventKind::boot) return lose(unit, count);
    booted_ = true;
  }
  if (failed_.load(std::memory_order_relaxed)) return lose(unit, count);
  if (lost_ != 0 && !write_gap()) return lose(unit, count);
  return ring_.push_unit(unit, count) || lose(unit, count);
}

bool JournalWriter::append_side_block(const SideBlockRef& ref) noexcept {
  return push_control(RecordType::side_block, &ref, sizeof ref);
}

bool JournalWriter::append_digest(const DigestRecord& digest) noexcept {
  return push_control(RecordType::digest, &digest, sizeof digest);
}

bool JournalWriter::lose(const Event* unit, std::size_t count) noexcept {
  if (lost_ == 0) lost_first_ = unit[0].seq().value;
  lost_ += count;
  lost_total_ += count;
  return false;
}

bool JournalWriter::write_gap() noexcept {
  const GapRecord gap{lost_first_, lost_};
  if (!push_control(RecordType::gap, &gap, sizeof gap)) return false;
  lost_ = 0;
  return true;
}

// Records that are no events cross the ring as an Event of kind none, with the type as instrument.
bool JournalWriter::push_control(RecordType type, const void* body, std::size_t bytes) noexcept {
  if (!booted_ || failed_.load(std::memory_order_relaxed)) return false;
  Event entry;
  entry.instrument.value = static_cast<std::uint16_t>(type);
  std::memcpy(entry.payload, body, bytes < payload_bytes ? bytes : payload_bytes);
  return ring_.push(entry);
}

// --- cold side
// --------------------------------------------------------------------------------------

std::size_t JournalWriter::drain() {
  std::size_t done = 0;
  Event entry;
  while (done < config_.drain_max && ring_.pop_into(entry)) {
    take(entry);
    ++done;
  }
  if (failed()) return done;
  if (const Outcome flushed = flush(); !flushed) {
    fail(flushed);
    return done;
  }
  const std::int64_t now = monotonic_now().mono_ns;
  if (unsynced_ && now - last_sync_ns_ >= config_.sync_interval.count) {
    last_sync_ns_ = now;
    if (const Outcome synced = sync(); !synced) fail(synced);
  }
  return done;
}

void JournalWriter::take(const Event& entry) {
  const bool is_event = entry.kind() != EventKind::none;
  const auto type = is_event ? RecordType::event : static_cast<RecordType>(entry.instrument.value);
  if (!failed() && !in_unit_ && offset_ + used_ >= config_.segment_bytes) {
    Outcome turned = end_segment(EndReason::rotated);
    if (turned) turned = open_segment();
    if (!turned) fail(turned);
  }
  if (is_event) {
    in_unit_ = !entry.last_part();
    put_record(type, in_unit_ ? record_flag::more : std::uint16_t{0}, &entry, sizeof entry, nullptr,
               0);
    if (!in_unit_) last_seq_ = entry.seq().value;
  } else if (type == RecordType::side_block) {
    const auto ref = entry.as<SideBlockRef>();
    const auto bytes = blocks_ != nullptr ? blocks_->peek(ref) : std::span<const std::byte>{};
    if (bytes.data() == nullptr) {
      fail(Outcome::failure("side block in slot " + std::to_string(ref.slot) +
                            " was gone before the journal wrote it"));
      return;
    }
    put_record(type, 0, &ref, sizeof ref, bytes.data(), bytes.size());
    blocks_->release(ref);
  } else {
    put_record(type, 0, entry.payload,
               type == RecordType::digest ? sizeof(DigestRecord) : sizeof(GapRecord), nullptr, 0);
  }
}

void JournalWriter::put_record(RecordType type, std::uint16_t flags, const void* body,
                               std::size_t bytes, const void* tail, std::size_t tail_bytes) {
  if (failed()) return;
  RecordHead head;
  head.type = type;
  head.flags = flags;
  head.bytes = static_cast<std::uint32_t>(bytes + tail_bytes);
  head.ordinal = ++ordinal_;
  const std::size_t total = sizeof head + padded(head.bytes);
  if (used_ + total > buffer_.size()) {
    if (const Outcome flushed = flush(); !flushed) return fail(flushed);
    if (total > buffer_.size()) buffer_.resize(total);
  }
  std::byte* at = buffer_.data() + used_;
  std::memset(at, 0, total);
  std::memcpy(at + sizeof head, body, bytes);
  if (tail_bytes != 0) std::memcpy(at + sizeof head + bytes, tail, tail_bytes);
  std::memcpy(at, &head, sizeof head);
  head.crc = crc32c(at + sizeof head.crc, total - sizeof head.crc, salt_);
  std::memcpy(at, &head.crc, sizeof head.crc);
  last_crc_ = head.crc;
  used_ += total;
}

Outcome JournalWriter::flush() {
  if (used_ == 0) return {};
  if (Outcome written = write_all(fd_, buffer_.data(), used_, offset_); !written) return written;
  offset_ += used_;
  bytes_total_.fetch_add(used_, std::memory_order_relaxed);
  used_ = 0;
  unsynced_ = true;
  written_.store(last_seq_, std::memory_order_release);
  return {};
}

Outcome JournalWriter::sync() {
  if (::fdatasync(fd_) != 0) return Outcome::system("sync", "journal segment");
  unsynced_ = false;
  durable_.store(written_.load(std::memory_order_relaxed), std::memory_order_release);
  return {};
}

void JournalWriter::fail(const Outcome& why) {
  if (failed()) return;
  error_ = why.error();
  failed_.store(true, std::memory_order_relaxed);
}

Outcome JournalWriter::open_segment() {
  const std::string path = segment_path(config_.directory, identity_.epoch, segment_);
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd_ < 0) return Outcome::system("create", path);
  if (::fallocate(fd_, 0, 0, static_cast<off_t>(config_.segment_bytes)) != 0 &&
      errno != EOPNOTSUPP && errno != ENOSYS) {
    return Outcome::system("preallocate", path);
  }
  SegmentHeader header;
  header.epoch = identity_.epoch;
  header.segment = segment_;
  header.first_seq = last_seq_ + 1;
  header.build_hash = identity_.build_hash;
  header.config_hash = identity_.config_hash;
  header.created_unix_ns = wall_now().unix_ns;
  header.created_mono_ns = monotonic_now().mono_ns;
  header.previous_crc = segment_ == 0 ? 0 : last_crc_;
  header.crc = crc32c(&header, sizeof header - sizeof header.crc);
  salt_ = header.crc;
  ordinal_ = 0;
  offset_ = 0;
  used_ = sizeof header;
  std::memcpy(buffer_.data(), &header, sizeof header);
  if (Outcome flushed = flush(); !flushed) return flushed;
  if (Outcome synced = sync(); !synced) return synced;
  return sync_directory(config_.directory);
}

Outcome JournalWriter::end_segment(EndReason reason) {
  const EndRecord end{last_seq_ + 1, reason, 0};
  put_record(RecordType::end, 0, &end, sizeof end, nullptr, 0);
  if (failed()) return Outcome::failure(error_);
  if (Outcome flushed = flush(); !flushed) return flushed;
  if (::ftruncate(fd_, static_cast<off_t>(offset_)) != 0) {
    return Outcome::system("cut", "journal segment to its length");
  }
  if (Outcome synced = sync(); !synced) return synced;
  ::close(fd_);
  fd_ = -1;
  ++segment_;
  return {};
}

Outcome JournalWriter::close() {
  if (fd_ < 0) return failed() ? Outcome::failure(error_) : Outcome{};
  while (drain() != 0) {}
  if (!failed() && in_unit_) fail(Outcome::failure("closed in the middle of a unit"));
  if (!failed() && lost_ != 0) {
    const GapRecord gap{lost_first_, lost_};
    put_record(RecordType::gap, 0, &gap, sizeof gap, nullptr, 0);
  }
  if (failed()) return Outcome::failure(error_);
  Outcome ended = end_segment(EndReason::closed);
  if (!ended) fail(ended);
  return ended;
}

}  // namespace gimbal
