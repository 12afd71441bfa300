// Portfolios as `gimbal stress` reads them: its own JSON format, and the answer of
// `gimbalctl positions --json`. Both formats are described in ops/docs/risk.md, section 4. Room:
// ops/risk, cold.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "engine/quant/stress/monte_carlo.hpp"
#include "engine/quant/stress/portfolio.hpp"

namespace gimbal::risk {

struct StressInput {
  quant::Portfolio portfolio;
  std::optional<quant::Dynamics> dynamics;  // of the Monte Carlo; none without a "dynamics" section
  std::vector<std::string> notes;           // what had to be assumed; part of every report
};

struct PortfolioOptions {
  // Reads a margin parameter file named in the portfolio. False with the reason.
  std::function<bool(const std::string& file, std::string& text, std::string& why)> read_file;
  std::int64_t now_unix_seconds{0};  // for positions, whose expiries are dates
  std::optional<double> flat_sigma;  // for positions whose mark implies no volatility
};

// Either format, told apart by the key "positions". False with the first fault.
bool read_portfolio(std::string_view text, const PortfolioOptions& options, StressInput& out,
                    std::string& fault);
// One margin model, with the text of its parameter file, for every account whose equity is known.
bool use_margin(std::string_view model, std::string_view parameters, StressInput& io,
                std::string& fault);
// A file with only a "dynamics" section, for positions, whose answer has none.
bool read_dynamics(std::string_view text, StressInput& out, std::string& fault);

// One line of a shock set: what happened to each underlying.
struct ShockRow {
  std::string label;
  std::vector<quant::Shock> shocks;
};
// CSV with `label` and for each underlying U of the portfolio `U_move` (relative, -0.4 is a fall by
// 40 %) and, if wanted, `U_vol` (relative change of implied volatility) and `days`.
bool read_shocks(std::string_view text, const quant::Portfolio& portfolio,
                 std::vector<ShockRow>& rows, std::string& fault);

}  // namespace gimbal::risk
