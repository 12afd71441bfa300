// The page of a stress report: inline SVG and CSS, light and dark by the reader's setting, no
// script, no network.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/risk/stress_report.hpp"

namespace gimbal::risk {

namespace {

constexpr const char* style = R"(
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1c2127;--soft:#66707c;
--line:#dfe3e8;--gain:#1a7f4b;--loss:#c2362b;--accent:#2f6fb5;--safe:#cfe3d6}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--card:#1c2024;--ink:#e6e9ec;
--soft:#9aa4af;--line:#323940;--gain:#3fb27a;--loss:#ef6a5e;--accent:#6ba6e8;--safe:#24443a}
}*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1240px;margin:0 auto;padding:24px}h1{font-size:22px;margin:0 0 4px}
h2{font-size:15px;margin:0 0 10px}p{margin:4px 0;color:var(--soft)}section{
background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px;
margin:16px 0;overflow-x:auto}.tiles{display:flex;flex-wrap:wrap;gap:12px;margin:16px 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:10px 14px;
flex:1 1 150px}.tile b{display:block;font-size:20px;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:12px}svg{display:block;width:100%;min-width:880px;
height:auto}svg text{fill:var(--ink);font-size:10.5px;font-variant-numeric:tabular-nums}
svg text.soft{fill:var(--soft)}.gain{fill:var(--gain)}.loss{fill:var(--loss)}
.bar{fill:var(--accent)}.safe{fill:var(--safe)}.axis{stroke:var(--line)}
.mark{stroke:var(--loss);stroke-width:1.5}.now{stroke:var(--ink);stroke-width:1.5}
.due{stroke:var(--ink);stroke-width:1.5;fill:none}table{border-collapse:collapse;width:100%}
td,th{padding:4px 8px;text-align:right;border-bottom:1px solid var(--line);
font-variant-numeric:tabular-nums}td:first-child,th:first-child{text-align:left}
th{color:var(--soft);font-weight:500}
)";

std::string escaped(const std::string& s) {
  std::string out;
  for (const char c : s) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += u < 0x20 || u > 0x7e ? '?' : c;
    }
  }
  return out;
}

std::string health_text(double h) {
  if (std::isnan(h)) return "-";
  return std::isinf(h) || h >= 100 ? "gone" : fmt::format("{:.2f}", h);
}

std::string tile(const std::string& value, const std::string& name) {
  return fmt::format("<div class=\"tile\"><b>{}</b><span>{}</span></div>\n", value, name);
}

std::string tiles(const StressReport& r) {
  const auto worst = std::min_element(
      r.grid.begin(), r.grid.end(),
      [](const quant::Node& a, const quant::Node& b) { return a.profit < b.profit; });
  std::string out = "<div class=\"tiles\">\n" +
                    tile(short_money(worst->profit),
                         fmt::format("worst grid node, USD ({:+.0f} %, vol {:+.0f} %)",
                                     100 * worst->shocks[0].move, 100 * worst->shocks[0].vol));
  if (!r.simulations.empty()) {
    const quant::TailRisk& t = r.simulations.back().tail.back();
    out += tile(short_money(t.var),
                fmt::format("VaR 99 %, one day (+- {})", short_money(t.var_error)));
    out +=
        tile(short_money(t.es), fmt::format("ES 99 %, one day (+- {})", short_money(t.es_error)));
  }
  double health = std::nan("");
  double distance = INFINITY;
  for (const quant::AccountState& a : r.accounts) {
    if (!a.has_margin || !std::isfinite(a.margin.equity)) continue;
    if (!(health >= a.margin.health())) health = a.margin.health();
    distance = std::min({distance, a.distance.below.percent, a.distance.above.percent});
  }
  out += tile(health_text(health), "margin health, worst account (1 is liquidation)");
  out += tile(std::isfinite(distance) ? fmt::format("{:.1f} %", distance) : "none",
              "nearest liquidating move");
  return out + "</div>\n";
}

// --- heat maps
// ------------------------------------------------------------------------------------

constexpr double cell_width = 54;
constexpr double cell_height = 30;
constexpr double heat_left = 110;

std::string heat_cell(std::size_t i, std::size_t row, const std::string& kind, double strength,
                      const std::string& text, const std::string& tip, bool due) {
  const double x = heat_left + cell_width * static_cast<double>(i);
  const double y = 24 + cell_height * static_cast<double>(row);
  return fmt::format(
      "<g><title>{}</title><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{}\" "
      "fill-opacity=\"{:.3f}\"/>{}<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text></g>\n",
      tip, x, y, cell_width - 2, cell_height - 2, kind, strength,
      due ? fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"due\"/>", x + 1,
                        y + 1, cell_width - 4, cell_height - 4)
          : "",
      x + cell_width / 2 - 1, y + cell_height / 2 + 3, text);
}

