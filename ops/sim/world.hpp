// The exchange, its accounts and their first positions, from the options. Cold.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/sim/options.hpp"
#include "venues/sim/exchange.hpp"
#include "venues/sim/replay_market.hpp"

namespace gimbal::sim {

struct NamedAccount {
  std::string name;  // its first client id, or "shadow"
  AccountId id{no_account};
};

struct World {
  std::unique_ptr<SimExchange> exchange;
  std::unique_ptr<ReplayMarket> replay;  // null without recordings
  std::vector<NamedAccount> accounts;    // the trading account first
  std::vector<Credential> extra_keys;
};

// Throws std::runtime_error (or invalid_argument from the exchange) naming the file, line or option
// that is wrong. Exchange time starts at the recordings' start, or at the wall clock.
[[nodiscard]] World make_world(const SimOptions& options);

}  // namespace gimbal::sim
