#include "ops/app/what_if.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <unordered_map>

#include "engine/quant/margin/same_thread_pricer.hpp"
#include "ops/app/core_replay.hpp"

namespace gimbal {
namespace {

constexpr Nanos round_trip_default = milliseconds(5);
constexpr double delta_unit = 1e-9;

// The order that a unit's first part names in its first eight bytes (Fill, OpenOrderReport).
OrderId named_first(const Event& e) {
  OrderId id;
  std::memcpy(&id, e.payload, sizeof id);
  return id;
}

// --- figures --------------------------------------------------------------------------------

// Follows an engine and sums up what it did.
class Watch {
 public:
  Watch(const ReplayEngine& engine, const JournalOrigin& origin)
      : engine_{engine}, origin_{origin}, sums_(origin.universe.members().size()) {}

  void stepped(const Event& event, const Commands& out) {
    for (std::size_t i = 0; i < out.size(); ++i) count(out[i]);
    if (!event.has(event_flag::last_in_packet)) return;
    const EngineCore& core = engine_.core();
    const double dt = started_ ? static_cast<double>((core.now() - last_).count) * 1e-9 : 0;
    started_ = true;
    last_ = core.now();
    const bool armed = core.gate().modes().at(Scope{}) == Mode::active;
    for (std::size_t u = 0; u < sums_.size(); ++u) {
      look(sums_[u], origin_.universe.members()[u].id, dt, armed);
    }
  }
  [[nodiscard]] RunFigures figures() const;

 private:
  struct Sum {
    double last{0}, weighted{0}, max{0}, armed{0};
  };
  void count(const Command& c) {
    switch (c.kind()) {
      case CommandKind::place: ++figures_.placed; break;
      case CommandKind::replace: ++figures_.replaced; break;
      case CommandKind::cancel:
      case CommandKind::cancel_all: ++figures_.cancels; break;
      case CommandKind::raise: ++figures_.trips; break;
      default: break;
    }
  }
  void look(Sum& s, UnderlyingId id, double dt, bool armed) const {
    if (armed && dt > 0) {
      s.weighted += std::abs(s.last) * dt;  // it held since the last look
      s.armed += dt;
      s.max = std::max(s.max, std::abs(s.last));
    }
    if (const auto r = engine_.core().residual(id)) {
      s.last = static_cast<double>(r->settled) * delta_unit;
    }
  }

  const ReplayEngine& engine_;
  const JournalOrigin& origin_;
  RunFigures figures_;
  std::vector<Sum> sums_;
  RecvTime last_{};
  bool started_{false};
};

RunFigures Watch::figures() const {
  RunFigures out = figures_;
  const EngineCore& core = engine_.core();
  out.refused = core.gate().refused_total();
  for (std::size_t v = 0; v < venues_max; ++v) {
    const GapTotals& t = core.gaps().of(VenueId{static_cast<std::uint8_t>(v)});
    out.fills += t.fills;
    out.traded_usd += t.traded_usd;
    out.shortfall_usd += t.shortfall_usd;
  }
  for (std::size_t u = 0; u < sums_.size(); ++u) {
    const Sum& s = sums_[u];
    out.deltas.push_back({origin_.loaded->config.underlyings[u].name,
                          s.armed > 0 ? s.weighted / s.armed : 0, s.max, s.last, s.armed});
  }
  for (std::size_t i = 0; i < core.instruments().size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    const Qty held = core.portfolio().position(id);
    if (held.nano == 0) continue;
    std::string name{origin_.universe.symbols().name(id)};
    if (name.empty()) name = "instrument " + std::to_string(i);  // listed while running
    out.positions.push_back({std::move(name), held});
  }
  return out;
}

// --- the recorded run -----------------------------------------------------------------------

// Median time from an order's bytes to the first answer about it.
class RoundTrips {
 public:
  void event(const Event& e) {
    switch (e.kind()) {
      case EventKind::order_sent:
        if (e.as<OrderSent>().action == OrderAction::place) {
          sent_[e.as<OrderSent>().order.value] = e.recv;
        }
        return;
      case EventKind::order_ack: return answered(e.as<OrderAck>().order, e.recv);
      case EventKind::order_done: return answered(e.as<OrderDone>().order, e.recv);
      case EventKind::fill:
        if (e.part_index() == 1) answered(named_first(e), e.recv);
        return;
      default: return;
    }
  }
  [[nodiscard]] std::uint64_t count() const { return times_.size(); }
  [[nodiscard]] Nanos median() {
    if (times_.empty()) return round_trip_default;
    const auto middle = times_.begin() + static_cast<std::ptrdiff_t>(times_.size() / 2);
    std::nth_element(times_.begin(), middle, times_.end());
    return Nanos{std::max<std::int64_t>(*middle, 1000)};
  }

