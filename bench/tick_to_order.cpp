// Tick-to-order of the bot as the exchange sees it, in one run and on one seed against floors (a
// client without logic: bare TCP, TLS WebSocket, the same kept warm) and against common practice (a
// bot of Beast, nlohmann::json and std::map, busy-polled and asleep). See contest.hpp.
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "bench/bot_process.hpp"
#include "bench/cold_companion.hpp"
#include "bench/contest.hpp"
#include "bench/doors.hpp"
#include "bench/floor_client.hpp"
#include "bench/results.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {
namespace {

constexpr int venue_core = 0;
constexpr int client_core = 1;
constexpr std::int64_t warm_every_ns = 50'000;
constexpr int rare_quiet_ticks = 999;
constexpr double rare_share = 0.02;
constexpr std::size_t record_overhead = 22 + 4;  // TLS 1.3 record, WebSocket header
constexpr std::uint64_t smoke_missed_share = 10;
constexpr const char* floor_answer =
    R"({"jsonrpc":"2.0","id":700000123,"method":"private/sell",)"
    R"("params":{"instrument_name":"BTC-PERPETUAL",)"
    R"("type":"limit","label":"gt1-000007010000002a-abcd1234","amount":16780,)"
    R"("time_in_force":"immediate_or_cancel","price":99824,"valid_until":1790000000500}})";

struct Options {
  std::string gimbal;
  std::string gimbalctl;
  std::string rival;
  std::string json;
  std::string idle_file;  // with --hold: written when the bot is armed and ticks flow
  std::string keep_warm{"100us"};
  std::string poller{"auto"};
  std::string idle{"spin"};
  std::string more;  // lines for the bot's [runtime]
  ContestConfig contest{};
  int silences{5};  // of silence_s each, before one tick; at the end
  double silence_s{10};
  double hold_s{0};  // only run the bot on a stream of ticks for so long
  bool check{false};
  bool smoke{false};
  bool floors_only{false};  // no rivals, no rare orders: gimbal and the floors
};

// A child on the clients' core, stopped while it is not its turn. An accompanied one has a cold
// thread on the exchange's core, as the bot has.
class ClientProcess {
 public:
  template <class Body>
  ClientProcess(Body&& body, bool accompanied) {
    pid_ = ::fork();
    if (pid_ != 0) return;
    if (accompanied) std::thread{accompany, venue_core}.detach();
    (void)pin_to(client_core);
    ::_exit(body());
  }
  ClientProcess(const ClientProcess&) = delete;
  ClientProcess& operator=(const ClientProcess&) = delete;
  ~ClientProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void stop() const { ::kill(pid_, SIGSTOP); }
  void resume() const { ::kill(pid_, SIGCONT); }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_{0};
};

Program program_of(const char* name, Door& door, const ClientProcess& process) {
  Program p;
  p.name = name;
  p.door = &door;
  p.resume = [&process] { process.resume(); };
  p.stop = [&process] { process.stop(); };
  return p;
}

// Everything that competes with gimbal, each started, connected and stopped.
class Field {
 public:
  Field(Venue& venue, const Options& o) : venue_{venue} {
    add(Guest::tls_floor, "tls_floor",
        [this] { return run_tls_floor(floor(Guest::tls_floor, 0)); });
    add(Guest::tls_floor_warm, "tls_floor_warm",
        [this] { return run_tls_floor(floor(Guest::tls_floor_warm, warm_every_ns)); });
    tcp_ = std::make_unique<ClientProcess>(
        [this] { return run_tcp_floor(tcp_door_.port(), floor_answer); }, true);
    tcp_door_.accept();
    tcp_->stop();
    programs.push_back(program_of("tcp_floor", tcp_door_, *tcp_));
    if (o.floors_only) return;
    add(Guest::tls_floor_rare, "tls_floor, rare",
        [this] { return run_tls_floor(floor(Guest::tls_floor_rare, 0)); });
    programs.back().quiet = rare_quiet_ticks;
    programs.back().share = rare_share;
    if (o.rival.empty()) return;
    add(Guest::rival_polled, "beast, polled", [&] { return rival(o, Guest::rival_polled); });
    add(Guest::rival_asleep, "beast, asleep", [&] { return rival(o, Guest::rival_asleep); });
  }
  std::vector<Program> programs;  // tls_floor first
  [[nodiscard]] double floor_cold_share() const {
    return cold_share(processes_.front()->pid(), {});
  }

