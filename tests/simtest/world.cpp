#include "tests/simtest/world.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tests/simtest/setup.hpp"

namespace gimbal::simtest {
namespace {

constexpr Nanos quantum = milliseconds(1);
// By the control specification no order is in doubt, positions match and feeds are valid after
// this;
constexpr Nanos settle_max = seconds(5);
// and after this it lasts, the account is armed and inside of its band.
constexpr Nanos heal_max = seconds(12);
constexpr Nanos rest_needed = milliseconds(300);

}  // namespace

// The query session: a call blocks its thread, the world goes on meanwhile.
class World::Transport final : public QueryTransport {
 public:
  explicit Transport(World& world) : world_{world}, random_{world.options_.seed, 2} {}

  HttpResponse call(const HttpRequest& request, std::chrono::milliseconds limit) override {
    const Nemesis::QueryFate fate = world_.nemesis_.query();
    const RecvTime deadline = world_.now_ + milliseconds(limit.count());
    wait_until(world_.now_ + random_.time(milliseconds(1), milliseconds(4)));
    HttpResponse response;
    sim::HttpAnswer answer;
    std::string body{request.body};
    world_.checker_.asked(body);
    world_.hash_.bytes(body.data(), body.size());
    world_.nemesis_.log_in(lanes_total, body);
    const bool lists = body.find("\"public/get_instruments\"") != std::string::npos;
    const Instrument listed = world_.venue_.exchange.instruments()[world_.venue_.perpetual].def;
    if (!fate.before_venue) {
      answer = world_.venue_.dialect.http({request.method, request.target, {}, body});
    }
    if (fate.lost) {
      wait_until(deadline);
      response.error = "no answer in time";
      return response;
    }
    wait_until(world_.now_ + fate.delay + random_.time(milliseconds(1), milliseconds(4)));
    response.status = fate.status != 200 ? fate.status : answer.status;
    response.body = fate.status != 200 ? "<html>bad gateway</html>" : answer.body;
    world_.hash_.bytes(response.body.data(), response.body.size());
    if (lists && response.status == 200) world_.checker_.listed(listed);
    return response;
  }
  RecvTime now() const override { return world_.now_; }
  ExchTime wall() const override {
    return world_.host_.measures_clock ? world_.jumping_wall() : world_.wall();
  }
  void pause(std::chrono::milliseconds time) override {
    wait_until(world_.now_ + milliseconds(time.count()));
  }

