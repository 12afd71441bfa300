#include "engine/core/execution_gap.hpp"

#include <algorithm>
#include <bit>

namespace gimbal {
namespace {

bool in_usd(const Instrument& i, Money money, Price index, Money& out) noexcept {
  if (!is_inverse(i.kind)) {
    out = money;
    return true;
  }
  if (index.nano <= 0) return false;
  const i128 usd =
      divide(static_cast<i128>(money.nano) * index.nano, nano_per_unit, Rounding::nearest);
  if (!fits_int64(usd)) return false;
  out = Money{static_cast<std::int64_t>(usd)};
  return true;
}

void add(GapTotals& t, const FillGap& g, Money traded) noexcept {
  ++t.fills;
  if (!g.priced) ++t.unpriced;
  t.traded_usd += traded;
  t.shortfall_usd += g.shortfall_usd;
  t.delay_usd += g.delay_usd;
  t.theory_usd += g.theory_usd;
  t.fees_usd += g.fee_usd;
}

}  // namespace

bool profit_usd(const Instrument& i, Price from, Price to, Qty amount, Price index,
                Money& out) noexcept {
  Money money;
  return from.nano > 0 && to.nano > 0 && i.profit(from, to, amount, money) &&
         in_usd(i, money, index, out);
}

ExecutionGaps::ExecutionGaps(std::size_t fills_kept)
    : ring_(std::bit_ceil(std::max<std::size_t>(fills_kept, 2))), mask_{ring_.size() - 1} {}

void ExecutionGaps::on_fill(const Instrument& i, const Order& order, const Fill& fill, Price index,
                            RecvTime now) noexcept {
  make_room();
  FillGap& g = ring_[total_ & mask_];
  g = FillGap{};
  g.order = order.id;
  g.instrument = i.id;
  g.venue = order.venue;
  g.side = fill.side;
  g.at = now;
  g.price = fill.price;
  g.amount = fill.amount;
  g.decision = order.decision_price;
  g.theoretical = order.decision.theoretical;
  g.arrival = order.decision.arrival;
  g.index = index;
  const Qty amount = signed_qty(fill.side, fill.amount);
  g.priced = profit_usd(i, g.decision, g.price, amount, index, g.shortfall_usd);
  (void)profit_usd(i, g.decision, g.arrival, amount, index, g.delay_usd);
  (void)profit_usd(i, g.theoretical, g.price, amount, index, g.theory_usd);
  if (fill.fee.nano != absent_nano) (void)in_usd(i, fill.fee, index, g.fee_usd);
  Money traded;
  (void)i.notional_usd(fill.price, fill.amount, index, traded);
  ++total_;
  add(strategies_[order.id.strategy().value % strategies_.size()], g, traded);
  add(venues_[order.venue.value % venues_.size()], g, traded);
  plan();
}

const FillGap* ExecutionGaps::due(std::size_t which, RecvTime now) const noexcept {
  if (next_[which] == total_) return nullptr;
  const FillGap& g = ring_[next_[which] & mask_];
  return g.at + gap_marks[which] <= now ? &g : nullptr;
}

void ExecutionGaps::mark(std::size_t which, const Instrument& i, Price price) noexcept {
  FillGap& g = ring_[next_[which]++ & mask_];
  Money gain;
  if (profit_usd(i, g.price, price, signed_qty(g.side, g.amount), g.index, gain)) {
    g.mark[which] = price;
    g.after_usd[which] = gain;
    GapTotals& strategy = strategies_[g.order.strategy().value % strategies_.size()];
    GapTotals& venue = venues_[g.venue.value % venues_.size()];
    for (GapTotals* t : {&strategy, &venue}) {
      ++t->marked[which];
      t->after_usd[which] += gain;
    }
  }
  plan();
}

// The oldest fill gives up its mark when the ring is full: fills are never refused.
void ExecutionGaps::make_room() noexcept {
  for (std::uint64_t& next : next_) {
    if (total_ - next < ring_.size()) continue;
    ++next;
    ++dropped_;
  }
}

void ExecutionGaps::plan() noexcept {
  due_ = RecvTime{INT64_MAX};
  for (std::size_t which = 0; which < next_.size(); ++which) {
    if (next_[which] == total_) continue;
    due_ = std::min(due_, ring_[next_[which] & mask_].at + gap_marks[which]);
  }
}

}  // namespace gimbal
