// Decides from the shared pages whether the bot must be stopped for it: dead, hanging, or not
// carrying out a stop (controls, K-04). Pure but for the pages: time and "the process is gone" come
// in. Room: ops/guardian.
//
// Guards against a false fire: a bot that left in order is not watched; time in which the guardian
// itself did not run counts `gap_max` at most, so a host that was paused as a whole is no hang; and
// after a fire nothing is raised again until the bot has beaten again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/runtime/gate_page.hpp"

namespace gimbal::guardian {

struct WatchLimits {
  Nanos miss{milliseconds(200)};       // of a hot thread's beat
  Nanos cold_miss{seconds(2)};         // of the cold thread's
  Nanos stop_wait{milliseconds(100)};  // stop page says CANCEL -> the gate is closed
  Nanos stop_confirm{seconds(2)};      // gate closed -> the venue shows nothing open
};

// Why to fire; cause none: there is no reason to.
struct Alarm {
  FireCause cause{FireCause::none};
  std::uint32_t thread{0};  // hang: the kernel's id of the hot thread
  Scope scope{};            // stop_page: of the stop
  Nanos silent{};           // how long the sign of life was missing
};

class BotWatch {
 public:
  static constexpr Nanos gap_max = milliseconds(5);
  static constexpr std::size_t stops_max = 64;  // followed at a time

  BotWatch(const GatePage& gate, const StopPage& stop, const WatchLimits& limits) noexcept
      : gate_{gate}, stop_{stop}, limits_{limits} {}

  // Once a millisecond. `exited`: the process is gone.
  [[nodiscard]] Alarm look(RecvTime now, bool exited) noexcept;
  // A stop that the bot carried out `stop_confirm` ago and whose orders nobody has counted yet.
  [[nodiscard]] std::optional<Scope> wants_count() const noexcept;
  // The venue's answer: none open ends the matter, otherwise the next look() raises it.
  void counted(Scope scope, bool none_open) noexcept;
  // This boot's death was dealt with by an earlier guardian.
  void already_settled() noexcept { death_told_ = true; }
  // The bot runs and has not left in order.
  [[nodiscard]] bool watching() const noexcept { return watching_; }
  // Fires after which the bot beat again by itself.
  [[nodiscard]] std::uint64_t false_fires() const noexcept { return false_fires_; }

 private:
  enum class StopState : std::uint8_t { waiting, carried, none_open, still_open };
  struct StopSeen {
    Scope scope{};
    Mode mode{Mode::active};
    Nanos since{};  // on fair_
    StopState state{StopState::waiting};
    bool present{false};
  };

  [[nodiscard]] Alarm look_at_beats(RecvTime now) noexcept;
  [[nodiscard]] Alarm look_at_stops() noexcept;
  void note_stop(Scope scope, Mode mode) noexcept;
  void forget() noexcept;
  Alarm raise(const Alarm& alarm) noexcept;

  const GatePage& gate_;
  const StopPage& stop_;
  WatchLimits limits_;
  std::array<SilenceWatch, hot_threads_max> hot_{SilenceWatch{gap_max}, SilenceWatch{gap_max},
                                                 SilenceWatch{gap_max}, SilenceWatch{gap_max}};
  SilenceWatch cold_{gap_max};
  std::array<std::uint64_t, hot_threads_max> beats_at_fire_{};
  std::uint64_t cold_at_fire_{0};
  std::vector<StopSeen> stops_;
  RecvTime looked_at_{};
  Nanos fair_{};                      // time in which this watcher ran
  FireCause spent_{FireCause::none};  // raised; not again before the bot beats again
  bool death_told_{false};
  bool watching_{false};
  std::uint64_t false_fires_{0};
};

}  // namespace gimbal::guardian
