#include "ops/app/rehearsal.hpp"

#include <unistd.h>

#include <array>

#include "ops/app/hot.hpp"
#include "ops/app/rehearsal_venue.hpp"

namespace gimbal {
namespace {

constexpr VenueId venue{0};
constexpr UnderlyingId coin{0};
constexpr std::uint64_t config_hash = 0x7265686561727365ULL;
constexpr std::size_t options = 4;
constexpr std::int64_t options_held = -200;  // coins of each: short gamma
constexpr Nanos option_life = seconds(20LL * 365 * 86'400);
constexpr double option_sigma = 0.6;
constexpr Nanos refresh_interval = milliseconds(200);
constexpr Nanos prepare_limit = seconds(5);
constexpr int first_rehearsals = 64;
constexpr std::uint32_t cycles_max = 200'000;      // without the step's end: it is missed
constexpr std::uint32_t look_again = 16;           // cycles
constexpr std::uint64_t fills_by_wire = 8;         // one in so many
constexpr std::uint32_t missed_in_row_max = 1000;  // then there are no more rehearsals
constexpr Nanos far_off = seconds(3600);

Instrument instrument(InstrumentKind kind) {
  Instrument i;
  i.kind = kind;
  i.state = InstrumentState::open;
  i.venue = venue;
  i.underlying = coin;
  i.settlement = currency("BTC");
  i.ticks.base = Price{nano_per_unit / 2};
  i.lot = i.amount_min = i.contract_size = Qty{10 * nano_per_unit};
  return i;
}

Instrument option(std::size_t number, ExchTime now) {
  Instrument i = instrument(InstrumentKind::inverse_option);
  i.option = number % 2 == 0 ? OptionType::call : OptionType::put;
  i.strike =
      Price{(rehearsal_center_usd + 1000 * static_cast<std::int64_t>(number / 2)) * nano_per_unit};
  i.expiry = now + option_life;
  i.ticks.base = Price{nano_per_unit / 10'000};
  i.lot = i.amount_min = Qty{nano_per_unit / 10};
  i.contract_size = Qty{nano_per_unit};
  return i;
}

// Nothing here may stand in the way: what is rehearsed is the checks' code, not their verdict.
RiskLimits limits() {
  RiskLimits l;
  l.max_order_usd = l.max_open_usd = l.max_venue_open_usd = l.max_delta_usd =
      l.max_gross_delta_usd = l.max_strategy_loss_usd = l.max_day_loss_usd = l.max_drawdown_usd =
          Money{8'000'000'000 * nano_per_unit};
  l.max_order_lots = l.max_position_lots = 900'000'000;
  l.collar_bps = 1000;
  l.price_drift_bps = 1'000'000;
  l.denials_1s_max = l.denials_60s_max = 64;
  l.greeks_age_max = far_off;
  l.order_rate_per_s = l.order_burst = 1'000'000;
  l.cancel_reserve = 0;
  l.cycles_window = Nanos{1};
  l.duplicate_window = Nanos{};
  l.mark_age_max = l.quote_age_max = l.index_age_max = l.approval_ttl = far_off;
  return l;
}

QualityLimits quality() {
  QualityLimits q;
  q.hedge_age_max = q.option_age_max = q.index_age_max = q.witness_age_max = far_off;
  q.lag_max = q.clock_warn = far_off;
  q.outlier_bps = 10'000;
  q.outlier_sigmas = 1000;
  return q;
}

DeltaHedgeConfig hedge() {
  DeltaHedgeConfig c;
  c.underlying = "BTC";
  c.numeraire = Numeraire::coin;
  c.target = HedgeTarget::zero;
  c.band = 0.001;
  c.interval_min = Nanos{};
  c.attempts_max = UINT32_MAX;
  c.usd_per_second_max = Money{9'000'000'000 * nano_per_unit};
  c.data_age_max = far_off;
  return c;
}

PollerConfig small(PollerConfig config) {
  config.buffers = 8;
  return config;
}

JournalConfig unwritten() {
  JournalConfig c;
  c.ring_records = 1024;
  return c;
}

}  // namespace

// All the private state, and the fused topology on it.
class Rehearsal::Stage {
 public:
  Stage(const RehearsalConfig& config, const TscClock& clock)
      : clock_{clock}, wall_base_{wall_now()}, mono_base_{clock.now()} {
    error_ = open_pages(config.scratch_dir);
    if (error_.empty()) error_ = furnish(config);
  }

  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] RehearsalVenue& venue_side() noexcept { return venue_; }
  [[nodiscard]] ExchTime wall() const noexcept { return wall_base_ + (clock_.now() - mono_base_); }
  std::size_t work() noexcept { return hot_->do_work(); }
  // What nobody will read: records of the journal, probe rows, requests to the cold side.
  void sweep() noexcept {
    journal_->discard();
    HopRow row;
    while (probe_.rows().pop_into(row)) {}
    FillNote fill;
    while (fills_.pop_into(fill)) {}
    QueryTask task;
    while (queries_.pop_into(task)) {}
    Trip trip;
    while (alerts_.pop_into(trip)) {}
  }
  [[nodiscard]] bool idle() const noexcept { return engine_->core().orders().open_count() == 0; }

  // What the venue would answer, straight to the core: its orders are filled whole.
  void fill_inside() noexcept {
    (void)hot_->sequencer().do_work();  // that they were sent comes before that they are filled
    const OrderTable& orders = engine_->core().orders();
    for (std::size_t left = orders.listed(); left > 0 && orders.listed() > 0; --left) {
      const Order order = orders.open_order(0);
      OrderAck ack;
      ack.order = order.id;
      ack.price = order.price;
      ack.amount = order.amount;
      submit(EventKind::order_ack, ack, order.instrument);
      Fill fill;
      fill.order = order.id;
      fill.trade = TradeId{trades_inside, ++trade_};
      fill.price = order.price;
      fill.amount = order.amount;
      fill.side = order.side;
      submit(EventKind::fill, fill, order.instrument);
      (void)gate_.unlist_order(order.id);
    }
  }

  // Connects both sessions; from here on the ring of the poller belongs to this thread.
  std::string connect() {
    RehearsalVenue::ClientEnds ends = venue_.open(error_);
    if (ends.feed == nullptr) return error_;
    if (!hot_->orders().session().port().to_hot.put(ends.orders) ||
        !hot_->feeds()[0]->session().port().to_hot.put(ends.feed)) {
      return "a private session takes no connection";
    }
    return {};
  }
  // One turn of the set-up; true when the private engine is armed and has its book.
  bool set_up_turn() {
    (void)work();
    venue_.serve(wall());
    sweep();
    const EngineStatus seen = engine_->snapshot();
    if (seen.venues[venue.value].gateway != GatewayState::ready) return false;
    if (!armed_) arm();
    return seen.global == Mode::active && engine_->core().book(hedge_)->view().has_value();
  }
  // Marks, index and volatilities: they age, and the frames of a rehearsal move the book only.
  void refresh() noexcept {
    const Price spot{rehearsal_center_usd * nano_per_unit};
    Ticker t;
    t.mark = t.index = spot;
    submit(EventKind::ticker, t, hedge_);
    t.mark = Price{nano_per_unit / 20};
    t.underlying = spot;
    t.mark_iv_nano = static_cast<std::int64_t>(option_sigma * 1e9);
    for (const InstrumentId id : options_) submit(EventKind::ticker, t, id);
    sweep();
  }

 private:
  static constexpr std::uint64_t trades_inside = 7;  // no trade of the far end is of this kind

  std::string open_pages(const std::string& directory) {
    const std::string base = directory + "/rehearsal-" + std::to_string(::getpid());
    for (const auto& [page, name] :
         {std::pair<bool, std::string>{true, base + ".gate"}, {false, base + ".stop"}}) {
      const Outcome made = page ? gate_.create(name, 1) : stop_.create(name);
      (void)::unlink(name.c_str());  // the mapping stays; nobody else can open it
      if (!made) return made.error();
    }
    (void)gate_.loosen(Scope{}, Mode::active);
    closer_ = std::make_unique<GateCloser>(gate_, clock_);
    return {};
  }

  std::string furnish(const RehearsalConfig& config) {
    hedge_ = table_.add(instrument(InstrumentKind::inverse_perpetual));
    bool named = symbols_.add(rehearsal_symbol, hedge_);
    for (std::size_t i = 0; i < options; ++i) {
      options_[i] = table_.add(option(i, wall_base_));
      named = named && symbols_.add("REHEARSAL-" + std::to_string(i), options_[i]);
    }
    if (!named || names_.id("BTC") != coin) return "the private tables are refused";
    if (!budget_.set_quota(0, 1000)) return "the private rate budget is refused";
    EngineSetup setup;
    setup.limits = limits();
    setup.quality = quality();
    setup.engine.delta_one_books = 1;
    setup.engine.option_books = options;
    setup.engine.delta_one_levels = setup.engine.option_levels = 64;
    setup.engine.trade_ids_kept = 1024;
    setup.engine.orders.ack_timeout = setup.engine.orders.unknown_pause = far_off;
    setup.engine.drift_wait = far_off;
    setup.engine.pause_hold = Nanos{};
    setup.portfolio.volatility_age_max = setup.portfolio.forward_age_max = far_off;
    setup.underlyings[coin.value] = {hedge_, Numeraire::coin, currency("BTC"), venue};
    setup.own_account[venue.value] = setup.venue_used[venue.value] = true;
    StrategySet strategies = make_strategies();
    if (!std::get<DeltaHedge>(strategies).add(hedge(), coin, hedge_).empty()) {
      return "the private hedge is refused";
    }
    engine_ = std::make_unique<BotEngine>(setup, table_, strategies, ProbeRef{&probe_});
    journal_ = std::make_unique<JournalWriter>(unwritten(), JournalIdentity{}, nullptr);
    return make_hot(config);
  }

  std::string make_hot(const RehearsalConfig& config) {
    PollerChoice choice;
    poller_ = Poller::open(small(config.poller), choice);
    if (poller_ == nullptr) return "poller: " + choice.reason;
    const HotParts parts{&clock_,   engine_.get(),  journal_.get(), nullptr,       closer_.get(),
                         &queries_, &from_queries_, &from_control_, &from_orders_, &snapshot_,
                         &probe_,   &counters_,     &alerts_,       nullptr};
    hot_ = std::make_unique<FusedHot>(parts, *poller_);
    hot_->set_orders(make_orders());
    hot_->add_feed(make_feed());
    Boot boot;
    boot.config_hash = config_hash;
    boot.epoch = 1;
    submit(EventKind::boot, boot);
    return {};
  }
  static deribit::LoginConfig login(std::int64_t first_id) {
    deribit::LoginConfig c;
    c.client_id = "rehearsal";
    c.client_secret = "rehearsal";
    c.grant = deribit::GrantType::client_credentials;
    c.first_request_id = first_id;
    return c;
  }
  std::unique_ptr<FusedHot::Orders> make_orders() {
    deribit::GatewayConfig config;
    config.venue = venue;
    config.label_tag = "rehearsal";
    config.boot_epoch = 1;
    config.own_account = true;
    config.answer_timeout = far_off;
    config.login = login(700'000'000);
    deribit::DeribitGateway gateway{std::move(config), symbols_, table_, names_, budget_};
    return std::make_unique<FusedHot::Orders>(std::move(gateway), from_orders_, fills_, gate_,
                                              SenderGate{gate_, stop_, gate_.register_sender()},
                                              table_, terms_, probe_, clock_, order_slot, venue,
                                              LinkConfig{});
  }
  std::unique_ptr<FusedHot::Feed> make_feed() {
    deribit::FeedConfig config;
    config.venue = venue;
    config.channels_max = 8;
    config.heartbeat_s = 0;
    config.answer_timeout = far_off;
    config.private_subscribe = true;
    deribit::DeribitFeed feed{config, symbols_};
    (void)feed.want_book(hedge_, deribit::Interval::raw);
    return std::make_unique<FusedHot::Feed>(
        FusedHot::Feed::Feed{std::move(feed), deribit::DeribitLogin{login(800'000'000)}},
        std::vector<InstrumentId>{hedge_}, hot_->direct(), probe_, clock_, hedge_slot,
        Priority::first, LinkConfig{});
  }

  // The venue's picture of the account, the clock, and the arm command: all of them events of the
  // private sequencer.
  void arm() {
    armed_ = true;
    VenueClock offset;
    offset.offset_ns = wall_base_.unix_ns - mono_base_.mono_ns;
    submit(EventKind::venue_clock, offset);
    refresh();
    ReconcileMark mark;
    mark.generation = 1;
    mark.as_of = wall();
    mark.phase = ReconcilePhase::begin;
    submit(EventKind::reconcile_mark, mark);
    PositionReport held;
    held.amount = Qty{options_held * nano_per_unit};
    for (const InstrumentId id : options_) submit(EventKind::position_report, held, id);
    mark.phase = ReconcilePhase::complete;
    submit(EventKind::reconcile_mark, mark);
    OperatorCommand command;
    command.command_id = 1;
    command.config_hash = config_hash;
    command.action = OperatorAction::arm;
    command.mode = Mode::active;
    submit(EventKind::operator_command, command);
  }
  template <class Payload>
  void submit(EventKind kind, const Payload& payload, InstrumentId id = {}) noexcept {
    std::array<Event, event_parts_max> parts;
    const Event head = make_event(kind, venue, id, clock_.now(), wall(), Payload{});
    const std::size_t n = write_parts(head, payload, parts.data());
    parts[n - 1].add_flag(event_flag::last_in_packet);
    hot_->sequencer().submit(parts.data(), n);
  }

  const TscClock& clock_;
  ExchTime wall_base_;
  RecvTime mono_base_;
  std::string error_;
  bool armed_{false};
  std::uint64_t trade_{0};
  InstrumentTable table_{8};
  TermsRing terms_{1};
  deribit::SymbolTable symbols_{8};
  deribit::UnderlyingNames names_;
  deribit::RateBudget budget_{{1'000'000, 1'000'000, 1000, 1}};
  InstrumentId hedge_{};
  std::array<InstrumentId, options> options_{};
  GatePage gate_;
  StopPage stop_;
  std::unique_ptr<GateCloser> closer_;
  TscProbe probe_{64};
  Counters counters_{"rehearsal"};
  SnapshotPort snapshot_;
  QueryRing queries_{16};
  EventRing from_queries_{64};
  EventRing from_control_{64};
  EventRing from_orders_{256};
  SpscRing<FillNote> fills_{64};
  AlertRing alerts_{64};
  std::unique_ptr<BotEngine> engine_;
  std::unique_ptr<JournalWriter> journal_;
  std::unique_ptr<Poller> poller_;
  RehearsalVenue venue_;
  std::unique_ptr<FusedHot> hot_;
};

Rehearsal::Rehearsal(const RehearsalConfig& config, const TscClock& clock)
    : config_{config}, clock_{clock}, stage_{std::make_unique<Stage>(config, clock)} {}
Rehearsal::~Rehearsal() = default;

std::uint64_t Rehearsal::orders_received() const noexcept { return stage_->venue_side().orders(); }

std::string Rehearsal::prepare() {
  if (!stage_->error().empty()) return stage_->error();
  if (std::string error = stage_->connect(); !error.empty()) return error;
  const RecvTime limit = clock_.now() + prepare_limit;
  while (!stage_->set_up_turn()) {
    if (clock_.now() > limit) return "the private session was not ready in time";
  }
  counters_.running.store(true, std::memory_order_release);
  while (counters_.finished.load(std::memory_order_relaxed) < first_rehearsals) {
    next(0);
    if (clock_.now() > limit || !counters_.running.load(std::memory_order_relaxed)) {
      counters_.running.store(false, std::memory_order_release);
      return "a rehearsal gave no order";
    }
  }
  return {};
}

void Rehearsal::next(std::size_t work) noexcept {
  const RecvTime now = clock_.now();
  if (work > 0) {
    due_ = now + config_.interval;
    return;
  }
  RehearsalVenue& venue_side = stage_->venue_side();
  switch (step_) {
    case Step::waiting:
      if (now >= due_) begin(now);
      return;
    case Step::decide:
      (void)stage_->work();
      step_ = Step::take;
      return;
    case Step::take:
      if (!venue_side.take_order()) {
        step_ = Step::decide;
        if (++cycles_ > cycles_max) finish(false);
        return;
      }
      step_ = venue_side.orders() % fills_by_wire == 0 ? Step::answer : Step::fill;
      return;
    case Step::fill:
      stage_->fill_inside();
      if (stage_->idle()) return finish(true);
      cycles_ = 0;
      step_ = Step::settle;
      return;
    case Step::answer:
      venue_side.send_fill(stage_->wall());
      cycles_ = 0;
      step_ = Step::settle;
      return;
    case Step::settle:
      (void)stage_->work();
      if (stage_->idle()) return finish(true);
      // The fill may have asked for one order more: the first of all flattens the whole book.
      if (++cycles_ % look_again == 0 && venue_side.take_order()) {
        venue_side.send_fill(stage_->wall());
      } else if (cycles_ > cycles_max) {
        finish(false);
      }
      return;
  }
}

void Rehearsal::begin(RecvTime now) noexcept {
  if (now >= refresh_due_) {
    refresh_due_ = now + refresh_interval;
    stage_->refresh();
    return;  // a step of its own
  }
  count(counters_.started);
  cycles_ = 0;
  step_ = Step::decide;
  stage_->venue_side().send_tick(stage_->wall());
}

void Rehearsal::finish(bool order_came) noexcept {
  step_ = Step::waiting;
  due_ = clock_.now() + config_.interval;
  stage_->sweep();
  if (order_came) {
    missed_in_row_ = 0;
    count(counters_.finished);
    return;
  }
  count(counters_.missed);
  if (++missed_in_row_ < missed_in_row_max && stage_->venue_side().alive()) return;
  counters_.running.store(false, std::memory_order_release);
}

}  // namespace gimbal
