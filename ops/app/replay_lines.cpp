#include "ops/app/replay_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ops/app/json_writer.hpp"

namespace gimbal {
namespace {

const char* verdict_text(ReplayVerdict v) {
  switch (v) {
    case ReplayVerdict::same: return "same";
    case ReplayVerdict::unchecked: return "unchecked";
    case ReplayVerdict::different: return "different";
    case ReplayVerdict::damaged: return "damaged";
  }
  return "damaged";
}

double rate(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

std::string quoted(const std::string& text) { return JsonWriter::quote(text); }

std::string difference_text(const FrameDifference& d) {
  std::string out = fmt::format(
      "difference   {}\n             frame {} of session {}, received at {} ns, journal sequence "
      "{}\n             journal  {}\n             replay   {}\n",
      d.what, d.frame, d.slot, d.recv_ns, d.seq, d.journal, d.replayed);
  if (!d.text.empty()) out += fmt::format("             frame    {}\n", d.text);
  for (const std::string& line : d.before) out += fmt::format("             before   {}\n", line);
  return out;
}

std::string difference_json(const FrameDifference& d) {
  if (!d.found) return "null";
  std::string before;
  for (const std::string& line : d.before) before += (before.empty() ? "" : ",") + line;
  return fmt::format(
      R"({{"what":{},"seq":{},"frame":{},"slot":{},"recv_ns":{},"journal":{},"replay":{},)"
      R"("text":{},"before":[{}]}})",
      quoted(d.what), d.seq, d.frame, d.slot, d.recv_ns, quoted(d.journal), quoted(d.replayed),
      quoted(d.text), before);
}

std::string frames_json(const ReplayFindings& f) {
  if (!f.with_frames) return "null";
  const FrameReplayResult& r = f.frames;
  return fmt::format(
      R"({{"frames":{},"messages":{},"bytes":{},"events_decoded":{},"texts_compared":{},)"
      R"("unchecked":{},"messages_per_s":{:.0f},"parted":{},"note":{},"difference":{}}})",
      r.frames, r.messages, r.bytes, r.events, r.texts, r.unchecked, rate(r.messages, f.elapsed_s),
      quoted(r.parted), quoted(r.error), difference_json(r.difference));
}

// As `gimbalctl status` shows it.
std::string execution_text(const std::vector<ExecutionLine>& lines) {
  std::string out;
  for (const ExecutionLine& e : lines) {
    out += fmt::format(
        "execution    {}: {} fills, {:.0f} USD traded, shortfall {:+.2f} (delay {:+.2f}), against "
        "theory {:+.2f}, fees {:.2f}, after 1 s {:+.2f}, after 60 s {:+.2f}\n",
        e.of, e.fills, to_double(e.traded), to_double(e.shortfall), to_double(e.delay),
        to_double(e.theory), to_double(e.fees), to_double(e.after_1s), to_double(e.after_60s));
  }
  return out;
}

}  // namespace

ReplayVerdict verdict_of(const ReplayFindings& f) {
  if (f.events.verdict == ReplayVerdict::damaged || !f.with_frames) return f.events.verdict;
  if (f.frames.status == JournalStatus::corrupt) return ReplayVerdict::damaged;
  if (f.frames.difference.found) return ReplayVerdict::different;
  return f.events.verdict;
}

std::string replay_text(const ReplayFindings& f) {
  const ReplayResult& r = f.events;
  std::string out = fmt::format(
      "verdict      {}\nepoch        {}\nevents       {} ({} units, {} side blocks)\n"
      "commands     {}\ndigest       {:016x} ({} digest records compared)\n",
      verdict_text(verdict_of(f)), r.boot.epoch, r.events, r.units, r.side_blocks, r.commands,
      r.digest, r.digests_compared);
  if (f.with_frames) {
    out += fmt::format(
        "frames       {} ({} messages decoded to {} event records, all as journalled; {} order "
        "texts as sent)\n",
        f.frames.frames, f.frames.messages, f.frames.events, f.frames.texts);
    if (!f.frames.parted.empty()) {
      out += fmt::format("             not comparable from there on: {}\n", f.frames.parted);
    }
    if (f.frames.unchecked > 0) {
      out += fmt::format("             {} decoded records behind the journal's end\n",
                         f.frames.unchecked);
    }
  } else {
    out += fmt::format("frames       none: {}; the journalled events were stepped\n",
                       f.without_frames);
  }
  out += execution_text(f.execution);
  out += fmt::format("rate         {:.0f} events/s", rate(r.events, f.elapsed_s));
  if (f.with_frames) {
    out += fmt::format(" with decoding, {:.0f} messages/s", rate(f.frames.messages, f.elapsed_s));
  }
  out += fmt::format(" ({} MiB read, {:.2f} s)\n", f.bytes >> 20, f.elapsed_s);
  if (r.verdict == ReplayVerdict::different) {
    out += fmt::format(
        "difference   first between sequence numbers {} and {}: journal {:016x}, replay {:016x}\n",
        r.first_difference_after, r.first_difference_at, r.expected_digest, r.found_digest);
  }
  if (f.frames.difference.found) out += difference_text(f.frames.difference);
  if (!r.error.empty()) out += fmt::format("note         {}\n", r.error);
  if (!f.frames.error.empty()) out += fmt::format("note         frames: {}\n", f.frames.error);
  return out;
}

std::string replay_json(const ReplayFindings& f) {
  const ReplayResult& r = f.events;
  return fmt::format(
      R"({{"verdict":"{}","epoch":{},"events":{},"units":{},"side_blocks":{},"commands":{},)"
      R"("digest":"{:016x}","digests_compared":{},"difference_after_seq":{},)"
      R"("difference_at_seq":{},)"
      R"("expected":"{:016x}","found":"{:016x}","events_per_s":{:.0f},"elapsed_s":{:.4f},)"
      R"("bytes_read":{},"error":{},)"
      R"("execution":{},"frames":{},"without_frames":{}}})"
      "\n",
      verdict_text(verdict_of(f)), r.boot.epoch, r.events, r.units, r.side_blocks, r.commands,
      r.digest, r.digests_compared, r.first_difference_after, r.first_difference_at,
      r.expected_digest, r.found_digest, rate(r.events, f.elapsed_s), f.elapsed_s, f.bytes,
      quoted(r.error), execution_json(f.execution), frames_json(f),
      f.with_frames ? "null" : quoted(f.without_frames));
}

}  // namespace gimbal
