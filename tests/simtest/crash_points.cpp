#include "tests/simtest/crash_points.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/temp_dir.hpp"
#include "tests/simtest/random.hpp"

namespace gimbal::simtest {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint64_t segment_bytes = 160 * 1024;  // several segments, seals inside of them
constexpr std::size_t garbage_bytes = 512;           // of a torn sector
constexpr std::uint32_t epoch = 1;                   // of the first boot

enum class Rest : std::uint8_t { missing, zeros, garbage };  // what stands behind the cut

constexpr std::size_t event_record = sizeof(RecordHead) + sizeof(Event);

// Where an event's record ends, and how many events there are by then.
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

// Reads one segment as the whole of a journal's rest; fills the events that came.
JournalStatus read_segment(const Bytes& bytes, std::vector<Event>& out, std::vector<Mark>* marks) {
  const std::vector<std::span<const std::byte>> segments{std::span<const std::byte>{bytes}};
  JournalReader reader{segments};
  JournalRecord record;
  JournalStatus status{};
  while ((status = reader.next(record)) == JournalStatus::record) {
    if (record.type != RecordType::event) continue;
    out.push_back(record.event);
    if (marks != nullptr) marks->push_back({record.offset + event_record, out.size()});
  }
  return status;
}

class Cuts {
 public:
  Cuts(const std::vector<Event>& events, const CrashOptions& options, CrashResult& result)
      : events_{events}, options_{options}, result_{result}, random_{options.run.seed, 77} {}

  void run(const std::vector<Bytes>& segments) {
    std::size_t first = 0;
    for (const Bytes& whole : segments) {
      std::vector<Event> all;
      std::vector<Mark> marks;
      static_cast<void>(read_segment(whole, all, &marks));
      for (std::uint64_t at = 0; at < whole.size() && result_.failure.empty();
           at += options_.cut_step) {
        cut(whole, first, marks, at);
      }
      // Every end of a record, and one byte to each side.
      for (std::size_t i = 0; i < marks.size() && result_.failure.empty(); ++i) {
        if (options_.cut_step == 1) break;
        if (i % options_.cut_step % 16 != 0) continue;
        for (const std::int64_t off : {-1, 0, 1}) {
          const auto at = static_cast<std::uint64_t>(static_cast<std::int64_t>(marks[i].end) + off);
          if (at < whole.size()) cut(whole, first, marks, at);
        }
      }
      first += all.size();
      if (!result_.failure.empty()) return;
    }
    if (first != events_.size()) result_.failure = "the journal has not every event of the run";
  }

 private:
  void cut(const Bytes& whole, std::size_t first, const std::vector<Mark>& marks,
           std::uint64_t at) {
    const auto rest = static_cast<Rest>(result_.cuts++ % 3);
    Bytes bytes{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at)};
    if (rest != Rest::missing) bytes.resize(whole.size());
    if (rest == Rest::garbage) {
      const std::uint64_t end = std::min<std::uint64_t>(at + garbage_bytes, bytes.size());
      for (std::uint64_t i = at; i < end; ++i)
        bytes[i] = static_cast<std::byte>(random_.below(256));
    }
    // What was lost may have been zeros: the file differs from here on.
    while (at < bytes.size() && bytes[at] == whole[at]) ++at;
    if (at == whole.size()) return;
    std::vector<Event> read;
    const JournalStatus status = read_segment(bytes, read, nullptr);
    const auto after = std::upper_bound(
        marks.begin(), marks.end(), at,
        [](std::uint64_t bytes_kept, const Mark& m) { return bytes_kept < m.end; });
    std::size_t want = after == marks.begin() ? 0 : std::prev(after)->events;
    while (want > 0 && !events_[first + want - 1].last_part()) --want;  // of a unit cut in two
    const bool header = at < sizeof(SegmentHeader);
    const bool told = status == JournalStatus::torn || status == JournalStatus::open_end ||
                      (header && status == JournalStatus::corrupt);
    const bool same = read.size() == want &&
                      std::memcmp(read.data(), events_.data() + first, want * sizeof(Event)) == 0;
    if (told && same) return;
    result_.failure = "journal cut at byte " + std::to_string(at) + " of a segment of " +
                      std::to_string(whole.size()) + " (rest " +
                      std::to_string(static_cast<int>(rest)) + "): " + std::to_string(read.size()) +
                      " events in place of " + std::to_string(want) + ", status " +
                      std::to_string(static_cast<int>(status));
  }

  const std::vector<Event>& events_;
  const CrashOptions& options_;
  CrashResult& result_;
  Random random_;
};

void check_journal(const CrashOptions& options, const std::vector<Event>& events,
                   CrashResult& result) {
  const test::TempDir dir;
  if (result.failure = write_journal(dir.path(), events); !result.failure.empty()) return;
  std::vector<Bytes> segments;
  if (Outcome o = JournalReader::load(dir.path(), segments); !o) {
    result.failure = o.error();
    return;
  }
  result.segments = segments.size();
  for (const Bytes& s : segments) result.bytes += s.size();
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
  if (options.part == 0) check_journal(options, whole.journal, result);
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
