// What a load run is judged by, as a table and as JSON.
#include <algorithm>
#include <cstdio>

#include "bench/load_run.hpp"

namespace gimbal::bench {
namespace {

constexpr double on_time_bar = 0.99;  // of the messages that the schedule asks for
constexpr double replay_bar = 1e6;    // messages a second, with decoding
constexpr double events_bar = 2e6;    // events a second, through the core alone

double us(std::int64_t ns) { return static_cast<double>(ns) * 1e-3; }

void line(const char* name, const Samples& s) {
  std::printf("  %-28s %9.1f %9.1f %9.1f %9.1f %9zu\n", name, us(s.at(0.5)), us(s.at(0.99)),
              us(s.at(0.999)), us(s.at(1)), s.count());
}

std::string side_at_its_limit(const LoadResult& r) {
  if (us(r.late.at(0.999)) < r.config.budget_us) return "neither side was at its limit";
  return r.blocked > 0 ? "the bot's side was at its limit"
                       : "the exchange's own side was at its limit";
}

// What shows that the kills found orders on their way.
std::size_t just_before(const LoadResult& r) {
  std::size_t n = 0;
  for (const Stop& s : r.stops) {
    n += static_cast<std::size_t>(std::count_if(
        r.log.sent_ns.begin(), r.log.sent_ns.end(),
        [&s](std::int64_t at) { return at <= s.closed_ns && at > s.closed_ns - 1'000'000; }));
  }
  return n;
}

}  // namespace

std::uint64_t LoadResult::messages() const {
  std::uint64_t n = 0;
  for (const std::uint64_t of_kind : sent) n += of_kind;
  return n;
}

std::size_t LoadResult::after_a_kill() const {
  std::size_t n = 0;
  for (const Stop& s : stops) {
    if (s.reduces) continue;
    n += static_cast<std::size_t>(
        std::count_if(log.sent_ns.begin(), log.sent_ns.end(),
                      [&s](std::int64_t at) { return at > s.closed_ns && at < s.armed_ns; }));
  }
  return n;
}

std::vector<Bar> LoadResult::counted_bars() const {
  const auto n = [](auto value) { return static_cast<double>(value); };
  std::vector<Bar> bars = {
      {"messages lost", n(texts) - n(counted.frames), 0, false},
      {"gaps, malformed, resyncs", n(counted.gaps + counted.malformed + counted.resyncs), 0, false},
      {"connections lost", n(connections_lost), 0, false},
      {"ACTIVE at the end", n(active), 1, true},
      {"journal replays the same", n(replays), 1, true},
  };
  if (config.kills == 0) return bars;
  bars.push_back({"order frames after a kill", n(after_a_kill()), 0, false});
  bars.push_back({"kills not confirmed", n(unconfirmed), 0, false});
  bars.push_back({"holes in the frame stream", n(log.holes), 0, false});
  return bars;
}

// With kills neither is asked for: each starts two programs on the exchange's core.
std::vector<Bar> LoadResult::timed_bars() const {
  if (config.kills > 0) return {};
  const double asked = config.profile.mean_per_s() * elapsed_s;
  return {{"of the schedule sent", static_cast<double>(messages()) / asked, on_time_bar, true},
          {"own tick-to-order p99.9, us", own_p999_us, config.budget_us, false},
          {"orders missed", static_cast<double>(missed), 0, false},
          {"messages replayed a second", replayed_per_s, replay_bar, true},
          {"events replayed a second", stepped_per_s, events_bar, true}};
}

std::vector<Bar> LoadResult::bars() const {
  std::vector<Bar> all = counted_bars();
  const std::vector<Bar> timed = timed_bars();
  all.insert(all.end(), timed.begin(), timed.end());
  return all;
}

bool hold(const std::vector<Bar>& bars) {
  return std::all_of(bars.begin(), bars.end(), [](const Bar& b) { return b.holds(); });
}

void print(const LoadResult& r) {
  const Profile& p = r.config.profile;
  std::printf("profile %s: %.0f messages/s, %.0f/s for %lld ms of each %lld; %.1f s, seed %llu\n\n",
              std::string{p.name}.c_str(), p.steady_per_s, p.burst_per_s,
              static_cast<long long>(p.burst_ns / 1'000'000),
              static_cast<long long>(p.period_ns / 1'000'000), r.elapsed_s,
              static_cast<unsigned long long>(r.config.seed));
  std::printf("  %llu messages, %.0f a second:", static_cast<unsigned long long>(r.messages()),
              static_cast<double>(r.messages()) / r.elapsed_s);
  for (std::size_t kind = 0; kind < message_kinds; ++kind) {
    std::printf("%s %llu %s", kind == 0 ? "" : ",", static_cast<unsigned long long>(r.sent[kind]),
                std::string{message_names[kind]}.c_str());
  }
  std::printf("\n  the bot counted %llu of %llu texts; %s (%llu sends found its buffer full)\n",
              static_cast<unsigned long long>(r.counted.frames),
              static_cast<unsigned long long>(r.texts), side_at_its_limit(r).c_str(),
              static_cast<unsigned long long>(r.blocked));
  std::printf("\n  %-28s %9s %9s %9s %9s %9s\n", "us", "p50", "p99", "p99.9", "max", "samples");
  line("tick to order, at exchange", r.orders);
  line("behind the schedule", r.late);
  if (r.config.kills > 0) {
    line("kill: gate closed", r.gate_closed);
    std::printf("  %zu kills, %zu order frames in the log, %zu within 1 ms before a closed gate\n",
                r.stops.size(), r.log.sent_ns.size(), just_before(r));
  }
  std::printf("\n");
  for (const Bar& b : r.bars()) {
    std::printf("  %-28s %10.2f  bar %s %.2f  %s\n", b.figure.c_str(), b.value,
                b.at_least ? ">=" : "<=", b.limit, b.holds() ? "met" : "NOT MET");
  }
  std::printf("\n  gimbal's own closing report: %s", r.report.c_str());
}

std::string json(const LoadResult& r) {
  std::string out = R"({"host":")" + host_line() + R"(","profile":")" +
                    std::string{r.config.profile.name} + R"(","seconds":)" +
                    std::to_string(r.elapsed_s) + R"(,"messages":)" + std::to_string(r.messages()) +
                    R"(,"order_p50_us":)" + std::to_string(us(r.orders.at(0.5))) +
                    R"(,"order_p99_us":)" + std::to_string(us(r.orders.at(0.99))) +
                    R"(,"order_p999_us":)" + std::to_string(us(r.orders.at(0.999))) +
                    R"(,"kills":)" + std::to_string(r.stops.size()) + R"(,"bars":[)";
  const std::vector<Bar> bars = r.bars();
  for (std::size_t i = 0; i < bars.size(); ++i) {
    out += (i == 0 ? "" : ",") + std::string{R"({"figure":")"} + bars[i].figure + R"(","value":)" +
           std::to_string(bars[i].value) + R"(,"met":)" + (bars[i].holds() ? "true" : "false") +
           '}';
  }
  return out + R"(],"report":)" + (r.report.empty() ? "null" : r.report) + '}';
}

}  // namespace gimbal::bench
