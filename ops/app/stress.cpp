// `gimbal stress`: what shocks, past and simulated, would do to a portfolio.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "engine/quant/stress/pool.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/csv_tool.hpp"
#include "ops/cli/command_line.hpp"
#include "ops/risk/stress_report.hpp"

namespace gimbal {
namespace {

struct StressCommand {
  std::string file{"-"};
  std::string dynamics;
  std::string shocks;
  std::string html;
  double sigma{0};
  std::size_t paths{100'000};
  std::uint64_t seed{1};
  std::size_t threads{0};
  double horizon_seconds{60};
  bool json{false};
  bool csv{false};
};

bool complain(const std::string& file, const std::string& fault) {
  std::fprintf(stderr, "gimbal stress: %s: %s\n", file == "-" ? "standard input" : file.c_str(),
               fault.c_str());
  return false;
}

// A file beside the portfolio, unless its path is absolute.
std::string beside(const std::string& portfolio, const std::string& file) {
  const std::filesystem::path path{file};
  if (path.is_absolute() || portfolio == "-") return file;
  return (std::filesystem::path{portfolio}.parent_path() / path).string();
}

bool read_inputs(const StressCommand& c, risk::StressInput& input,
                 std::vector<risk::ShockRow>& shocks) {
  risk::PortfolioOptions options;
  options.now_unix_seconds = static_cast<std::int64_t>(std::time(nullptr));
  if (c.sigma > 0) options.flat_sigma = c.sigma;
  options.read_file = [&](const std::string& file, std::string& text, std::string& why) {
    return read_input(beside(c.file, file), text, why);
  };
  std::string text;
  std::string fault;
  if (!read_input(c.file, text, fault) || !risk::read_portfolio(text, options, input, fault)) {
    return complain(c.file, fault);
  }
  if (!c.dynamics.empty()) {
    text.clear();
    if (!read_input(c.dynamics, text, fault) || !risk::read_dynamics(text, input, fault)) {
      return complain(c.dynamics, fault);
    }
  }
  if (c.shocks.empty()) return true;
  text.clear();
  return (read_input(c.shocks, text, fault) &&
          risk::read_shocks(text, input.portfolio, shocks, fault)) ||
         complain(c.shocks, fault);
}

void draw_progress(double share) {
  constexpr int width = 40;
  const int full = static_cast<int>(share * width);
  std::fprintf(stderr, "\rsimulating [%.*s%*s] %3.0f%%", full,
               "########################################", width - full, "", 100 * share);
  if (share >= 1) std::fprintf(stderr, "\r%60s\r", "");
  std::fflush(stderr);
}

bool write_page(const std::string& file, const std::string& page) {
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << page;
  out.close();
  if (out) return true;
  std::fprintf(stderr, "gimbal stress: %s cannot be written\n", file.c_str());
  return false;
}

int stress(const StressCommand& c) {
  risk::StressInput input;
  std::vector<risk::ShockRow> shocks;
  if (!read_inputs(c, input, shocks)) return exit_usage;
  risk::StressRequest request;
  request.seed = c.seed;
  request.paths = c.paths + c.paths % 2;
  request.threads = c.threads > 0 ? c.threads : quant::core_count();
  request.horizon_years = c.horizon_seconds / 31'536'000.0;
  if (isatty(STDERR_FILENO) == 1) request.progress = draw_progress;
  const risk::StressReport report = risk::stress(input, shocks, request);
  if (!c.html.empty() && !write_page(c.html, risk::stress_html(report))) return exit_failed;
  const std::string out = c.json  ? risk::stress_json(report)
                          : c.csv ? risk::stress_csv(report)
                                  : risk::stress_text(report);
  const bool written =
      std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  if (!written) std::fprintf(stderr, "gimbal stress: the output could not be written\n");
  return written ? exit_done : exit_failed;
}

constexpr const char* explanation =
    R"(FILE is a portfolio in JSON, or the answer of `gimbalctl positions --json`:
  {"name": "book", "numeraire": "usd",
   "underlyings": [{"name": "BTC", "index": 63250, "sigma": 0.55}],
   "accounts": [{"name": "main", "underlying": "BTC", "settle": "inverse", "equity": 12.5,
     "margin": {"model": "deribit_pm", "parameters": "pm.json"},
     "legs": [{"t": "C", "F": 63400, "K": 70000, "T": 0.08, "iv": 0.6, "qty": -20},
              {"t": "perp", "F": 63260, "usd": 250000}]}],
   "dynamics": {"common_jumps_per_year": 4, "common_jumps": [{"mean": -0.08, "deviation": 0.06}],
     "own_jumps": [{"per_year": 2, "mean": 0, "deviation": 0.05}],
     "vol_jump": 0.5, "vol_of_move": -1, "correlation": [[1]], "jump_correlation": [[1]]}}
numeraire usd counts the collateral of coin accounts, coin leaves it out. sigma is of the index, per
sqrt(year). equity, margin and dynamics may be left out; without dynamics there is no Monte Carlo.

Reported: profit, delta, maintenance margin and health at 21 moves x 3 volatilities x 2 times; the
distance to liquidation of each account; each row of --shocks; VaR and ES over an hour and a day,
with standard errors. The same seed gives the same bits on any number of threads.
Formulas and what is uncertain about them: ops/docs/risk.md.

Exit code: 0 done, 1 output not written, 2 input that cannot be used.)";

void add_options(cli::Command command, StressCommand& o) {
  command.add_option("file", o.file, "Portfolio or positions in JSON, or - for standard input")
      .shows_default();
  command.add_option("--dynamics", o.dynamics, "JSON file with the dynamics section");
  command.add_option("--shocks", o.shocks,
                     "CSV: label, U_move for each underlying U; optional U_vol, days");
  command.add_option("--sigma", o.sigma, "Positions: volatility where marks imply none")
      .range(1e-6, 100.0);
  command.add_option("--paths", o.paths, "Monte Carlo paths, rounded up to even")
      .shows_default()
      .range(100, 50'000'000);
  command.add_option("--seed", o.seed, "Of the random numbers").shows_default();
  command.add_option("--threads", o.threads, "0: all cores").shows_default().range(0, 1024);
  command
      .add_option("--horizon", o.horizon_seconds,
                  "Seconds that deleveraging takes, for distances in sigma")
      .shows_default()
      .range(1.0, 31'536'000.0);
  command.add_option("--html", o.html, "Also write one self-contained page to this file");
  auto json = command.add_flag("--json", o.json, "JSON on standard output");
  command.add_flag("--csv", o.csv, "Grid and shock set as CSV on standard output").excludes(json);
}

}  // namespace

void add_stress(cli::Command app, int& exit_code) {
  auto options = std::make_shared<StressCommand>();
  auto command = app.add_subcommand(
      "stress",
      "Scenario grid, shock sets and Monte Carlo of a portfolio; margin health throughout");
  add_options(command, *options);
  command.footer(explanation);
  command.callback([options, &exit_code] { exit_code = stress(*options); });
}

}  // namespace gimbal
