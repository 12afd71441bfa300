// Controls of options in the gate: sanity of their numbers and the window before expiry.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/core/risk/gate.hpp"
#include "engine/core/risk/option_sanity.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/gate_fixture.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::Gate;
using test::usd;

struct OptionGate : Gate {
  OptionGate() {
    c.instrument = &option;
    o.instrument = option.id;
    c.mark = o.price = usd(0.05);
    o.amount = amount(1);
  }
};

// --- P-18
// -----------------------------------------------------------------------------------------

OptionMark sane_mark() {
  OptionMark m;
  m.usable = true;
  m.price = 0.05;
  m.delta_net = 0.45;
  m.delta_bs = 0.5;
  m.gamma = 3e-5;
  m.vega = 60;
  m.theta = -9000;
  m.forward = 50000;
  m.sigma = 0.6;
  m.venue_mark = usd(0.05);
  return m;
}

TEST_F(OptionGate, AnOptionsNumbersAreJudgedAtTheirBounds) {
  const auto insane = [&](auto change) {
    OptionMark m = sane_mark();
    change(m);
    return OptionSanity::judge(m, option, limits).insane;
  };
  EXPECT_EQ(insane([](OptionMark&) {}), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.sigma = 0.01; }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.sigma = 0.01 - 1e-9; }), GreekKind::volatility);
  EXPECT_EQ(insane([](OptionMark& m) { m.sigma = 5; }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.sigma = 5 + 1e-9; }), GreekKind::volatility);
  EXPECT_EQ(insane([](OptionMark& m) { m.delta_bs = 1; }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.delta_bs = 1 + 1e-9; }), GreekKind::delta);
  EXPECT_EQ(insane([](OptionMark& m) { m.delta_bs = -1 - 1e-9; }), GreekKind::delta);
  EXPECT_EQ(insane([](OptionMark& m) { m.delta_net = -1.4; }), GreekKind::none) << "an inverse put";
  EXPECT_EQ(insane([](OptionMark& m) { m.gamma = 0; }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.gamma = -1e-12; }), GreekKind::gamma);
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(1.02); }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(1.0201); }), GreekKind::price);
  option.strike = usd(25000);  // half a coin in the money
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(0.48); }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(0.4799); }), GreekKind::price);
  option.option = OptionType::put;
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(0.52); }), GreekKind::none);
  EXPECT_EQ(insane([](OptionMark& m) { m.venue_mark = usd(0.5201); }), GreekKind::price);
}

TEST_F(OptionGate, AnInsaneOptionMovesNoOrder) {
  EXPECT_EQ(reason(), Refusal::none);
  c.option = {GreekKind::gamma, 0, -1};
  EXPECT_EQ(ask(), (Refused{Refusal::option_insane, 0, -1}));
}

TEST_F(OptionGate, AMillionPoisonedMarksAreAllCalledInsane) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double inf = std::numeric_limits<double>::infinity();
  const double poison[] = {nan,
                           inf,
                           -inf,
                           -nan,
                           std::numeric_limits<double>::max(),
                           std::numeric_limits<double>::denorm_min(),
                           std::numeric_limits<double>::signaling_NaN(),
                           0.0};
  double OptionMark::*const fields[] = {
      &OptionMark::price, &OptionMark::delta_net, &OptionMark::delta_bs, &OptionMark::gamma,
      &OptionMark::vega,  &OptionMark::theta,     &OptionMark::forward,  &OptionMark::sigma};
  std::uint64_t random = 7;
  std::size_t poisoned = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    OptionMark m = sane_mark();
    bool not_finite = false;
    for (const auto field : fields) {
      random = random * 6364136223846793005ULL + 1442695040888963407ULL;
      if ((random >> 60) > 3) continue;
      m.*field = poison[(random >> 40) % std::size(poison)];
      not_finite = not_finite || !std::isfinite(m.*field);
    }
    const bool insane = OptionSanity::judge(m, option, limits).insane != GreekKind::none;
    poisoned += not_finite ? 1 : 0;
    if (not_finite) { ASSERT_TRUE(insane) << n; }
    if (m.sigma < 0.0099 || m.forward <= 0 || std::abs(m.delta_bs) > 1.01) {
      ASSERT_TRUE(insane) << n;
    }
  }
  EXPECT_GT(poisoned, 500'000U);
}

// --- P-20
// -----------------------------------------------------------------------------------------

TEST_F(OptionGate, NoNewOptionWithinTheExpiryWindowToTheNanosecond) {
  c.venue_now = option.expiry - limits.expiry_window - Nanos{1};
  EXPECT_EQ(reason(), Refusal::none);
  c.venue_now = option.expiry - limits.expiry_window;
  EXPECT_EQ(ask(), (Refused{Refusal::expiry_window, limits.expiry_window.count,
                            limits.expiry_window.count}));
  c.venue_now = option.expiry + seconds(5);
  EXPECT_EQ(reason(), Refusal::expiry_window);
  c.position = amount(-1);
  EXPECT_EQ(reason(), Refusal::none) << "what is held may be closed";
  c.position = {};
  limits.expiry_mode = true;
  EXPECT_EQ(reason(), Refusal::none);
  limits.expiry_mode = false;
  c.instrument = &perp;
  o.instrument = perp.id;
  o.price = c.mark = usd(50000);
  o.amount = amount(10);
  EXPECT_EQ(reason(), Refusal::none) << "the hedge has no expiry";
}

}  // namespace
}  // namespace gimbal
