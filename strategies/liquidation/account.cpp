#include "strategies/liquidation/account.hpp"

#include <algorithm>
#include <limits>

#include "engine/core/math.hpp"

namespace gimbal {
namespace {

// A pass that saw the price move further than this begins anew: its rows belong to two markets.
constexpr double pass_move_max = 0.001;
// A sum over the options that is older than this is none: passes that the price began anew each
// time, or too many options for the wakes there were.
constexpr Nanos pass_age_max = seconds(10);

}  // namespace

// The venue's figure is the truth at its moment; what our futures earn from there on is ours.
void MarginAccount::anchor(const StrategyView& view) noexcept {
  const MarginReport* report = view.margin(venue_, settlement_);
  if (report == nullptr) return;
  const RecvTime at = view.margin_at(venue_, settlement_);
  // By its figures too: two reports may share one receive time.
  if (at == anchored_at_ && report->margin_balance == anchored_balance_ &&
      report->maintenance_margin == anchored_maintenance_) {
    return;
  }
  anchored_at_ = at;
  anchored_balance_ = report->margin_balance;
  anchored_maintenance_ = report->maintenance_margin;
  balance_ = to_double(report->margin_balance);
  earned_ = 0;
  for (std::size_t n = 0; n < futures_count_; ++n) {
    Future& f = futures_[n];
    f.from = view.mark(f.id).value_or(Price{});
    f.amount = view.position(f.id);
  }
  ++reports_;
  reported_ = true;
}

void MarginAccount::begin_pass(const StrategyView& view, double price) noexcept {
  pass_ = Pass{};
  pass_.price = price;
  pass_.at = view.now();
  pass_.held = view.held().size();
}

void MarginAccount::keep_short(InstrumentId id, double maintenance) noexcept {
  Pass& p = pass_;
  if (p.shorts < shorts_kept) {
    p.kept[p.shorts++] = {id, maintenance};
    return;
  }
  Short* least = std::min_element(p.kept.begin(), p.kept.end(), [](const Short& a, const Short& b) {
    return a.maintenance < b.maintenance;
  });
  if (least->maintenance < maintenance) *least = {id, maintenance};
}

void MarginAccount::note_future(const StrategyView& view, InstrumentId id) noexcept {
  Future* room = nullptr;
  for (std::size_t n = 0; n < futures_count_; ++n) {
    Future& f = futures_[n];
    if (f.id == id) return;
    if (f.amount.nano == 0 && view.position(f.id).nano == 0) room = &f;
  }
  // A new place first: one that is closed keeps its own until it is needed.
  if (futures_count_ < futures_max) room = &futures_[futures_count_++];
  if (room == nullptr) {
    pass_.complete = false;
    return;
  }
  *room = {id, view.mark(id).value_or(Price{}), view.position(id)};
}

void MarginAccount::take_option(const StrategyView& view, InstrumentId id,
                                const LiquidationConfig& rates) noexcept {
  const Instrument& i = view.instruments()[id];
  const double amount = to_double(view.position(id));
  const OptionMark mark = view.option_mark(id);
  const double index = view.index(i.underlying) ? to_double(*view.index(i.underlying)) : 0;
  if (!mark.usable || !(index > 0)) {
    pass_.complete = false;
    return;
  }
  const MarginTerms t = option_terms(i, amount, mark, index, rates);
  pass_.terms += t;
  pass_.volatility += math::abs(amount) * mark.sigma;
  pass_.weight += math::abs(amount);
  if (amount < 0) keep_short(id, t.maintenance);
}

// The worth of a coin option in coins moves with delta_net / F, of a linear one with delta.
void MarginAccount::take_position(const StrategyView& view, InstrumentId id,
                                  InstrumentId hedge) noexcept {
  const Instrument& i = view.instruments()[id];
  const Instrument& h = view.instruments()[hedge];
  Pass& p = pass_;
  const bool inverse = is_inverse(h.kind);
  const bool of_scenarios = i.underlying == h.underlying && is_inverse(i.kind) == inverse;
  if (of_account(i) != of_scenarios) p.one_coin = false;
  if (!of_account(i)) return;
  if (!p.deltas.open(view, id)) p.one_coin = false;
  const OptionMark mark = view.option_mark(id);
  if (!is_option(i.kind) || !mark.usable) return;
  const double amount = to_double(view.position(id));
  if (!p.deltas.add(i, amount * mark.delta_net, amount > 0)) p.one_coin = false;
  const double f = mark.forward;
  MarginTerms worth;
  worth.equity = amount * mark.price;
  worth.equity_slope = amount * (inverse ? mark.delta_net : f * mark.delta_net);
  worth.equity_curve =
      amount * (inverse ? f * mark.gamma - 2 * mark.delta_net : f * f * mark.gamma);
  p.options += worth;
}

void MarginAccount::look_at_scenarios(const StrategyView& view, InstrumentId hedge) noexcept {
  if (!done_.one_coin || !picture_.complete) return;
  ExpiryDeltas deltas = done_.deltas;
  for (std::size_t n = 0; n < futures_count_; ++n) {
    const InstrumentId id = futures_[n].id;
    const double amount = to_double(view.position(id));
    const std::optional<double> price = view.delta_price(id);
    const Instrument& i = view.instruments()[id];
    if (amount == 0) continue;
    if (!price || !(*price > 0)) return;
    if (!deltas.add(i, is_inverse(i.kind) ? amount / *price : amount, false)) return;
  }
  portfolio_.look(view, hedge, deltas, done_.options.moved(picture_.price / done_.price - 1));
}

void MarginAccount::take_rows(const StrategyView& view, InstrumentId hedge, double price,
                              const LiquidationConfig& rates) noexcept {
  const std::span<const InstrumentId> held = view.held();
  const bool other_market = math::abs(price - pass_.price) > pass_move_max * pass_.price;
  if (pass_.at.mono_ns == 0 || pass_.held != held.size() || other_market) begin_pass(view, price);
  std::size_t options = 0;
  while (pass_.next < held.size() && options < rows_per_look) {
    const InstrumentId id = held[pass_.next++];
    const Instrument& i = view.instruments()[id];
    if (rates.margin_model == LadderMargin::portfolio) take_position(view, id, hedge);
    if (!of_account(i)) continue;
    if (!is_option(i.kind)) {
      note_future(view, id);
      continue;
    }
    take_option(view, id, rates);
    ++options;
  }
  if (pass_.next < held.size()) return;
  shorts_ = pass_.kept;
  shorts_count_ = pass_.shorts;
  if (price > 0) {
    done_ = pass_;
    passed_ = true;
  }
  pass_.at = {};  // the next look begins a new one
}

void MarginAccount::add_futures(const StrategyView& view, const LiquidationConfig& rates,
                                MarginPicture& p) noexcept {
  for (std::size_t n = 0; n < futures_count_; ++n) {
    Future& f = futures_[n];
    const Instrument& i = view.instruments()[f.id];
    const Qty amount = view.position(f.id);
    const std::optional<Price> mark = view.mark(f.id);
    const std::optional<Price> index = view.index(i.underlying);
    if (amount.nano == 0 && f.amount.nano == 0) continue;
    if (!mark || !index) {
      p.complete = false;
      continue;
    }
    Money profit{};
    if (f.from.nano > 0 && f.amount.nano != 0 && *mark != f.from) {
      if (i.profit(f.from, *mark, f.amount, profit)) earned_ += to_double(profit);
    }
    f.from = *mark;
    f.amount = amount;
    p.terms += future_terms(i, to_double(amount), to_double(*mark), to_double(*index), rates);
  }
}

void MarginAccount::look(const StrategyView& view, InstrumentId hedge,
                         const LiquidationConfig& rates) noexcept {
  const Instrument& h = view.instruments()[hedge];
  venue_ = h.venue;
  settlement_ = h.settlement;
  picture_.known = false;
  picture_.complete = false;
  portfolio_.forget();
  const std::optional<Price> mark = view.mark(hedge);
  // Without one nothing can be summed; what is held is listed all the same, for a reduction.
  const double price = mark ? to_double(*mark) : 0;
  take_rows(view, hedge, price, rates);
  if (!mark) return;
  anchor(view);
  if (anchored_at_.mono_ns == 0 || !passed_) return;
  MarginPicture p;
  p.known = true;
  p.complete = done_.complete && view.now() - done_.at <= pass_age_max;
  p.price = price;
  const std::optional<Quote> quote = view.quote(hedge);
  p.mid = quote ? to_double(quote->mid()) : 0;
  p.volatility = done_.weight > 0 ? done_.volatility / done_.weight : 0;
  p.options_at = done_.at;
  p.terms = done_.terms.moved(price / done_.price - 1);
  add_futures(view, rates, p);
  p.terms.equity = balance_ + earned_;
  picture_ = p;
  const bool portfolio = rates.margin_model == LadderMargin::portfolio &&
                         view.margin_model(venue_, settlement_) != AccountMargin::standard;
  portfolio_.count(rates.balance);
  if (portfolio) look_at_scenarios(view, hedge);
  if (reported_) {
    // A sum that left a position out is not what the report is held against, then or later.
    const bool whole = p.complete && (!portfolio || portfolio_.known());
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    at_report_ = whole ? maintenance_at(0) : none;
    balance_at_report_ = whole ? equity_at(0) : none;
  }
  reported_ = false;
}

}  // namespace gimbal
