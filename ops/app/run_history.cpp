#include "ops/app/run_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ops/app/refusal_names.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

constexpr double year_s = 365.0 * 86400.0;
constexpr Nanos clock_step = seconds(1);  // larger than a correction

const char* mode_text(Mode m) {
  switch (m) {
    case Mode::active: return "ACTIVE";
    case Mode::reduce: return "REDUCE";
    case Mode::halt: return "HALT";
    case Mode::cancel: return "CANCEL";
    case Mode::lock: return "LOCK";
  }
  return "LOCK";
}

bool market_data(EventKind k) {
  return k == EventKind::book_delta || k == EventKind::ticker || k == EventKind::trade ||
         k == EventKind::index_price;
}

std::uint64_t positive(Nanos n) { return n.count > 0 ? static_cast<std::uint64_t>(n.count) : 0; }

}  // namespace

RunHistory::RunHistory(const JournalOrigin& origin, CoreReplay& core, const DayView* day)
    : origin_{origin},
      core_{core},
      day_{day},
      profit_{core.engine().core(), day != nullptr ? day->day.start : Nanos{}} {
  const VenueConfig& venue = origin.loaded->config.venues[0];
  out_.account = venue.account;
  out_.venue = venue.name;
  out_.environment = venue.environment == Environment::sim    ? "simulated"
                     : venue.environment == Environment::test ? "test"
                                                              : "live";
  for (const Universe::Member& m : origin.universe.members()) {
    UnderlyingHistory u;
    u.id = m.id;
    u.name = std::string{origin.universe.underlyings().name(m.id)};
    u.hedge = m.hedge;
    u.hedge_name = std::string{origin.universe.symbols().name(m.hedge)};
    u.first_equity = NAN;
    const UnderlyingSetup& setup = engine().setup().underlyings[m.id.value];
    u.unit = std::string{setup.settlement.text()};
    u.inverse = is_inverse(engine().instruments()[m.hedge].kind);
    out_.underlyings.push_back(std::move(u));
  }
  before_.resize(out_.underlyings.size());
  core_.on_step([this](const Event& e, const Commands& c) { step(e, c); });
}

void RunHistory::step(const Event& event, const Commands& commands) {
  profit_.step(event);
  if (event.kind() == EventKind::side_block) {
    const auto ref = event.as<SideBlockRef>();
    if (ref.kind == SideBlockKind::instrument) Universe::read_names(core_.block(ref), listed_);
  }
  const RecvTime last = now_;
  now_ = engine().now();
  look_at_clock();
  if (place_ == Place::behind && ended_.mono_ns == 0) leave(last);
  if (place_ != Place::inside) {
    if (place_ == Place::behind) take_marks();
    if (place_ == Place::before) fills_seen_ = engine().gaps().fills();
    return;
  }
  if (events_ == 0) enter();
  ++events_;
  for (std::size_t i = 0; i < commands.size(); ++i) command(event, commands[i]);
  if (event.part_index() == 1 && market_data(event.kind())) out_.waited.add(event.queue_ns);
  order_event(event);
  operator_event(event);
  judge();
  take_fills();
  take_marks();
  const double t = time_of(now_);
  if (t < next_sample_) return;
  sample(t);
  next_sample_ = t + interval_;
}

// Of the day until it is over: a venue's clock that is corrected by some milliseconds does not
// begin it again.
void RunHistory::look_at_clock() {
  if (day_ == nullptr) {
    if (place_ == Place::before) zero_mono_ = now_.mono_ns;
    place_ = Place::inside;
    return;
  }
  ExchTime at = engine().venue_now(VenueId{0});
  if (at == ExchTime{}) at = ExchTime{now_.mono_ns + day_->unix_minus_mono};
  const std::int64_t zero = now_.mono_ns - (at - day_->day.midnight()).count;
  if (std::abs(zero - std::exchange(zero_mono_, zero)) > clock_step.count) resume_samples();
  if (place_ == Place::before && at >= day_->day.begin()) place_ = Place::inside;
  if (place_ == Place::inside && at >= day_->day.end()) place_ = Place::behind;
  past_ = at > day_->day.end() + gap_marks.back() + seconds(1);
}

