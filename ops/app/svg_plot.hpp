// Plots as inline SVG text: lines, bands, dots, bars and moments over two axes. Colours are the
// page's CSS classes, so that one plot serves light and dark. Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace gimbal {

struct PlotPoint {
  double x{0};
  double y{0};
};

// At most about `points_max` of them, the smallest and the largest of every stretch kept, and where
// it is broken.
[[nodiscard]] std::vector<PlotPoint> thinned(const std::vector<PlotPoint>& points,
                                             std::size_t points_max = 1200);
// Steps of 1, 2 or 5 times a power of ten: about `wanted` values inside [low, high].
[[nodiscard]] std::vector<double> ticks_of(double low, double high, std::size_t wanted = 5);
// The same of seconds: from about half a minute on, steps that a clock has.
[[nodiscard]] std::vector<double> times_of(double low, double high, std::size_t wanted = 8);
// A number with as many digits as a step of `step` needs.
[[nodiscard]] std::string tick_text(double value, double step);
// Seconds as "1:05" or "2:01:05".
[[nodiscard]] std::string clock_text(double seconds);

class SvgPlot {
 public:
  // `unit` stands at the vertical axis. Both sizes in the plot's own units; the page scales it.
  SvgPlot(std::string title, std::string unit, double height = 240);

  // `style` is a CSS class of the page: "c1" to "c4", "good", "bad". NAN breaks a line.
  void line(std::string name, const std::string& style, std::vector<PlotPoint> points);
  // The area between +width and -width around zero; NAN breaks it.
  void band(std::string name, const std::string& style, std::vector<PlotPoint> half_widths);
  void dot(double x, double y, const std::string& style, std::string hint);
  // A moment with a word, over the whole height.
  void moment(double x, std::string text, bool bad);
  // A stretch of time of which nothing is known, shaded.
  void gap(double from, double to, std::string hint);
  // The horizontal axis is a number, not a time.
  void plain_axis() { plain_ = true; }
  // The vertical axis reaches at least here.
  void include(double y);

  // The whole <figure>; "nothing to show" when no point was given.
  [[nodiscard]] std::string figure() const;

 private:
  struct Curve {
    std::string name;
    std::string style;
    std::vector<PlotPoint> points;
    bool band{false};
  };
  struct Dot {
    PlotPoint at;
    std::string style;
    std::string hint;
  };
  struct Moment {
    double x;
    std::string text;
    bool bad;
  };
  struct Gap {
    double from, to;
    std::string hint;
  };
  struct Frame {
    double x0{0}, x1{1}, y0{0}, y1{1};
    bool empty{true};
  };
  [[nodiscard]] Frame frame() const;
  [[nodiscard]] double px(const Frame& f, double x) const;
  [[nodiscard]] double py(const Frame& f, double y) const;
  [[nodiscard]] std::string axes(const Frame& f) const;
  [[nodiscard]] std::string area(const Frame& f, const Curve& c) const;
  [[nodiscard]] std::string curve(const Frame& f, const Curve& c) const;
  [[nodiscard]] std::string legend() const;

  std::string title_;
  std::string unit_;
  double height_;
  bool plain_{false};
  std::vector<Curve> curves_;
  std::vector<Dot> dots_;
  std::vector<Moment> moments_;
  std::vector<Gap> gaps_;
  std::vector<double> included_;
};

struct Bar {
  std::string name;
  double value{0};
  std::string text;  // at its end
  std::string style{"c1"};
};
// Horizontal bars; `reach` is the value of the full width, 0: the largest of them. Values below
// zero go to the left of a common zero line.
[[nodiscard]] std::string bar_figure(const std::string& title, const std::vector<Bar>& bars,
                                     double reach = 0);
// Upright bars side by side, for a histogram; each with its hint and, where given, a label.
[[nodiscard]] std::string histogram_figure(const std::string& title, const std::string& note,
                                           const std::vector<Bar>& bins);

// Text that is safe inside HTML and in attribute quotes.
[[nodiscard]] std::string html_text(const std::string& text);

}  // namespace gimbal
