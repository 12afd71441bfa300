// A ladder in the scripted world: a long perpetual, its margin report, and what the ladder did.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "strategies/liquidation/liquidation.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal::test {

inline LiquidationConfig ladder() {
  LiquidationConfig c;
  c.underlying = "BTC";
  c.future_maintenance = 0.01;
  c.future_per_coin = 0.00005;
  c.option_maintenance = 0.075;
  c.slice_usd_max = money(1'000'000);
  c.volatility_min = 0.5;
  c.amber_sigmas = c.red_sigmas = 0;  // tests of the distance set their own
  return c;
}

struct LiquidationTest : testing::Test, World<Puppet, Liquidation> {
  LiquidationConfig config = ladder();
  Puppet puppet;
  Currency settlement = currency("BTC");

  // Long `coins` of the perpetual at 50,000 with the margin balance that gives `health`. The report
  // is in before anything is armed, as after a session's first picture: one that comes later finds
  // the account in AMBER, for data that cannot be used.
  void go(double coins, double health) {
    Liquidation l{StrategyId{1}};
    ASSERT_EQ(l.add(config, the_coin, perp), "");
    start(puppet, l);
    size = std::abs(coins);
    maintenance = size * (0.01 + 0.00005 * size);
    report(maintenance / health, maintenance);
    to_armed(50000, coins * 50000);
  }
  // Maintenance margin of one short option: 0.075 and its price.
  [[nodiscard]] double option_need() const {
    return 0.075 + core().view().option_mark(option).price;
  }
  void report(double balance, double need, AccountMargin model = AccountMargin::unknown) {
    MarginReport m;
    m.settlement = settlement;
    m.equity = m.balance = m.margin_balance = money(balance);
    m.maintenance_margin = money(need);
    const auto flags = static_cast<std::uint8_t>(event_flag::last_in_packet | flag_of(model));
    send(EventKind::margin_report, m, {}, flags);
  }
  void moment(double mid = 50000, Nanos d = milliseconds(60)) {
    advance(d);
    market(mid);
  }
  const LiquidationState& state() { return std::get<1>(engine->strategies()).state(0); }
  // Alerts of that kind since the last clear.
  [[nodiscard]] std::vector<Trip> raised(TripCode code) const {
    std::vector<Trip> all;
    for (const Command& c : seen) {
      if (c.kind() == CommandKind::raise && c.raise().code == code) all.push_back(c.raise());
    }
    return all;
  }
  OrderRequest wish(Side side, double usd_amount) {
    OrderRequest r;
    r.instrument = perp;
    r.strategy = StrategyId{0};
    r.side = side;
    r.amount = amount(usd_amount);
    r.limit = usd(side == Side::buy ? 50001 : 49999);
    r.intent = ++intents;
    return r;
  }
  double size{0};
  double maintenance{0};
  std::uint64_t intents{0};
};

}  // namespace gimbal::test
