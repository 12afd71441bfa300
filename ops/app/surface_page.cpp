#include "ops/app/surface_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/app/report_style.hpp"
#include "ops/app/svg_plot.hpp"

namespace gimbal {
namespace {

constexpr std::size_t curves_in_a_figure = 4;  // as many colours
constexpr int points_of_a_curve = 40;
constexpr double points = 100;  // volatility points per unit

std::string number(double v, int digits) {
  return std::isfinite(v) ? fmt::format("{:.{}f}", v, digits) : "-";
}

bool fitted(const SurfaceExpiry& e) { return e.slice.fit.fault == quant::SliceFault::none; }

std::string row_of(const SurfaceExpiry& e) {
  const quant::SliceFit& f = e.slice.fit;
  const bool taken = e.slice.source != VolSource::none;
  const double gap = f.calendar.min_gap;
  std::string out =
      fmt::format("<tr><td>{}</td><td>{}</td><td>{} {}</td>", html_text(e.name),
                  number(e.years * 365, 1), e.quotes.size(), e.from_book ? "book" : "marks");
  out += fmt::format("<td>{}</td><td class=\"{}\">{}</td>", quant::to_string(e.slice.source),
                     taken ? "good" : "bad",
                     fitted(e) ? quant::to_string(f.verdict) : quant::to_string(f.fault));
  if (!fitted(e)) return out + "<td>-</td><td>-</td><td>-</td><td>-</td><td>-</td><td>-</td></tr>";
  out += fmt::format("<td>{}</td><td>{}</td><td>{}</td><td>{}</td>",
                     number(points * f.error.rms, 3), number(points * f.error.bar, 3),
                     number(points * f.error.max, 2), number(100 * f.error.inside, 0));
  return out + fmt::format("<td>{}</td><td>{}</td></tr>", number(f.butterfly.min_g, 4),
                           std::isfinite(gap) ? number(gap, 4) : "alone");
}

std::string table_of(const std::vector<const SurfaceExpiry*>& expiries) {
  std::string out =
      "<div class=\"scroll\"><table><tr><th>expiry</th><th>days</th><th>strikes</th><th>model</th>"
      "<th>verdict</th><th>rms, points</th><th>bar</th><th>largest</th><th>inside, %</th>"
      "<th>least g</th><th>least gap</th></tr>";
  for (const SurfaceExpiry* e : expiries) out += row_of(*e);
  return out + "</table></div>";
}

// The curve over the quoted strikes only.
void draw(SvgPlot& plot, const SurfaceExpiry& e, const std::string& style, bool with_quotes) {
  if (e.quotes.empty()) return;
  const double low = e.quotes.front().k;
  const double high = e.quotes.back().k;
  std::vector<PlotPoint> curve;
  for (int i = 0; i <= points_of_a_curve; ++i) {
    const double k = low + (high - low) * i / points_of_a_curve;
    const double w = quant::svi_at(e.slice.svi, k).w;
    curve.push_back({k, w > 0 ? points * std::sqrt(w / e.slice.years) : std::nan("")});
  }
  plot.line(e.name, style, std::move(curve));
  if (!with_quotes) return;
  for (const quant::VolQuote& q : e.quotes) {
    plot.dot(q.k, points * q.vol, style, fmt::format("{} at k {:+.3f}", e.name, q.k));
  }
}

std::string figures_of(const std::vector<const SurfaceExpiry*>& expiries, bool with_quotes) {
  std::vector<const SurfaceExpiry*> drawn;
  std::copy_if(expiries.begin(), expiries.end(), std::back_inserter(drawn),
               [](const SurfaceExpiry* e) { return e->slice.source != VolSource::none; });
  std::string out;
  for (std::size_t at = 0; at < drawn.size(); at += curves_in_a_figure) {
    const std::size_t end = std::min(drawn.size(), at + curves_in_a_figure);
    const bool one = end == at + 1;
    SvgPlot plot{one ? drawn[at]->name : drawn[at]->name + " to " + drawn[end - 1]->name,
                 "volatility, points, over k = ln(K/F)"};
    plot.plain_axis();
    for (std::size_t n = at; n < end; ++n) {
      draw(plot, *drawn[n], fmt::format("c{}", n - at + 1), with_quotes);
    }
    out += plot.figure();
  }
  return out;
}

std::string section(const std::string& underlying, const std::vector<const SurfaceExpiry*>& of,
                    bool with_quotes) {
  const auto taken = std::count_if(of.begin(), of.end(), [](const SurfaceExpiry* e) {
    return e->slice.source != VolSource::none;
  });
  return fmt::format(
             "<h2>{}</h2><p class=\"soft\">{} of {} expiries have a curve without arbitrage "
             "within the bar.</p>",
             html_text(underlying), taken, of.size()) +
         table_of(of) + figures_of(of, with_quotes);
}

}  // namespace

std::string surface_page(const std::string& title, const std::vector<SurfaceExpiry>& expiries,
                         bool with_quotes) {
  std::string body;
  for (std::size_t at = 0; at < expiries.size();) {
    const std::string& underlying = expiries[at].underlying;
    std::vector<const SurfaceExpiry*> of;
    for (; at < expiries.size() && expiries[at].underlying == underlying; ++at) {
      of.push_back(&expiries[at]);
    }
    body += section(underlying.empty() ? "Chain" : underlying, of, with_quotes);
  }
  return fmt::format(
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\"><title>{}</title><style>{}</style></head>"
      "<body><main><h1>{}</h1><p class=\"soft\">Raw SVI, or a slice of SSVI, per expiry. rms: "
      "weighted error in volatility points, refused above its bar. least g: Durrleman's function, "
      "below 0 is butterfly arbitrage. least gap: total variance against the expiry beside it, "
      "below 0 is calendar arbitrage. Curves over the quoted strikes.</p>{}</main></body></html>\n",
      html_text(title), report_style, html_text(title), body);
}

}  // namespace gimbal
