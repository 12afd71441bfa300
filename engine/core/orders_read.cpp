// Reading the order table, and its own audit.
#include <algorithm>
#include <limits>

#include "engine/core/orders.hpp"

namespace gimbal {
namespace {

constexpr RecvTime never{std::numeric_limits<std::int64_t>::max()};

}  // namespace

const Order* OrderTable::find(OrderId id) const noexcept {
  const std::uint16_t slot = slot_of(id);
  return slot == no_slot ? nullptr : &slots_[slot];
}

const Exposure& OrderTable::exposure(InstrumentId id) const noexcept {
  static constexpr Exposure nothing{};
  return id.value < exposure_.size() ? exposure_[id.value] : nothing;
}

Money OrderTable::reserved_usd(VenueId venue) const noexcept {
  return venue.value < venues_max ? venue_reserved_[venue.value] : Money{};
}

bool OrderTable::intent_open(StrategyId strategy, std::uint64_t intent) const noexcept {
  return std::any_of(open_.begin(), open_.end(), [&](std::uint16_t slot) {
    const Order& o = slots_[slot];
    return o.open() && o.intent == intent && o.id.strategy() == strategy && !o.adopted;
  });
}

RecvTime OrderTable::next_due() const noexcept {
  RecvTime due = never;
  for (const std::uint16_t slot : open_) {
    const Order& o = slots_[slot];
    if (o.state == OrderState::unknown) {
      due = std::min(due, o.next_query);
    } else if (o.deadline.mono_ns != 0) {
      due = std::min(due, o.deadline);
    }
    if (o.wants_cancel && o.state == OrderState::live) due = std::min(due, o.next_cancel);
  }
  return due;
}

bool OrderTable::consistent(std::size_t instruments) const noexcept {
  std::vector<Exposure> fresh(std::min(instruments, exposure_.size()));
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    fresh[i].unknown_buy = twins_[i].buy;
    fresh[i].unknown_sell = twins_[i].sell;
  }
  std::size_t open = 0;
  std::size_t unknown = 0;
  std::size_t owed = 0;
  std::size_t unseen = 0;
  Money reserved{};
  for (const std::uint16_t slot : open_) {
    const Order& o = slots_[slot];
    if (o.instrument.value >= fresh.size()) return false;
    Exposure& e = fresh[o.instrument.value];
    const bool buy = o.side == Side::buy;
    const bool in_doubt = o.state == OrderState::unknown;
    (in_doubt ? (buy ? e.unknown_buy : e.unknown_sell) : (buy ? e.live_buy : e.live_sell)) +=
        o.open_amount();
    if (ended(o.state)) {
      if (o.owed.nano == 0) return false;
      ++owed;
      continue;
    }
    ++open;
    ++e.open;
    if (o.unseen) ++unseen;
    reserved += o.reserved_usd;
    if (in_doubt) {
      ++unknown;
      ++e.unknown;
    }
  }
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const Exposure& a = fresh[i];
    const Exposure& b = exposure_[i];
    if (a.live_buy != b.live_buy || a.live_sell != b.live_sell || a.unknown_buy != b.unknown_buy ||
        a.unknown_sell != b.unknown_sell || a.open != b.open || a.unknown != b.unknown) {
      return false;
    }
  }
  return open == open_count_ && unseen == unseen_count_ && unknown == unknown_count_ &&
         owed == owed_count_ && reserved == reserved_;
}

}  // namespace gimbal
