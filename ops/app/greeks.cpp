// `gimbal greeks`: prices and Greeks of the options in a CSV file.
#include <memory>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/csv_tool.hpp"
#include "ops/app/greeks_csv.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct GreeksCommand {
  std::string file{"-"};
  bool json{false};
};

int greeks(const GreeksCommand& command) {
  return run_csv_tool("gimbal greeks", command.file, [&](std::string_view text) {
    return greeks_table(text, command.json ? CsvFormat::json_lines : CsvFormat::csv);
  });
}

constexpr const char* explanation = R"(Input columns, in any order:
  type    C or P
  F, K    forward of the option's own expiry, and strike
  T       years of 365 days
  sigma   volatility as a fraction per sqrt(year): 0.6, not 60
  r, df   optional, linear only: rate and discount factor; one follows from the other
  settle  optional: linear (paid in the quote currency) or inverse (paid in the coin)

Every column is copied; appended are
  linear   price,delta,gamma,vega,theta,vanna,volga
  inverse  v_coin,delta_bs,delta_net,gamma_bs,gamma_net,vega_coin,theta_coin,vanna_net,volga_coin
with vega per 1.00 of sigma and theta per year. delta_net is the premium-adjusted delta in coins.
T or sigma at or below 0 gives the intrinsic value. A name the file already uses is appended as
gimbal_<name>.

Exit code: 0 all rows written, 1 some row refused (named on stderr), 2 no usable input.

Example:
  printf 'type,F,K,T,sigma,settle\nC,63250,65000,0.02,0.55,inverse\n' | gimbal greeks)";

}  // namespace

void add_greeks(cli::Command app, int& exit_code) {
  auto options = std::make_shared<GreeksCommand>();
  auto command =
      app.add_subcommand("greeks", "Price the options of a CSV file and append their Greeks");
  command.add_option("file", options->file, "CSV file, or - for standard input").shows_default();
  command.add_flag("--json", options->json, "One JSON object per row instead of CSV");
  command.footer(explanation);
  command.callback([options, &exit_code] { exit_code = greeks(*options); });
}

}  // namespace gimbal
