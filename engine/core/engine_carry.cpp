// The trading day across a restart: what an earlier boot counted comes in as events, goes on to
// count while its day runs, and is shown to the cold side, which keeps it for the next boot.
//
// Profits are carried in dollars as last marked, so they do not move with the index any more. What
// was held comes along with its mark: from there on its owner's profit goes on, so that a fall
// while nobody was running is counted too.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

OrderToTrade::Group group_of(std::uint8_t number) noexcept {
  return number == 0 ? OrderToTrade::Group::futures : OrderToTrade::Group::options;
}

}  // namespace

bool EngineCore::takes_item(const DayCarry& item, InstrumentId id) const noexcept {
  if (boot_.epoch == 0 || day_.known()) return false;
  if (item.item == DayItem::day) {
    const bool in_range = item.a > 0 && item.a <= INT64_MAX - trading_day.count;
    return day_.carry == DayCarryState::none && in_range && item.b >= 0 && item.c >= 0;
  }
  if (day_.carry != DayCarryState::waiting) return false;
  switch (item.item) {
    case DayItem::profit:
      return item.subject < day_owners_max && item.a != INT64_MIN &&
             day_.carried_usd[item.subject] == 0;
    case DayItem::ratio: {
      if (item.subject >= underlyings_max || item.group > 1) return false;
      const auto& there = *order_to_trade_.at(UnderlyingId{item.subject}, group_of(item.group));
      return item.a >= 0 && item.b >= 0 && there.changes == 0 && there.maker_nano == 0;
    }
    case DayItem::holding:
      return table_.contains(id) && item.subject < day_owners_max && item.a != 0 &&
             item.a != INT64_MIN && item.b > 0 &&
             carried_holdings_.size() < carried_holdings_.capacity();
    case DayItem::day:
    case DayItem::none: return false;
  }
  return false;
}

// A refused item is a loss that would be forgotten: nothing can be armed then (judge_arm).
void EngineCore::on_day_carry(const Event& event) noexcept {
  const auto item = event.as<DayCarry>();
  if (!takes_item(item, event.instrument)) {
    ++counters_.day_items_refused;
    return;
  }
  switch (item.item) {
    case DayItem::day:
      day_.carry = DayCarryState::waiting;
      day_.carried_until = ExchTime{item.a} + trading_day;
      day_.peak_usd = item.b;
      day_.carried_booked = day_.booked = ExchTime{item.c};
      return;
    case DayItem::profit: day_.carried_usd[item.subject] = item.a; return;
    case DayItem::ratio: {
      auto& count = *order_to_trade_.at(UnderlyingId{item.subject}, group_of(item.group));
      count.changes = static_cast<std::uint64_t>(item.a);
      count.maker_nano = item.b;
      return;
    }
    case DayItem::holding:
      carried_holdings_.push_back({event.instrument, item.subject, Qty{item.a}, Price{item.b}});
      return;
    case DayItem::none: return;
  }
}

void EngineCore::drop_carried() noexcept {
  day_.carried_usd = {};
  carried_holdings_.clear();
  if (day_.carry != DayCarryState::none) day_.carry = DayCarryState::ended;
}

// The first picture has put what the account holds into the house, at today's marks. What an owner
// held in the boot before goes on with that owner, at the mark it was left with.
void EngineCore::resume_holdings(VenueId venue) noexcept {
  const auto taken = [&](const DayHolding& h) {
    const Instrument& i = table_[h.instrument];
    if (i.venue != venue) return false;
    if (i.state == InstrumentState::settled) return true;
    profits_.trade(i, h.owner, h.amount, h.mark, Money{});
    profits_.adopt(i, -h.amount);
    return true;
  };
  carried_holdings_.erase(std::remove_if(carried_holdings_.begin(), carried_holdings_.end(), taken),
                          carried_holdings_.end());
}

bool EngineCore::booked_before(const Event& fill) const noexcept {
  return fill.has(event_flag::historical) && fill.exch <= day_.carried_booked;
}

void EngineCore::fill_day(DayFigures& f) const noexcept {
  const bool reconciled = std::all_of(venues_.begin(), venues_.end(), [](const Venue& v) {
    return !v.used || v.reconciled_at.mono_ns != 0;
  });
  f.complete = day_.known() && reconciled && carried_holdings_.empty();
  f.carry = day_.carry;
  f.held = day_.held;
  if (day_.known()) {  // a day that is held goes on in the one that runs, in a next boot too
    f.began = ExchTime{day_.runs * trading_day.count} + gate_.limits().day_start;
  }
  f.booked_until = day_.booked;
  f.peak = Money{day_.peak_usd};
  i128 carried = 0;
  for (std::size_t owner = 0; owner < day_owners_max; ++owner) {
    f.profit[owner] = Money{owner_profit(owner)};
    carried += day_.carried_usd[owner];
  }
  f.carried = Money{fits_int64(carried) ? static_cast<std::int64_t>(carried) : INT64_MAX};
  for (std::size_t u = 0; u < underlyings_max; ++u) {
    for (std::uint8_t g = 0; g < 2; ++g) {
      const auto& count =
          *order_to_trade_.at(UnderlyingId{static_cast<std::uint8_t>(u)}, group_of(g));
      f.ratio[u][g] = DayRatio{count.changes, count.maker_nano};
    }
  }
  for (const InstrumentId id : held_) {
    profits_.each_owner(id, [&](std::size_t owner, Qty amount, Price mark) {
      if (mark.nano <= 0 || f.holdings == day_holdings_max) {
        ++f.holdings_left_out;
        return;
      }
      f.holding[f.holdings++] = {id, static_cast<std::uint8_t>(owner), amount, mark};
    });
  }
}

}  // namespace gimbal