// The venue's clock took over from a host's that is wrong: no time has passed between two samples,
// and none is waited for.
void RunHistory::resume_samples() {
  next_sample_ = time_of(now_);
  for (Before& b : before_) b.known = false;
}

void RunHistory::enter() {
  began_ = now_;
  first_fill_ = fills_seen_;
  for (std::size_t k = 0; k < marks_seen_.size(); ++k) marks_seen_[k] = engine().gaps().marked(k);
  judged_ = engine().last_judged().order.order;
  at_entry_ = counts();
  next_sample_ = time_of(now_);
  if (day_ == nullptr) return;
  out_.marks.push_back({time_of(now_), fmt::format("boot {}", core_.result().boot.epoch), false});
}

void RunHistory::leave(RecvTime at) {
  ended_ = at;
  if (events_ == 0) return;
  at_leave_ = counts();
  sample(time_of(at));
}

RunHistory::Counts RunHistory::counts() const {
  Counts out;
  out.placed = engine().orders().counters().placed;
  for (std::size_t r = 1; r < gimbal::refusals; ++r) {
    out.refused[r] = engine().gate().refused(static_cast<Refusal>(r));
  }
  return out;
}

std::string RunHistory::name_of_instrument(InstrumentId id) const {
  const std::string_view known = origin_.universe.symbols().name(id);
  if (!known.empty()) return std::string{known};
  return id.value < listed_.size() ? listed_[id.value] : std::string{};
}

void RunHistory::command(const Event& event, const Command& c) {
  if (c.kind() == CommandKind::raise) {
    const Trip& trip = c.raise();
    const TripRow& row = row_of(trip.code);
    out_.marks.push_back({time_of(now_), fmt::format("{} {}: {}", row.row, row.name, row.sentence),
                          trip.severity == Severity::critical});
  }
  if (c.kind() == CommandKind::place) sent_[c.place()->order.value] = Sent{event.recv, {}};
}

void RunHistory::order_event(const Event& event) {
  OrderId id;
  switch (event.kind()) {
    case EventKind::order_sent: {
      const auto payload = event.as<OrderSent>();
      const auto at = sent_.find(payload.order.value);
      if (at == sent_.end() || payload.action != OrderAction::place) return;
      at->second.sent = event.recv;
      out_.tick_to_order.add(positive(event.recv - at->second.decided));
      return;
    }
    case EventKind::order_ack: id = event.as<OrderAck>().order; break;
    case EventKind::order_reject: id = event.as<OrderReject>().order; break;
    case EventKind::order_done: id = event.as<OrderDone>().order; break;
    default: return;
  }
  const auto at = sent_.find(id.value);
  if (at == sent_.end()) return;
  if (event.kind() == EventKind::order_ack && at->second.sent.mono_ns != 0) {
    out_.order_to_ack.add(positive(event.recv - at->second.sent));
  }
  sent_.erase(at);  // the first answer counts
}

void RunHistory::operator_event(const Event& event) {
  const Mode mode = engine().gate().modes().at({});
  if (mode != mode_) {
    out_.marks.push_back(
        {time_of(now_), fmt::format("global {}", mode_text(mode)), mode > Mode::reduce});
    mode_ = mode;
  }
  if (event.kind() != EventKind::operator_command || !operator_.add(event)) return;
  const OperatorCommand& c = operator_.value();
  if (c.action == OperatorAction::kill) {
    out_.marks.push_back({time_of(now_), fmt::format("kill {}", mode_text(c.mode)), true});
  }
}

// Every order that came before the gate, let through or not.
void RunHistory::judge() {
  const JudgedOrder& j = engine().last_judged();
  if (j.order.order == judged_ || j.context.instrument == nullptr) return;
  judged_ = j.order.order;
  const auto uses = limits_used(j.facts(), j.context, engine().gate().limits());
  std::vector<LimitUse>& limits = out_.limits;
  if (limits.empty()) limits.assign(uses.begin(), uses.end());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    limits[i].limit = uses[i].limit;
    if (uses[i].used > limits[i].used) limits[i].used = uses[i].used;
  }
}

