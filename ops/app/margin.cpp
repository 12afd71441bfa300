// `gimbal margin`: requirements, health and distance to liquidation of the positions in a CSV file.
#include <cstdio>
#include <memory>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/csv_tool.hpp"
#include "ops/cli/command_line.hpp"
#include "ops/risk/margin_csv.hpp"

namespace gimbal {
namespace {

struct MarginCommand {
  std::string file{"-"};
  std::string model;
  std::string parameters;
  double horizon_seconds{60};
  double plan_health{0};
  bool json{false};
};

// False, with the reason on stderr, when the parameters cannot be used.
bool read_parameters(const MarginCommand& command, risk::MarginRequest& request) {
  request.model = command.model;
  request.horizon_years = command.horizon_seconds / 31'536'000.0;
  request.plan_health = command.plan_health;
  if (command.plan_health > 0 && command.model != "deribit_pm") {
    std::fprintf(stderr, "gimbal margin: --plan belongs to the model deribit_pm\n");
    return false;
  }
  const bool needed = risk::needs_parameters(command.model);
  if (needed == command.parameters.empty()) {
    std::fprintf(stderr, "gimbal margin: model %s %s\n", command.model.c_str(),
                 needed ? "needs --parameters FILE: its rates change and have no default"
                        : "takes no --parameters");
    return false;
  }
  if (!needed) return true;
  std::string text;
  std::string fault;
  if (!read_input(command.parameters, text, fault) ||
      !risk::read_margin_parameters(command.model, text, request.parameters, fault)) {
    std::fprintf(stderr, "gimbal margin: %s: %s\n", command.parameters.c_str(), fault.c_str());
    return false;
  }
  return true;
}

int margin(const MarginCommand& command) {
  risk::MarginRequest request;
  if (!read_parameters(command, request)) return exit_usage;
  return run_csv_tool("gimbal margin", command.file, [&](std::string_view text) {
    return risk::margin_table(text, command.json ? CsvFormat::json_lines : CsvFormat::csv, request);
  });
}

constexpr const char* explanation = R"(Input columns by model, in any order:
  tiered            table, side (1 or -1), mark, entry, then either qty and wallet (linear) or
                    contracts_usd and wallet_coin (inverse); optional other_mm, other_upnl (cross)
  deribit_pm        index, legs; optional equity, settle (inverse, linear)
  deribit_standard  the same
  aave              collateral_price_amount_lt, debt_price_amount
and for all: sigma, optional, volatility per sqrt(year) of the price that moves.

legs is a JSON list of
  {"t": "C", "F": forward, "K": strike, "T": years, "iv": sigma, "qty": coins}   P for a put
  {"t": "perp", "F": mark, "usd": amount}          "coins" in place of "usd" when linear
  {"t": "fut", "F": mark, "days": days, "usd": amount}
The lists of aave are [[price, amount, liquidation threshold], ...] and [[price, amount], ...].

Every column is copied; appended are the model's numbers and
  cushion                   equity - maintenance margin
  status                    ok, already_liquidatable, no_equity
  below_pct, above_pct      nearest price on each side that liquidates, per cent away; inf if none
  below_sigma, above_sigma  the same in standard deviations over --horizon; inf without sigma

With --plan H (deribit_pm) each leg may have "cost", what closing one unit of its amount costs in
the settlement currency (fee, half of the spread, impact; without it the leg stays), and "lot", what
amounts are closed in multiples of. Appended before the above are
  plan         the closing trades in order: [{"leg", "trade", "cost", "mm_after"}, ...], leg from 0
  plan_result  nothing_needed, reached, out_of_reach (closing cannot bring it there), no_equity,
               not_found (the search ended without a plan; there may be one), delta_shocked (the
               shock for a large delta is on: not planned)
  plan_cost, plan_health  of all of them

--parameters: rates change without notice and have no default.
  tiered            CSV: table, lower, upper, mmr and, if wanted, deduction
  deribit_pm        JSON: price_range, vup, vdn, vmin, short_pow, long_pow, ext_factor,
                    extended_moves, dampener_usd, ann_move, min_move, m_inc, max_delta_shock,
                    thr_usd, mm_factor
  deribit_standard  JSON: {"future": {"initial", "maintenance", "per_coin"},
                    "option": {"initial", "initial_min", "maintenance"}}, as fractions
Formulas and what is uncertain about them: ops/docs/risk.md.

Exit code: 0 all rows written, 1 some row refused (named on stderr), 2 no usable input.)";

}  // namespace

void add_margin(cli::Command app, int& exit_code) {
  auto options = std::make_shared<MarginCommand>();
  auto command = app.add_subcommand(
      "margin", "Margin, health and distance to liquidation of the positions in a CSV file");
  command.add_option("file", options->file, "CSV file, or - for standard input").shows_default();
  command.add_option("--model", options->model, "deribit_standard, deribit_pm, tiered or aave")
      .required()
      .check([](const std::string& name) {
        return risk::known_model(name)
                   ? std::string{}
                   : "is one of " + std::string{risk::margin_models} + ", not " + name;
      });
  command.add_option("--parameters", options->parameters, "Rates of the model: JSON or CSV");
  command
      .add_option("--horizon", options->horizon_seconds,
                  "Seconds that deleveraging takes, for the distance in sigma")
      .shows_default()
      .range(1.0, 31'536'000.0);
  command
      .add_option("--plan", options->plan_health,
                  "With deribit_pm: the cheapest closing trades that bring maintenance over equity "
                  "to this")
      .range(0.01, 1.0);
  command.add_flag("--json", options->json, "One JSON object per row instead of CSV");
  command.footer(explanation);
  command.callback([options, &exit_code] { exit_code = margin(*options); });
}

}  // namespace gimbal
