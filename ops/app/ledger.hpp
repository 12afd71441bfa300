// The cold side's own count of what trading cost: fills once each by exact trade id, fees, and the
// distance of every fill from the mark. Room: ops/app. Cold.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

struct CostLine {
  std::uint64_t fills{0};
  Money fees{};          // paid, in the currency of the line
  Money against_mark{};  // what the fills lost against the mark price; negative is a gain
  double traded_usd{0};
};

class FillLedger {
 public:
  explicit FillLedger(const InstrumentTable& table) : table_{table} {}

  // False for a trade id that was booked before.
  bool book(const Fill& fill, InstrumentId instrument);
  [[nodiscard]] const std::map<std::string, CostLine>& lines() const noexcept { return lines_; }
  [[nodiscard]] std::uint64_t duplicates() const noexcept { return duplicates_; }

 private:
  const InstrumentTable& table_;
  std::set<TradeId> seen_;
  std::map<std::string, CostLine> lines_;
  std::uint64_t duplicates_{0};
};

}  // namespace gimbal