 private:
  template <class Body>
  void add(Guest guest, const char* name, Body&& body) {
    const bool floor = guest < Guest::rival_polled;
    processes_.push_back(std::make_unique<ClientProcess>(body, floor));
    const bool connected = serve_until([this] { venue_.serve(false); },
                                       [&] { return venue_.guest(guest).ticks != nullptr; }, 10);
    if (!connected) throw std::runtime_error(std::string{name} + " did not connect");
    (void)serve_until([this] { venue_.serve(false); }, [] { return false; }, 0.1);
    processes_.back()->stop();
    doors_.push_back(std::make_unique<GuestDoor>(venue_, guest));
    programs.push_back(program_of(name, *doors_.back(), *processes_.back()));
  }
  [[nodiscard]] FloorSetup floor(Guest guest, std::int64_t warm_ns) const {
    return {venue_.port(),
            std::string{guest_paths[static_cast<std::size_t>(guest)]},
            floor_answer,
            warm_ns,
            guest == Guest::tls_floor_rare,
            venue_.leaf().string(),
            venue_.key().string()};
  }
  int rival(const Options& o, Guest guest) const {
    const std::string port = std::to_string(venue_.port());
    const std::string path{guest_paths[static_cast<std::size_t>(guest)]};
    const char* mode = guest == Guest::rival_asleep ? "asleep" : "polled";
    for (int fd = 3; fd < 1024; ++fd) ::close(fd);
    ::execl(o.rival.c_str(), o.rival.c_str(), port.c_str(), path.c_str(), mode, nullptr);
    return 127;
  }

