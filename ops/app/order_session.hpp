// The order session on the hot side: commands out through the last gate, acknowledgements and fills
// in. Room: ops/app (wiring). Hot.
//
// The last gate is asked immediately before an order is encoded, and left after its bytes are with
// the kernel; a refusal there goes back to the core as OrderReject{last_gate}: provably not sent.
// Cancels never ask. An order is in the guardian's list before it is encoded.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>

#include "engine/core/bring_near.hpp"
#include "engine/core/command.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/clock.hpp"
#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/probe.hpp"
#include "engine/runtime/ring.hpp"
#include "ops/app/answer_times.hpp"
#include "ops/app/known_names.hpp"
#include "ops/app/listing_tasks.hpp"
#include "ops/app/order_listing.hpp"
#include "ops/app/order_sent.hpp"
#include "ops/app/session.hpp"
#include "venues/registry.hpp"

namespace gimbal {

inline constexpr std::size_t order_batch_events = 8192;

// A fill on its way to the cold side's ledger.
struct FillNote {
  InstrumentId instrument{};
  Fill fill{};
};

// Read by the cold thread for status, report and the kill's proof.
struct OrderSessionCounters {
  std::atomic<std::uint64_t> placed{0};
  std::atomic<std::uint64_t> replaced{0};
  std::atomic<std::uint64_t> cancels{0};
  std::atomic<std::uint64_t> mass_cancels{0};
  std::atomic<std::uint64_t> last_gate{0};
  std::atomic<std::uint64_t> stale{0};           // approvals that were void at the last gate
  std::atomic<std::uint64_t> refused{0};         // by encode: rate, not connected
  std::atomic<std::uint64_t> unlisted{0};        // refused: no slot in the guardian's list
  std::atomic<std::uint64_t> queue_full{0};      // events that could not go back to the core
  std::atomic<std::int64_t> first_cancel_ns{0};  // since the last kill was noted
  std::atomic<std::int64_t> last_cancel_ns{0};
};

template <class Venue>
class OrderSession {
 public:
  // `back` takes what belongs to the core: it is an input of the sequencer. `fills` is for the cold
  // side's books. `page` holds the last gate and the guardian's order list. `table` belongs to this
  // session's thread; `terms` brings what changes in it.
  OrderSession(typename Venue::Gateway gateway, SpscRing<Event>& back, SpscRing<FillNote>& fills,
               GatePage& page, SenderGate gate, InstrumentTable& table, TermsRing& terms,
               TscProbe& probe, const TscClock& clock, std::uint16_t slot, VenueId venue,
               const LinkConfig& link)
      : gateway_{std::move(gateway)},
        back_{back},
        fills_{fills},
        page_{page},
        gate_{gate},
        table_{table},
        terms_{terms},
        probe_{probe},
        clock_{clock},
        venue_{venue},
        session_{*this, slot, Priority::first, link} {}

  [[nodiscard]] Session<OrderSession>& session() noexcept { return session_; }
  [[nodiscard]] typename Venue::Gateway& gateway() noexcept { return gateway_; }
  [[nodiscard]] const OrderSessionCounters& counters() const noexcept { return counters_; }
  // Cold, behind the tape's attach(): see FeedSession.
  void follow_names(const deribit::SymbolTable& symbols) noexcept {
    names_.follow(symbols, session_.tape(), clock_.now());
    gateway_.know(names_.end());
  }
  // Cold: the next cancel is the first one after this moment.
  void note_kill() noexcept { counters_.first_cancel_ns.store(0, std::memory_order_release); }

  void execute(const Command& c) noexcept {
    take_terms();
    switch (c.kind()) {
      case CommandKind::place: return place(c.place());
      case CommandKind::replace: return replace(c.replace());
      case CommandKind::cancel: return cancel(c.cancel());
      case CommandKind::cancel_all: return cancel_all(c.cancel_all());
      default: return;
    }
  }

  // What the next order needs of this session: bring_near.hpp.
  void look_over(OrderId next, InstrumentId id) noexcept {
    bring_near(*this);
    page_.look_over(next);
    gateway_.look_over(id);
    session_.look_over();
  }

