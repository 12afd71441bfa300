#include "engine/runtime/order_log.hpp"

#include <algorithm>
#include <utility>

namespace gimbal {

KeptOrder* OrderLog::find(OrderId id) {
  const auto at = orders_.find(id.value);
  return at == orders_.end() ? nullptr : &at->second;
}

KeptOrder* OrderLog::add(OrderId id, InstrumentId instrument) {
  if (orders_.size() >= kept_orders_max) {
    if (left_out_.size() < kept_orders_max) left_out_.insert(id.value);
    return nullptr;
  }
  left_out_.erase(id.value);
  KeptOrder& o = orders_[id.value];
  o = KeptOrder{};
  o.changes = 0;
  o.instrument = instrument;
  o.terms.order = id;
  ++revision_;
  return &o;
}

void OrderLog::remove(OrderId id) {
  revision_ += orders_.erase(id.value);
  left_out_.erase(id.value);
  if (ended_.size() < kept_orders_max) ended_.insert(id.value);
}

bool OrderLog::has_ended(OrderId id) const {
  return ended_.count(id.value) > 0 || ended_before_.count(id.value) > 0;
}

void OrderLog::restore(std::vector<KeptOrder> orders, Seq seq, std::uint32_t epoch,
                       std::uint32_t tag) {
  orders_.clear();
  ended_.clear();
  ended_before_.clear();
  left_out_.clear();
  for (KeptOrder& o : orders) {
    if (o.terms.new_amount.nano == 0) o.changes = 0;
    if (orders_.size() < kept_orders_max) orders_[o.terms.order.value] = std::move(o);
  }
  seq_ = seq;
  epoch_ = epoch;
  tag_ = tag;
  ++revision_;
}

void OrderLog::note_decision(OrderId id, Price decision, Price theoretical, Price arrival,
                             Money reserved) {
  KeptOrder* o = find(id);
  if (o == nullptr || decision.nano <= 0) return;
  OrderCarry& t = o->terms;
  const bool same = t.decision == decision && t.theoretical == theoretical &&
                    t.arrival == arrival && t.reserved_usd == reserved;
  if (same) return;
  t.decision = decision;
  t.theoretical = theoretical;
  t.arrival = arrival;
  t.reserved_usd = reserved;
  ++revision_;
}

void OrderLog::take(const Event& event) {
  if (event.seq().value > seq_.value) seq_ = event.seq();
  switch (event.kind()) {
    case EventKind::boot:
      orders_.clear();
      ended_.clear();
      ended_before_.clear();
      left_out_.clear();
      clock_offset_ = {};  // of the clock of an earlier process, or of its host's earlier start
      epoch_ = event.as<Boot>().epoch;
      tag_ = static_cast<std::uint32_t>(event.as<Boot>().config_hash >> 32);
      ++revision_;
      return;
    case EventKind::venue_clock: clock_offset_ = Nanos{event.as<VenueClock>().offset_ns}; return;
    case EventKind::order_sent: return on_sent(event);
    case EventKind::order_ack: return on_ack(event);
    case EventKind::order_reject: return on_reject(event.as<OrderReject>());
    case EventKind::order_done: return remove(event.as<OrderDone>().order);
    case EventKind::order_lookup: return on_lookup(event);
    case EventKind::fill:
      if (fill_.add(event)) on_fill(fill_.value());
      return;
    case EventKind::reconcile_mark:
      if (event.as<ReconcileMark>().phase == ReconcilePhase::begin) begin_picture();
      return;
    case EventKind::open_order_report:
      if (report_.add(event)) on_report(event, report_.value());
      return;
    case EventKind::order_carry:
      if (carry_.add(event)) on_carry(event, carry_.value());
      return;
    default: return;
  }
}

// Of its receipt; zero while the venue's clock is not known.
ExchTime OrderLog::venue_time(const Event& event) const {
  if (clock_offset_.count == 0) return {};
  return ExchTime{event.recv.mono_ns + clock_offset_.count};
}

void OrderLog::on_sent(const Event& event) {
  const auto sent = event.as<OrderSent>();
  if (sent.action == OrderAction::cancel || sent.amount.nano <= 0 || !sent.order.valid()) return;
  KeptOrder* o = find(sent.order);
  const bool place = sent.action == OrderAction::place;
  // A change of an order that only its fills had ended: it may work on, with what it was changed
  // to.
  const bool again =
      o == nullptr && !place && sent.order.epoch() == epoch_ && !has_ended(sent.order);
  if (o == nullptr && (place || again)) o = add(sent.order, event.instrument);
  if (o == nullptr) return;
  OrderCarry& t = o->terms;
  t.valid_until = std::max(t.valid_until, event.exch);
  ++revision_;
  if (again) t.confirmed = 1;
  if (!place && !again) {
    // A second change while the first has no answer: either may hold.
    t.new_price = sent.price;
    t.new_amount = std::max(t.new_amount, sent.amount);
    o->changes = std::min<std::uint8_t>(2, o->changes + 1);
    return;
  }
  t.side = sent.side;
  t.tif = sent.tif;
  t.flags = sent.flags;
  t.price = sent.price;
  t.amount = sent.amount;
  t.label_hash = tag_;
  // Of one that came back it is not known when it was placed: it is looked for from the beginning.
  if (again) return;
  t.sent = clock_offset_.count != 0 ? venue_time(event) : event.exch - seconds(60);
}

void OrderLog::on_ack(const Event& event) {
  const auto ack = event.as<OrderAck>();
  KeptOrder* o = find(ack.order);
  if (o == nullptr) return;
  OrderCarry& t = o->terms;
  ++revision_;
  t.confirmed = 1;
  // Of two words of one moment either may be the older, and so may one without a time.
  const ExchTime told = believed_time(event.exch, venue_time(event));
  const bool timed = told.unix_ns > 0;
  const bool lowers = t.new_amount.nano == 0 && ack.amount.nano > 0 && ack.amount < t.amount;
  if (timed && told < o->updated) return;
  if (lowers && o->updated.unix_ns > 0 && (!timed || told == o->updated)) return;
  o->updated = std::max(o->updated, told);
  if (t.new_amount.nano > 0) {
    if (ack.amount != t.new_amount || ack.price != t.new_price) return;  // of something older
    t.new_amount = {};
    t.new_price = {};
    o->changes = 0;
  }
  if (ack.price.nano > 0) t.price = ack.price;
  if (ack.amount.nano > 0) t.amount = std::max(ack.amount, t.filled);
}

void OrderLog::on_reject(const OrderReject& reject) {
  KeptOrder* o = find(reject.order);
  if (o == nullptr || reject.reason == RejectReason::unclear) return;
  if (reject.action == OrderAction::place) {
    // Refused what the venue has shown: a contradiction, which the core looks into.
    return o->terms.confirmed == 0 ? remove(reject.order) : void();
  }
  // It may just have ended.
  if (reject.action == OrderAction::cancel || refused_by_venue(reject.reason)) return;
  if (o->changes > 1) return;  // one before this has no answer
  o->changes = 0;
  o->terms.new_amount = {};
  o->terms.new_price = {};
  ++revision_;
}

// Of an order of an earlier boot it is not known which fills are in what was carried: the venue
// says that when it shows the order.
void OrderLog::on_fill(const Fill& fill) {
  KeptOrder* o = fill.order.epoch() == epoch_ ? find(fill.order) : nullptr;
  if (o == nullptr || !fill.trade.valid() || fill.amount.nano <= 0) return;
  if (o->trades.size() >= kept_trades_max) return;
  if (std::find(o->trades.begin(), o->trades.end(), fill.trade) != o->trades.end()) return;
  OrderCarry& t = o->terms;
  const Qty whole = std::max(t.amount, t.new_amount);
  ++revision_;
  t.confirmed = 1;
  o->trades.push_back(fill.trade);
  // Whole by what the journal knows is no end yet: a change of its amount may have left already,
  // and be journalled behind the fill.
  t.filled = std::min(t.filled + fill.amount, whole);
}

// What was filled whole before this picture has ended, unless the picture shows it, or a change of
// it that is still to be journalled.
void OrderLog::begin_picture() {
  ended_before_ = std::exchange(ended_, {});
  const auto whole = [this](const auto& kept) {
    const OrderCarry& t = kept.second.terms;
    return t.order.epoch() == epoch_ && t.filled >= std::max(t.amount, t.new_amount);
  };
  revision_ += std::erase_if(orders_, whole);
}

void OrderLog::on_lookup(const Event& event) {
  const auto lookup = event.as<OrderLookup>();
  KeptOrder* o = find(lookup.order);
  if (o == nullptr) return;
  switch (lookup.outcome) {
    case LookupOutcome::filled:
    case LookupOutcome::cancelled:
    case LookupOutcome::rejected: return remove(lookup.order);
    case LookupOutcome::absent: {
      // To the core it is a contradiction where an acknowledgement has overtaken the look-up, which
      // cannot be seen here: what this boot saw work stays for the next one to ask about.
      if (o->terms.confirmed != 0 && lookup.order.epoch() == epoch_) return;
      const ExchTime clock = venue_time(event);
      const ExchTime told = believed_time(event.exch, clock);
      if ((told.unix_ns > 0 ? told : clock) > o->terms.valid_until) remove(lookup.order);
      return;
    }
    case LookupOutcome::open:
      if (o->terms.confirmed == 0) ++revision_;
      o->terms.confirmed = 1;
      return;
    case LookupOutcome::unproven: return;
  }
}

// What rests at the venue, of this boot or of one before.
void OrderLog::on_report(const Event& event, const OpenOrderReport& report) {
  if (!report.order.valid() || report.amount.nano <= 0 || report.price.nano <= 0) return;
  if (report.order.epoch() > epoch_) return;         // of another instance
  if (ended_.count(report.order.value) > 0) return;  // the picture is older than the end
  const ExchTime told_at = believed_time(event.exch, venue_time(event));
  KeptOrder* o = find(report.order);
  if (o == nullptr) {
    o = add(report.order, event.instrument);
    if (o == nullptr) return;
    OrderCarry& t = o->terms;
    t.side = report.side;
    t.price = report.price;
    t.amount = report.amount;
    // Of ours it is not known which fills are in the figure, and each picture tells them again.
    if (report.order.epoch() != epoch_) t.filled = std::clamp(report.filled, Qty{}, report.amount);
    o->updated = told_at;
    t.label_hash = report.label_hash;
    t.sent = report.created;
    t.flags = static_cast<std::uint8_t>((report.post_only != 0 ? order_flag::post_only : 0) |
                                        (report.reduce_only != 0 ? order_flag::reduce_only : 0));
  }
  OrderCarry& t = o->terms;
  const bool ours = o->instrument == event.instrument && t.side == report.side &&
                    (t.venue_ref == 0 || t.venue_ref == report.venue_ref);
  if (!ours) return;  // another order under its label
  const Qty filled = std::clamp(report.filled, Qty{}, report.amount);
  const bool told = report.order.epoch() != epoch_ && t.filled != filled;
  if (told) {
    if (told_at >= o->updated) {  // not of before a change that was accepted
      t.price = report.price;
      t.amount = report.amount;
      o->updated = told_at;
    }
    t.filled = std::min(filled, t.amount);
  }
  // One without a time may be the newer.
  const bool newer = told_at >= o->updated || told_at.unix_ns == 0;
  const bool larger = newer && report.amount > t.amount;
  if (larger) t.amount = report.amount;
  if (told || larger || t.confirmed == 0 || t.venue_ref == 0) ++revision_;
  t.confirmed = 1;
  t.venue_ref = report.venue_ref;
}

// Of a boot before this one's: what the core took, it holds.
void OrderLog::on_carry(const Event& event, const OrderCarry& carry) {
  if (!carry.order.valid() || carry.amount.nano <= 0 || find(carry.order) != nullptr) return;
  KeptOrder* o = add(carry.order, event.instrument);
  if (o != nullptr) o->terms = carry;
}

}  // namespace gimbal
