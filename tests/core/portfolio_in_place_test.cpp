// Of the portfolio in place only: ages, marks, cost of ticks and fills, the expiry window.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/core/portfolio.hpp"
#include "tests/support/option_book.hpp"
#include "tests/support/scratch_portfolio.hpp"
#include "tests/support/week_option.hpp"

namespace gimbal {
namespace {

using namespace test;

// --- of the portfolio in place only
// ----------------------------------------------------------------

TEST(Portfolio, OldMarksMakeTheRiskIncomplete) {
  Book<Portfolio> b;
  const InstrumentId call = b.option(60000);
  b.ticker(call, 0.6, 58000);
  b.portfolio->set_position(call, qty(1));
  b.advance(seconds(29));
  EXPECT_TRUE(b.risk().complete);
  b.advance(seconds(2));
  EXPECT_FALSE(b.risk().complete);
  EXPECT_EQ(b.risk().oldest_mark, RecvTime{seconds(1).count});
  b.ticker(call, 0.6, 58000);
  b.advance(milliseconds(300));
  EXPECT_TRUE(b.risk().complete);
}

TEST(Portfolio, ALostPerpetualFreezesForwardsUntilItReturns) {
  Book<Portfolio> b;
  const InstrumentId perp = b.perpetual();
  const InstrumentId call = b.option(60000);
  b.mid(50000);
  b.ticker(call, 0.6, 51000);
  b.portfolio->set_position(call, qty(1));
  b.portfolio->set_position(perp, qty(-10));
  b.mid(51000);
  EXPECT_NEAR(b.portfolio->forward(call), 52020, 1e-6);
  b.portfolio->on_perpetual_lost(btc);
  EXPECT_NEAR(b.portfolio->forward(call), 52020, 1e-6);
  EXPECT_FALSE(b.risk().complete);
  b.ticker(call, 0.6, 53000);
  EXPECT_NEAR(b.portfolio->forward(call), 53000, 1e-6);
  b.mid(54000);  // anchored anew: 53000 belongs to this mid
  EXPECT_NEAR(b.portfolio->forward(call), 53000, 1e-6);
  b.mid(55080);
  EXPECT_NEAR(b.portfolio->forward(call), 54060, 1e-6);
  EXPECT_TRUE(b.risk().complete);
}

TEST(Portfolio, AbsentAndUnknownInputsChangeNothing) {
  Book<Portfolio> b;
  const InstrumentId call = b.option(60000);
  b.ticker(call, 0.6, 58000);
  b.portfolio->set_position(call, qty(1));
  const double before = b.risk().delta_net.value;
  const Price absent{INT64_MIN};
  b.portfolio->on_option_ticker(call, INT64_MIN, absent, absent, b.venue, b.now);
  b.portfolio->on_option_ticker(call, 0, Price{0}, Price{-5}, b.venue, b.now);
  b.portfolio->on_option_ticker(InstrumentId{4000}, iv(0.5), price(1), absent, b.venue, b.now);
  b.portfolio->on_perpetual_mid(btc, absent, b.venue, b.now);
  b.portfolio->on_perpetual_mid(UnderlyingId{200}, price(5), b.venue, b.now);
  b.portfolio->on_future_mid(call, price(5), b.venue, b.now);
  b.portfolio->apply_fill(InstrumentId{}, qty(1));
  b.portfolio->settle(InstrumentId{3999}, price(1));
  b.portfolio->apply_fill(call, Qty{INT64_MAX});  // would overflow: refused
  EXPECT_EQ(b.risk().delta_net.value, before);
  EXPECT_EQ(b.portfolio->position(call), qty(1));
  EXPECT_EQ(b.portfolio->position(InstrumentId{4000}), Qty{});
  EXPECT_FALSE(b.portfolio->mark(InstrumentId{4000}).usable);
  EXPECT_EQ(b.portfolio->risk(UnderlyingId{200}).delta_net.value, 0);
}

TEST(Portfolio, MarksAnOptionThatIsNotHeld) {
  Book<Portfolio> b;
  const InstrumentId put = b.option(60000, OptionType::put);
  EXPECT_FALSE(b.portfolio->mark(put).usable);
  b.portfolio->on_option_ticker(put, iv(0.6), price(58000), price(0.0561), b.venue, b.now);
  const OptionMark m = b.portfolio->mark(put);
  const InverseGreeks g = price_inverse(week(58000, 60000, 0.6, OptionType::put));
  ASSERT_TRUE(m.usable);
  EXPECT_NEAR(m.price, g.value, 1e-14);
  EXPECT_NEAR(m.delta_net, g.delta_net, 1e-14);
  EXPECT_NEAR(m.delta_bs, g.delta_bs, 1e-14);
  EXPECT_EQ(m.venue_mark, price(0.0561));
  EXPECT_EQ(m.forward, 58000);
}

TEST(Portfolio, PricingAgainChangesNothing) {
  Book<Portfolio> b;
  std::vector<InstrumentId> ids;
  for (int k = 0; k < 70; ++k) ids.push_back(b.option(40000 + 500 * k));
  for (const InstrumentId id : ids) {
    b.ticker(id, 0.6, 58000);
    b.portfolio->set_position(id, qty(0.1 * (id.value % 7 + 1)));
  }
  b.portfolio->reprice(btc);
  const RiskNumbers once = b.risk();
  b.portfolio->reprice(btc);
  EXPECT_EQ(b.risk().delta_net.value, once.delta_net.value);
  EXPECT_EQ(b.risk().gamma_net.value, once.gamma_net.value);
  EXPECT_EQ(b.risk().options_value, once.options_value);
  EXPECT_EQ(b.risk().vega.value, once.vega.value);
}

TEST(Portfolio, OrderOfFillsIsIrrelevant) {
  std::vector<std::pair<std::size_t, Qty>> fills;
  std::mt19937_64 random{7};
  for (int k = 0; k < 400; ++k) {
    fills.emplace_back(random() % 50, qty(0.1 * (static_cast<double>(random() % 41) - 20)));
  }
  const auto run = [&](bool shuffled) {
    Book<Portfolio> b;
    std::vector<InstrumentId> ids;
    for (int k = 0; k < 50; ++k) ids.push_back(b.option(45000 + 600 * k));
    for (const InstrumentId id : ids) b.ticker(id, 0.55, 58000);
    auto list = fills;
    if (shuffled) std::shuffle(list.begin(), list.end(), random);
    for (const auto& [at, amount] : list) b.portfolio->apply_fill(ids[at], amount);
    return b.risk();
  };
  const RiskNumbers straight = run(false);
  for (int k = 0; k < 5; ++k) {
    const RiskNumbers other = run(true);
    EXPECT_NEAR(other.delta_net.value, straight.delta_net.value, 1e-12);
    EXPECT_NEAR(other.options_value, straight.options_value, 1e-12);
    EXPECT_NEAR(other.gamma.value, straight.gamma.value, 1e-15);
  }
}

TEST(Portfolio, ATickLooksAtBucketsAndNeverAtOptions) {
  for (const int strikes : {5, 60}) {
    Book<Portfolio> b;
    b.mid(58000);
    for (int expiry = 1; expiry <= 4; ++expiry) {
      for (int k = 0; k < strikes; ++k) {
        const InstrumentId id = b.option(50000 + 300 * k, OptionType::call,
                                         InstrumentKind::inverse_option, day * 30 * expiry);
        b.ticker(id, 0.6, 58000);
        b.portfolio->set_position(id, qty(0.1));
      }
    }
    const PortfolioWork before = b.portfolio->work();
    for (int k = 0; k < 100; ++k) b.mid(58000 + 0.5 * (k % 3));
    const PortfolioWork after = b.portfolio->work();
    EXPECT_EQ(after.ticks - before.ticks, 100u);
    EXPECT_EQ(after.bucket_visits - before.bucket_visits, 400u);
    EXPECT_EQ(after.rows_priced, before.rows_priced);
  }
}

TEST(Portfolio, ATickLooksAtNoExpiryInWhichNothingIsHeld) {
  Book<Portfolio> b;
  b.mid(58000);
  std::vector<InstrumentId> ids;
  for (int expiry = 1; expiry <= 120; ++expiry) {
    ids.push_back(
        b.option(58000, OptionType::call, InstrumentKind::inverse_option, day * 3 * expiry));
    b.ticker(ids.back(), 0.6, 58000);
  }
  const auto visits = [&] {
    const PortfolioWork before = b.portfolio->work();
    for (int k = 0; k < 100; ++k) b.mid(58000 + 0.5 * (k % 3));
    return b.portfolio->work().bucket_visits - before.bucket_visits;
  };
  EXPECT_EQ(visits(), 0u);
  b.portfolio->set_position(ids[70], qty(0.1));
  b.portfolio->set_position(ids[7], qty(0.1));
  EXPECT_EQ(visits(), 200u);
  b.portfolio->set_position(ids[70], qty(0));
  EXPECT_EQ(visits(), 100u);
}

TEST(Portfolio, AnExpiryInWhichNothingIsHeldStillFollowsThePerpetual) {
  Book<Portfolio> b;
  const InstrumentId id = b.option(58000);
  b.ticker(id, 0.6, 58500);  // before the first mid: anchored by it
  b.mid(58000);
  b.mid(58580);
  EXPECT_NEAR(b.portfolio->forward(id), 58500.0 * 1.01, 1e-6);
}

TEST(Portfolio, AFillPricesAtMostTheOptionThatWasFilled) {
  Book<Portfolio> b;
  std::vector<InstrumentId> ids;
  for (int k = 0; k < 80; ++k) {
    ids.push_back(b.option(40000 + 500 * k));
    b.ticker(ids.back(), 0.6, 58000);
    b.portfolio->set_position(ids.back(), qty(1));
  }
  const InstrumentId fresh = b.option(59250);
  b.ticker(fresh, 0.6, 58000);
  const std::uint64_t before = b.portfolio->work().rows_priced;
  for (const InstrumentId id : ids) b.portfolio->apply_fill(id, qty(0.3));
  EXPECT_EQ(b.portfolio->work().rows_priced, before);
  b.portfolio->apply_fill(fresh, qty(1));
  EXPECT_EQ(b.portfolio->work().rows_priced, before + 1);
}

TEST(Portfolio, ALargeMoveIsPricedAnewAndASmallOneIsNot) {
  Book<Portfolio> b;
  const InstrumentId call = b.option(58000);
  b.mid(58000);
  b.ticker(call, 0.6, 58000);
  b.portfolio->set_position(call, qty(1));
  const std::uint64_t before = b.portfolio->work().reprices;
  b.mid(58000 * 1.0015);
  EXPECT_EQ(b.portfolio->work().reprices, before);
  EXPECT_LE(b.risk().delta_error, 1e-4);
  EXPECT_GT(b.risk().delta_error, 0);
  b.mid(58000 * 1.005);
  EXPECT_EQ(b.portfolio->work().reprices, before + 1);
}

TEST(Portfolio, TheReferenceIsRenewedWithinItsAge) {
  Book<Portfolio> b;
  for (int expiry = 1; expiry <= 6; ++expiry) {
    const InstrumentId id =
        b.option(58000, OptionType::call, InstrumentKind::inverse_option, day * 30 * expiry);
    b.ticker(id, 0.6, 58000);
    b.portfolio->set_position(id, qty(1));
  }
  const std::uint64_t before = b.portfolio->work().reprices;
  for (int k = 0; k < 240; ++k) b.advance(milliseconds(1));
  EXPECT_EQ(b.portfolio->work().reprices, before);
  for (int k = 0; k < 20; ++k) b.advance(milliseconds(1));
  EXPECT_EQ(b.portfolio->work().reprices, before + 6);
}

// --- expiry window
// ---------------------------------------------------------------------------------

TEST(PortfolioWindow, DeltaDecaysWithTheShareThatIsStillAveraged) {
  Book<Portfolio> b;
  const InstrumentId call = b.option(40000, OptionType::call, InstrumentKind::linear_option, hour);
  b.ticker(call, 0.6, 58000);
  b.portfolio->set_position(call, qty(1));
  EXPECT_NEAR(b.risk().delta_net.value, 1, 1e-9);
  b.portfolio->on_index(btc, price(58000), b.venue);
  b.advance(seconds(1800));
  b.portfolio->on_index(btc, price(58000), b.venue);
  b.advance(seconds(900));
  b.portfolio->on_index(btc, price(58000), b.venue);
  b.ticker(call, 0.6, 58000);
  b.portfolio->reprice(btc);
  EXPECT_NEAR(b.risk().delta_net.value, 0.5, 1e-9);
  EXPECT_NEAR(b.portfolio->mark(call).delta_net, 0.5, 1e-9);
  b.advance(seconds(901));
  b.portfolio->reprice(btc);
  EXPECT_NEAR(b.risk().delta_net.value, 0, 1e-9);
  EXPECT_NEAR(b.risk().linear_value, 18000, 1e-6);
}

TEST(PortfolioWindow, TheAverageSoFarReplacesThatShareOfTheForward) {
  Book<Portfolio> b;
  const InstrumentId call = b.option(40000, OptionType::call, InstrumentKind::linear_option, hour);
  b.ticker(call, 0.6, 60000);
  b.portfolio->set_position(call, qty(1));
  b.portfolio->on_index(btc, price(1000), b.venue);  // before the window: not averaged
  b.advance(seconds(1800));
  b.portfolio->on_index(btc, price(50000), b.venue);  // 300 s at 50000
  b.advance(seconds(300));
  b.portfolio->on_index(btc, price(56000), b.venue);  // 600 s at 56000
  b.advance(seconds(600));
  b.ticker(call, 0.6, 60000);
  b.portfolio->reprice(btc);
  // Half elapsed at 54000 on average, half to come at 60000.
  EXPECT_NEAR(b.risk().linear_value, 0.5 * 54000 + 0.5 * 60000 - 40000, 1e-6);
}

TEST(PortfolioWindow, EffectiveTimeShortensLifeBeforeTheWindowAndTheOtherRulesDoNot) {
  const auto delta = [](ExpiryRule rule) {
    PortfolioConfig config;
    config.expiry_rule = rule;
    Book<Portfolio> b{config};
    const InstrumentId call =
        b.option(58100, OptionType::call, InstrumentKind::inverse_option, hour);
    b.ticker(call, 0.6, 58000);
    b.portfolio->set_position(call, qty(1));
    return b.risk().delta_net.value;
  };
  const double year = 365 * 24;
  const OptionTerms plain{OptionType::call, 58000, 58100, 1 / year, 0.6, 0, 1};
  OptionTerms shortened = plain;
  shortened.years = (1 - 1.0 / 3) / year;
  EXPECT_NEAR(delta(ExpiryRule::black), price_inverse(plain).delta_net, 1e-9);
  EXPECT_NEAR(delta(ExpiryRule::inside_window), price_inverse(plain).delta_net, 1e-9);
  EXPECT_NEAR(delta(ExpiryRule::effective_time), price_inverse(shortened).delta_net, 1e-9);
}

}  // namespace
}  // namespace gimbal
