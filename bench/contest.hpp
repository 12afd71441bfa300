// Programs against each other: short blocks in turn, a block of the TLS floor before and after each
// (A/B/A), the programs whose turn it is not stopped. A block's ratio is to the mean of the two
// floor blocks beside it; a program's figure is the median of its blocks' ratios.
//
// Sample: just before the tick's send() to just after the recv() that gave the order's first byte.
// Ticks go out on an absolute schedule with seeded random think time; `scheduled` counts from the
// scheduled time, so that a stall is charged to every tick it delays (coordinated omission).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/harness.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {

inline constexpr std::int64_t think_min_ns = 200'000;
inline constexpr std::int64_t think_max_ns = 1'000'000;
inline constexpr std::int64_t answer_limit_ns = 100'000'000;

// Where a program's ticks come from and its answers go: the venue's side of its connection.
class Door {
 public:
  virtual ~Door() = default;
  // Makes the next tick, encrypted and framed; `moves`: it needs an order.
  virtual void prepare(bool moves) = 0;
  // Just before the sample begins: what is to lie before the tick.
  virtual void lead() {}
  virtual void send() = 0;
  // Looks for an answer; the time of its first byte, 0 when none has come.
  virtual std::int64_t look() = 0;
  // Think time, and the wait after a missed order: other connections may be served, at most this
  // often.
  virtual void keep_house() {}
  // In a pause, with no tick prepared: everything else that the exchange has to say. Whether an
  // order came since it was asked last.
  virtual bool rest() { return false; }
  // After the measured interval: replies to the order and books it.
  virtual void settle() {}
  [[nodiscard]] virtual bool open() const = 0;
};

struct Program {
  std::string name;  // as in the table and the JSON
  Door* door{nullptr};
  std::function<void()> resume;  // SIGCONT and what must follow
  std::function<void()> stop;    // SIGSTOP
  int quiet{0};                  // ticks without an order before each one that needs it
  double share{1};               // of the ticks of a block
  std::int64_t pause_ns{0};      // without an order before each tick, besides the think time

  Samples samples;  // a tick that was not answered counts as answer_limit_ns
  Samples scheduled;
  Samples handed;  // the venue's own send() of each tick: part of every sample
  std::vector<double> block_p50;
  std::vector<double> ratio;      // to the floor blocks beside it
  std::vector<double> excess_us;  // over them
  std::uint64_t missed{0};
  std::uint64_t unasked{0};
  std::uint64_t anew{0};  // pauses that an order broke, and that began anew behind it

  [[nodiscard]] double p50_ratio() const { return median(ratio); }
};

struct ContestConfig {
  int blocks{6};   // of each program but the main one
  int ticks{400};  // of a block
  int warm_up{40};
  std::uint64_t seed{1};
};

class Contest {
 public:
  explicit Contest(const ContestConfig& config) : config_{config}, random_{config.seed} {}

  // Floor first and last; the main program takes every second turn, so that it is never stopped for
  // longer than three blocks. Every program's `stop` has been called before.
  void run(Program& floor, Program& main, std::vector<Program>& others);
  // One block of a program that runs, outside a contest.
  void block(Program& program);

 private:
  void turn(Program& program);
  void turn_beside(Program& program, Program& floor);
  void quiet_tick(Program& program, std::int64_t& due);
  void pause(Program& program, std::int64_t& due);
  void wait_for(Door& door, std::int64_t due);
  std::int64_t await(Door& door);
  static void let_pass(Door& door);

  ContestConfig config_;
  Random random_;
};

}  // namespace gimbal::bench