 private:
  void wait_until(RecvTime at) {
    while (world_.now_ < at) world_.tick();
  }
  World& world_;
  Random random_;
};

World::World(const RunOptions& options)
    : options_{options},
      venue_{options.seed, Money{options.plant == Plant::dear_fee ? 21 : 0},
             plan_faults(options.seed, options.faults)
                 .on.test(static_cast<std::size_t>(Fault::settled))},
      start_{venue_.exchange.now() - (now_ - RecvTime{})},
      nemesis_{options.seed, plan_faults(options.seed, options.faults), options.firings_max,
               venue_},
      network_{venue_.dialect, nemesis_, hash_, options.seed, options.plant, options.whole_bytes},
      checker_{venue_, nemesis_, network_},
      began_{now_},
      safety_ends_{now_ + options.safety},
      operator_random_{options.seed, 4},
      market_random_{options.seed, 5} {
  nemesis_.attach(network_);
  static_cast<void>(gate_.create(dir_.file("gate"), 1));
  static_cast<void>(stop_page_.create(dir_.file("stop")));
  story_ = Story{options.story};
  host_.story = &story_;
  host_.now = &now_;
  host_.network = &network_;
  host_.checker = &checker_;
  host_.venue = &venue_;
  host_.gate = &gate_;
  host_.stop = &stop_page_;
  host_.hash = &hash_;
  host_.transport = std::make_shared<Transport>(*this);
  host_.seed = options.seed;
  host_.own_account = options.seed % 2 == 0;
  host_.quiet_from = safety_ends_;
  host_.files = dir_.file("files");
  host_.plant = options.plant;
  host_.sync_lies = nemesis_.on(Fault::sync_lied);
  host_.lists_change = nemesis_.lists_change();
  if (nemesis_.on(Fault::tick_changed) || host_.lists_change) host_.list_interval = seconds(2);
  host_.dies_at = options.crash_at;
  host_.dies_after_commands = options.crash_commands;
  phase_began_ = now_;
  network_.set_now(now_);
  checker_.set_now(now_);
  set_virtual_wall(to_unix_ms(wall()), to_unix_ms(jumping_wall()));
}

World::~World() = default;

ExchTime World::jumping_wall() const {
  return venue_time() + Nanos{std::as_const(nemesis_).process().wall_offset_ns};
}

ExchTime World::wall() const { return options_.steady_wall ? venue_time() : jumping_wall(); }

// --- scheduler
// ------------------------------------------------------------------------------------

void World::tick() {
  // A long death of the bot goes by in larger steps.
  const bool dead = bot_ == nullptr && down_until_ - now_ > seconds(5);
  now_ = now_ + (dead ? quantum * 20 : quantum);
  network_.set_now(now_);
  checker_.set_now(now_);
  set_virtual_wall(to_unix_ms(wall()), to_unix_ms(jumping_wall()));
  venue_.dialect.advance(venue_time());
  nemesis_.tick(now_);
  if (phase_ == Phase::safety && market_random_.chance(0.002)) {
    const auto resting = venue_.resting();
    if (!resting.empty()) {
      venue_.hit(resting[market_random_.below(resting.size())], market_random_.unit());
    }
  }
  network_.run();
  const bool stands = nemesis_.process().paused_until > now_;
  if (bot_ != nullptr && bot_->built() && !stands) {
    bot_->set_journal(nemesis_.process().journal_back_at <= now_ &&
                      !nemesis_.process().disk_failed);
    bot_->cycle();
    if (!bot_->dead()) operate();
  }
  if (!network_.trouble().empty()) checker_.fail("I11", network_.trouble());
  if (!checker_.violation().invariant.empty()) throw Over{};
  if (options_.until != 0 && checker_.events() >= options_.until) throw Over{};
  next_phase();
  if (bot_ != nullptr && bot_->dead()) die();
  process_troubles();
}

// The crash of RunOptions::crash_at. What was written still arrives; nothing else goes wrong.
void World::die() {
  host_.dies_at = 0;
  safety_ends_ = now_;
  host_.quiet_from = now_;
  down_until_ = now_ + milliseconds(20);
  if (phase_ != Phase::safety) {  // it must come to rest, and be stopped, once more
    phase_ = Phase::liveness;
    phase_began_ = now_;
    rest_since_ = RecvTime{};
  }
  for (std::size_t i = 0; i < lanes_total; ++i) {
    network_.leave(Lane{static_cast<std::uint8_t>(i)});
  }
  throw Crash{};
}

void World::process_troubles() {
  ProcessTrouble& p = nemesis_.process();
  if (p.reconcile_again && bot_ != nullptr && bot_->built()) bot_->reconcile_again();
  p.reconcile_again = false;
  if (p.damage.damage != Damage::none) host_.damage = std::exchange(p.damage, {});
  if (!std::exchange(p.crash, false) || bot_ == nullptr) return;
  // A death of the last moment is carried out behind it: the bot is up again at once.
  const Nanos down = phase_ == Phase::safety ? p.down : Nanos{};
  down_until_ = now_ + down;
  if (down > seconds(60)) safety_ends_ = safety_ends_ + down;
  host_.quiet_from = safety_ends_;
  throw Crash{};
}

void World::work() {
  if (bot_ != nullptr) {
    if (!bot_->serve_query()) tick();
    return;
  }
  if (now_ < down_until_) return tick();
  boot();
}

void World::boot() {
  ++epoch_;
  GatePage page;
  if (Outcome o = page.create(dir_.file("gate"), epoch_); !o) {
    checker_.fail("boot", o.error());
    throw Over{};
  }
  gate_ = std::move(page);
  auto fresh = std::make_unique<Bot>(host_, epoch_);
  bot_ = std::move(fresh);
  if (const std::string error = bot_->build(); !error.empty()) {
    bot_.reset();  // an operator starts it again
    down_until_ = now_ + milliseconds(200);
  }
}

void World::end_boot() {
  if (bot_ == nullptr) return;
  if (bot_->built() && checker_.violation().invariant.empty()) {
    if (const std::string why = bot_->replay(); !why.empty()) {
      checker_.fail("I10", "stepping the journal again: " + why);
    }
  }
  if (bot_->built()) {
    if (options_.keep_journal && result_.boots == 0) result_.journal = bot_->journal();
    bot_->leave();
    result_.commands = result_.commands * 31 + bot_->digest();
    ++result_.boots;
  }
  checker_.end_boot();
  nemesis_.process().disk_failed = false;
  bot_.reset();
  for (std::size_t i = 0; i < lanes_total; ++i) network_.cut(Lane{static_cast<std::uint8_t>(i)});
  for (std::size_t i = 0; i < lanes_total; ++i) {
    network_.close(Lane{static_cast<std::uint8_t>(i)});
  }
}

RunResult World::run() {
  try {
    for (;;) {
      try {
        work();
      } catch (const Crash&) { end_boot(); }
    }
  } catch (const Over&) {}
  end_boot();
  const Violation& v = checker_.violation();
  result_.seed = options_.seed;
  result_.invariant = v.invariant;
  result_.text = v.text;
  result_.events = checker_.events();
  result_.texts = network_.texts();
  result_.orders = checker_.orders_sent();
  result_.fills = checker_.fills();
  result_.firings = nemesis_.firings();
  result_.simulated = now_ - began_;
  result_.trace = hash_.value();
  result_.coverage = checker_.coverage();
  result_.story = story_.text();
  result_.counts = nemesis_.counts();
  for (std::size_t i = 0; i < faults_total; ++i) result_.fired.set(i, result_.counts[i] > 0);
  return result_;
}

// --- the operator
// ---------------------------------------------------------------------------------

void World::arm_closed_scopes() {
  const ModeTable& modes = bot_->core().gate().modes();
  const auto arm = [&](Scope scope) {
    if (modes.at(scope) == Mode::active && gate_.at(scope) == Mode::active) return;
    bot_->operate(OperatorAction::arm, scope, Mode::active, config_hash);
  };
  if (bot_->core().other_instance().valid()) {
    bot_->operate(OperatorAction::ack, Scope{}, Mode::active, 1, TripCode::other_instance);
  }
  arm(Scope{});
  arm({ScopeLevel::venue, 0});
  arm({ScopeLevel::account, 0});
  for (std::uint16_t s = 0; s < 2; ++s) arm({ScopeLevel::strategy, s});
  arm({ScopeLevel::underlying, 0});
  const std::size_t count = bot_->core().instruments().size();
  for (std::size_t i = 0; i < count; ++i) {
    arm({ScopeLevel::instrument, static_cast<std::uint16_t>(i)});
  }
}

void World::operate() {
  ProcessTrouble& p = nemesis_.process();
  if (std::exchange(p.kill, false)) {
    bot_->kill(Scope{});
    rearm_at_ = now_ + operator_random_.time(milliseconds(100), seconds(2));
  }
  if (std::exchange(p.kill_instrument, false)) {
    bot_->kill({ScopeLevel::instrument, bot_->hedge().value});
    rearm_at_ = now_ + operator_random_.time(milliseconds(100), seconds(2));
  }
  for (std::uint32_t n = std::exchange(p.flood, 0U); n > 0; --n) {
    bot_->operate(OperatorAction::arm, Scope{}, Mode::active, 1);  // the wrong hash
  }
  if (phase_ == Phase::stop || now_ < operate_due_ || now_ < rearm_at_) return;
  operate_due_ = now_ + milliseconds(phase_ == Phase::liveness ? 300 : 700);
  arm_closed_scopes();
}

// --- phases
// ---------------------------------------------------------------------------------------

void World::next_phase() {
  switch (phase_) {
    case Phase::safety:
      if (now_ < safety_ends_) return;
      nemesis_.stop();
      phase_ = Phase::liveness;
      phase_began_ = now_;
      down_until_ = std::min(down_until_, now_);
      return;
    case Phase::liveness: return heal();
    case Phase::stop: return stop();
  }
}

std::string World::unrest() const {
  if (bot_ == nullptr || !bot_->built()) return "the bot is not up";
  if (std::string why = checker_.unrest(); !why.empty()) return why;
  if (bot_->core().gate().modes().at(Scope{}) != Mode::active) return "not armed";
  if (gate_.at(Scope{}) != Mode::active) return "the last gate is closed";
  const double delta = venue_.exchange.summary(venue_.account, currency("BTC")).delta_total;
  // The venue's greeks have five decimals and lag the walk a moment.
  if (std::abs(delta) > hedge_band + 0.03) {
    return "delta " + std::to_string(delta) + " is outside the band";
  }
  return {};
}

void World::must_settle() {
  const std::string why =
      bot_ == nullptr || !bot_->built() ? "the bot is not up" : checker_.unrest();
  settled_ = why.empty();
  if (settled_ || now_ - phase_began_ <= settle_max) return;
  checker_.fail("I12", "not settled " + std::to_string(settle_max.count / 1'000'000'000) +
                           " s after the last fault: " + why);
  throw Over{};
}

void World::heal() {
  const std::string why = unrest();
  if (!settled_) must_settle();
  if (!why.empty()) {
    rest_since_ = RecvTime{};
    if (now_ - phase_began_ <= heal_max) return;
    checker_.fail("I12", "not at rest " + std::to_string(heal_max.count / 1'000'000'000) +
                             " s after the last fault: " + why);
    throw Over{};
  }
  if (rest_since_.mono_ns == 0) rest_since_ = now_;
  if (now_ - rest_since_ < rest_needed) return;
  result_.healed_after = rest_since_ - phase_began_;
  checker_.settle_accounts();
  phase_ = Phase::stop;
  cancels_refused_ = false;
  phase_began_ = now_;
  kill_all();
}

std::vector<std::uint64_t> World::digests(const std::vector<Event>& events) {
  while (bot_ == nullptr || !bot_->built()) work();
  return bot_->digests(events);
}

std::vector<std::uint64_t> command_digests(const std::vector<Event>& events) {
  RunOptions options;
  options.seed = 5;
  options.faults.reset();
  World world{options};
  return world.digests(events);
}

RunResult run_seed(const RunOptions& options) {
  World world{options};
  return world.run();
}

RunResult run_twice(const RunOptions& options) {
  RunResult first = run_seed(options);
  RunOptions again = options;
  again.whole_bytes = again.steady_wall = true;
  if (first.trace == run_seed(again).trace) return first;
  again.steady_wall = false;
  const bool jumps = first.fired.test(static_cast<std::size_t>(Fault::wall_clock_step));
  if (first.ok() && jumps && first.trace == run_seed(again).trace) {
    first.invariant = "I14";
    first.text = "without the wall clock's jumps the same seed gave another trace";
  } else if (first.ok()) {
    first.invariant = "I11";
    first.text = "the same seed gave two traces";
  }
  return first;
}

RunResult run_once_or_twice(const RunOptions& options) {
  return options.twice ? run_twice(options) : run_seed(options);
}

}  // namespace gimbal::simtest
