// The plots of the report: scales, thinning, and text that cannot break out of the page.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ops/app/svg_plot.hpp"

namespace gimbal {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(SvgPlot, TicksAreRoundInsideTheRangeAndAboutAsManyAsWanted) {
  std::mt19937_64 rng{3};
  std::uniform_real_distribution<double> exponent{-9, 9}, from{-1, 1};
  for (int n = 0; n < 10000; ++n) {
    const double span = std::pow(10.0, exponent(rng));
    const double low = from(rng) * span * 3;
    const double high = low + span;
    const std::vector<double> ticks = ticks_of(low, high);
    ASSERT_GE(ticks.size(), 3U) << low << " " << high;
    ASSERT_LE(ticks.size(), 9U) << low << " " << high;
    const double step = ticks[1] - ticks[0];
    const double lead = step / std::pow(10.0, std::floor(std::log10(step) + 1e-6));
    EXPECT_TRUE(std::abs(lead - 1) < 1e-6 || std::abs(lead - 2) < 1e-6 || std::abs(lead - 5) < 1e-6)
        << step;
    EXPECT_GE(ticks.front(), low - step * 1e-6);
    EXPECT_LE(ticks.back(), high + step * 1e-6);
  }
  EXPECT_EQ(ticks_of(5, 5), std::vector<double>{5});
}

TEST(SvgPlot, TimesStandAtStepsOfAClock) {
  EXPECT_EQ(times_of(0, 4 * 3600, 8),
            (std::vector<double>{0, 1800, 3600, 5400, 7200, 9000, 10800, 12600, 14400}));
  EXPECT_EQ(times_of(30000, 86400, 8),
            (std::vector<double>{36000, 43200, 50400, 57600, 64800, 72000, 79200, 86400}));
  EXPECT_EQ(times_of(0, 20, 8), ticks_of(0, 20, 8)) << "seconds are as they were";
}

TEST(SvgPlot, ABreakStaysABreakAndAStretchWithoutDataIsShaded) {
  SvgPlot plot{"delta", "coins"};
  std::vector<PlotPoint> points;
  for (int i = 0; i < 5000; ++i) points.push_back({static_cast<double>(i), i < 2500 ? 1.0 : 2.0});
  points[2500].y = NAN;
  plot.line("line", "c1", points);
  plot.band("band", "c4", points);
  plot.gap(2499, 2501, "no boot ran");
  const std::string figure = plot.figure();
  EXPECT_EQ(figure.find("nan"), std::string::npos);
  EXPECT_TRUE(holds(figure, "class=\"gap\"") && holds(figure, "no boot ran"));
  const auto count = [&](std::size_t from, std::size_t to, char c) {
    return std::count(figure.begin() + static_cast<std::ptrdiff_t>(from),
                      figure.begin() + static_cast<std::ptrdiff_t>(to), c);
  };
  const std::size_t curve = figure.find("class=\"curve");
  EXPECT_EQ(count(curve, figure.find("/>", curve), 'M'), 2) << "two lines";
  const std::size_t area = figure.find("class=\"area");
  EXPECT_EQ(count(area, figure.find("/>", area), 'Z'), 2) << "two areas";
}

TEST(SvgPlot, NumbersHaveTheDigitsOfTheirStep) {
  EXPECT_EQ(tick_text(50000, 100), "50000");
  EXPECT_EQ(tick_text(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_text(-1e-12, 0.5), "0.0");
  EXPECT_EQ(clock_text(65), "1:05");
  EXPECT_EQ(clock_text(7265), "2:01:05");
}

TEST(SvgPlot, ThinningKeepsTheHighestAndTheLowestPoint) {
  std::vector<PlotPoint> points;
  for (int i = 0; i < 100000; ++i) points.push_back({static_cast<double>(i), 1.0});
  points[54321].y = 9;
  points[54322].y = -9;
  const std::vector<PlotPoint> few = thinned(points, 1000);
  EXPECT_LE(few.size(), 1002U);
  bool high = false, low = false;
  double last = -1;
  for (const PlotPoint& p : few) {
    EXPECT_GT(p.x, last) << "time goes on";
    last = p.x;
    high = high || p.y == 9;
    low = low || p.y == -9;
  }
  EXPECT_TRUE(high && low);
  EXPECT_EQ(thinned({{0, 1}, {1, 2}}, 1000).size(), 2U);
}

TEST(SvgPlot, TextFromOutsideStaysText) {
  SvgPlot plot{"<b>\"x\" & y</b>", "u<"};
  plot.line("</svg>", "c1", {{0, 1}, {1, 2}});
  plot.dot(0.5, 1.5, "good", "<script>");
  plot.moment(0.5, "<i>", true);
  const std::string figure = plot.figure();
  for (const char* raw : {"<b>", "</b>", "<script>", "<i>", "u<\""}) {
    EXPECT_FALSE(holds(figure, raw)) << raw;
  }
  EXPECT_TRUE(holds(figure, "&lt;script&gt;"));
}

TEST(SvgPlot, AnEmptyPlotSaysSoAndAGapBreaksTheLine) {
  EXPECT_TRUE(holds(SvgPlot("a", "b").figure(), "nothing to show"));
  EXPECT_TRUE(holds(bar_figure("a", {}), "nothing to show"));
  EXPECT_TRUE(holds(histogram_figure("a", "b", {Bar{"x", 0, "", "c1"}}), "nothing to show"));
  SvgPlot plot{"a", "b"};
  plot.line("l", "c1", {{0, 1}, {1, NAN}, {2, 3}, {3, 4}});
  const std::string figure = plot.figure();
  EXPECT_FALSE(holds(figure, "nan")) << figure;
  const std::size_t path = figure.find("class=\"curve c1\" d=\"");
  const std::string d = figure.substr(path, figure.find("/>", path) - path);
  EXPECT_EQ(std::count(d.begin(), d.end(), 'M'), 2) << d;
}

TEST(SvgPlot, BarsBelowZeroGoTheOtherWay) {
  const std::string figure = bar_figure("a", {{"up", 2, "2", "good"}, {"down", -1, "-1", "bad"}});
  const auto x_of = [&figure](const std::string& style) {
    const std::size_t at = figure.find("class=\"bar " + style + "\" x=\"");
    return std::stod(figure.substr(figure.find("x=\"", at) + 3));
  };
  EXPECT_LT(x_of("bad"), x_of("good"));
}

}  // namespace
}  // namespace gimbal
