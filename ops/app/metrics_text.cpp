#include "ops/app/metrics_text.hpp"

#include <array>
#include <cmath>

#include "ops/app/field_list.hpp"

namespace gimbal {
namespace {

struct Bound {
  std::uint64_t ns;
  std::string_view seconds;
};
constexpr std::array<Bound, 19> bounds{{{1'000, "1e-06"},
                                        {2'000, "2e-06"},
                                        {5'000, "5e-06"},
                                        {10'000, "1e-05"},
                                        {20'000, "2e-05"},
                                        {50'000, "5e-05"},
                                        {100'000, "0.0001"},
                                        {200'000, "0.0002"},
                                        {500'000, "0.0005"},
                                        {1'000'000, "0.001"},
                                        {2'000'000, "0.002"},
                                        {5'000'000, "0.005"},
                                        {10'000'000, "0.01"},
                                        {20'000'000, "0.02"},
                                        {50'000'000, "0.05"},
                                        {100'000'000, "0.1"},
                                        {200'000'000, "0.2"},
                                        {500'000'000, "0.5"},
                                        {1'000'000'000, "1"}}};

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return field::double_text(value);
}

void put_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e ? '?' : c;
    }
  }
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  out_ += "# HELP " + name_ + " ";
  put_escaped(out_, help, false);
  out_ += "\n# TYPE " + name_ + " " + std::string{type} + "\n";
}

void MetricsText::line(std::string_view suffix, Labels labels, std::string_view bound,
                       std::string_view value) {
  out_ += name_;
  out_ += suffix;
  char separator = '{';
  const auto label = [&](std::string_view key, std::string_view text) {
    out_ += separator;
    separator = ',';
    out_ += key;
    out_ += "=\"";
    put_escaped(out_, text, true);
    out_ += '"';
  };
  for (const auto& [key, text] : labels) label(key, text);
  if (!bound.empty()) label("le", bound);
  if (separator == ',') out_ += '}';
  out_ += ' ';
  out_ += value;
  out_ += '\n';
}

void MetricsText::sample(std::uint64_t value, Labels labels) {
  line({}, labels, {}, std::to_string(value));
}

void MetricsText::sample(double value, Labels labels) { line({}, labels, {}, number(value)); }

void MetricsText::sample(const Histogram& h, Labels labels) {
  for (const Bound& b : bounds) {
    line("_bucket", labels, b.seconds, std::to_string(h.count_at_most(b.ns)));
  }
  line("_bucket", labels, "+Inf", std::to_string(h.count()));
  line("_sum", labels, {}, number(static_cast<double>(h.sum()) * 1e-9));
  line("_count", labels, {}, std::to_string(h.count()));
}

}  // namespace gimbal
