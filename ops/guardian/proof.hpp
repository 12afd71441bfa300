// What a fire did, as one JSON line: printed and kept when the venue first shows nothing open, and
// again when nothing that was on its way can arrive any more. Room: ops/guardian. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/gate_page.hpp"
#include "ops/guardian/cancel_run.hpp"

namespace gimbal::guardian {

struct FireProof {
  std::uint64_t fire{0};  // number since the page was made; off-host: since the start
  FireCause cause{FireCause::none};
  std::uint32_t thread{0};
  Nanos silent{};
  std::string account;
  bool own_account{false};
  std::uint32_t bot_pid{0};
  std::uint32_t bot_epoch{0};
  std::int64_t unix_ns{0};
  RecvTime detected{};             // CLOCK_MONOTONIC
  Nanos gate_closed{-1};           // after detection; -1: no gate on this host
  std::uint64_t listed{0};         // orders in the bot's list
  std::vector<OrderId> in_flight;  // between check and socket when the gate closed
  std::uint64_t refused{0};        // cancels that the venue refused
  std::string latch;
  std::string build;
  std::string config;
};

[[nodiscard]] std::string to_json(const FireProof& proof, const RunReport& run);

}  // namespace gimbal::guardian
