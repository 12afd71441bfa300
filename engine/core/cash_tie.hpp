// the cash of one currency at a venue, as fills moved it to the nano, against the balance
// that the venue reports.
//
// Hot. Fixed memory. The balance first reported is the anchor; from there on the own cash is the
// anchor and the sum of what fills paid. Fills and balances come over different channels, in either
// order: a balance may be met by the own cash before fills that are younger than `wait`, and a fill
// may meet a balance that came before it. What is met becomes the new anchor, so differences within
// the tolerance do not pile up. A difference that stays is told once, and the venue's figure is
// taken. That figure may hold a fill that is not told yet, which would then count a second time:
// what the venue told before it, while the difference stood, counts as well until the new anchor
// is proven. So does the cash before a late fill that is no larger than what a tie has taken for
// rounding: the venue's balance may have held it by then.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class CashTie {
 public:
  static constexpr std::size_t kept_max = 16;  // own cash before each of the newest fills
  static constexpr std::size_t words_max = 4;  // of the venue, while a difference stands
  // A fill may be on its way when the anchor is taken; not each time.
  static constexpr std::uint8_t anchors_max = 3;
  static constexpr i128 atto_per_nano = 1'000'000'000;

  enum class Verdict : std::uint8_t {
    none,     // nothing to compare with: this report is the anchor
    tied,     // met within one unit for each fill since the tie before
    open,     // not met: a fill may be on its way
    differs,  // not met for `wait`, and nothing explains it
  };
  struct Rule {
    Money unit{};             // the smallest that the venue books
    Nanos wait{};             // a difference must stay this long
    bool asked{true};         // the venue's trades were asked for since it was first seen
    bool anchor_asked{true};  // and since the anchor was taken, which may hold a fill that was lost
  };
  struct Difference {
    Money own{};
    Money venue{};
    std::uint64_t fills{0};  // since they last met
  };

  // A fill moved the cash: positive was received; at 1e-18. `late`: no message told it, it was
  // learnt by asking; another may have been lost with it, so what is open is open from now on.
  void move(i128 atto, Money unit, RecvTime now, bool late = false) noexcept;
  // Cash moved by an amount that nobody told: the next report is the anchor.
  void forget() noexcept { *this = CashTie{}; }
  [[nodiscard]] Verdict report(Money balance, const Rule& rule, RecvTime now) noexcept;
  // Of the newest `differs`.
  [[nodiscard]] const Difference& difference() const noexcept { return difference_; }
  [[nodiscard]] bool anchored() const noexcept { return anchored_; }
  // Since when the newest report is not met; zero: it is.
  [[nodiscard]] RecvTime open_since() const noexcept { return open_since_; }
  [[nodiscard]] RecvTime anchored_at() const noexcept { return anchored_at_; }

 private:
  struct Cash {
    i128 atto{0};
    std::uint64_t fills{0};  // since the last tie
    RecvTime until{};        // of the fill that changed it
  };
  // What the venue told, each figure carried on by the fills since. Ring, newest at next - 1.
  struct Words {
    std::array<Cash, words_max> figures{};
    std::size_t next{0};
    std::size_t count{0};

    void add(Money balance, Money unit) noexcept;
    void put(const Cash& figure) noexcept;
    void move(i128 atto) noexcept;
    // The newest that meets the balance; null: none does.
    [[nodiscard]] Cash* meeting(Money balance, Money unit) noexcept;
  };
  void anchor(Money balance) noexcept;
  [[nodiscard]] static bool met(const Cash& own, Money balance, Money unit) noexcept;
  // By the own cash before one of the newest fills.
  [[nodiscard]] bool met_before(Money balance, const Rule& rule, RecvTime now) noexcept;
  // By what stood before the anchor.
  [[nodiscard]] bool met_stood(Money balance, Money unit) noexcept;
  void tie(const Cash& own, std::size_t newer, Money balance) noexcept;

  Cash now_{};
  std::array<Cash, kept_max> before_{};  // ring, newest at next_ - 1
  std::size_t next_{0};
  std::size_t kept_{0};
  Words open_words_{};   // since the difference is open
  Words stood_words_{};  // before the anchor was taken in their place, or a late fill was counted
  i128 absorbed_{0};     // the largest difference that a tie took for rounding
  bool anchored_{false};
  std::uint8_t taken_anew_{0};
  bool proven_{false};  // the anchor was met again: no fill was on its way when it was taken
  RecvTime anchored_at_{};
  RecvTime open_since_{};
  Money told_{};  // what is not met
  Difference difference_{};
};

}  // namespace gimbal