 private:
  void answered(OrderId id, RecvTime at) {
    const auto found = sent_.find(id.value);
    if (found == sent_.end()) return;
    if (times_.size() < 1'000'000) times_.push_back((at - found->second).count);
    sent_.erase(found);
  }
  std::unordered_map<std::uint64_t, RecvTime> sent_;
  std::vector<std::int64_t> times_;
};

// --- a run at the assumed venue -------------------------------------------------------------

class AssumedRun {
 public:
  AssumedRun(const JournalOrigin& origin, Nanos round_trip, std::string& error) {
    StrategySet strategies;
    error = make_engine_setup(origin.loaded->config, origin.universe, setup_, strategies);
    if (!error.empty()) return;
    setup_.blocks = SideBlocks{&blocks_, &ReplayBlocks::find};
    pricer_ = std::make_unique<quant::SameThreadPricer>(setup_);
    pricer_->wire(setup_);
    engine_ = std::make_unique<ReplayEngine>(setup_, origin.universe.table(), strategies);
    venue_ = std::make_unique<AssumedVenue>(engine_->core(), round_trip);
    watch_ = std::make_unique<Watch>(*engine_, origin);
  }

  void record(const JournalRecord& r) {
    if (r.type == RecordType::side_block) return blocks_.add(r.block, r.bytes);
    if (r.type == RecordType::event) recorded(r.event);
  }
  [[nodiscard]] RunFigures figures() const { return watch_->figures(); }
  [[nodiscard]] std::uint64_t reloads() const { return reloads_; }
  [[nodiscard]] std::uint64_t own() const { return own_; }
  [[nodiscard]] std::uint64_t adopted() const { return adopted_; }

 private:
  void recorded(const Event& e) {
    if (e.part_index() == 1) {
      catch_up(e.now());
      takes_ = wanted(e);
    }
    if (!takes_) return;
    Event copy = e;
    adjust(copy);
    step(copy);
    venue_->market(copy);
  }

  // Timers and the assumed venue's events that fall before the next recorded one.
  void catch_up(RecvTime until) {
    for (;;) {
      const RecvTime venue = venue_->due();
      const bool timer = timer_due_.mono_ns != 0 && timer_due_ <= venue;
      const RecvTime due = timer ? timer_due_ : venue;
      if (due > until) return;
      if (timer) {
        TimerFired fired;
        fired.timer = engine_timer;
        fired.due = due;
        timer_due_ = {};
        Event e = make_event(EventKind::timer, VenueId{}, {}, due, {}, fired);
        e.add_flag(event_flag::last_in_packet);
        step(e);
        continue;
      }
      std::vector<Event> events;
      venue_->run(events);
      for (const Event& e : events) step(e);
    }
  }

  void step(const Event& input) {
    Event e = input;
    e.set_seq(Seq{++seq_});
    engine_->step(e, out_);
    watch_->stepped(e, out_);
    for (const Command& c : out_) {
      if (c.kind() == CommandKind::arm_timer) {
        timer_due_ = c.timer().due;
      } else {
        venue_->command(c, engine_->core().now());
      }
    }
    if (e.last_part() && e.has(event_flag::last_in_packet)) price_rows(e.now());
  }
  // This run's prices make other questions than the recorded one's: its answers are its own.
  void price_rows(RecvTime at) {
    SideBlockRef ref;
    while (pricer_->answer(ref)) {
      Event e = make_event(EventKind::side_block, VenueId{0}, {}, at, {}, ref);
      e.add_flag(event_flag::last_in_packet);
      step(e);
    }
  }

