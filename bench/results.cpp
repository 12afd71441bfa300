#include "bench/results.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace gimbal::bench {
namespace {

constexpr double floor_bar = 1.15;       // p50 against tls_floor
constexpr double warm_floor_bar = 1.35;  // p50 against tls_floor_warm
constexpr double tail_bar = 1.3;         // p99 against tls_floor's
constexpr double rare_bar = 1.15;        // p50, one order in 1,000 ticks
constexpr double options_bar_us = 10;
constexpr double silence_bar = 1.5;  // p50 of the first order after 10 s without one
constexpr double polled_bar = 2.1;   // common practice, busy-polled, against gimbal
constexpr double asleep_bar = 7;     // common practice asleep

double us_at(const Samples& s, double fraction) {
  return static_cast<double>(s.at(fraction)) * 1e-3;
}

void row(const Program& p, bool is_floor) {
  char ratio[24] = "1.00";
  if (!is_floor) std::snprintf(ratio, sizeof ratio, "%.2f", p.p50_ratio());
  char excess[24] = "";
  if (!is_floor) std::snprintf(excess, sizeof excess, "%+.1f", median(p.excess_us));
  std::printf("  %-20s %8.1f %8.1f %8.1f %9.1f %7s %8s %10.1f %8zu %6llu\n", p.name.c_str(),
              us_at(p.samples, 0.5), us_at(p.samples, 0.9), us_at(p.samples, 0.99),
              us_at(p.samples, 0.999), ratio, excess, us_at(p.scheduled, 0.99), p.samples.count(),
              static_cast<unsigned long long>(p.missed));
}

std::string json_row(const Program& p, bool is_floor) {
  char text[640];
  std::snprintf(
      text, sizeof text,
      R"({"name":"%s","p50_us":%.3f,"p90_us":%.3f,"p99_us":%.3f,"p999_us":%.3f,)"
      R"("max_us":%.3f,"samples":%zu,"blocks":%zu,"missed":%llu,"unasked":%llu,"anew":%llu,)"
      R"("scheduled_p50_us":%.3f,"scheduled_p99_us":%.3f,"ratio_p50":%.4f,)"
      R"("excess_us":%.3f,"venue_send_p50_us":%.3f})",
      p.name.c_str(), us_at(p.samples, 0.5), us_at(p.samples, 0.9), us_at(p.samples, 0.99),
      us_at(p.samples, 0.999), us_at(p.samples, 1), p.samples.count(), p.block_p50.size(),
      static_cast<unsigned long long>(p.missed), static_cast<unsigned long long>(p.unasked),
      static_cast<unsigned long long>(p.anew), us_at(p.scheduled, 0.5), us_at(p.scheduled, 0.99),
      is_floor ? 1 : p.p50_ratio(), is_floor ? 0 : median(p.excess_us), us_at(p.handed, 0.5));
  return text;
}

}  // namespace

bool has(const Results& r, const std::string& name) {
  return std::any_of(r.programs.begin(), r.programs.end(),
                     [&](const Program& p) { return p.name == name; });
}

const Program& find(const Results& r, const std::string& name) {
  for (const Program& p : r.programs) {
    if (p.name == name) return p;
  }
  throw std::runtime_error("no program named " + name);
}

std::uint64_t missed(const Results& r) {
  std::uint64_t sum = r.fused.missed;
  for (const Program& p : r.programs) {
    if (p.name.starts_with("gimbal")) sum += p.missed;
  }
  return sum;
}

