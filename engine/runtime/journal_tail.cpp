#include "engine/runtime/journal_tail.hpp"

#include <algorithm>
#include <cstring>

#include "engine/runtime/clock.hpp"
#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {
namespace {

class Tail {
 public:
  Tail(Seq after, const TailLimits& limits, const std::function<void(const Event&)>& tell)
      : after_{after}, limits_{limits}, tell_{tell}, until_{monotonic_now() + limits.time_max} {}

  TailResult read(const JournalSegments& segments) {
    std::size_t n = first(segments);
    if (!result_.why.empty()) return result_;
    for (; n < segments.size() && open(segments, n); ++n) {
      while (record()) {}
      if (over_) break;
    }
    if (!cut_.empty()) stop(cut_);
    result_.whole = result_.why.empty();
    return result_;
  }

 private:
  void stop(std::string why) {
    if (result_.why.empty()) result_.why = std::move(why);
  }

  // The last segment that begins at or before the event behind the place.
  std::size_t first(const JournalSegments& segments) {
    if (segments.empty()) stop("the journal has no segment");
    std::size_t found = segments.size();
    for (std::size_t n = 0; n < segments.size(); ++n) {
      SegmentWindow window;
      SegmentHeader header;
      if (!window.open(segments, n) ||
          read_header(window.at(0, sizeof header), journal_magic, header) != nullptr ||
          header.first_seq > after_.value + 1) {
        break;
      }
      found = n;
    }
    if (found == segments.size()) stop("the journal does not reach back to the snapshot");
    return found;
  }

  bool open(const JournalSegments& segments, std::size_t n) {
    if (Outcome opened = window_.open(segments, n); !opened) {
      stop(opened.error());
      return false;
    }
    SegmentHeader header;
    const auto bytes = window_.at(0, sizeof header);
    if (const char* why = read_header(bytes, journal_magic, header); why != nullptr) {
      // Created and never begun: its writer died in between.
      if (!window_.zeros_from(0)) stop(why);
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
    offset_ = header.header_bytes;
    ordinal_ = 0;
    ended_ = false;
    return true;
  }

  // One record; false at the end of the segment, whatever ends it.
  bool record() {
    RecordHead head;
    const auto first = window_.at(offset_, sizeof head);
    if (first.size() < sizeof head) return finish(offset_ == window_.size());
    std::memcpy(static_cast<void*>(&head), first.data(), sizeof head);
    // What is preallocated behind is not read: a head of zeros is where the writer was.
    if (head.type == RecordType::none && head.bytes == 0 && head.crc == 0) return finish(true);
    const std::uint64_t total = sizeof head + padded(head.bytes);
    if (head.bytes > journal_body_max || head.ordinal != ordinal_ + 1) return finish(false);
    if (passed_over(head)) {
      ++ordinal_;
      offset_ += total;
      read_ += total;
      return within_limits();
    }
    const auto all = window_.at(offset_, total);
    if (all.size() < total) return finish(false);
    const auto body = all.subspan(sizeof head.crc);
    if (crc32c(body.data(), body.size(), header_.crc) != head.crc) return finish(false);
    ++ordinal_;
    offset_ += total;
    read_ += total;
    if (head.type == RecordType::end) {
      ended_ = true;
      return false;
    }
    take(head, all.subspan(sizeof head));
    return within_limits();
  }

  // Before the place nothing is told, so nothing is checked but that each follows the one before.
  bool passed_over(const RecordHead& head) {
    if (head.type != RecordType::event || head.bytes != sizeof(Event)) return false;
    const auto word = window_.at(offset_ + sizeof head, sizeof(std::uint64_t));
    std::uint64_t seq = 0;
    if (word.size() < sizeof seq) return false;
    std::memcpy(&seq, word.data(), sizeof seq);
    return (seq & Event::seq_mask) <= after_.value;
  }

  void take(const RecordHead& head, std::span<const std::byte> body) {
    if (head.type == RecordType::event && head.bytes == sizeof(Event)) {
      Event event;
      std::memcpy(static_cast<void*>(&event), body.data(), sizeof event);
      if (event.seq() <= std::max(after_, result_.last)) return;
      tell_(event);
      ++result_.events;
      result_.last = event.seq();
    } else if (head.type == RecordType::gap && head.bytes == sizeof(GapRecord)) {
      GapRecord gap;
      std::memcpy(static_cast<void*>(&gap), body.data(), sizeof gap);
      if (gap.first_seq > after_.value) result_.gaps += gap.records;
    }
  }

  // Records stop. Zeros, or the end of the file, are where a writer died between two writes.
  bool finish(bool between) {
    if (!between) cut_ = "the last write is incomplete";
    return false;
  }

  bool within_limits() {
    if (read_ > limits_.bytes_max) stop("it is longer than is read at a start");
    if (ordinal_ % 1024 == 0 && monotonic_now() > until_) stop("reading it took too long");
    over_ = !result_.why.empty();
    return !over_;
  }

  Seq after_;
  const TailLimits& limits_;
  const std::function<void(const Event&)>& tell_;
  RecvTime until_;
  SegmentWindow window_;
  SegmentHeader header_{};
  std::uint64_t offset_{0};
  std::uint64_t read_{0};
  std::uint32_t ordinal_{0};
  bool begun_{false};
  bool ended_{false};
  bool over_{false};
  std::string cut_;  // how the segment at hand ends, unless the next one goes on
  TailResult result_;
};

}  // namespace

TailResult read_tail(const std::string& directory, std::uint32_t epoch, Seq after,
                     const TailLimits& limits, const std::function<void(const Event&)>& tell) {
  JournalSegments segments;
  if (Outcome found = JournalSegments::find(directory, journal_stream, epoch, segments); !found) {
    TailResult none;
    none.why = found.error();
    return none;
  }
  return Tail{after, limits, tell}.read(segments);
}

}  // namespace gimbal
