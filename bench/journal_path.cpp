// What the journal's frame stream costs the hot thread: one text with its receive time into the
// tape. The tape is as large as the bot's and is filled to its half before it is emptied, so that
// each text goes to memory that was not touched for a long time, as in the bot.
#include <benchmark/benchmark.h>

#include <span>
#include <string>

#include "engine/runtime/frame_tape.hpp"

namespace {

using namespace gimbal;

constexpr std::size_t tape_bytes = std::size_t{32} << 20;

void empty(FrameTape& tape) {
  FrameRecord record;
  std::span<char> text;
  while (tape.peek(record, text)) tape.pop();
}

void frame_append(benchmark::State& state) {
  FrameTape tape{tape_bytes};
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  const std::size_t at_most = tape_bytes / 2 / (text.size() + 64);
  FrameRecord record{1, 1, 1, FrameKind::text_in, 0, 0};
  // Its pages are there, as those of a bot that has run for a while.
  while (tape.put(record, text)) {}
  empty(tape);
  std::size_t held = 0;
  bool whole = true;
  for (auto _ : state) {
    ++record.recv_mono_ns;
    whole = tape.put(record, text) && whole;
    if (++held < at_most) continue;
    state.PauseTiming();
    empty(tape);
    held = 0;
    state.ResumeTiming();
  }
  if (!whole) state.SkipWithError("the tape was full");
}
BENCHMARK(frame_append)->Arg(100)->Arg(400)->Arg(1024);

}  // namespace

BENCHMARK_MAIN();
