// Hot (SenderGate) and cold (GateCloser): the in_send protocol.
//
// Why nothing slips through: the sender stores in_send, then loads the words; the closer stores a
// word, then loads in_send; all four are sequentially consistent. If the closer does not see the
// sender inside, then the sender's loads come later in the single order and see the new word.

#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/tsc.hpp"

namespace gimbal {
namespace {

template <std::size_t N, class ToMode>
Mode mode_in(const ScopeBytes<N>& level, std::size_t id, ToMode to_mode) noexcept {
  return id < N ? to_mode(level.at[id].load(std::memory_order_seq_cst)) : Mode::lock;
}

template <class ToMode>
Mode strictest(const ScopeWords& words, const OrderScopes& o, ToMode to_mode) noexcept {
  Mode m = mode_in(words.global, 0, to_mode);
  m = stricter(m, mode_in(words.venue, o.venue.value, to_mode));
  m = stricter(m, mode_in(words.account, o.venue.value, to_mode));
  m = stricter(m, mode_in(words.strategy, o.strategy.value, to_mode));
  m = stricter(m, mode_in(words.underlying, o.underlying.value, to_mode));
  return stricter(m, mode_in(words.instrument, o.instrument.value, to_mode));
}

constexpr bool inside(std::uint32_t in_send) noexcept { return (in_send & 1u) != 0; }

}  // namespace

Mode SenderGate::effective(const OrderScopes& scopes) const noexcept {
  return stricter(strictest(*modes_, scopes, gate_mode), strictest(*stops_, scopes, stop_mode));
}

// The job's own word must be CANCEL and no more; every other word must let a reducing order
// through; and nobody may have written a stop since the pass was given, not even the same one
// again.
bool SenderGate::passes(const OrderScopes& scopes) const noexcept {
  const std::uint32_t granted = pass_->scope.load(std::memory_order_seq_cst);
  if (granted == 0) return false;
  const Scope own{static_cast<ScopeLevel>((granted - 1) >> 16),
                  static_cast<std::uint16_t>(granted - 1)};
  const std::array<Scope, scope_levels> covering{
      Scope{},
      Scope{ScopeLevel::venue, scopes.venue.value},
      Scope{ScopeLevel::account, scopes.venue.value},
      Scope{ScopeLevel::strategy, scopes.strategy.value},
      Scope{ScopeLevel::underlying, scopes.underlying.value},
      Scope{ScopeLevel::instrument, scopes.instrument.value}};
  bool named = false;
  for (const Scope s : covering) {
    const std::atomic<std::uint8_t>* mode = modes_->word(s);
    const std::atomic<std::uint8_t>* stop = stops_->word(s);
    if (mode == nullptr || stop == nullptr) return false;
    const Mode gate = gate_mode(mode->load(std::memory_order_seq_cst));
    const Mode page = stop_mode(stop->load(std::memory_order_seq_cst));
    if (s == own) {
      named = true;
      if (gate != Mode::cancel || page > Mode::cancel) return false;
    } else if (stricter(gate, page) > Mode::reduce) {
      return false;
    }
  }
  return named &&
         requests_->load(std::memory_order_acquire) == pass_->stops.load(std::memory_order_seq_cst);
}

bool SenderGate::enter(const OrderScopes& scopes, OrderId order, std::uint64_t epoch, bool reduces,
                       bool flattens) noexcept {
  const std::uint32_t out = line_->in_send.load(std::memory_order_relaxed);
  line_->order.store(order.value, std::memory_order_relaxed);
  line_->in_send.store(out + 1, std::memory_order_seq_cst);
  const Mode mode = effective(scopes);
  const bool open =
      mode == Mode::active || (mode == Mode::reduce && reduces) || (flattens && passes(scopes));
  // After the words: an arm raises it before it opens one.
  if (open && epoch >= line_->approved_from.load(std::memory_order_seq_cst)) {
    line_->started.store(line_->started.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
    return true;
  }
  line_->in_send.store(out + 2, std::memory_order_seq_cst);
  line_->refused.store(line_->refused.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  return false;
}

CloseResult GateCloser::close(Scope scope, Mode mode) noexcept {
  CloseResult result;
  GateLayout& page = gate_.layout();
  gate_.revoke_pass_under(scope, mode);
  result.changed = gate_.tighten(scope, mode);
  std::array<std::uint32_t, senders_max> seen{};
  for (std::size_t i = 0; i < senders_max; ++i) {
    seen[i] = page.senders[i].in_send.load(std::memory_order_seq_cst);
  }
  // A sender that left and came back has read the new word: only an unchanged odd count matters.
  const auto still_inside = [&](std::size_t i) {
    return inside(seen[i]) && page.senders[i].in_send.load(std::memory_order_seq_cst) == seen[i];
  };
  const RecvTime begin = clock_.now();
  for (std::size_t i = 0; i < senders_max;) {
    if (!still_inside(i)) {
      ++i;
      continue;
    }
    if (clock_.now() - begin >= wait_max) break;
    spin_pause();
  }
  for (std::size_t i = 0; i < senders_max; ++i) {
    if (!still_inside(i)) continue;
    result.sender[result.in_flight] = static_cast<std::uint8_t>(i);
    result.order[result.in_flight++] =
        OrderId{page.senders[i].order.load(std::memory_order_relaxed)};
  }
  result.t_gate_closed = clock_.now();
  page.closed.t_gate_closed.store(result.t_gate_closed.mono_ns, std::memory_order_relaxed);
  page.closed.last_scope.store((static_cast<std::uint32_t>(scope.level) << 16) | scope.id,
                               std::memory_order_relaxed);
  page.closed.last_mode.store(static_cast<std::uint32_t>(mode), std::memory_order_relaxed);
  page.closed.closes.fetch_add(1, std::memory_order_release);
  return result;
}

}  // namespace gimbal
