// The journal's two ends. JournalWriter: append* on the hot sequencer thread (a ring push, no
// system call, never blocks), drain() on one cold thread (checksums, pwrite, fdatasync by policy,
// rotation). JournalReader: every byte of input is distrusted; see journal_format.hpp.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "engine/runtime/chain_hasher.hpp"
#include "engine/runtime/journal_format.hpp"
#include "engine/runtime/journal_segments.hpp"
#include "engine/runtime/outcome.hpp"
#include "engine/runtime/ring.hpp"
#include "engine/runtime/segment_writer.hpp"
#include "engine/runtime/side_blocks.hpp"

namespace gimbal {

struct JournalConfig {
  std::string directory{};
  std::size_t ring_records{65536};
  std::uint64_t segment_bytes{256u << 20};  // rotation size; preallocated
  std::uint64_t reserve_bytes{8u << 20};    // preallocated for a full disk
  Nanos sync_interval{milliseconds(100)};   // behind the end of the last fdatasync; 0: every batch
  std::size_t drain_max{8192};              // records per drain() call
};

// Records kept free in the ring for what must not be lost (private events, operator commands) when
// market data is more than the writer takes.
inline constexpr std::size_t journal_ring_reserve = 4096;

// Whether an event stays in the journal when there is no room for everything.
[[nodiscard]] bool essential(EventKind kind) noexcept;

class JournalWriter {
 public:
  // `blocks` may be null when no side block will ever be appended; it must outlive the writer.
  JournalWriter(JournalConfig config, JournalIdentity identity, SideBlockPool* blocks);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // Cold, before the first append: `look` sees every event that drain() takes, on drain()'s thread,
  // in the journal's order. A reader of market data that costs the hot thread nothing.
  void observe(std::function<void(const Event&)> look) { looks_.push_back(std::move(look)); }

  // Cold, before the first append: creates the directory's first segment. Fails when it exists.
  Outcome open();

  // --- hot, one thread
  // ---------------------------------------------------------------------------- One unit (1-4
  // records, all with their final head) as a whole. False: ring full (market data: full but for
  // journal_ring_reserve), disk full, write error, or a first record that is not Boot; the caller
  // trips HALT. A later append then writes a gap record.
  [[nodiscard]] bool append(const Event* unit, std::size_t count) noexcept;
  // Journals the pool's block before the event that names it; the writer releases its hold.
  [[nodiscard]] bool append_side_block(const SideBlockRef& ref) noexcept;
  [[nodiscard]] bool append_digest(const DigestRecord& digest) noexcept;
  // Drops what the ring holds, unwritten: for a journal that nobody reads and that was never
  // opened (the rehearsals of ops/app).
  void discard() noexcept {
    Event entry;
    while (ring_.pop_into(entry)) {}
  }
  [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_relaxed); }
  // The emergency segment is being written: market data is not taken any more.
  [[nodiscard]] bool degraded() const noexcept { return degraded_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t lost_records() const noexcept {
    return lost_total_.load(std::memory_order_relaxed);
  }

  // --- cold, one thread
  // --------------------------------------------------------------------------- Writes what the
  // ring holds, at most drain_max records, and begins none long after `until` (CLOCK_MONOTONIC);
  // always some, and whole units. What is left stays in the ring. Gives the records taken.
  std::size_t drain(RecvTime until = RecvTime{INT64_MAX});
  // Drains everything, writes the end record, syncs, cuts the file to its length. Cold; the hot
  // side must have stopped.
  Outcome close();
  // Why the journal failed or is degraded. Cold thread only.
  [[nodiscard]] const std::string& error() const noexcept { return segments_.error(); }
  [[nodiscard]] const Sha256Digest& chain() const noexcept { return segments_.chain(); }
  // Where the journal goes on behind event `seq`; not known unless that was written last. Cold
  // thread only.
  [[nodiscard]] JournalPlace place_behind(Seq seq) const noexcept {
    return seq.value == segments_.written_seq() ? segments_.place() : JournalPlace{};
  }

  // --- any thread
  // --------------------------------------------------------------------------------- Sequence
  // numbers up to which records were handed to the kernel, and made durable.
  [[nodiscard]] Seq written() const noexcept { return {written_.load(std::memory_order_acquire)}; }
  [[nodiscard]] Seq durable() const noexcept { return {durable_.load(std::memory_order_acquire)}; }
  [[nodiscard]] std::size_t backlog() const noexcept { return ring_.size(); }
  [[nodiscard]] std::uint64_t bytes_written() const noexcept {
    return bytes_total_.load(std::memory_order_relaxed);
  }

  // Where the next events go: bring_near.hpp. Hot side.
  void look_over() const noexcept { ring_.look_over(); }

 private:
  bool lose(const Event* unit, std::size_t count) noexcept;
  bool write_gap(std::size_t keep) noexcept;
  bool push_control(RecordType type, const void* body, std::size_t bytes,
                    std::size_t keep) noexcept;
  void take(const Event& entry);
  void publish();

  JournalConfig config_;
  SideBlockPool* blocks_;
  SpscRing<Event> ring_;
  std::size_t ring_reserve_;

  // hot side
  bool booted_{false};
  std::uint64_t lost_{0};
  std::uint64_t lost_first_{0};
  std::atomic<std::uint64_t> lost_total_{0};  // written here, read by any thread

  // cold side
  SegmentWriter segments_;
  std::vector<std::function<void(const Event&)>> looks_;
  std::int64_t last_sync_ns_{0};

  alignas(64) std::atomic<bool> failed_{false};
  std::atomic<bool> degraded_{false};
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> durable_{0};
  std::atomic<std::uint64_t> bytes_total_{0};
};

enum class JournalStatus : std::uint8_t {
  record,    // `out` holds the next record
  end,       // clean end: the end record of a closed journal was read
  open_end,  // the records stop at zeros or the end of the file without an end record (still
             // running, or the process died between two writes); every record before is sound
  torn,  // the last write is incomplete: bytes at error_offset() are dropped, all before is sound
  corrupt,  // damage with sound records after it, or a broken header: see error()
};

struct JournalRecord {
  RecordType type{RecordType::none};
  bool more{false};                    // event: further parts of the unit follow
  Event event{};                       // type event
  SideBlockRef block{};                // type side_block
  FrameRecord frame{};                 // type frame
  std::span<const std::byte> bytes{};  // types side_block and frame; valid until the next read
  DigestRecord digest{};               // type digest
  GapRecord gap{};                     // type gap
  std::uint32_t segment{0};
  std::uint64_t offset{0};  // of the record in its segment
};

// Reads and checks a segment header of any version that is still read; the text says what is wrong,
// nullptr when nothing is.
[[nodiscard]] const char* read_header(std::span<const std::byte> bytes, std::uint64_t magic,
                                      SegmentHeader& header) noexcept;

class JournalReader {
 public:
  // The segments in order, of the journal or of the frame stream. Files are read a window at a
  // time; one that cannot be read or unpacked is damage.
  explicit JournalReader(JournalSegments segments, const StreamName& stream = journal_stream);
  explicit JournalReader(const std::vector<std::span<const std::byte>>& segments,
                         const StreamName& stream = journal_stream)
      : JournalReader{JournalSegments{segments}, stream} {}

