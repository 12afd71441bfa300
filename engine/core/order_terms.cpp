// Terms of an order by the venue's words, and what pictures say of orders.
#include <algorithm>

#include "engine/core/orders.hpp"

namespace gimbal {
namespace {

// Than the terms that were accepted. Without a time of its own a picture may be, unless it was
// begun after the venue had said these.
bool is_older(const Order& o, const PictureTime& picture) noexcept {
  if (picture.updated.unix_ns > 0) return picture.updated < o.terms_exch;
  return o.terms_exch.unix_ns > 0 && picture.begun_exch <= o.terms_exch;
}

}  // namespace

// Which amount works after a replace in doubt is not said: the larger.
void OrderTable::keep_larger(Order& o) noexcept {
  if (o.new_amount.nano == 0) return;
  o.kept_amount = std::max(o.kept_amount, o.new_amount);
  o.kept_price = o.new_price;
  o.kept_until = std::max(o.kept_until, o.valid_until);
  o.amount = std::max(o.amount, o.new_amount);
  o.new_amount = {};
}

// The venue's word of an order that works. `settled`: nothing else may come about.
void OrderTable::take_amount(Order& o, Qty amount, bool settled) noexcept {
  if (settled || (amount == o.kept_amount && o.price == o.kept_price)) o.kept_amount = {};
  o.amount = std::max(amount, o.kept_amount);
}

// What a picture says of the terms of an order that works.
void OrderTable::take_terms(Order& o, const OpenOrderReport& report,
                            const PictureTime& picture) noexcept {
  if (is_older(o, picture)) return;
  o.terms_exch = std::max(o.terms_exch, picture.updated);
  o.price = report.price;
  take_amount(o, std::max(report.amount, o.filled), picture.begun_exch > o.kept_until);
}

// Of a carried order the journal may lack the last fills. Only a picture says what is filled: its
// trades are told with it, once. An acknowledgement or a look-up that says so may run ahead of the
// fill it has in it, which would then count twice; the order stays at its worst until the picture.
void OrderTable::take_as_pictured(Order& o, Qty filled) noexcept {
  o.unseen = false;
  if (!o.uncounted) return;
  o.uncounted = false;
  o.filled = filled;
}

// It rests although it had ended.
void OrderTable::revive(Order& o, const OpenOrderReport& report, InstrumentId instrument) noexcept {
  ++counters_.revived;
  ++counters_.faults;
  if (is_twin(report, instrument)) {  // what rests under the label now is the other one
    o.side = report.side;
    o.filled = report.filled;
    o.venue_filled = report.filled;
    o.venue_ref = report.venue_ref;
    o.label_hash = report.label_hash;
    o.adopted = true;
  }
  o.state = OrderState::live;
  o.owed = {};
  o.terms_exch = {};
  o.kept_amount = {};
}

const Order* OrderTable::on_open_report(const OpenOrderReport& report, InstrumentId instrument,
                                        UnderlyingId underlying, VenueId venue,
                                        const PictureTime& picture, RecvTime now) noexcept {
  const std::uint16_t slot = slot_of(report.order);
  if (slot != no_slot) {
    Order& o = slots_[slot];
    // The picture is older than the end.
    if (ended(o.state) && o.ended_at >= picture.begun) return &o;
    add_share(o, -1);
    if (ended(o.state)) {
      revive(o, report, instrument);
    } else {
      const bool differs = report.amount != o.new_amount || report.price != o.new_price;
      const bool in_doubt = o.state == OrderState::unknown && o.new_amount.nano > 0 &&
                            (differs || is_older(o, picture));
      step(o, OrderEvent::found_open, now);
      if (o.state == OrderState::live && in_doubt) keep_larger(o);
      if (o.state == OrderState::live) o.new_amount = {};
    }
    o.confirmed = true;
    if (o.uncounted) o.label_hash = report.label_hash;
    take_as_pictured(o, report.filled);
    if (o.venue_ref == 0) o.venue_ref = report.venue_ref;
    if (o.state == OrderState::live) take_terms(o, report, picture);
    o.venue_filled = std::max(o.venue_filled, report.filled);
    add_share(o, 1);
    list(slot);
    return &o;
  }
  Order o;
  o.id = report.order;
  o.instrument = instrument;
  o.venue = venue;
  o.underlying = underlying;
  o.side = report.side;
  o.state = OrderState::live;
  o.adopted = true;
  o.label_hash = report.label_hash;
  o.venue_ref = report.venue_ref;
  o.confirmed = true;
  o.price = report.price;
  o.amount = report.amount;
  o.filled = report.filled;  // of an earlier boot: contained in the position we adopt
  o.venue_filled = report.filled;
  o.terms_exch = picture.updated;
  o.flags = static_cast<std::uint8_t>((report.post_only != 0 ? order_flag::post_only : 0) |
                                      (report.reduce_only != 0 ? order_flag::reduce_only : 0));
  o.created = now;
  const Order* made = insert(o);
  if (made != nullptr) ++counters_.adopted;
  return made;
}

}  // namespace gimbal
