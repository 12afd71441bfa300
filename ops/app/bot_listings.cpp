// Instruments that change while the bot runs. The venue's list is read again on the query session
// (query_loop.cpp) every instrument_refresh and whenever a feed or the core, after a refused order,
// says that it is out of date; what differs becomes events of the core, new terms of the order
// session and subscriptions of the feed. Room: ops/app (wiring). Cold thread.
//
// Order of a change: the order session gets the terms, the core the events, then the feed its task.
// An order under new terms is never looked at with the old ones, and a book never comes before its
// instrument.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/feed_interval.hpp"
#include "ops/app/held_scopes.hpp"
#include "ops/app/scope_names.hpp"

namespace gimbal {
namespace {

// Names, invalidate, adopt, an operator's command, and some to spare.
constexpr std::size_t events_of_a_change = 6 + parts_of<OperatorCommand>;
constexpr std::size_t changes_per_cycle = 16;  // the cold loop has other duties

}  // namespace

template <class Visit>
void Bot::each_feed(Visit visit) {
  if (fused_ != nullptr) {
    for (const auto& feed : fused_->feeds()) visit(*feed);
  } else {
    for (const auto& feed : feed_stage_->feeds()) visit(*feed);
  }
}

std::uint64_t Bot::silences() {
  std::uint64_t sum = 0;
  each_feed([&](auto& feed) { sum += feed.shared().silences.load(std::memory_order_relaxed); });
  return sum;
}

void Bot::tell_change(const InstrumentChange& change, InstrumentId id) {
  Event e = make_event(EventKind::instrument_change, venue_, id, clock_.now(), {}, change);
  e.add_flag(event_flag::last_in_packet | event_flag::historical);  // from the list: in no frame
  if (!from_control_.push(e)) say("control ring full: an instrument's change was not told");
}

// What the feeds heard: the core knows it already, this side takes it over and looks again.
void Bot::hear_listings() {
  std::uint64_t heard = 0;
  std::uint64_t lost = 0;
  each_feed([&](auto& feed) {
    heard += feed.shared().listings.load(std::memory_order_relaxed);
    lost += feed.shared().notes_lost.load(std::memory_order_relaxed);
    ListingNote note;
    while (feed.listing_notes().pop_into(note)) {
      query_loop_->ask_instruments();
      if (note.change != InstrumentChangeKind::settle) {
        universe_.table().set_state(note.instrument, InstrumentState::invalid);
        listings_.suspect(note.instrument, clock_.now());
        continue;
      }
      if (universe_.table()[note.instrument].state == InstrumentState::settled) continue;
      ended_.push_back(note.instrument);
    }
  });
  if (lost != notes_lost_) {
    // Which ones is not known: each is looked at.
    for (std::size_t i = 0; i < universe_.table().size(); ++i) {
      listings_.suspect(InstrumentId{static_cast<std::uint16_t>(i)}, clock_.now());
    }
  }
  if (heard != listings_heard_ || lost != notes_lost_) query_loop_->ask_instruments();
  listings_heard_ = heard;
  notes_lost_ = lost;
}

// The core closed it after a refused order. Only a list begun from here on opens it again: the core
// has closed it by now, so what such a list brings cannot overtake the closing.
void Bot::read_terms_again(InstrumentId id) {
  if (!universe_.table().contains(id) || universe_.table()[id].state == InstrumentState::settled) {
    return;
  }
  universe_.table().set_state(id, InstrumentState::invalid);
  listings_.suspect(id, clock_.now());
  query_loop_->ask_instruments();
}

// The cold side's own tables, the order session's and the feed's; the core has its event.
bool Bot::note_ended(InstrumentId id) {
  Instrument ended = universe_.table()[id];
  if (ended.state == InstrumentState::settled) return true;  // heard twice
  ended.state = InstrumentState::settled;
  if (!order_terms_.push(ended)) return false;
  universe_.table().set_state(id, InstrumentState::settled);
  each_feed([&](auto& feed) { (void)feed.listing_tasks().push(ListingTask{id, true, {}, {}}); });
  ++listings_.counters().settled;
  say(fmt::format("instrument {} has been settled", universe_.symbols().name(id)));
  return true;
}

bool Bot::adopt(InstrumentId id) {
  const Instrument& terms = universe_.table()[id];
  const SideBlockRef block =
      blocks_->publish(SideBlockKind::instrument, std::as_bytes(std::span{&terms, 1}));
  if (block.kind == SideBlockKind::none) return false;
  if (!order_terms_.push(terms)) {
    say("order session: the ring of new terms is full");  // it is drained every 20 ms
    for (int holder = 0; holder < 2; ++holder) blocks_->release(block);
    return false;
  }
  InstrumentChange change;
  change.change = InstrumentChangeKind::adopt;
  change.slot = block.slot;
  change.generation = block.generation;
  change.bytes = block.bytes;
  change.crc32c = block.crc32c;
  tell_change(change, id);
  return true;
}

// False: no room now, the same change again in the next cycle.
bool Bot::carry_out(const ListingChange& c) {
  if (from_control_.room() < events_of_a_change || order_terms_.room() == 0) return false;
  InstrumentChange change;
  switch (c.step) {
    case ListingStep::settled:
      change.change = InstrumentChangeKind::settle;
      if (universe_.table()[c.instrument].state == InstrumentState::settled) return true;
      if (!note_ended(c.instrument)) return false;
      tell_change(change, c.instrument);
      return true;
    case ListingStep::closed: {
      Instrument closed = universe_.table()[c.instrument];
      closed.state = InstrumentState::invalid;
      if (!order_terms_.push(closed)) return false;
      universe_.table().set_state(c.instrument, InstrumentState::invalid);
      tell_change(change, c.instrument);
      ++listings_.counters().closed;
      say(fmt::format("instrument {} is no longer listed: closed",
                      universe_.symbols().name(c.instrument)));
      return true;
    }
    case ListingStep::redefined: return redefine(c);
    case ListingStep::listed: return list(c);
  }
  return true;
}

bool Bot::redefine(const ListingChange& c) {
  const Instrument before = universe_.table()[c.instrument];
  Instrument fresh = c.row.definition;
  fresh.id = before.id;
  fresh.venue = before.venue;
  fresh.underlying = before.underlying;
  if (before.state == InstrumentState::settled) return true;
  if (!universe_.table().redefine(fresh)) {
    say(fmt::format("instrument {}: the venue gives its name another identity; it stays closed",
                    c.row.name));
    tell_change(InstrumentChange{}, c.instrument);
    universe_.table().set_state(c.instrument, InstrumentState::invalid);
    return true;
  }
  tell_change(InstrumentChange{}, c.instrument);
  if (!adopt(c.instrument)) {
    (void)universe_.table().redefine(before);  // closed in the core; tried again
    return false;
  }
  ++listings_.counters().redefined;
  say(fmt::format("instrument {}: new terms, tick {} lot {}", c.row.name,
                  to_double(fresh.ticks.base), to_double(fresh.lot)));
  return true;
}

// A scope that was latched in an earlier run, when the instrument was listed already: it holds from
// before the first order on.
void Bot::hold_listed(InstrumentId id, const std::string& name) {
  bool held = false;
  for (LatchEntry& e : latched_) {
    if (e.scope.id != latch_id_unknown || e.name != name) continue;
    e.scope.id = id.value;
    (void)gate_.tighten(e.scope, e.mode);
    desk_->push_command(carried_on(e));
    say(fmt::format("latched: {} is listed again and held: {}", name, e.reason));
    held = true;
  }
  if (held) store_numbers(scope_names());
}

bool Bot::list(const ListingChange& c) {
  InstrumentId id = universe_.symbols().find(c.row.name);
  if (!id.valid()) {
    std::string why;
    id = universe_.list(c.member, venue_, c.row, why);
    if (!id.valid()) {
      say("not listed: " + why);
      return true;
    }
    // For a reader of the journal: what the new id is called.
    for (const auto& bytes : universe_.dump(side_block_bytes, id.value)) {
      const SideBlockRef names = blocks_->publish(SideBlockKind::instrument, bytes);
      if (names.kind == SideBlockKind::none) continue;
      const Event e =
          make_event(EventKind::side_block, venue_, InstrumentId{}, clock_.now(), {}, names);
      (void)from_control_.push(e);
    }
  }
  hold_listed(id, c.row.name);
  if (!adopt(id)) return false;
  const VenueConfig& venue = loaded_->config.venues[0];
  auto& feeds = option_feed_tasks();
  if (!feeds.push(ListingTask{id, false, interval_of(venue.option_book_interval),
                              interval_of(venue.ticker_interval)})) {
    say("not subscribed: more than " + std::to_string(listings_max) + " instruments wait");
  }
  ++listings_.counters().listed;
  return true;
}

ListingTasks& Bot::option_feed_tasks() {
  const std::size_t nth = option_slot - hedge_slot;
  return fused_ != nullptr ? fused_->feeds()[nth]->listing_tasks()
                           : feed_stage_->feeds()[nth]->listing_tasks();
}

void Bot::follow_listings() {
  hear_listings();
  while (!ended_.empty() && note_ended(ended_.back())) ended_.pop_back();
  if (listing_changes_.empty()) {
    std::optional<InstrumentPicture> picture = query_loop_->take_instruments();
    if (!picture) return;
    auto changes = listings_.compare(loaded_->config.underlyings, universe_, wall_now(), *picture);
    const auto fresh = std::count_if(changes.begin(), changes.end(), [](const ListingChange& c) {
      return c.step == ListingStep::listed;
    });
    if (fresh > 0) say(fmt::format("the venue has listed {} new instruments", fresh));
    if (const auto over = listings_.counters().over_budget; over != listings_over_) {
      listings_over_ = over;
      if (over > 0) {
        say(fmt::format("{} new options are left out by [[underlying]] option_instruments_max",
                        over));
      }
    }
    listing_changes_.assign(std::make_move_iterator(changes.begin()),
                            std::make_move_iterator(changes.end()));
  }
  for (std::size_t n = 0; n < changes_per_cycle && !listing_changes_.empty(); ++n) {
    if (!carry_out(listing_changes_.front())) break;
    names_stale_ = names_stale_ || listing_changes_.front().step == ListingStep::listed;
    listing_changes_.pop_front();
  }
  if (!names_stale_ || !listing_changes_.empty()) return;
  names_stale_ = false;
  if (Outcome o = write_names(); !o) say(o.error());
}

}  // namespace gimbal
