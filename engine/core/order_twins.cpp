// Orders at the venue under the label of an order of ours that is another one there: see
// orders.hpp.
#include <algorithm>

#include "engine/core/orders.hpp"

namespace gimbal {

// An order's side and instrument never change, so they tell before the venue's id is known.
bool OrderTable::is_twin(const OpenOrderReport& report, InstrumentId instrument) const noexcept {
  const std::uint16_t slot = slot_of(report.order);
  if (slot == no_slot) return false;
  const Order& ours = slots_[slot];
  if (ours.side != report.side || ours.instrument != instrument) return true;
  return ours.venue_ref != 0 && report.venue_ref != 0 && ours.venue_ref != report.venue_ref;
}

OrderTable::TwinAmounts OrderTable::twins(InstrumentId id) const noexcept {
  if (id.value >= twins_.size()) return {};
  return {twins_[id.value].buy, twins_[id.value].sell};
}

void OrderTable::count_twins(std::size_t instrument, Qty buy, Qty sell) noexcept {
  Twins& t = twins_[instrument];
  Exposure& e = exposure_[instrument];
  e.unknown_buy += buy - t.buy;
  e.unknown_sell += sell - t.sell;
  const bool had = t.buy != Qty{} || t.sell != Qty{};
  t.buy = buy;
  t.sell = sell;
  const bool has = buy != Qty{} || sell != Qty{};
  twinned_ += (has ? 1U : 0U) - (had ? 1U : 0U);
}

void OrderTable::begin_twins(InstrumentId instrument) noexcept {
  if (instrument.value >= twins_.size()) return;
  twins_[instrument.value].next_buy = {};
  twins_[instrument.value].next_sell = {};
}

// A picture that is not complete only adds: the one before may have held more.
void OrderTable::add_twin(const OpenOrderReport& report, InstrumentId instrument) noexcept {
  if (instrument.value >= twins_.size()) return;
  Twins& t = twins_[instrument.value];
  const Qty open = report.amount > report.filled ? report.amount - report.filled : Qty{};
  (report.side == Side::buy ? t.next_buy : t.next_sell) += open;
  count_twins(instrument.value, std::max(t.buy, t.next_buy), std::max(t.sell, t.next_sell));
}

void OrderTable::end_twins(InstrumentId instrument) noexcept {
  if (instrument.value >= twins_.size()) return;
  const Twins& t = twins_[instrument.value];
  count_twins(instrument.value, t.next_buy, t.next_sell);
}

}  // namespace gimbal
