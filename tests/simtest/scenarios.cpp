#include "tests/simtest/scenarios.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "engine/core/engine.hpp"
#include "engine/quant/margin/same_thread_pricer.hpp"
#include "strategies/registry.hpp"
#include "tests/sim/support.hpp"
#include "venues/sim/typed_door.hpp"

namespace gimbal::simtest {
namespace {

using namespace gimbal::sim;

constexpr std::uint64_t ladder_config_hash = 78;

// Answers of the scenario pricer, for the replay.
struct KeptRows {
  std::map<std::uint32_t, std::vector<std::byte>> blocks;
  void add(const SideBlockRef& ref, std::span<const std::byte> bytes) {
    blocks[ref.generation].assign(bytes.begin(), bytes.end());
  }
  static std::span<const std::byte> find(const void* self, std::uint16_t,
                                         std::uint32_t generation) noexcept {
    const auto& all = static_cast<const KeptRows*>(self)->blocks;
    const auto at = all.find(generation);
    return at == all.end() ? std::span<const std::byte>{} : at->second;
  }
};

struct MarginBot {
  using E = Engine<NullProbe, std::tuple<DeltaHedge, Liquidation>>;

  Venue venue;
  AccountId account;
  InstrumentTable table;
  std::unique_ptr<TypedDoor> door;
  EngineSetup setup;
  std::tuple<DeltaHedge, Liquidation> strategies;
  std::unique_ptr<E> engine;
  bool keeps{false};
  std::vector<Event> journal;
  KeptRows rows;
  std::unique_ptr<quant::SameThreadPricer> pricer;
  CommandDigest commands;
  InstrumentId perpetual{};
  UnderlyingId coin{};
  Commands out;
  std::uint64_t seq{0};
  ScenarioOutcome seen;
  LiquidationConfig config = ladder();

  explicit MarginBot(SimConfig market) : venue{std::move(market)}, account{venue.add("bot", 0)} {}

