#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

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

Outcome read_file(const std::filesystem::path& path, std::vector<std::byte>& out) {
  std::ifstream in{path, std::ios::binary | std::ios::ate};
  if (!in) return Outcome::system("open", path.string());
  const auto bytes = static_cast<std::streamsize>(in.tellg());
  out.resize(static_cast<std::size_t>(bytes));
  in.seekg(0);
  if (bytes > 0 && !in.read(reinterpret_cast<char*>(out.data()), bytes)) {
    return Outcome::system("read", path.string());
  }
  return {};
}

// "journal-EEEEEEEE-SSSSSS.gj"
bool parse_name(const std::string& name, std::uint32_t& epoch, std::uint32_t& segment) {
  unsigned e = 0, s = 0;
  int used = 0;
  if (std::sscanf(name.c_str(), "journal-%8x-%6x.gj%n", &e, &s, &used) != 2) return false;
  if (static_cast<std::size_t>(used) != name.size()) return false;
  epoch = e;
  segment = s;
  return true;
}

}  // namespace

JournalReader::JournalReader(std::vector<std::span<const std::byte>> segments)
    : segments_{std::move(segments)} {}

Outcome JournalReader::load(const std::string& path, std::vector<std::vector<std::byte>>& segments,
                            std::uint32_t epoch) {
  namespace fs = std::filesystem;
  segments.clear();
  std::error_code bad;
  fs::path directory = path;
  std::uint32_t from = 0;
  if (fs::is_regular_file(path, bad)) {
    if (!parse_name(fs::path{path}.filename().string(), epoch, from)) {
      return read_file(path, segments.emplace_back());
    }
    directory = fs::path{path}.parent_path();
    if (directory.empty()) directory = ".";
  } else if (!fs::is_directory(path, bad)) {
    return Outcome::failure("cannot read journal " + path + ": no such file or directory");
  }
  std::vector<std::pair<std::uint32_t, fs::path>> found;
  std::uint32_t newest = epoch;
  for (const auto& entry : fs::directory_iterator{directory, bad}) {
    std::uint32_t e = 0, s = 0;
    if (!parse_name(entry.path().filename().string(), e, s)) continue;
    if (epoch == 0 && e > newest) {
      newest = e;
      found.clear();
    }
    if (e == newest && s >= from) found.emplace_back(s, entry.path());
  }
  if (found.empty()) return Outcome::failure("no journal segment in " + directory.string());
  std::sort(found.begin(), found.end());
  for (const auto& [number, file] : found) {
    if (Outcome read = read_file(file, segments.emplace_back()); !read) return read;
  }
  return {};
}

JournalStatus JournalReader::stop(JournalStatus status, std::string text, std::uint64_t offset) {
  finished_ = true;
  status_ = status;
  error_ = std::move(text);
  error_offset_ = offset;
  error_segment_ = static_cast<std::uint32_t>(current_);
  return status;
}

JournalStatus JournalReader::open_segment() {
  if (current_ >= segments_.size()) {
    return stop(JournalStatus::corrupt,
                segments_.empty() ? "the journal has no segment" : "the next segment is missing",
                0);
  }
  bytes_ = segments_[current_];
  const bool last = current_ + 1 == segments_.size();
  if (bytes_.size() < sizeof(SegmentHeader) || all_zero(bytes_.first(sizeof(SegmentHeader)))) {
    return stop(last && current_ > 0 ? JournalStatus::torn : JournalStatus::corrupt,
                "segment header is incomplete", 0);
  }
  const auto header = read_as<SegmentHeader>(bytes_);
  const char* why = nullptr;
  if (header.magic != journal_magic)
    why = "not a journal segment (magic)";
  else if (header.version != journal_version)
    why = "unknown journal format version";
  else if (crc32c(&header, sizeof header - sizeof header.crc) != header.crc)
    why = "segment header checksum differs";
  else if (header.header_bytes != sizeof header)
    why = "unknown header size";
  else if (header.segment != current_)
    why = "segment number out of order";
  else if (header.first_seq != next_seq_)
    why = "segment does not continue the sequence";
  else if (current_ > 0 && header.epoch != header_.epoch)
    why = "segment of another boot";
  else if (header.previous_crc != last_crc_)
    why = "segment does not follow the one before";
  if (why != nullptr) return stop(JournalStatus::corrupt, why, 0);
  header_ = header;
  offset_ = sizeof header;
  ordinal_ = 0;
  opened_ = true;
  return JournalStatus::record;
}

