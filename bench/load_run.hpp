// One run of a load profile: sends on schedule, answers orders, gives kills, and counts at both
// ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/bot_process.hpp"
#include "bench/order_log.hpp"
#include "bench/peak_flow.hpp"
#include "bench/profile.hpp"
#include "bench/results.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {

struct LoadConfig {
  Profile profile{peak};
  double seconds{60};
  int kills{0};
  std::uint64_t seed{1};
  double budget_us{1000};
};

// What the bot's status says of its feeds.
struct FeedCounts {
  std::uint64_t frames{0};
  std::uint64_t gaps{0};
  std::uint64_t malformed{0};
  std::uint64_t resyncs{0};
};

// A kill: the gate's own time stamp, and when the bench asked to arm again; moves that would need
// an order go on in between.
struct Stop {
  std::int64_t closed_ns{0};
  std::int64_t armed_ns{0};
  bool reduces{false};  // REDUCE: orders that reduce may go on
};

struct LoadResult {
  LoadConfig config;
  std::uint64_t sent[message_kinds]{};
  std::uint64_t texts{0};  // everything sent on the feeds' connections
  double elapsed_s{0};
  Samples late;    // of each batch: how far behind the schedule it went out
  Samples orders;  // tick's send to the order's first byte
  std::uint64_t missed{0};
  std::uint64_t blocked{0};  // sends that found the bot's receive buffer full
  FeedCounts counted;        // by the bot, in the run
  std::uint64_t connections_lost{0};
  double own_p999_us{0};  // the bot's tick-to-order
  bool active{false};     // its mode at the end
  int unconfirmed{0};     // kills
  std::vector<Stop> stops;
  Samples gate_closed;  // from the command's arrival, as the kill's line says
  OrderLog log;         // with kills only
  std::string report;
  bool replays{false};       // its journal, with decoding and without, to the same commands
  double replayed_per_s{0};  // messages, with decoding
  double stepped_per_s{0};   // events, without

  [[nodiscard]] std::uint64_t messages() const;
  // Order frames whose send began between a kill's closed gate and the arming after it; REDUCE
  // aside.
  [[nodiscard]] std::size_t after_a_kill() const;
  // What must hold on any host, what depends on it, and both.
  [[nodiscard]] std::vector<Bar> counted_bars() const;
  [[nodiscard]] std::vector<Bar> timed_bars() const;
  [[nodiscard]] std::vector<Bar> bars() const;
};
[[nodiscard]] bool hold(const std::vector<Bar>& bars);

class LoadRun {
 public:
  LoadRun(Venue& venue, PeakFlow& flow, BotProcess& bot, const LoadConfig& config);
  LoadResult run();

 private:
  void step();
  void send_due();
  void send_move();
  void take_answer();
  void flush(std::int64_t due);
  void kill_once();
  void trade_until_the_end();
  void wait_quietly(double seconds);
  [[nodiscard]] FeedCounts count();
  [[nodiscard]] std::string ask(const std::vector<std::string>& words, int& code);
  [[nodiscard]] std::uint64_t texts() const;
  [[nodiscard]] std::uint64_t blocked() const;

  Venue& venue_;
  PeakFlow& flow_;
  BotProcess& bot_;
  LoadResult result_;
  Schedule schedule_;
  Random random_;
  std::int64_t start_{0};
  std::int64_t end_{0};
  std::int64_t house_at_{0};
  std::int64_t move_at_{0};
  std::int64_t asked_at_{0};  // of the tick that waits for its order; 0: none does
  bool stopped_{false};       // by a kill that was confirmed
  bool quiet_{true};          // nothing but control traffic
};

// Number behind `"name":`, after `from`; 0 when there is none.
[[nodiscard]] double number_in(const std::string& text, std::string_view name,
                               std::size_t from = 0);
void print(const LoadResult& result);
[[nodiscard]] std::string json(const LoadResult& result);

}  // namespace gimbal::bench
