// A world for the controls: an armed puppet, trips by code, and short ways to break its limits.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/support/engine_fixture.hpp"

namespace gimbal::test {

// Definitions by generation, as the side blocks of a running bot would hold them.
class InstrumentBlocks {
 public:
  void set(const Instrument& i, std::uint32_t generation) { kept_[generation] = i; }
  [[nodiscard]] SideBlocks blocks() const { return {this, &InstrumentBlocks::find}; }

 private:
  static std::span<const std::byte> find(const void* store, std::uint16_t,
                                         std::uint32_t generation) noexcept {
    const auto& kept = static_cast<const InstrumentBlocks*>(store)->kept_;
    const auto at = kept.find(generation);
    if (at == kept.end()) return {};
    return {reinterpret_cast<const std::byte*>(&at->second), sizeof(Instrument)};
  }
  std::map<std::uint32_t, Instrument> kept_;
};

struct ControlsTest : EngineTest {
  void armed(double perp_held = 0, double option_held = 0) {
    go();
    to_armed(50000, perp_held, option_held);
    fresh();
  }
  // A new engine with the limits of now.
  void restart(double perp_held, double option_held) {
    seq = 0;
    seen.clear();
    advance(seconds(1));
    armed(perp_held, option_held);
  }
  void fresh() {
    option_ticker(0.6, 50000, 50000);
    market(50000);
  }
  [[nodiscard]] Mode mode(Scope s) const { return core().gate().modes().at(s); }
  [[nodiscard]] Scope instrument_scope() const { return {ScopeLevel::instrument, perp.value}; }
  [[nodiscard]] static Scope strategy_scope() { return {ScopeLevel::strategy, 0}; }
  [[nodiscard]] static Scope book_scope() { return {ScopeLevel::underlying, the_coin.value}; }

  [[nodiscard]] std::vector<Trip> raised() const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise) all.push_back(c.raise());
    }
    return all;
  }
  [[nodiscard]] std::size_t count_of(TripCode code) const {
    std::size_t n = 0;
    for (const Trip& t : raised()) n += t.code == code ? 1 : 0;
    return n;
  }
  // The one trip with this code; every other code is a failure.
  [[nodiscard]] Trip only(TripCode code) const {
    const std::vector<Trip> all = raised();
    EXPECT_EQ(all.size(), 1U);
    for (const Trip& t : all) EXPECT_EQ(t.code, code);
    return all.empty() ? Trip{} : all.front();
  }

  // The first trip with this code.
  [[nodiscard]] Trip first(TripCode code) const {
    for (const Trip& t : raised()) {
      if (t.code == code) return t;
    }
    ADD_FAILURE() << "not tripped: " << static_cast<int>(code);
    return {};
  }
  void finish(const PlaceOrder& o, double filled) {
    ASSERT_TRUE(o.order.valid()) << static_cast<int>(last_refusal());
    ack(o);
    fill(o, filled);
    fresh();
  }
  // Mark, index and book at `mid`, a moment later.
  void tick(double mid) {
    advance(milliseconds(100));
    market(mid);
  }
  // Trades `signed_size` at `price`; nothing when refused.
  void hold(double signed_size, double price = 50000) {
    const double size = std::abs(signed_size);
    const PlaceOrder o = order(signed_size > 0 ? price + 10 : price - 10, size,
                               signed_size > 0 ? Side::buy : Side::sell);
    if (!o.order.valid()) return;
    ack(o);
    Fill f = fill_of(o, size);
    f.price = usd(price);
    send(EventKind::fill, f, perp);
  }
  // A fill of no order of ours.
  void venue_fill(double signed_size) {
    Fill f;
    f.trade = TradeId{9, ++trade};
    f.price = usd(50000);
    f.amount = amount(signed_size < 0 ? -signed_size : signed_size);
    f.side = signed_size < 0 ? Side::sell : Side::buy;
    f.kind = FillKind::settlement;  // the one that trips nothing of its own worth a look
    send(EventKind::fill, f, perp);
    seen.erase(std::remove_if(seen.begin(), seen.end(),
                              [](const Command& c) {
                                return c.kind() == CommandKind::raise &&
                                       c.raise().code == TripCode::settlement;
                              }),
               seen.end());
  }
  void reset_position() {
    const double held = to_double(core().portfolio().position(perp));
    if (held != 0) venue_fill(-held);
  }
  void adopt(InstrumentId id, std::uint32_t number) {
    InstrumentChange change;
    change.change = InstrumentChangeKind::adopt;
    change.generation = number;
    change.bytes = sizeof(Instrument);
    send(EventKind::instrument_change, change, id);
  }
  void rearm_strategy() {
    if (mode(strategy_scope()) == Mode::active) return;
    operate(OperatorAction::arm, Mode::active, strategy_scope());
  }

  PlaceOrder ask(OrderRequest r) {
    EXPECT_TRUE(puppet.next->place(r));
    const std::size_t before = placed().size();
    refusals_before_ = core().gate().refused_total();
    mark(perp, 50000, 50000);
    return placed().size() > before ? placed().back() : PlaceOrder{};
  }
  PlaceOrder child_order(std::uint64_t parent, double whole, double size) {
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.limit = usd(50010);
    r.amount = amount(size);
    r.intent = ++child_intents_;
    r.parent = parent;
    r.parent_amount = amount(whole);
    return ask(r);
  }
  PlaceOrder option_order(double size) {
    OrderRequest r;
    r.instrument = option;
    r.strategy = StrategyId{0};
    r.limit = usd(0.05);
    r.amount = amount(size);
    r.intent = ++child_intents_;
    return ask(r);
  }
  [[nodiscard]] Refusal last_refusal() const {
    if (core().gate().refused_total() == refusals_before_) return Refusal::none;
    return EngineTest::last_refusal();
  }
  void finish_all() {
    for (const PlaceOrder& o : placed()) {
      const Order* found = core().orders().find(o.order);
      if (found != nullptr && found->open()) done(o, to_double(found->filled));
    }
    reset_position();
    seen.clear();
    advance(seconds(2));
    fresh();
  }
  // Of the book, in USD, when ten of the option are held.
  double value_of_ten_options(GreekKind kind) {
    restart(0, -10);
    const RiskNumbers risk = core().portfolio().risk(the_coin);
    if (kind == GreekKind::gamma) return std::abs(risk.gamma.value) * 50000 * 50000 * 0.01;
    if (kind == GreekKind::vega) return std::abs(risk.vega.value) * 0.01;
    return std::abs(risk.delta_net.value) * 50000;
  }

 private:
  std::uint64_t child_intents_{0};
  std::uint64_t refusals_before_{0};
};

}  // namespace gimbal::test
