#include "strategies/liquidation/plan.hpp"

#include <algorithm>

#include "engine/core/math.hpp"
#include "engine/core/risk/price_collar.hpp"

namespace gimbal {
namespace {

// One unit of amount of a position, closed.
struct Unit {
  double relief{0};  // maintenance margin given back, settlement currency
  double cost{0};    // what it loses: distance from the mark, and the fee
  double paid{0};    // what the margin balance loses; for an option its price as well
  double delta{0};   // coins, signed: what closing does to the residual
};

double fee_of(const Instrument& i, double price, double index) noexcept {
  const double rate = static_cast<double>(i.taker_fee_nano) * 1e-9;
  if (!is_option(i.kind)) return is_inverse(i.kind) ? rate / price : rate * price;
  const double unit = is_inverse(i.kind) ? rate : rate * index;
  return std::min(unit, 0.125 * price);  // the venue's cap on option fees
}

Price limit_of(const Instrument& i, Side side, Price best, Price mark, const PlanAsk& ask,
               const RiskLimits& limits) noexcept {
  const LiquidationConfig& c = *ask.config;
  const bool option = is_option(i.kind);
  const std::int64_t bps = option ? (ask.black ? c.black_option_collar_bps : c.option_collar_bps)
                                  : (ask.black ? c.black_collar_bps : c.collar_bps);
  const auto reach = static_cast<std::int64_t>(static_cast<i128>(best.nano) * bps / 10000);
  // Never beyond the gate's own collar, and one tick inside for the rounding to the schedule.
  const i128 width = PriceCollar::width(i, mark, limits) -
                     (option ? i.ticks.tick_at(mark).nano : i.ticks.base.nano);
  const i128 edge = side == Side::buy ? mark.nano + width : mark.nano - width;
  const i128 wanted = side == Side::buy ? static_cast<i128>(best.nano) + reach : best.nano - reach;
  const i128 limit = side == Side::buy ? std::min(wanted, edge) : std::max(wanted, edge);
  return Price{limit > 0 && fits_int64(limit) ? static_cast<std::int64_t>(limit) : 0};
}

// What a change of the hedge by `coins` (signed, at the margin) does to relief and cost.
void add_hedge(Unit& unit, const StrategyView& view, const PlanAsk& ask) noexcept {
  const Instrument& h = view.instruments()[ask.hedge];
  const std::optional<Price> mark = view.mark(ask.hedge);
  const std::optional<Price> index = view.index(h.underlying);
  if (!mark || !index) return;
  // Under portfolio margin the relief comes from both together, below.
  const double price = to_double(*mark);
  const double held = to_double(view.position(ask.hedge));
  const double coins = math::abs(unit.delta);
  const double amount = is_inverse(h.kind) ? coins * price : coins;
  const double margin = amount * relief_per_unit(h, held, price, to_double(*index), *ask.config);
  // The hedge trades -delta: it shrinks where its position has the sign of delta.
  unit.relief += held * unit.delta > 0 ? margin : -margin;
  const double fee = amount * fee_of(h, price, to_double(*index));
  unit.cost += fee;
  unit.paid += fee;
}

// Coins of one unit in the direction of closing.
double delta_of(const Instrument& i, const StrategyView& view, InstrumentId id, bool buy,
                double price) noexcept {
  double per_unit = 1;
  if (is_option(i.kind)) {
    per_unit = view.option_mark(id).delta_net;
  } else if (is_inverse(i.kind)) {
    per_unit = 1 / price;
  }
  return buy ? per_unit : -per_unit;
}

constexpr double unbounded = 1e18;

// Most that may be closed so that the residual does not pass zero by more than the band.
double bound_at(double residual, double delta, double band) noexcept {
  const double size = math::abs(residual);
  const double room = residual * delta < 0 ? size + band : std::max(band - size, 0.0);
  return room / math::abs(delta);
}

// Amount units; in every outcome of unknown orders.
double delta_bound(const Unit& unit, const ResidualDelta& r, const LiquidationConfig& c,
                   bool is_hedge, bool hedge_trades) noexcept {
  const bool hedged = c.hedged && hedge_trades;
  if (unit.delta == 0 || (hedged && !is_hedge)) return unbounded;
  const double band = c.hedged ? 0 : c.band;
  const double low = static_cast<double>(r.unknown.low) * 1e-9;
  const double high = static_cast<double>(r.unknown.high) * 1e-9;
  return std::min(bound_at(low, unit.delta, band), bound_at(high, unit.delta, band));
}

Qty lots_of(const Instrument& i, double amount, Qty held, Qty depth, Price price, Money usd_max,
            const StrategyView& view) noexcept {
  const RiskLimits& limits = view.limits();
  const std::optional<Price> index = view.index(i.underlying);
  Money lot_usd;
  if (!index || !i.exposure_usd(price, i.lot, *index, lot_usd) || lot_usd.nano <= 0) return {};
  const std::int64_t usd = std::min(usd_max.nano, limits.max_order_usd.nano);
  i128 lots = std::min<i128>(limits.max_order_lots, usd / lot_usd.nano);
  std::int64_t wanted = 0;
  if (!decision_nano(std::min(amount, 9e9), wanted)) return {};
  lots = std::min(lots, divide(wanted, i.lot.nano, Rounding::up));
  lots = std::min<i128>(lots, std::min(held, depth).nano / i.lot.nano);
  const i128 whole = lots * i.lot.nano;
  if (lots <= 0 || Qty{static_cast<std::int64_t>(whole)} < i.amount_min) return {};
  return Qty{static_cast<std::int64_t>(whole)};
}

class Search {
 public:
  Search(const MarginAccount& account, const StrategyView& view, const PlanAsk& ask,
         bool paired) noexcept
      : portfolio_{account.portfolio()}, view_{view}, ask_{ask}, paired_{paired} {}

