// FLATTEN: which positions, how much of each in the worst case, and at what price.
#include <algorithm>

#include "engine/core/engine_core.hpp"
#include "engine/core/risk/lowers_risk.hpp"
#include "engine/core/risk/price_collar.hpp"

namespace gimbal {
namespace {

i128 product_nano(i128 a, i128 b) noexcept { return divide(a * b, nano_per_unit, Rounding::up); }

Qty whole_lots(i128 amount, Qty lot) noexcept {
  return Qty{static_cast<std::int64_t>(amount - amount % lot.nano)};
}

}  // namespace

bool EngineCore::flatten_covers(InstrumentId id) const noexcept {
  const Scope scope = flatten_.shown.scope;
  const Instrument& i = table_[id];
  switch (scope.level) {
    case ScopeLevel::global: return true;
    case ScopeLevel::venue:
    case ScopeLevel::account: return i.venue.value == scope.id;
    case ScopeLevel::underlying: return i.underlying.value == scope.id;
    case ScopeLevel::instrument: return id.value == scope.id;
    case ScopeLevel::strategy: return false;
  }
  return false;
}

bool EngineCore::flatten_selects(InstrumentId id) const noexcept {
  if (!flatten_covers(id)) return false;
  const Instrument& i = table_[id];
  if ((flatten_.shown.flags & flatten_flag::hedge_only) != 0) {
    return i.underlying.value < underlyings_max && !is_option(i.kind) &&
           setup_.underlyings[i.underlying.value].hedge == id;
  }
  if (!markets_[id.value].held || i.state == InstrumentState::settled) return false;
  return !is_option(i.kind) || (flatten_.shown.flags & flatten_flag::options) != 0;
}

// The strictest mode over the instrument's scopes, the job's own word aside.
Mode EngineCore::mode_beside(InstrumentId id) const noexcept {
  const Instrument& i = table_[id];
  const std::array<Scope, scope_levels> scopes{Scope{},
                                               Scope{ScopeLevel::venue, i.venue.value},
                                               Scope{ScopeLevel::account, i.venue.value},
                                               Scope{ScopeLevel::strategy, operator_strategy.value},
                                               Scope{ScopeLevel::underlying, i.underlying.value},
                                               Scope{ScopeLevel::instrument, id.value}};
  Mode mode = Mode::active;
  for (const Scope scope : scopes) {
    if (scope != flatten_.shown.scope) mode = stricter(mode, gate_.modes().at(scope));
  }
  return mode;
}

// Signed amount to trade: the position at its smallest over all outcomes of open and unknown
// orders, zero where its sign can differ. Hedge only: the same of the underlying's delta.
Qty EngineCore::flatten_want(InstrumentId id) const noexcept {
  const Exposure& e = orders_.exposure(id);
  if ((flatten_.shown.flags & flatten_flag::hedge_only) == 0) {
    const Qty held = portfolio_.position(id);
    const Qty low = held - e.worst_sell();
    const Qty high = held + e.worst_buy();
    if (low.nano > 0) return -low;
    return high.nano < 0 ? -high : Qty{};
  }
  const Instrument& i = table_[id];
  const std::optional<ResidualDelta> now = residual(i.underlying);
  const std::optional<double> price = delta_price(id);
  if (!now || !price || e.open > 0) return {};
  const DeltaRange range = now->worst;
  const std::int64_t coins = range.low > 0 ? -range.low : (range.high < 0 ? -range.high : 0);
  const double amount = static_cast<double>(coins) * 1e-9 * (is_inverse(i.kind) ? *price : 1.0);
  std::int64_t nano = 0;
  if (!decision_nano(amount, nano)) return {};
  const Qty lots = whole_lots(nano, i.lot);
  return abs(lots) < i.amount_min ? Qty{} : lots;
}

// The part of `want` that the book holds inside the collar and the limits of one order allow.
FlattenWhy EngineCore::flatten_slice(InstrumentId id, Qty want, Slice& slice) const noexcept {
  const Instrument& i = table_[id];
  const Market& m = markets_[id.value];
  const RiskLimits& limits = gate_.limits();
  if (mode_beside(id) >= Mode::halt) return FlattenWhy::scope_stopped;
  if (abs(want) < i.amount_min) return FlattenWhy::below_minimum;
  if (m.lost || m.drift_since.mono_ns != 0 ||
      pauses_.blocks(OrderScopes{i.venue, operator_strategy, i.underlying, id}, now_)) {
    return FlattenWhy::paused;
  }
  const std::optional<BookView> view = m.book == nullptr ? std::nullopt : m.book->view();
  if (!view) return FlattenWhy::no_book;
  if (m.mark.nano <= 0) return FlattenWhy::paused;
  const Side side = side_of(want);
  const i128 width = PriceCollar::width(i, m.mark, limits);
  const i128 edge = side == Side::buy ? m.mark.nano + width : m.mark.nano - width;
  if (!fits_int64(edge)) return FlattenWhy::no_bid;
  const Price lowest = i.ticks.base;
  const Price limit = i.ticks.snap(std::max(Price{static_cast<std::int64_t>(edge)}, lowest),
                                   side == Side::buy ? Rounding::down : Rounding::up);
  const Depth depth = view->depth(side, abs(want), limit);
  i128 amount =
      std::min<i128>(depth.amount.nano, static_cast<i128>(limits.max_order_lots) * i.lot.nano);
  const Price index =
      i.underlying.value < underlyings_max ? coins_[i.underlying.value].index : Price{};
  Money value;
  const Qty whole = whole_lots(amount, i.lot);
  if (whole.nano > 0 && i.exposure_usd(depth.worst, whole, index, value) &&
      value > limits.max_order_usd) {
    amount = amount * limits.max_order_usd.nano / value.nano;
  }
  slice.amount = whole_lots(amount, i.lot);
  if (slice.amount < i.amount_min || slice.amount.nano <= 0) return FlattenWhy::no_bid;
  if (side == Side::sell) slice.amount = -slice.amount;
  slice.limit = depth.worst;
  return FlattenWhy::none;
}

// To what the reduce rule lets through (P-13 (a)): the hedge of what stays goes as far as the worst
// delta remains inside its limit. Where no part of it would pass it stays whole: the refusal then
// names the rule.
void EngineCore::flatten_cut(InstrumentId id, Slice& slice) const noexcept {
  const Instrument& i = table_[id];
  const GateContext c = gather(id, operator_strategy, side_of(slice.amount), slice.limit,
                               abs(slice.amount), Scenarios::no);
  const std::int64_t usd_max = gate_.limits().max_delta_usd.nano;
  if (!c.delta_known || c.index.nano <= 0 || LowersRisk::eases(c)) return;
  if (LowersRisk::usd(LowersRisk::worst_after(c), c.index) <= usd_max) return;
  const i128 most = static_cast<i128>(usd_max) * nano_per_unit / c.index.nano;
  const bool up = c.order_delta > 0;
  const i128 outward = up ? c.delta.high : -static_cast<i128>(c.delta.low);
  const i128 inward = up ? -static_cast<i128>(c.delta.low) : c.delta.high;
  const i128 room = most - outward - 1;  // the order's coins are rounded
  if (room <= 0 || inward > most) return;
  const i128 moved = up ? c.order_delta : -static_cast<i128>(c.order_delta);
  const Qty part = whole_lots(static_cast<i128>(abs(slice.amount).nano) * room / moved, i.lot);
  if (part < i.amount_min || part.nano <= 0) return;
  slice.amount = signed_qty(side_of(slice.amount), part);
}

// What trading `moved` at `price` would cost against the mark, fee included, in USD.
bool EngineCore::flatten_cost(const Instrument& i, Price mark, Price price, Qty moved,
                              Money& usd) const noexcept {
  const Price index =
      i.underlying.value < underlyings_max ? coins_[i.underlying.value].index : Price{};
  Money cash;
  Money notional;
  if (!i.profit(price, mark, moved, cash) || !i.notional_usd(price, moved, index, notional)) {
    return false;
  }
  i128 total = -static_cast<i128>(cash.nano);
  if (is_inverse(i.kind)) total = product_nano(total, index.nano);
  // Fees: a fraction of the notional; options: coins per contract.
  total += is_option(i.kind)
               ? product_nano(product_nano(abs(moved).nano, i.taker_fee_nano), index.nano)
               : product_nano(notional.nano, i.taker_fee_nano);
  if (!fits_int64(total)) return false;
  usd = Money{static_cast<std::int64_t>(total)};
  return true;
}

std::size_t EngineCore::flatten_unknown() const noexcept {
  std::size_t n = 0;
  for (std::size_t k = 0; k < orders_.listed(); ++k) {
    const Order& o = orders_.open_order(k);
    if (o.state == OrderState::unknown && covers(flatten_.shown.scope, o)) ++n;
  }
  return n;
}

void EngineCore::fill_flatten(EngineStatus& s) const noexcept {
  s.flatten = flatten_.shown;
  FlattenStatus& shown = s.flatten;
  if (shown.phase == FlattenPhase::none) return;
  shown.unknown = static_cast<std::uint32_t>(flatten_unknown());
  const bool hedge_only = (shown.flags & flatten_flag::hedge_only) != 0;
  for (const InstrumentId id : held_) {
    if (!flatten_covers(id)) continue;
    ++shown.held;
    if (shown.items_shown == flatten_items_max) continue;
    const Market& m = markets_[id.value];
    FlattenItem item;
    item.instrument = id;
    item.why = hedge_only || flatten_selects(id) ? m.flatten_why : FlattenWhy::not_selected;
    item.refusal = m.flatten_refusal;
    item.amount = portfolio_.position(id);
    shown.item[shown.items_shown++] = item;
  }
}

}  // namespace gimbal
