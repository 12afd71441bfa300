#include "engine/core/orders.hpp"

#include <algorithm>
#include <bit>

#include "engine/core/assert.hpp"
#include "engine/core/bring_near.hpp"

namespace gimbal {
namespace {

bool in_flight(OrderState s) noexcept {
  return s == OrderState::pending_new || s == OrderState::pending_replace ||
         s == OrderState::pending_cancel;
}

// The first picture says most; before it a look-up would only be one call more.
constexpr RecvTime not_asked_for{INT64_MAX};

constexpr Nanos cancel_wait_max = seconds(1);       // between cancels that are refused
constexpr Nanos look_up_spacing = milliseconds(4);  // of many orders in doubt

bool immediate(const Order& o) noexcept { return o.tif != TimeInForce::good_til_cancelled; }

}  // namespace

OrderTable::OrderTable(std::size_t instruments, const OrderConfig& config, std::size_t open_max)
    : config_{config},
      open_max_{std::min(open_max, open_orders_max)},
      slots_(open_max_ + ended_orders_kept_max),
      open_position_(slots_.size(), no_slot),
      ended_ring_(slots_.size()),
      index_(std::bit_ceil(slots_.size() * 2), no_slot),
      index_mask_{index_.size() - 1},
      exposure_(instruments),
      twins_(instruments) {
  open_.reserve(slots_.size());
  free_.reserve(slots_.size());
  for (std::size_t i = slots_.size(); i > 0; --i)
    free_.push_back(static_cast<std::uint16_t>(i - 1));
}

// --- index ------------------------------------------------------------------------------------

std::size_t OrderTable::home(OrderId id) const noexcept {
  return static_cast<std::size_t>((id.value * 0x9e3779b97f4a7c15ULL) >> 32) & index_mask_;
}

std::uint16_t OrderTable::slot_of(OrderId id) const noexcept {
  for (std::size_t at = home(id); index_[at] != no_slot; at = (at + 1) & index_mask_) {
    if (slots_[index_[at]].id == id) return index_[at];
  }
  return no_slot;
}

void OrderTable::index_insert(std::uint16_t slot) noexcept {
  std::size_t at = home(slots_[slot].id);
  while (index_[at] != no_slot) at = (at + 1) & index_mask_;
  index_[at] = slot;
}

void OrderTable::index_erase(OrderId id) noexcept {
  std::size_t hole = home(id);
  while (index_[hole] != no_slot && slots_[index_[hole]].id != id) hole = (hole + 1) & index_mask_;
  if (index_[hole] == no_slot) return;
  for (std::size_t at = (hole + 1) & index_mask_; index_[at] != no_slot;
       at = (at + 1) & index_mask_) {
    const std::size_t wants = home(slots_[index_[at]].id);
    if (((at - wants) & index_mask_) >= ((at - hole) & index_mask_)) {
      index_[hole] = index_[at];
      hole = at;
    }
  }
  index_[hole] = no_slot;
}

std::uint16_t OrderTable::take_slot() noexcept {
  if (free_.empty()) {
    if (ended_count_ == 0) return no_slot;
    const std::uint16_t oldest = ended_ring_[ended_first_];
    ended_first_ = (ended_first_ + 1) % ended_ring_.size();
    --ended_count_;
    index_erase(slots_[oldest].id);
    return oldest;
  }
  const std::uint16_t slot = free_.back();
  free_.pop_back();
  return slot;
}

void OrderTable::look_over(OrderId next) const noexcept {
  bring_near(*this);
  bring_near(&index_[home(next)], 2 * sizeof index_[0]);
  bring_near(open_.data(), line_bytes);
  const bool reuses = free_.empty();
  if (reuses && ended_count_ == 0) return;
  const std::uint16_t slot = reuses ? ended_ring_[ended_first_] : free_.back();
  bring_near(slots_[slot]);
  bring_near(open_position_[slot]);
  if (reuses) bring_near(index_[home(slots_[slot].id)]);
}

Order* OrderTable::insert(const Order& order) noexcept {
  const bool full = order.unseen ? unseen_count_ >= carried_orders_max
                                 : open_.size() - unseen_count_ >= open_max_;
  if (full || !order.id.valid() || slot_of(order.id) != no_slot ||
      order.instrument.value >= exposure_.size() || order.venue.value >= venues_max) {
    return nullptr;
  }
  const std::uint16_t slot = take_slot();
  if (slot == no_slot) return nullptr;
  slots_[slot] = order;
  index_insert(slot);
  open_position_[slot] = static_cast<std::uint16_t>(open_.size());
  open_.push_back(slot);
  add_share(slots_[slot], 1);
  return &slots_[slot];
}

// --- sums -------------------------------------------------------------------------------------

void OrderTable::add_share(const Order& o, int sign) noexcept {
  const Qty amount = o.open_amount();
  const Qty change = sign > 0 ? amount : -amount;
  Exposure& e = exposure_[o.instrument.value];
  const bool unknown = o.state == OrderState::unknown;
  const bool buy = o.side == Side::buy;
  (unknown ? (buy ? e.unknown_buy : e.unknown_sell) : (buy ? e.live_buy : e.live_sell)) += change;
  if (ended(o.state)) {
    if (o.owed.nano > 0) owed_count_ += static_cast<std::size_t>(sign);
    return;
  }
  e.open = static_cast<std::uint16_t>(e.open + sign);
  open_count_ += static_cast<std::size_t>(sign);
  if (o.unseen) unseen_count_ += static_cast<std::size_t>(sign);
  if (unknown) {
    e.unknown = static_cast<std::uint16_t>(e.unknown + sign);
    unknown_count_ += static_cast<std::size_t>(sign);
  }
  const Money reserved{sign > 0 ? o.reserved_usd.nano : -o.reserved_usd.nano};
  reserved_ += reserved;
  venue_reserved_[o.venue.value] += reserved;
}

// Ended orders that owe nothing leave the dense list and wait for their slot to be needed.
void OrderTable::list(std::uint16_t slot) noexcept {
  const Order& o = slots_[slot];
  const bool wanted = !ended(o.state) || o.owed.nano > 0;
  const bool listed = open_position_[slot] != no_slot;
  if (wanted == listed) return;
  if (wanted) {  // revived, or found to owe after its end
    for (std::size_t i = 0; i < ended_count_; ++i) {
      const std::size_t at = (ended_first_ + i) % ended_ring_.size();
      if (ended_ring_[at] != slot) continue;
      for (std::size_t k = i; k + 1 < ended_count_; ++k) {
        ended_ring_[(ended_first_ + k) % ended_ring_.size()] =
            ended_ring_[(ended_first_ + k + 1) % ended_ring_.size()];
      }
      --ended_count_;
      break;
    }
    open_position_[slot] = static_cast<std::uint16_t>(open_.size());
    open_.push_back(slot);
    return;
  }
  retire(slot);
}

void OrderTable::retire(std::uint16_t slot) noexcept {
  const std::uint16_t place = open_position_[slot];
  const std::uint16_t last = open_.back();
  open_[place] = last;
  open_position_[last] = place;
  open_.pop_back();
  open_position_[slot] = no_slot;
  ended_ring_[(ended_first_ + ended_count_) % ended_ring_.size()] = slot;
  ++ended_count_;
  GIMBAL_ASSERT(ended_count_ <= ended_ring_.size());
}

// --- transitions ------------------------------------------------------------------------------

template <class Body>
OrderChange OrderTable::with(OrderId id, OrderEvent event, Body body) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot == no_slot) {
    ++counters_.strangers;
    return OrderChange{nullptr, OrderState::rejected, event, Verdict::ignored, false, false};
  }
  Order& o = slots_[slot];
  add_share(o, -1);
  OrderChange change = body(o);
  add_share(o, 1);
  list(slot);
  change.order = &o;
  return change;
}