  void consider(InstrumentId id) noexcept {
    const Instrument& i = view_.instruments()[id];
    const Qty held = view_.position(id);
    if (held.nano == 0 || i.state != InstrumentState::open) return;
    const bool buy = held.nano < 0;
    const Exposure& open = view_.exposure(id);
    if ((buy ? open.worst_buy() : open.worst_sell()).nano > 0) return;
    if (view_.mode(ask_.strategy, id) >= Mode::halt) return;
    const std::optional<Price> mark = view_.mark(id);
    const std::optional<Price> index = view_.index(i.underlying);
    const std::optional<BookView> book = view_.book(id);
    if (!mark || !index || !book || !know_residual(i.underlying)) return;
    const auto best = buy ? book->best_ask() : book->best_bid();
    if (!best || (is_option(i.kind) && !view_.option_mark(id).usable)) return;
    const Side side = buy ? Side::buy : Side::sell;
    const Price limit = limit_of(i, side, best->price, *mark, ask_, view_.limits());
    if (limit.nano <= 0 || (buy ? limit < best->price : limit > best->price)) return;
    Unit unit = unit_of(i, id, buy, to_double(*mark), to_double(best->price), to_double(*index));
    double most = delta_bound(unit, residual_, *ask_.config, id == ask_.hedge, ask_.hedge_trades);
    // Amounts are rounded up to a lot: the bound is not to be passed by it.
    if (most < unbounded) most -= to_double(i.lot);
    const Qty depth = book->depth(side, abs(held), limit).amount;
    const auto lots_for = [&](double amount) noexcept {
      return lots_of(i, amount, abs(held), depth, *mark, ask_.config->slice_usd_max, view_);
    };
    Qty lots{};
    double gain = 0;
    if (portfolio_.known()) {
      const Qty slice = lots_for(most);
      // Beyond the point where another scenario becomes the worst a slice gives less, or nothing.
      for (const std::int64_t part : {1, 4, 16}) {
        const Qty trial = lots_for(to_double(slice) / static_cast<double>(part));
        unit.relief = relief_of(id, buy, trial, unit.delta);
        gain = unit.relief - ask_.config->target_health * unit.paid;
        lots = gain > 0 ? lots_for(std::min(needed(gain), to_double(trial))) : Qty{};
        if (lots.nano > 0) break;
      }
    } else {
      gain = unit.relief - ask_.config->target_health * unit.paid;
      if (gain > 0) lots = lots_for(std::min(needed(gain), most));
    }
    if (!(gain > 0)) return;
    const double score = gain / (unit.cost + 1e-6 * gain);
    if (found_.instrument.valid() && score <= score_) return;
    if (lots.nano <= 0) return;
    score_ = score;
    found_ = {
        id, side, limit, lots, *mark, unit.relief * to_double(lots), unit.cost * to_double(lots)};
  }
  [[nodiscard]] const Reduction& found() const noexcept { return found_; }