  Venue& venue_;
  TcpDoor tcp_door_{350 + record_overhead};
  std::vector<std::unique_ptr<ClientProcess>> processes_;
  std::unique_ptr<ClientProcess> tcp_;
  std::vector<std::unique_ptr<GuestDoor>> doors_;
};

Program program_of(const char* name, BotDoor& door, BotProcess& bot, const Serve& live) {
  Program p;
  p.name = name;
  p.door = &door;
  p.resume = [&bot, live] {
    bot.resume();
    (void)serve_until(
        live, [] { return false; }, 0.1);
  };
  p.stop = [&bot] { bot.stop(); };
  return p;
}

void hold(Program& bot, const Options& o) {
  ContestConfig endless = o.contest;
  endless.ticks = 50;  // short: under a tracer a tick may take milliseconds
  endless.warm_up = 0;
  Contest contest{endless};
  contest.block(bot);
  if (!o.idle_file.empty()) std::ofstream{o.idle_file} << "ready\n";
  const std::int64_t end = now_ns() + static_cast<std::int64_t>(o.hold_s * 1e9);
  while (now_ns() < end) {
    bot.resume();  // the options' feed has its turn: a silent one is taken for stale
    contest.block(bot);
  }
  std::printf("held: %zu ticks, %llu missed\n", bot.samples.count(),
              static_cast<unsigned long long>(bot.missed));
}

std::string conditions_of(bool pinned, bool favoured, double bot_cold, double floor_cold,
                          const Options& o) {
  char cold[96];
  std::snprintf(cold, sizeof cold,
                "; beside the venue: %.1f %% of the bot's time, %.1f %% of a floor's",
                100 * bot_cold, 100 * floor_cold);
  return std::string{"venue on core 0, clients on core 1, all but beast asleep busy-polling"} +
         (pinned ? "" : " (pinning refused)") + (favoured ? ", all nice -20" : "") +
         ", keep_warm " + o.keep_warm + ", poller " + o.poller + cold;
}

std::string sizes_of(const Venue& venue, const Options& o) {
  char text[256];
  std::snprintf(
      text, sizeof text,
      "tick %zu B, order %zu B, %llu options subscribed, think time %lld-%lld us, seed %llu",
      venue.tick_bytes(), venue.order_bytes(), static_cast<unsigned long long>(venue.options()),
      static_cast<long long>(think_min_ns / 1000), static_cast<long long>(think_max_ns / 1000),
      static_cast<unsigned long long>(o.contest.seed));
  return text;
}

// Starts the bot, arms it and waits for its first hedge, which flattens the book's own delta.
void start(BotProcess& bot, Venue& venue, const Serve& live) {
  bot.start(live);
  if (!serve_until(
          live, [&] { return venue.book_subscribed(); }, 10)) {
    throw std::runtime_error("gimbal did not subscribe:\n" + bot.log_end());
  }
  bot.arm(live);
  (void)serve_until(
      live, [&] { return venue.orders() > 0; }, 5);
  (void)serve_until(
      live, [] { return false; }, 0.5);
}

// After the contest: the first order after a while without one, against the floor's blocks of the
// run.
void measure_silence(Results& r, const Options& o, Program silent) {
  ContestConfig once;
  once.ticks = o.silences;
  once.warm_up = 0;
  Contest contest{once};
  silent.pause_ns = static_cast<std::int64_t>(o.silence_s * 1e9);
  silent.resume();
  contest.block(silent);
  silent.stop();
  const double floor = static_cast<double>(r.floor.samples.at(0.5));
  silent.ratio.push_back(silent.block_p50.back() / floor);
  silent.excess_us.push_back((silent.block_p50.back() - floor) * 1e-3);
  r.programs.push_back(std::move(silent));
}

// The bot first: stopped for the floor's, it is not asked again.
void measure_silences(Results& r, const Options& o, const Program& bot) {
  Program silent = bot;
  silent.name = "gimbal, after 10 s";
  const Program& rare = *std::find_if(r.programs.begin(), r.programs.end(),
                                      [](const Program& p) { return p.name == "tls_floor, rare"; });
  Program still;
  still.name = "tls_floor, after 10 s";
  still.door = rare.door;
  still.resume = rare.resume;
  still.stop = rare.stop;
  measure_silence(r, o, std::move(silent));
  measure_silence(r, o, std::move(still));
}

int verdict(const Results& r, const Options& o) {
  const std::size_t asked = r.fused.samples.count();
  if (asked == 0 || r.fused.missed >= asked) return 1;
  // A shared host stalls for longer than an order may take, and the floor with it: a smoke run
  // shows that the path works, not how fast it is.
  if (o.smoke) return r.fused.missed * smoke_missed_share <= asked ? 0 : 1;
  if (!o.check) return 0;
  for (const Bar& b : r.bars) {
    if (!b.holds()) return 1;
  }
  return 0;
}

int run(const Options& o) {
  ScratchDirectory scratch;
  Venue venue{scratch.path() / "tls"};
  PeakFlow flow{venue};
  const bool pinned = pin_to(venue_core);
  // Inherited by every program; not where a script looks on, which would get no processor.
  const bool favoured = o.hold_s == 0 && ::setpriority(PRIO_PROCESS, 0, -20) == 0;
  Field field{venue, o};
  const Serve live = [&] { venue.serve(true); };
  BotSetup setup{o.gimbal,
                 o.gimbalctl,
                 scratch.path(),
                 venue.authority(),
                 venue.port(),
                 client_core,
                 venue_core,
                 std::string{bench_client},
                 std::string{bench_secret},
                 o.keep_warm,
                 o.poller,
                 o.idle,
                 o.more};
  BotProcess bot{setup};
  start(bot, venue, live);
  BotDoor door{venue};
  CrowdedDoor crowded_door{venue, flow};
  Results r;
  r.fused = program_of("gimbal fused", door, bot, live);
  if (o.hold_s > 0) {
    hold(r.fused, o);
    const int code = bot.end(live);
    std::printf("%s%s", bot.log_end().c_str(), bot.report().c_str());
    return code;
  }
  bot.stop();
  const Ran started = ran_of(bot.pid());
  r.floor = std::move(field.programs.front());
  r.programs.assign(std::make_move_iterator(field.programs.begin() + 1),
                    std::make_move_iterator(field.programs.end()));
  const Program bare = r.fused;
  if (!o.floors_only) {
    Program rare = bare;
    rare.name = "gimbal, rare order";
    rare.quiet = rare_quiet_ticks;
    rare.share = rare_share;
    r.programs.push_back(std::move(rare));
    Program crowded = bare;
    crowded.name = "gimbal, 20 options";
    crowded.door = &crowded_door;
    r.programs.push_back(std::move(crowded));
  }
  Contest{o.contest}.run(r.floor, r.fused, r.programs);
  if (!o.floors_only) measure_silences(r, o, bare);
  const double bot_cold = cold_share(bot.pid(), started);
  const int code = bot.end(live);
  r.report = bot.report();
  r.conditions = conditions_of(pinned, favoured, bot_cold, field.floor_cold_share(), o);
  r.sizes = sizes_of(venue, o);
  r.bars = judge(r);
  print(r);
  if (missed(r) > 0) std::printf("\n  gimbal's log ends with:\n%s", bot.log_end().c_str());
  std::printf("\n  gimbal's own closing report: exit %d, %s", code, r.report.c_str());
  if (!o.json.empty()) write_json(r, o.json);
  return verdict(r, o);
}

constexpr const char* usage =
    "usage: tick_to_order --gimbal PATH --gimbalctl PATH [--rival PATH] [--blocks N] [--ticks N]\n"
    "         [--warm-up N] [--seed N] [--keep-warm TEXT] [--json FILE] [--check] [--smoke]\n"
    "         [--floors-only] [--hold SECONDS [--ready-file FILE]]\n"
    "  --rival PATH   bench/rivals/beast_bot; without it no rivals run\n"
    "  --keep-warm T  the bot's [runtime] keep_warm, \"100us\"; \"0s\" switches it off\n"
    "  --poller P     the bot's [runtime] poller; --idle I the same of idle; --runtime LINE adds a "
    "line\n"
    "  --check        exit 1 when a figure misses its bar\n"
    "  --smoke        exit 1 only when more than one order in ten is missed\n"
    "  --floors-only  gimbal and the floors: no rivals, no rare orders, no silence\n"
    "  --silences N   samples of the first order after a silence (5)\n"
    "  --silence S    that silence, in seconds (10)\n"
    "  --hold S       no measurement: the bot trades on a stream of ticks for S seconds\n";

bool parse_flag(const std::string& name, Options& o) {
  if (name == "--check") return o.check = true;
  if (name == "--smoke") return o.smoke = true;
  if (name == "--floors-only") return o.floors_only = true;
  return false;
}

bool parse_value(const std::string& name, const char* value, Options& o) {
  const auto text = [&](std::string& to) {
    to = value;
    return true;
  };
  const auto number = [&](int& to) {
    to = std::atoi(value);
    return to >= 0;
  };
  if (name == "--gimbal") return text(o.gimbal);
  if (name == "--gimbalctl") return text(o.gimbalctl);
  if (name == "--rival") return text(o.rival);
  if (name == "--json") return text(o.json);
  if (name == "--ready-file") return text(o.idle_file);
  if (name == "--keep-warm") return text(o.keep_warm);
  if (name == "--poller") return text(o.poller);
  if (name == "--idle") return text(o.idle);
  if (name == "--runtime") return (o.more += std::string{value} + '\n'), true;
  if (name == "--blocks") return number(o.contest.blocks);
  if (name == "--ticks") return number(o.contest.ticks);
  if (name == "--warm-up") return number(o.contest.warm_up);
  if (name == "--seed") return (o.contest.seed = std::strtoull(value, nullptr, 10)), true;
  if (name == "--silences") return number(o.silences) && o.silences > 0;
  if (name == "--silence") return (o.silence_s = std::atof(value)) > 0;
  if (name == "--hold") return (o.hold_s = std::atof(value)) > 0;
  return false;
}

bool parse(int argc, char** argv, Options& o) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (parse_flag(name, o)) continue;
    if (i + 1 >= argc || !parse_value(name, argv[++i], o)) return false;
  }
  return !o.gimbal.empty() && !o.gimbalctl.empty() && o.contest.blocks > 0 && o.contest.ticks > 0;
}

}  // namespace
}  // namespace gimbal::bench

int main(int argc, char** argv) {
  using namespace gimbal::bench;
  return run_program<Options>(argc, argv, usage, parse, run);
}
