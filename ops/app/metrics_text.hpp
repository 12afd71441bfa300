// Prometheus text exposition, format 0.0.4: families with HELP and TYPE, samples with labels,
// histograms with cumulative buckets. Names carry their unit (seconds, bytes, ratio); counters end
// in _total. Room: ops/app. Cold.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "engine/runtime/histogram.hpp"

namespace gimbal {

class MetricsText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  // Opens a family; samples that follow belong to it.
  void counter(std::string_view name, std::string_view help) { family(name, "counter", help); }
  void gauge(std::string_view name, std::string_view help) { family(name, "gauge", help); }
  void histogram(std::string_view name, std::string_view help) { family(name, "histogram", help); }

  void sample(std::uint64_t value, Labels labels = {});
  void sample(double value, Labels labels = {});  // NaN is written as NaN
  // Buckets, sum and count in seconds of a histogram of nanoseconds. Bounds 1-2-5 from 1 us to 1 s.
  void sample(const Histogram& nanoseconds, Labels labels = {});

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void family(std::string_view name, std::string_view type, std::string_view help);
  void line(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);

  std::string out_;
  std::string name_;
};

}  // namespace gimbal
