#include <algorithm>
#include <cstring>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {
namespace {

// A hostile file could make the search after damage quadratic: past this many checksummed bytes the
// answer is "corrupt", the stricter one.
constexpr std::uint64_t search_bytes_max = 64u << 20;

// The body sizes a type may have; side blocks are open-ended.
bool plausible(const RecordHead& head) noexcept {
  switch (head.type) {
    case RecordType::event: return head.bytes == sizeof(Event) && head.flags <= record_flag::more;
    case RecordType::side_block:
      return head.bytes >= sizeof(SideBlockRef) && head.bytes <= journal_body_max &&
             head.flags == 0;
    case RecordType::digest: return head.bytes == sizeof(DigestRecord) && head.flags == 0;
    case RecordType::gap: return head.bytes == sizeof(GapRecord) && head.flags == 0;
    case RecordType::end: return head.bytes == sizeof(EndRecord) && head.flags == 0;
    case RecordType::seal: return head.bytes == sizeof(SealRecord) && head.flags == 0;
    case RecordType::frame:
      return head.bytes >= sizeof(FrameRecord) && head.bytes <= journal_body_max && head.flags == 0;
    case RecordType::none: return false;
  }
  return false;
}

template <class T>
T read_as(std::span<const std::byte> bytes) noexcept {
  T value;
  std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
  return value;
}

bool all_zero(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

const char* read_header(std::span<const std::byte> bytes, std::uint64_t magic,
                        SegmentHeader& header) noexcept {
  header = {};
  if (bytes.size() < header_bytes_v1) return "segment header is incomplete";
  std::memcpy(static_cast<void*>(&header), bytes.data(), header_bytes_v1);
  if (header.magic != magic) return "not a segment of this stream (magic)";
  if (header.version < journal_version_min || header.version > journal_version) {
    return "unknown journal format version";
  }
  const std::size_t size = header.version == 1 ? header_bytes_v1 : sizeof header;
  if (bytes.size() < size) return "segment header is incomplete";
  if (header.version == 1) {
    std::memcpy(&header.crc, bytes.data() + size - sizeof header.crc, sizeof header.crc);
    header.flags = 0;
    header.sound_bytes = 0;
  } else {
    std::memcpy(static_cast<void*>(&header), bytes.data(), size);
  }
  if (crc32c(bytes.data(), size - sizeof header.crc) != header.crc) {
    return "segment header checksum differs";
  }
  if (header.header_bytes != size) return "unknown header size";
  return nullptr;
}

JournalReader::JournalReader(JournalSegments segments, const StreamName& stream)
    : segments_{std::move(segments)},
      magic_{stream.magic},
      events_{stream.magic == journal_magic},
      first_event_seen_{!events_} {}

JournalStatus JournalReader::stop(JournalStatus status, std::string text, std::uint64_t offset) {
  finished_ = true;
  status_ = status;
  error_ = std::move(text);
  error_offset_ = offset;
  error_segment_ = static_cast<std::uint32_t>(current_);
  return status;
}

std::string JournalReader::place_of_error() const {
  return error_ + " (segment " + std::to_string(error_segment_) + ", offset " +
         std::to_string(error_offset_) + ")";
}

JournalStatus JournalReader::open_segment() {
  if (current_ >= segments_.size()) {
    return stop(JournalStatus::corrupt,
                segments_.empty() ? "the journal has no segment" : "the next segment is missing",
                0);
  }
  bytes_before_ += offset_;
  offset_ = sound_to_ = 0;
  if (Outcome opened = window_.open(segments_, current_); !opened) {
    return stop(JournalStatus::corrupt, opened.error(), 0);
  }
  const bool last = current_ + 1 == segments_.size();
  const auto bytes = window_.at(0, sizeof(SegmentHeader));
  if (!window_.error().empty()) return stop(JournalStatus::corrupt, window_.error(), 0);
  if (bytes.size() < header_bytes_v1 || all_zero(bytes.first(header_bytes_v1))) {
    return stop(last && current_ > 0 ? JournalStatus::torn : JournalStatus::corrupt,
                "segment header is incomplete", 0);
  }
  SegmentHeader header;
  const char* why = read_header(bytes, magic_, header);
  if (why == nullptr) why = follows(header);
  if (why != nullptr) return stop(JournalStatus::corrupt, why, 0);
  header_ = header;
  offset_ = header.header_bytes;
  ordinal_ = 0;
  opened_ = true;
  hash_segment(bytes.first(offset_));
  sealed_to_ = 0;
  abandoned_at_ = abandon_offset();
  return JournalStatus::record;
}

// Whether the segment continues what was read so far.
const char* JournalReader::follows(const SegmentHeader& header) const noexcept {
  if (header.segment != current_) return "segment number out of order";
  if (events_ && header.first_seq != next_seq_ && !gap_before_) {
    return "segment does not continue the sequence";
  }
  if (current_ > 0 && header.epoch != header_.epoch) return "segment of another boot";
  if (header.previous_crc != (current_ == 0 ? 0 : last_crc_)) {
    // The crc of an end record that could not be written is nobody's predecessor.
    const bool abandoned = (header.flags & segment_flag::emergency) != 0 && header.sound_bytes > 0;
    if (!abandoned) return "segment does not follow the one before";
  }
  if (header.version > 1 && header.chain != chain_) return "segment chain differs";
  return nullptr;
}

// Where the segment at hand stops because the writer could not go on in it, as the next one says.
std::uint64_t JournalReader::abandon_offset() const {
  if (current_ + 1 >= segments_.size()) return UINT64_MAX;
  SegmentHeader next;
  SegmentWindow window;
  if (!window.open(segments_, current_ + 1) ||
      read_header(window.at(0, sizeof next), magic_, next) != nullptr ||
      (next.flags & segment_flag::emergency) == 0 || next.sound_bytes == 0) {
    return UINT64_MAX;
  }
  return next.sound_bytes;
}

// Nothing follows but a segment that was created and never begun: its writer died, or could not
// write, in between.
bool JournalReader::is_last() const {
  if (current_ + 1 >= segments_.size()) return true;
  SegmentWindow next;
  return current_ + 2 == segments_.size() && next.open(segments_, current_ + 1) &&
         next.zeros_from(0);
}

// What the chain covers is hashed before the window moves on.
std::span<const std::byte> JournalReader::bytes_at(std::uint64_t offset, std::uint64_t bytes) {
  if (!window_.holds(offset, bytes)) hash_up_to(offset_);
  return window_.at(offset, bytes);
}

void JournalReader::hash_up_to(std::uint64_t offset) {
  if (offset <= hashed_to_) return;
  const auto bytes = window_.at(hashed_to_, offset - hashed_to_);
  if (hasher_ != nullptr) {
    hasher_->add(window_.hold(), bytes);
  } else {
    hash_.add(bytes.data(), bytes.size());
  }
  hashed_to_ = offset;
}

void JournalReader::hash_segment(std::span<const std::byte> header) {
  hashed_to_ = 0;
  if (hasher_ != nullptr) {
    hasher_->restart(chain_);
  } else {
    hash_.restart();
    hash_.add(chain_.data(), chain_.size());
  }
  hash_up_to(header.size());
}

// The chain's value here; the seal's own where another thread judges it.
Sha256Digest JournalReader::hash_seal(const SealRecord& seal) {
  hash_up_to(offset_);
  if (hasher_ != nullptr) {
    hasher_->seal(seal.chain, blocks_, static_cast<std::uint32_t>(current_), offset_);
    return seal.chain;
  }
  const Sha256Digest found = hash_.finish();
  hash_.add(found.data(), found.size());
  return found;
}

JournalReader::Look JournalReader::look(std::uint64_t offset, std::uint32_t ordinal,
                                        RecordHead& head, const char*& why) {
  const std::uint64_t left = window_.size() - offset;
  if (left == 0) return Look::zeros;
  if (left < sizeof(RecordHead)) {
    why = "incomplete record head";
    return window_.zeros_from(offset) ? Look::zeros : Look::bad;
  }
  const auto first = bytes_at(offset, sizeof head);
  if (first.size() < sizeof head) return Look::bad;
  head = read_as<RecordHead>(first);
  if (head.crc == 0 && head.type == RecordType::none && head.bytes == 0 && head.ordinal == 0 &&
      window_.zeros_from(offset)) {
    return Look::zeros;
  }
  if (!plausible(head)) {
    why = "record type, flags or length make no sense";
    return Look::bad;
  }
  const std::uint64_t total = sizeof head + padded(head.bytes);
  if (total > left) {
    why = "record passes the end of the segment";
    return Look::bad;
  }
  if (head.ordinal != ordinal) {
    why = "record is not in its place";
    return Look::bad;
  }
  const auto all = bytes_at(offset, total);
  if (all.size() < total) return Look::bad;
  const auto body = all.subspan(sizeof head.crc);
  if (crc32c(body.data(), body.size(), header_.crc) != head.crc) {
    why = "record checksum differs";
    return Look::bad;
  }
  return Look::good;
}

// Whether any whole record later than `ordinal` starts behind `offset`.
bool JournalReader::sound_record_after(std::uint64_t offset, std::uint32_t ordinal) {
  std::uint64_t checked = 0;
  for (std::uint64_t at = offset + journal_align; at + sizeof(RecordHead) <= window_.size();
       at += journal_align) {
    const auto bytes = bytes_at(at, sizeof(RecordHead));
    if (bytes.size() < sizeof(RecordHead)) return true;  // what cannot be read may be sound
    const auto head = read_as<RecordHead>(bytes);
    if (!plausible(head) || head.ordinal <= ordinal) continue;
    if (head.ordinal - ordinal > (at - offset) / journal_align) continue;
    const std::uint64_t total = sizeof head + padded(head.bytes);
    if (total > window_.size() - at) continue;
    checked += total;
    if (checked > search_bytes_max) return true;
    RecordHead again;
    const char* why = nullptr;
    if (look(at, head.ordinal, again, why) == Look::good) return true;
  }
  return false;
}

// `offset` and `ordinal` name the first record that is not sound; what is dropped starts at
// offset_.
JournalStatus JournalReader::damaged(const std::string& why, std::uint64_t offset,
                                     std::uint32_t ordinal) {
  if (!window_.error().empty()) return stop(JournalStatus::corrupt, window_.error(), offset_);
  const bool torn = is_last() && !sound_record_after(offset, ordinal);
  return stop(torn ? JournalStatus::torn : JournalStatus::corrupt, why, offset_);
}

// Moves `offset` and `ordinal` from the second part of a unit to the first part that is not sound;
// false when all parts are there, and `offset` is behind them.
bool JournalReader::find_broken_part(std::uint64_t& offset, std::uint32_t& ordinal) {
  bool more = true;
  for (std::size_t i = 1; more && i < event_parts_max; ++i) {
    RecordHead head;
    const char* why = nullptr;
    if (look(offset, ordinal, head, why) != Look::good) return true;
    more = head.type == RecordType::event && (head.flags & record_flag::more) != 0;
    offset += sizeof head + padded(head.bytes);
    ++ordinal;
  }
  return false;
}

JournalStatus JournalReader::next(JournalRecord& out) {
  if (finished_) return status_;
  for (;;) {
    if (!opened_ && open_segment() != JournalStatus::record) return status_;
    RecordHead head;
    const char* why = "";
    if (parts_seen_ == 0 && offset_ == abandoned_at_) {
      opened_ = false;
      ++current_;
      continue;
    }
    Look seen = Look::good;
    if (offset_ < sound_to_) {
      head = read_as<RecordHead>(bytes_at(offset_, sizeof head));
    } else {
      seen = look(offset_, ordinal_ + 1, head, why);
    }
    if (seen == Look::bad) return damaged(why, offset_, ordinal_ + 1);
    if (seen == Look::zeros) {
      if (!is_last()) {
        return stop(JournalStatus::corrupt, "segment stops before its end record", offset_);
      }
      if (!first_event_seen_) return stop(JournalStatus::torn, "no Boot record yet", offset_);
      return stop(JournalStatus::open_end, "no end record", offset_);
    }
    if (head.type == RecordType::event && parts_seen_ == 0 &&
        (head.flags & record_flag::more) != 0) {
      std::uint64_t part = offset_ + sizeof head + padded(head.bytes);
      std::uint32_t ordinal = ordinal_ + 2;
      if (find_broken_part(part, ordinal)) {
        return damaged("a record of several parts is incomplete", part, ordinal);
      }
      sound_to_ = part;
    }
    const std::uint64_t at = offset_;
    const JournalStatus status = head.type == RecordType::seal ? check_seal() : deliver(head, out);
    if (finished_) return status;
    out.segment = header_.segment;
    out.offset = at;
    offset_ = at + sizeof head + padded(head.bytes);
    ++ordinal_;
    last_crc_ = head.crc;
    if (head.type == RecordType::seal) continue;
    if (head.type != RecordType::end) return JournalStatus::record;
    opened_ = false;  // rotated: go on in the next segment
    ++current_;
  }
}

// A seal says what every byte before it was; nothing of it is delivered.
JournalStatus JournalReader::check_seal() {
  const auto seal = read_as<SealRecord>(bytes_at(offset_ + sizeof(RecordHead), sizeof(SealRecord)));
  const Sha256Digest found = hash_seal(seal);
  if (seal.block != blocks_ || seal.first_offset != sealed_to_ ||
      seal.bytes != offset_ - sealed_to_ || seal.chain != found) {
    return stop(JournalStatus::corrupt,
                "seal differs: a record of block " + std::to_string(blocks_) + " was changed",
                offset_);
  }
  chain_ = found;
  ++blocks_;
  sealed_to_ = offset_;
  return JournalStatus::record;
}

JournalStatus JournalReader::deliver(const RecordHead& head, JournalRecord& out) {
  const auto body = bytes_at(offset_ + sizeof head, head.bytes);
  const auto corrupt = [&](const char* why) { return stop(JournalStatus::corrupt, why, offset_); };
  if (!first_event_seen_ && head.type != RecordType::event)
    return corrupt("first record is not Boot");
  if (parts_seen_ != 0 && head.type != RecordType::event) return corrupt("record inside a unit");
  const bool of_stream = head.type == RecordType::frame ? !events_ : true;
  const bool of_core = head.type == RecordType::event || head.type == RecordType::side_block ||
                       head.type == RecordType::digest;
  if (!of_stream || (of_core && !events_)) return corrupt("record of another stream");
  out.type = head.type;
  out.more = (head.flags & record_flag::more) != 0;
  switch (head.type) {
    case RecordType::event: {
      out.event = read_as<Event>(body);
      const char* why = accept_event(out.event, out.more);
      return why != nullptr ? corrupt(why) : JournalStatus::record;
    }
    case RecordType::side_block:
      out.block = read_as<SideBlockRef>(body);
      out.bytes = body.subspan(sizeof(SideBlockRef));
      if (out.block.bytes != out.bytes.size() ||
          crc32c(out.bytes.data(), out.bytes.size()) != out.block.crc32c) {
        return corrupt("side block differs from its reference");
      }
      return JournalStatus::record;
    case RecordType::digest: out.digest = read_as<DigestRecord>(body); return JournalStatus::record;
    case RecordType::gap:
      out.gap = read_as<GapRecord>(body);
      gap_before_ = true;
      return JournalStatus::record;
    case RecordType::end: return on_end(body);
    case RecordType::frame:
      out.frame = read_as<FrameRecord>(body);
      out.bytes = body.subspan(sizeof(FrameRecord));
      return JournalStatus::record;
    case RecordType::seal:
    case RecordType::none: break;
  }
  return corrupt("record type makes no sense");
}

JournalStatus JournalReader::on_end(std::span<const std::byte> body) {
  const auto end = read_as<EndRecord>(body);
  const auto corrupt = [&](const char* why) { return stop(JournalStatus::corrupt, why, offset_); };
  if (events_ && end.next_seq != next_seq_ && !gap_before_)
    return corrupt("end record of another sequence");
  if (!window_.zeros_from(offset_ + sizeof(RecordHead) + sizeof(EndRecord))) {
    return corrupt("bytes after the end record");
  }
  if (end.reason == EndReason::rotated) {
    if (current_ + 1 < segments_.size()) return JournalStatus::record;
    ++current_;
    return stop(JournalStatus::corrupt, "the next segment is missing", 0);
  }
  if (end.reason != EndReason::closed) return corrupt("end record without a known reason");
  if (current_ + 1 < segments_.size()) return corrupt("segments follow the end of the journal");
  return stop(JournalStatus::end, "", offset_);
}

const char* JournalReader::accept_event(const Event& event, bool more) noexcept {
  const auto kind = static_cast<std::size_t>(event.kind());
  if (kind == 0 || kind >= event_kinds) return "event of an unknown kind";
  if (!first_event_seen_ && event.kind() != EventKind::boot) return "first record is not Boot";
  const std::uint8_t count = event.part_count();
  if (count == 0 || count > event_parts_max || event.part_index() != parts_seen_ + 1 ||
      event.part_index() > count || more == event.last_part()) {
    return "parts of a unit are out of order";
  }
  const std::uint64_t seq = event.seq().value;
  if (seq != next_seq_ && !(gap_before_ && seq > next_seq_)) return "sequence number out of order";
  next_seq_ = seq + 1;
  gap_before_ = false;
  first_event_seen_ = true;
  parts_seen_ = more ? static_cast<std::uint8_t>(parts_seen_ + 1) : std::uint8_t{0};
  return nullptr;
}

}  // namespace gimbal
