// Properties of the portfolio over random events: incremental against scratch within the stated
// error, equal events give equal bits, no allocation. GIMBAL_LONG=1 runs ten times as many events.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/core/portfolio.hpp"
#include "tests/support/count_allocations.hpp"
#include "tests/support/option_book.hpp"
#include "tests/support/scratch_portfolio.hpp"

namespace gimbal {
namespace {

using namespace test;

// A market of two coins: perpetuals, futures and options of both settlements over five expiries.
struct Market {
  InstrumentTable table{4096};
  std::vector<InstrumentId> options, futures, perpetuals;

  Market() {
    for (const UnderlyingId u : {btc, eth}) {
      const double level = u == btc ? 60000 : 3000;
      for (const auto kind :
           {InstrumentKind::inverse_perpetual, InstrumentKind::linear_perpetual}) {
        perpetuals.push_back(table.add(make(kind, u)));
      }
      for (const Nanos life : {hour * 8, day, day * 7, day * 30, day * 90}) {
        futures.push_back(table.add(make(InstrumentKind::inverse_future, u, start + life)));
        for (int k = -6; k <= 6; ++k) {
          const double strike = std::round(level * (1 + 0.03 * k));
          const auto kind =
              k % 3 == 0 ? InstrumentKind::linear_option : InstrumentKind::inverse_option;
          for (const OptionType type : {OptionType::call, OptionType::put}) {
            options.push_back(table.add(make(kind, u, start + life, strike, type)));
          }
        }
      }
    }
  }
};

class Walk {
 public:
  Walk(const Market& market, std::uint64_t seed) : market_{market}, random_{seed} {}

