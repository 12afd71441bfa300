// Writes the segments of one stream: header, records with checksums, seals, rotation, and the
// reserve for the day the disk is full. Cold, one thread.
//
// Bytes gather in a buffer and are written by flush(). When a write, a sync or a new segment fails,
// the reserve (preallocated when the stream was opened) becomes the next segment, and what had not
// been written goes there: see segment_flag::emergency. Only when that fails too is the stream
// failed for good.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/runtime/journal_format.hpp"
#include "engine/runtime/journal_place.hpp"
#include "engine/runtime/outcome.hpp"
#include "engine/runtime/sha256.hpp"

namespace gimbal {

// What identifies a run; the same values as in its Boot record.
struct JournalIdentity {
  std::uint32_t epoch{0};
  std::uint64_t build_hash{0};
  std::uint64_t config_hash{0};
};

// Which stream: "journal" and ".gj", or "frames" and ".gf".
struct StreamName {
  const char* prefix{"journal"};
  const char* suffix{".gj"};
  std::uint64_t magic{journal_magic};
};
inline constexpr StreamName journal_stream{};
inline constexpr StreamName frame_stream{"frames", ".gf", frames_magic};

// "journal-EEEEEEEE-SSSSSS.gj", in hexadecimal.
[[nodiscard]] std::string segment_name(const StreamName& stream, std::uint32_t epoch,
                                       std::uint32_t segment);

struct SegmentConfig {
  std::string directory{};
  std::uint64_t segment_bytes{256u << 20};  // rotation size; preallocated
  std::uint64_t reserve_bytes{8u << 20};    // the emergency segment; 0: none
};

class SegmentWriter {
 public:
  SegmentWriter(SegmentConfig config, const StreamName& stream, const JournalIdentity& identity);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // Creates the first segment and the reserve. Fails when the segment exists.
  Outcome open();
  // Adds one record; `tail` follows `body`. Rotates and flushes by itself, but never between the
  // parts of a unit (`more` in the flags of the record before).
  void put(RecordType type, std::uint16_t flags, const void* body, std::size_t bytes,
           const void* tail = nullptr, std::size_t tail_bytes = 0);
  // The last sequence number that was put; goes into headers and the end record.
  void note_seq(std::uint64_t seq) noexcept { last_seq_ = seq; }

  void flush();
  void sync();
  // Seals, ends, syncs and cuts the file. After it nothing may be put.
  Outcome close();

  [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  // The reserve is in use: why is in error().
  [[nodiscard]] bool emergency() const noexcept { return emergency_; }
  [[nodiscard]] bool mid_unit() const noexcept { return mid_unit_; }
  [[nodiscard]] bool unsynced() const noexcept { return unsynced_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::uint64_t written_seq() const noexcept { return written_seq_; }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept { return bytes_total_; }
  // Behind the record of written_seq().
  [[nodiscard]] const JournalPlace& place() const noexcept { return place_; }
  [[nodiscard]] std::uint32_t segment() const noexcept { return segment_; }
  [[nodiscard]] const Sha256Digest& chain() const noexcept { return chain_; }
  // Marks the stream as failed for a reason outside of it.
  void fail(const Outcome& why);

 private:
  [[nodiscard]] std::string path_of(std::uint32_t segment) const;
  Outcome create(const std::string& path, int& fd) const;
  Outcome open_segment();
  Outcome begin_segment(int fd, const std::string& path);
  Outcome start_segment(int fd, std::uint32_t flags, std::uint64_t sound_bytes);
  Outcome end_segment(EndReason reason);
  Outcome make_reserve();
  Outcome write_buffer();
  Outcome sync_file();
  void rotate();
  void append(RecordType type, std::uint16_t flags, const void* body, std::size_t bytes,
              const void* tail, std::size_t tail_bytes);
  void seal();
  void turn_to_reserve(const Outcome& why);
  Outcome start_reserve(std::uint64_t sound_bytes);
  void put_again(const std::vector<std::byte>& records);
  void give_up(const Outcome& why);
  [[nodiscard]] std::string reserve_path() const;

  SegmentConfig config_;
  StreamName stream_;
  JournalIdentity identity_;
  int fd_{-1};
  int reserve_fd_{-1};
  std::uint32_t segment_{0};
  std::uint32_t ordinal_{0};
  std::uint32_t salt_{0};
  std::uint32_t last_crc_{0};
  std::uint64_t offset_{0};  // bytes of the segment that are written
  std::uint64_t last_seq_{0};
  std::uint64_t written_seq_{0};
  JournalPlace place_{};  // as of the last write
  std::uint64_t bytes_total_{0};
  RunningSha256 hash_{};
  Sha256Digest chain_{};
  std::uint64_t blocks_{0};
  Sha256Digest written_chain_{};  // as of the last write
  std::uint64_t written_blocks_{0};
  std::uint64_t sealed_to_{0};  // offset in the segment up to which seals reach
  bool chained_{false};         // hash_ holds the chain value already
  bool mid_unit_{false};
  bool unsynced_{false};
  bool emergency_{false};
  bool failed_{false};
  std::vector<std::byte> buffer_;
  std::size_t used_{0};
  std::string error_;
};

}  // namespace gimbal
