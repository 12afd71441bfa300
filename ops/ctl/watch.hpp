// `gimbalctl watch`: the bot on one screen, drawn over itself. Room: ops/ctl. Cold path.
#pragma once

#include <cstdint>
#include <string>

#include "engine/core/time.hpp"

namespace gimbal::ctl {

// One screen from a status line of the bot: modes, delta and gamma against the band, orders,
// flatten, sessions, latency, margin, health, alerts. At most `rows` lines (0: all), each ending in
// a newline. A line of an unexpected shape is given back as it is.
[[nodiscard]] std::string watch_text(const std::string& json, std::size_t rows = 0);

struct WatchOptions {
  std::string socket;
  Nanos interval{seconds(1)};
  std::uint32_t count{0};  // looks; 0: until interrupted
  bool json{false};        // the bot's lines as they are, one a look
};
// An ExitCode. On a terminal a bot that cannot be reached is shown as such and asked again;
// otherwise the first look that fails ends it.
int watch(const WatchOptions& options);

}  // namespace gimbal::ctl
