// `gimbal journal verify|dump|stat`: what a journal directory holds, and whether it is sound.
// Room: ops/app. Cold.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>

#include "engine/runtime/journal_files.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/hash.hpp"
#include "ops/app/journal_lines.hpp"
#include "ops/app/journal_origin.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct JournalArguments {
  std::string path;
  std::uint32_t epoch{0};
  bool json{false};
  bool csv{false};
  bool frames{false};
  std::uint64_t from{0};
  std::uint64_t to{UINT64_MAX};
  std::string instrument;
};

const char* status_text(JournalStatus s) {
  switch (s) {
    case JournalStatus::end: return "complete";
    case JournalStatus::open_end: return "open";
    case JournalStatus::torn: return "torn";
    case JournalStatus::corrupt: return "corrupt";
    case JournalStatus::record: break;
  }
  return "corrupt";
}

// Everything one pass over a stream counts.
struct StreamFacts {
  bool there{false};
  JournalStatus status{JournalStatus::corrupt};
  std::string error{};
  std::uint32_t epoch{0};
  std::uint64_t segments{0}, records{0}, bytes{0}, blocks{0}, unsealed{0}, gaps{0}, lost{0};
  std::uint64_t first_seq{0}, last_seq{0}, digests{0}, side_blocks{0}, emergencies{0};
  std::int64_t first_ns{0}, last_ns{0};
  std::array<std::uint64_t, event_kinds> kinds{};
  std::array<std::uint64_t, 16> frames{};
  Sha256Digest chain{};
};

void count(const JournalRecord& record, StreamFacts& facts) {
  ++facts.records;
  std::int64_t at = 0;
  if (record.type == RecordType::event) {
    ++facts.kinds[static_cast<std::size_t>(record.event.kind())];
    facts.last_seq = record.event.seq().value;
    if (facts.first_seq == 0) facts.first_seq = facts.last_seq;
    at = record.event.recv.mono_ns;
  } else if (record.type == RecordType::frame) {
    ++facts.frames[static_cast<std::size_t>(record.frame.kind) % facts.frames.size()];
    at = record.frame.recv_mono_ns;
  } else if (record.type == RecordType::gap) {
    ++facts.gaps;
    facts.lost += record.gap.records;
  } else if (record.type == RecordType::digest) {
    ++facts.digests;
  } else if (record.type == RecordType::side_block) {
    ++facts.side_blocks;
  }
  if (at == 0) return;
  if (facts.first_ns == 0) facts.first_ns = at;
  facts.last_ns = at;
}

StreamFacts read_stream(const JournalArguments& arguments, const StreamName& stream) {
  StreamFacts facts;
  JournalSegments segments;
  if (Outcome o = JournalSegments::find(arguments.path, stream, arguments.epoch, segments); !o) {
    facts.error = o.error();
    return facts;
  }
  facts.there = true;
  facts.segments = segments.size();
  for (std::size_t i = 0; i < segments.size(); ++i) {
    SegmentWindow window;
    SegmentHeader header;
    if (!window.open(segments, i)) continue;  // the reader says so
    facts.bytes += window.size();
    const bool sound = read_header(window.at(0, sizeof header), stream.magic, header) == nullptr;
    if (sound && (header.flags & segment_flag::emergency) != 0) ++facts.emergencies;
  }
  JournalReader reader{segments, stream};
  JournalRecord record;
  while ((facts.status = reader.next(record)) == JournalStatus::record) count(record, facts);
  facts.epoch = reader.header().epoch;
  facts.blocks = reader.blocks();
  facts.unsealed = reader.unsealed_bytes();
  facts.chain = reader.chain();
  facts.error = facts.status == JournalStatus::end ? std::string{} : reader.error();
  if (facts.status == JournalStatus::torn || facts.status == JournalStatus::corrupt) {
    facts.error +=
        fmt::format(" (segment {}, offset {})", reader.error_segment(), reader.error_offset());
  }
  return facts;
}

