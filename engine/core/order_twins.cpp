// Orders at the venue under the label of an order of ours that is another one there: see
// orders.hpp.
#include <algorithm>

#include "engine/core/orders.hpp"

namespace gimbal {

bool OrderTable::is_twin(const OpenOrderReport& report) const noexcept {
  const std::uint16_t slot = slot_of(report.order);
  if (slot == no_slot || report.venue_ref == 0) return false;
  return slots_[slot].venue_ref != 0 && slots_[slot].venue_ref != report.venue_ref;
}

void OrderTable::count_twins(std::size_t instrument, Qty buy, Qty sell) noexcept {
  Twins& t = twins_[instrument];
  Exposure& e = exposure_[instrument];
  e.unknown_buy += buy - t.buy;
  e.unknown_sell += sell - t.sell;
  t.buy = buy;
  t.sell = sell;
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
