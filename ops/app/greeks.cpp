// `gimbal greeks`: prices and Greeks of the options in a CSV file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "ops/app/commands.hpp"
#include "ops/app/greeks_csv.hpp"

namespace gimbal {
namespace {

constexpr std::size_t input_bytes_max = std::size_t{1} << 30;

struct GreeksCommand {
  std::string file{"-"};
  bool json{false};
};

// Reads all of the file ("-": standard input). False with the reason when that is not possible.
bool read_all(const std::string& file, std::string& text, std::string& why) {
  std::FILE* in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) {
    why = "cannot be opened for reading; give a CSV file, or - for standard input";
    return false;
  }
  std::string block(std::size_t{1} << 16, '\0');
  for (std::size_t got = 1; got > 0 && text.size() <= input_bytes_max;) {
    got = std::fread(block.data(), 1, block.size(), in);
    text.append(block, 0, got);
  }
  const bool failed = std::ferror(in) != 0;
  if (in != stdin) std::fclose(in);
  if (failed) why = "cannot be read (is it a folder?)";
  if (text.size() > input_bytes_max) why = "is larger than 1 GiB; split it";
  return why.empty();
}

int greeks(const GreeksCommand& command) {
  const std::string source = command.file == "-" ? "standard input" : command.file;
  std::string text;
  std::string why;
  if (!read_all(command.file, text, why)) {
    std::fprintf(stderr, "gimbal greeks: %s %s\n", source.c_str(), why.c_str());
    return exit_usage;
  }
  const GreeksOutcome out =
      greeks_table(text, command.json ? GreeksFormat::json_lines : GreeksFormat::csv);
  for (const GreeksProblem& p : out.problems) {
    std::fprintf(stderr, "%s\n", p.to_text(source).c_str());
  }
  if (!out.usable) return exit_usage;
  const bool written =
      std::fwrite(out.output.data(), 1, out.output.size(), stdout) == out.output.size() &&
      std::fflush(stdout) == 0;
  if (!written) {
    std::fprintf(stderr, "gimbal greeks: the output could not be written\n");
    return exit_failed;
  }
  if (out.problems.empty()) return exit_done;
  std::fprintf(stderr,
               "gimbal greeks: %zu row%s written, %zu problem%s in %s; refused rows are left out\n",
               out.rows, out.rows == 1 ? "" : "s", out.problems.size(),
               out.problems.size() == 1 ? "" : "s", source.c_str());
  return exit_failed;
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

void add_greeks(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<GreeksCommand>();
  auto* command =
      app.add_subcommand("greeks", "Price the options of a CSV file and append their Greeks");
  command->add_option("file", options->file, "CSV file, or - for standard input")
      ->capture_default_str();
  command->add_flag("--json", options->json, "One JSON object per row instead of CSV");
  command->footer(explanation);
  command->callback([options, &exit_code] { exit_code = greeks(*options); });
}

}  // namespace gimbal