void OrderTable::enter(Order& o, OrderState next, RecvTime now) noexcept {
  if (o.state == next) return;
  const OrderState before = o.state;
  o.state = next;
  if (before == OrderState::unknown) ++counters_.resolved;
  if (next == OrderState::unknown) {
    ++counters_.became_unknown;
    o.unknown_since = now;
    o.next_query = now;
    o.queries = 0;
    o.lost = false;  // that of an earlier doubt
    o.deadline = {};
  }
  if (next == OrderState::live) {
    // An immediate order that rests has lost its end: keep the clock running.
    o.deadline = immediate(o) ? now + config_.ack_timeout : RecvTime{};
    o.next_cancel = {};
  }
  if (ended(next)) {
    o.deadline = {};
    o.ended_at = now;
    if (next == OrderState::filled) ++counters_.filled;
    if (next == OrderState::cancelled) ++counters_.cancelled;
    if (next == OrderState::rejected) ++counters_.rejected;
  }
}

OrderChange OrderTable::step(Order& o, OrderEvent event, RecvTime now) noexcept {
  const Transition t = transition(o.state, event);
  const OrderChange change{&o, o.state, event, t.verdict, false, false};
  if (t.verdict == Verdict::ignored) {
    ++counters_.ignored;
    return change;
  }
  if (t.verdict == Verdict::fault) ++counters_.faults;
  enter(o, t.next, now);
  return change;
}