void print_verdict(const char* name, const StreamFacts& f, bool json) {
  const double seconds = static_cast<double>(f.last_ns - f.first_ns) * 1e-9;
  if (json) {
    fmt::print(R"({{"stream":"{}","status":"{}","epoch":{},"segments":{},"records":{},"bytes":{},)"
               R"("seconds":{:.3f},"first_seq":{},"last_seq":{},"blocks":{},"unsealed_bytes":{},)"
               R"("gaps":{},"lost_records":{},"emergency_segments":{},"chain":"{}","note":"{}"}})"
               "\n",
               name, f.there ? status_text(f.status) : "absent", f.epoch, f.segments, f.records,
               f.bytes, seconds, f.first_seq, f.last_seq, f.blocks, f.unsealed, f.gaps, f.lost,
               f.emergencies, to_hex(f.chain), f.error);
    return;
  }
  if (!f.there) {
    fmt::print("{:<8} absent ({})\n", name, f.error);
    return;
  }
  fmt::print("{:<8} {}: epoch {}, {} segments, {} records, {} bytes, {:.1f} s\n", name,
             status_text(f.status), f.epoch, f.segments, f.records, f.bytes, seconds);
  fmt::print("         {} blocks sealed, chain {}, {} bytes behind the last seal\n", f.blocks,
             to_hex(f.chain), f.unsealed);
  if (f.gaps > 0) fmt::print("         {} gaps, {} records lost\n", f.gaps, f.lost);
  if (f.emergencies > 0) {
    fmt::print("         {} emergency segments: the disk was full or broken\n", f.emergencies);
  }
  if (!f.error.empty()) fmt::print("         note: {}\n", f.error);
}

bool sound(const StreamFacts& f) {
  return f.there && f.status != JournalStatus::corrupt && f.gaps == 0;
}

// Says why on stderr, so that a script that reads the counts sees that they are not all.
int verdict(const StreamFacts& events, const StreamFacts& frames) {
  const auto tell = [](const char* name, const StreamFacts& f) {
    if (sound(f)) return true;
    fmt::print(
        stderr, "gimbal journal: {}: {}\n", name,
        f.status == JournalStatus::corrupt ? f.error : fmt::format("{} records were lost", f.lost));
    return false;
  };
  const bool whole = tell("events", events);
  return (!frames.there || tell("frames", frames)) && whole ? exit_done : exit_failed;
}

int verify(const JournalArguments& arguments) {
  const StreamFacts events = read_stream(arguments, journal_stream);
  if (!events.there) {
    fmt::print(stderr, "gimbal journal: {}\n", events.error);
    return exit_usage;
  }
  print_verdict("events", events, arguments.json);
  const StreamFacts frames = read_stream(arguments, frame_stream);
  print_verdict("frames", frames, arguments.json);
  return verdict(events, frames);
}

int stat(const JournalArguments& arguments) {
  const StreamFacts events = read_stream(arguments, journal_stream);
  if (!events.there) {
    fmt::print(stderr, "gimbal journal: {}\n", events.error);
    return exit_usage;
  }
  const StreamFacts frames = read_stream(arguments, frame_stream);
  print_verdict("events", events, arguments.json);
  print_verdict("frames", frames, arguments.json);
  const int code = verdict(events, frames);
  if (arguments.json) return code;
  const double seconds = static_cast<double>(events.last_ns - events.first_ns) * 1e-9;
  fmt::print("\n{:<20} {:>12} {:>12}\n", "event records", "count", "a second");
  for (std::size_t k = 1; k < event_kinds; ++k) {
    if (events.kinds[k] == 0) continue;
    fmt::print("{:<20} {:>12} {:>12.1f}\n", event_name(static_cast<EventKind>(k)), events.kinds[k],
               seconds > 0 ? static_cast<double>(events.kinds[k]) / seconds : 0);
  }
  fmt::print("{:<20} {:>12}\n{:<20} {:>12}\n", "side blocks", events.side_blocks, "digest records",
             events.digests);
  if (frames.there) {
    fmt::print("{:<20} {:>12}\n{:<20} {:>12}\n", "frames in",
               frames.frames[static_cast<std::size_t>(FrameKind::text_in)], "frames out",
               frames.frames[static_cast<std::size_t>(FrameKind::text_out)]);
  }
  return code;
}

