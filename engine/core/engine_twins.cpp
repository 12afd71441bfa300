// Orders under labels of ours that are not ours (orders.hpp, "a twin"): they are nobody's to
// cancel, and each may fill or not. What they may do to the delta and to the scenarios. False: not
// known.
#include "engine/core/engine_core.hpp"

namespace gimbal {

bool EngineCore::add_twins(UnderlyingId u, ResidualDelta& r, std::int64_t& unknown_low,
                           std::int64_t& unknown_high) const noexcept {
  for (std::size_t n = 0; n < table_.size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    const OrderTable::TwinAmounts twins = orders_.twins(id);
    if (table_[id].underlying != u) continue;
    for (const Qty amount : {twins.buy, Qty{} - twins.sell}) {
      if (amount == Qty{}) continue;
      const std::optional<double> coins = coins_of(id, amount);
      std::int64_t d = 0;
      if (!coins || !decision_nano(*coins, d)) return false;
      ++r.unknown_orders;
      (d < 0 ? r.worst.low : r.worst.high) += d;
      (d < 0 ? unknown_low : unknown_high) += d;
    }
  }
  return true;
}

// Of futures and perpetuals.
bool EngineCore::add_twin_coins(UnderlyingId u, bool inverse,
                                ScenarioCells::Position& p) const noexcept {
  for (std::size_t n = 0; n < table_.size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    const Instrument& i = table_[id];
    if (i.underlying != u || is_inverse(i.kind) != inverse || is_option(i.kind)) continue;
    const OrderTable::TwinAmounts twins = orders_.twins(id);
    if (twins.buy == Qty{} && twins.sell == Qty{}) continue;
    const std::optional<double> buy = coins_of(id, twins.buy);
    const std::optional<double> sell = coins_of(id, twins.sell);
    if (!buy || !sell) return false;
    p.open_buy += *buy;
    p.open_sell += *sell;
  }
  return true;
}

bool EngineCore::add_option_twins(UnderlyingId u, bool inverse, double spot,
                                  ScenarioCells::Cells& cells) const noexcept {
  for (std::size_t n = 0; n < table_.size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    const Instrument& i = table_[id];
    if (i.underlying != u || is_inverse(i.kind) != inverse || !is_option(i.kind)) continue;
    const OrderTable::TwinAmounts twins = orders_.twins(id);
    for (const Qty amount : {twins.buy, Qty{} - twins.sell}) {
      if (amount == Qty{}) continue;
      if (!cells_.fresh(i, spot, now_)) return false;
      cells_.add_worst(cells, i, to_double(amount), spot);
    }
  }
  return true;
}

}  // namespace gimbal
