#include "ops/risk/stress_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/app/csv_table.hpp"

namespace gimbal::risk {

namespace {

constexpr double hour = 1.0 / 8760;
constexpr double day = 1.0 / 365;

std::string number_or_dash(double v, const char* format) {
  return std::isfinite(v) ? fmt::format(fmt::runtime(format), v) : (std::isinf(v) ? "inf" : "-");
}

}  // namespace

StressReport stress(const StressInput& input, const std::vector<ShockRow>& shocks,
                    const StressRequest& request) {
  StressReport r;
  r.portfolio = input.portfolio;
  r.notes = input.notes;
  r.seed = request.seed;
  r.paths = request.paths;
  r.horizon_years = request.horizon_years;
  const quant::Repricer repricer{input.portfolio};
  r.grid = quant::scenario_grid(repricer, request.threads);
  r.accounts = quant::account_states(input.portfolio, request.horizon_years);
  for (const ShockRow& row : shocks) {
    r.replay.push_back({row.label, quant::node_at(repricer, row.shocks)});
  }
  std::stable_sort(r.replay.begin(), r.replay.end(), [](const ReplayRow& a, const ReplayRow& b) {
    return a.node.profit < b.node.profit;
  });
  if (!input.dynamics) return r;
  const double horizons[] = {hour, day};
  for (std::size_t i = 0; i < 2; ++i) {
    quant::SimulationRequest s;
    s.years = horizons[i];
    s.seed = request.seed;
    s.paths = request.paths;
    s.threads = request.threads;
    if (request.progress) {
      s.progress = [&, i](double share) {
        request.progress((static_cast<double>(i) + share) / 2.0);
      };
    }
    r.simulations.push_back(quant::simulate(repricer, *input.dynamics, s));
  }
  return r;
}

std::string short_money(double v) {
  if (!std::isfinite(v)) return "-";
  const double size = std::abs(v);
  if (size >= 9.995e8) return fmt::format("{:.2f}B", v * 1e-9);
  if (size >= 9.995e5) return fmt::format("{:.2f}M", v * 1e-6);
  if (size >= 9.995e2) return fmt::format("{:.1f}k", v * 1e-3);
  return size < 0.5 ? "0" : fmt::format("{:.0f}", v);
}

// --- text
// -----------------------------------------------------------------------------------------

namespace {

std::string grid_text(const StressReport& r) {
  std::string out;
  std::size_t at = 0;
  for (const double days : quant::grid_days) {
    out += fmt::format(
        "\nProfit in USD after {} (rows: implied volatility; columns: move of all "
        "prices)\n{:>8}",
        days > 0 ? "one day" : "no time", "");
    for (const double move : quant::grid_moves) out += fmt::format("{:>8.0f}%", 100 * move);
    for (const double vol : quant::grid_vols) {
      out += fmt::format("\n{:>+7.0f}%", 100 * vol);
      for (std::size_t i = 0; i < quant::grid_moves.size(); ++i, ++at) {
        out += fmt::format("{:>9}", short_money(r.grid[at].profit));
      }
    }
    out += '\n';
  }
  return out;
}

std::string accounts_text(const StressReport& r) {
  std::string out =
      fmt::format("\n{:<24}{:>14}{:>14}{:>8}{:>10}{:>10}{:>10}{:>10}\n", "account", "equity",
                  "maintenance", "health", "below %", "sigmas", "above %", "sigmas");
  for (const quant::AccountState& a : r.accounts) {
    const bool both = a.has_margin && std::isfinite(a.margin.equity);
    out += fmt::format("{:<24}{:>14}{:>14}{:>8}{:>10}{:>10}{:>10}{:>10}\n", a.name,
                       number_or_dash(a.margin.equity, "{:.6g}"),
                       number_or_dash(a.margin.maintenance, "{:.6g}"),
                       both ? number_or_dash(a.margin.health(), "{:.3f}") : "-",
                       both ? number_or_dash(a.distance.below.percent, "{:.2f}") : "-",
                       both ? number_or_dash(a.distance.below.sigmas, "{:.1f}") : "-",
                       both ? number_or_dash(a.distance.above.percent, "{:.2f}") : "-",
                       both ? number_or_dash(a.distance.above.sigmas, "{:.1f}") : "-");
  }
  return out;
}

std::string simulations_text(const StressReport& r) {
  std::string out;
  for (const quant::Simulation& s : r.simulations) {
    out += fmt::format(
        "\nMonte Carlo, {:.0f} h: mean {}, deviation {}, skew {:.2f}, excess "
        "kurtosis {:.1f}\n",
        s.years * 8760, short_money(s.moments.mean), short_money(s.moments.deviation),
        s.moments.skew, s.moments.excess_kurtosis);
    for (const quant::TailRisk& t : s.tail) {
      out += fmt::format("  {:>5.1f}%  VaR {:>10} +- {:<9} ES {:>10} +- {}\n", 100 * t.confidence,
                         short_money(t.var), short_money(t.var_error), short_money(t.es),
                         short_money(t.es_error));
    }
    out += fmt::format("  second order without jumps (Cornish-Fisher): VaR 99% {}\n",
                       short_money(s.delta_gamma_var99));
    for (std::size_t a = 0; a < s.breach_share.size(); ++a) {
      if (!r.accounts[a].has_margin) continue;
      out += fmt::format("  {}: {:.3f}% of paths end beyond its liquidating prices\n",
                         r.accounts[a].name, 100 * s.breach_share[a]);
    }
  }
  return out;
}

}  // namespace

std::string stress_text(const StressReport& r) {
  std::string out =
      fmt::format("{}: {} account(s), {} underlying(s), numeraire {}\n", r.portfolio.name,
                  r.portfolio.accounts.size(), r.portfolio.underlyings.size(),
                  r.portfolio.numeraire == quant::Numeraire::usd ? "usd" : "coin");
  if (!r.simulations.empty()) out += fmt::format("seed {}, {} paths\n", r.seed, r.paths);
  for (const std::string& note : r.notes) out += "note: " + note + "\n";
  out += grid_text(r) + accounts_text(r) + simulations_text(r);
  if (!r.replay.empty()) out += "\nShock set, worst first\n";
  for (const ReplayRow& row : r.replay) {
    out += fmt::format("  {:<40}{:>12}  health {}\n", row.label, short_money(row.node.profit),
                       number_or_dash(row.node.health, "{:.3f}"));
  }
  return out;
}

// --- CSV
// ------------------------------------------------------------------------------------------

std::string stress_csv(const StressReport& r) {
  std::string out = "kind,label,days,vol,move,profit_usd,delta_usd,maintenance_usd,health\n";
  const auto row = [&](const char* kind, const std::string& label, const quant::Node& n) {
    const quant::Shock& s = n.shocks.front();
    out += std::string{kind} + ',' + csv_text(label) + ',' + csv_number(s.years * 365) + ',' +
           csv_number(s.vol) + ',' + csv_number(s.move) + ',' + csv_number(n.profit) + ',' +
           csv_number(n.delta_usd) + ',' + csv_number(n.maintenance) + ',' + csv_number(n.health) +
           '\n';
  };
  for (const quant::Node& n : r.grid) row("grid", "", n);
  for (const ReplayRow& n : r.replay) row("replay", n.label, n.node);
  return out;
}

}  // namespace gimbal::risk
