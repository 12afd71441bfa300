#include "strategies/liquidation/portfolio_margin.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "engine/core/math.hpp"

namespace gimbal {

std::size_t ExpiryDeltas::find(ExchTime expiry) const noexcept {
  std::size_t n = 0;
  while (n < count_ && expiry_[n] != expiry) ++n;
  return n;
}

bool ExpiryDeltas::open(const StrategyView& view, InstrumentId id) noexcept {
  const ExchTime expiry = view.instruments()[id].expiry;
  if (find(expiry) < count_) return true;
  const std::optional<double> years = view.years_left(id);
  if (!years || count_ == expiries_max) return false;
  const ScenarioConfig& c = view.scenario_config();
  expiry_[count_] = expiry;
  rate_[count_] = std::max(math::exp(c.annual_move * *years) - 1.0, c.roll_min);
  delta_[count_] = 0;
  ++count_;
  return true;
}

bool ExpiryDeltas::add(const Instrument& i, double coins, bool bought_option) noexcept {
  const std::size_t n = find(i.expiry);
  if (n == count_) return false;
  delta_[n] += coins;
  (bought_option ? bought_ : sold_) += coins;
  return true;
}

double ExpiryDeltas::shocks(const ScenarioConfig& c, double index) const noexcept {
  double roll = 0;
  for (std::size_t n = 0; n < count_; ++n) roll += math::abs(delta_[n]) * rate_[n];
  // Long options only offset: they cannot turn the sign.
  const double size =
      math::abs(std::clamp(sold_ + bought_, std::min(sold_, 0.0), std::max(sold_, 0.0)));
  const double excess = std::max(size * index - c.delta_shock_threshold_usd, 0.0) / index;
  return roll + size * std::min(c.delta_shock_per_coin * excess, c.delta_shock_max);
}

void PortfolioMargin::look(const StrategyView& view, InstrumentId hedge, const ExpiryDeltas& deltas,
                           const MarginTerms& options) noexcept {
  forget();
  const Instrument& h = view.instruments()[hedge];
  const bool inverse = is_inverse(h.kind);
  const std::optional<Price> index = view.index(h.underlying);
  const std::optional<ScenarioBook> book = view.scenarios(h.underlying, inverse);
  const ScenarioConfig& c = view.scenario_config();
  if (!index || !(c.maintenance_factor > 0)) return;
  awaited_ = !book && view.scenarios_awaited(h.underlying, inverse);
  if (!book) return;
  index_ = to_double(*index);
  unit_ = inverse ? 1.0 : index_;
  factor_ = c.maintenance_factor;
  book_ = *book;
  deltas_ = deltas;
  options_ = options;
  shocks_ = unit_ * deltas_.shocks(c, index_);
  known_ = math::finite(shocks_) && math::finite(options.equity);
}

// The cushion is the least over the scenarios, so its nearest root is the nearest of theirs. The
// padding of the book is the scenario that loses nothing.
CushionRoots PortfolioMargin::roots(const MarginTerms& futures) const noexcept {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  CushionRoots nearest{none, none};
  for (const bool with_options : {false, true}) {
    if (balance_ == (with_options ? LadderBalance::margin_balance : LadderBalance::equity))
      continue;
    MarginTerms t;
    t.equity = futures.equity + (with_options ? options_.equity : 0);
    t.equity_slope = futures.equity_slope + (with_options ? options_.equity_slope : 0);
    t.equity_curve = futures.equity_curve + (with_options ? options_.equity_curve : 0);
    for (std::size_t n = 0; n < ScenarioBook::cells; ++n) {
      t.maintenance = factor_ * (book_.loss[n] + shocks_);
      t.maintenance_slope = factor_ * book_.slope[n];
      t.maintenance_curve = 2 * factor_ * book_.half_curve[n];
      const CushionRoots r = cushion_roots(t);
      if (r.below == 0 && r.above == 0) return {0, 0};
      if (!(nearest.below >= r.below)) nearest.below = r.below < 0 ? r.below : nearest.below;
      if (!(nearest.above <= r.above)) nearest.above = r.above > 0 ? r.above : nearest.above;
    }
  }
  return nearest;
}

bool PortfolioMargin::add_delta(const StrategyView& view, InstrumentId id, Qty amount,
                                ExpiryDeltas& deltas) noexcept {
  const Instrument& i = view.instruments()[id];
  const double size = to_double(amount);
  if (is_option(i.kind)) {
    // A trade of a bought option is a smaller bought option.
    return deltas.add(i, size * view.option_mark(id).delta_net, view.position(id).nano > 0);
  }
  const std::optional<double> price = view.delta_price(id);
  if (!price || !(*price > 0)) return false;
  return deltas.add(i, is_inverse(i.kind) ? size / *price : size, false);
}

double PortfolioMargin::relief(const StrategyView& view, InstrumentId id, Qty signed_amount,
                               InstrumentId hedge, Qty hedge_amount) const noexcept {
  if (!known_) return 0;
  ScenarioBook::Cells profit{};
  ExpiryDeltas after = deltas_;
  if (!view.add_scenario_profit(id, signed_amount, profit)) return 0;
  if (!add_delta(view, id, signed_amount, after)) return 0;
  if (hedge_amount.nano != 0) {
    if (!view.add_scenario_profit(hedge, hedge_amount, profit)) return 0;
    if (!after.open(view, hedge) || !add_delta(view, hedge, hedge_amount, after)) return 0;
  }
  const double shocks = unit_ * after.shocks(view.scenario_config(), index_);
  return factor_ * (book_.worst(0) + shocks_ - book_.worst_after(profit) - shocks);
}

}  // namespace gimbal
