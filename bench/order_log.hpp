// When each order frame's send began, from the bot's own frame stream. Bench only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gimbal::bench {

struct OrderLog {
  std::vector<std::int64_t> sent_ns;  // CLOCK_MONOTONIC, of buy, sell and edit, in order
  std::uint64_t holes{0};             // frames that the stream says it lost
};

// Throws std::runtime_error when the stream cannot be read.
[[nodiscard]] OrderLog read_order_log(const std::filesystem::path& journal);

}  // namespace gimbal::bench
