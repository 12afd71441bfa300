// The inside of a run: venue, network, nemesis, bot and clock under one scheduler.
#pragma once

#include <memory>
#include <string>

#include "tests/runtime/temp_dir.hpp"
#include "tests/simtest/bot.hpp"
#include "tests/simtest/checker.hpp"
#include "tests/simtest/nemesis.hpp"
#include "tests/simtest/run.hpp"

namespace gimbal::simtest {

class World {
 public:
  explicit World(const RunOptions& options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] RunResult run();
  // After run(): steps events of its first boot through a fresh engine of that bot.
  [[nodiscard]] std::vector<std::uint64_t> digests(const std::vector<Event>& events);

 private:
  struct Over {};   // the run ends
  struct Crash {};  // the bot's process dies
  class Transport;
  enum class Phase : std::uint8_t { safety, liveness, stop };

  void tick();
  void work();
  void boot();
  void end_boot();
  void process_troubles();
  [[noreturn]] void die();
  void operate();
  void next_phase();
  void heal();
  void must_settle();
  void kill_all();
  void stop();
  [[nodiscard]] bool nothing_rests() const;
  [[nodiscard]] std::string unrest() const;
  [[nodiscard]] ExchTime venue_time() const noexcept { return start_ + (now_ - RecvTime{}); }
  [[nodiscard]] ExchTime wall() const;  // the host's, as everybody reads it
  [[nodiscard]] ExchTime jumping_wall() const;
  void arm_closed_scopes();

  RunOptions options_;
  RecvTime now_{seconds(1000).count};
  VenueSide venue_;
  ExchTime start_;
  TraceHash hash_;
  Nemesis nemesis_;
  Network network_;
  Checker checker_;
  test::TempDir dir_;
  GatePage gate_;
  StopPage stop_page_;
  Host host_;
  Story story_;
  std::unique_ptr<Bot> bot_;
  std::uint32_t epoch_{0};
  RecvTime down_until_{};
  RecvTime began_{};
  RecvTime safety_ends_{};
  Random operator_random_;
  Random market_random_;
  RecvTime operate_due_{};
  RecvTime rearm_at_{};
  Phase phase_{Phase::safety};
  RecvTime phase_began_{};
  RecvTime rest_since_{};
  bool settled_{false};          // since the last fault, once
  bool cancels_refused_{false};  // by the venue, since the kill: it settles
  RunResult result_;
};

}  // namespace gimbal::simtest
