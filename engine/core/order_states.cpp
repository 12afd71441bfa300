// The order state machine as one table: a row per state, a column per event, nothing implied.
#include "engine/core/orders.hpp"

namespace gimbal {
namespace {

using S = OrderState;

constexpr Transition go(S next) noexcept { return {Verdict::legal, next}; }
// Ignored pairs keep the state of their row; filled in below.
constexpr Transition skip() noexcept { return {Verdict::ignored, S::unknown}; }
constexpr Transition bad(S next) noexcept { return {Verdict::fault, next}; }

using Row = std::array<Transition, order_events>;

// Columns: sent, ack, ack_old, refused_place, refused_change, doubt, fill_part, fill_last, done,
//          found_open, found_ended, found_absent, unproven, ask_replace, ask_cancel
constexpr std::array<Row, order_states> rows{{
    // pending_new: a fill is as good as an acknowledgement; it cannot be changed before either.
    {go(S::pending_new), go(S::live), skip(), go(S::rejected), skip(), go(S::unknown), go(S::live),
     go(S::filled), go(S::cancelled), go(S::live), go(S::cancelled), bad(S::unknown), skip(),
     skip(), skip()},
    // live: a refusal of the place, or proof of absence, contradicts what we saw: look it up.
    {go(S::live), go(S::live), skip(), bad(S::unknown), skip(), go(S::unknown), go(S::live),
     go(S::filled), go(S::cancelled), go(S::live), go(S::cancelled), bad(S::unknown), skip(),
     go(S::pending_replace), go(S::pending_cancel)},
    // pending_replace: a lookup answer may be older than the replace, so `open` says nothing.
    {go(S::pending_replace), go(S::live), skip(), bad(S::unknown), go(S::live), go(S::unknown),
     go(S::pending_replace), go(S::filled), go(S::cancelled), skip(), go(S::cancelled),
     bad(S::unknown), skip(), skip(), go(S::pending_cancel)},
    // pending_cancel: an acknowledgement is an older update; only an end or a refusal answers it.
    {go(S::pending_cancel), skip(), skip(), bad(S::unknown), go(S::live), go(S::unknown),
     go(S::pending_cancel), go(S::filled), go(S::cancelled), skip(), go(S::cancelled),
     bad(S::unknown), skip(), skip(), go(S::pending_cancel)},
    // unknown: left by definitive answers only.
    {go(S::unknown), go(S::live), skip(), go(S::rejected), go(S::live), skip(), go(S::unknown),
     go(S::filled), go(S::cancelled), go(S::live), go(S::cancelled), go(S::rejected),
     go(S::unknown), skip(), go(S::unknown)},
    // filled, cancelled, rejected: absorbing; a late fill is applied and flagged.
    {skip(), skip(), skip(), skip(), skip(), skip(), go(S::filled), go(S::filled), skip(), skip(),
     skip(), skip(), skip(), skip(), skip()},
    {skip(), skip(), skip(), skip(), skip(), skip(), go(S::cancelled), go(S::cancelled), skip(),
     skip(), skip(), skip(), skip(), skip(), skip()},
    // A fill of an order that was refused or never arrived contradicts a definitive answer.
    {skip(), skip(), skip(), skip(), skip(), skip(), bad(S::rejected), bad(S::rejected), skip(),
     skip(), skip(), skip(), skip(), skip(), skip()},
}};

constexpr std::array<Row, order_states> with_own_state(
    std::array<Row, order_states> table) noexcept {
  for (std::size_t s = 0; s < order_states; ++s) {
    for (Transition& t : table[s]) {
      if (t.verdict == Verdict::ignored) t.next = static_cast<S>(s);
    }
  }
  return table;
}

constexpr auto machine = with_own_state(rows);

}  // namespace

Transition transition(OrderState state, OrderEvent event) noexcept {
  return machine[static_cast<std::size_t>(state)][static_cast<std::size_t>(event)];
}

}  // namespace gimbal
