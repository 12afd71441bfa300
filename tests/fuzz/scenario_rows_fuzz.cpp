// Blocks of scenario rows, whatever their bytes are: taken whole or not at all, and what is taken
// is finite.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "engine/core/risk/scenario_cells.hpp"
#include "tests/fuzz/listed_option.hpp"

namespace {

using namespace gimbal;

constexpr std::size_t options = 4;
constexpr double spot = 50'000;
constexpr std::int64_t one = nano_per_unit;

Instrument option_of(std::size_t n) {
  return test::listed_option(n, ExchTime{1'800'000'000'000'000'000});
}

struct Account {
  InstrumentTable table{8};
  ScenarioCells cells{ScenarioConfig{0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000}, 8};
  RecvTime now{seconds(1000).count};

  Account() {
    for (std::size_t n = 0; n < options; ++n) {
      const Instrument i = table[table.add(option_of(n))];
      cells.hold(i, Qty{(n % 2 == 0 ? 3 : -2) * one});
    }
    cells.follow(UnderlyingId{0}, spot);
  }
  [[nodiscard]] std::array<ScenarioCells::Cells, 2> all() const {
    const ScenarioCells::Position p{spot, spot, 0, 0, 0};
    return {cells.cells(UnderlyingId{0}, true, p), cells.cells(UnderlyingId{0}, false, p)};
  }
  void take(std::span<const std::byte> bytes) {
    const auto before = all();
    const ScenarioRows rows{bytes};
    const ScenarioCells::Taken taken = cells.take(rows, table, now);
    const auto after = all();
    if (taken != ScenarioCells::Taken::all) {
      if (std::memcmp(before.data(), after.data(), sizeof before) != 0) std::abort();
      return;
    }
    if (!rows.sound()) std::abort();
    // Finite rows may sum up to what is beyond every number: that is no loss that passes.
    for (std::size_t s = 0; s < 2; ++s) {
      const bool finite =
          std::all_of(after[s].begin(), after[s].end(), [](double v) { return std::isfinite(v); });
      if (!finite && !std::isnan(cells.worst_loss(after[s], s == 0, spot))) std::abort();
    }
  }
};

}  // namespace

// Blocks one after the other, each behind two bytes that say how long it is (in 8 bytes, low byte
// first).
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  Account account;
  while (size >= 2) {
    const std::size_t asked = (data[0] + 256U * data[1]) * std::size_t{8};
    const std::size_t length = std::min(asked, size - 2);
    account.take({reinterpret_cast<const std::byte*>(data + 2), length});
    data += 2 + length;
    size -= 2 + length;
  }
  return 0;
}
