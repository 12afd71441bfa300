#include "ops/ctl/flatten.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include <nlohmann/json.hpp>

#include "ops/app/commands.hpp"
#include "ops/app/control_protocol.hpp"
#include "ops/ctl/client.hpp"
#include "ops/ctl/render.hpp"

namespace gimbal::ctl {
namespace {

constexpr std::chrono::milliseconds plan_patience{3000};
constexpr std::chrono::milliseconds answer_grace{5000};

int complain(const std::string& why, int code) {
  std::fprintf(stderr, "gimbalctl: %s\n", why.c_str());
  return code;
}

std::vector<ControlArgument> arguments_of(const FlattenOptions& o) {
  std::vector<ControlArgument> out{{"scope", o.scope}, {"reason", o.reason}};
  if (o.stop) {
    out.emplace_back("stop", "true");
    return out;
  }
  out.emplace_back("max_loss", o.max_loss);
  if (o.options) out.emplace_back("options", "true");
  if (o.hedge_only) out.emplace_back("hedge_only", "true");
  return out;
}

// Sends, prints every line of the answer, and keeps the last.
int talk(const FlattenOptions& o, std::vector<ControlArgument> arguments,
         std::chrono::milliseconds patience, bool print, std::string& last) {
  AnswerHead head;
  const auto asked =
      ask(o.socket, {ControlVerb::flatten, std::move(arguments)}, patience,
          [&](const std::string& line) {
            if (!read_head(line, head)) return false;
            last = line;
            if (!head.error.empty() && !o.json) {
              std::fprintf(stderr, "gimbalctl: %s\n", head.error.c_str());
            } else if (print || !head.error.empty()) {
              std::fputs(o.json ? (line + "\n").c_str() : flatten_text(line).c_str(), stdout);
            }
            std::fflush(stdout);
            return head.is_final;
          });
  if (!asked) {
    return complain(asked.error() +
                        ". The job, if it began, goes on: gimbalctl status shows it, "
                        "gimbalctl kill stops it",
                    exit_unreachable);
  }
  return head.code;
}

std::string token_of(const std::string& line) {
  const auto answer = nlohmann::json::parse(line, nullptr, false);
  if (!answer.is_object() || !answer.contains("token") || !answer["token"].is_string()) return {};
  return answer["token"].get<std::string>();
}

bool agreed(const FlattenOptions& o) {
  if (o.yes) return true;
  if (::isatty(STDIN_FILENO) == 0) return false;
  std::fprintf(stderr, "Type FLATTEN to close these positions: ");
  std::string word;
  std::getline(std::cin, word);
  return word == "FLATTEN";
}

}  // namespace

int flatten(const FlattenOptions& o) {
  std::string last;
  if (o.stop) return talk(o, arguments_of(o), plan_patience, true, last);
  if (const int code = talk(o, arguments_of(o), plan_patience, true, last); code != exit_done) {
    return code;
  }
  const std::string token = token_of(last);
  if (token.empty()) return complain("the bot gave no plan", exit_failed);
  if (!agreed(o)) {
    return complain("nothing was closed: give --yes, or answer FLATTEN at a terminal", exit_usage);
  }
  auto arguments = arguments_of(o);
  arguments.emplace_back("token", token);
  arguments.emplace_back("wait_ms", std::to_string(o.wait_ms));
  return talk(o, std::move(arguments), std::chrono::milliseconds{o.wait_ms} + answer_grace, true,
              last);
}

}  // namespace gimbal::ctl
