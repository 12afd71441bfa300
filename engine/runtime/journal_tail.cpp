#include "engine/runtime/journal_tail.hpp"

#include <algorithm>
#include <cstring>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t look_bytes = 64u << 10;   // read between two looks at the clock
constexpr std::uint64_t unpack_step = 1u << 20;   // unpacked between two looks at the clock
constexpr std::uint64_t header_chunk = 4u << 10;  // read of a segment for its header

bool never_written(std::span<const std::byte> bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

class Tail {
 public:
  Tail(const JournalSegments& segments, const TailPlace& from, const TailLimits& limits,
       const TailTold& told)
      : segments_{segments},
        from_{from},
        limits_{limits},
        told_{told},
        until_{monotonic_now() + limits.search_max} {}

  TailResult read() {
    if (segments_.empty()) stop("the journal has no segment");
    if (result_.why.empty() && !at_place()) search();
    while (result_.why.empty()) {
      while (record()) {}
      if (over_ || ++current_ >= segments_.size() || !open()) break;
    }
    if (!cut_.empty()) stop(cut_);
    if (!arrived_ && next_seq_ <= from_.after.value) stop("it ends before the snapshot");
    result_.whole = result_.why.empty();
    return result_;
  }

 private:
  void stop(std::string why) {
    if (result_.why.empty()) result_.why = std::move(why);
  }

  // --- coming to the place

  bool late() const { return monotonic_now() > until_; }

  // What follows is the tail: its limits begin here.
  void arrive() {
    arrived_ = true;
    until_ = monotonic_now() + limits_.time_max;
    read_ = unlooked_ = 0;
  }

  bool header_of(std::size_t n, SegmentHeader& header) {
    if (!headers_.open(segments_, n)) return false;
    return read_header(headers_.at(0, sizeof header), journal_magic, header) == nullptr;
  }

  // The segment with this number: the one at its index, unless some before it are gone.
  bool find_segment(std::uint32_t number) {
    for (std::size_t n = std::min<std::size_t>(number, segments_.size() - 1);; --n) {
      SegmentHeader header;
      if (!header_of(n, header)) return false;
      current_ = n;
      if (header.segment == number) return true;
      if (header.segment < number || n == 0 || late()) return false;
    }
  }

  // False when the place is not known or is none: what stands there has to be the end of what was
  // written, or a sound record, and as an event the next one.
  bool at_place() {
    const JournalPlace& at = from_.at;
    if (!at.known() || !find_segment(at.segment) || !open() || !go_to(at.offset)) return forget();
    RecordHead head;
    const Found found = look(head);
    if (found != Found::nothing && (found != Found::sound || !goes_on(head))) return forget();
    arrive();
    return true;
  }

  bool forget() {
    begun_ = false;
    result_.why.clear();
    return false;
  }

  bool go_to(std::uint64_t offset) {
    if (offset < offset_ || offset > window_.size() || offset % journal_align != 0) return false;
    for (std::uint64_t at = 0; window_.packed() && at < offset; at += unpack_step) {
      if (window_.at(at, 1).empty() || late()) return false;
      result_.searched = at;
    }
    offset_ = offset;
    RecordHead head;
    if (copy_head(head)) ordinal_ = head.ordinal - 1;  // its checksum says whether it is in place
    return true;
  }

  bool goes_on(const RecordHead& head) {
    if (head.type != RecordType::event) return true;
    std::uint64_t seq = 0;
    return seq_of(head, seq) && seq == from_.after.value + 1;
  }

  // The newest segment that begins at or before the event behind the place. One whose header cannot
  // be read is passed by: reading ends there.
  void search() {
    for (current_ = segments_.size(); current_-- > 0;) {
      SegmentHeader header;
      if (header_of(current_, header) && header.first_seq <= from_.after.value + 1) {
        return (void)open();
      }
      if (late()) return stop("finding the snapshot's place in it took too long");
    }
    stop("the journal does not reach back to the snapshot");
  }

  // --- segments

  bool open() {
    if (Outcome opened = window_.open(segments_, current_); !opened) {
      stop(opened.error());
      return false;
    }
    SegmentHeader header;
    const auto bytes = window_.at(0, sizeof header);
    if (const char* why = read_header(bytes, journal_magic, header); why != nullptr) {
      // Created and never begun: its writer died in between. Its preallocated rest is not read.
      if (!never_written(bytes) || current_ + 1 < segments_.size()) stop(why);
      return false;
    }
    const bool follows =
        !begun_ || (header.segment == header_.segment + 1 && header.epoch == header_.epoch);
    // A writer that could not go on in one segment goes on in the next and says so.
    const bool emergency = (header.flags & segment_flag::emergency) != 0;
    if (!follows || (begun_ && !ended_ && !emergency)) {
      stop("a segment is missing, or damaged in its middle");
      return false;
    }
    cut_.clear();
    begun_ = true;
    header_ = header;
    next_seq_ = header.first_seq;
    offset_ = header.header_bytes;
    ordinal_ = 0;
    ended_ = false;
    return true;
  }

  // --- records

  enum class Found : std::uint8_t { sound, nothing, broken };

  bool copy_head(RecordHead& head) {
    const auto first = window_.at(offset_, sizeof head);
    if (first.size() < sizeof head) return false;
    std::memcpy(static_cast<void*>(&head), first.data(), sizeof head);
    return true;
  }

  bool seq_of(const RecordHead& head, std::uint64_t& seq) {
    if (head.bytes != sizeof(Event)) return false;
    const auto word = window_.at(offset_ + sizeof head, sizeof seq);
    if (word.size() < sizeof seq) return false;
    std::memcpy(&seq, word.data(), sizeof seq);
    seq &= Event::seq_mask;
    return true;
  }

  // The head at hand, in its place, and the whole of the record unless it is passed over.
  Found look(RecordHead& head) {
    if (!copy_head(head)) return offset_ == window_.size() ? Found::nothing : Found::broken;
    // What is preallocated behind is not read: a head of zeros is where the writer was.
    if (head.type == RecordType::none && head.bytes == 0 && head.crc == 0) return Found::nothing;
    if (head.bytes > journal_body_max || head.ordinal != ordinal_ + 1) return Found::broken;
    if (passed_over(head)) return Found::sound;
    const std::uint64_t total = sizeof head + padded(head.bytes);
    const auto all = window_.at(offset_, total);
    if (all.size() < total) return Found::broken;
    const auto body = all.subspan(sizeof head.crc);
    const bool same = crc32c(body.data(), body.size(), header_.crc) == head.crc;
    return same ? Found::sound : Found::broken;
  }

  // Before the place no event is told, so nothing is checked of one but that it follows the one
  // before. A number that does not may be damage to one behind the place: its checksum decides.
  bool passed_over(const RecordHead& head) {
    std::uint64_t seq = 0;
    const bool known = !arrived_ && head.type == RecordType::event && seq_of(head, seq);
    return known && seq == next_seq_ && seq <= from_.after.value;
  }

  // One record; false at the end of the segment, whatever ends it.
  bool record() {
    RecordHead head;
    const Found found = look(head);
    if (found == Found::broken) {
      cut_ = window_.error().empty() ? "the last write is incomplete" : window_.error();
    }
    if (found != Found::sound) return false;
    const std::uint64_t at = offset_;
    const std::uint64_t total = sizeof head + padded(head.bytes);
    ++ordinal_;
    offset_ += total;
    ended_ = head.type == RecordType::end;
    if (ended_) return false;
    take(head, window_.at(at + sizeof head, head.bytes));
    return within_limits(total);
  }

  void take(const RecordHead& head, std::span<const std::byte> body) {
    if (head.type == RecordType::event && body.size() == sizeof(Event)) {
      Event event;
      std::memcpy(static_cast<void*>(&event), body.data(), sizeof event);
      take_event(event);
    } else if (head.type == RecordType::gap && body.size() == sizeof(GapRecord)) {
      GapRecord gap;
      std::memcpy(static_cast<void*>(&gap), body.data(), sizeof gap);
      if (gap.first_seq <= from_.after.value) return;
      result_.gaps += gap.records;
      gap_before_ = true;
    } else if (head.type == RecordType::side_block && body.size() >= sizeof(SideBlockRef)) {
      SideBlockRef ref;
      std::memcpy(static_cast<void*>(&ref), body.data(), sizeof ref);
      if (told_.block) told_.block(ref.kind, body.subspan(sizeof ref));
    }
  }

  void take_event(const Event& event) {
    const Seq known = std::max(from_.after, result_.last);
    next_seq_ = event.seq().value + 1;
    if (event.seq() <= known) return;
    if (!arrived_) arrive();
    if (event.seq().value != known.value + 1 && !gap_before_) {
      return stop("events are missing in it, and it does not say so");
    }
    gap_before_ = false;
    told_.event(event);
    ++result_.events;
    result_.last = event.seq();
  }

  bool within_limits(std::uint64_t bytes) {
    read_ += bytes;
    unlooked_ += bytes;
    if (!arrived_) result_.searched += bytes;
    if (arrived_ && read_ > limits_.bytes_max) stop("it is longer than is read at a start");
    if (unlooked_ >= look_bytes) {
      unlooked_ = 0;
      if (late()) {
        stop(arrived_ ? "reading it took too long"
                      : "finding the snapshot's place in it took too long");
      }
    }
    over_ = !result_.why.empty();
    return !over_;
  }

  const JournalSegments& segments_;
  const TailPlace& from_;
  const TailLimits& limits_;
  const TailTold& told_;
  RecvTime until_;
  SegmentWindow window_;
  SegmentWindow headers_{header_chunk};
  SegmentHeader header_{};
  std::size_t current_{0};
  std::uint64_t offset_{0};
  std::uint64_t read_{0};      // since the clock began
  std::uint64_t unlooked_{0};  // of that, since the clock was looked at
  std::uint64_t next_seq_{0};  // of the event that follows, if none is missing
  std::uint32_t ordinal_{0};
  bool arrived_{false};     // at the place
  bool gap_before_{false};  // the next event may be a later one
  bool begun_{false};
  bool ended_{false};
  bool over_{false};
  std::string cut_;  // how the segment at hand ends, unless the next one goes on
  TailResult result_;
};

}  // namespace

TailResult read_tail(const std::string& directory, std::uint32_t epoch, const TailPlace& from,
                     const TailLimits& limits, const TailTold& told) {
  JournalSegments segments;
  if (Outcome found = JournalSegments::find(directory, journal_stream, epoch, segments); !found) {
    return TailResult{.why = found.error()};
  }
  return Tail{segments, from, limits, told}.read();
}

}  // namespace gimbal
