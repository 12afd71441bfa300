#include "bench/contest.hpp"

#include <algorithm>
#include <stdexcept>

namespace gimbal::bench {
namespace {

constexpr std::int64_t house_keeping_ns = 50'000;
constexpr std::int64_t silent_tick_ns = 50'000'000;
constexpr int looks_between_clocks = 64;
constexpr int pauses_max = 5;  // as long as so many without an order may take

}  // namespace

void Contest::wait_for(Door& door, std::int64_t due) {
  std::int64_t next = 0;
  while (now_ns() < due) {
    if (now_ns() < next) continue;
    next = now_ns() + house_keeping_ns;
    if (due - now_ns() < house_keeping_ns) continue;
    door.keep_house();
  }
}

std::int64_t Contest::await(Door& door) {
  const std::int64_t limit = now_ns() + answer_limit_ns;
  for (;;) {
    for (int spin = 0; spin < looks_between_clocks; ++spin) {
      if (const std::int64_t at = door.look()) return at;
    }
    if (now_ns() > limit) return 0;
  }
}

// A late answer must not be taken for the next tick's. The schedule, which waits for nobody, leaves
// no think time after this: a client that waits for another answer than that of its order would
// wait to the end of the block.
void Contest::let_pass(Door& door) {
  const std::int64_t limit = now_ns() + answer_limit_ns;
  while (door.look() == 0 && now_ns() < limit) door.keep_house();
  door.keep_house();
}

void Contest::quiet_tick(Program& program, std::int64_t& due) {
  due += random_.between(think_min_ns / 10, think_max_ns / 10);
  program.door->prepare(false);
  wait_for(*program.door, due);
  program.door->send();
}

// No order for so long; the market goes on: ticks that need none, and what else the exchange
// publishes. Without them the bot takes its feeds for dead and its marks for too old. Behind an
// order that it sends all the same the pause begins anew: the path would be warm.
void Contest::pause(Program& program, std::int64_t& due) {
  const std::int64_t limit = due + pauses_max * program.pause_ns;
  for (std::int64_t end = due + program.pause_ns; due < end;) {
    due += silent_tick_ns;
    if (program.door->rest()) {
      ++program.anew;
      end = due + program.pause_ns;
    }
    if (end > limit) throw std::runtime_error(program.name + ": it goes on sending orders");
    program.door->prepare(false);
    wait_for(*program.door, due);
    program.door->send();
  }
}

void Contest::block(Program& program) {
  Door& door = *program.door;
  Samples samples;
  const auto ticks = std::max(1, static_cast<int>(config_.ticks * program.share));
  const int warm_up = std::min(config_.warm_up, ticks);
  std::int64_t due = now_ns() + 2'000'000;
  (void)door.look();
  for (int i = 0; i < warm_up + ticks; ++i) {
    bool counts = i >= warm_up;
    for (int q = 0; counts && q < program.quiet; ++q) quiet_tick(program, due);
    if (counts) pause(program, due);
    due += random_.between(think_min_ns, think_max_ns);
    if (!door.open()) throw std::runtime_error(program.name + ": its connection is gone");
    door.prepare(true);
    wait_for(door, due);
    if (door.look() != 0) {
      ++program.unasked;
      counts = counts && program.pause_ns == 0;  // behind the pause's last look
    }
    door.lead();
    const std::int64_t sent = now_ns();
    door.send();
    if (counts) program.handed.add(now_ns() - sent);
    const std::int64_t answered = await(door);
    if (answered == 0) {
      ++program.missed;
      let_pass(door);
    }
    // What was not answered counts as late as it was waited for.
    if (counts) {
      samples.add(answered != 0 ? answered - sent : answer_limit_ns);
      program.scheduled.add(answered != 0 ? answered - due : answer_limit_ns + (sent - due));
    }
    door.settle();
  }
  if (samples.count() == 0) throw std::runtime_error(program.name + ": no tick counted");
  program.samples.append(samples);
  program.block_p50.push_back(static_cast<double>(samples.at(0.5)));
}

void Contest::turn(Program& program) {
  program.resume();
  block(program);
  program.stop();
}

// The program's block, then the floor's; the floor's last one lies before it.
void Contest::turn_beside(Program& program, Program& floor) {
  turn(program);
  const double before = floor.block_p50.back();
  turn(floor);
  const double beside = (before + floor.block_p50.back()) / 2;
  program.ratio.push_back(program.block_p50.back() / beside);
  program.excess_us.push_back((program.block_p50.back() - beside) * 1e-3);
}

void Contest::run(Program& floor, Program& main, std::vector<Program>& others) {
  turn(floor);
  for (int b = 0; b < config_.blocks; ++b) {
    if (others.empty()) turn_beside(main, floor);
    for (Program& program : others) {
      turn_beside(main, floor);
      turn_beside(program, floor);
    }
  }
}

}  // namespace gimbal::bench
