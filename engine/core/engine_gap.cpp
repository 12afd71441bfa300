// What the engine knows for the execution gap: prices when an order is decided, when it leaves, and
// after its fills.
#include "engine/core/engine_core.hpp"

namespace gimbal {

Price EngineCore::mid_of(InstrumentId id) const noexcept {
  const Market* m = market(id);
  if (m == nullptr) return {};
  if (m->book != nullptr) {
    if (const std::optional<Quote> quote = m->book->top()) return quote->mid();
  }
  return m->mark;
}

OrderDecision EngineCore::decision_on(InstrumentId id) const noexcept {
  OrderDecision d;
  const Market& m = markets_[id.value];
  if (m.book != nullptr) {
    if (const std::optional<Quote> quote = m.book->top()) d.book = *quote;
  }
  d.theoretical = m.mark;
  d.models = portfolio_.models(table_[id].underlying);
  if (is_option(table_[id].kind)) {
    const OptionMark ours = portfolio_.mark(id);
    std::int64_t nano = 0;
    if (ours.usable && decision_nano(ours.price, nano)) d.theoretical = Price{nano};
  }
  return d;
}

void EngineCore::note_gap(const Order& order, const Fill& fill) noexcept {
  // Decided by an earlier boot: known when its journal and status had it.
  if (order.adopted && order.decision_price.nano <= 0) return;
  const Instrument& i = table_[order.instrument];
  Price index = fill.index.nano != absent_nano ? fill.index : Price{};
  if (index.nano <= 0 && i.underlying.value < underlyings_max) {
    index = coins_[i.underlying.value].index;
  }
  gaps_.on_fill(i, order, fill, index, now_);
}

void EngineCore::mark_fills() noexcept {
  for (std::size_t which = 0; which < gap_marks.size(); ++which) {
    for (std::size_t n = 0; n < gap_marks_per_step; ++n) {
      const FillGap* fill = gaps_.due(which, now_);
      if (fill == nullptr) break;
      gaps_.mark(which, table_[fill->instrument], mid_of(fill->instrument));
    }
  }
}

}  // namespace gimbal
