#include "engine/runtime/stream_turn.hpp"

#include "engine/runtime/clock.hpp"

namespace gimbal {
namespace {

constexpr std::size_t frame_bytes_per_turn = std::size_t{4} << 20;

}  // namespace

void write_turn(JournalWriter& journal, FrameRecorder* frames, Nanos most) {
  const RecvTime events_until = monotonic_now() + most;
  while (journal.drain(events_until) > 0 && monotonic_now() < events_until) {}
  if (frames == nullptr) return;
  const bool behind = journal.backlog() > 0 && !journal.failed() && !journal.degraded();
  (void)frames->drain(frame_bytes_per_turn, monotonic_now() + most,
                      behind ? journal.written() : Seq{UINT64_MAX});
}

}  // namespace gimbal