// The venue says it is over after `venue_filled`; what we have not seen of that is still owed.
void OrderTable::end_with(Order& o, Qty venue_filled, bool rejected) noexcept {
  o.venue_filled = std::max(o.venue_filled, venue_filled);
  o.owed = o.venue_filled > o.filled ? o.venue_filled - o.filled : Qty{};
  o.new_amount = {};
  if (rejected || o.state != OrderState::cancelled) return;
  if (o.venue_filled >= o.amount) {
    o.state = OrderState::filled;
    --counters_.cancelled;
    ++counters_.filled;
  }
}

// --- ours -------------------------------------------------------------------------------------

const Order* OrderTable::place(const NewOrder& order, RecvTime now, ExchTime venue_now) noexcept {
  Order o;
  o.id = order.place.order;
  o.instrument = order.place.instrument;
  o.venue = order.place.venue;
  o.underlying = order.underlying;
  o.side = order.place.side;
  o.tif = order.place.tif;
  o.flags = order.place.flags;
  o.price = order.place.price;
  o.amount = order.place.amount;
  o.valid_until = order.place.valid_until;
  o.parent = order.parent;
  o.sent_exch = venue_now;
  o.created = now;
  o.deadline = now + config_.ack_timeout;
  o.intent = order.intent;
  o.decision_price = order.decision_price;
  o.evidence_nano = order.evidence_nano;
  o.decision = order.decision;
  o.reserved_usd = order.reserved_usd;
  const Order* made = insert(o);
  if (made != nullptr) ++counters_.placed;
  return made;
}

bool OrderTable::ask_replace(const ReplaceOrder& change, Money reserved_usd, RecvTime now,
                             ExchTime venue_now) noexcept {
  if (slot_of(change.order) == no_slot) return false;
  const OrderChange done = with(change.order, OrderEvent::ask_replace, [&](Order& o) noexcept {
    OrderChange c = step(o, OrderEvent::ask_replace, now);
    if (c.verdict != Verdict::legal) return c;
    o.doubt = OrderAction::replace;
    o.new_price = change.price;
    o.new_amount = change.amount;
    o.valid_until = change.valid_until;
    o.sent_exch = venue_now;
    o.deadline = now + config_.ack_timeout;
    o.reserved_usd = std::max(o.reserved_usd, reserved_usd);
    return c;
  });
  return done.verdict == Verdict::legal;
}

bool OrderTable::ask_cancel(OrderId id, RecvTime now) noexcept {
  if (slot_of(id) == no_slot) return false;
  const OrderChange done = with(id, OrderEvent::ask_cancel, [&](Order& o) noexcept {
    OrderChange c = step(o, OrderEvent::ask_cancel, now);
    if (c.verdict != Verdict::legal) return c;
    o.wants_cancel = true;
    if (o.state != OrderState::pending_cancel) return c;
    o.doubt = OrderAction::cancel;
    o.deadline = now + config_.ack_timeout;
    return c;
  });
  return done.verdict == Verdict::legal;
}

