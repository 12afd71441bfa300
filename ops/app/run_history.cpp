#include "ops/app/run_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ops/app/refusal_names.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

constexpr double year_s = 365.0 * 86400.0;

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

RunHistory::RunHistory(const JournalOrigin& origin, CoreReplay& core)
    : profit{core.engine().core()}, origin_{origin}, core_{core} {
  const EngineCore& engine = core.engine().core();
  for (const Universe::Member& m : origin.universe.members()) {
    UnderlyingHistory u;
    u.id = m.id;
    u.name = std::string{origin.universe.underlyings().name(m.id)};
    u.hedge = m.hedge;
    const UnderlyingSetup& setup = engine.setup().underlyings[m.id.value];
    u.unit = std::string{setup.settlement.text()};
    u.inverse = is_inverse(engine.instruments()[m.hedge].kind);
    underlyings.push_back(std::move(u));
  }
  before_.resize(underlyings.size());
  first_equity_.resize(underlyings.size(), NAN);
  core_.on_step([this](const Event& e, const Commands& c) { step(e, c); });
}

void RunHistory::step(const Event& event, const Commands& commands) {
  profit.step(event);
  now_ = core_.engine().core().now();
  if (!started_) {
    started_ = true;
    begin_ = now_;
  }
  for (std::size_t i = 0; i < commands.size(); ++i) command(event, commands[i]);
  if (event.part_index() == 1 && market_data(event.kind())) waited.add(event.queue_ns);
  order_event(event);
  operator_event(event);
  judge();
  take_fills();
  const double t = time_of(now_);
  if (t < next_sample_) return;
  sample(t);
  next_sample_ = t + interval_;
}

void RunHistory::command(const Event& event, const Command& c) {
  if (c.kind() == CommandKind::raise) {
    const Trip& trip = c.raise();
    const TripRow& row = row_of(trip.code);
    marks.push_back({time_of(now_), fmt::format("{} {}: {}", row.row, row.name, row.sentence),
                     trip.severity == Severity::critical});
  }
  if (c.kind() != CommandKind::place) return;
  const PlaceOrder& o = *c.place();
  if (orders.size() == orders_max) {
    thinned_orders = true;
    return;
  }
  OrderHistory h;
  h.t = time_of(now_);
  h.id = o.order;
  h.instrument = o.instrument;
  h.side = o.side;
  h.limit = o.price;
  h.amount = o.amount;
  if (const Order* kept = core_.engine().core().orders().find(o.order)) {
    h.decision = kept->decision_price;
  }
  sent_[o.order.value] = Sent{event.recv, {}, orders.size()};
  orders.push_back(h);
}

void RunHistory::order_event(const Event& event) {
  OrderId id;
  switch (event.kind()) {
    case EventKind::order_sent: {
      const auto payload = event.as<OrderSent>();
      const auto at = sent_.find(payload.order.value);
      if (at == sent_.end() || payload.action != OrderAction::place) return;
      at->second.sent = event.recv;
      tick_to_order.add(positive(event.recv - at->second.decided));
      return;
    }
    case EventKind::order_ack: id = event.as<OrderAck>().order; break;
    case EventKind::order_reject: id = event.as<OrderReject>().order; break;
    case EventKind::order_done: id = event.as<OrderDone>().order; break;
    default: return;
  }
  note_state(id);
  const auto at = sent_.find(id.value);
  if (at == sent_.end() || at->second.sent.mono_ns == 0) return;
  if (event.kind() == EventKind::order_ack) {
    order_to_ack.add(positive(event.recv - at->second.sent));
    at->second.sent = {};
  }
}

void RunHistory::operator_event(const Event& event) {
  const Mode mode = core_.engine().core().gate().modes().at({});
  if (mode != mode_) {
    marks.push_back(
        {time_of(now_), fmt::format("global {}", mode_text(mode)), mode > Mode::reduce});
    mode_ = mode;
  }
  if (event.kind() != EventKind::operator_command || !operator_.add(event)) return;
  const OperatorCommand& c = operator_.value();
  if (c.action == OperatorAction::kill) {
    marks.push_back({time_of(now_), fmt::format("kill {}", mode_text(c.mode)), true});
  }
}