  // One random event into every portfolio given.
  template <class... Ps>
  void step(Ps&... portfolios) {
    now_ = now_ + Nanos{static_cast<std::int64_t>(random_() % 1'000'000)};
    const Nanos passed{now_.mono_ns - 1'000'000'000};
    const ExchTime venue = start + passed;
    (portfolios.on_clock(now_, venue), ...);
    const std::uint64_t kind = random_() % 100;
    if (kind < 60) {
      const UnderlyingId u{static_cast<std::uint8_t>(random_() % 2)};
      double& level = level_[u.value];
      level *= 1 + 2e-5 * (uniform() - 0.5) - 1e-9 * (level / anchor_[u.value] - 1);
      if (random_() % 5000 == 0) level *= 1 + 0.01 * (uniform() - 0.5);
      const Price mid = price(level);
      (portfolios.on_perpetual_mid(u, mid, venue, now_), ...);
    } else if (kind < 90) {
      const InstrumentId id = pick(market_.options);
      const Instrument& i = market_.table[id];
      const double underlying = level_[i.underlying.value] * (1.001 + 1e-5 * uniform());
      const std::int64_t sigma = random_() % 3 == 0 ? 0 : iv(0.5 + 0.1 * uniform());
      (portfolios.on_option_ticker(id, sigma, price(underlying), Price{}, venue, now_), ...);
    } else if (kind < 95) {
      const InstrumentId id = pick(market_.futures);
      const Price mid = price(level_[market_.table[id].underlying.value] * (1 + 1e-3 * uniform()));
      (portfolios.on_future_mid(id, mid, venue, now_), ...);
    } else {
      trade(portfolios...);
    }
  }

 private:
  template <class First, class... Ps>
  void trade(First& first, Ps&... others) {
    const std::uint64_t kind = random_() % 10;
    const InstrumentId id =
        kind < 8 ? pick(market_.options) : pick(kind == 8 ? market_.futures : market_.perpetuals);
    const double lots = static_cast<double>(random_() % 21) - 10;
    const bool in_usd = !is_option(market_.table[id].kind) && is_inverse(market_.table[id].kind);
    const Qty amount = qty(in_usd ? 1000 * lots : 0.1 * lots);
    if (random_() % 4 == 0) {
      const Qty flat{};
      first.set_position(id, flat);
      (others.set_position(id, flat), ...);
    } else {
      first.apply_fill(id, amount);
      (others.apply_fill(id, amount), ...);
    }
  }
  double uniform() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
  InstrumentId pick(const std::vector<InstrumentId>& from) { return from[random_() % from.size()]; }

  const Market& market_;
  std::mt19937_64 random_;
  RecvTime now_{seconds(1).count};
  double level_[2] = {60000, 3000};
  double anchor_[2] = {60000, 3000};
};

long events_wanted() { return std::getenv("GIMBAL_LONG") != nullptr ? 10'000'000 : 1'000'000; }

TEST(PortfolioProperty, IncrementalRiskStaysWithinItsStatedErrorOfTheScratchOne) {
  const Market market;
  PortfolioConfig config;
  config.expiry_rule = ExpiryRule::black;
  auto fast = std::make_unique<Portfolio>(market.table, config);
  ScratchPortfolio slow{market.table, config};
  Walk walk{market, 20260721};
  double worst = 0;
  double worst_share = 0;
  const double rounding = 1e-9;
  const long events = events_wanted();
  for (long k = 0; k < events; ++k) {
    walk.step(*fast, slow);
    if (k % 997 != 0) continue;
    for (const UnderlyingId u : {btc, eth}) {
      const RiskNumbers a = fast->risk(u);
      const RiskNumbers b = slow.risk(u);
      ASSERT_GE(a.delta_error, 0);
      const double error = std::max(std::abs(a.delta_bs.value - b.delta_bs.value),
                                    std::abs(a.delta_net.value - b.delta_net.value));
      ASSERT_LE(error, a.delta_error + rounding) << "event " << k;
      ASSERT_LE(a.delta_error, 20 * config.delta_error_max) << "event " << k;
      ASSERT_NEAR(a.delta_one, b.delta_one, 1e-9);
      ASSERT_NEAR(a.options_value, b.options_value, 1e-5) << "event " << k;
      ASSERT_NEAR(a.gamma.value, b.gamma.value, 0.01 * std::abs(b.gamma.value) + 1e-4);
      worst = std::max(worst, error);
      if (a.delta_error > 1e-7) worst_share = std::max(worst_share, error / a.delta_error);
    }
  }
  const PortfolioWork& w = fast->work();
  std::printf(
      "%ld events: worst delta error %.3g coins, at most %.2f of its bound; %llu ticks, "
      "%llu buckets priced, %llu options priced\n",
      events, worst, worst_share, static_cast<unsigned long long>(w.ticks),
      static_cast<unsigned long long>(w.reprices), static_cast<unsigned long long>(w.rows_priced));
}

// The same events give the same bits twice in one run, and in every build: the digest does not
// depend on compiler, optimisation or sanitizer.
TEST(PortfolioProperty, EqualEventsGiveEqualBitsInEveryBuild) {
  const Market market;
  Portfolio one{market.table};
  Portfolio two{market.table};
  Walk walk{market, 11};
  std::uint64_t digest = 0xcbf29ce484222325ULL;
  const auto fold = [&](double v) {
    digest = (digest ^ std::bit_cast<std::uint64_t>(v)) * 0x100000001b3ULL;
  };
  for (int k = 0; k < 50000; ++k) {
    walk.step(one, two);
    if (k % 101 != 0) continue;
    for (const UnderlyingId u : {btc, eth}) {
      const RiskNumbers a = one.risk(u);
      ASSERT_EQ(a.delta_net.value, two.risk(u).delta_net.value);
      for (const double v : {a.delta_net.value, a.delta_bs.value, a.gamma_net.value, a.vega.value,
                             a.theta.value, a.options_value, a.linear_value, a.delta_error}) {
        fold(v);
      }
    }
  }
  EXPECT_EQ(digest, 1612629951614194192ULL);
}

// Asked before every call, so that it has an answer that the call makes old.
struct Asked {
  Portfolio& portfolio;