bool OrderTable::carry(const Order& order, RecvTime now) noexcept {
  Order o = order;
  o.state = OrderState::unknown;
  o.adopted = true;
  o.carried = true;
  o.unseen = true;
  o.lost = true;
  o.uncounted = true;
  o.created = now;
  o.unknown_since = now;
  o.next_query = not_asked_for;
  if (insert(o) == nullptr) return false;
  ++counters_.carried;
  ++counters_.became_unknown;
  return true;
}

void OrderTable::note_missing(OrderId id, RecvTime now) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot == no_slot) return;
  Order& o = slots_[slot];
  if (o.state != OrderState::unknown) return;
  o.lost = o.lost || o.doubt != OrderAction::place;
  if (o.next_query == not_asked_for) o.next_query = now;
}

void OrderTable::want_cancel(OrderId id) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot != no_slot && !ended(slots_[slot].state)) slots_[slot].wants_cancel = true;
}

void OrderTable::note_query(OrderId id, RecvTime now) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot == no_slot) return;
  // A thousand in doubt at once are asked for in turn, not all in every interval.
  const Nanos turn = look_up_spacing * static_cast<std::int64_t>(unknown_count_);
  slots_[slot].next_query = now + std::max(config_.query_interval, turn);
  ++slots_[slot].queries;
}

void OrderTable::note_seen(OrderId id, RecvTime now) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot != no_slot) slots_[slot].seen_at = now;
}

void OrderTable::note_arrival(OrderId id, Price mid) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot == no_slot || slots_[slot].decision.arrival.nano != 0) return;
  slots_[slot].decision.arrival = mid;
}

void OrderTable::note_cancel_round(OrderId id, std::uint64_t round) noexcept {
  const std::uint16_t slot = slot_of(id);
  if (slot != no_slot) slots_[slot].cancel_round = round;
}

// --- the venue's ------------------------------------------------------------------------------

OrderChange OrderTable::on_sent(const OrderSent& sent, RecvTime now) noexcept {
  return with(sent.order, OrderEvent::sent, [&](Order& o) noexcept {
    OrderChange c = step(o, OrderEvent::sent, now);
    if (in_flight(o.state) && o.doubt == sent.action) o.deadline = now + config_.ack_timeout;
    return c;
  });
}

void OrderTable::accept_change(Order& o, const OrderAck& ack, bool settled) noexcept {
  o.confirmed = true;
  if (ack.price.nano > 0) o.price = ack.price;
  if (ack.amount.nano > 0) take_amount(o, ack.amount, settled);
  o.new_amount = {};
  o.new_price = {};
}

OrderChange OrderTable::on_ack(const OrderAck& ack, RecvTime now, ExchTime updated) noexcept {
  return with(ack.order, OrderEvent::ack, [&](Order& o) noexcept {
    // The venue's time has milliseconds: of two words of one moment either may be the older, and
    // so may one without a time.
    const bool lowers = o.new_amount.nano == 0 && ack.amount.nano > 0 && ack.amount < o.amount;
    const bool timed = updated.unix_ns > 0;
    const bool stale = (timed && updated < o.terms_exch) ||
                       (lowers && o.terms_exch.unix_ns > 0 && (!timed || updated == o.terms_exch));
    const bool answers_replace =
        !stale && o.new_amount.nano > 0 && ack.amount == o.new_amount && ack.price == o.new_price;
    const bool replacing = o.state == OrderState::pending_replace ||
                           (o.state == OrderState::unknown && o.doubt == OrderAction::replace);
    const bool cancelling = o.state == OrderState::unknown && o.doubt == OrderAction::cancel;
    const OrderEvent event = stale || cancelling || (replacing && !answers_replace)
                                 ? OrderEvent::ack_old
                                 : OrderEvent::ack;
    OrderChange c = step(o, event, now);
    if (ended(c.before)) return c;
    o.venue_filled = std::max(o.venue_filled, ack.filled);
    if (stale) return c;
    o.terms_exch = std::max(o.terms_exch, updated);
    // That this change is through says nothing of one before it without an answer, unless that can
    // no longer come.
    const bool settled = answers_replace && updated > o.kept_until;
    if (c.verdict == Verdict::legal) {
      if (c.before == OrderState::pending_new) ++counters_.acknowledged;
      o.unseen = false;
      accept_change(o, ack, settled);
    } else if (answers_replace) {
      accept_change(o, ack, settled);  // the cancel after the replace is still open
    }
    return c;
  });
}