// `health`: cells show margin health, else profit.
std::string heat_map(const StressReport& r, bool health) {
  const std::size_t columns = quant::grid_moves.size();
  const std::size_t rows = quant::grid_vols.size() * quant::grid_days.size();
  double most = 1e-9;
  for (const quant::Node& n : r.grid) most = std::max(most, std::abs(n.profit));
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n",
      heat_left + cell_width * static_cast<double>(columns),
      30 + cell_height * static_cast<double>(rows),
      health ? "Margin health by move and volatility" : "Profit by move and volatility");
  for (std::size_t i = 0; i < columns; ++i) {
    out += fmt::format(
        "<text class=\"soft\" x=\"{}\" y=\"14\" text-anchor=\"middle\">{:+.0f}%</text>\n",
        heat_left + cell_width * (static_cast<double>(i) + 0.5), 100 * quant::grid_moves[i]);
  }
  for (std::size_t row = 0; row < rows; ++row) {
    const double vol = quant::grid_vols[row % quant::grid_vols.size()];
    const double days = quant::grid_days[row / quant::grid_vols.size()];
    out += fmt::format("<text class=\"soft\" x=\"0\" y=\"{}\">{}, vol {:+.0f}%</text>\n",
                       24 + cell_height * static_cast<double>(row) + 17,
                       days > 0 ? "+1 day" : "now", 100 * vol);
    for (std::size_t i = 0; i < columns; ++i) {
      const quant::Node& n = r.grid[row * columns + i];
      const bool due = n.health >= 1;
      const double size = health ? std::min(std::isnan(n.health) ? 0.0 : n.health, 1.0)
                                 : std::sqrt(std::abs(n.profit) / most);
      const std::string tip = fmt::format(
          "move {:+.0f} %, vol {:+.0f} %: profit {:.0f} USD, delta {:.0f} USD, "
          "maintenance {:.0f} USD, health {}",
          100 * n.shocks[0].move, 100 * n.shocks[0].vol, n.profit, n.delta_usd, n.maintenance,
          health_text(n.health));
      out += heat_cell(i, row, health || n.profit < 0 ? "loss" : "gain", 0.06 + 0.64 * size,
                       health ? health_text(n.health) : short_money(n.profit), tip, due);
    }
  }
  return out + "</svg>\n";
}

// --- distribution
// ---------------------------------------------------------------------------------

std::string distribution(const quant::Simulation& s) {
  constexpr double width = 1100;
  constexpr double height = 200;
  constexpr std::size_t bins = 100;
  // The outermost thousandth of each side would flatten the picture; it is counted in the title.
  const std::size_t n = s.profits.size();
  const std::size_t cut = n / 1000;
  const std::vector<double> shown(s.profits.begin() + static_cast<std::ptrdiff_t>(cut),
                                  s.profits.end() - static_cast<std::ptrdiff_t>(cut));
  const quant::Histogram h = quant::histogram(shown, bins);
  const double top = static_cast<double>(*std::max_element(h.counts.begin(), h.counts.end()));
  const double span = h.width * bins;
  const auto x_of = [&](double v) { return span > 0 ? (v - h.low) / span * width : width / 2; };
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"Distribution of "
      "the profit over {:.0f} hours\">\n",
      width, height + 40, s.years * 8760);
  for (std::size_t i = 0; i < bins; ++i) {
    const double size = std::sqrt(static_cast<double>(h.counts[i]) / top) * height;
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
        "class=\"{}\"/>\n",
        width / bins * static_cast<double>(i), 20 + height - size, width / bins - 1, size,
        h.low + h.width * (static_cast<double>(i) + 0.5) < 0 ? "loss" : "bar");
  }
  out += fmt::format("<line class=\"axis\" x1=\"0\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>\n", width,
                     20 + height, 20 + height);
  double label_y = 12;
  for (const quant::TailRisk& t : s.tail) {
    const double x = std::clamp(x_of(-t.var), 0.0, width);
    out += fmt::format(
        "<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
        "<text x=\"{3:.1f}\" y=\"{4}\">VaR {5:.1f} %: {6}</text>\n",
        x, label_y, 20 + height, x + 4, label_y + 8, 100 * t.confidence, short_money(t.var));
    label_y += 14;
  }
  for (const double v : {h.low, h.low + span / 2, h.low + span}) {
    out += fmt::format("<text class=\"soft\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"{}\">{}</text>\n",
                       x_of(v), 34 + height,
                       v == h.low ? "start" : (v < h.low + 0.75 * span ? "middle" : "end"),
                       short_money(v));
  }
  return out + "</svg>\n";
}

std::string simulations(const StressReport& r) {
  std::string out;
  for (const quant::Simulation& s : r.simulations) {
    out += fmt::format(
        "<section><h2>Profit over {:.0f} h, USD</h2>\n{}<p>{} paths, seed {}; the outermost "
        "0.1 % on each side is not drawn, heights are square roots of counts. ",
        s.years * 8760, distribution(s), r.paths, r.seed);
    for (const quant::TailRisk& t : s.tail) {
      out += fmt::format("{:.1f} %: VaR {} +- {}, ES {} +- {}. ", 100 * t.confidence,
                         short_money(t.var), short_money(t.var_error), short_money(t.es),
                         short_money(t.es_error));
    }
    out += fmt::format("Second order without jumps: VaR 99 % {}.</p></section>\n",
                       short_money(s.delta_gamma_var99));
  }
  return out;
}