  Portfolio& anew() const {
    static_cast<void>(portfolio.risk(btc));
    return portfolio;
  }
  void on_clock(RecvTime now, ExchTime venue) { anew().on_clock(now, venue); }
  void on_perpetual_mid(UnderlyingId u, Price mid, ExchTime venue, RecvTime now) {
    anew().on_perpetual_mid(u, mid, venue, now);
  }
  void on_option_ticker(InstrumentId id, std::int64_t sigma, Price underlying, Price mark,
                        ExchTime venue, RecvTime now) {
    anew().on_option_ticker(id, sigma, underlying, mark, venue, now);
  }
  void on_future_mid(InstrumentId id, Price mid, ExchTime venue, RecvTime now) {
    anew().on_future_mid(id, mid, venue, now);
  }
  void set_position(InstrumentId id, Qty amount) { anew().set_position(id, amount); }
  void apply_fill(InstrumentId id, Qty amount) { anew().apply_fill(id, amount); }
};

void expect_same(const RiskNumbers& a, const RiskNumbers& b, const std::string& where) {
  EXPECT_EQ(a.delta_net.value, b.delta_net.value) << where;
  EXPECT_EQ(a.gamma_net.value, b.gamma_net.value) << where;
  EXPECT_EQ(a.vega.value, b.vega.value) << where;
  EXPECT_EQ(a.delta_error, b.delta_error) << where;
  EXPECT_EQ(a.complete, b.complete) << where;
}

TEST(PortfolioProperty, AnAnswerIsNeverOlderThanTheLastCall) {
  const Market market;
  auto asked = std::make_unique<Portfolio>(market.table);
  auto fresh = std::make_unique<Portfolio>(market.table);
  Asked before_each{*asked};
  Walk walk{market, 17};
  for (int k = 0; k < 20000 && !HasFailure(); ++k) {
    walk.step(before_each, *fresh);
    if (k % 7 == 0) expect_same(asked->risk(btc), fresh->risk(btc), "event " + std::to_string(k));
  }
}

TEST(PortfolioProperty, AnAnswerIsNeverOlderThanARareCall) {
  PortfolioConfig config;
  config.expiry_window = hour;
  Book<Portfolio> asked{config};
  Book<Portfolio> fresh{config};
  const auto both = [&](const std::string& what, auto&& call) {
    static_cast<void>(asked.risk());
    call(asked);
    call(fresh);
    expect_same(asked.risk(), fresh.risk(), what);
  };
  InstrumentId perpetual, near, far;
  for (Book<Portfolio>* book : {&asked, &fresh}) {
    perpetual = book->perpetual();
    near = book->option(60000, OptionType::call, InstrumentKind::inverse_option, hour * 2);
    far = book->option(62000);
    book->mid(60000);
    book->portfolio->on_index(btc, price(60010), book->venue);
    for (const InstrumentId id : {near, far}) {
      book->ticker(id, 0.6, 60000);
      book->portfolio->set_position(id, qty(3));
    }
    book->portfolio->set_position(perpetual, qty(1000));
    book->advance(hour + seconds(600));
    book->ticker(near, 0.6, 60000);
    book->ticker(far, 0.6, 60000);
  }
  both("index", [](auto& b) { b.portfolio->on_index(btc, price(60500), b.venue); });
  both("priced anew", [](auto& b) { b.portfolio->reprice(btc); });
  both("perpetual lost", [](auto& b) { b.portfolio->on_perpetual_lost(btc); });
  both("settled", [&](auto& b) { b.portfolio->settle(near, price(60100)); });
  EXPECT_NE(asked.risk().delta_net.value, 0);
}

TEST(PortfolioProperty, NothingIsAllocatedAfterConstruction) {
  const Market market;
  auto portfolio = std::make_unique<Portfolio>(market.table);
  Walk walk{market, 5};
  double sum = 0;
  const std::size_t before = allocation_count();
  for (int k = 0; k < 200000; ++k) {
    walk.step(*portfolio);
    sum += portfolio->risk(btc).delta_net.value;
  }
  EXPECT_EQ(allocation_count(), before);
  EXPECT_TRUE(std::isfinite(sum));
}

}  // namespace
}  // namespace gimbal