// Again, but later each time: a venue that takes no cancels would use up the account's rate.
void OrderTable::hold_back_cancel(Order& o, RecvTime now) const noexcept {
  const Nanos wait = config_.cancel_retry * (std::int64_t{1} << std::min<int>(o.cancels, 8));
  o.next_cancel = now + std::max(config_.cancel_retry, std::min(wait, cancel_wait_max));
  if (o.cancels < 255) ++o.cancels;
}

OrderChange OrderTable::on_reject(const OrderReject& reject, RecvTime now) noexcept {
  return with(reject.order, OrderEvent::refused_place, [&](Order& o) noexcept {
    const bool place = reject.action == OrderAction::place;
    // The venue refusing a change often means that the order has just ended: look it up.
    const bool by_venue = refused_by_venue(reject.reason);
    const bool unclear = reject.reason == RejectReason::unclear || (!place && by_venue);
    const bool waiting = in_flight(o.state) || o.state == OrderState::unknown;
    // That an action is refused says nothing of an order that had worked and is missing, or whose
    // session was lost.
    const bool lost = o.state == OrderState::unknown && o.lost;
    OrderEvent event = place ? OrderEvent::refused_place : OrderEvent::refused_change;
    if (unclear) event = OrderEvent::doubt;
    // That one cancel was not sent says nothing of the one before it, which has no answer.
    const bool another = o.state == OrderState::unknown && o.doubt == OrderAction::cancel &&
                         reject.action == OrderAction::cancel && refused_here(reject.reason);
    if (another) hold_back_cancel(o, now);
    if (lost || another || (waiting && o.doubt != reject.action))
      event = OrderEvent::ack_old;  // answers something older
    OrderChange c = step(o, event, now);
    if (c.verdict == Verdict::ignored) return c;
    if (event == OrderEvent::refused_change) {
      // Of a change before this one without an answer: then it may be that one which was refused.
      const bool own = reject.action == OrderAction::replace && o.kept_amount.nano == 0;
      if (own) o.new_amount = {};
      keep_larger(o);
      if (reject.action == OrderAction::cancel) hold_back_cancel(o, now);  // not sent
      return c;
    }
    if (o.state == OrderState::rejected) end_with(o, Qty{}, true);
    return c;
  });
}

OrderChange OrderTable::on_fill(const Fill& fill, RecvTime now) noexcept {
  return with(fill.order, OrderEvent::fill_part, [&](Order& o) noexcept {
    const Qty total = o.filled + fill.amount;
    const Qty whole = std::max(o.amount, o.new_amount);
    const bool last = total >= whole;
    OrderChange c = step(o, last ? OrderEvent::fill_last : OrderEvent::fill_part, now);
    if (ended(c.before)) {
      if (o.owed.nano == 0) {
        c.late = true;
        ++counters_.late_fills;
      }
      o.owed = o.owed > fill.amount ? o.owed - fill.amount : Qty{};
    }
    if (total > whole) {
      c.overfill = true;
      ++counters_.overfills;
      ++counters_.faults;
    }
    o.filled = total;
    o.confirmed = true;
    o.venue_filled = std::max(o.venue_filled, total);
    if (o.state == OrderState::filled) o.new_amount = {};
    return c;
  });
}

