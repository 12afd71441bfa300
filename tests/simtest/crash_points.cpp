#include "tests/simtest/crash_points.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/temp_dir.hpp"
#include "tests/simtest/random.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::simtest {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t segment_bytes = 160 * 1024;  // several segments, seals inside of them
constexpr std::size_t garbage_bytes = 512;           // of a torn sector
constexpr std::uint32_t epoch = 1;                   // of the first boot

enum class Rest : std::uint8_t { missing, zeros, garbage };  // what stands behind the cut

constexpr std::size_t event_record = sizeof(RecordHead) + sizeof(Event);

// Where an event's record ends in its segment, and how many events of the journal there are then.
struct Mark {
  std::uint64_t end{0};
  std::size_t events{0};
};

std::string write_journal(const std::string& directory, const std::vector<Event>& events) {
  JournalConfig config;
  config.directory = directory;
  config.segment_bytes = segment_bytes;
  config.reserve_bytes = 64 * 1024;
  config.sync_interval = seconds(1000);
  JournalWriter writer{config, {epoch, 1, 1}, nullptr};
  if (Outcome o = writer.open(); !o) return o.error();
  for (std::size_t at = 0; at < events.size();) {
    const std::size_t parts = events[at].part_count();
    if (at + parts > events.size()) break;
    if (!writer.append(&events[at], parts)) return "the writer refused an event";
    at += parts;
    if (writer.backlog() > 1000) writer.drain();
  }
  while (writer.backlog() > 0) writer.drain();
  const Outcome closed = writer.close();
  return closed ? std::string{} : closed.error();
}

// What a reader makes of the first segments of a journal.
struct Reading {
  JournalStatus status{};
  std::size_t events{0};
  bool same{true};  // each is the run's
};

class Cuts {
 public:
  Cuts(const std::vector<Event>& events, const CrashOptions& options, CrashResult& result)
      : events_{events}, options_{options}, result_{result}, random_{options.run.seed, 77} {}

  void run(const std::vector<Bytes>& segments) {
    std::vector<std::span<const std::byte>> all{segments.begin(), segments.end()};
    marks_.resize(segments.size());
    const Reading whole = read(all, true);
    if (whole.status != JournalStatus::end || !whole.same || whole.events != events_.size()) {
      result_.failure = "the journal is not the run's, uncut";
      return;
    }
    for (std::size_t s = 0; s < segments.size(); ++s) {
      for (std::uint64_t at = 0; at < segments[s].size(); at += options_.cut_step) {
        cut(segments, s, at);
      }
      if (options_.cut_step == 1) continue;
      // Ends of records, and one byte to each side.
      for (std::size_t i = 0; i < marks_[s].size(); i += 40) {
        for (std::uint64_t at = marks_[s][i].end - 1; at <= marks_[s][i].end + 1; ++at) {
          cut(segments, s, at);
        }
      }
    }
  }

 private:
  Reading read(const std::vector<std::span<const std::byte>>& segments, bool marks) {
    JournalReader reader{segments};
    JournalRecord record;
    Reading out;
    while ((out.status = reader.next(record)) == JournalStatus::record) {
      if (record.type != RecordType::event) continue;
      out.same = out.same && out.events < events_.size() &&
                 std::memcmp(&record.event, &events_[out.events], sizeof(Event)) == 0;
      ++out.events;
      if (marks) marks_[record.segment].push_back({record.offset + event_record, out.events});
    }
    return out;
  }

  // Whole units before the cut; `at` is where the file differs from the whole.
  [[nodiscard]] std::size_t events_before(std::size_t segment, std::uint64_t at) const {
    const auto& marks = marks_[segment];
    const auto after =
        std::upper_bound(marks.begin(), marks.end(), at,
                         [](std::uint64_t kept, const Mark& m) { return kept < m.end; });
    std::size_t events = 0;
    if (after != marks.begin()) {
      events = std::prev(after)->events;
    } else if (!marks.empty()) {
      events = marks.front().events - 1;  // those of the segments before
    }
    while (events > 0 && !events_[events - 1].last_part()) --events;
    return events;
  }

