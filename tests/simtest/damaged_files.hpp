// The files of a dead process, damaged (faults F37 and F39): its orders and the journal behind them
// are written by the product's writers, torn or changed, and read as the product's next boot reads
// them. What comes back must be a prefix of what was written, and damage must be told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/runtime/orders_file.hpp"
#include "tests/simtest/plants.hpp"

namespace gimbal::simtest {

enum class Damage : std::uint8_t {
  none,
  torn,      // the journal ends at any byte; missing, zeros or garbage behind it
  flipped,   // one bit of the journal or of the orders
  unsynced,  // the journal ends at any byte or lacks pages; the orders are of an earlier time
};

struct FileDamage {
  Damage damage{Damage::none};
  std::uint64_t seed{0};
};

struct FilesRead {
  bool orders{true};      // their file was believed
  std::size_t events{0};  // of the journal behind it, that came back
  std::string wrong;      // what no damage may do; empty: nothing
};

// `tail`: events behind the orders' own, in whole units. `directory`: of this call alone.
[[nodiscard]] FilesRead read_damaged(const std::string& directory, OrdersRecord orders,
                                     const std::vector<Event>& tail, const FileDamage& damage,
                                     Plant plant);

}  // namespace gimbal::simtest
