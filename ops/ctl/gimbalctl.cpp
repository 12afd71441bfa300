// `gimbalctl`: the operator's program. Exit codes: 0 done, 1 an error of its own (said on standard
// error), 2 usage, 3 refused, 4 bot unreachable, 5 not confirmed.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "ops/app/commands.hpp"
#include "ops/app/field_list.hpp"
#include "ops/app/scope_names.hpp"
#include "ops/cli/command_line.hpp"
#include "ops/ctl/client.hpp"
#include "ops/ctl/flatten.hpp"
#include "ops/ctl/kill.hpp"
#include "ops/ctl/render.hpp"
#include "ops/ctl/stress.hpp"
#include "ops/ctl/watch.hpp"

namespace gimbal::ctl {
namespace {

constexpr std::chrono::milliseconds read_patience{3000};
constexpr std::chrono::milliseconds work_patience{15000};

struct Options {
  std::string runtime_dir;
  std::string socket;
  bool json{false};
  std::string scope;
  std::string mode{"cancel"};
  std::string wait{"2s"};
  std::string reason;
  std::string config_hash;
  std::string id;
  std::string interval{"1s"};
  std::uint32_t count{0};
  bool yes{false};
  bool options{false};
  bool hedge_only{false};
  bool stop{false};
  std::string max_loss;
  std::string token;
  StressOptions stress;
};

// The protocol is printable ASCII; a reason typed with other characters is still a reason.
std::string ascii(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return text;
}

int complain(const std::string& why, int code) {
  std::fprintf(stderr, "gimbalctl: %s\n", why.c_str());
  return code;
}

int exchange(const Options& o, ControlVerb verb, std::vector<ControlArgument> arguments,
             std::chrono::milliseconds patience, std::string (*render)(const std::string&)) {
  AnswerHead head;
  const auto asked =
      ask(o.socket, {verb, std::move(arguments)}, patience, [&](const std::string& line) {
        if (!read_head(line, head)) return false;
        if (o.json) {
          std::printf("%s\n", line.c_str());
        } else if (!head.error.empty()) {
          std::fprintf(stderr, "gimbalctl: %s\n", head.error.c_str());
        } else {
          std::fputs(render(line).c_str(), stdout);
        }
        std::fflush(stdout);
        return head.is_final;
      });
  if (!asked)
    return complain(asked.error() + ". Is `gimbal run` running, and may this user reach it?",
                    exit_unreachable);
  return head.code;
}

int read(const Options& o, ControlVerb verb, std::string (*render)(const std::string&)) {
  return exchange(o, verb, {}, read_patience, render);
}

int kill_command(const Options& o) {
  const auto wait = field::parse_duration(o.wait);
  if (!wait || wait->count < 0 || *wait > seconds(60)) {
    return complain("--wait must be a duration up to 60s, such as 2s or 500ms", exit_usage);
  }
  return kill({o.runtime_dir, o.socket, o.scope.empty() ? "global" : o.scope, o.mode,
               ascii(o.reason), wait->count / 1'000'000, o.json});
}

bool confirmed(const Options& o) {
  if (o.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "Type ARM to let gimbal trade: ");
  std::string word;
  std::getline(std::cin, word);
  return word == "ARM";
}

int arm_command(const Options& o) {
  if (!confirmed(o))
    return complain("not armed: give --yes, or answer ARM at a terminal", exit_usage);
  std::vector<ControlArgument> arguments{{"yes", "true"},
                                         {"reason", ascii(o.reason)},
                                         {"config_hash", o.config_hash},
                                         {"wait_ms", "10000"}};
  if (!o.scope.empty()) arguments.emplace_back("scope", o.scope);
  return exchange(o, ControlVerb::arm, std::move(arguments), work_patience, plain_text);
}

int other_command(const Options& o, ControlVerb verb) {
  std::vector<ControlArgument> arguments;
  if (!o.reason.empty()) arguments.emplace_back("reason", ascii(o.reason));
  if (!o.id.empty()) arguments.emplace_back("id", o.id);
  if (!o.scope.empty()) arguments.emplace_back("scope", o.scope);
  return exchange(o, verb, std::move(arguments), work_patience, plain_text);
}

int flatten_command(const Options& o) {
  const auto wait = field::parse_duration(o.wait);
  if (!wait || wait->count < 0 || *wait > seconds(600)) {
    return complain("--wait must be a duration up to 600s, such as 60s", exit_usage);
  }
  if (!o.stop && !field::parse_decimal_nano(o.max_loss)) {
    return complain("--max-loss USD is required: what the closing may cost at most", exit_usage);
  }
  FlattenOptions f;
  f.socket = o.socket;
  if (!o.scope.empty()) f.scope = o.scope;
  f.max_loss = o.max_loss;
  f.reason = ascii(o.reason);
  f.options = o.options;
  f.hedge_only = o.hedge_only;
  f.stop = o.stop;
  f.yes = o.yes;
  f.json = o.json;
  f.wait_ms = wait->count / 1'000'000;
  return flatten(f);
}

int reload_command(const Options& o) {
  std::vector<ControlArgument> arguments{{"reason", ascii(o.reason)}};
  if (!o.token.empty()) arguments.emplace_back("token", o.token);
  return exchange(o, ControlVerb::reload, std::move(arguments), work_patience, reload_text);
}

int watch_command(const Options& o) {
  const auto interval = field::parse_duration(o.interval);
  if (!interval || *interval < milliseconds(10))
    return complain("--interval must be a duration of at least 10ms", exit_usage);
  return watch({o.socket, *interval, o.count, o.json});
}

void add_readers(cli::Command app, Options& o, int& code) {
  app.add_subcommand("status", "Modes, sessions, feeds, Greeks, margins, alerts").callback([&] {
    code = read(o, ControlVerb::status, status_text);
  });
  app.add_subcommand("positions", "Positions and Greeks").callback([&] {
    code = read(o, ControlVerb::positions, positions_text);
  });
  app.add_subcommand("orders", "Working and unknown orders").callback([&] {
    code = read(o, ControlVerb::orders, orders_text);
  });
  app.add_subcommand("latency", "Latency percentiles of every hop").callback([&] {
    code = read(o, ControlVerb::latency, latency_text);
  });
  auto watch =
      app.add_subcommand("watch", "The bot on one screen: modes, delta, orders, latency, alerts");
  watch.add_option("--interval", o.interval, "Time between two looks").shows_default();
  watch.add_option("--count", o.count, "Looks, then stop; 0: for ever").shows_default();
  watch.callback([&] { code = watch_command(o); });
}

void add_stoppers(cli::Command app, Options& o, int& code) {
  auto kill =
      app.add_subcommand("kill", "Stop trading now: closes the gate, cancels, confirms, latches");
  kill.add_option("--scope", o.scope,
                  "global, or LEVEL:NAME (venue, account, strategy, underlying, instrument)");
  kill.add_option("--mode", o.mode, "reduce, halt, cancel or lock").shows_default();
  kill.add_option("--wait", o.wait, "Time to wait for the confirmation").shows_default();
  kill.add_option("--reason", o.reason, "Why, for the record");
  kill.callback([&] { code = kill_command(o); });
  auto arm = app.add_subcommand("arm", "Let the bot trade again");
  arm.add_flag("--yes", o.yes, "Do not ask");
  arm.add_option("--reason", o.reason, "Why, for the record").required();
  arm.add_option("--config-hash", o.config_hash,
                 "The hash that the bot must run (gimbal check --hash FILE)")
      .required();
  arm.add_option("--scope", o.scope, "Scope to release; default global");
  arm.callback([&] { code = arm_command(o); });
}

void add_workers(cli::Command app, Options& o, int& code) {
  auto ack = app.add_subcommand("ack", "Acknowledge an alert");
  ack.add_option("id", o.id, "Alert number, as status shows it").required();
  ack.add_option("--reason", o.reason, "Remark");
  ack.callback([&] { code = other_command(o, ControlVerb::ack); });
  auto reload = app.add_subcommand("reload", "Read the config file again");
  reload.add_option("--reason", o.reason, "Why, for the record").required();
  reload.add_option("--token", o.token, "Of a colleague's reload that loosens a limit");
  reload.callback([&] { code = reload_command(o); });
  auto flatten = app.add_subcommand(
      "flatten", "CANCEL a scope and close its positions; shows a plan and asks first");
  flatten.add_option("--scope,scope", o.scope,
                     "global, or LEVEL:NAME (venue, account, underlying, instrument)");
  flatten.add_option("--max-loss", o.max_loss,
                     "USD that fills may cost against the mark, fees included; required");
  flatten.add_flag("--options", o.options, "Options too, after the futures");
  flatten.add_flag("--hedge-only", o.hedge_only,
                   "Bring the delta to zero with the hedge instruments; options stay");
  flatten.add_flag("--stop", o.stop, "End the running job; the scope stays in CANCEL");
  flatten.add_flag("--yes", o.yes, "Do not ask");
  flatten.add_option("--wait", o.wait, "Time to wait for the end; the job goes on after it")
      .shows_default("60s");
  flatten.add_option("--reason", o.reason, "Why, for the record").required();
  flatten.callback([&o, &code, flatten] {
    if (!flatten.given("--wait")) o.wait = "60s";
    code = flatten_command(o);
  });
}

void add_stress(cli::Command app, Options& o, int& code) {
  auto stress = app.add_subcommand(
      "stress", "The bot's book under the scenario grid, computed here from its positions");
  stress
      .add_option("--sigma", o.stress.sigma,
                  "Volatility per sqrt(year) where option marks imply none")
      .range(1e-6, 100.0);
  stress.add_option("--shocks", o.stress.shocks, "CSV of a shock set, as for `gimbal stress`");
  stress.add_option("--margin", o.stress.margin,
                    "MODEL=FILE of margin parameters: maintenance, health, distance");
  stress
      .add_option("--horizon", o.stress.horizon,
                  "Seconds that deleveraging takes, for distances in sigma")
      .shows_default()
      .range(1.0, 31'536'000.0);
  stress.callback([&] {
    o.stress.socket = o.socket;
    o.stress.json = o.json;
    code = ctl::stress(o.stress);
  });
}

int run(int argc, char** argv) {
  Options o;
  int code = exit_done;
  const char* from_environment = std::getenv("GIMBAL_RUNTIME_DIR");
  o.runtime_dir = from_environment == nullptr ? "/run/gimbal" : from_environment;
  cli::CommandLine line{"gimbalctl: stop, arm and look at a running gimbal", "gimbalctl"};
  line.fallthrough();
  line.require_subcommand(1, 1);
  line.add_option("--runtime-dir", o.runtime_dir, "The bot's runtime_dir (or GIMBAL_RUNTIME_DIR)")
      .shows_default();
  line.add_option("--socket", o.socket, "Control socket; default RUNTIME_DIR/control.sock");
  line.add_flag("--json", o.json, "JSON: the bot's answer as it is, or the report of stress");
  // Subcommands run after the whole line is parsed, so that options may stand anywhere.
  line.when_parsed([&o] {
    if (o.socket.empty()) o.socket = o.runtime_dir + "/" + std::string{control_socket_file};
  });
  add_readers(line, o, code);
  add_stoppers(line, o, code);
  add_workers(line, o, code);
  add_stress(line, o, code);
  return line.parse(argc, argv).value_or(code);
}

}  // namespace
}  // namespace gimbal::ctl

int main(int argc, char** argv) {
  try {
    return gimbal::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gimbalctl: %s\n", error.what());
    return gimbal::exit_failed;
  }
}