void RunHistory::take_fills() {
  const ExecutionGaps& gaps = engine().gaps();
  for (; fills_seen_ < gaps.fills(); ++fills_seen_) {
    const FillGap& g = gaps.fill(fills_seen_);
    const Instrument& instrument = engine().instruments()[g.instrument];
    HistoryFill fill{time_of(g.at), g, {}, name_of_instrument(g.instrument)};
    (void)instrument.notional_usd(g.price, g.amount, g.index, fill.traded_usd);
    out_.fills.push_back(std::move(fill));
    for (UnderlyingHistory& u : out_.underlyings) {
      if (u.samples.empty() || instrument.underlying != u.id) continue;
      const double index = to_double(g.index);
      const double scale = u.inverse && index > 0 ? 1 / index : 1;
      u.samples.back().fees -= to_double(g.fee_usd) * scale;
      // A fill below or above the mid at which its position is counted from then on.
      u.samples.back().execution -= to_double(g.shortfall_usd) * scale;
    }
  }
}

// Marks come later, while the fill can still be read; behind the day's end too.
void RunHistory::take_marks() {
  const ExecutionGaps& gaps = engine().gaps();
  const std::uint64_t readable = gaps.fills() > gap_fills_kept ? gaps.fills() - gap_fills_kept : 0;
  for (std::size_t which = 0; which < marks_seen_.size(); ++which) {
    for (; marks_seen_[which] < gaps.marked(which); ++marks_seen_[which]) {
      const std::uint64_t n = marks_seen_[which];
      if (n < first_fill_ || n < readable || n - first_fill_ >= out_.fills.size()) continue;
      out_.fills[n - first_fill_].gap = gaps.fill(n);
    }
  }
}

void RunHistory::sample(double t) {
  std::vector<UnderlyingHistory>& all = out_.underlyings;
  for (std::size_t i = 0; i < all.size(); ++i) look(all[i], before_[i], t);
  if (!all.empty() && all[0].samples.size() >= samples_max) thin();
}

void RunHistory::look(UnderlyingHistory& u, Before& before, double t) {
  const EngineCore& core = engine();
  const double mid = core.portfolio().perpetual_mid(u.id);
  const RiskNumbers risk = core.portfolio().risk(u.id);
  if (!(mid > 0) || !risk.complete) return;
  HistorySample s;
  if (!u.samples.empty()) s = u.samples.back();
  s.t = t;
  s.mid = mid;
  const std::optional<ResidualDelta> residual = core.residual(u.id);
  if (residual) s.residual = static_cast<double>(residual->settled) * 1e-9;
  const HedgeState& hedge = std::get<DeltaHedge>(core_.engine().strategies()).state(u.id);
  s.band = hedge.band;
  const UnderlyingSetup& setup = core.setup().underlyings[u.id.value];
  if (const MarginReport* m = core.margin(setup.venue, setup.settlement)) {
    if (std::isnan(u.first_equity)) u.first_equity = to_double(m->equity);
    s.pnl = to_double(m->equity) - u.first_equity;
  } else {
    s.pnl = NAN;
  }
  if (before.known) {
    const double scale = u.inverse ? 1 / before.mid : 1;
    const double move = mid - before.mid;
    s.options += before.options_delta * move * scale;
    s.hedge += before.delta_one * move * (u.inverse ? 1 / mid : 1);
    s.gamma += 0.5 * before.gamma * move * move * scale;
    s.theta += before.theta * (t - before.t) / year_s * scale;
    if (mode_ == Mode::active && s.band > 0) {
      (std::abs(s.residual) > s.band ? u.outside_s : u.inside_s) += t - before.t;
    }
  }
  // An inverse option's value is coins already: its price moves less by what it is worth.
  const double options_delta = risk.options_delta.value - (u.inverse ? risk.options_value : 0);
  before = Before{true, t, mid, options_delta, risk.delta_one, risk.gamma.value, risk.theta.value};
  u.samples.push_back(s);
}

// Twice the interval, half the samples: the picture keeps its whole length.
void RunHistory::thin() {
  interval_ *= 2;
  for (UnderlyingHistory& u : out_.underlyings) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < u.samples.size(); i += 2) u.samples[kept++] = u.samples[i];
    u.samples.resize(kept);
  }
}

}  // namespace gimbal
