#include "engine/core/risk/envelope_book.hpp"

#include <algorithm>
#include <cstring>

namespace gimbal {
namespace {

std::int64_t bounded(i128 value) noexcept {
  if (value > INT64_MAX) return INT64_MAX;
  return value < INT64_MIN ? INT64_MIN : static_cast<std::int64_t>(value);
}

EnvelopeCap cap_of(const EnvelopeRow& row, Qty position) noexcept {
  EnvelopeCap cap;
  cap.veto = row.veto;
  const i128 held = position.nano;
  if (row.buy_max != no_opinion) cap.ceiling = bounded(held + row.buy_max.nano);
  if (row.sell_max != no_opinion) cap.floor = bounded(held - row.sell_max.nano);
  return cap;
}

bool limits(const EnvelopeRow& row) noexcept { return cap_of(row, Qty{}) != EnvelopeCap{}; }

bool tighter(const EnvelopeCap& before, const EnvelopeCap& after) noexcept {
  return after.ceiling < before.ceiling || after.floor > before.floor ||
         (after.veto & ~before.veto) != 0;
}

}  // namespace

EnvelopeBook::EnvelopeBook(const ModuleSetups& modules, std::size_t instruments)
    : setups_{modules} {
  while (used_ < risk_modules_max && modules[used_].used) ++used_;
  for (std::size_t m = 0; m < used_; ++m) {
    seats_[m].used = true;
    seats_[m].required = modules[m].required;
    seats_[m].lost = modules[m].required;
    spoken_[m].caps.resize(instruments);
  }
  if (used_ != 0) {
    caps_.resize(instruments);
    moved_.resize(instruments);
  }
  look_until();
}

EnvelopeBook::Taken EnvelopeBook::take(std::span<const std::byte> block, RecvTime now,
                                       const Portfolio& portfolio, std::size_t listed) noexcept {
  EnvelopeHead head;
  if (block.size() < sizeof head) return Taken::no;
  std::memcpy(static_cast<void*>(&head), block.data(), sizeof head);
  if (head.module >= used_) return Taken::no;
  ModuleSeat& seat = seats_[head.module];
  const std::span<const std::byte> body = block.subspan(sizeof head);
  const std::size_t count = body.size() / sizeof(EnvelopeRow);
  EnvelopeFault fault = EnvelopeFault::none;
  if (head.sight != ModuleSight::live && head.sight != ModuleSight::dead) {
    fault = EnvelopeFault::form;  // what the cold side found invalid, and what nobody knows
  } else if (head.sight == ModuleSight::live) {
    if (count > rows_.size() || count * sizeof(EnvelopeRow) != body.size()) {
      fault = EnvelopeFault::size;
    } else {
      if (count > 0) std::memcpy(static_cast<void*>(rows_.data()), body.data(), body.size());
      fault = fault_of(head, {rows_.data(), count}, now, seat.made, listed);
    }
    if (fault != EnvelopeFault::none) ++seat.refused;
  }
  if (fault != EnvelopeFault::none || head.sight != ModuleSight::live) {
    seat.sight = fault != EnvelopeFault::none ? ModuleSight::invalid : ModuleSight::dead;
    seat.until = {};
    look_until();
    return Taken::yes;
  }
  seat.sight = ModuleSight::live;
  seat.made = head.made;
  seat.ttl = std::min(head.ttl, setups_[head.module].ttl);
  seat.until = head.made + seat.ttl;
  seat.as_of = head.as_of;
  ++seat.taken;
  look_until();
  const std::span<const EnvelopeRow> rows{rows_.data(), count};
  rewind(head.as_of);
  const bool tightened = spread(head, rows, portfolio, std::min(listed, caps_.size()));
  return tightened ? Taken::tightened : Taken::yes;
}

void EnvelopeBook::moved(InstrumentId id, std::uint64_t seq, Qty before) noexcept {
  if (id.value >= moved_.size()) return;
  moved_[id.value].newest = seq;
  moves_[moves_seen_++ % moves_max] = {seq, before, id};
}

// From the newest move back: what is written last is the position at `as_of`.
void EnvelopeBook::rewind(std::uint64_t as_of) noexcept {
  const std::uint64_t first = moves_seen_ > moves_max ? moves_seen_ - moves_max : 0;
  forgotten_ = false;
  for (std::uint64_t n = moves_seen_; n > first; --n) {
    const Move& move = moves_[(n - 1) % moves_max];
    if (move.seq <= as_of) return;
    moved_[move.id.value].before = move.before;
  }
  forgotten_ = first > 0;
}

// The module counted from the position at `as_of`. Where that is not known any more, a side that
// is limited may not grow at all until the module has seen the newest move.
EnvelopeCap EnvelopeBook::cap_for(const EnvelopeRow& row, InstrumentId id, Qty position,
                                  std::uint64_t as_of) const noexcept {
  EnvelopeCap cap = cap_of(row, position);
  const Moved& moved = moved_[id.value];
  if (moved.newest <= as_of) return cap;
  const EnvelopeCap then = cap_of(row, moved.before);
  if (row.buy_max != no_opinion) {
    cap.ceiling = forgotten_ ? position.nano : std::min(cap.ceiling, then.ceiling);
  }
  if (row.sell_max != no_opinion) {
    cap.floor = forgotten_ ? position.nano : std::max(cap.floor, then.floor);
  }
  return cap;
}

// Where the module has no opinion on the others, before and now, only its rows are touched.
bool EnvelopeBook::spread(const EnvelopeHead& head, std::span<const EnvelopeRow> rows,
                          const Portfolio& portfolio, std::size_t listed) noexcept {
  Spoken& spoken = spoken_[head.module];
  const EnvelopeRow& others = head.others;
  const bool all = limits(spoken.others) || limits(others);
  spoken.others = others;
  bool tightened = false;
  if (all) {
    for (std::size_t i = 0; i < listed; ++i) {
      const InstrumentId id{static_cast<std::uint16_t>(i)};
      spoken.caps[i] = cap_for(others, id, portfolio.position(id), head.as_of);
    }
  } else {
    for (std::size_t n = 0; n < spoken.count; ++n) spoken.caps[spoken.rows[n].value] = {};
  }
  for (const EnvelopeRow& row : rows) {
    spoken.caps[row.instrument.value] =
        cap_for(row, row.instrument, portfolio.position(row.instrument), head.as_of);
  }
  if (all) {
    for (std::size_t i = 0; i < listed; ++i) tightened = combine(i) || tightened;
  } else {
    for (std::size_t n = 0; n < spoken.count; ++n) {
      tightened = combine(spoken.rows[n].value) || tightened;
    }
    for (const EnvelopeRow& row : rows) tightened = combine(row.instrument.value) || tightened;
  }
  std::uint32_t capped = 0;
  for (const EnvelopeRow& row : rows) capped += limits(row) ? 1U : 0U;
  if (limits(others)) capped += static_cast<std::uint32_t>(listed - rows.size());
  seats_[head.module].capped = capped;
  spoken.count = rows.size();
  for (std::size_t n = 0; n < rows.size(); ++n) spoken.rows[n] = rows[n].instrument;
  return tightened;
}

void EnvelopeBook::list(InstrumentId id) noexcept {
  if (id.value >= caps_.size()) return;
  for (std::size_t m = 0; m < used_; ++m) {
    spoken_[m].caps[id.value] = cap_of(spoken_[m].others, Qty{});
  }
  (void)combine(id.value);
}

// True when the instrument's cap became tighter.
bool EnvelopeBook::combine(std::size_t id) noexcept {
  EnvelopeCap all;
  for (std::size_t m = 0; m < used_; ++m) {
    const EnvelopeCap& one = spoken_[m].caps[id];
    all.ceiling = std::min(all.ceiling, one.ceiling);
    all.floor = std::max(all.floor, one.floor);
    all.veto = static_cast<std::uint8_t>(all.veto | one.veto);
  }
  const bool tightened = tighter(caps_[id], all);
  caps_[id] = all;
  return tightened;
}

void EnvelopeBook::look_until() noexcept {
  until_ = RecvTime{INT64_MAX};
  for (std::size_t m = 0; m < used_; ++m) {
    if (seats_[m].counts()) until_ = std::min(until_, seats_[m].until);
  }
}

}  // namespace gimbal
