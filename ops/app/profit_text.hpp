// The explained profit as a table of the report's page and as JSON. Room: ops/app. Cold.
#pragma once

#include <string>
#include <vector>

#include "ops/app/json_writer.hpp"
#include "ops/app/profit_explain.hpp"

namespace gimbal {

struct ProfitRow {
  std::string name;  // of the day, or of the boot
  ExplainedProfit profit{};
  double first_equity{0}, last_equity{0};
};
// A margin account and its stretches of time, in order; at least one.
struct ProfitAccount {
  VenueId venue{};
  Currency settlement{};
  std::vector<ProfitRow> rows;
  [[nodiscard]] ExplainedProfit whole() const noexcept;
};

// One table an account, its rows and their sum, which is called `sum`; `each` heads the rows. Empty
// without a margin report.
[[nodiscard]] std::string profit_tables(const std::vector<ProfitAccount>& accounts,
                                        const std::string& each, const std::string& sum);
// Member "accounts": of each its currency, the sum (member `sum`) and its rows (member `rows`, each
// with its name as member `each`).
void write_profit(JsonWriter& json, const std::vector<ProfitAccount>& accounts, const char* sum,
                  const char* rows, const char* each);

}  // namespace gimbal
