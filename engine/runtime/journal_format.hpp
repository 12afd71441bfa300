// Journal format, version 2. Little endian, as memory. Page: ops/docs/journal-format.md.
//
// A stream is a run of segment files NAME-EEEEEEEE-SSSSSS.SUFFIX (epoch and segment number in hex),
// one epoch = one boot: "journal-*.gj" holds what was stepped, "frames-*.gf" what came and went on
// the wire. A segment is one SegmentHeader, then records back to back. A record is a RecordHead and
// `bytes` of body, zero-padded to a multiple of 16. The checksum covers the head from `type` on,
// the body and the padding, and starts from the segment header's own checksum, so that a record
// cannot move to another place or another segment unnoticed (`ordinal` is its place). After at
// least seal_bytes of records a `seal` record carries the running SHA-256 chain over every byte
// before it. The first record of the journal's segment 0 is the event Boot. After the last record
// come zeros (preallocated) or the end of the file. A clean stop or a rotation writes a seal and an
// `end` record.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

inline constexpr std::uint64_t journal_magic = 0x314C4E524A424D47ULL;  // "GMBJRNL1"
inline constexpr std::uint64_t frames_magic = 0x314D415246424D47ULL;   // "GMBFRAM1"
inline constexpr std::uint32_t journal_version = 2;
inline constexpr std::uint32_t journal_version_min = 1;  // the oldest that is still read
inline constexpr std::size_t journal_align = 16;
inline constexpr std::size_t journal_body_max = 16u << 20;  // a larger length is corruption
inline constexpr std::size_t seal_bytes = 64u << 10;        // records between two seals

namespace segment_flag {
// Written into the reserve after the segment before it could not be continued; only what must not
// be lost follows (private events, operator commands). `sound_bytes` says where that one stops.
inline constexpr std::uint32_t emergency = 1;
}  // namespace segment_flag

struct SegmentHeader {
  std::uint64_t magic{journal_magic};
  std::uint32_t version{journal_version};
  std::uint32_t epoch{0};
  std::uint32_t segment{0};  // 0, 1, 2 ... in the epoch
  std::uint32_t header_bytes{128};
  std::uint64_t first_seq{0};  // the sequence number that comes next; 1 in segment 0
  std::uint64_t build_hash{0};
  std::uint64_t config_hash{0};
  std::int64_t created_unix_ns{0};
  std::int64_t created_mono_ns{0};
  std::uint32_t previous_crc{0};  // checksum of the previous segment's end record; 0 in segment 0
  std::uint32_t flags{0};         // segment_flag
  std::uint64_t sound_bytes{0};   // emergency: length of the abandoned segment; 0: it has its end
  std::array<std::uint8_t, 32> chain{};  // of the previous segment's last seal; 0 in segment 0
  std::array<std::uint32_t, 3> reserved{};
  std::uint32_t crc{0};  // CRC-32C of everything above
};
static_assert(sizeof(SegmentHeader) == 128 && std::is_trivially_copyable_v<SegmentHeader>);
// Version 1: no flags, no chain, no seals; 80 bytes, the same up to previous_crc.
inline constexpr std::size_t header_bytes_v1 = 80;

// Numbers are part of the format: append, never reorder.
enum class RecordType : std::uint16_t {
  none = 0,        // never written: zeros end a segment
  event = 1,       // one Event, 64 bytes
  side_block = 2,  // SideBlockRef, then the block's bytes; before the event that names it
  digest = 3,      // DigestRecord
  gap = 4,         // GapRecord: events were stepped but not journalled; a replay stops being exact.
                   // In the frame stream: frames were not kept (first_seq 0)
  end = 5,         // EndRecord
  seal = 6,        // SealRecord
  frame = 7,       // FrameRecord, then the text; in the frame stream only
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

// Chain value = SHA-256(chain before || bytes of the segment from first_offset to this record).
struct SealRecord {
  std::uint64_t block{0};         // 0, 1, 2 ... in the epoch
  std::uint64_t first_offset{0};  // in the segment; 0 covers the header too
  std::uint64_t bytes{0};
  std::array<std::uint8_t, 32> chain{};
};
static_assert(sizeof(SealRecord) == 56);

enum class FrameKind : std::uint8_t {
  text_in = 1,    // a text frame as it came
  text_out = 2,   // an order's text as it left
  opened = 3,     // a connection was taken over
  ended = 4,      // it is gone
  timer = 5,      // the session's timer ran
  resync = 6,     // the core asked for an instrument again (`detail`)
  listed = 7,     // an instrument was listed: its channels are asked for (`detail`)
  retired = 8,    // an instrument has ended: its channels are given up (`detail`)
  conflated = 9,  // from here on events are missing from the journal: `detail` is a ConflatedBy
  named = 10,     // an instrument's name (text) is known from here on; without a text: those below
  terms = 11,     // the order session took over an Instrument (its bytes)
};
enum class ConflatedBy : std::uint32_t {
  tickers = 0,      // replaced by newer ones before the core saw them
  market_ring = 1,  // it was full: the feeds start over
  order_ring = 2,   // it was full: the order session starts over
};
namespace frame_flag {
inline constexpr std::uint8_t redacted = 1;  // tokens in the text were overwritten with '*'
}  // namespace frame_flag

// One call of a session's decoder or gateway, in the order in which they happened on its thread.
struct FrameRecord {
  std::int64_t recv_mono_ns{0};
  std::uint64_t seq{0};  // last sequence number on the session's thread; 0: not known there
  std::uint16_t slot{0};
  FrameKind kind{FrameKind::text_in};
  std::uint8_t flags{0};
  std::uint32_t detail{0};
};
static_assert(sizeof(FrameRecord) == 24);

constexpr std::size_t padded(std::size_t bytes) noexcept {
  return (bytes + journal_align - 1) / journal_align * journal_align;
}

}  // namespace gimbal