// Every order that came before the gate, let through or not.
void RunHistory::judge() {
  const JudgedOrder& j = core_.engine().core().last_judged();
  if (j.order.order == judged_ || j.context.instrument == nullptr) return;
  judged_ = j.order.order;
  const auto uses = limits_used(j.facts(), j.context, core_.engine().core().gate().limits());
  if (limits.empty()) limits.assign(uses.begin(), uses.end());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    limits[i].limit = uses[i].limit;
    if (uses[i].used > limits[i].used) limits[i].used = uses[i].used;
  }
}

void RunHistory::take_fills() {
  const ExecutionGaps& gaps = core_.engine().core().gaps();
  for (; fills_seen_ < gaps.fills(); ++fills_seen_) {
    const FillGap& g = gaps.fill(fills_seen_);
    fills.push_back(g);
    fill_times.push_back(time_of(g.at));
    note_state(g.order);
    for (UnderlyingHistory& u : underlyings) {
      if (u.samples.empty() || origin_.universe.table()[g.instrument].underlying != u.id) continue;
      const double index = to_double(g.index);
      const double scale = u.inverse && index > 0 ? 1 / index : 1;
      u.samples.back().fees -= to_double(g.fee_usd) * scale;
      // A fill below or above the mid at which its position is counted from then on.
      u.samples.back().execution -= to_double(g.shortfall_usd) * scale;
    }
  }
  // Marks come later, while the fill can still be read.
  const std::uint64_t readable = gaps.fills() > gap_fills_kept ? gaps.fills() - gap_fills_kept : 0;
  for (std::size_t which = 0; which < marks_seen_.size(); ++which) {
    for (; marks_seen_[which] < gaps.marked(which); ++marks_seen_[which]) {
      const std::uint64_t n = marks_seen_[which];
      if (n >= readable) fills[n] = gaps.fill(n);
    }
  }
}

// Ended orders give their place away after a while: their state is noted when it changes.
void RunHistory::note_state(OrderId id) {
  const auto at = sent_.find(id.value);
  const Order* kept = core_.engine().core().orders().find(id);
  if (at == sent_.end() || kept == nullptr) return;
  orders[at->second.order].state = kept->state;
  orders[at->second.order].filled = kept->filled;
}

void RunHistory::sample(double t) {
  for (std::size_t i = 0; i < underlyings.size(); ++i) look(underlyings[i], before_[i], t);
  if (!underlyings.empty() && underlyings[0].samples.size() >= samples_max) thin();
}

void RunHistory::look(UnderlyingHistory& u, Before& before, double t) {
  const EngineCore& core = core_.engine().core();
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
    const std::size_t which = static_cast<std::size_t>(&u - underlyings.data());
    if (std::isnan(first_equity_[which])) first_equity_[which] = to_double(m->equity);
    s.pnl = to_double(m->equity) - first_equity_[which];
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
  for (UnderlyingHistory& u : underlyings) {
    std::size_t kept = 0;
    for (std::size_t i = 1; i < u.samples.size(); i += 2) u.samples[kept++] = u.samples[i];
    u.samples.resize(kept);
  }
}

void RunHistory::finish() {
  seconds = time_of(now_);
  sample(seconds);
  const EngineCore& core = core_.engine().core();
  for (const OrderHistory& o : orders) note_state(o.id);
  for (std::size_t r = 1; r < gimbal::refusals; ++r) {
    const std::uint64_t n = core.gate().refused(static_cast<Refusal>(r));
    if (n > 0) refusals[std::string{name_of(static_cast<Refusal>(r))}] = n;
  }
}

}  // namespace gimbal