 private:
  [[nodiscard]] Unit unit_of(const Instrument& i, InstrumentId id, bool buy, double mark,
                             double best, double index) const noexcept {
    Unit unit;
    const double amount = to_double(view_.position(id));
    // Options by our own price: the venue's mark is up to a second old.
    const double value = is_option(i.kind) ? view_.option_mark(id).price : mark;
    unit.relief = relief_per_unit(i, amount, value, index, *ask_.config);
    const double distance = std::max(buy ? best - value : value - best, 0.0);
    const bool inverse_future = is_inverse(i.kind) && !is_option(i.kind);
    unit.cost = (inverse_future ? distance / (mark * mark) : distance) + fee_of(i, best, index);
    // The margin balance leaves options out: buying one back is paid from it in full.
    unit.paid = unit.cost + (is_option(i.kind) && !portfolio_.counts_options() ? value : 0);
    unit.delta = delta_of(i, view_, id, buy, mark);
    if (ask_.config->hedged && ask_.hedge_trades && id != ask_.hedge) add_hedge(unit, view_, ask_);
    return unit;
  }
  // Portfolio margin: of one unit of a slice, with what the hedge does about its delta. The
  // requirement is convex in the amount, so a smaller slice gives no less per unit.
  [[nodiscard]] double relief_of(InstrumentId id, bool buy, Qty slice,
                                 double delta) const noexcept {
    if (slice.nano <= 0) return 0;
    const double size = to_double(slice);
    const bool hedged = ask_.config->hedged && ask_.hedge_trades;
    Qty hedge{};
    if (paired_ && (hedged || id == ask_.hedge)) return 0;
    if ((hedged || paired_) && id != ask_.hedge) {
      const std::optional<Price> mark = view_.mark(ask_.hedge);
      if (!mark) return 0;
      const double price =
          is_inverse(view_.instruments()[ask_.hedge].kind) ? to_double(*mark) : 1.0;
      if (!decision_nano(-delta * size * price, hedge.nano)) return 0;
    }
    if (paired_) {  // the next step's own reduction of the hedge instrument: it only shrinks
      const Qty held = view_.position(ask_.hedge);
      if ((held.nano > 0) == (hedge.nano > 0) || abs(hedge) > abs(held)) return 0;
    }
    const Qty trade = buy ? slice : -slice;
    return portfolio_.relief(view_, id, trade, ask_.hedge, hedge) / size;
  }
  // Amount y after which MM - relief y <= target (E - paid y), where missing = MM - target E.
  [[nodiscard]] double needed(double gain) const noexcept {
    return ask_.whole_slices ? unbounded : ask_.missing / gain;
  }
  bool know_residual(UnderlyingId u) noexcept {
    if (u != residual_of_) {
      residual_of_ = u;
      const std::optional<ResidualDelta> r = view_.residual(u);
      residual_known_ = r.has_value();
      if (r) residual_ = *r;
    }
    return residual_known_;
  }

  const PortfolioMargin& portfolio_;
  const StrategyView& view_;
  const PlanAsk& ask_;
  const bool paired_;
  Reduction found_{};
  double score_{0};
  UnderlyingId residual_of_{0xFF};
  ResidualDelta residual_{};
  bool residual_known_{false};
};

Reduction search(const MarginAccount& account, const StrategyView& view, const PlanAsk& ask,
                 bool paired) noexcept {
  Search all{account, view, ask, paired};
  for (std::size_t n = 0; n < account.futures(); ++n) all.consider(account.future(n));
  for (std::size_t n = 0; n < account.shorts(); ++n) all.consider(account.short_option(n));
  return all.found();
}

}  // namespace

// Where two scenarios are equally bad, each reduction alone only trades one for the other: then an
// option goes that frees margin together with the part of the hedge instrument that it leaves over.
Reduction best_reduction(const MarginAccount& account, const StrategyView& view,
                         const PlanAsk& ask) noexcept {
  const Reduction one = search(account, view, ask, false);
  if (one.instrument.valid() || !account.portfolio().known()) return one;
  return search(account, view, ask, true);
}

}  // namespace gimbal
