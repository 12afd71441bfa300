#include "engine/core/risk/profit_ledger.hpp"

#include <algorithm>

namespace gimbal {
namespace {

bool per_usd(const Instrument& i) noexcept { return is_inverse(i.kind) && !is_option(i.kind); }

// USD at 1e-9 over a price at 1e-9, in coins at 1e-18.
i128 coins_atto(i128 usd_nano, Price price) noexcept {
  constexpr i128 atto_per_unit = static_cast<i128>(nano_per_unit) * nano_per_unit;
  return usd_nano * atto_per_unit / price.nano;
}

}  // namespace

ProfitLedger::ProfitLedger(std::size_t instruments, std::size_t slots)
    : slots_(instruments + slots), strategy_slots_left_{slots}, lines_(instruments) {}

i128 ProfitLedger::worth_of(const Instrument& i, Qty held, Price mark) noexcept {
  if (mark.nano <= 0 || held.nano == 0) return 0;
  return per_usd(i) ? -coins_atto(held.nano, mark) : static_cast<i128>(held.nano) * mark.nano;
}

ProfitLedger::Slot* ProfitLedger::slot(const Instrument& i, std::size_t owner) noexcept {
  if (i.id.value >= lines_.size() || i.underlying.value >= underlyings_max) return nullptr;
  Line& line = lines_[i.id.value];
  for (std::uint32_t n = line.first; n != none; n = slots_[n].next) {
    if (slots_[n].owner == owner) return &slots_[n];
  }
  if (owner != house && strategy_slots_left_ == 0) {
    ++without_slot_;
    return slot(i, house);
  }
  if (owner != house) --strategy_slots_left_;
  const auto fresh = static_cast<std::uint32_t>(slots_used_++);
  slots_[fresh].owner = owner;
  slots_[fresh].next = line.first;
  line.first = fresh;
  seen_[owner] = true;
  const auto end = used_.begin() + static_cast<std::ptrdiff_t>(books_used_);
  if (std::find(used_.begin(), end, book_of(i)) == end) used_[books_used_++] = book_of(i);
  return &slots_[fresh];
}

// The sums follow a slot's change.
void ProfitLedger::note(const Instrument& i, Slot& s, i128 before) noexcept {
  sum_[s.owner][book_of(i)] += s.cash + s.worth - before;
}

void ProfitLedger::move(const Instrument& i, Slot& s, Qty signed_amount, Price price) noexcept {
  s.cash += per_usd(i) ? coins_atto(signed_amount.nano, price)
                       : -static_cast<i128>(signed_amount.nano) * price.nano;
  s.held += signed_amount;
}

void ProfitLedger::trade(const Instrument& i, std::size_t owner, Qty signed_amount, Price price,
                         Money fee) noexcept {
  Slot* s = slot(i, owner < owners_max ? owner : house);
  if (s == nullptr || price.nano <= 0) return;
  const i128 before = s->cash + s->worth;
  move(i, *s, signed_amount, price);
  s->cash -= static_cast<i128>(fee.nano) * atto_per_nano;
  const Price mark = lines_[i.id.value].mark;
  s->worth = worth_of(i, s->held, mark.nano > 0 ? mark : price);
  note(i, *s, before);
}

void ProfitLedger::adopt(const Instrument& i, Qty signed_change) noexcept {
  Slot* s = slot(i, house);
  if (s == nullptr || signed_change.nano == 0) return;
  const Price mark = lines_[i.id.value].mark;
  if (mark.nano <= 0) {
    s->waiting += signed_change;
    return;
  }
  const i128 before = s->cash + s->worth;
  move(i, *s, signed_change, mark);
  s->worth = worth_of(i, s->held, mark);
  s->cash += before - (s->cash + s->worth);  // exactly nothing gained by it
}

bool ProfitLedger::mark(const Instrument& i, Price price) noexcept {
  if (i.id.value >= lines_.size() || price.nano <= 0) return false;
  Line& line = lines_[i.id.value];
  if (line.mark == price) return false;
  line.mark = price;
  for (std::uint32_t n = line.first; n != none; n = slots_[n].next) {
    Slot& s = slots_[n];
    const i128 before = s.cash + s.worth;
    s.worth = worth_of(i, s.held, price);
    if (s.waiting.nano != 0) {
      const Qty waiting = s.waiting;
      s.waiting = {};
      adopt(i, waiting);
    }
    note(i, s, before);
  }
  return line.first != none;
}

void ProfitLedger::settle(const Instrument& i, Price price) noexcept {
  if (i.id.value >= lines_.size()) return;
  Line& line = lines_[i.id.value];
  for (std::uint32_t n = line.first; n != none; n = slots_[n].next) {
    Slot& s = slots_[n];
    const i128 before = s.cash + s.worth;
    const Price at = price.nano > 0 || is_option(i.kind) ? price : line.mark;
    s.waiting = {};
    if (at.nano > 0 || is_option(i.kind)) move(i, s, -s.held, at);
    s.held = {};
    s.worth = 0;
    note(i, s, before);
  }
  line.mark = {};
}

Qty ProfitLedger::held(InstrumentId id, std::size_t owner) const noexcept {
  if (id.value >= lines_.size()) return {};
  for (std::uint32_t n = lines_[id.value].first; n != none; n = slots_[n].next) {
    if (slots_[n].owner == owner) return slots_[n].held + slots_[n].waiting;
  }
  return {};
}

std::int64_t ProfitLedger::total(std::size_t owner, UnderlyingId u, bool coin) const noexcept {
  const std::size_t book = u.value * std::size_t{2} + (coin ? 1 : 0);
  return clamp(divide(sum_[owner][book], atto_per_nano, Rounding::down));
}

}  // namespace gimbal