  void cut(const std::vector<Bytes>& segments, std::size_t segment, std::uint64_t at) {
    if (!result_.failure.empty() || at >= segments[segment].size()) return;
    if (count_++ % options_.parts != options_.part) return;
    const Bytes& whole = segments[segment];
    const auto rest = static_cast<Rest>(result_.cuts++ % 3);
    Bytes bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)};
    if (rest != Rest::missing) bytes.resize(whole.size());
    const std::uint64_t end = std::min<std::uint64_t>(at + garbage_bytes, bytes.size());
    for (std::uint64_t i = at; rest == Rest::garbage && i < end; ++i) {
      bytes[i] = static_cast<std::byte>(random_.below(256));
    }
    // What was lost may have been zeros: the file differs from here on.
    while (at < bytes.size() && bytes[at] == whole[at]) ++at;
    if (at == whole.size()) return;
    std::vector<std::span<const std::byte>> kept{
        segments.begin(), segments.begin() + static_cast<std::ptrdiff_t>(segment)};
    kept.emplace_back(bytes);
    const Reading got = read(kept, false);
    const bool told = got.status == JournalStatus::torn || got.status == JournalStatus::open_end ||
                      (at < sizeof(SegmentHeader) && got.status == JournalStatus::corrupt);
    const std::size_t want = events_before(segment, at);
    if (told && got.same && got.events == want) return;
    result_.failure = "journal cut at byte " + std::to_string(at) + " of segment " +
                      std::to_string(segment) + " (rest " + std::to_string(static_cast<int>(rest)) +
                      "): " + std::to_string(got.events) + " events in place of " +
                      std::to_string(want) + ", status " +
                      std::to_string(static_cast<int>(got.status));
  }

  const std::vector<Event>& events_;
  const CrashOptions& options_;
  CrashResult& result_;
  Random random_;
  std::vector<std::vector<Mark>> marks_;  // of each segment
  std::uint64_t count_{0};
};

void check_journal(const CrashOptions& options, const std::vector<Event>& events,
                   CrashResult& result) {
  const test::TempDir dir;
  if (result.failure = write_journal(dir.path(), events); !result.failure.empty()) return;
  std::vector<Bytes> segments;
  if (Outcome o = test::load_journal(dir.path(), segments); !o) {
    result.failure = o.error();
    return;
  }
  result.segments = segments.size();
  for (const Bytes& segment : segments) result.bytes += segment.size();
  Cuts{events, options, result}.run(segments);
}

RunResult whole_run(const CrashOptions& options, RunOptions& base) {
  for (;;) {
    RunResult whole = run_seed(base);
    if (!whole.ok() || whole.journal.size() >= options.events || base.safety > seconds(120)) {
      return whole;
    }
    base.safety = base.safety + seconds(4);
  }
}

}  // namespace

CrashResult run_crash_points(const CrashOptions& options) {
  CrashResult result;
  RunOptions base = options.run;
  base.keep_journal = true;
  const RunResult whole = whole_run(options, base);
  base.keep_journal = false;
  result.events = whole.journal.size();
  if (!whole.ok()) {
    result.failure = whole.invariant + " without a crash: " + whole.text;
    result.reproduce = command_line(base);
    return result;
  }
  check_journal(options, whole.journal, result);
  const std::uint64_t points =
      options.points == 0 ? result.events : std::min(options.points, result.events);
  for (std::uint64_t n = options.part; n < points && result.failure.empty(); n += options.parts) {
    RunOptions run = base;
    run.crash_at = 1 + n * result.events / points;
    run.crash_commands = n % 3;
    const RunResult r = run_seed(run);
    ++result.points;
    result.boots += r.boots;
    result.healed_max = std::max(result.healed_max, r.healed_after);
    if (r.ok()) continue;
    result.failure =
        r.invariant + " after a crash at event " + std::to_string(run.crash_at) + ": " + r.text;
    result.reproduce = command_line(run);
  }
  return result;
}

}  // namespace gimbal::simtest