std::vector<Bar> judge(const Results& r) {
  const Program& fused = r.fused;
  const double ours = fused.p50_ratio();
  std::vector<Bar> bars;
  bars.push_back({"p50 / tls_floor", ours, floor_bar, false});
  if (has(r, "tls_floor_warm")) {
    const double warm = find(r, "tls_floor_warm").p50_ratio();
    bars.push_back({"p50 / tls_floor_warm", ours / warm, warm_floor_bar, false});
  }
  const double tail = static_cast<double>(fused.samples.at(0.99)) /
                      static_cast<double>(std::max<std::int64_t>(r.floor.samples.at(0.99), 1));
  bars.push_back({"p99 / tls_floor p99", tail, tail_bar, false});
  if (has(r, "gimbal, rare order")) {
    const double rare = find(r, "gimbal, rare order").p50_ratio();
    bars.push_back({"rare order p50 / tls_floor", rare, rare_bar, false});
    const double as_rare = find(r, "tls_floor, rare").p50_ratio();
    bars.push_back({"rare order p50 / as rare a floor", rare / as_rare, rare_bar, false});
  }
  if (has(r, "gimbal, 20 options")) {
    const double cost = median(find(r, "gimbal, 20 options").excess_us) - median(fused.excess_us);
    bars.push_back({"20 option changes first, us", cost, options_bar_us, false});
  }
  if (has(r, "gimbal, after 10 s")) {
    const double first = find(r, "gimbal, after 10 s").p50_ratio();
    bars.push_back({"after 10 s / tls_floor", first, silence_bar, false});
    const double still = find(r, "tls_floor, after 10 s").p50_ratio();
    bars.push_back({"after 10 s / floor after 10 s", first / still, silence_bar, false});
  }
  if (has(r, "beast, polled")) {
    bars.push_back(
        {"beast polled / gimbal", find(r, "beast, polled").p50_ratio() / ours, polled_bar, true});
  }
  if (has(r, "beast, asleep")) {
    bars.push_back(
        {"beast asleep / gimbal", find(r, "beast, asleep").p50_ratio() / ours, asleep_bar, true});
  }
  bars.push_back({"orders missed", static_cast<double>(missed(r)), 0, false});
  return bars;
}

void print(const Results& r) {
  std::printf(
      "\ntick-to-order as the exchange sees it, loopback TLS 1.3 (TLS_AES_128_GCM_SHA256)\n"
      "  %s\n  %s\n  %s\n\n",
      host_line().c_str(), r.conditions.c_str(), r.sizes.c_str());
  std::printf("  %-20s %8s %8s %8s %9s %7s %8s %10s %8s %6s\n", "us", "p50", "p90", "p99", "p99.9",
              "ratio", "excess", "sched p99", "samples", "missed");
  row(r.floor, true);
  row(r.fused, false);
  for (const Program& p : r.programs) row(p, false);
  std::printf(
      "\n  ratio, excess: median over a program's blocks (gimbal fused: %zu), each against the "
      "mean "
      "p50 of the\n  tls_floor blocks before and after it. sched p99 counts from the tick's place "
      "in the schedule, which waits "
      "for nobody: a stall is\n  charged to every tick it delays (no coordinated omission).\n\n",
      r.fused.block_p50.size());
  for (const Program& p : r.programs) {
    if (p.pause_ns == 0) continue;
    std::printf(
        "  %s: an order came in %llu of its pauses, which began anew behind it; %llu ticks "
        "had one just before them\n  and do not count.\n\n",
        p.name.c_str(), static_cast<unsigned long long>(p.anew),
        static_cast<unsigned long long>(p.unasked));
  }
  for (const Bar& b : r.bars) {
    std::printf("  %-28s %7.2f  bar %s %.2f  %s\n", b.figure.c_str(), b.value,
                b.at_least ? ">=" : "<=", b.limit, b.holds() ? "met" : "NOT MET");
  }
}

void write_json(const Results& r, const std::string& file) {
  std::ofstream out{file};
  out << R"({"host":")" << host_line() << R"(","conditions":")" << r.conditions << R"(","sizes":")"
      << r.sizes << R"(","programs":[)" << json_row(r.floor, true) << ','
      << json_row(r.fused, false);
  for (const Program& p : r.programs) out << ',' << json_row(p, false);
  out << R"(],"bars":[)";
  for (std::size_t i = 0; i < r.bars.size(); ++i) {
    const Bar& b = r.bars[i];
    out << (i == 0 ? "" : ",") << R"({"figure":")" << b.figure << R"(","value":)" << b.value
        << R"(,")" << (b.at_least ? "at_least" : "at_most") << R"(":)" << b.limit << R"(,"met":)"
        << (b.holds() ? "true" : "false") << '}';
  }
  out << R"(],"report":)" << (r.report.empty() ? "null" : r.report) << "}\n";
  if (!out) throw std::runtime_error("cannot write " + file);
}

}  // namespace gimbal::bench
