// Heartbeats in the shared gate page, and what their watcher makes of them.
//
// Each hot thread beats its own line from its own loop, the bot's cold thread and the guardian
// theirs: a line that stands still names the thread that hangs. Hot: HotBeat::tick(), one counter
// read and one comparison a cycle, three stores a millisecond, no system call. Cold: the rest.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/tsc.hpp"

namespace gimbal {

inline constexpr std::size_t hot_threads_max = 4;
inline constexpr Nanos beat_interval = milliseconds(1);

struct alignas(64) BeatLine {
  std::atomic<std::uint64_t> beats{0};
  std::atomic<std::int64_t> mono_ns{0};  // CLOCK_MONOTONIC of the last beat
  std::atomic<std::uint32_t> pid{0};     // process; of a hot line: the kernel's thread id
  std::atomic<std::uint32_t> state{0};   // BotState, GuardianState; of a hot line 1: it runs
  std::atomic<std::uint32_t> epoch{0};   // bot: its boot epoch; guardian: of the bot it watches
};
static_assert(sizeof(BeatLine) == 64);

// `stopped`: left in order, the venue shows nothing of ours. Any other end calls the guardian.
enum class BotState : std::uint32_t { absent, running, stopped };
// `ready`: it watches this bot and every session of its own could cancel now.
enum class GuardianState : std::uint32_t { absent, connecting, ready };

enum class FireCause : std::uint32_t {
  none,
  death,      // the process is gone
  hang,       // a hot thread does not beat
  cold_hang,  // the cold thread does not beat
  stop_page,  // a stop page says CANCEL or LOCK and the bot does not carry it out
  silence,    // off-host: no heartbeat came
};
[[nodiscard]] constexpr const char* name_of(FireCause cause) noexcept {
  switch (cause) {
    case FireCause::none: return "none";
    case FireCause::death: return "death";
    case FireCause::hang: return "hang";
    case FireCause::cold_hang: return "cold_hang";
    case FireCause::stop_page: return "stop_page";
    case FireCause::silence: return "silence";
  }
  return "none";
}

// What the guardian did; written by it alone. `fires` grows before its first cancel goes out.
struct alignas(64) FireLine {
  std::atomic<std::uint64_t> fires{0};
  std::atomic<std::uint64_t> false_fires{0};  // the bot was alive and beat again by itself
  std::atomic<std::uint64_t> cancels{0};      // cancel requests sent, all fires together
  std::atomic<std::int64_t> mono_ns{0};       // of the last fire
  std::atomic<std::uint32_t> cause{0};        // FireCause of the last
  std::atomic<std::uint32_t> confirmed{0};    // 1: after the last fire the venue showed none open
};
static_assert(sizeof(FireLine) == 64);

// One hot thread's beat. tick() once a cycle of its loop; the line stands still when the loop does.
class HotBeat {
 public:
  HotBeat(BeatLine& line, const TscClock& clock, Nanos interval = beat_interval) noexcept
      : line_{line},
        clock_{clock},
        ticks_{clock.uses_tsc() ? static_cast<std::uint64_t>(static_cast<double>(interval.count) *
                                                             clock.tsc_ghz())
                                : 0},
        interval_{interval} {
    beat(clock.now());
    line.state.store(1, std::memory_order_release);
  }
  // A thread that ends in order is not a thread that hangs.
  ~HotBeat() { line_.state.store(0, std::memory_order_release); }
  HotBeat(const HotBeat&) = delete;
  HotBeat& operator=(const HotBeat&) = delete;

  void tick() noexcept {
    if (ticks_ != 0) {
      if (read_tsc() - at_tsc_ < ticks_) return;
      beat(clock_.now());
    } else if (const RecvTime now = clock_.now(); now - at_ >= interval_) {
      beat(now);
    }
  }

 private:
  void beat(RecvTime now) noexcept {
    at_ = now;
    at_tsc_ = read_tsc();
    line_.mono_ns.store(now.mono_ns, std::memory_order_relaxed);
    line_.beats.store(line_.beats.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

  BeatLine& line_;
  const TscClock& clock_;
  std::uint64_t ticks_;
  Nanos interval_;
  std::uint64_t at_tsc_{0};
  RecvTime at_{};
};

// How long a beat has been silent as its watcher saw it. Time in which the watcher itself did not
// run counts `gap_max` at most: a host that was paused as a whole is no hang of the bot.
class SilenceWatch {
 public:
  explicit SilenceWatch(Nanos gap_max = milliseconds(5)) noexcept : gap_max_{gap_max} {}
  Nanos look(std::uint64_t beats, RecvTime now) noexcept {
    const Nanos since = seen_ ? now - looked_at_ : Nanos{};
    looked_at_ = now;
    if (!seen_ || beats != beats_) {
      seen_ = true;
      beats_ = beats;
      silent_ = {};
      return silent_;
    }
    silent_ = silent_ + (since < gap_max_ ? since : gap_max_);
    return silent_;
  }
  void forget() noexcept { seen_ = false; }
  [[nodiscard]] Nanos silent() const noexcept { return silent_; }

 private:
  Nanos gap_max_;
  bool seen_{false};
  std::uint64_t beats_{0};
  RecvTime looked_at_{};
  Nanos silent_{};
};

}  // namespace gimbal
