// Instruments on which the venue refuses orders for their price or amount, while that goes on.
//
// Whoever has such an order refused closes the instrument and has its terms read again. Most often
// they changed; the list may lag, so the second refusal is told at once as well. Where the list
// gives the same terms and orders go on being refused, the pause doubles with each: the venue means
// something else than its grid (an amount over its largest, a rule that no list has), and reading
// the list again would never end. Source: own; Deribit's codes 10002, 10021, 10026, 10027, 10043.
//
// Hot where it is asked for a time, cold else. Fixed memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/payload.hpp"

namespace gimbal {

class RefusedTerms {
 public:
  static constexpr std::size_t kept_max = 32;  // instruments
  static constexpr std::uint32_t at_once = 2;  // refusals whose list is read without a pause
  static constexpr Nanos first_pause = seconds(1);
  static constexpr Nanos longest_pause = seconds(32);
  static constexpr Nanos forgotten_after = seconds(300);  // without another

  struct Refused {
    InstrumentId instrument{};
    OrderReject reject{};    // the newest
    std::uint32_t count{0};  // in a row, under the same terms; 0: a free place
    Nanos pause{};           // before the list may be read; zero: at once
    RecvTime at{};           // of the newest
    bool waits{false};       // the list is still to be asked for
    [[nodiscard]] RecvTime due() const noexcept { return at + pause; }
  };

  // `id` was closed for `reject`. Without room among those that wait it counts as the first.
  Refused note(InstrumentId id, const OrderReject& reject, RecvTime now) noexcept {
    Refused* r = place_of(id);
    if (r == nullptr) return Refused{id, reject, 1, {}, now, false};
    if (r->instrument != id || now - r->at > forgotten_after) r->count = 0;
    *r = Refused{id, reject, std::min(r->count + 1, 64U), {}, now, false};
    if (r->count > at_once) {
      const std::uint32_t doubled = std::min(r->count - at_once - 1, 16U);
      r->pause = std::min(first_pause * (std::int64_t{1} << doubled), longest_pause);
      r->waits = true;
      due_ = std::min(due_, r->due());
    }
    return *r;
  }
  // Its terms are others now.
  void forget(InstrumentId id) noexcept {
    for (Refused& r : all_) {
      if (r.instrument == id) r = {};
    }
  }
  [[nodiscard]] bool waits(InstrumentId id) const noexcept {
    return std::any_of(all_.begin(), all_.end(),
                       [id](const Refused& r) { return r.waits && r.instrument == id; });
  }
  // Not after the first pause's end; far in the future when none runs.
  [[nodiscard]] RecvTime next_due() const noexcept { return due_; }
  // Each whose pause is over, once.
  template <class Tell>
  void take_due(RecvTime now, Tell&& tell) noexcept {
    if (now < due_) return;
    due_ = never;
    for (Refused& r : all_) {
      if (!r.waits) continue;
      if (now < r.due()) {
        due_ = std::min(due_, r.due());
        continue;
      }
      r.waits = false;
      tell(r);
    }
  }

 private:
  static constexpr RecvTime never{INT64_MAX};

  // Its own, a free one, or that of the oldest that does not wait.
  [[nodiscard]] Refused* place_of(InstrumentId id) noexcept {
    Refused* best = nullptr;
    for (Refused& r : all_) {
      if (r.count > 0 && r.instrument == id) return &r;
      if (!r.waits && (best == nullptr || r.at < best->at)) best = &r;
    }
    return best;
  }

  std::array<Refused, kept_max> all_{};
  RecvTime due_{never};
};

}  // namespace gimbal
