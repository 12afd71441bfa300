#include "ops/ctl/stress.hpp"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>

#include "engine/quant/stress/pool.hpp"
#include "ops/app/commands.hpp"
#include "ops/ctl/client.hpp"
#include "ops/ctl/render.hpp"
#include "ops/risk/stress_report.hpp"

namespace gimbal::ctl {
namespace {

constexpr std::chrono::milliseconds patience{3000};

int complain(const std::string& why, int code) {
  std::fprintf(stderr, "gimbalctl stress: %s\n", why.c_str());
  return code;
}

bool read_whole(const std::string& file, std::string& text) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return false;
  text.assign(std::istreambuf_iterator<char>{in}, {});
  return !in.bad();
}

// The bot's positions; an ExitCode, 0 when `answer` holds them.
int ask_positions(const std::string& socket, std::string& answer) {
  AnswerHead head;
  const auto asked = ask(socket, {ControlVerb::positions, {}}, patience, [&](const std::string& l) {
    if (!read_head(l, head)) return false;
    answer = l;
    return head.is_final;
  });
  if (!asked) {
    return complain(asked.error() + ". Is `gimbal run` running, and may this user reach it?",
                    exit_unreachable);
  }
  return head.error.empty() ? head.code : complain(head.error, head.code);
}

// "MODEL=FILE": the same model for every account whose equity is known.
bool add_margin(const std::string& margin, risk::StressInput& input, std::string& fault) {
  if (margin.empty()) return true;
  const std::size_t at = margin.find('=');
  std::string text;
  if (at == std::string::npos) {
    fault = "--margin must be MODEL=FILE";
    return false;
  }
  if (!read_whole(margin.substr(at + 1), text)) {
    fault = margin.substr(at + 1) + " cannot be read";
    return false;
  }
  return risk::use_margin(margin.substr(0, at), text, input, fault);
}

}  // namespace

int stress(const StressOptions& o) {
  std::string answer;
  if (const int code = ask_positions(o.socket, answer); code != exit_done) return code;
  risk::PortfolioOptions options;
  options.now_unix_seconds = static_cast<std::int64_t>(std::time(nullptr));
  if (o.sigma > 0) options.flat_sigma = o.sigma;
  risk::StressInput input;
  std::vector<risk::ShockRow> shocks;
  std::string fault;
  if (!risk::read_portfolio(answer, options, input, fault) || !add_margin(o.margin, input, fault)) {
    return complain(fault, exit_usage);
  }
  if (!o.shocks.empty()) {
    std::string text;
    if (!read_whole(o.shocks, text)) return complain(o.shocks + " cannot be read", exit_usage);
    if (!risk::read_shocks(text, input.portfolio, shocks, fault)) {
      return complain(o.shocks + ": " + fault, exit_usage);
    }
  }
  risk::StressRequest request;
  request.threads = 1;  // the host's cores are the bot's
  request.horizon_years = o.horizon / 31'536'000.0;
  const risk::StressReport report = risk::stress(input, shocks, request);
  const std::string out = o.json ? risk::stress_json(report) : risk::stress_text(report);
  const bool written =
      std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0;
  return written ? exit_done : complain("the output could not be written", exit_failed);
}

}  // namespace gimbal::ctl
