// The bot's heartbeats to a guardian on another host. Room: ops/app. Cold thread; never blocks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "engine/core/time.hpp"
#include "engine/runtime/beat.hpp"
#include "engine/runtime/outcome.hpp"
#include "ops/app/off_host_beat.hpp"

namespace gimbal {

class OffHostSender {
 public:
  struct Setup {
    std::string to;  // "HOST:PORT"
    Nanos interval{milliseconds(250)};
    Nanos answer_max{seconds(2)};  // the watcher's answer may be this old
    std::uint32_t epoch{0};
    std::uint64_t account{0};
  };

  OffHostSender(Setup setup, Secret key) : setup_{std::move(setup)}, key_{std::move(key)} {}
  ~OffHostSender();
  OffHostSender(const OffHostSender&) = delete;
  OffHostSender& operator=(const OffHostSender&) = delete;

  // Resolves the name once. Fails for a name that does not resolve.
  [[nodiscard]] Outcome open();
  // The venue's number of the bot's account, once it is known.
  void show_account(std::uint64_t number) noexcept {
    venue_account_ = static_cast<std::uint32_t>(number);
  }
  // Once a cycle: reads what the watcher said, sends when it is time.
  void beat(RecvTime now, BotState state) noexcept;
  // At once, three times: the bot leaves in order and the watcher must not fire.
  void say_stopped(RecvTime now) noexcept;
  // True once after each fire of the watcher: it took this host for dead and has cancelled.
  [[nodiscard]] bool take_fire() noexcept { return std::exchange(fired_, false); }
  // The watcher answers and could cancel.
  [[nodiscard]] bool watched(RecvTime now) const noexcept {
    return ready_ && answered_at_.mono_ns != 0 && now - answered_at_ <= setup_.answer_max;
  }

 private:
  void listen(RecvTime now) noexcept;
  void send(BotState state) noexcept;

  Setup setup_;
  Secret key_;
  int fd_{-1};
  BeatNonce nonce_{};
  std::uint64_t sequence_{0};
  std::uint32_t venue_account_{0};
  RecvTime due_{};
  RecvTime answered_at_{};
  bool ready_{false};
  bool fired_{false};
  std::uint32_t fires_{0};  // of the watcher with this nonce
  std::uint64_t heard_{0};  // newest sequence of that watcher
};

}  // namespace gimbal
