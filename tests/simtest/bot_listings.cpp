// Instruments whose terms change while the bot runs: QueryLoop::read_list and bot_listings.cpp of
// ops/app in virtual time.
#include <utility>

#include "ops/app/listings.hpp"
#include "tests/simtest/bot_lanes.hpp"

namespace gimbal::simtest {
namespace {

constexpr Nanos lists_apart = seconds(1);
constexpr std::size_t events_of_a_change = 8;

}  // namespace

std::span<const std::byte> Bot::terms_of(const void* store, std::uint16_t slot,
                                         std::uint32_t generation) noexcept {
  const auto& adopted = static_cast<const Bot*>(store)->adopted_;
  const auto at = adopted.find({slot, generation});
  if (at == adopted.end()) return {};
  return std::as_bytes(std::span{&at->second, 1});
}

// The core closed it after a refused order: a list begun from here on opens it again.
void Bot::ask_list(InstrumentId id) {
  universe_.table().set_state(id, InstrumentState::invalid);
  listings_.suspect(id, clock_.now());
  list_wanted_ = true;
}

bool Bot::read_list() {
  const RecvTime now = clock_.now();
  if (list_due_.mono_ns == 0) list_due_ = now + host_.list_interval;
  const bool due = host_.list_interval.count > 0 && now >= list_due_;
  if (now < list_not_before_ || (!list_wanted_ && !due) || !listing_changes_.empty()) return false;
  list_wanted_ = false;
  list_not_before_ = now + lists_apart;
  list_due_ = now + host_.list_interval;
  InstrumentPicture picture{now + Nanos{1}, {}};  // later than what was asked in this millisecond
  deribit::InstrumentList list;
  if (!queries_->instruments(member_.currency, list).empty()) {
    list_wanted_ = true;
    list_not_before_ = now + lists_apart * 2;
    return true;
  }
  picture.lists.emplace_back(member_.currency, std::move(list));
  const ExchTime wall{virtual_wall_ms() * 1'000'000};
  for (ListingChange& c : listings_.compare({member_}, universe_, wall, picture)) {
    listing_changes_.push_back(std::move(c));
  }
  carry_out_listings();
  return true;
}

void Bot::carry_out_listings() {
  while (!listing_changes_.empty() && carry_out(listing_changes_.front())) {
    listing_changes_.pop_front();
  }
}

// False: no room now.
bool Bot::carry_out(const ListingChange& c) {
  if (from_control_.room() < events_of_a_change) return false;
  InstrumentChange change;
  const bool ended = c.step != ListingStep::listed &&
                     universe_.table()[c.instrument].state == InstrumentState::settled;
  if (ended) return true;
  switch (c.step) {
    case ListingStep::settled:
      note_ended(c.instrument);
      change.change = InstrumentChangeKind::settle;
      break;
    case ListingStep::closed:
      universe_.table().set_state(c.instrument, InstrumentState::invalid);
      set_order_terms(c.instrument, InstrumentState::invalid);
      break;
    case ListingStep::redefined: return redefine(c);
    case ListingStep::listed: return list(c);
  }
  tell_change(change, c.instrument);
  return true;
}

// The core has it from the feed's own events.
void Bot::hear_listings(const Event& e) {
  list_wanted_ = true;
  if (e.as<InstrumentChange>().change != InstrumentChangeKind::settle) {
    universe_.table().set_state(e.instrument, InstrumentState::invalid);
    return listings_.suspect(e.instrument, clock_.now());
  }
  if (universe_.table()[e.instrument].state == InstrumentState::settled) return;
  note_ended(e.instrument);
}

void Bot::set_order_terms(InstrumentId id, InstrumentState state) {
  Instrument terms = universe_.table()[id];
  terms.state = state;
  static_cast<void>(order_table_.redefine(terms));
}

void Bot::note_ended(InstrumentId id) {
  universe_.table().set_state(id, InstrumentState::settled);
  set_order_terms(id, InstrumentState::settled);
  for (auto& f : feeds_) {
    f->feed.feed().retire(id, clock_.now(), f->outbox);
    if (!host_.network->up(f->lane)) f->outbox.clear();  // nobody to tell
  }
}

void Bot::tell_change(const InstrumentChange& change, InstrumentId id) {
  Event e = make_event(EventKind::instrument_change, venue_, id, clock_.now(), {}, change);
  e.add_flag(event_flag::last_in_packet | event_flag::historical);  // from the list: in no frame
  if (!from_control_.push(e)) host_.checker->fail("I17", "the control ring is full");
}

bool Bot::adopt(const Instrument& terms) {
  const SideBlockRef block =
      blocks_.publish(SideBlockKind::instrument, std::as_bytes(std::span{&terms, 1}), 1);
  if (block.kind == SideBlockKind::none) return false;
  adopted_[{block.slot, block.generation}] = terms;
  InstrumentChange change;
  change.change = InstrumentChangeKind::adopt;
  change.slot = block.slot;
  change.generation = block.generation;
  change.bytes = block.bytes;
  change.crc32c = block.crc32c;
  tell_change(change, terms.id);
  return true;
}

bool Bot::redefine(const ListingChange& c) {
  const Instrument before = universe_.table()[c.instrument];
  Instrument fresh = c.row.definition;
  fresh.id = before.id;
  fresh.venue = before.venue;
  fresh.underlying = before.underlying;
  if (!universe_.table().redefine(fresh)) {
    host_.checker->fail("I13", "the new terms of " + c.row.name + " were not taken");
    return true;
  }
  Instrument terms = universe_.table()[c.instrument];
  if (host_.plant == Plant::old_tick) {
    terms = before;
    terms.state = InstrumentState::open;
  }
  static_cast<void>(order_table_.redefine(terms));
  tell_change(InstrumentChange{}, c.instrument);
  if (adopt(terms)) return true;
  static_cast<void>(universe_.table().redefine(before));  // closed in the core; tried again
  return false;
}

bool Bot::list(const ListingChange& c) {
  InstrumentId id = universe_.symbols().find(c.row.name);
  if (!id.valid()) {
    std::string why;
    id = universe_.list(c.member, venue_, c.row, why);
    if (!id.valid() || !order_table_.add(universe_.table()[id]).valid()) {
      host_.checker->fail("I17", c.row.name + " was not listed: " + why);
      return true;
    }
    host_.checker->listed_too(c.row.name);
  }
  if (!adopt(universe_.table()[id])) return false;
  FeedLane& f = *feeds_.back();
  f.feed.feed().want_book(id, deribit::Interval::ms100);
  f.feed.feed().want_ticker(id, deribit::Interval::ms100);
  f.books.push_back(id);
  if (!host_.network->up(f.lane)) return true;
  f.feed.feed().subscribe_new(clock_.now(), f.outbox);
  send(f.lane, f.outbox);
  return true;
}

}  // namespace gimbal::simtest
