// Tick-to-order of the bot as the exchange sees it, against a floor: a TLS WebSocket client without
// logic. One run, one seed; the programs alternate in short blocks (floor, gimbal, floor, ...), the
// idle one is stopped, and a block's ratio is to the mean of the two floor blocks around it.
//
// Sample: just before the tick's send() to just after the recv() that gave the order's first byte.
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "bench/bot_process.hpp"
#include "bench/floor_client.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {
namespace {

constexpr int venue_core = 0;
constexpr int client_core = 1;
constexpr std::int64_t think_min_ns = 200'000;
constexpr std::int64_t think_max_ns = 1'000'000;
constexpr std::int64_t answer_limit_ns = 100'000'000;
constexpr std::int64_t house_keeping_ns = 50'000;  // other connections, at most this often
constexpr double ratio_bar = 1.6;
constexpr std::uint64_t smoke_missed_share = 10;
constexpr const char* floor_answer =
    R"({"jsonrpc":"2.0","id":700000123,"method":"private/sell",)"
    R"("params":{"instrument_name":"BTC-PERPETUAL",)"
    R"("type":"limit","label":"gt1-000007010000002a-abcd1234","amount":16780,)"
    R"("time_in_force":"immediate_or_cancel","price":99824,"valid_until":1790000000500}})";

struct Options {
  std::string gimbal;
  std::string gimbalctl;
  std::string json;
  std::string idle_file;  // with --hold: written when the bot is armed and ticks flow
  int blocks{15};
  int ticks{800};
  int warm_up{60};
  int quiet{0};  // ticks without an order between two orders
  std::uint64_t seed{1};
  double hold_s{0};  // only run the bot on a stream of ticks for so long
  bool check{false};
  bool smoke{false};  // --check without the bar on the ratio
};

struct Program {
  Samples samples;    // tick to order
  Samples scheduled;  // scheduled time of the tick to order
  std::vector<double> block_p50;
  std::uint64_t missed{0};
  std::uint64_t unasked{0};  // answers outside a tick
};

class Measurement {
 public:
  Measurement(Venue& venue, const Options& options)
      : venue_{venue}, options_{options}, random_{options.seed} {}

  void block(Program& program, bool bot) {
    Samples samples;
    std::int64_t due = now_ns() + 2'000'000;
    (void)venue_.take_stamp();
    for (int i = 0; i < options_.warm_up + options_.ticks; ++i) {
      for (int q = 0; q < options_.quiet; ++q) quiet_tick(bot, due);
      due += random_.between(think_min_ns, think_max_ns);
      const Venue::Target target = bot ? venue_.bot() : venue_.floor();
      if (target.ticks == nullptr) throw std::runtime_error("a client's connection is gone");
      target.ticks->tls->seal_text(venue_.next_tick(true, bot));
      wait_for(due, *target.ticks, target.orders);
      if (venue_.take_stamp() != 0) ++program.unasked;
      const std::int64_t sent = now_ns();
      target.ticks->tls->send_sealed();
      const std::int64_t answered = await(bot);
      const bool counts = i >= options_.warm_up;
      if (answered == 0) {
        ++program.missed;
        // A late answer must not be taken for the next tick's.
        (void)await(bot);
      } else if (counts) {
        samples.add(answered - sent);
        program.scheduled.add(answered - due);
      }
      venue_.settle();
    }
    program.samples.append(samples);
    program.block_p50.push_back(static_cast<double>(samples.at(0.5)));
  }

