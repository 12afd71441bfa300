#include "strategies/liquidation/plan.hpp"

#include <algorithm>

#include "engine/core/math.hpp"
#include "engine/core/risk/price_collar.hpp"

namespace gimbal {
namespace {

// One unit of amount of a position, closed.
struct Unit {
  double relief{0};   // maintenance margin given back, settlement currency
  double cost{0};     // what it loses: distance from the mark, and the fee
  double paid{0};     // what the margin balance loses; for an option its price as well
  double premium{0};  // that price
  double delta{0};    // coins, signed: what closing does to the residual
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

bool hedger_answers(const PlanAsk& ask) noexcept {
  return ask.config->hedged && ask.hedge_trades && !ask.only_neutral;
}

// Residual that a reduction may leave on the other side of zero.
double band_of(const PlanAsk& ask) noexcept {
  return ask.config->hedged || ask.only_neutral ? 0 : ask.config->band;
}

// Amount units; in every outcome of unknown orders.
double delta_bound(const Unit& unit, const ResidualDelta& r, const PlanAsk& ask,
                   bool is_hedge) noexcept {
  if (unit.delta == 0) return ask.only_neutral ? 0 : unbounded;
  if (hedger_answers(ask) && !is_hedge) return unbounded;
  const double band = band_of(ask);
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

// A position that may be reduced now.
struct Leg {
  InstrumentId id{};
  const Instrument* instrument{nullptr};
  Side side{Side::buy};
  Price limit{}, mark{};
  Qty held{}, depth{};  // both without a sign
  Unit unit{};
  double most{0};  // amount that the band allows, less the lot that rounding adds

  [[nodiscard]] Qty trade(double amount) const noexcept {
    std::int64_t nano = 0;
    static_cast<void>(decision_nano(amount, nano));
    return Qty{side == Side::buy ? nano : -nano};
  }
};

class Search {
 public:
  Search(const MarginAccount& account, const StrategyView& view, const PlanAsk& ask) noexcept
      : portfolio_{account.portfolio()}, view_{view}, ask_{ask} {}

  void consider(InstrumentId id) noexcept {
    Leg leg;
    if (!find_leg(id, leg)) return;
    if (!portfolio_.known()) {
      const double gain = leg.unit.relief - ask_.config->target_health * leg.unit.paid;
      if (gain > 0) keep(leg, gain, lots_for(leg, std::min(needed(gain), leg.most)));
      return;
    }
    const Qty slice = lots_for(leg, leg.most);
    // Beyond the point where another scenario becomes the worst a slice gives less, or nothing.
    for (const std::int64_t part : {1, 4, 16}) {
      const Qty trial = lots_for(leg, to_double(slice) / static_cast<double>(part));
      leg.unit.relief = relief_of(leg, trial);
      const double gain = gain_of(leg.unit);
      const Qty lots = gain > 0 ? lots_for(leg, std::min(needed(gain), to_double(trial))) : Qty{};
      if (lots.nano > 0) return keep(leg, gain, lots);
    }
  }
  // An option with that much of another position that the residual stays: the band holds for the
  // leg that goes first. The other one goes next, alone or as a pair again.
  void consider_pair(InstrumentId id, InstrumentId partner) noexcept {
    Leg leg;
    Leg other;
    if (id == partner || !find_leg(id, leg) || !find_leg(partner, other)) return;
    if (!(leg.unit.delta * other.unit.delta < 0)) return;
    const double ratio = -leg.unit.delta / other.unit.delta;  // of the other, for one of the option
    const double first = room_of(leg);
    const double second = room_of(other);
    const Qty slice =
        lots_for(leg, std::min(std::max(first, second / ratio), to_double(other.held) / ratio));
    for (const std::int64_t part : {1, 4, 16}) {
      const double size = to_double(lots_for(leg, to_double(slice) / static_cast<double>(part)));
      if (!(size > 0) || size * ratio > to_double(other.held)) continue;
      Unit both = leg.unit;
      both.relief =
          portfolio_.relief(view_, leg.id, leg.trade(size), other.id, other.trade(size * ratio)) /
          size;
      both.cost += ratio * other.unit.cost;
      both.paid += ratio * other.unit.paid;
      both.premium += ratio * other.unit.premium;
      const double gain = gain_of(both);
      if (!(gain > 0)) continue;
      const double wanted = std::min(needed(gain), size);
      keep_first(leg, std::min(wanted, first), other, std::min(wanted * ratio, second), both, ratio,
                 gain);
      return;
    }
  }
  [[nodiscard]] const Reduction& found() const noexcept { return found_; }

 private:
  bool find_leg(InstrumentId id, Leg& leg) noexcept {
    const Instrument& i = view_.instruments()[id];
    const Qty held = view_.position(id);
    if (held.nano == 0 || i.state != InstrumentState::open) return false;
    const bool buy = held.nano < 0;
    const Exposure& open = view_.exposure(id);
    if ((buy ? open.worst_buy() : open.worst_sell()).nano > 0) return false;
    if (view_.mode(ask_.strategy, id) >= Mode::halt) return false;
    const std::optional<Price> mark = view_.mark(id);
    const std::optional<Price> index = view_.index(i.underlying);
    const std::optional<BookView> book = view_.book(id);
    if (!mark || !index || !book || !know_residual(i.underlying)) return false;
    const auto best = buy ? book->best_ask() : book->best_bid();
    if (!best || (is_option(i.kind) && !view_.option_mark(id).usable)) return false;
    leg.side = buy ? Side::buy : Side::sell;
    leg.limit = limit_of(i, leg.side, best->price, *mark, ask_, view_.limits());
    if (leg.limit.nano <= 0) return false;
    if (buy ? leg.limit < best->price : leg.limit > best->price) return false;
    leg.id = id;
    leg.instrument = &i;
    leg.mark = *mark;
    leg.held = abs(held);
    leg.depth = book->depth(leg.side, leg.held, leg.limit).amount;
    leg.unit = unit_of(i, id, buy, to_double(*mark), to_double(best->price), to_double(*index));
    leg.most = delta_bound(leg.unit, residual_, ask_, id == ask_.hedge);
    // Amounts are rounded up to a lot: the bound is not to be passed by it.
    if (leg.most < unbounded) leg.most -= to_double(i.lot);
    return true;
  }
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
    unit.premium = is_option(i.kind) ? value : 0;
    unit.paid = unit.cost + (portfolio_.counts_options() ? 0 : unit.premium);
    unit.delta = delta_of(i, view_, id, buy, mark);
    if (hedger_answers(ask_) && id != ask_.hedge) add_hedge(unit, view_, ask_);
    return unit;
  }
  [[nodiscard]] Qty lots_for(const Leg& leg, double amount) const noexcept {
    return lots_of(*leg.instrument, amount, leg.held, leg.depth, leg.mark,
                   ask_.config->slice_usd_max, view_);
  }
  // Portfolio margin: of one unit of a slice, with what the hedge does about its delta. The
  // requirement is convex in the amount, so a smaller slice gives no less per unit.
  [[nodiscard]] double relief_of(const Leg& leg, Qty slice) const noexcept {
    if (slice.nano <= 0) return 0;
    const double size = to_double(slice);
    Qty hedge{};
    if (hedger_answers(ask_) && leg.id != ask_.hedge) {
      const std::optional<Price> mark = view_.mark(ask_.hedge);
      if (!mark) return 0;
      const double price =
          is_inverse(view_.instruments()[ask_.hedge].kind) ? to_double(*mark) : 1.0;
      if (!decision_nano(-leg.unit.delta * size * price, hedge.nano)) return 0;
    }
    return portfolio_.relief(view_, leg.id, leg.trade(size), ask_.hedge, hedge) / size;
  }
  // By the balance that counts; and while the venue's own figure is over the target, also by the
  // one that the venue reports, whose margin balance pays a premium in full: no slice makes it
  // worse then.
  [[nodiscard]] double gain_of(const Unit& unit) const noexcept {
    const double target = ask_.config->target_health;
    const double gain = unit.relief - target * unit.paid;
    if (ask_.venue_health <= target) return gain;
    return unit.relief > ask_.venue_health * paid_at_venue(unit) ? gain : 0;
  }
  // What the venue's own balance loses by one unit.
  [[nodiscard]] double paid_at_venue(const Unit& unit) const noexcept {
    return unit.cost + (ask_.config->balance == LadderBalance::equity ? 0 : unit.premium);
  }
  // What the band allows of a leg of a pair. Where that is not one lot, one goes if it leaves no
  // more than the band or than itself: less could never be closed.
  [[nodiscard]] double room_of(const Leg& leg) const noexcept {
    const double lot = to_double(std::max(leg.instrument->lot, leg.instrument->amount_min));
    if (leg.most >= lot) return leg.most;
    const double step = leg.unit.delta * lot;
    const double most = std::max(band_of(ask_), math::abs(step)) * (1 + 1e-6);
    const double low = static_cast<double>(residual_.unknown.low) * 1e-9;
    const double high = static_cast<double>(residual_.unknown.high) * 1e-9;
    const bool fits = math::abs(low + step) <= most && math::abs(high + step) <= most;
    return fits ? lot : std::max(leg.most, 0.0);
  }
  // A leg that goes alone, and what it lacks so that neither health, own or the venue's, is worse
  // after it: not over zero where it harms nothing.
  struct Lead {
    Qty lots{};
    double lacks{0};
  };
  [[nodiscard]] Lead alone(const Leg& leg, Qty lots) const noexcept {
    const double size = to_double(lots);
    const double paid =
        std::max(ask_.own_health * leg.unit.paid, ask_.venue_health * paid_at_venue(leg.unit));
    const double relief = portfolio_.relief(view_, leg.id, leg.trade(size), ask_.hedge, Qty{});
    return {lots, paid * size - relief};
  }
  // As much of it as harms nothing alone; else the whole. A requirement is convex in the amount: a
  // smaller slice asks for no more.
  [[nodiscard]] Lead lead_of(const Leg& leg, double amount) const noexcept {
    const Qty whole = lots_for(leg, amount);
    if (whole.nano <= 0) return {};
    for (const std::int64_t part : {1, 4, 16}) {
      const Qty lots = lots_for(leg, to_double(whole) / static_cast<double>(part));
      if (lots.nano <= 0) break;
      const Lead lead = alone(leg, lots);
      if (lead.lacks <= 0) return lead;
    }
    return alone(leg, whole);
  }
  // Of the two legs the one that harms nothing alone, or else the one that harms less.
  void keep_first(Leg& leg, double amount, Leg& other, double of_other, const Unit& both,
                  double ratio, double gain) noexcept {
    const Lead first = lead_of(leg, amount);
    const Lead second = lead_of(other, of_other);
    const bool leads =
        second.lots.nano <= 0 || (first.lots.nano > 0 && first.lacks <= second.lacks);
    Leg& chosen = leads ? leg : other;
    chosen.unit.relief = leads ? both.relief : both.relief / ratio;
    chosen.unit.cost = leads ? both.cost : both.cost / ratio;
    const Lead& lead = leads ? first : second;
    keep(chosen, gain, lead.lots, both.cost, lead.lacks > 0);
  }
  void keep(const Leg& leg, double gain, Qty lots) noexcept {
    keep(leg, gain, lots, leg.unit.cost, false);
  }
  // Of pairs, one whose first leg harms nothing goes before any other.
  void keep(const Leg& leg, double gain, Qty lots, double cost, bool raises) noexcept {
    const double score = gain / (cost + 1e-6 * gain);
    if (!(gain > 0) || lots.nano <= 0) return;
    if (found_.instrument.valid()) {
      const bool calmer = found_.raises && !raises;
      if ((raises && !found_.raises) || (!calmer && score <= score_)) return;
    }
    score_ = score;
    const double size = to_double(lots);
    found_ = {
        leg.id, leg.side, leg.limit, lots, leg.mark, leg.unit.relief * size, leg.unit.cost * size,
        raises};
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
  Reduction found_{};
  double score_{0};
  UnderlyingId residual_of_{0xFF};
  ResidualDelta residual_{};
  bool residual_known_{false};
};

}  // namespace

// Where two scenarios are equally bad, each reduction alone only trades one for the other, or the
// band allows none: then an option goes that frees margin together with as much delta of the hedge
// instrument, or else of another option. With `hedged` the hedger is the partner already.
Reduction best_reduction(const MarginAccount& account, const StrategyView& view,
                         const PlanAsk& ask) noexcept {
  Search all{account, view, ask};
  for (std::size_t n = 0; n < account.futures(); ++n) all.consider(account.future(n));
  for (std::size_t n = 0; n < account.shorts(); ++n) all.consider(account.short_option(n));
  const bool hedged = hedger_answers(ask);
  if (all.found().instrument.valid() || hedged || !account.portfolio().known()) return all.found();
  for (std::size_t n = 0; n < account.shorts(); ++n) {
    all.consider_pair(account.short_option(n), ask.hedge);
  }
  if (all.found().instrument.valid()) return all.found();
  for (std::size_t n = 0; n < account.shorts(); ++n) {
    for (std::size_t m = 0; m < account.shorts(); ++m) {
      all.consider_pair(account.short_option(n), account.short_option(m));
    }
  }
  return all.found();
}

}  // namespace gimbal
