// The explained profit as a table of the report's page and as JSON. Room: ops/app. Cold.
#pragma once

#include <string>

#include "ops/app/json_writer.hpp"
#include "ops/app/profit_explain.hpp"

namespace gimbal {

// One table an account, a row a day and one for the run; empty without a margin report.
[[nodiscard]] std::string profit_tables(const ProfitExplain& explain);
// Member "accounts": of each its currency, the whole run and its days.
void write_profit(JsonWriter& json, const ProfitExplain& explain);

}  // namespace gimbal