 private:
  void quiet_tick(bool bot, std::int64_t& due) {
    due += random_.between(think_min_ns / 10, think_max_ns / 10);
    const Venue::Target target = bot ? venue_.bot() : venue_.floor();
    target.ticks->tls->seal_text(venue_.next_tick(false, bot));
    wait_for(due, *target.ticks, target.orders);
    target.ticks->tls->send_sealed();
    if (!bot) (void)await(false);
  }
  // Think time. The ticks' connection has a sealed frame, so nothing else may be sent on it.
  void wait_for(std::int64_t due, const SpinConnection& ticks, SpinConnection* orders) {
    std::int64_t next = 0;
    while (now_ns() < due) {
      if (now_ns() < next) continue;
      next = now_ns() + house_keeping_ns;
      if (due - now_ns() < house_keeping_ns) continue;
      venue_.keep_house(ticks);
      if (orders != nullptr && orders != &ticks) venue_.poll(*orders);
    }
  }
  std::int64_t await(bool bot) {
    const std::int64_t limit = now_ns() + answer_limit_ns;
    for (;;) {
      const Venue::Target target = bot ? venue_.bot() : venue_.floor();
      for (int spin = 0; spin < 64; ++spin) {
        if (target.orders != nullptr)
          venue_.poll(*target.orders);
        else
          venue_.keep_house(*target.ticks);
        if (const std::int64_t at = venue_.take_stamp()) return at;
      }
      if (now_ns() > limit) return 0;
    }
  }

  Venue& venue_;
  const Options& options_;
  Random random_;
};

double us(double ns) { return ns * 1e-3; }
double us_at(const Samples& s, double fraction) { return us(static_cast<double>(s.at(fraction))); }

void row(const char* name, const Samples& s) {
  std::printf("  %-22s %8.1f %8.1f %8.1f %9.1f %10.1f %9zu\n", name, us_at(s, 0.5), us_at(s, 0.9),
              us_at(s, 0.99), us_at(s, 0.999), us_at(s, 1.0), s.count());
}

std::string json_row(const Program& p) {
  char text[512];
  std::snprintf(text, sizeof text,
                R"({"p50_us":%.3f,"p90_us":%.3f,"p99_us":%.3f,"p999_us":%.3f,"max_us":%.3f,)"
                R"("samples":%zu,"missed":%llu,"unasked":%llu,)"
                R"("scheduled_p50_us":%.3f,"scheduled_p99_us":%.3f})",
                us_at(p.samples, 0.5), us_at(p.samples, 0.9), us_at(p.samples, 0.99),
                us_at(p.samples, 0.999), us_at(p.samples, 1), p.samples.count(),
                static_cast<unsigned long long>(p.missed),
                static_cast<unsigned long long>(p.unasked), us_at(p.scheduled, 0.5),
                us_at(p.scheduled, 0.99));
  return text;
}

struct Result {
  Program floor;
  Program gimbal;
  Samples before;  // floor: first half of its blocks, and the rest
  Samples after;
  double ratio{0};
  double excess_us{0};
  std::string report;
};

void summarise(Result& r) {
  std::vector<double> ratios;
  std::vector<double> excess;
  for (std::size_t i = 0; i < r.gimbal.block_p50.size(); ++i) {
    const double floor = (r.floor.block_p50[i] + r.floor.block_p50[i + 1]) / 2;
    ratios.push_back(r.gimbal.block_p50[i] / floor);
    excess.push_back(us(r.gimbal.block_p50[i] - floor));
  }
  r.ratio = median(ratios);
  r.excess_us = median(excess);
}

void print(const Result& r, const Options& o, const Venue& venue, const std::string& conditions) {
  std::printf(
      "\ntick-to-order as the exchange sees it, loopback TLS 1.3 (TLS_AES_128_GCM_SHA256)\n");
  std::printf("  %s\n  %s\n", host_line().c_str(), conditions.c_str());
  std::printf(
      "  tick %zu B, order %zu B, %llu options subscribed, think time %lld-%lld us, "
      "%d quiet ticks per order, seed %llu\n\n",
      venue.tick_bytes(), venue.order_bytes(), static_cast<unsigned long long>(venue.options()),
      static_cast<long long>(think_min_ns / 1000), static_cast<long long>(think_max_ns / 1000),
      o.quiet, static_cast<unsigned long long>(o.seed));
  std::printf("  %-22s %8s %8s %8s %9s %10s %9s\n", "us", "p50", "p90", "p99", "p99.9", "max",
              "samples");
  row("floor, first half", r.before);
  row("gimbal fused", r.gimbal.samples);
  row("floor, second half", r.after);
  row("floor, schedule", r.floor.scheduled);
  row("gimbal, schedule", r.gimbal.scheduled);
  std::printf(
      "\n  p50 ratio to the floor %.2f (median of %zu blocks; bar %.1f), excess %.1f us; "
      "missed %llu, unasked %llu\n",
      r.ratio, r.gimbal.block_p50.size(), ratio_bar, r.excess_us,
      static_cast<unsigned long long>(r.gimbal.missed + r.floor.missed),
      static_cast<unsigned long long>(r.gimbal.unasked));
  std::printf(
      "  Ticks go out on an absolute schedule that does not wait for answers' lateness; the "
      "rows named\n  schedule count from the scheduled time, so a stall is charged to every "
      "tick that it delays\n  (no coordinated omission).\n");
}

void write_json(const Result& r, const Options& o, const std::string& conditions) {
  std::ofstream out{o.json};
  out << R"({"host":")" << host_line() << R"(","conditions":")" << conditions << R"(","ratio_p50":)"
      << r.ratio << R"(,"excess_us":)" << r.excess_us << R"(,"blocks":)"
      << r.gimbal.block_p50.size() << R"(,"quiet_ticks":)" << o.quiet << R"(,"floor":)"
      << json_row(r.floor) << R"(,"gimbal":)" << json_row(r.gimbal) << R"(,"report":)"
      << (r.report.empty() ? "null" : r.report) << "}\n";
  if (!out) throw std::runtime_error("cannot write " + o.json);
}

// The floor as a child on the clients' core.
pid_t fork_floor(std::uint16_t port) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  (void)pin_to(client_core);
  ::_exit(run_floor_client(port, floor_answer));
}

