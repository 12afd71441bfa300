// Keeps the hot path warm. In silence, every `[runtime] keep_warm`, one tick runs the whole way of
// a real one: receive, decrypt, parse, book, mark, decide, gate, encode, encrypt, send, and the
// fill back. It runs through the very code of the fused topology (hot.hpp), instantiated once more
// on private state: own engine, book, portfolio, sessions, rings, gate pages, poller, and a private
// pair of sockets whose far end throws the order away.
//
// No way to a venue, by type: what a rehearsal sends goes out over the sockets of a LoopbackPair,
// which have no address; this class takes no Endpoint, no TlsContext, no credential, no ConnectLoop
// and no part of the bot but its clock. It cannot change a decision either: it shares no state with
// the bot's engine, its events never meet the bot's sequencer or journal.
//
// The fill comes over the private connection once in eight rehearsals; it is not on the way from a
// tick to an order, and takes as long as that. Else it goes straight to the private core.
//
// A rehearsal goes in steps, one a cycle of the hot loop and only when the cycle had nothing else
// to do, so that a tick waits for one step at most. Room: ops/app (wiring). Fused topology only.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "engine/core/time.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/wire/poller.hpp"

namespace gimbal {

struct RehearsalConfig {
  Nanos interval{microseconds(50)};  // of silence before each, counted from the end of the last
  PollerConfig poller{};             // of the bot's own kind, so that the same code gets warm
  std::string scratch_dir;           // private gate pages are made here and unlinked at once
};

// Written by the hot thread, read by any.
struct RehearsalCounters {
  std::atomic<std::uint64_t> started{0};
  std::atomic<std::uint64_t> finished{0};
  std::atomic<std::uint64_t> missed{0};  // no order came out of it
  std::atomic<bool> running{false};      // false before prepare() and after too many misses
};

class Rehearsal {
 public:
  Rehearsal(const RehearsalConfig& config, const TscClock& clock);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  // Cold, on the hot thread before its loop: connects, logs in, arms the private engine and runs
  // the first rehearsals. Empty text, or why there will be none (the bot works without).
  [[nodiscard]] std::string prepare();

  // Hot, after every cycle of the hot loop with the work that the cycle found.
  void after(std::size_t work) noexcept {
    if (counters_.running.load(std::memory_order_relaxed)) next(work);
  }

  [[nodiscard]] const RehearsalCounters& counters() const noexcept { return counters_; }
  // Where the orders of rehearsals end: seen by the private far end only. For tests.
  [[nodiscard]] std::uint64_t orders_received() const noexcept;

 private:
  enum class Step : std::uint8_t { waiting, decide, take, fill, answer, settle };
  class Stage;

  void next(std::size_t work) noexcept;
  void begin(RecvTime now) noexcept;
  void finish(bool order_came) noexcept;
  static void count(std::atomic<std::uint64_t>& c) noexcept {
    c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  RehearsalConfig config_;
  const TscClock& clock_;
  RehearsalCounters counters_{};
  std::unique_ptr<Stage> stage_;
  Step step_{Step::waiting};
  RecvTime due_{};
  RecvTime refresh_due_{};
  std::uint32_t cycles_{0};  // of the present step
  std::uint32_t missed_in_row_{0};
};

}  // namespace gimbal