JournalReader::Look JournalReader::look(std::uint64_t offset, std::uint32_t ordinal,
                                        RecordHead& head, const char*& why) const noexcept {
  const std::uint64_t left = bytes_.size() - offset;
  if (left == 0) return Look::zeros;
  if (left < sizeof(RecordHead)) {
    why = "incomplete record head";
    return zeros_from(offset) ? Look::zeros : Look::bad;
  }
  head = read_as<RecordHead>(bytes_.subspan(offset));
  if (head.crc == 0 && head.type == RecordType::none && head.bytes == 0 && head.ordinal == 0 &&
      zeros_from(offset)) {
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
  const auto body = bytes_.subspan(offset + sizeof head.crc, total - sizeof head.crc);
  if (crc32c(body.data(), body.size(), header_.crc) != head.crc) {
    why = "record checksum differs";
    return Look::bad;
  }
  return Look::good;
}

bool JournalReader::zeros_from(std::uint64_t offset) const noexcept {
  return all_zero(bytes_.subspan(offset));
}

// Whether any whole record later than `ordinal` starts behind `offset`.
bool JournalReader::sound_record_after(std::uint64_t offset, std::uint32_t ordinal) const noexcept {
  std::uint64_t checked = 0;
  for (std::uint64_t at = offset + journal_align; at + sizeof(RecordHead) <= bytes_.size();
       at += journal_align) {
    const auto head = read_as<RecordHead>(bytes_.subspan(at));
    if (!plausible(head) || head.ordinal <= ordinal) continue;
    if (head.ordinal - ordinal > (at - offset) / journal_align) continue;
    const std::uint64_t total = sizeof head + padded(head.bytes);
    if (total > bytes_.size() - at) continue;
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
  const bool last = current_ + 1 == segments_.size();
  const bool torn = last && !sound_record_after(offset, ordinal);
  return stop(torn ? JournalStatus::torn : JournalStatus::corrupt, why, offset_);
}

// Moves `offset` and `ordinal` from the first part of a unit to the first part that is not sound;
// false when all parts are there.
bool JournalReader::find_broken_part(std::uint64_t& offset, std::uint32_t& ordinal) const noexcept {
  for (std::size_t i = 0; i < event_parts_max; ++i) {
    RecordHead head;
    const char* why = nullptr;
    if (look(offset, ordinal, head, why) != Look::good) return true;
    if (head.type != RecordType::event || (head.flags & record_flag::more) == 0) return false;
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
    const Look seen = look(offset_, ordinal_ + 1, head, why);
    if (seen == Look::bad) return damaged(why, offset_, ordinal_ + 1);
    if (seen == Look::zeros) {
      if (current_ + 1 < segments_.size()) {
        return stop(JournalStatus::corrupt, "segment stops before its end record", offset_);
      }
      if (!first_event_seen_) return stop(JournalStatus::torn, "no Boot record yet", offset_);
      return stop(JournalStatus::open_end, "no end record", offset_);
    }
    if (head.type == RecordType::event && parts_seen_ == 0 &&
        (head.flags & record_flag::more) != 0) {
      std::uint64_t part = offset_;
      std::uint32_t ordinal = ordinal_ + 1;
      if (find_broken_part(part, ordinal)) {
        return damaged("a record of several parts is incomplete", part, ordinal);
      }
    }
    const std::uint64_t at = offset_;
    const JournalStatus status = deliver(head, out);
    if (finished_) return status;
    out.segment = header_.segment;
    out.offset = at;
    offset_ = at + sizeof head + padded(head.bytes);
    ++ordinal_;
    last_crc_ = head.crc;
    if (head.type != RecordType::end) return JournalStatus::record;
    opened_ = false;  // rotated: go on in the next segment
    ++current_;
  }
}

JournalStatus JournalReader::deliver(const RecordHead& head, JournalRecord& out) {
  const auto body = bytes_.subspan(offset_ + sizeof head, head.bytes);
  const auto corrupt = [&](const char* why) { return stop(JournalStatus::corrupt, why, offset_); };
  if (!first_event_seen_ && head.type != RecordType::event)
    return corrupt("first record is not Boot");
  if (parts_seen_ != 0 && head.type != RecordType::event) return corrupt("record inside a unit");
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
    case RecordType::none: break;
  }
  return corrupt("record type makes no sense");
}

JournalStatus JournalReader::on_end(std::span<const std::byte> body) {
  const auto end = read_as<EndRecord>(body);
  const auto corrupt = [&](const char* why) { return stop(JournalStatus::corrupt, why, offset_); };
  if (end.next_seq != next_seq_ && !gap_before_) return corrupt("end record of another sequence");
  if (!zeros_from(offset_ + sizeof(RecordHead) + sizeof(EndRecord))) {
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
