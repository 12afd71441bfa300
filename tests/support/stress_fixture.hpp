// The example portfolio that ships, read as `gimbal stress` reads it.
#pragma once

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

#include "ops/risk/stress_report.hpp"

namespace gimbal::test {

inline std::string example_text(const std::string& file) {
  std::ostringstream out;
  out << std::ifstream{std::string{GIMBAL_SOURCE_DIR "/ops/config/stress/"} + file}.rdbuf();
  return out.str();
}

inline risk::PortfolioOptions example_options() {
  risk::PortfolioOptions o;
  o.now_unix_seconds = 1'790'000'000;  // 2026-09-21 14:13:20 UTC
  o.read_file = [](const std::string& file, std::string& text, std::string& why) {
    text = example_text(file);
    if (text.empty()) why = "cannot be opened";
    return !text.empty();
  };
  return o;
}

inline risk::StressInput example_input() {
  risk::StressInput input;
  std::string fault;
  if (!risk::read_portfolio(example_text("portfolio.json"), example_options(), input, fault)) {
    throw std::runtime_error{fault};
  }
  return input;
}

inline risk::StressReport example_report(std::size_t paths, std::size_t threads) {
  const risk::StressInput input = example_input();
  std::vector<risk::ShockRow> shocks;
  std::string fault;
  if (!risk::read_shocks(example_text("shocks.csv"), input.portfolio, shocks, fault)) {
    throw std::runtime_error{fault};
  }
  risk::StressRequest request;
  request.paths = paths;
  request.threads = threads;
  return risk::stress(input, shocks, request);
}

}  // namespace gimbal::test
