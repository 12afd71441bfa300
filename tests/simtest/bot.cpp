#include "tests/simtest/bot.hpp"

#include <algorithm>

#include "tests/simtest/bot_lanes.hpp"
#include "tests/simtest/setup.hpp"
#include "tests/support/count_allocations.hpp"

namespace gimbal::simtest {
namespace {

thread_local std::int64_t wall_ms = 0;
thread_local std::int64_t signing_ms = 0;

// An allocation that no compiler may leave out.
void allocate() {
  static int* volatile kept = nullptr;
  kept = new int{1};
  delete kept;
}

}  // namespace

std::int64_t virtual_wall_ms() { return wall_ms; }
std::int64_t signing_wall_ms() { return signing_ms; }
void set_virtual_wall(std::int64_t unix_ms, std::int64_t signing_unix_ms) {
  wall_ms = unix_ms;
  signing_ms = signing_unix_ms;
}

Bot::Bot(Host& host, std::uint32_t epoch)
    : host_{host},
      epoch_{epoch},
      quiet_from_{host.quiet_from},
      nonce_base_{static_cast<std::uint64_t>(signing_ms) * 1'000'000 +
                  Random{host.seed, 200 + epoch}.below(1'000'000)},
      clock_{host.now},
      orders_policy_{host.seed * 4 + epoch * 1000, ReconnectConfig{}} {}

Bot::~Bot() = default;

// As the product's: the wall clock of the boot, which is finer than the virtual one's millisecond.
std::uint64_t Bot::nonce_seed(std::int64_t first_id) const {
  if (host_.plant == Plant::same_nonce) return 1;
  return nonce_base_ ^ (static_cast<std::uint64_t>(first_id) << 20);
}

deribit::LoginConfig Bot::login_config(std::int64_t first_id, const char* scope) const {
  deribit::LoginConfig login;
  login.client_id = std::string{bot_key};
  login.client_secret = bot_secret;
  login.required_scope = scope;
  login.first_request_id = first_id;
  login.unix_ms = &signing_wall_ms;
  login.nonce_seed = nonce_seed(first_id);
  return login;
}

std::string Bot::build() {
  QuerySetup setup;
  setup.venue = venue_;
  setup.transport = host_.transport;
  setup.login = login_config(900'000'000, "trade:read_write account:read");
  setup.label_tag = std::string{label_tag};
  setup.currencies = {"BTC"};
  setup.limit = std::chrono::milliseconds{1000};
  setup.symbols = &universe_.symbols();
  setup.rate_per_s = 14;
  setup.burst = 70;
  setup.batch_events = 2048;
  queries_ = std::make_unique<VenueQueries>(std::move(setup));
  if (std::string e = queries_->login(); !e.empty()) return e;
  deribit::InstrumentList list;
  if (std::string e = queries_->instruments("BTC", list); !e.empty()) return e;
  UnderlyingConfig& u = member_;
  u.name = "BTC";
  u.index = "btc_usd";
  u.currency = "BTC";
  u.hedge_instrument = "BTC-PERPETUAL";
  if (std::string e = universe_.add(u, venue_, ExchTime{virtual_wall_ms() * 1'000'000}, list);
      !e.empty()) {
    return e;
  }
  hedge_ = universe_.members()[0].hedge;
  coin_ = universe_.members()[0].id;
  setup_ = engine_setup(host_.own_account, hedge_, coin_);
  setup_.blocks = {this, &Bot::terms_of};
  order_table_ = InstrumentTable{universe_.table().size() + listings_room};
  for (std::size_t i = 0; i < universe_.table().size(); ++i) {
    boot_terms_.push_back(universe_.table()[InstrumentId{static_cast<std::uint16_t>(i)}]);
    static_cast<void>(order_table_.add(boot_terms_.back()));
  }
  engine_ = make_engine();
  BootView view;
  view.core = &engine_->core();
  view.hedge = hedge_;
  view.epoch = epoch_;
  for (std::size_t i = 0; i < universe_.table().size(); ++i) {
    view.names.emplace_back(universe_.symbols().name(InstrumentId{static_cast<std::uint16_t>(i)}));
    view.index_of.push_back(host_.venue->exchange.find(view.names.back()));
  }
  host_.checker->begin_boot(std::move(view));
  make_sessions();
  return {};
}

std::unique_ptr<TestEngine> Bot::make_engine() const {
  DeltaHedge hedge{StrategyId{0}};
  static_cast<void>(hedge.add(hedge_config(), coin_, hedge_));
  const Fidget fidget{StrategyId{1}, hedge_, host_.seed + epoch_, quiet_from_};
  // No room for more than needed: what an engine sets up, and an arm sweeps, goes by the table's
  // capacity.
  InstrumentTable listed{boot_terms_.size() + (host_.lists_change ? listings_room : 0)};
  for (const Instrument& i : boot_terms_) static_cast<void>(listed.add(i));
  return std::make_unique<TestEngine>(
      setup_, listed, TestStrategies{Counted<DeltaHedge>{hedge, 0}, Counted<Fidget>{fidget, 0}});
}

void Bot::make_sessions() {
  sequencer_ = std::make_unique<TestSequencer>(SequencerConfig{}, step_core_, sink_, journal_,
                                               clock_, counters_, &blocks_);
  sequencer_->set_priority(from_control_);
  static_cast<void>(sequencer_->add_input(from_orders_));
  static_cast<void>(sequencer_->add_input(from_queries_));
  budget_ = std::make_unique<deribit::RateBudget>(deribit::RateLimits{5, 20, 700, 200});
  static_cast<void>(budget_->set_quota(0, 1000));
  deribit::GatewayConfig gateway;
  gateway.venue = venue_;
  gateway.label_tag = std::string{label_tag};
  gateway.config_hash = label_config_hash;
  gateway.boot_epoch = epoch_;
  gateway.own_account = host_.own_account;
  gateway.login = login_config(700'000'000, "trade:read_write account:read_write");
  gateway_ = std::make_unique<deribit::DeribitGateway>(
      std::move(gateway), universe_.symbols(), order_table_, universe_.underlyings(), *budget_);
  gate_ = std::make_unique<SenderGate>(*host_.gate, *host_.stop, host_.gate->register_sender());
  for (const Lane lane : {Lane::hedge, Lane::options}) {
    const auto nth = static_cast<std::int64_t>(lane);
    feeds_.push_back(std::make_unique<FeedLane>(lane, universe_, host_.lists_change,
                                                login_config(600'000'000 + nth * 10'000, ""),
                                                host_.seed * 8 + epoch_ * 64));
  }
  Boot boot;
  boot.config_hash = config_hash;
  boot.epoch = epoch_;
  sequencer_->submit(make_event(EventKind::boot, venue_, {}, clock_.now(), {}, boot));
  recover_orders();
  for (HeldScope& h : host_.latched) {
    h.seq = 0;  // its number was of the boot before
    if (h.scope.level == ScopeLevel::instrument) {
      const InstrumentId id = universe_.symbols().find(h.name);
      if (!id.valid()) continue;  // it has ended
      h.scope.id = id.value;
    }
    host_.gate->tighten(h.scope, h.mode);
    operate(OperatorAction::kill, h.scope, h.mode == Mode::reduce ? Mode::reduce : Mode::halt, 0);
  }
}

// --- the core's thread
// ------------------------------------------------------------------------------

void Bot::cycle() {
  if (dead_) return;
  static_cast<void>(sequencer_->do_work());
  if (!dead_) run_sessions();
  if (!dead_) static_cast<void>(sequencer_->do_work());
  if (!dead_) keep_orders();
  if (host_.plant != Plant::none) plant_cycle();
}

void Bot::step(const Event& event, Commands& out) {
  if (dead_) return out.clear();
  host_.hash->bytes(&event, sizeof event);
  host_.checker->before(event);
  host_.story->event(event);
  Event changed = event;
  const bool kept = host_.plant != Plant::none && plant_event(event, changed);
  auto& strategies = engine_->strategies();
  std::get<0>(strategies).placed = std::get<1>(strategies).placed = 0;
  const std::uint64_t asked = std::get<0>(strategies).asked + std::get<1>(strategies).asked;
  const std::size_t allocated = test::allocation_count();
  if (host_.plant == Plant::heap_in_step) allocate();
  engine_->step(kept ? changed : event, out);
  const std::size_t now_allocated = test::allocation_count();
  note_answer();
  if (std::get<0>(strategies).placed + std::get<1>(strategies).placed > 0) {
    host_.checker->wanted(std::get<0>(strategies).wanted());
    host_.checker->wanted(std::get<1>(strategies).wanted());
  }
  host_.checker->after(event, out,
                       std::get<0>(strategies).asked + std::get<1>(strategies).asked - asked +
                           (host_.plant == Plant::swallow_request && steps_ == 5000 ? 1 : 0),
                       now_allocated - allocated);
  // A unit is journalled and stepped as a whole.
  if (++steps_ >= host_.dies_at && host_.dies_at != 0 && event.last_part()) {
    dead_ = journal_.ended = true;
    commands_left_ = host_.dies_after_commands;
  }
  if (!host_.story->on()) return;
  for (const Command& c : out) host_.story->command(clock_.now(), c);
}

void Bot::command(const Command& c) {
  if (dead_) {
    if (commands_left_ == 0) return;
    --commands_left_;
  }
  carries_out_ = true;
  carry_out(c);
  carries_out_ = false;
}

void Bot::carry_out(const Command& c) {
  switch (c.kind()) {
    case CommandKind::place:
    case CommandKind::replace:
    case CommandKind::cancel:
    case CommandKind::cancel_all: return execute(c);
    case CommandKind::resync: return resync(c.resync().instrument);
    case CommandKind::reconcile: reconciles_.push_back(c.reconcile()); return;
    case CommandKind::query_order:
      if (look_ups_.size() < 1024) look_ups_.push_back(c.query_order());
      return;
    case CommandKind::raise: return raise(c.raise());
    case CommandKind::arm_timer:
    case CommandKind::none: return;
  }
}

void Bot::halt_gate() {
  ++host_.journal_faults;
  host_.gate->tighten(Scope{}, Mode::halt);
  host_.checker->closed(Scope{}, Mode::halt);
}

void Bot::raise(const Trip& trip) {
  if (trip.code == TripCode::terms_refused) ask_list(trip.instrument);
  if (trip.mode == Mode::active) return;
  host_.gate->tighten(trip.scope, trip.mode);
  if (trip.mode >= Mode::halt) host_.checker->closed(trip.scope, trip.mode);
  if (!trip.latched) return;
  std::string name;
  if (trip.scope.level == ScopeLevel::instrument) {
    name = universe_.symbols().name(InstrumentId{trip.scope.id});
  }
  host_.checker->latched(trip.scope, trip.mode);
  if (host_.plant == Plant::forget_latch) {
    if (trip.scope != Scope{} && epoch_ == 1) host_.dies_at = steps_ + 1;
    return;
  }
  std::erase_if(host_.latched, [&](const HeldScope& h) { return h.scope == trip.scope; });
  host_.latched.push_back({trip.scope, name, trip.mode, trip.seq});
}

// --- the operator's desk
// ----------------------------------------------------------------------------

void Bot::operate(OperatorAction action, Scope scope, Mode mode, std::uint64_t hash,
                  TripCode subject) {
  OperatorCommand c;
  c.command_id = next_command_++;
  c.config_hash = hash;
  c.scope = scope;
  c.action = action;
  c.mode = mode;
  c.subject = static_cast<std::uint32_t>(subject);
  std::array<Event, parts_of<OperatorCommand>> unit;
  write_parts(make_event(EventKind::operator_command, venue_, {}, clock_.now(), {}, c), c,
              unit.data());
  static_cast<void>(from_control_.push_unit(unit.data(), unit.size()));
}

void Bot::kill(Scope scope) {
  host_.gate->tighten(scope, Mode::cancel);
  host_.checker->closed(scope, Mode::cancel);
  operate(OperatorAction::kill, scope, Mode::cancel, 0);
}

// What the desk does once the core has accepted an arm.
// Several commands may be answered between two looks of the desk.
void Bot::note_answer() {
  const OperatorAnswer& a = engine_->last_operator();
  if (a.seq == operator_seq_) return;
  operator_seq_ = a.seq;
  answers_.push_back(a);
}

void Bot::follow_arms() {
  for (const OperatorAnswer& a : answers_) follow_arm(a);
  answers_.clear();
}

void Bot::follow_arm(const OperatorAnswer& a) {
  if (a.action != OperatorAction::arm || a.result != OperatorResult::accepted) return;
  const auto held = std::find_if(host_.latched.begin(), host_.latched.end(),
                                 [&](const HeldScope& h) { return h.scope == a.scope; });
  const bool later = held != host_.latched.end() && held->seq > a.seq;
  if (held != host_.latched.end() && !later) host_.latched.erase(held);
  if (!later) host_.gate->reopen(a.scope, host_.gate->at(a.scope), a.mode, a.gate_epoch);
}

std::uint64_t Bot::commands() const noexcept { return sequencer_->digest().count(); }
std::uint64_t Bot::digest() const noexcept { return sequencer_->digest().value(); }

std::vector<std::uint64_t> Bot::digests(const std::vector<Event>& events) const {
  const std::unique_ptr<TestEngine> engine = make_engine();
  CommandDigest digest;
  Commands out;
  std::vector<std::uint64_t> after;
  for (const Event& e : events) {
    engine->step(e, out);
    for (const Command& c : out) digest.add(c);
    after.push_back(digest.value());
  }
  return after;
}

std::string Bot::replay() const {
  const std::unique_ptr<TestEngine> again = make_engine();
  CommandDigest digest;
  Commands out;
  Seq seq{};
  std::uint64_t n = 0;
  for (Event e : journal_.events) {
    if (host_.plant == Plant::lose_journal && ++n % 50 == 0 && e.part_count() == 1) continue;
    seq = seq.next();
    e.set_seq(seq);
    again->step(e, out);
    for (const Command& c : out) digest.add(c);
  }
  if (digest.value() != sequencer_->digest().value()) return "the commands differ";
  for (std::size_t i = 0; i < universe_.table().size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    if (again->core().portfolio().position(id) != core().portfolio().position(id)) {
      return "the positions differ";
    }
  }
  return {};
}

}  // namespace gimbal::simtest