struct FloorProcess {
  pid_t pid{0};
  ~FloorProcess() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  void stop() const { ::kill(pid, SIGSTOP); }
  void resume() const { ::kill(pid, SIGCONT); }
};

void hold(Venue& venue, const Options& o) {
  Options endless = o;
  endless.ticks = 200;
  endless.warm_up = 0;
  Measurement m{venue, endless};
  Program program;
  m.block(program, true);
  if (!o.idle_file.empty()) std::ofstream{o.idle_file} << "ready\n";
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(o.hold_s * 1e9);
  while (now_ns() < end) m.block(program, true);
  std::printf("held: %zu orders, %llu missed\n", program.samples.count(),
              static_cast<unsigned long long>(program.missed));
}

// Blocks in turn, floor first and last; the program whose turn it is not is stopped.
void measure(Venue& venue, BotProcess& bot, FloorProcess& floor, const Options& o,
             const Serve& live, Result& result) {
  Measurement measurement{venue, o};
  const auto floor_block = [&] {
    bot.stop();
    floor.resume();
    measurement.block(result.floor, false);
    floor.stop();
  };
  floor_block();
  for (int b = 0; b < o.blocks; ++b) {
    bot.resume();
    (void)serve_until(
        live, [] { return false; }, 0.1);
    measurement.block(result.gimbal, true);
    if (b + 1 == (o.blocks + 1) / 2) result.before = result.floor.samples;
    const std::size_t so_far = result.floor.samples.count();
    floor_block();
    if (b + 1 >= (o.blocks + 1) / 2) {
      Samples all = result.floor.samples;
      result.after.append(all.from(so_far));
    }
  }
}

