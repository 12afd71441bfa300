#include "ops/ctl/kill.hpp"

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <optional>

#include "engine/runtime/gate_page.hpp"
#include "ops/app/commands.hpp"
#include "ops/app/control_protocol.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/scope_names.hpp"
#include "ops/ctl/client.hpp"
#include "ops/ctl/render.hpp"

namespace gimbal::ctl {
namespace {

// Time beyond --wait that the bot gets to say that it could not confirm.
constexpr std::chrono::milliseconds answer_grace{1000};

RecvTime monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return {now.tv_sec * 1'000'000'000 + now.tv_nsec};
}

struct Stopped {
  bool written{false};
  std::string said;  // what was written where, or why not
};

Stopped write_stop(const KillOptions& options, Scope scope, Mode mode) {
  const std::string path = options.runtime_dir + "/" + std::string{stop_page_file};
  StopPage page;
  if (const auto opened = page.open(path, true); !opened) return {false, opened.error()};
  const bool raised = page.request(scope, mode, monotonic_now(), ::getuid(),
                                   static_cast<std::uint32_t>(::getpid()));
  if (!raised && page.at(scope) < mode) return {false, path + " refused the scope"};
  return {true, "stop page " + path + " says " + std::string{name_of(mode)}};
}

// The scope to stop, by the page: a name that cannot be looked up stops everything, which is
// stricter; a name that is looked up and not there stops nothing.
std::optional<Scope> scope_of(const KillOptions& options, std::string& said) {
  Scope scope{};
  if (!parse_scope(options.scope)) {
    said = "scope must be global or LEVEL:NAME (venue, account, strategy, underlying, instrument)";
    return std::nullopt;
  }
  switch (find_scope(options.runtime_dir, options.scope, scope)) {
    case ScopeLookup::found: return scope;
    case ScopeLookup::no_file:
      said = "the scope names cannot be read, so the stop page stops everything";
      return Scope{};
    case ScopeLookup::unknown: break;
  }
  said = "there is no scope " + options.scope + "; nothing was stopped. Names are in " +
         options.runtime_dir + "/" + std::string{scope_names_file} +
         "; gimbalctl kill without --scope stops everything";
  return std::nullopt;
}

int usage(const KillOptions& options, const std::string& why) {
  if (options.json) {
    std::printf("%s\n", JsonWriter{}
                            .begin_object()
                            .text("error", why)
                            .integer("code", int{exit_usage})
                            .end_object()
                            .take()
                            .c_str());
  } else {
    std::fprintf(stderr, "gimbalctl: %s\n", why.c_str());
  }
  return exit_usage;
}

int unreachable(const KillOptions& options, const std::string& why, const Stopped& stopped) {
  if (options.json) {
    JsonWriter w;
    w.begin_object().text("error", why).boolean("stop_page_written", stopped.written);
    w.text("stop_page", stopped.said).integer("code", int{exit_unreachable}).end_object();
    std::printf("%s\n", w.take().c_str());
    return exit_unreachable;
  }
  std::fprintf(stderr, "gimbalctl: %s\n", why.c_str());
  std::fprintf(stderr, "gimbalctl: %s: %s\n",
               stopped.written ? "the stop page is written" : "THE STOP PAGE IS NOT WRITTEN",
               stopped.said.c_str());
  if (stopped.written)
    std::fprintf(
        stderr,
        "gimbalctl: no order leaves the bot; orders may still rest at the venue: look there\n");
  return exit_unreachable;
}

}  // namespace

int kill(const KillOptions& options) {
  const auto mode = parse_kill_mode(options.mode);
  if (!mode) return usage(options, "mode must be reduce, halt, cancel or lock");
  std::string said;
  const auto scope = scope_of(options, said);
  if (!scope) return usage(options, said);
  if (!said.empty()) std::fprintf(stderr, "gimbalctl: %s\n", said.c_str());

  // The page knows no REDUCE; a bot that cannot be asked for it is stopped harder below.
  Stopped stopped;
  if (*mode != Mode::reduce) stopped = write_stop(options, *scope, *mode);

  ControlRequest request{ControlVerb::kill,
                         {{"scope", options.scope},
                          {"mode", options.mode},
                          {"reason", options.reason},
                          {"wait_ms", std::to_string(options.wait_ms)}}};
  AnswerHead head;
  const auto asked =
      ask(options.socket, request, std::chrono::milliseconds{options.wait_ms} + answer_grace,
          [&](const std::string& line) {
            if (!read_head(line, head)) return false;
            std::fputs(options.json ? (line + "\n").c_str() : kill_text(line).c_str(), stdout);
            std::fflush(stdout);
            return head.is_final;
          });
  if (asked) return head.code;
  if (*mode == Mode::reduce) stopped = write_stop(options, *scope, Mode::halt);
  return unreachable(options, asked.error(), stopped);
}

}  // namespace gimbal::ctl
