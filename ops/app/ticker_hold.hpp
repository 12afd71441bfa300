// The newest ticker of each instrument while the market ring is over half full. A ticker of our
// channels is whole (every field, each time), so one that a newer one has replaced need not reach
// the core; a book's change must. A feed with partial tickers may not be held here. Room:
// ops/app (wiring). Hot, one thread; all memory is taken at construction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

class TickerHold {
 public:
  static constexpr std::size_t parts = parts_of<Ticker>;

  explicit TickerHold(std::size_t instruments) : units_(instruments), kept_(instruments, false) {
    waiting_.reserve(instruments);
  }

  // A batch that is one ticker, by itself the packet. Anything else is not for here.
  [[nodiscard]] static bool suits(const Event* batch, std::size_t records) noexcept {
    return records == parts && batch->kind() == EventKind::ticker && batch->part_count() == parts;
  }
  // Takes the place of an older ticker of the instrument. False: the instrument has no place.
  [[nodiscard]] bool keep(const Event* unit) noexcept {
    const std::size_t i = unit->instrument.value;
    if (i >= units_.size()) return false;
    if (kept_[i]) {
      replaced_.store(replaced_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      kept_[i] = true;
      waiting_.push_back(unit->instrument);
    }
    for (std::size_t p = 0; p < parts; ++p) units_[i][p] = unit[p];
    return true;
  }
  // Hands them over in the order in which their instruments came first. `push(unit)` says false
  // when it cannot take one: that one and the rest stay.
  template <class Push>
  void release(Push push) noexcept {
    std::size_t done = 0;
    while (done < waiting_.size() && push(units_[waiting_[done].value].data())) {
      kept_[waiting_[done].value] = false;
      ++done;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
  }
  // The feed says that an instrument (or all: no valid id) is not to be trusted: what waits of it
  // is from before that, and is not handed over behind it.
  void drop(InstrumentId id) noexcept {
    std::erase_if(waiting_, [&](InstrumentId waiting) {
      if (id.valid() && waiting != id) return false;
      kept_[waiting.value] = false;
      return true;
    });
  }
  [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
  // Any thread: tickers that a newer one replaced.
  [[nodiscard]] std::uint64_t replaced() const noexcept {
    return replaced_.load(std::memory_order_relaxed);
  }

 private:
  std::vector<std::array<Event, parts>> units_;
  std::vector<bool> kept_;
  std::vector<InstrumentId> waiting_;
  std::atomic<std::uint64_t> replaced_{0};
};

}  // namespace gimbal
