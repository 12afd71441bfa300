#include "ops/app/profit_explain.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "engine/core/pricing.hpp"

namespace gimbal {
namespace {

constexpr Nanos look_interval = milliseconds(250);
constexpr double funding_period_s = 8 * 3600;
constexpr std::int64_t day_ns = INT64_C(86'400'000'000'000);

double seconds_between(RecvTime from, RecvTime to) {
  return static_cast<double>((to - from).count) * 1e-9;
}

}  // namespace

std::string_view name_of(ProfitPart part) noexcept {
  switch (part) {
    case ProfitPart::delta: return "delta";
    case ProfitPart::gamma: return "gamma";
    case ProfitPart::speed: return "speed";
    case ProfitPart::vega: return "vega";
    case ProfitPart::volga: return "volga";
    case ProfitPart::vanna: return "vanna";
    case ProfitPart::theta: return "theta";
    case ProfitPart::futures: return "futures";
    case ProfitPart::funding: return "funding";
    case ProfitPart::fees: return "fees";
    case ProfitPart::execution: return "execution";
    case ProfitPart::venue: return "venue";
  }
  return "";
}

std::string day_text(std::int64_t number) {
  const std::chrono::year_month_day d{std::chrono::sys_days{std::chrono::days{number}}};
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(d.year()),
                static_cast<unsigned>(d.month()), static_cast<unsigned>(d.day()));
  return text.data();
}

double ExplainedProfit::explained() const noexcept {
  double sum = 0;
  for (const double p : parts) sum += p;
  return sum;
}

double ExplainedProfit::gross() const noexcept {
  double sum = 0;
  for (const double p : parts) sum += std::abs(p);
  return sum;
}

double ExplainedProfit::share() const noexcept {
  const double rest = std::abs(unexplained());
  return rest == 0 ? 0 : rest / gross();
}

ExplainedProfit& ExplainedProfit::operator+=(const ExplainedProfit& o) noexcept {
  profit += o.profit;
  for (std::size_t n = 0; n < profit_parts; ++n) parts[n] += o.parts[n];
  seconds += o.seconds;
  fills += o.fills;
  adopted += o.adopted;
  return *this;
}

ExplainedProfit ExplainedAccount::whole() const noexcept {
  ExplainedProfit sum;
  for (const Day& d : days) sum += d.profit;
  return sum;
}

std::size_t ProfitExplain::account_of(VenueId venue, Currency settlement) {
  for (std::size_t n = 0; n < accounts_.size(); ++n) {
    if (accounts_[n].venue == venue && accounts_[n].settlement == settlement) return n;
  }
  accounts_.push_back({venue, settlement, {}});
  open_.emplace_back();
  return accounts_.size() - 1;
}

void ProfitExplain::step(const Event& event) {
  switch (event.kind()) {
    case EventKind::ticker: on_ticker(event); break;
    case EventKind::fill: on_fill(event); break;
    case EventKind::instrument_change: on_settled(event); break;
    case EventKind::margin_report: on_report(event); break;
    default: break;
  }
  if (core_.now() < next_) return;
  look();
  next_ = core_.now() + look_interval;
}

// Options stand where their last ticker left them, as the venue's marks do.
void ProfitExplain::bring_up(InstrumentId id) {
  if (!is_option(core_.instruments()[id].kind) || !lines_[id.value].known) advance(id);
}

void ProfitExplain::look() {
  for (std::size_t n = 0; n < core_.instruments().size(); ++n) {
    const InstrumentId id{static_cast<std::uint16_t>(n)};
    Line& line = lines_[n];
    const Qty held = core_.portfolio().position(id);
    if (held.nano != 0 || line.held.nano != 0) bring_up(id);
    if (held == line.held) continue;
    // Taken from the venue's picture.
    const Instrument& i = core_.instruments()[id];
    if (open_[account_of(i.venue, i.settlement)].based) ++open_of(i).adopted;
    line.held = held;
  }
}

