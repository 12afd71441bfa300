// The real gimbal, gimbalctl and gimbal-sim in a temporary directory, over TLS on loopback.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/io/process.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal::test {

struct BotSetup {
  std::string topology{"fused"};
  std::string poller{"auto"};
  std::string keep_warm{"50us"};  // fused only
  std::string ca_file{};          // empty: the exchange's own
  std::string credential{};       // empty: the rig's
  std::string band{"0.05"};
  std::string underlying_extra{};
  std::string heartbeat{"10s"};
  std::string order_ttl{"500ms"};
  std::string engine_extra{};  // further lines of [engine]
  std::string max_day_loss{"50000000"};
  bool own_account{true};
  bool guardian_required{false};
  std::string risk_extra{};      // further lines of [risk]
  std::string venue_extra{};     // further lines of [[venue]]
  std::string strategy_extra{};  // and of the hedge
  std::string runtime_extra{};
  std::string tables_extra{};  // further tables
};

class Rig : public ::testing::Test {
 protected:
  Rig();
  ~Rig() override;

  // The exchange on a free port with the demo's book; `faults` are its command-line knobs.
  void start_sim(const std::vector<std::string>& options = {}, bool demo_book = true);
  // Its closing figures as JSON; stops it.
  std::string stop_sim();
  void write_config(const BotSetup& setup);
  // Starts `gimbal run` and waits until its order session has reconciled.
  void start_bot(const BotSetup& setup = {}, bool await_ready = true);
  [[nodiscard]] Finished ctl(const std::vector<std::string>& arguments,
                             Patience limit = Patience{25000});
  [[nodiscard]] std::string status();
  [[nodiscard]] Finished arm();
  void arm_or_fail();
  [[nodiscard]] Finished kill();
  [[nodiscard]] std::string config_hash();
  [[nodiscard]] Finished replay();
  // Path of the `gimbal` under test.
  [[nodiscard]] static std::string program();
  // A signed call of the exchange's HTTPS, made by the test itself; empty when it failed.
  [[nodiscard]] std::string exchange(const std::string& method_and_query);
  [[nodiscard]] std::map<std::string, double> exchange_positions();
  [[nodiscard]] std::map<std::string, double> bot_positions();
  [[nodiscard]] std::string file(const std::string& name) const { return dir_.file(name); }
  [[nodiscard]] std::string bot_says() const { return read_text(dir_.file("bot.err")); }
  [[nodiscard]] bool wait_for_orders(double at_least, Patience limit = Patience{20000});

  std::string client_id_{"demo"};  // what the exchange accepts
  std::string client_secret_{"a-secret-of-the-demo"};
  TempDir dir_;
  std::vector<std::string> prefix_;  // of the bot's command line: where it runs
  Child sim_;
  Child bot_;
  int port_{0};
  int starts_{0};
};

// Longer waits where a sanitizer slows the programs down.
#if defined(GIMBAL_SANITIZED)
inline constexpr int patience_factor = 4;
#else
inline constexpr int patience_factor = 1;
#endif

}  // namespace gimbal::test
