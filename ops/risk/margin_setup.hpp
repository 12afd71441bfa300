// Which margin model, with its parameters as a file gives them. Room: ops/risk, cold.
//
// deribit_pm        a JSON object with the keys of tests/fixtures/quant/pm_params.json
// deribit_standard  a JSON object {"future": {"initial", "maintenance", "per_coin"},
//                   "option": {"initial", "initial_min", "maintenance"}}, fractions
// tiered            CSV with table, tier, lower, upper, mmr and, if wanted, deduction
// aave              none
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "engine/quant/margin/deribit_portfolio.hpp"
#include "engine/quant/margin/deribit_standard.hpp"
#include "engine/quant/margin/tiered.hpp"

namespace gimbal::risk {

struct NoParameters {};
using TierTables = std::map<std::string, quant::TierTable>;
// The alternative is the model.
using MarginParameters =
    std::variant<NoParameters, quant::StandardRates, quant::PortfolioMarginParameters, TierTables>;

inline constexpr std::string_view margin_models = "deribit_standard, deribit_pm, tiered, aave";
[[nodiscard]] bool known_model(std::string_view model) noexcept;
[[nodiscard]] bool needs_parameters(std::string_view model) noexcept;

// False with the fault (and its place in the text where there is one).
bool read_margin_parameters(std::string_view model, std::string_view text, MarginParameters& out,
                            std::string& fault);

}  // namespace gimbal::risk