// What the position earned since the last look, and where the next interval begins.
void ProfitExplain::advance(InstrumentId id) {
  const Instrument& i = core_.instruments()[id];
  Line& line = lines_[id.value];
  const double held = to_double(line.held);
  ExplainedProfit& to = open_of(i);
  if (is_option(i.kind)) {
    advance_option(i, line, held, to);
  } else {
    advance_future(i, line, held, to);
  }
}

void ProfitExplain::advance_future(const Instrument& i, Line& line, double held,
                                   ExplainedProfit& to) const {
  const std::optional<Price> mark = core_.view().mark(i.id);
  if (!mark) return;
  const std::optional<double> mid = core_.view().delta_price(i.id);
  const double price = mid && line.mark_to_mid > 0 ? *mid * line.mark_to_mid : to_double(*mark);
  const bool inverse = is_inverse(i.kind);
  if (line.known) {
    to[ProfitPart::futures] += held * (inverse ? 1 / line.price - 1 / price : price - line.price);
    if (is_perpetual(i.kind)) {
      const double worth = inverse ? held / price : held * price;
      const double share = seconds_between(line.at, core_.now()) / funding_period_s;
      to[ProfitPart::funding] -= worth * line.funding_8h * share;
    }
  }
  line.known = true;
  line.price = price;
  line.at = core_.now();
}

void ProfitExplain::advance_option(const Instrument& i, Line& line, double held,
                                   ExplainedProfit& to) const {
  const OptionMark mark = core_.view().option_mark(i.id);
  if (!mark.usable) return;
  if (line.known) {
    const double x = mark.seen - line.forward;
    const double s = mark.sigma - line.sigma;
    to[ProfitPart::delta] += held * line.d_forward * x;
    to[ProfitPart::gamma] += held * 0.5 * line.d2_forward * x * x;
    to[ProfitPart::speed] += held / 6 * line.d3_forward * x * x * x;
    to[ProfitPart::vega] += held * line.d_sigma * s;
    to[ProfitPart::volga] += held * 0.5 * line.d2_sigma * s * s;
    to[ProfitPart::vanna] += held * line.d_both * x * s;
    to[ProfitPart::theta] += held * line.d_time * (line.years - mark.years);
  }
  const OptionTerms terms{i.option, mark.seen, to_double(i.strike), mark.years, mark.sigma, 0, 1};
  line.forward = mark.seen;
  line.sigma = mark.sigma;
  line.years = mark.years;
  line.at = core_.now();
  if (is_inverse(i.kind)) {
    const InverseGreeks g = price_inverse(terms);
    line.value = g.value;
    line.d_forward = g.dv_df;
    line.d2_forward = g.d2v_df2;
    line.d3_forward = (price_linear(terms).speed - 3 * g.d2v_df2) / mark.seen;
    line.d_sigma = g.vega;
    line.d2_sigma = g.volga;
    line.d_both = g.vanna_net / mark.seen;
    line.d_time = g.theta;
  } else {
    const LinearGreeks g = price_linear(terms);
    line.value = g.price;
    line.d_forward = g.delta;
    line.d2_forward = g.gamma;
    line.d3_forward = g.speed;
    line.d_sigma = g.vega;
    line.d2_sigma = g.volga;
    line.d_both = g.vanna;
    line.d_time = g.theta;
  }
  line.known = true;
}

double ProfitExplain::against_mark(const Instrument& i, Qty change, double price) const {
  const Line& line = lines_[i.id.value];
  if (!line.known || !(price > 0)) return 0;
  const double amount = to_double(change);
  if (is_option(i.kind)) return amount * (line.value - price);
  return is_inverse(i.kind) ? amount * (1 / price - 1 / line.price) : amount * (line.price - price);
}