// --- distance to liquidation
// ----------------------------------------------------------------------

std::string distances(const StressReport& r) {
  constexpr double left = 180;
  constexpr double width = 900;
  constexpr double reach = 1.0;  // log moves shown on each side
  const auto x_of = [](double move) {
    return left + width * (0.5 + 0.5 * std::clamp(std::log1p(move) / reach, -1.0, 1.0));
  };
  std::string out = fmt::format(
      "<svg viewBox=\"0 0 1100 {}\" role=\"img\" aria-label=\"Distance to "
      "liquidation by account\">\n",
      40 + 34 * r.accounts.size());
  for (const double move : {-0.6, -0.4, -0.2, 0.0, 0.25, 0.6, 1.5}) {
    out += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"20\" y2=\"{1}\"/>"
        "<text class=\"soft\" x=\"{0:.1f}\" y=\"12\" text-anchor=\"middle\">"
        "{2:+.0f}%</text>\n",
        x_of(move), 28 + 34 * r.accounts.size(), 100 * move);
  }
  double y = 28;
  for (const quant::AccountState& a : r.accounts) {
    out += fmt::format("<text x=\"0\" y=\"{}\">{}</text>\n", y + 15, escaped(a.name).substr(0, 28));
    if (a.has_margin && std::isfinite(a.margin.equity)) {
      const auto& d = a.distance;
      const double from = d.below.exists ? x_of(d.below.move) : left;
      const double to = d.above.exists ? x_of(d.above.move) : left + width;
      const auto label = [](const quant::LiquidationSide& s, const char* name) {
        return s.exists ? fmt::format("{} {:.1f} % ({:.0f} sigmas)", name, s.percent, s.sigmas)
                        : fmt::format("{} none", name);
      };
      out += fmt::format(
          "<g><title>{}; {}; health {}</title><rect class=\"safe\" x=\"{:.1f}\" y=\"{}\" "
          "width=\"{:.1f}\" height=\"22\" rx=\"3\"/>",
          label(d.below, "below"), label(d.above, "above"), health_text(a.margin.health()), from, y,
          std::max(to - from, 0.0));
      for (const auto* s : {&d.below, &d.above}) {
        if (!s->exists) continue;
        out += fmt::format(
            "<line class=\"mark\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
            "<text x=\"{3:.1f}\" y=\"{4}\" text-anchor=\"{5}\">{6:+.1f}%</text>",
            x_of(s->move), y - 2, y + 24, x_of(s->move) + (s == &d.below ? 5 : -5), y + 15,
            s == &d.below ? "start" : "end", 100 * s->move);
      }
      out += "</g>\n";
    } else {
      out += fmt::format(
          "<text class=\"soft\" x=\"{}\" y=\"{}\">no equity or no margin model</text>\n", left,
          y + 15);
    }
    y += 34;
  }
  out += fmt::format("<line class=\"now\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"20\" y2=\"{1}\"/>",
                     x_of(0), 28 + 34 * r.accounts.size());
  return out + "</svg>\n";
}

std::string replay(const StressReport& r) {
  if (r.replay.empty()) return {};
  std::string out =
      "<section><h2>Shock set, worst first</h2>\n<table><tr><th>shock</th><th>profit USD</th>"
      "<th>delta USD</th><th>health</th></tr>\n";
  for (const ReplayRow& row : r.replay) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                       escaped(row.label), short_money(row.node.profit),
                       short_money(row.node.delta_usd), health_text(row.node.health));
  }
  return out + "</table></section>\n";
}

}  // namespace

std::string stress_html(const StressReport& r) {
  const std::string name = escaped(r.portfolio.name);
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<title>Stress: {0}</title><style>{1}</style></head>\n<body><main>\n<h1>Stress: {0}</h1>\n"
      "<p>{2} account(s); numeraire {3}; profits in USD, full repricing.</p>\n",
      name, style, r.portfolio.accounts.size(),
      r.portfolio.numeraire == quant::Numeraire::usd ? "usd (collateral included)"
                                                     : "coin (collateral left out)");
  for (const std::string& note : r.notes) out += "<p>Note: " + escaped(note) + "</p>\n";
  out += tiles(r);
  out += "<section><h2>Profit, USD, by move of all prices</h2>\n" + heat_map(r, false) +
         "</section>\n";
  const bool margin = std::any_of(r.grid.begin(), r.grid.end(),
                                  [](const quant::Node& n) { return !std::isnan(n.health); });
  if (margin) {
    out += "<section><h2>Margin health (1 is liquidation; framed: due)</h2>\n" + heat_map(r, true) +
           "</section>\n";
  }
  out += simulations(r);
  out += "<section><h2>Distance to liquidation</h2>\n" + distances(r) +
         "<p>Common move of all prices, volatility unchanged; log scale.</p></section>\n";
  out += replay(r);
  return out + "</main></body></html>\n";
}

}  // namespace gimbal::risk