  static LiquidationConfig ladder() {
    LiquidationConfig c;
    c.underlying = "BTC";
    c.future_maintenance = 0.01;  // what the simulated venue asks for
    c.future_per_coin = 0.00005;
    c.option_maintenance = 0.075;
    c.slice_usd_max = coins(200'000);
    c.interval_min = milliseconds(200);
    c.volatility_min = 0.5;
    return c;
  }
  void hold(InstrumentIndex instrument, double amount) {
    InitialPosition p;
    p.instrument = instrument;
    p.size = Qty{static_cast<std::int64_t>(std::llround(amount * 1e9))};
    venue.exchange.endow(account, std::span{&p, 1});
  }
  // Signed BTC of the perpetual, as whole contracts.
  void hold_perpetual(double size) {
    hold(venue.perpetual,
         std::round(size * to_double(venue.exchange.mark_price(venue.perpetual)) / 10) * 10);
  }
  // The options nearest the money of the first expiry after `days`: volatility moves these most.
  void short_options(double size, std::size_t count, int days) {
    const auto all = venue.exchange.instruments();
    const double spot = to_double(venue.exchange.mark_price(venue.perpetual));
    std::vector<InstrumentIndex> chosen;
    ExchTime expiry{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Instrument& d = all[i].def;
      if (d.kind != InstrumentKind::inverse_option || !all[i].name.starts_with("BTC-")) continue;
      if (d.expiry - venue.exchange.now() < seconds(days * 86400)) continue;
      if (expiry == ExchTime{}) expiry = d.expiry;
      if (d.expiry == expiry) chosen.push_back(static_cast<InstrumentIndex>(i));
    }
    std::ranges::stable_sort(chosen, {}, [&](InstrumentIndex i) {
      return std::abs(to_double(all[i].def.strike) - spot);
    });
    require(chosen.size() >= count, "too few options are listed");
    for (std::size_t n = 0; n < std::min(count, chosen.size()); ++n) hold(chosen[n], -size);
  }
  // Cash so that the venue's maintenance margin is this share of the margin balance.
  void fund_to(double health) {
    const Summary s = venue.exchange.summary(account, btc);
    const double missing = to_double(s.maintenance_margin) / health - to_double(s.margin_balance);
    venue.exchange.deposit(account, btc, Money{static_cast<std::int64_t>(missing * 1e9)});
  }
  // The account's model at the venue and in the bot, and what both take from the venue.
  void on_portfolio_margin() { config.margin_model = LadderMargin::portfolio; }
  static ScenarioConfig moves() {
    const PortfolioRules r = usual_portfolio_rules();
    ScenarioConfig c;
    c.price_range = r.price_range;
    c.volatility_up = r.volatility_up;
    c.volatility_down = r.volatility_down;
    c.volatility_up_min = r.volatility_up_min;
    c.short_power = r.short_power;
    c.long_power = r.long_power;
    c.extended_factor = r.extended_factor;
    c.dampener_usd = r.dampener_usd;
    c.annual_move = r.annual_move;
    c.roll_min = r.roll_min;
    c.delta_shock_per_coin = r.delta_shock_per_coin;
    c.delta_shock_max = r.delta_shock_max;
    c.delta_shock_threshold_usd = r.delta_shock_threshold_usd;
    c.maintenance_factor = r.maintenance_factor;
    return c;
  }
  void start(bool with_hedge, bool with_ladder) {
    const bool portfolio = config.margin_model == LadderMargin::portfolio;
    DoorConfig d;
    d.account = account;
    d.option_books = with_hedge || portfolio;  // only these accounts hold options
    door = std::make_unique<TypedDoor>(venue.exchange, table, d);
    perpetual = door->id_of(venue.perpetual);
    coin = table[perpetual].underlying;
    RiskLimits& l = setup.limits;
    l.max_order_usd = coins(2'000'000);
    l.max_order_lots = 1'000'000;
    l.max_open_usd = l.max_venue_open_usd = coins(10'000'000);
    l.max_position_lots = 10'000'000;
    l.max_delta_usd = coins(50'000'000);
    l.max_gross_delta_usd = coins(100'000'000);
    l.max_strategy_loss_usd = l.max_day_loss_usd = l.max_drawdown_usd = coins(50'000'000);
    l.order_rate_per_s = 3;
    l.order_burst = 14;
    l.cancel_reserve = 4;
    setup.engine.delta_one_books = 32;
    setup.engine.option_books = 256;
    setup.engine.option_levels = 16;
    if (portfolio) setup.scenarios = moves();
    setup.own_account[0] = setup.venue_used[0] = true;
    setup.underlyings[coin.value] = {perpetual, Numeraire::coin, btc, VenueId{0}};
    DeltaHedge hedge{StrategyId{0}};
    if (with_hedge) {
      DeltaHedgeConfig h;
      h.underlying = "BTC";
      h.numeraire = Numeraire::coin;
      h.band = 0.05;
      h.interval_min = milliseconds(50);
      require(hedge.add(h, coin, perpetual).empty(), "the hedge is refused");
    }
    Liquidation liquidation{StrategyId{1}};
    config.hedged = with_hedge;
    if (with_ladder) {
      require(liquidation.add(config, coin, perpetual).empty(), "the ladder is refused");
    }
    strategies = {hedge, liquidation};
    pricer = std::make_unique<quant::SameThreadPricer>(setup);
    pricer->wire(setup);
    engine = std::make_unique<E>(setup, table, strategies);
    Boot boot;
    boot.epoch = 1;
    boot.config_hash = ladder_config_hash;
    step(make_event(EventKind::boot, VenueId{0}, {}, door->now(), {}, boot));
    door->connect();
    const Summary s = venue.exchange.summary(account, btc);
    seen.balance_before = to_double(s.margin_balance);
    seen.equity_before = to_double(s.equity);
    run(milliseconds(500));
    operate(OperatorAction::arm);
    run(milliseconds(500));
    require(engine->last_operator().result == OperatorResult::accepted, "it does not arm");
  }
  void require(bool held, const char* what) {
    if (!held && seen.fault.empty()) seen.fault = what;
  }
  void step(Event e) {
    e.set_seq({++seq});
    if (keeps) journal.push_back(e);
    // As the bot does: the first part's commands leave before the rest is computed.
    engine->begin(e, out);
    carry_out(0, e.now());
    const std::size_t left = out.size();
    engine->rest(out);
    carry_out(left, e.now());
    if (e.last_part() && e.has(event_flag::last_in_packet)) answer(e.now());
  }
  // The scenario rows that the core asked for, as the bot's pricing thread would send them.
  void answer(RecvTime at) {
    SideBlockRef ref;
    while (pricer->answer(ref)) {
      if (keeps) rows.add(ref, pricer->block());
      Event e = make_event(EventKind::side_block, VenueId{0}, {}, at, {}, ref);
      e.add_flag(event_flag::last_in_packet);
      step(e);
    }
  }
  void carry_out(std::size_t from, RecvTime now) {
    for (std::size_t n = from; n < out.size(); ++n) {
      const Command& c = out[n];
      commands.add(c);
      if (c.kind() == CommandKind::place && c.place()->order.strategy() == StrategyId{1}) {
        ++seen.orders;
        require((c.place()->flags & order_flag::reduce_only) != 0, "an order is not reduce-only");
      }
      if (c.kind() == CommandKind::place && c.place()->order.strategy() == StrategyId{0}) {
        ++seen.hedges;
      }
      door->send(c, now);
    }
  }
  // The same events through a fresh engine, each in one step.
  void replay() {
    require(!journal.empty(), "nothing was kept");
    EngineSetup recorded = setup;
    recorded.scenario_desk = {};
    recorded.blocks = {&rows, &KeptRows::find};
    E again{recorded, table, strategies};
    CommandDigest same;
    Commands asked;
    for (Event& e : journal) {
      again.step(e, asked);
      for (const Command& c : asked) same.add(c);
    }
    require(same.value() == commands.value(), "a replay of its events gives other commands");
  }
  void run(Nanos d) {
    const RecvTime end = door->now() + d;
    while (door->now() < end) {
      const RecvTime until = std::min(end, door->now() + milliseconds(50));
      Event e;
      while (door->next(until, e)) step(e);
      watch();
    }
  }
  void watch() {
    seen.liquidated = seen.liquidated || venue.exchange.under_liquidation(account) ||
                      venue.exchange.bankrupt(account);
    const Summary s = venue.exchange.summary(account, btc);
    const double balance = to_double(s.margin_balance);
    const double health = balance > 0 ? to_double(s.maintenance_margin) / balance : 99;
    seen.health_worst = std::max(seen.health_worst, health);
    if (ladder_state() != nullptr) {
      seen.worst = std::max(seen.worst, ladder_state()->state);
      seen.mismatch = seen.mismatch || ladder_state()->mismatch;
    }
  }
  [[nodiscard]] const LiquidationState* ladder_state() {
    const Liquidation& l = std::get<Liquidation>(engine->strategies());
    return l.accounts() > 0 ? &l.state(0) : nullptr;
  }
  void operate(OperatorAction action) {
    operator_events(action, seq, ladder_config_hash, door->now(), [this](Event& e) { step(e); });
  }
  ScenarioOutcome finish() {
    const Summary s = venue.exchange.summary(account, btc);
    seen.balance_after = to_double(s.margin_balance);
    seen.equity_after = to_double(s.equity);
    seen.fees = to_double(s.fees);
    for (const Position& p : venue.exchange.positions(account)) {
      if (p.size.nano != 0) ++seen.held;
    }
    if (!config.hedged) return seen;
    const auto left = engine->core().view().residual(coin);
    require(left.has_value(), "the residual delta is not known");
    if (left) seen.residual = static_cast<double>(left->settled) * 1e-9;
    return seen;
  }
};

SimConfig calm_market() {
  SimConfig c = small_market(7);
  c.enforce_rates = true;
  for (CoinConfig& coin : c.coins) coin.jumps_per_year = 0;
  return c;
}

// A fall of 20 % in five minutes under a long of five times the balance.
ScenarioOutcome crash(bool with_ladder) {
  MarginBot bot{calm_market()};
  bot.venue.exchange.deposit(bot.account, btc, coins(1));
  bot.hold_perpetual(5);
  bot.start(false, with_ladder);
  for (int second = 0; second < 300; ++second) {
    bot.door->shock("BTC", std::log(0.8) / 300);
    bot.run(seconds(1));
  }
  bot.run(seconds(20));
  return bot.finish();
}

// 10 % at once, then 2 % more in a minute. `size` in coins over a balance of one.
ScenarioOutcome gap(bool with_ladder, double size) {
  MarginBot bot{calm_market()};
  bot.venue.exchange.deposit(bot.account, btc, coins(1));
  bot.hold_perpetual(size);
  bot.start(false, with_ladder);
  bot.run(seconds(5));
  bot.door->shock("BTC", std::log(0.9));
  bot.run(seconds(5));
  for (int second = 0; second < 60; ++second) {
    bot.door->shock("BTC", std::log(0.98) / 60);
    bot.run(seconds(1));
  }
  return bot.finish();
}

// Short options near the money, delta hedged; volatility rises to 2.5 times itself in a minute.
ScenarioOutcome volatility(bool with_ladder) {
  SimConfig market = calm_market();
  market.products[0].strikes = 9;
  MarginBot bot{std::move(market)};
  bot.short_options(1, 6, 20);
  bot.fund_to(0.7);
  bot.start(true, with_ladder);
  bot.run(seconds(5));
  for (int second = 0; second < 60; ++second) {
    bot.door->shock_volatility("BTC", std::exp(std::log(2.5) / 60));
    bot.run(seconds(1));
  }
  bot.run(seconds(20));
  return bot.finish();
}

// The perpetual stays 4 % under its index: a short pays for it by the hour, in a flat market.
ScenarioOutcome squeeze(bool with_ladder) {
  SimConfig market = calm_market();
  market.step = milliseconds(200);
  market.funding_cap = 0.05;
  for (CoinConfig& c : market.coins) c.vol = 0.02;
  MarginBot bot{std::move(market)};
  bot.venue.exchange.shift_premium(0, -0.04, bot.venue.out);
  bot.hold_perpetual(-8);
  bot.fund_to(0.55);
  bot.start(false, with_ladder);
  for (int minute = 0; minute < 120; ++minute) {
    const double index = to_double(bot.venue.exchange.index_price(0));
    const double mark = to_double(bot.venue.exchange.mark_price(bot.venue.perpetual));
    bot.door->shift_premium(0, -0.04 - (mark / index - 1));
    bot.run(seconds(60));
  }
  return bot.finish();
}

// The fall of `crash` under portfolio margin: a long and short calls and puts, no leg of which
// covers the other.
ScenarioOutcome portfolio(bool with_ladder) {
  SimConfig market = calm_market();
  market.products[0].strikes = 9;
  market.portfolio = usual_portfolio_rules();
  MarginBot bot{std::move(market)};
  bot.on_portfolio_margin();
  bot.keeps = true;
  bot.hold_perpetual(3);
  bot.short_options(0.4, 2, 20);
  bot.fund_to(0.55);
  bot.start(false, with_ladder);
  for (int second = 0; second < 300; ++second) {
    bot.door->shock("BTC", std::log(0.8) / 300);
    bot.run(seconds(1));
  }
  bot.run(seconds(20));
  bot.replay();
  return bot.finish();
}

ScenarioOutcome gap_within(bool with_ladder) { return gap(with_ladder, 8.05); }
ScenarioOutcome gap_beyond(bool with_ladder) { return gap(with_ladder, 9.5); }

constexpr std::array<Scenario, 6> all{{
    {"crash", "a fall of 20 % in five minutes under a long of five times the balance", true, crash},
    {"gap", "10 % at once and 2 % more in a minute under a long of eight times the balance", true,
     gap_within},
    {"gap_beyond", "the same gap under a long that it takes whole: no ladder can help", false,
     gap_beyond},
    {"volatility", "volatility rises to 2.5 times itself in a minute over short, hedged options",
     true, volatility},
    {"portfolio", "a fall of 20 % in five minutes on portfolio margin: a long and short options",
     true, portfolio},
    {"squeeze", "a short pays 4 % of funding for two hours in a flat market", true, squeeze},
}};

}  // namespace

std::span<const Scenario> scenarios() noexcept { return all; }

std::string verdict(const Scenario& scenario, const ScenarioOutcome& with,
                    const ScenarioOutcome& alone) {
  if (!alone.fault.empty()) return "alone: " + alone.fault;
  if (!with.fault.empty()) return "with the ladder: " + with.fault;
  if (!alone.liquidated) return "the book alone is not liquidated: this proves nothing";
  if (alone.orders != 0) return "the book alone sent reducing orders";
  if (with.mismatch) return "own margin and the venue's differ";
  if (!scenario.survivable) return with.liquidated ? "" : "it was survivable after all";
  if (with.liquidated) return "the venue liquidated the book with the ladder";
  if (with.orders == 0 || with.worst < MarginState::red) return "the ladder did nothing";
  // By equity: the margin balance falls with every option that is bought back.
  if (!(with.equity_after > alone.equity_after)) return "nothing was gained by it";
  return "";
}

std::string text(std::string_view name, std::string_view how, const ScenarioOutcome& o) {
  std::array<char, 400> line{};
  std::snprintf(line.data(), line.size(),
                "%.*s, %.*s: %s; margin balance %.4f -> %.4f BTC, equity %.4f -> %.4f, fees %.5f, "
                "worst health %.3f, "
                "%llu reducing orders, %llu hedges, %zu positions and %.4f BTC of delta left",
                static_cast<int>(name.size()), name.data(), static_cast<int>(how.size()),
                how.data(), o.liquidated ? "LIQUIDATED" : "kept", o.balance_before, o.balance_after,
                o.equity_before, o.equity_after, o.fees, o.health_worst,
                static_cast<unsigned long long>(o.orders),
                static_cast<unsigned long long>(o.hedges), o.held, o.residual);
  return line.data();
}

}  // namespace gimbal::simtest
