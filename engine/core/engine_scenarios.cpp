// The account under every scenario: what the gate is told. When rows are asked for and how they
// come in: engine_scenario_rows.cpp.
#include <array>
#include <optional>

#include "engine/core/engine_core.hpp"
#include "engine/core/math.hpp"

namespace gimbal {
// The book of one underlying and settlement with its open and unknown orders. False: not known.
bool EngineCore::scenario_cells(UnderlyingId u, bool inverse, const RiskNumbers& risk,
                                ScenarioCells::Cells& cells) const noexcept {
  ScenarioCells::Position p;
  p.spot = portfolio_.perpetual_mid(u);
  p.index = to_double(coins_[u.value].index);
  p.coins = inverse ? risk.delta_one - risk.linear_one : risk.linear_one;
  if (!risk.complete || !(p.index > 0) || !cells_.complete(u, inverse, p.spot)) return false;
  if (!cells_.young(u, inverse, now_)) return false;
  bool options = false;
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    const Instrument& i = table_[o.instrument];
    if (o.underlying != u || is_inverse(i.kind) != inverse) continue;
    options = options || is_option(i.kind);
    if (is_option(i.kind)) continue;
    const std::optional<double> coins = coins_of(o.instrument, o.open_amount());
    if (!coins) return false;
    (o.side == Side::buy ? p.open_buy : p.open_sell) += *coins;
  }
  if (orders_.any_twins() && !add_twin_coins(u, inverse, p)) return false;
  cells = cells_.cells(u, inverse, p);
  for (std::size_t n = 0; options && n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    const Instrument& i = table_[o.instrument];
    if (o.underlying != u || is_inverse(i.kind) != inverse || !is_option(i.kind)) continue;
    if (!cells_.fresh(i, p.spot, now_)) return false;
    cells_.add_worst(cells, i, to_double(signed_qty(o.side, o.open_amount())), p.spot);
  }
  return !orders_.any_twins() || add_option_twins(u, inverse, p.spot, cells);
}

// The worst scenarios of the other underlyings of the same account, each at its own: coins that
// do not move together are not netted. Where nothing is held or open there is nothing to lose,
// priced or not; where something is, a price that is missing leaves the sum unknown.
bool EngineCore::other_losses(const Instrument& i, double& sum) const noexcept {
  sum = 0;
  if (is_inverse(i.kind)) return true;  // paid in their own coin
  std::array<bool, underlyings_max> used{};
  const auto use = [&](InstrumentId id) noexcept {
    const UnderlyingId u = table_[id].underlying;
    if (is_inverse(table_[id].kind)) return true;
    if (u.value < underlyings_max) used[u.value] = true;
    return u.value < underlyings_max;
  };
  for (const InstrumentId id : held_) {
    if (!use(id)) return false;
  }
  for (std::size_t n = 0; n < orders_.listed(); ++n) {
    const Order& o = orders_.open_order(n);
    if (o.open_amount().nano != 0 && !use(o.instrument)) return false;
  }
  for (std::size_t n = 0; orders_.any_twins() && n < table_.size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    const OrderTable::TwinAmounts twins = orders_.twins(id);
    if ((twins.buy != Qty{} || twins.sell != Qty{}) && !use(id)) return false;
  }
  for (std::size_t v = 0; v < underlyings_max; ++v) {
    const UnderlyingId u{static_cast<std::uint8_t>(v)};
    if (u == i.underlying || !used[v]) continue;
    ScenarioCells::Cells cells;
    if (!scenario_cells(u, false, portfolio_.risk(u), cells)) return false;
    sum += cells_.worst_loss(cells, false, to_double(coins_[v].index));
  }
  return true;
}

// What is held alone; empty: not known. What the ladder on portfolio margin stands on.
std::optional<ScenarioBook> EngineCore::held_scenarios(UnderlyingId u,
                                                       bool inverse) const noexcept {
  if (!cells_.used() || u.value >= underlyings_max) return {};
  if (!cells_.young(u, inverse, now_)) return {};
  const RiskNumbers risk = portfolio_.risk(u);
  ScenarioCells::Position p;
  p.spot = portfolio_.perpetual_mid(u);
  p.index = to_double(coins_[u.value].index);
  p.coins = inverse ? risk.delta_one - risk.linear_one : risk.linear_one;
  if (!risk.complete || !(p.index > 0) || !cells_.complete(u, inverse, p.spot)) return {};
  const ScenarioBook book = cells_.held_book(u, inverse, p);
  double all = 0;  // one that is no number spoils it
  for (std::size_t n = 0; n < ScenarioBook::cells; ++n) {
    all += book.loss[n] + book.slope[n] + book.half_curve[n];
  }
  if (!math::finite(all)) return {};
  return book;
}

// Rows of a moved anchor that are not priced yet, and not for want of time.
bool EngineCore::scenarios_awaited(UnderlyingId u, bool inverse) const noexcept {
  if (!cells_.used() || u.value >= underlyings_max) return false;
  if (!cells_.young(u, inverse, now_)) return false;
  return !cells_.complete(u, inverse, portfolio_.perpetual_mid(u));
}

// Adds what `signed_amount` more of an instrument would earn. False: not known.
bool EngineCore::add_profit(InstrumentId id, Qty signed_amount,
                            ScenarioBook::Cells& profit) const noexcept {
  if (!cells_.used() || !table_.contains(id)) return false;
  const Instrument& i = table_[id];
  const double spot = portfolio_.perpetual_mid(i.underlying);
  if (is_option(i.kind)) {
    if (!cells_.fresh(i, spot, now_)) return false;
    cells_.add_option(profit, i, to_double(signed_amount), spot);
    return true;
  }
  const std::optional<double> coins = coins_of(id, signed_amount);
  if (!coins || !(spot > 0)) return false;
  cells_.add_future(profit, is_inverse(i.kind), *coins, spot);
  return true;
}

void EngineCore::gather_scenarios(GateContext& c, const RiskNumbers& risk,
                                  Qty signed_added) const noexcept {
  const Instrument& i = *c.instrument;
  const bool inverse = is_inverse(i.kind);
  if (!cells_.used() || !c.delta_known) return;
  const MarginReport* report = margin(i.venue, i.settlement);
  const RecvTime at = view().margin_at(i.venue, i.settlement);
  if (report == nullptr || now_ - at > cells_.config().report_age_max) return;
  ScenarioCells::Cells cells;
  double others = 0;
  if (!scenario_cells(i.underlying, inverse, risk, cells) || !other_losses(i, others)) return;
  const double index = to_double(c.index);
  const double spot = portfolio_.perpetual_mid(i.underlying);
  const double before = others + cells_.worst_loss(cells, inverse, index);
  if (is_option(i.kind)) {
    if (!cells_.fresh(i, spot, now_)) return;
    cells_.add_option(cells, i, to_double(signed_added), spot);
  } else {
    cells_.add_future(cells, inverse, static_cast<double>(c.order_delta) * 1e-9, spot);
  }
  const double after = others + cells_.worst_loss(cells, inverse, index);
  c.scenario.balance = report->margin_balance;
  c.scenario.known =
      decision_nano(before, c.scenario.loss_before) && decision_nano(after, c.scenario.loss_after);
}

}  // namespace gimbal