// A fill that the core took for a repetition moved no position and costs nothing here either.
void ProfitExplain::on_fill(const Event& event) {
  if (!fill_.add(event) || !core_.instruments().contains(event.instrument)) return;
  const Fill& fill = fill_.value();
  const Instrument& i = core_.instruments()[event.instrument];
  Line& line = lines_[event.instrument.value];
  const Qty change = core_.portfolio().position(event.instrument) - line.held;
  if (change.nano == 0) return;
  bring_up(event.instrument);
  ExplainedProfit& to = open_of(i);
  line.held += change;
  if (abs(change) != fill.amount) {  // something else moved it too
    ++to.adopted;
    return;
  }
  const bool own = fill.order.valid() && fill.kind == FillKind::normal;
  to[own ? ProfitPart::execution : ProfitPart::venue] +=
      against_mark(i, change, to_double(fill.price));
  if (fill.fee_currency == i.settlement || fill.fee_currency == Currency{}) {
    to[ProfitPart::fees] -= to_double(fill.fee);
  }
  ++to.fills;
}

// Delivered: the position is gone, at the delivery price.
void ProfitExplain::on_settled(const Event& event) {
  const auto change = event.as<InstrumentChange>();
  if (change.change != InstrumentChangeKind::settle) return;
  if (!core_.instruments().contains(event.instrument)) return;
  const Instrument& i = core_.instruments()[event.instrument];
  Line& line = lines_[event.instrument.value];
  const double held = to_double(line.held);
  const double price = to_double(change.delivery);
  if (held == 0 || !line.known || core_.portfolio().position(i.id).nano != 0) return;
  double worth = 0;
  if (is_option(i.kind)) {
    const double sign = i.option == OptionType::put ? -1 : 1;
    const double payoff = std::max(sign * (price - to_double(i.strike)), 0.0);
    worth = (is_inverse(i.kind) && price > 0 ? payoff / price : payoff) - line.value;
  } else if (price > 0) {
    worth = is_inverse(i.kind) ? 1 / line.price - 1 / price : price - line.price;
  }
  open_of(i)[ProfitPart::venue] += held * worth;
  line = Line{};
}

// Between tickers a future's mark moves with its mid. An option is valued at its own tickers only:
// there mark, volatility and forward belong together, and the equity counts that mark until the
// next.
void ProfitExplain::on_ticker(const Event& event) {
  if (!ticker_.add(event) || !core_.instruments().contains(event.instrument)) return;
  const Ticker& ticker = ticker_.value();
  Line& line = lines_[event.instrument.value];
  const std::optional<double> mid = core_.view().delta_price(event.instrument);
  if (ticker.mark.nano > 0 && mid) line.mark_to_mid = to_double(ticker.mark) / *mid;
  advance(event.instrument);  // held or not: a position that comes later begins here
  if (ticker.funding_8h_nano != absent_nano) {
    line.funding_8h = static_cast<double>(ticker.funding_8h_nano) * 1e-9;
  }
}

void ProfitExplain::on_report(const Event& event) {
  if (!report_.add(event)) return;
  const MarginReport& report = report_.value();
  look();
  const std::size_t n = account_of(event.venue, report.settlement);
  Open& open = open_[n];
  // Equity knows positions of an earlier boot before we do: it counts from the first clean picture.
  if (!open.based && !core_.venue_ready(event.venue)) return;
  const double equity = to_double(report.equity);
  const ExchTime venue_now = core_.venue_now(event.venue);
  const std::int64_t time = event.exch.unix_ns != 0 ? event.exch.unix_ns : venue_now.unix_ns;
  if (open.based && time > 0) {
    open.profit.profit = equity - open.equity;
    open.profit.seconds = seconds_between(open.at, core_.now());
    std::vector<ExplainedAccount::Day>& days = accounts_[n].days;
    const std::int64_t day = (time - day_start_.count) / day_ns;
    if (days.empty() || days.back().number < day) days.push_back({day, {}, open.equity, 0});
    days.back().profit += open.profit;
    days.back().last_equity = equity;
  }
  open = Open{true, equity, core_.now(), {}};
}

}  // namespace gimbal
