// gimbal-guardian: watches one bot and cancels for it. Room: ops/guardian (wiring).
//
// The main thread does all that is urgent: it waits for the bot's end and for the venue's answers
// in one poll(2) of a millisecond, looks at the pages, closes the gate, sends the cancels.
// Connecting has a thread of its own, and so has everything that touches a disk.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "ops/app/config.hpp"
#include "ops/app/connect_loop.hpp"
#include "ops/app/secret.hpp"
#include "ops/guardian/beat_listener.hpp"
#include "ops/guardian/bot_watch.hpp"
#include "ops/guardian/cancel_run.hpp"
#include "ops/guardian/cancel_session.hpp"
#include "ops/guardian/clerk.hpp"
#include "ops/guardian/proof.hpp"
#include "ops/guardian/watched_bot.hpp"

namespace gimbal::guardian {

enum class Post : std::uint8_t {
  local,     // on the bot's host: pages and process
  off_host,  // elsewhere: heartbeats over UDP
};

enum class Task : std::uint8_t { guard, check };

class Guardian {
 public:
  Guardian(std::unique_ptr<LoadedConfig> loaded, Post post, Task task);
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  // Credentials, directories, lock, venue session. Empty text on success.
  [[nodiscard]] std::string build();
  // Until `stop` is set; a fire that is under way is finished first. An ExitCode.
  [[nodiscard]] int run(const std::atomic<int>& stop);
  // `gimbal-guardian check`: connects, logs in, proves that it may cancel, counts open orders.
  [[nodiscard]] int check(bool json);

 private:
  // guardian_build.cpp
  std::string open_credentials();
  std::string open_directories();
  std::string open_venue();
  std::string open_listener();
  [[nodiscard]] const VenueConfig& venue() const { return loaded_->config.venues[0]; }

  // guardian.cpp
  void wait() noexcept;
  void pump();
  // True when the key belongs to another account than the bot's; said once.
  bool wrong_account();
  void watch_bot(RecvTime now);
  void take_over();
  void count_stop();
  [[nodiscard]] bool in_scope(const OpenRow& row, Scope scope) const;
  void listen(RecvTime now);
  void fire(RecvTime now, const Alarm& alarm);
  void close_gate(const Alarm& alarm);
  [[nodiscard]] std::vector<std::string> listed_labels();
  void follow_run();
  void beat(RecvTime now);
  void say(std::string_view event, const std::string& text);
  void say_changes();

  std::unique_ptr<LoadedConfig> loaded_;
  Post post_;
  Task task_;
  TscClock clock_;
  InstanceLock lock_;
  Credentials credentials_;
  std::unique_ptr<Clerk> clerk_;
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<CancelSession> session_;
  std::unique_ptr<ConnectLoop> connects_;
  std::unique_ptr<CancelRun> run_;
  std::unique_ptr<WatchedBot> bot_;         // local
  std::unique_ptr<BotWatch> watch_;         // of the boot that bot_ shows
  std::unique_ptr<BeatListener> listener_;  // off-host
  FireProof proof_;
  std::uint64_t fires_{0};
  std::uint64_t false_before_{0};  // of earlier boots
  std::uint64_t cancels_told_{0};  // of this run, added to the page
  struct PendingCount {
    Scope scope{};
    std::uint64_t question{0};
  };
  std::optional<PendingCount> count_;
  std::string last_trouble_;
  std::string refusal_;  // why this guardian must not act; empty: it may
  bool was_ready_{false};
  bool was_watching_{false};
  RecvTime anchor_due_{};
  std::atomic<bool> stop_cold_{false};
  std::thread connect_thread_;
};

}  // namespace gimbal::guardian