  // Before the first next(): the chain is `hasher`'s to check, and seals are believed here.
  // Checksums and order of the records are checked all the same.
  void chain_by(ChainHasher& hasher) noexcept { hasher_ = &hasher; }

  // Delivers only whole units: the parts of an incomplete last unit are dropped as torn.
  // After any answer but `record` every further call gives the same answer.
  [[nodiscard]] JournalStatus next(JournalRecord& out);

  [[nodiscard]] const SegmentHeader& header() const noexcept { return header_; }  // current segment
  // SHA-256 chain and number of the sealed blocks read so far.
  [[nodiscard]] const Sha256Digest& chain() const noexcept { return chain_; }
  [[nodiscard]] std::uint64_t blocks() const noexcept { return blocks_; }
  // Bytes of the current segment behind its last seal: guarded by checksums alone.
  [[nodiscard]] std::uint64_t unsealed_bytes() const noexcept { return offset_ - sealed_to_; }
  // Of all segments that were opened, unpacked, up to where each was read.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_before_ + offset_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::string place_of_error() const;  // error(), with its segment and offset
  [[nodiscard]] std::uint64_t error_offset() const noexcept { return error_offset_; }
  [[nodiscard]] std::uint32_t error_segment() const noexcept { return error_segment_; }

 private:
  enum class Look : std::uint8_t { good, zeros, bad };
  JournalStatus stop(JournalStatus status, std::string text, std::uint64_t offset);
  JournalStatus open_segment();
  [[nodiscard]] const char* follows(const SegmentHeader& header) const noexcept;
  [[nodiscard]] std::uint64_t abandon_offset() const;
  [[nodiscard]] bool is_last() const;
  std::span<const std::byte> bytes_at(std::uint64_t offset, std::uint64_t bytes);
  void hash_segment(std::span<const std::byte> header);
  void hash_up_to(std::uint64_t offset);
  Sha256Digest hash_seal(const SealRecord& seal);
  JournalStatus check_seal();
  JournalStatus damaged(const std::string& why, std::uint64_t offset, std::uint32_t ordinal);
  JournalStatus on_end(std::span<const std::byte> body);
  Look look(std::uint64_t offset, std::uint32_t ordinal, RecordHead& head, const char*& why);
  [[nodiscard]] bool sound_record_after(std::uint64_t offset, std::uint32_t ordinal);
  [[nodiscard]] bool find_broken_part(std::uint64_t& offset, std::uint32_t& ordinal);
  JournalStatus deliver(const RecordHead& head, JournalRecord& out);
  const char* accept_event(const Event& event, bool more) noexcept;

  JournalSegments segments_;
  SegmentWindow window_;
  std::uint64_t magic_{journal_magic};
  bool events_{true};  // the journal, not the frame stream
  std::size_t current_{0};
  bool opened_{false};
  bool finished_{false};
  JournalStatus status_{JournalStatus::record};
  SegmentHeader header_{};
  std::uint64_t offset_{0};
  std::uint64_t bytes_before_{0};  // of the segments before
  std::uint64_t sound_to_{0};      // records up to here were looked at ahead
  std::uint32_t ordinal_{0};
  std::uint32_t last_crc_{0};
  std::uint64_t next_seq_{1};
  bool gap_before_{false};
  bool first_event_seen_{false};
  std::uint8_t parts_seen_{0};
  RunningSha256 hash_{};
  ChainHasher* hasher_{nullptr};
  Sha256Digest chain_{};
  std::uint64_t blocks_{0};
  std::uint64_t hashed_to_{0};  // offset in the segment up to which hash_ has its bytes
  std::uint64_t sealed_to_{0};
  std::uint64_t abandoned_at_{UINT64_MAX};
  std::string error_;
  std::uint64_t error_offset_{0};
  std::uint32_t error_segment_{0};
};

}  // namespace gimbal
