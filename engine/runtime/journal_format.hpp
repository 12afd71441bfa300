// Journal format, version 1. Little endian, as memory. Page: ops/docs/journal-format.md.
//
// A journal is a run of segment files journal-EEEEEEEE-SSSSSS.gj (epoch and segment number in hex),
// one epoch = one boot. A segment is one SegmentHeader, then records back to back. A record is a
// RecordHead and `bytes` of body, zero-padded to a multiple of 16. The checksum covers the head
// from `type` on, the body and the padding, and starts from the segment header's own checksum, so
// that a record cannot move to another place or another segment unnoticed (`ordinal` is its place).
// The first record of segment 0 is the event Boot. After the last record come zeros (preallocated)
// or the end of the file. A clean stop or a rotation writes an `end` record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

inline constexpr std::uint64_t journal_magic = 0x314C4E524A424D47ULL;  // "GMBJRNL1"
inline constexpr std::uint32_t journal_version = 1;
inline constexpr std::size_t journal_align = 16;
inline constexpr std::size_t journal_body_max = 16u << 20;  // a larger length is corruption

struct SegmentHeader {
  std::uint64_t magic{journal_magic};
  std::uint32_t version{journal_version};
  std::uint32_t epoch{0};
  std::uint32_t segment{0};  // 0, 1, 2 ... in the epoch
  std::uint32_t header_bytes{80};
  std::uint64_t first_seq{0};  // the sequence number that comes next; 1 in segment 0
  std::uint64_t build_hash{0};
  std::uint64_t config_hash{0};
  std::int64_t created_unix_ns{0};
  std::int64_t created_mono_ns{0};
  std::uint32_t previous_crc{0};  // checksum of the previous segment's end record; 0 in segment 0
  std::uint32_t reserved{0};
  std::uint32_t reserved1{0};
  std::uint32_t crc{0};  // CRC-32C of everything above
};
static_assert(sizeof(SegmentHeader) == 80 && std::is_trivially_copyable_v<SegmentHeader>);

// Numbers are part of the format: append, never reorder.
enum class RecordType : std::uint16_t {
  none = 0,        // never written: zeros end a segment
  event = 1,       // one Event, 64 bytes
  side_block = 2,  // SideBlockRef, then the block's bytes; before the event that names it
  digest = 3,      // DigestRecord
  gap = 4,         // GapRecord: events were stepped but not journalled; a replay stops being exact
  end = 5,         // EndRecord
};

namespace record_flag {
inline constexpr std::uint16_t more = 1;  // event: further parts of the same unit follow
}  // namespace record_flag

struct RecordHead {
  std::uint32_t crc{0};
  RecordType type{RecordType::none};
  std::uint16_t flags{0};
  std::uint32_t bytes{0};    // of the body, without padding
  std::uint32_t ordinal{0};  // 1, 2, 3 ... in the segment
};
static_assert(sizeof(RecordHead) == 16);

// State of the command digest after the event `seq` was stepped: what a replay must reach there.
struct DigestRecord {
  std::uint64_t seq{0};
  std::uint64_t digest{0};
  std::uint64_t commands{0};
  std::uint64_t reserved{0};
};
static_assert(sizeof(DigestRecord) == 32);

struct GapRecord {
  std::uint64_t first_seq{0};  // first event that is missing
  std::uint64_t records{0};    // how many records are missing
};
static_assert(sizeof(GapRecord) == 16);

enum class EndReason : std::uint32_t { rotated = 1, closed = 2 };
struct EndRecord {
  std::uint64_t next_seq{0};
  EndReason reason{EndReason::closed};
  std::uint32_t reserved{0};
};
static_assert(sizeof(EndRecord) == 16);

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + journal_align - 1) / journal_align * journal_align;
}

}  // namespace gimbal
