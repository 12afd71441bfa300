// `gimbal iv`: the volatilities that the option prices of a CSV file imply, and with --surface the
// curve through them, expiry by expiry.
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "ops/app/commands.hpp"
#include "ops/app/csv_tool.hpp"
#include "ops/app/iv_csv.hpp"
#include "ops/app/surface_csv.hpp"
#include "ops/app/surface_page.hpp"
#include "ops/cli/command_line.hpp"

namespace gimbal {
namespace {

struct IvCommand {
  std::string file{"-"};
  bool json{false};
  bool surface{false};
  bool each{false};
  std::string page{};
  bool curves_only{false};
  double flat{0};
  std::string previous{};
  double previous_age_s{-1};
  double age_max_s{-1};
};

int complain(const char* text) {
  std::fprintf(stderr, "gimbal iv: %s\n", text);
  return exit_usage;
}

// The fit as a page in place of the table.
int write_page(const IvCommand& command, const SurfaceRequest& request) {
  bool written = true;
  const int code = run_csv_tool("gimbal iv", command.file, [&](std::string_view text) {
    CsvOutcome out;
    const std::vector<SurfaceExpiry> expiries = surface_expiries(text, request, out);
    if (!out.usable) return out;
    std::string title = command.file.substr(command.file.rfind('/') + 1);
    title = "Volatility surface, " + title.substr(0, title.rfind(".csv"));
    std::ofstream file{command.page, std::ios::binary};
    file << surface_page(title, expiries, !command.curves_only);
    file.close();
    written = static_cast<bool>(file);
    return out;
  });
  if (written) return code;
  std::fprintf(stderr, "gimbal iv: cannot write %s\n", command.page.c_str());
  return exit_failed;
}

int surface(const IvCommand& command) {
  if (command.curves_only && command.page.empty())
    return complain("--curves-only belongs to --page");
  if (command.each && !command.page.empty())
    return complain("--page shows expiries, not --each row");
  if (command.flat > 0 && !command.each) return complain("--flat belongs to --each");
  const bool aged = command.previous_age_s >= 0 && command.age_max_s >= 0;
  if (command.previous.empty() ? command.previous_age_s >= 0 || command.age_max_s >= 0 : !aged) {
    return complain("--previous, --previous-age and --surface-age-max belong together");
  }
  SurfaceRequest request;
  request.format = command.json ? CsvFormat::json_lines : CsvFormat::csv;
  request.each = command.each;
  request.flat = command.flat;
  std::string previous;
  if (!command.previous.empty()) {
    std::string why;
    if (!read_input(command.previous, previous, why)) {
      return complain((command.previous + " " + why).c_str());
    }
    if (previous.empty()) return complain((command.previous + " is empty").c_str());
    request.previous = previous;
    request.previous_age_s = command.previous_age_s;
    request.age_max_s = command.age_max_s;
  }
  if (!command.page.empty()) return write_page(command, request);
  return run_csv_tool("gimbal iv", command.file,
                      [&](std::string_view text) { return surface_table(text, request); });
}

int implied_vol(const IvCommand& command) {
  if (command.surface) return surface(command);
  if (command.each || !command.page.empty() || command.curves_only || command.flat > 0 ||
      !command.previous.empty() || command.previous_age_s >= 0 || command.age_max_s >= 0) {
    return complain("--each, --page, --flat, --previous and the ages belong to --surface");
  }
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

--surface reads a chain and prints one row per expiry. Columns, in one of three forms:
  type, F, K, T as above; iv, or price; optional bid and ask (prices) or bid_iv and ask_iv; iv as
      fractions, df, r, settle as above; optional expiry, a name (else T is the name)
  instrument_name, option_type, strike, futures_price, time_to_maturity; optional
      implied_volatility (a fraction), bid_price, ask_price (coins; BTC_USDC-...: quote currency)
  instrument_name, underlying_price, timestamp (ms), mark_iv; optional bid_iv, ask_iv (per cent)
The option out of the money is used at each strike, the middle of bid and ask where five strikes of
the expiry have both (quotes: book), else the marks (quotes: mark). Printed are
  expiry, T, F, rows, strikes, quotes
  model     svi, ssvi, kept (from --previous, shifted at the money) or none
  verdict   accepted; butterfly, calendar or error: why the best fit was refused; or why the quotes
            cannot be used
  a, b, rho, m, sigma  of w(k) = a + b (rho (k-m) + sqrt((k-m)^2 + sigma^2)), k = ln(K/F): raw SVI
  rms_points, max_points      error in volatility points: weighted as the fit, and the largest
  bar_points, inside_share    what rms may be; share of strikes with the curve inside bid and ask
  butterfly, min_g, min_g_k   free or arbitrage; the least of Durrleman's g over all k, and where
  calendar, min_gap, min_gap_k  free, crossing or alone; the least w_later / w_earlier - 1
  repaired                    yes: the free fit had arbitrage
With --each the input rows are copied instead; appended are sigma, dsigma_dk and source: svi, ssvi,
kept, interpolated (between expiries), venue (the row's own iv or mark), flat (--flat) or none.
Formulas and what is uncertain about them: ops/docs/risk.md.

Exit code: 0 all rows written, 1 some row refused (named on stderr), 2 no usable input.

Examples:
  printf 'type,F,K,T,price,settle\nC,63250,65000,0.02,0.0193,inverse\n' | gimbal iv
  gimbal iv --surface chain.csv > now.csv
  gimbal iv --surface --each later.csv --previous now.csv --previous-age 30 --surface-age-max 60)";

void add_options(cli::Command command, IvCommand& o) {
  command.add_option("file", o.file, "CSV file, or - for standard input").shows_default();
  command.add_flag("--json", o.json, "One JSON object per row instead of CSV");
  command.add_flag("--surface", o.surface, "Fit a volatility curve to each expiry of a chain");
  command.add_flag("--each", o.each, "With --surface: the rows with the surface's volatility");
  command.add_option("--page", o.page,
                     "With --surface: write the fits as an HTML page with plots here instead");
  command.add_flag("--curves-only", o.curves_only, "With --page: without the quotes");
  command.add_option("--flat", o.flat, "With --each: volatility where nothing else has one")
      .range(1e-4, 100.0);
  command.add_option("--previous", o.previous,
                     "With --surface: CSV that an earlier call printed; starts the fit");
  command.add_option("--previous-age", o.previous_age_s, "Seconds since then").range(0.0, 1e9);
  command
      .add_option("--surface-age-max", o.age_max_s,
                  "Seconds that an earlier curve may stand in for an expiry that has none now")
      .range(0.0, 1e9);
}

}  // namespace

void add_iv(cli::Command app, int& exit_code) {
  auto options = std::make_shared<IvCommand>();
  auto command = app.add_subcommand("iv", "Imply the volatilities of the prices in a CSV file");
  add_options(command, *options);
  command.footer(explanation);
  command.callback([options, &exit_code] { exit_code = implied_vol(*options); });
}

}  // namespace gimbal