  // --- Session's owner
  void opened(RecvTime now) noexcept {
    overflowed_ = false;
    given_up_ = false;
    gateway_.on_open(now, ++generation_, batch_, outbox_);
    deliver();
  }
  void text(const TextFrame& t) noexcept {
    learn_names(t.at);
    (void)gateway_.on_frame(Frame{t.data, t.size, t.capacity}, t.at, batch_, outbox_);
    deliver();
  }
  void ended(const LinkClosed&, RecvTime now) noexcept {
    gateway_.on_close(now, batch_);
    deliver();
  }
  // That the session is gone must reach the core even where its end was that the ring is full:
  // until then it takes the gateway for ready. Tries again; false: nothing is owed any more.
  [[nodiscard]] bool owes() noexcept {
    if (owed_ && back_.push_unit(&owed_event_, 1)) owed_ = false;
    return owed_;
  }
  void timer(RecvTime now) noexcept {
    take_terms();
    gateway_.on_timer(now, batch_, outbox_);
    deliver();
    if (given_up_ || !gateway_.lost(now)) return;
    given_up_ = true;
    session_.leave(1001, "set-up failed");
  }

 private:
  void learn_names(RecvTime now) noexcept {
    if (names_.learn(now)) gateway_.know(names_.end());
  }
  // The cold side puts them here before it tells the core, so an order under new terms finds them.
  void take_terms() noexcept {
    while (const Instrument* fresh = terms_.peek()) {
      const RecvTime now = clock_.now();
      learn_names(now);  // a new instrument's name was there before its terms
      take_definition(table_, *fresh);
      session_.tape().put(FrameKind::terms, now,
                          {reinterpret_cast<const char*>(fresh), sizeof *fresh}, fresh->id.value);
      terms_.pop();
    }
  }
  template <class Order>
  [[nodiscard]] bool may_send(const Approved<Order>& approved, RecvTime now) noexcept {
    const Order& o = *approved;
    if (overflowed_) return false;
    if (approved.expires() < now) {
      count(counters_.stale);
      return false;
    }
    const Instrument& instrument = table_[o.instrument];
    const OrderScopes scopes{o.venue, o.order.strategy(), instrument.underlying, o.instrument};
    if (gate_.enter(scopes, o.order, approved.gate_epoch(), (o.flags & order_flag::reduces) != 0,
                    (o.flags & order_flag::flattens) != 0)) {
      return true;
    }
    count(counters_.last_gate);
    return false;
  }
  // Encodes in the link's own buffer, so that the order's text is written once.
  template <class Message>
  Encoded write(const Message& message, RecvTime now) noexcept {
    const std::span<char> out = session_.link().reserve(encoded_order_max);
    if (out.empty()) return Encoded{0, RejectReason::not_connected};
    Encoded encoded = gateway_.encode(message, now, out);
    if (!encoded.ok()) return encoded;
    probe_.mark(ProbeHop::encode);
    // Before the frame is masked in place.
    session_.tape().put(FrameKind::text_out, now, {out.data(), encoded.bytes});
    Link& link = session_.link();
    if (!link.seal(encoded.bytes) || !link.encrypt())
      return Encoded{0, RejectReason::not_connected};
    probe_.mark(ProbeHop::encrypt);
    link.flush();
    probe_.mark(ProbeHop::send);
    return encoded;
  }
  template <class Order>
  void send(const Approved<Order>& approved, OrderAction action,
            std::atomic<std::uint64_t>& counter) noexcept {
    const RecvTime now = clock_.now();
    const Order& o = *approved;
    if (!may_send(approved, now))
      return reject(RejectReason::last_gate, o.order, o.instrument, action);
    const Encoded encoded = write(approved, now);
    gate_.leave();
    if (!encoded.ok()) {
      count(counters_.refused);
      return reject(encoded.refused, o.order, o.instrument, action);
    }
    count(counter);
    probe_.finish(o.order.value);
    answers_.sent(o.order, probe_.row().tsc[static_cast<std::size_t>(ProbeHop::send)]);
    sent(o);
  }
  void place(const Approved<PlaceOrder>& o) noexcept {
    if (!page_.list_new(o->order, o->venue, o->instrument)) {
      count(counters_.unlisted);
      return reject(RejectReason::last_gate, o->order, o->instrument, OrderAction::place);
    }
    send(o, OrderAction::place, counters_.placed);
  }
  void replace(const Approved<ReplaceOrder>& o) noexcept {
    send(o, OrderAction::replace, counters_.replaced);
  }
  void cancel(const CancelOrder& c) noexcept {
    const Encoded encoded = write(c, clock_.now());
    if (!encoded.ok()) {
      return reject(encoded.refused, c.order, c.instrument, OrderAction::cancel);
    }
    count(counters_.cancels);
    stamp_cancel();
    sent(c);
  }
  void cancel_all(const CancelAll& c) noexcept {
    const RecvTime now = clock_.now();
    if (!gateway_.encode(c, now, outbox_)) {
      outbox_.clear();
      return;  // the core repeats the round and cancels order by order where this cannot
    }
    for (std::size_t i = 0; i < outbox_.size(); ++i) {
      session_.tape().put(FrameKind::text_out, now, outbox_[i]);
    }
    session_.send(outbox_);
    count(counters_.mass_cancels);
    stamp_cancel();
  }
  void stamp_cancel() noexcept {
    const std::int64_t now = clock_.now().mono_ns;
    if (counters_.first_cancel_ns.load(std::memory_order_relaxed) == 0) {
      counters_.first_cancel_ns.store(now, std::memory_order_release);
    }
    counters_.last_cancel_ns.store(now, std::memory_order_release);
  }
  static void count(std::atomic<std::uint64_t>& c) noexcept {
    c.store(c.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  template <class Order>
  void sent(const Order& o) noexcept {
    const Event e = order_sent(o, clock_.now());
    hand_back(&e, 1);
  }
  void reject(RejectReason reason, OrderId order, InstrumentId instrument,
              OrderAction action) noexcept {
    Event e = refusal(Encoded{0, reason}, order, action, venue_, instrument, clock_.now());
    unlist_ended(page_, e);
    hand_back(&e, 1);
  }
  // Private events are never dropped silently: when the core does not take them, this session stops
  // sending and ends; the next connection is reconciled before anything new is sent.
  void hand_back(const Event* unit, std::size_t count_records) noexcept {
    if (!owed_ && back_.push_unit(unit, count_records)) return;
    count(counters_.queue_full);
    if (unit->kind() == EventKind::gateway_status) {
      owed_event_ = *unit;
      owed_ = true;
    }
    if (overflowed_) return;
    overflowed_ = true;
    session_.tape().put(FrameKind::conflated, clock_.now(), {},
                        static_cast<std::uint32_t>(ConflatedBy::order_ring));
    session_.leave(1001, "overload");
  }
  void deliver() noexcept {
    const std::span<Event> all = batch_.committed();
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t parts = all[at].part_count();
      if (all[at].kind() == EventKind::fill) note_fill(&all[at]);
      note_answer(all[at]);
      unlist_ended(page_, all[at]);
      hand_back(&all[at], parts);
      at += parts;
    }
    batch_.clear();
    if (!outbox_.empty()) session_.send(outbox_);
  }
  void note_answer(const Event& e) noexcept {
    HopRow row;
    if (answers_.answered(e, read_tsc(), row)) probe_.put(row);
  }
  void note_fill(const Event* parts) noexcept {
    PartsBuffer<Fill> fill;
    for (std::size_t i = 0; i < parts_of<Fill>; ++i) {
      if (fill.add(parts[i])) (void)fills_.push(FillNote{parts[i].instrument, fill.value()});
    }
  }

  typename Venue::Gateway gateway_;
  SpscRing<Event>& back_;
  SpscRing<FillNote>& fills_;
  GatePage& page_;
  SenderGate gate_;
  InstrumentTable& table_;
  TermsRing& terms_;
  KnownNames names_;
  TscProbe& probe_;
  AnswerTimes answers_{};
  const TscClock& clock_;
  VenueId venue_;
  std::uint64_t generation_{0};
  bool given_up_{false};
  bool overflowed_{false};
  bool owed_{false};
  Event owed_event_{};
  OrderSessionCounters counters_{};
  EventBatch batch_{order_batch_events};
  Outbox outbox_{1u << 18, 256};
  Session<OrderSession> session_;
};

}  // namespace gimbal
