#include "ops/app/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace gimbal {
namespace {

constexpr double width = 960;
constexpr double left = 74, right = 14, top = 12, bottom = 26;

std::string figure_of(const std::string& title, const std::string& legend, double height,
                      const std::string& body) {
  return fmt::format(
      "<figure><figcaption>{}{}</figcaption><svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" "
      "aria-label=\"{}\">{}</svg></figure>\n",
      html_text(title), legend, width, height, html_text(title), body);
}

std::string nothing(const std::string& title) {
  return fmt::format(
      "<figure><figcaption>{}</figcaption><p class=\"none\">nothing to show</p>"
      "</figure>\n",
      html_text(title));
}

}  // namespace

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points, std::size_t points_max) {
  if (points.size() <= points_max) return points;
  const std::size_t stretch = (points.size() * 2 + points_max - 1) / points_max;
  std::vector<PlotPoint> out;
  for (std::size_t from = 0; from < points.size(); from += stretch) {
    const auto first = points.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last =
        points.begin() + static_cast<std::ptrdiff_t>(std::min(from + stretch, points.size()));
    std::array<std::ptrdiff_t, 3> kept{-1, -1, -1};  // lowest, highest, a break
    for (auto p = first; p != last; ++p) {
      const std::ptrdiff_t at = p - points.begin();
      if (!std::isfinite(p->y)) {
        kept[2] = at;
        continue;
      }
      const auto y = [&](std::ptrdiff_t n) { return points[static_cast<std::size_t>(n)].y; };
      if (kept[0] < 0 || p->y < y(kept[0])) kept[0] = at;
      if (kept[1] < 0 || p->y > y(kept[1])) kept[1] = at;
    }
    std::sort(kept.begin(), kept.end());
    for (std::size_t k = 0; k < kept.size(); ++k) {
      if (kept[k] < 0 || (k > 0 && kept[k] == kept[k - 1])) continue;
      out.push_back(points[static_cast<std::size_t>(kept[k])]);
    }
  }
  return out;
}

SvgPlot::SvgPlot(std::string title, std::string unit, double height)
    : title_{std::move(title)}, unit_{std::move(unit)}, height_{height} {}

void SvgPlot::line(std::string name, const std::string& style, std::vector<PlotPoint> points) {
  curves_.push_back({std::move(name), style, thinned(points), false});
}
void SvgPlot::band(std::string name, const std::string& style, std::vector<PlotPoint> half_widths) {
  curves_.push_back({std::move(name), style, thinned(half_widths), true});
}
void SvgPlot::dot(double x, double y, const std::string& style, std::string hint) {
  if (std::isfinite(y)) dots_.push_back({{x, y}, style, std::move(hint)});
}
void SvgPlot::moment(double x, std::string text, bool bad) {
  moments_.push_back({x, std::move(text), bad});
}
void SvgPlot::gap(double from, double to, std::string hint) {
  gaps_.push_back({from, to, std::move(hint)});
}
void SvgPlot::include(double y) { included_.push_back(y); }

SvgPlot::Frame SvgPlot::frame() const {
  Frame f{INFINITY, -INFINITY, INFINITY, -INFINITY, true};
  const auto reach = [&f](double x, double y) {
    if (!std::isfinite(y)) return;
    f = {std::min(f.x0, x), std::max(f.x1, x), std::min(f.y0, y), std::max(f.y1, y), false};
  };
  for (const Curve& c : curves_) {
    for (const PlotPoint& p : c.points) {
      reach(p.x, p.y);
      if (c.band) reach(p.x, -p.y);
    }
  }
  for (const Dot& d : dots_) reach(d.at.x, d.at.y);
  if (f.empty) return f;
  for (const double y : included_) reach(f.x0, y);
  if (f.x1 <= f.x0) f.x1 = f.x0 + 1;
  const double room = f.y1 > f.y0 ? (f.y1 - f.y0) * 0.06 : std::max(std::abs(f.y0) * 0.01, 1e-9);
  f.y0 -= room;
  f.y1 += room;
  return f;
}

double SvgPlot::px(const Frame& f, double x) const {
  return left + (x - f.x0) / (f.x1 - f.x0) * (width - left - right);
}
double SvgPlot::py(const Frame& f, double y) const {
  return top + (f.y1 - y) / (f.y1 - f.y0) * (height_ - top - bottom);
}

std::string SvgPlot::axes(const Frame& f) const {
  std::string out;
  const std::vector<double> ys = ticks_of(f.y0, f.y1, height_ > 180 ? 5 : 3);
  const double step = ys.size() > 1 ? ys[1] - ys[0] : f.y1 - f.y0;
  for (const double y : ys) {
    const double at = py(f, y);
    out += fmt::format("<line class=\"grid{}\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
                       std::abs(y) < step * 1e-6 ? " zero" : "", left, width - right, at, at);
    out += fmt::format("<text class=\"tick\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
                       left - 8, at + 4, tick_text(y, step));
  }
  const std::vector<double> xs = plain_ ? ticks_of(f.x0, f.x1, 8) : times_of(f.x0, f.x1, 8);
  const double x_step = xs.size() > 1 ? xs[1] - xs[0] : f.x1 - f.x0;
  for (const double x : xs) {
    out += fmt::format(
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}"
        "</text>",
        px(f, x), height_ - 8, plain_ ? tick_text(x, x_step) : clock_text(x));
  }
  return out;
}

