// gimbal-sim: the simulated exchange as a program. See --help.
//
// Prints one ready line to stdout when it listens:
//   {"ready":true,"port":P,"ca":"..","url":"wss://localhost:P/ws/api/v2","seed":S,"pid":N}
// Exit code: 0 stopped cleanly, 1 orders rest and --fail-if-resting was given or the start failed,
// 2 bad usage.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ops/sim/options.hpp"
#include "ops/sim/schedule.hpp"
#include "ops/sim/stats.hpp"
#include "ops/sim/world.hpp"
#include "venues/sim/json_text.hpp"
#include "venues/sim/server.hpp"

namespace gimbal::sim {
namespace {

std::string ready_line(const SimServer& server, const SimOptions& o) {
  std::string out;
  JsonText json{out};
  json.open_object();
  json.member_bool("ready", true);
  json.member_int("port", server.port());
  json.member("ca", std::filesystem::absolute(server.ca_path()).string());
  json.member("url", fmt::format("wss://localhost:{}/ws/api/v2", server.port()));
  json.member_int("seed", static_cast<std::int64_t>(o.seed));
  json.member_int("pid", ::getpid());
  json.close_object();
  return out;
}

// A reader of the ready file sees all of it or nothing.
void announce(const SimServer& server, const SimOptions& o) {
  const std::string line = ready_line(server, o) + '\n';
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  if (o.ready_file.empty()) return;
  const std::filesystem::path fresh{o.ready_file.string() + ".new"};
  std::ofstream out{fresh};
  out << line << std::flush;
  if (!out) throw std::runtime_error{"cannot write " + fresh.string()};
  std::filesystem::rename(fresh, o.ready_file);
}

// Signals are blocked everywhere and taken by this one thread.
class SignalWaiter {
 public:
  SignalWaiter(SimServer& server, const sigset_t& signals)
      : thread_{[&server, signals] {
          int caught = 0;
          sigwait(&signals, &caught);
          server.stop();
        }} {}
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;
  // Lets it go when it was the duration, or an error, that ended the run.
  ~SignalWaiter() {
    ::kill(::getpid(), SIGTERM);
    thread_.join();
  }

 private:
  std::thread thread_;
};

int serve(const SimOptions& o, const sigset_t& signals) {
  World world = make_world(o);
  DialectConfig dialect_config;
  dialect_config.seed = o.seed;
  dialect_config.token_life_s = o.token_life_s;
  dialect_config.vary = !o.constant_format;
  dialect_config.faults = o.faults;
  dialect_config.extra_keys = world.extra_keys;
  DeribitDialect dialect{*world.exchange, dialect_config, world.replay.get()};
  EquityLog log{world, o.equity_csv};
  ServerConfig server_config;
  server_config.port = o.port;
  server_config.tls_dir = o.tls_dir;
  server_config.speed = o.speed;
  SimServer server{dialect, server_config};
  Schedule schedule{o, world, dialect};
  const auto start = std::chrono::steady_clock::now();
  server.on_tick([&](ExchTime now) {
    schedule.on_time(now);
    log.sample(now);
    const std::chrono::duration<double> ran{std::chrono::steady_clock::now() - start};
    if (o.duration_s > 0 && ran.count() >= o.duration_s) server.stop();
  });
  {
    const SignalWaiter waiter{server, signals};
    announce(server, o);
    server.run();
  }
  const std::string closing = o.json
                                  ? closing_json(world, log, dialect.stats(), server.stats()) + '\n'
                                  : closing_text(world, log, dialect.stats(), server.stats());
  std::fputs(closing.c_str(), stdout);
  std::fflush(stdout);
  return o.fail_if_resting && resting_orders(world) > 0 ? 1 : 0;
}

}  // namespace
}  // namespace gimbal::sim

int main(int argc, char** argv) {
  gimbal::sim::SimOptions options;
  int exit_code = 0;
  if (!gimbal::sim::parse_options(argc, argv, options, exit_code)) return exit_code;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return gimbal::sim::serve(options, signals);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "gimbal-sim: %s\n", failed.what());
    return 1;
  }
}
