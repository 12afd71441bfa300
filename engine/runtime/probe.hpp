// Hot. Marks the time of each hop of one tick's way from socket to order and hands the finished row
// to the cold thread through a ring; the core calls mark() but cannot read anything back. One rdtsc
// and one store per mark; one ring push per row. A full ring loses rows and counts them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/core/probe.hpp"
#include "engine/runtime/counters.hpp"
#include "engine/runtime/histogram.hpp"
#include "engine/runtime/ring.hpp"
#include "engine/runtime/tsc.hpp"

namespace gimbal {

// In the order of the way; a hop that did not happen stays zero. The four hops of the core's own
// list (engine/core/probe.hpp) sit in the middle.
enum class ProbeHop : std::uint8_t {
  receive,   // the completion or read that brought the frame's last byte
  decrypt,   // plain bytes of the frame are there
  parse,     // events are staged and committed
  step,      // Hop::step_begin
  state,     // Hop::state_updated: book, portfolio, orders
  strategy,  // Hop::strategy_done
  commands,  // Hop::step_end: gate passed, commands complete
  encode,    // the order's text is written
  encrypt,   // the TLS record is made
  send,      // send() returned
  ack,       // the venue's answer was read
};
inline constexpr std::size_t probe_hops = 11;
[[nodiscard]] std::string_view name_of(ProbeHop hop) noexcept;

struct HopRow {
  std::uint64_t tag{0};  // Seq of the event, or an order id for acks
  std::array<std::uint64_t, probe_hops> tsc{};
};

class TscProbe {
 public:
  explicit TscProbe(std::size_t rows = 4096) : ring_{rows} {}

  // --- hot, one thread
  // ---------------------------------------------------------------------------- Starts a row;
  // forgets an unfinished one.
  void begin() noexcept { row_ = HopRow{}; }
  void mark(ProbeHop hop) noexcept { row_.tsc[static_cast<std::size_t>(hop)] = read_tsc(); }
  // What Engine<TscProbe> calls. A multi-event frame keeps the marks of its last step.
  void mark(Hop hop) noexcept {
    static_assert(static_cast<std::size_t>(ProbeHop::step) + hops ==
                  static_cast<std::size_t>(ProbeHop::encode));
    row_.tsc[static_cast<std::size_t>(ProbeHop::step) + static_cast<std::size_t>(hop)] = read_tsc();
  }
  void mark_at(ProbeHop hop, std::uint64_t tsc) noexcept {
    row_.tsc[static_cast<std::size_t>(hop)] = tsc;
  }
  // Pipelined: the row goes to the next thread with its command, and goes on there.
  [[nodiscard]] const HopRow& row() const noexcept { return row_; }
  void go_on(const HopRow& row) noexcept { row_ = row; }
  // Hands the row over.
  void finish(std::uint64_t tag) noexcept {
    row_.tag = tag;
    put(row_);
  }
  // Hands over a row that was marked elsewhere.
  void put(const HopRow& row) noexcept {
    if (!ring_.push(row)) lost_.add();
  }

  // --- cold
  // ---------------------------------------------------------------------------------------
  [[nodiscard]] SpscRing<HopRow>& rows() noexcept { return ring_; }
  [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.value(); }

 private:
  HopRow row_{};
  Counter lost_{};
  SpscRing<HopRow> ring_;
};

// Cold. Times of a hop against its budget. Its window is begun anew by whoever judges it.
struct HopBudget {
  std::uint64_t limit_ns{0};     // 0: none, and nothing else is counted
  std::uint64_t over{0};         // rows above the limit, of all
  std::uint64_t window_over{0};  // of the window
  Histogram window{};
  void add(std::uint64_t ns) noexcept {
    if (limit_ns == 0) return;
    window.add(ns);
    if (ns <= limit_ns) return;
    ++over;
    ++window_over;
  }
};

// Cold. Fills histograms of each hop's step (since the previous marked hop) and of the whole way.
class HopTimes {
 public:
  explicit HopTimes(double tsc_ghz) noexcept : ghz_{tsc_ghz > 0 ? tsc_ghz : 1.0} {}
  std::size_t drain(TscProbe& probe, std::size_t max = 4096) noexcept;
  void add(const HopRow& row) noexcept;
  [[nodiscard]] const Histogram& step_of(ProbeHop hop) const noexcept {
    return steps_[static_cast<std::size_t>(hop)];
  }
  // From receive to send, in nanoseconds: tick to order.
  [[nodiscard]] const Histogram& tick_to_order() const noexcept { return total_; }

  // Of a hop's step; `receive` stands for the whole way.
  void set_budget(ProbeHop hop, std::uint64_t limit_ns) noexcept {
    budgets_[static_cast<std::size_t>(hop)].limit_ns = limit_ns;
  }
  [[nodiscard]] const HopBudget& budget_of(ProbeHop hop) const noexcept {
    return budgets_[static_cast<std::size_t>(hop)];
  }
  void begin_window(ProbeHop hop) noexcept {
    HopBudget& b = budgets_[static_cast<std::size_t>(hop)];
    b.window.clear();
    b.window_over = 0;
  }

 private:
  double ghz_;
  std::array<Histogram, probe_hops> steps_{};
  Histogram total_{};
  std::array<HopBudget, probe_hops> budgets_{};
};

}  // namespace gimbal
