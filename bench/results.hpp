// The contest's table, its bars and its JSON.
#pragma once

#include <string>
#include <vector>

#include "bench/contest.hpp"

namespace gimbal::bench {

// A figure that must hold; the table prints all, `--check` fails on the first that does not.
struct Bar {
  std::string figure;
  double value{0};
  double limit{0};
  bool at_least{false};  // value >= limit, else value <= limit
  [[nodiscard]] bool holds() const { return at_least ? value >= limit : value <= limit; }
};

struct Results {
  std::string conditions;
  std::string sizes;
  Program floor;  // tls_floor
  Program fused;
  std::vector<Program> programs;  // the others
  std::vector<Bar> bars;
  std::string report;  // the bot's own closing report, JSON
};

// Program of a name; throws when it did not run.
[[nodiscard]] const Program& find(const Results& r, const std::string& name);
[[nodiscard]] bool has(const Results& r, const std::string& name);
// Ticks that gimbal left unanswered, in all of its rows.
[[nodiscard]] std::uint64_t missed(const Results& r);
// Ratios of medians of block ratios, so that both sides were measured against the same floor.
[[nodiscard]] std::vector<Bar> judge(const Results& r);
void print(const Results& r);
void write_json(const Results& r, const std::string& file);

}  // namespace gimbal::bench