bool in_range(const JournalRecord& record, const JournalArguments& arguments) {
  std::uint64_t seq = record.event.seq().value;
  if (record.type == RecordType::digest) seq = record.digest.seq;
  if (record.type == RecordType::gap) seq = record.gap.first_seq;
  if (record.type == RecordType::frame) seq = record.frame.seq;
  if (record.type == RecordType::side_block) return arguments.from == 0;
  return seq >= arguments.from && seq <= arguments.to;
}

int dump(const JournalArguments& arguments) {
  const StreamName& stream = arguments.frames ? frame_stream : journal_stream;
  JournalSegments segments;
  if (Outcome o = JournalSegments::find(arguments.path, stream, arguments.epoch, segments); !o) {
    fmt::print(stderr, "gimbal journal: {}\n", o.error());
    return exit_usage;
  }
  JournalOrigin origin;
  if (!arguments.frames) read_origin(segments, origin);
  if (!origin.error.empty()) {
    fmt::print(stderr, "gimbal journal: note: {}; instruments have no names\n", origin.error);
  }
  const deribit::SymbolTable& symbols = origin.universe.symbols();
  JournalLines lines{symbols};
  JournalReader reader{segments, stream};
  JournalRecord record;
  JournalStatus status;
  const bool csv = arguments.csv && !arguments.frames;
  if (csv) fmt::print("{}\n", JournalLines::csv_header);
  const std::string wanted = "\"instrument\":\"" + arguments.instrument + "\"";
  while ((status = reader.next(record)) == JournalStatus::record) {
    if (record.type == RecordType::side_block && record.block.kind == SideBlockKind::instrument) {
      learn_names(record.bytes, origin);
    }
    // Every record goes through `lines`: parts of a unit are joined there.
    const std::string text = arguments.frames ? frame_line(record) : lines.json(record);
    if (text.empty() || !in_range(record, arguments)) continue;
    if (!arguments.instrument.empty() && text.find(wanted) == std::string::npos) continue;
    fmt::print("{}\n", csv ? JournalLines::to_csv(text) : text);
  }
  if (status != JournalStatus::end && status != JournalStatus::open_end) {
    fmt::print(stderr, "gimbal journal: {}: {} (segment {}, offset {})\n", status_text(status),
               reader.error(), reader.error_segment(), reader.error_offset());
  }
  return status == JournalStatus::corrupt ? exit_failed : exit_done;
}

template <class Run>
cli::Command add(cli::Command journal, const char* name, const char* doc,
                 const std::shared_ptr<JournalArguments>& arguments, int& exit_code, Run run) {
  cli::Command command = journal.add_subcommand(name, doc);
  command.add_option("journal", arguments->path, "Journal directory, or one segment file")
      .required();
  command.add_option("--epoch", arguments->epoch, "Boot epoch (default: the newest)");
  command.callback([arguments, &exit_code, run] { exit_code = run(*arguments); });
  return command;
}

}  // namespace

void add_journal(cli::Command app, int& exit_code) {
  auto arguments = std::make_shared<JournalArguments>();
  cli::Command journal = app.add_subcommand("journal", "Check, print or count a journal");
  journal.require_subcommand(1, 1);
  cli::Command v =
      add(journal, "verify",
          "Check every checksum, sequence number and the SHA-256 chain of both streams", arguments,
          exit_code, verify);
  v.add_flag("--json", arguments->json, "One JSON object a stream");
  v.footer(
      "Exit codes: 0 sound (an open or torn end included), 1 corrupt or with gaps, "
      "2 unreadable.");
  cli::Command d =
      add(journal, "dump", "Print the records, one a line", arguments, exit_code, dump);
  d.add_flag("--csv", arguments->csv, "CSV with a header (default: JSON lines)");
  d.add_flag("--frames", arguments->frames, "The frame stream in place of the events");
  d.add_option("--from", arguments->from, "First sequence number");
  d.add_option("--to", arguments->to, "Last sequence number");
  d.add_option("--instrument", arguments->instrument, "Only events of this instrument");
  cli::Command s =
      add(journal, "stat", "Count records by kind, with rates", arguments, exit_code, stat);
  s.add_flag("--json", arguments->json, "One JSON object a stream");
}

}  // namespace gimbal
