// `gimbal iv`: the volatilities that the option prices of a CSV file imply.
#include <memory>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/csv_tool.hpp"
#include "ops/app/iv_csv.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct IvCommand {
  std::string file{"-"};
  bool json{false};
};

int implied_vol(const IvCommand& command) {
  return run_csv_tool("gimbal iv", command.file, [&](std::string_view text) {
    return implied_vol_table(text, command.json ? CsvFormat::json_lines : CsvFormat::csv);
  });
}

constexpr const char* explanation = R"(Input columns, in any order:
  type    C or P
  F, K    forward of the option's own expiry, and strike
  T       years of 365 days, above 0
  price   in the quote currency, discounted; in coins where settle is inverse
  df, r   optional, linear only: discount factor, or the rate it follows from
  settle  optional: linear (paid in the quote currency) or inverse (paid in the coin)

Every column is copied; appended are
  status          ok, below_intrinsic, above_maximum or zero_time_value, decided exactly
  sigma           volatility as a fraction per sqrt(year): 0.6 is 60 %
  attainable_rel  relative change of sigma for one unit in the last digit of the price; the
                  error of sigma is below 8 of these
sigma and attainable_rel are nan (in JSON null) unless the status is ok. A name the file already
uses is appended as gimbal_<name>.

Exit code: 0 all rows written, 1 some row refused (named on stderr), 2 no usable input.

Example:
  printf 'type,F,K,T,price,settle\nC,63250,65000,0.02,0.0193,inverse\n' | gimbal iv)";

}  // namespace

void add_iv(cli::Command app, int& exit_code) {
  auto options = std::make_shared<IvCommand>();
  auto command = app.add_subcommand("iv", "Imply the volatilities of the prices in a CSV file");
  command.add_option("file", options->file, "CSV file, or - for standard input").shows_default();
  command.add_flag("--json", options->json, "One JSON object per row instead of CSV");
  command.footer(explanation);
  command.callback([options, &exit_code] { exit_code = implied_vol(*options); });
}

}  // namespace gimbal
