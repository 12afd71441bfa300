// A load profile over TLS against the deployed bot: every message counted at both ends, the hedge
// computed and sent meanwhile; with --kills the stop is given at random instants of it.
//
// The exchange's schedule waits for nobody. When it runs late, the table says which side was at its
// limit: sends that found the bot's receive buffer full are the bot's, the rest is the exchange's
// own.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "bench/bot_process.hpp"
#include "bench/load_run.hpp"

namespace gimbal::bench {
namespace {

constexpr int venue_core = 0;
constexpr int client_core = 1;

struct Options {
  std::string gimbal;
  std::string gimbalctl;
  std::string json;
  LoadConfig load;
  bool check{false};
};

constexpr const char* usage =
    "usage: throughput --gimbal PATH --gimbalctl PATH [--profile peak|twice] [--seconds N]\n"
    "         [--kills N] [--seed N] [--budget-us N] [--json FILE] [--check]\n"
    "  --profile P    peak: 20,000 messages/s with bursts of 100,000/s for 100 ms of each second;\n"
    "                 twice: twice as many. 70 % book changes, 20 % option tickers, 10 % trades, "
    "quotes\n"
    "  --seconds N    60\n"
    "  --kills N      0; stops by `gimbalctl kill` at random instants, each scope and mode in "
    "turn,\n"
    "                 each armed again; the run ends with the last\n"
    "  --budget-us N  1000: what the p99.9 of the bot's own tick-to-order may be\n"
    "  --check        exit 1 also when an order was missed, the budget overrun or the schedule not "
    "kept\n"
    "Exit 1 when a message was lost or refused, or an order left after a kill.\n";

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--check") {
      o.check = true;
      continue;
    }
    if (i + 1 >= argc) return false;
    const std::string value = argv[++i];
    if (name == "--gimbal") {
      o.gimbal = value;
    } else if (name == "--gimbalctl") {
      o.gimbalctl = value;
    } else if (name == "--json") {
      o.json = value;
    } else if (name == "--profile") {
      if (value != "peak" && value != "twice") return false;
      o.load.profile = value == "peak" ? peak : twice_peak;
    } else if (name == "--seconds") {
      o.load.seconds = std::atof(value.c_str());
    } else if (name == "--kills") {
      o.load.kills = std::atoi(value.c_str());
    } else if (name == "--seed") {
      o.load.seed = std::strtoull(value.c_str(), nullptr, 10);
    } else if (name == "--budget-us") {
      o.load.budget_us = std::atof(value.c_str());
    } else {
      return false;
    }
  }
  return !o.gimbal.empty() && !o.gimbalctl.empty() && o.load.seconds > 0 && o.load.kills >= 0;
}

int run(const Options& o) {
  ScratchDirectory scratch;
  Venue venue{scratch.path() / "tls"};
  PeakFlow flow{venue};
  const bool pinned = pin_to(venue_core);
  const bool favoured = ::setpriority(PRIO_PROCESS, 0, -20) == 0;  // the bot inherits it
  BotSetup setup;
  setup.gimbal = o.gimbal;
  setup.gimbalctl = o.gimbalctl;
  setup.directory = scratch.path();
  setup.authority = venue.authority();
  setup.port = venue.port();
  setup.hot_core = client_core;
  setup.cold_core = venue_core;
  setup.client_id = bench_client;
  setup.client_secret = bench_secret;
  BotProcess bot{setup};
  const Serve live = [&] { venue.serve(true); };
  bot.start(live);
  if (!serve_until(
          live, [&] { return flow.ready() && venue.book_subscribed(); }, 10)) {
    throw std::runtime_error("gimbal did not subscribe:\n" + bot.log_end());
  }
  bot.arm(live);
  (void)serve_until(
      live, [] { return false; }, 1);
  LoadRun load{venue, flow, bot, o.load};
  LoadResult result = load.run();
  (void)bot.end(live);
  result.report = bot.report();
  int replay_code = 0;
  const std::string replay = bot.replay(replay_code);
  int events_code = 0;
  const std::string events = bot.replay(events_code, {"--events"});
  result.replays = replay_code == 0 && events_code == 0;
  result.replayed_per_s = number_in(replay, "messages_per_s");
  result.stepped_per_s = number_in(events, "events_per_s");
  result.own_p999_us = number_in(result.report, "p999_us");
  if (o.load.kills > 0) result.log = read_order_log(scratch.path() / "journal");
  std::printf(
      "\n%s\nexchange on core 0, bot's hot thread on core 1%s%s, loopback TLS 1.3, journal on\n",
      host_line().c_str(), pinned ? "" : " (pinning refused)", favoured ? ", nice -20" : "");
  print(result);
  const bool holds = hold(o.check ? result.bars() : result.counted_bars());
  if (!holds) std::printf("\ngimbal's log ends with:\n%s", bot.log_end().c_str());
  if (!o.json.empty()) std::ofstream{o.json} << json(result) << '\n';
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace gimbal::bench

int main(int argc, char** argv) {
  using namespace gimbal::bench;
  return run_program<Options>(argc, argv, usage, parse, run);
}
