#include "tests/simtest/written_journal.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/journal_format.hpp"
#include "engine/runtime/segment_writer.hpp"

namespace gimbal::simtest {
namespace {

void put_event(SegmentWriter& writer, const Event& e) {
  const bool more = !e.last_part();
  writer.put(RecordType::event, more ? record_flag::more : std::uint16_t{0}, &e, sizeof e);
  if (!more) writer.note_seq(e.seq().value);
}

bool head_at(const WrittenSegment& s, std::size_t at, RecordHead& head) {
  if (at + sizeof head > s.bytes.size()) return false;
  std::memcpy(static_cast<void*>(&head), s.bytes.data() + at, sizeof head);
  return head.type != RecordType::none;
}

}  // namespace

std::size_t WrittenJournal::place() const noexcept {
  return sizeof(SegmentHeader) + before_ * (sizeof(RecordHead) + sizeof(Event));
}

std::string WrittenJournal::write(const std::string& directory, std::uint64_t segment_bytes,
                                  const std::vector<Event>& tail) {
  SegmentWriter writer{{directory, segment_bytes, 0}, journal_stream, {epoch_, 1, 1}};
  writer.note_seq(after_.value - before_);
  if (const Outcome opened = writer.open(); !opened) return opened.error();
  Event known = make_event(EventKind::timer, VenueId{0}, {}, {}, {}, TimerFired{});
  for (std::uint64_t n = before_; n > 0; --n) {
    known.set_seq({after_.value + 1 - n});
    put_event(writer, known);
  }
  std::uint64_t last = after_.value;
  for (const Event& e : tail) {
    const GapRecord gap{last + 1, e.seq().value - last - 1};
    if (gap.records != 0) writer.put(RecordType::gap, 0, &gap, sizeof gap);
    put_event(writer, e);
    last = e.seq().value;
  }
  writer.flush();
  if (writer.failed()) return writer.error();
  return load(directory) == tail.size() ? std::string{} : "the journal was not written";
}

std::size_t WrittenJournal::load(const std::string& directory) {
  std::size_t events = 0;
  const auto behind = [&] { return events - std::min(events, before_); };
  for (const SegmentFile& file : list_segments(directory, journal_stream)) {
    WrittenSegment& s = segments_.emplace_back();
    s.path = file.path;
    std::ifstream in{s.path, std::ios::binary};
    s.bytes.assign(std::istreambuf_iterator<char>{in}, {});
    s.records.push_back({0, sizeof(SegmentHeader), behind()});
    for (RecordHead head; head_at(s, s.written(), head);) {
      events += head.type == RecordType::event ? 1 : 0;
      const std::size_t begin = s.written();
      s.records.push_back({begin, begin + sizeof head + padded(head.bytes), behind()});
    }
  }
  return behind();
}

}  // namespace gimbal::simtest
