// `gimbal-guardian check`: would it be ready here and now? Room: ops/guardian. Cold.
#include <fmt/format.h>

#include <cstdio>

#include "ops/app/commands.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/guardian/guardian.hpp"

namespace gimbal::guardian {
namespace {

constexpr Nanos answer_patience = seconds(5);

const char* state_text(BotState state) {
  switch (state) {
    case BotState::absent: return "absent";
    case BotState::running: return "running";
    case BotState::stopped: return "left in order";
  }
  return "absent";
}

}  // namespace

int Guardian::check(bool json) {
  Channel::prepare_thread();
  const RecvTime deadline = clock_.now() + venue().connect_timeout + answer_patience;
  std::uint64_t question = 0;
  bool answered = false;
  std::string trouble;
  while (!answered && clock_.now() < deadline) {
    wait();
    pump();
    if (!session_->trouble().empty()) trouble = session_->trouble();
    if (question == 0 && session_->ready()) question = session_->ask_open();
    answered = question != 0 && session_->picture().number >= question;
  }
  std::string bot = "off-host";
  if (bot_ != nullptr) {
    (void)bot_->refresh(clock_.now());
    bot = bot_->trouble();
    if (bot_->mapped()) {
      const BeatLine& line = bot_->gate().layout().bot;
      const auto state = static_cast<BotState>(line.state.load(std::memory_order_acquire));
      bot = bot_->process().exited() && state == BotState::running ? "dead" : state_text(state);
    }
  }
  if (answered && wrong_account()) {
    answered = false;
    trouble = refusal_;
  }
  const std::size_t open = session_->picture().rows.size();
  if (json) {
    JsonWriter w;
    w.begin_object().boolean("ready", answered).text("trouble", answered ? "" : trouble);
    w.text("account", proof_.account).boolean("own_account", proof_.own_account);
    w.integer("open_orders", answered ? static_cast<std::int64_t>(open) : -1);
    w.text("bot", bot).text("build", proof_.build).text("config", proof_.config);
    std::printf("%s\n", w.end_object().take().c_str());
  } else if (answered) {
    std::printf("ready: account %s, %zu open orders at the venue; bot: %s\n",
                proof_.account.c_str(), open, bot.c_str());
  } else {
    std::printf("NOT ready: account %s: %s; bot: %s\n", proof_.account.c_str(), trouble.c_str(),
                bot.c_str());
  }
  return answered ? exit_done : exit_failed;
}

}  // namespace gimbal::guardian