OrderChange OrderTable::on_done(const OrderDone& done, RecvTime now) noexcept {
  return with(done.order, OrderEvent::done, [&](Order& o) noexcept {
    OrderChange c = step(o, OrderEvent::done, now);
    if (c.verdict == Verdict::ignored) {
      // Two reports of one end: believe the larger total, it can only be owed to us.
      if (done.filled > o.venue_filled && o.state != OrderState::rejected) {
        end_with(o, done.filled, true);
      }
      return c;
    }
    if (done.filled < o.filled && done.reason != DoneReason::never_arrived) ++counters_.faults;
    end_with(o, done.filled, false);
    return c;
  });
}

OrderChange OrderTable::on_lookup(const OrderLookup& lookup, bool proven, RecvTime now) noexcept {
  OrderEvent event = OrderEvent::unproven;
  switch (lookup.outcome) {
    case LookupOutcome::open: event = OrderEvent::found_open; break;
    case LookupOutcome::filled:
    case LookupOutcome::cancelled:
    case LookupOutcome::rejected: event = OrderEvent::found_ended; break;
    case LookupOutcome::absent: event = proven ? OrderEvent::found_absent : event; break;
    case LookupOutcome::unproven: break;
  }
  return with(lookup.order, event, [&](Order& o) noexcept {
    // An order the venue has shown before did arrive: its absence is an end, not a non-arrival.
    const bool vanished = event == OrderEvent::found_absent && (o.confirmed || o.filled.nano > 0) &&
                          o.state == OrderState::unknown;
    if (vanished) {
      OrderChange c = step(o, OrderEvent::found_ended, now);
      end_with(o, o.filled, false);
      return c;
    }
    OrderChange c = step(o, event, now);
    if (c.verdict == Verdict::ignored || event == OrderEvent::unproven) return c;
    if (event == OrderEvent::found_open) {
      o.confirmed = true;
      o.unseen = false;
      o.venue_filled = std::max(o.venue_filled, lookup.filled);
      keep_larger(o);
      const bool cancelled = o.doubt == OrderAction::cancel && o.wants_cancel;
      if (c.before == OrderState::unknown && cancelled) hold_back_cancel(o, now);
      if (lookup.price.nano > 0) o.price = lookup.price;
    } else if (ended(o.state)) {
      const bool rejected = lookup.outcome == LookupOutcome::rejected;
      if (rejected && o.state == OrderState::cancelled) {
        o.state = OrderState::rejected;
        --counters_.cancelled;
        ++counters_.rejected;
      }
      end_with(o, lookup.filled, rejected);
    }
    return c;
  });
}

OrderChange OrderTable::on_doubt(OrderId id, OrderAction action, RecvTime now) noexcept {
  return with(id, OrderEvent::doubt, [&](Order& o) noexcept {
    OrderChange c = step(o, OrderEvent::doubt, now);
    if (c.verdict != Verdict::legal) return c;
    o.doubt = action;
    o.lost = c.before == OrderState::live;
    return c;
  });
}

OrderChange OrderTable::on_lost(OrderId id, RecvTime now) noexcept {
  return with(id, OrderEvent::doubt, [&](Order& o) noexcept {
    if (o.state == OrderState::unknown) {
      o.lost = o.lost || o.doubt != OrderAction::place;
      return OrderChange{&o, o.state, OrderEvent::doubt, Verdict::ignored, false, false};
    }
    OrderChange c = step(o, OrderEvent::doubt, now);
    if (c.verdict != Verdict::legal) return c;
    if (c.before == OrderState::live) o.doubt = OrderAction::cancel;
    o.lost = c.before != OrderState::pending_new;
    return c;
  });
}

void OrderTable::forgive_owed(VenueId venue, RecvTime begun) noexcept {
  for (std::size_t i = open_.size(); i > 0; --i) {
    const std::uint16_t slot = open_[i - 1];
    Order& o = slots_[slot];
    if (o.venue != venue || !ended(o.state) || o.owed.nano == 0 || o.ended_at >= begun) continue;
    add_share(o, -1);
    o.owed = {};
    add_share(o, 1);
    list(slot);
  }
}

}  // namespace gimbal