// One outline for each unbroken stretch: there along the top, back along the bottom.
std::string SvgPlot::area(const Frame& f, const Curve& c) const {
  const auto finite = [](const PlotPoint& p) { return std::isfinite(p.y); };
  std::string path;
  for (auto from = c.points.begin(); from != c.points.end();) {
    from = std::find_if(from, c.points.end(), finite);
    const auto to = std::find_if_not(from, c.points.end(), finite);
    for (auto p = from; p != to; ++p) {
      path += fmt::format("{}{:.1f} {:.1f}", p == from ? "M" : "L", px(f, p->x), py(f, p->y));
    }
    for (auto p = to; p != from;) {
      --p;
      path += fmt::format("L{:.1f} {:.1f}", px(f, p->x), py(f, -p->y));
    }
    if (from != to) path += 'Z';
    from = to;
  }
  return fmt::format("<path class=\"area {}\" d=\"{}\"/>", c.style, path);
}

std::string SvgPlot::curve(const Frame& f, const Curve& c) const {
  if (c.band) return area(f, c);
  std::string path;
  bool drawing = false;
  for (const PlotPoint& p : c.points) {
    if (!std::isfinite(p.y)) {
      drawing = false;
      continue;
    }
    path += fmt::format("{}{:.1f} {:.1f}", drawing ? "L" : "M", px(f, p.x), py(f, p.y));
    drawing = true;
  }
  return fmt::format("<path class=\"curve {}\" d=\"{}\"/>", c.style, path);
}

std::string SvgPlot::legend() const {
  std::string out;
  for (const Curve& c : curves_) {
    out += fmt::format("<span class=\"key {}{}\">{}</span>", c.band ? "patch " : "", c.style,
                       html_text(c.name));
  }
  return out + fmt::format("<span class=\"unit\">{}</span>", html_text(unit_));
}

std::string SvgPlot::figure() const {
  const Frame f = frame();
  if (f.empty) return nothing(title_);
  std::string body;
  for (const Gap& g : gaps_) {
    const double from = std::max(g.from, f.x0), to = std::min(g.to, f.x1);
    if (!(from < to)) continue;
    body += fmt::format(
        "<rect class=\"gap\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}"
        "</title></rect>",
        px(f, from), top, std::max(px(f, to) - px(f, from), 1.0), height_ - top - bottom,
        html_text(g.hint));
  }
  body += axes(f);
  for (const Moment& m : moments_) {
    if (m.x < f.x0 || m.x > f.x1) continue;
    body += fmt::format(
        "<g><title>{} at {}</title><line class=\"moment{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" "
        "y1=\"{}\" y2=\"{:.1f}\"/></g>",
        html_text(m.text), clock_text(m.x), m.bad ? " bad" : "", px(f, m.x), px(f, m.x), top,
        height_ - bottom);
  }
  for (const Curve& c : curves_) body += curve(f, c);
  for (const Dot& d : dots_) {
    body += fmt::format(
        "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\"><title>{}"
        "</title></circle>",
        d.style, px(f, d.at.x), py(f, d.at.y), html_text(d.hint));
  }
  return figure_of(title_, legend(), height_, body);
}

std::string bar_figure(const std::string& title, const std::vector<Bar>& bars, double reach) {
  if (bars.empty()) return nothing(title);
  constexpr double names = 210, numbers = 190, row = 26;
  double low = 0, high = reach;
  for (const Bar& b : bars) {
    low = std::min(low, b.value);
    high = std::max(high, b.value);
  }
  const double span = high - low > 0 ? high - low : 1;
  const auto at = [&](double v) {
    return names + (std::min(v, high) - low) / span * (width - names - numbers);
  };
  std::string body;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const Bar& b = bars[i];
    const double y = 6 + static_cast<double>(i) * row;
    const double from = std::min(at(0), at(b.value)), to = std::max(at(0), at(b.value));
    body += fmt::format(
        "<text class=\"label\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>"
        "<rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"15\" rx=\"2\"/>"
        "<text class=\"value\" x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
        names - 12, y + 12, html_text(b.name), b.style, from, y, std::max(to - from, 1.0),
        width - 4, y + 12, html_text(b.text));
  }
  const double height = 12 + static_cast<double>(bars.size()) * row;
  body += fmt::format(
      "<line class=\"grid zero\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" "
      "y2=\"{1:.1f}\"/>",
      at(0), height - 6);
  return figure_of(title, "", height, body);
}

std::string histogram_figure(const std::string& title, const std::string& note,
                             const std::vector<Bar>& bins) {
  double most = 0;
  for (const Bar& b : bins) most = std::max(most, b.value);
  if (most <= 0) return nothing(title);
  constexpr double height = 180;
  const double each = (width - left - right) / static_cast<double>(bins.size());
  std::string body;
  for (std::size_t i = 0; i < bins.size(); ++i) {
    const double x = left + static_cast<double>(i) * each;
    const double tall = bins[i].value / most * (height - top - bottom);
    body += fmt::format(
        "<g><title>{}</title><rect class=\"bar {}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\" rx=\"1\"/></g>",
        html_text(bins[i].text), bins[i].style, x + 1, height - bottom - tall,
        std::max(each - 2, 1.0), bins[i].value > 0 ? std::max(tall, 1.0) : 0.0);
    if (bins[i].name.empty()) continue;
    body += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>", x, height - 8,
                        html_text(bins[i].name));
  }
  body += fmt::format("<line class=\"grid zero\" x1=\"{}\" x2=\"{}\" y1=\"{}\" y2=\"{}\"/>", left,
                      width - right, height - bottom, height - bottom);
  return figure_of(title, fmt::format("<span class=\"unit\">{}</span>", html_text(note)), height,
                   body);
}

}  // namespace gimbal