  // Whether a recorded event is an input of this run too: what the venue said of recorded orders
  // is not.
  bool wanted(const Event& e) {
    switch (e.kind()) {
      case EventKind::timer: return false;
      case EventKind::config_change: ++reloads_; return false;
      case EventKind::side_block: return e.as<SideBlockRef>().kind != SideBlockKind::scenario_rows;
      case EventKind::order_ack:
      case EventKind::order_reject:
      case EventKind::order_done:
      case EventKind::order_sent:
      case EventKind::order_lookup: ++own_; return false;
      case EventKind::order_carry:
        if (e.part_index() == 1) ++adopted_;
        return false;
      case EventKind::fill:
        if (named_first(e).valid()) ++own_;
        return !named_first(e).valid();
      case EventKind::open_order_report:
        if (named_first(e).epoch() == epoch_) return false;
        if (named_first(e).valid()) ++adopted_;
        return !named_first(e).valid();
      case EventKind::boot: epoch_ = e.as<Boot>().epoch; return true;
      case EventKind::gateway_status:
        if (e.as<GatewayStatus>().state != GatewayState::ready) venue_->lose_session();
        return true;
      case EventKind::reconcile_mark:
        if (e.as<ReconcileMark>().phase == ReconcilePhase::complete) {
          for (const Event& shown : venue_->picture(e.recv)) step(shown);
          had_picture_ = true;
        }
        return true;
      default: return true;
    }
  }
  // What the venue said of the recorded account, as it would be of this one.
  void adjust(Event& e) const {
    if (e.kind() == EventKind::position_report && had_picture_) {
      auto report = e.as<PositionReport>();
      report.amount = engine_->core().portfolio().position(e.instrument);
      e.put(report);
    }
    constexpr std::size_t at = offsetof(MarginReport, delta_total_nano);
    if (e.kind() == EventKind::margin_report && e.part_index() == 1 + at / payload_bytes) {
      std::memcpy(e.payload + at % payload_bytes, &absent_nano, sizeof absent_nano);
    }
  }

  EngineSetup setup_;
  ReplayBlocks blocks_;
  std::unique_ptr<quant::SameThreadPricer> pricer_;
  std::unique_ptr<ReplayEngine> engine_;
  std::unique_ptr<AssumedVenue> venue_;
  std::unique_ptr<Watch> watch_;
  Commands out_;
  std::uint64_t seq_{0};
  RecvTime timer_due_{};
  std::uint32_t epoch_{0};
  bool takes_{true};
  bool had_picture_{false};
  std::uint64_t reloads_{0}, own_{0}, adopted_{0};
};

std::string run_assumed(const JournalOrigin& origin, const JournalSegments& segments,
                        Nanos round_trip, RunFigures& figures, WhatIfResult& result) {
  std::string error;
  AssumedRun run{origin, round_trip, error};
  if (!error.empty()) return error;
  JournalReader reader{segments};
  JournalRecord record;
  while (reader.next(record) == JournalStatus::record && record.type != RecordType::gap) {
    run.record(record);
  }
  figures = run.figures();
  result.reloads_left_out = run.reloads();
  result.own_left_out = run.own();
  result.adopted_left_out = run.adopted();
  return {};
}

}  // namespace

std::string run_what_if(const JournalSegments& segments, std::unique_ptr<LoadedConfig> other,
                        WhatIfResult& result) {
  JournalOrigin origin;
  read_origin(segments, origin);
  if (!origin.error.empty()) return origin.error;
  RoundTrips trips;
  {
    std::string error;
    ReplayOptions options;
    options.stop_at_difference = false;
    CoreReplay core{origin, segments, options, false, error};
    if (!error.empty()) return error;
    Watch watch{core.engine(), origin};
    core.on_step([&](const Event& e, const Commands& out) {
      trips.event(e);
      watch.stepped(e, out);
    });
    while (core.next()) {}
    result.recorded = watch.figures();
    result.events = core.result().events;
    if (core.result().verdict == ReplayVerdict::damaged) result.damage = core.result().error;
  }
  result.recorded_hash = origin.loaded->hash_hex();
  result.round_trips = trips.count();
  result.round_trip = trips.median();
  if (std::string e = run_assumed(origin, segments, result.round_trip, result.assumed, result);
      !e.empty()) {
    return e;
  }
  JournalOrigin changed;
  read_origin(segments, changed);
  result.other_hash = other->hash_hex();
  changed.loaded = std::move(other);
  if (std::string e = changed.universe.rebind(changed.loaded->config); !e.empty()) {
    return "the other configuration does not fit the journal's instruments: " + e;
  }
  return run_assumed(changed, segments, result.round_trip, result.other, result);
}

}  // namespace gimbal
