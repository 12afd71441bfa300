// A delta hedge with a volatility surface in the scripted world.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/hedge_fixture.hpp"
#include "tests/support/surface_bytes.hpp"

namespace gimbal::test {

struct SmileHedge : HedgeTest {
  std::vector<std::byte> block;
  static std::span<const std::byte> find(const void* self, std::uint16_t, std::uint32_t) noexcept {
    return static_cast<const SmileHedge*>(self)->block;
  }
  void SetUp() override {
    setup.blocks = {this, &find};
    setup.portfolio.surface_age_max = seconds(30);
  }
  void surface(double slope) {
    SurfaceHead h;
    h.expiry = table[option].expiry;
    h.as_of = now;
    h.underlying = the_coin;
    h.source = VolSource::svi;
    h.verdict = SurfaceVerdict::accepted;
    h.minimum_variance = {-0.1, 0, 0};
    block = surface_bytes(h, {{option, {}, 0.6, slope}});
    SideBlockRef ref;
    ref.kind = SideBlockKind::surface;
    send(EventKind::side_block, ref);
  }
  RiskNumbers risk() const { return core().view().risk(the_coin); }
};

// Short options hedged under the smile's delta: that is flat, Black's is long by the shift.
struct PausedSmile : SmileHedge {
  void hedged() {
    config.delta = HedgeDelta::sticky_delta;
    config.target = HedgeTarget::zero;
    go(0, -10);
    trade_through(5);
    surface(-0.4);
    trade_through(20);
    ASSERT_NEAR(state().residual, 0, 0.01);
    ASSERT_GT(settled(), 0.3);
    seen.clear();
  }
  void pause(bool on) {
    operate(on ? OperatorAction::pause : OperatorAction::resume, Mode::active, {},
            OperatorSource::monitor);
  }
  // Somebody else trades the perpetual.
  void foreign(double coins) {
    Fill f;
    f.trade = TradeId{5, ++trades_};
    f.side = coins < 0 ? Side::sell : Side::buy;
    f.amount = amount(std::round(std::abs(coins) * 5000) * 10);
    f.price = usd(50000);
    send(EventKind::fill, f, perp);
  }
  void pass(int moments) {
    for (int i = 0; i < moments; ++i) moment();
  }
  // The same, with everything that is asked for filled at once. Coins traded.
  double trade_through(int moments) {
    double coins = 0;
    for (int i = 0; i < moments; ++i) {
      moment();
      for (const PlaceOrder& o : placed()) {
        coins += to_double(o.amount) / 50000;
        seen.clear();
        fill_whole(o);
      }
    }
    return coins;
  }
  [[nodiscard]] std::uint64_t refused() const { return core().gate().refused_total(); }

 private:
  std::uint64_t trades_{10};
};

}  // namespace gimbal::test