int run(const Options& o) {
  const bool pinned = pin_to(venue_core);
  const bool favoured = ::setpriority(PRIO_PROCESS, 0, -20) == 0;
  const std::string conditions = std::string{"venue on core 0, clients on core 1"} +
                                 (pinned ? "" : " (pinning refused)") + ", all busy-polling" +
                                 (favoured ? ", nice -20" : ", nice not raised");
  ScratchDirectory scratch;
  Venue venue{scratch.path() / "tls"};
  FloorProcess floor{fork_floor(venue.port())};
  const Serve live = [&] { venue.serve(true); };
  const Serve still = [&] { venue.serve(false); };
  if (!serve_until(
          still, [&] { return venue.floor().ticks != nullptr; }, 5)) {
    throw std::runtime_error("the floor client did not connect");
  }
  floor.stop();
  BotSetup setup{o.gimbal,
                 o.gimbalctl,
                 scratch.path(),
                 venue.authority(),
                 venue.port(),
                 client_core,
                 venue_core,
                 std::string{bench_client},
                 std::string{bench_secret}};
  BotProcess bot{setup};
  bot.start(live);
  if (!serve_until(
          live, [&] { return venue.book_subscribed(); }, 10)) {
    throw std::runtime_error("gimbal did not subscribe:\n" + bot.log_end());
  }
  bot.arm(live);
  // The first hedge brings the book's own delta to zero.
  (void)serve_until(
      live, [&] { return venue.orders() > 0; }, 5);
  (void)serve_until(
      live, [] { return false; }, 0.5);
  if (o.hold_s > 0) {
    hold(venue, o);
    const int code = bot.end(live);
    std::printf("%s", bot.report().c_str());
    return code;
  }
  Result result;
  measure(venue, bot, floor, o, live, result);
  const int code = bot.end(live);
  result.report = bot.report();
  summarise(result);
  print(result, o, venue, conditions);
  std::printf("  gimbal's own closing report: exit %d, %s", code, result.report.c_str());
  if (!o.json.empty()) write_json(result, o, conditions);
  if (!o.check) return 0;
  const std::size_t answered = result.gimbal.samples.count();
  if (o.smoke) {
    // A shared host stalls for longer than an order may take, and the floor with it: a smoke run
    // shows that the path works, not how fast it is.
    return answered > 0 && result.gimbal.missed * smoke_missed_share <= answered ? 0 : 1;
  }
  return answered > 0 && result.gimbal.missed == 0 && result.ratio <= ratio_bar ? 0 : 1;
}

constexpr const char* usage =
    "usage: tick_to_order --gimbal PATH --gimbalctl PATH [--blocks N] [--ticks N] [--warm-up N]\n"
    "         [--quiet N] [--seed N] [--json FILE] [--check] [--smoke]\n"
    "         [--hold SECONDS [--ready-file FILE]]\n"
    "  --quiet N      N ticks that need no order before each one that does\n"
    "  --check        exit 1 when the p50 ratio is over the bar or an order was missed\n"
    "  --smoke  --check asks only that at least nine orders in ten came\n"
    "  --hold S       no measurement: the bot trades on a stream of ticks for S seconds\n";

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--check")
      o.check = true;
    else if (name == "--smoke")
      o.smoke = true;
    else if (i + 1 >= argc)
      return false;
    else if (name == "--gimbal")
      o.gimbal = argv[++i];
    else if (name == "--gimbalctl")
      o.gimbalctl = argv[++i];
    else if (name == "--json")
      o.json = argv[++i];
    else if (name == "--ready-file")
      o.idle_file = argv[++i];
    else if (name == "--blocks")
      o.blocks = std::atoi(argv[++i]);
    else if (name == "--ticks")
      o.ticks = std::atoi(argv[++i]);
    else if (name == "--warm-up")
      o.warm_up = std::atoi(argv[++i]);
    else if (name == "--quiet")
      o.quiet = std::atoi(argv[++i]);
    else if (name == "--seed")
      o.seed = std::strtoull(argv[++i], nullptr, 10);
    else if (name == "--hold")
      o.hold_s = std::atof(argv[++i]);
    else
      return false;
  }
  return !o.gimbal.empty() && !o.gimbalctl.empty() && o.blocks > 0 && o.ticks > 0 &&
         o.warm_up >= 0 && o.quiet >= 0;
}

}  // namespace
}  // namespace gimbal::bench

int main(int argc, char** argv) {
  gimbal::bench::Options options;
  if (!gimbal::bench::parse(argc, argv, options)) {
    std::fputs(gimbal::bench::usage, stderr);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return gimbal::bench::run(options);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "tick_to_order: %s\n", failed.what());
    return 1;
  }
}
