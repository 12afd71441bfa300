#include "engine/runtime/segment_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "engine/core/event.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/crc32c.hpp"

namespace gimbal {
namespace {

constexpr std::size_t buffer_bytes = 1u << 20;
constexpr std::uint64_t segment_bytes_min = 4096;
// A unit, a seal and an end record always fit behind what the buffer holds.
constexpr std::size_t buffer_slack = 1024;
static_assert(buffer_slack >= event_parts_max * (sizeof(RecordHead) + sizeof(Event)) + 256);

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

// Blocks of the file system for `bytes`; a file system that cannot preallocate is accepted.
Outcome preallocate(int fd, std::uint64_t bytes, const std::string& path) {
  if (::fallocate(fd, 0, 0, static_cast<off_t>(bytes)) == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) return {};
  return Outcome::system("preallocate", path);
}

}  // namespace

std::string segment_name(const StreamName& stream, std::uint32_t epoch, std::uint32_t segment) {
  char name[64];
  std::snprintf(name, sizeof name, "%s-%08x-%06x%s", stream.prefix, epoch, segment, stream.suffix);
  return name;
}

SegmentWriter::SegmentWriter(SegmentConfig config, const StreamName& stream,
                             const JournalIdentity& identity)
    : config_{std::move(config)}, stream_{stream}, identity_{identity}, buffer_(buffer_bytes) {
  if (config_.segment_bytes < segment_bytes_min) config_.segment_bytes = segment_bytes_min;
}

SegmentWriter::~SegmentWriter() {
  if (fd_ >= 0) ::close(fd_);
  if (reserve_fd_ >= 0) ::close(reserve_fd_);
}

std::string SegmentWriter::reserve_path() const {
  return config_.directory + "/" + stream_.prefix + ".reserve";
}

Outcome SegmentWriter::open() {
  if (Outcome made = open_segment(); !made) return made;
  return make_reserve();
}

// The reserve's blocks are taken while there are some.
Outcome SegmentWriter::make_reserve() {
  if (config_.reserve_bytes == 0) return {};
  const std::string path = reserve_path();
  reserve_fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (reserve_fd_ < 0) return Outcome::system("create", path);
  return preallocate(reserve_fd_, config_.reserve_bytes, path);
}

std::string SegmentWriter::path_of(std::uint32_t segment) const {
  return config_.directory + "/" + segment_name(stream_, identity_.epoch, segment);
}

// The file is there, with its blocks and without a header: a segment that was not begun.
Outcome SegmentWriter::create(const std::string& path, int& fd) const {
  fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return Outcome::system("create", path);
  Outcome had = preallocate(fd, config_.segment_bytes, path);
  if (had) had = sync_directory(config_.directory);
  if (had) return had;
  ::close(fd);
  (void)::unlink(path.c_str());  // an empty segment would read as a torn one
  return had;
}

Outcome SegmentWriter::open_segment() {
  const std::string path = path_of(segment_);
  int fd = -1;
  if (Outcome created = create(path, fd); !created) return created;
  return begin_segment(fd, path);
}

Outcome SegmentWriter::begin_segment(int fd, const std::string& path) {
  Outcome begun = start_segment(fd, 0, 0);
  if (!begun) {
    ::close(fd_);
    fd_ = -1;
    used_ = 0;
    (void)::unlink(path.c_str());
  }
  return begun;
}

Outcome SegmentWriter::start_segment(int fd, std::uint32_t flags, std::uint64_t sound_bytes) {
  SegmentHeader header;
  header.magic = stream_.magic;
  header.epoch = identity_.epoch;
  header.segment = segment_;
  header.first_seq = last_seq_ + 1;
  header.build_hash = identity_.build_hash;
  header.config_hash = identity_.config_hash;
  header.created_unix_ns = wall_now().unix_ns;
  header.created_mono_ns = monotonic_now().mono_ns;
  header.previous_crc = segment_ == 0 ? 0 : last_crc_;
  header.flags = flags;
  header.sound_bytes = sound_bytes;
  header.chain = chain_;
  header.crc = crc32c(&header, sizeof header - sizeof header.crc);
  fd_ = fd;
  salt_ = header.crc;
  ordinal_ = 0;
  offset_ = 0;
  sealed_to_ = 0;
  chained_ = false;
  hash_.restart();
  used_ = sizeof header;
  std::memcpy(buffer_.data(), &header, sizeof header);
  if (Outcome written = write_buffer(); !written) return written;
  if (Outcome synced = sync_file(); !synced) return synced;
  return sync_directory(config_.directory);
}

// --- records ------------------------------------------------------------------------------------

void SegmentWriter::put(RecordType type, std::uint16_t flags, const void* body, std::size_t bytes,
                        const void* tail, std::size_t tail_bytes) {
  if (failed_) return;
  if (!mid_unit_) {
    const std::uint64_t end = offset_ + used_;
    if (end - sealed_to_ >= seal_bytes) seal();
    if (end >= config_.segment_bytes && !emergency_) rotate();
    if (failed_) return;
  }
  mid_unit_ = (flags & record_flag::more) != 0;
  append(type, flags, body, bytes, tail, tail_bytes);
}

void SegmentWriter::append(RecordType type, std::uint16_t flags, const void* body,
                           std::size_t bytes, const void* tail, std::size_t tail_bytes) {
  RecordHead head;
  head.type = type;
  head.flags = flags;
  head.bytes = static_cast<std::uint32_t>(bytes + tail_bytes);
  const std::size_t total = sizeof head + padded(head.bytes);
  if (!mid_unit_ && used_ + total + buffer_slack > buffer_.size()) {
    flush();
    if (failed_) return;
  }
  if (used_ + total + buffer_slack > buffer_.size()) buffer_.resize(used_ + total + buffer_slack);
  head.ordinal = ++ordinal_;
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

// Hashes what the buffer still holds (what was flushed is hashed already) and closes the block.
void SegmentWriter::seal() {
  flush();
  if (failed_) return;
  SealRecord record;
  record.block = blocks_++;
  record.first_offset = sealed_to_;
  record.bytes = offset_ - sealed_to_;
  chain_ = hash_.finish();
  chained_ = false;
  record.chain = chain_;
  sealed_to_ = offset_;
  append(RecordType::seal, 0, &record, sizeof record, nullptr, 0);
}

void SegmentWriter::rotate() {
  flush();
  if (failed_ || emergency_) return;
  // Created before the end record is written: a death in between leaves a segment that was not
  // begun, not one that is missing.
  const std::string path = path_of(segment_ + 1);
  int fd = -1;
  if (Outcome created = create(path, fd); !created) return turn_to_reserve(created);
  if (Outcome ended = end_segment(EndReason::rotated); !ended) {
    ::close(fd);
    (void)::unlink(path.c_str());
    return turn_to_reserve(ended);
  }
  if (Outcome begun = begin_segment(fd, path); !begun) turn_to_reserve(begun);
}

Outcome SegmentWriter::end_segment(EndReason reason) {
  seal();
  if (failed_) return Outcome::failure(error_);
  const EndRecord end{last_seq_ + 1, reason, 0};
  append(RecordType::end, 0, &end, sizeof end, nullptr, 0);
  if (Outcome written = write_buffer(); !written) return written;
  if (::ftruncate(fd_, static_cast<off_t>(offset_)) != 0) {
    return Outcome::system("cut", "journal segment to its length");
  }
  if (Outcome synced = sync_file(); !synced) return synced;
  ::close(fd_);
  fd_ = -1;
  ++segment_;
  return {};
}

Outcome SegmentWriter::close() {
  if (failed_) return Outcome::failure(error_);
  if (fd_ < 0) return {};
  if (mid_unit_) {
    fail(Outcome::failure("closed in the middle of a unit"));
    return Outcome::failure(error_);
  }
  flush();
  if (failed_) return Outcome::failure(error_);
  Outcome ended = end_segment(EndReason::closed);
  if (!ended) give_up(ended);
  if (reserve_fd_ >= 0) {
    ::close(reserve_fd_);
    reserve_fd_ = -1;
    (void)::unlink(reserve_path().c_str());
  }
  return ended;
}

// --- the disk -----------------------------------------------------------------------------------

Outcome SegmentWriter::write_buffer() {
  if (used_ == 0) return {};
  if (Outcome written = write_all(fd_, buffer_.data(), used_, offset_); !written) return written;
  if (!chained_) {
    hash_.add(chain_.data(), chain_.size());
    chained_ = true;
  }
  hash_.add(buffer_.data(), used_);
  offset_ += used_;
  bytes_total_ += used_;
  used_ = 0;
  unsynced_ = true;
  written_seq_ = last_seq_;
  place_ = {segment_, offset_};
  written_chain_ = chain_;
  written_blocks_ = blocks_;
  return {};
}

void SegmentWriter::flush() {
  if (failed_ || used_ == 0) return;
  if (Outcome written = write_buffer(); !written) turn_to_reserve(written);
}

Outcome SegmentWriter::sync_file() {
  if (::fdatasync(fd_) != 0) return Outcome::system("sync", "journal segment");
  unsynced_ = false;
  return {};
}

void SegmentWriter::sync() {
  if (failed_ || !unsynced_) return;
  if (Outcome synced = sync_file(); !synced) turn_to_reserve(synced);
}

// --- the reserve --------------------------------------------------------------------------------

// The segment at hand takes no more: the reserve becomes the next one, and the records that had not
// been written are put there again.
void SegmentWriter::turn_to_reserve(const Outcome& why) {
  if (emergency_ || reserve_fd_ < 0) return give_up(why);
  emergency_ = true;
  error_ = why.error();
  const bool abandoned = fd_ >= 0;
  const std::vector<std::byte> waiting(buffer_.begin(),
                                       buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
  const std::uint64_t sound = abandoned ? offset_ : 0;
  if (abandoned) {
    ::close(fd_);
    fd_ = -1;
    ++segment_;
  }
  const std::uint64_t newest = last_seq_;
  last_seq_ = written_seq_;
  chain_ = written_chain_;  // of the last seal that a reader will find
  blocks_ = written_blocks_;
  used_ = 0;
  if (Outcome begun = start_reserve(sound); !begun) return give_up(begun);
  last_seq_ = newest;
  // A header that could not be written is no record; those waiting follow it or nothing does.
  if (sound > 0) put_again(waiting);
  if (Outcome written = write_buffer(); !written) return give_up(written);
}

Outcome SegmentWriter::start_reserve(std::uint64_t sound_bytes) {
  const std::string name = path_of(segment_);
  if (::rename(reserve_path().c_str(), name.c_str()) != 0) {
    return Outcome::system("rename the reserve to", name);
  }
  const int fd = reserve_fd_;
  reserve_fd_ = -1;
  return start_segment(fd, segment_flag::emergency, sound_bytes);
}

void SegmentWriter::put_again(const std::vector<std::byte>& records) {
  for (std::size_t at = 0; at + sizeof(RecordHead) <= records.size();) {
    RecordHead head;
    std::memcpy(static_cast<void*>(&head), records.data() + at, sizeof head);
    const std::byte* body = records.data() + at + sizeof head;
    if (head.type != RecordType::seal && head.type != RecordType::end) {
      append(head.type, head.flags, body, head.bytes, nullptr, 0);
    }
    at += sizeof head + padded(head.bytes);
  }
}

void SegmentWriter::give_up(const Outcome& why) {
  if (failed_) return;
  failed_ = true;
  error_ = error_.empty() ? why.error() : error_ + "; then " + why.error();
}

void SegmentWriter::fail(const Outcome& why) { give_up(why); }

}  // namespace gimbal
