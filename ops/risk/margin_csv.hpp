// The table behind `gimbal margin`: CSV rows of positions in, the same rows with requirements,
// health and distance to liquidation out. The columns of each model are in `gimbal margin --help`.
//
// Room: ops/risk, cold. Appended to every row, after the model's own results:
//   cushion            equity - maintenance, in the account's currency
//   status             ok, or already_liquidatable
//   below_pct, above_pct      distance of the nearest liquidating price on each side, per cent; inf
//   if none below_sigma, above_sigma  the same in standard deviations over the horizon; inf without
//   `sigma`
#pragma once

#include <string_view>

#include "ops/app/csv_table.hpp"
#include "ops/risk/margin_setup.hpp"

namespace gimbal::risk {

struct MarginRequest {
  std::string model;  // known_model
  MarginParameters parameters{};
  double horizon_years{60.0 / 31'536'000.0};  // time that deleveraging takes
  // Of deribit_pm: maintenance over equity that the cheapest reduction is to reach; 0: no plan.
  double plan_health{0};
};
[[nodiscard]] CsvOutcome margin_table(std::string_view input, CsvFormat format,
                                      const MarginRequest& request);

}  // namespace gimbal::risk
