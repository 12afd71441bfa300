// The ledger of profits against sums made another way: nothing is gained, lost or rounded on the
// way.
#include "engine/core/risk/profit_ledger.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/support/engine_world.hpp"

namespace gimbal {
namespace {

using test::amount;
using test::money;
using test::usd;

struct Ledger : testing::Test {
  Instrument perp = test::perpetual_definition();
  Instrument option = test::option_definition();
  Instrument linear = test::perpetual_definition();
  ProfitLedger ledger{8, 8};
  std::uint64_t state{1};

  Ledger() {
    perp.id = InstrumentId{0};
    option.id = InstrumentId{1};
    linear.id = InstrumentId{2};
    linear.kind = InstrumentKind::linear_perpetual;
  }
  std::uint64_t random(std::uint64_t n) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % n;
  }
  [[nodiscard]] std::int64_t day(std::size_t owner, double index) const {
    return ledger.day_usd(owner, [&](UnderlyingId) { return usd(index); });
  }
  [[nodiscard]] std::int64_t coins(std::size_t owner) const {
    return ledger.total(owner, test::the_coin, true);
  }
};

TEST_F(Ledger, EveryKindOfInstrumentEarnsWhatItsDefinitionSays) {
  struct Row {
    const Instrument* instrument;
    double from, to, size;
  };
  for (const Row& row : {Row{&perp, 50000, 40000, 100000},
                         {&perp, 50000, 62500, -100000},
                         {&option, 0.05, 0.08, -3},
                         {&linear, 50000, 49000, 2}}) {
    ProfitLedger fresh{8, 8};
    fresh.trade(*row.instrument, 0, amount(row.size), usd(row.from), {});
    EXPECT_EQ(fresh.total(0, test::the_coin, row.instrument != &linear), 0) << "nothing moved yet";
    fresh.mark(*row.instrument, usd(row.to));
    Money expected;
    ASSERT_TRUE(row.instrument->profit(usd(row.from), usd(row.to), amount(row.size), expected));
    EXPECT_NEAR(static_cast<double>(fresh.total(0, test::the_coin, row.instrument != &linear)),
                static_cast<double>(expected.nano), 1);
    const std::int64_t marked = fresh.total(0, test::the_coin, row.instrument != &linear);
    fresh.trade(*row.instrument, 0, amount(-row.size), usd(row.to), {});
    EXPECT_EQ(fresh.total(0, test::the_coin, row.instrument != &linear), marked) << "realised";
    fresh.mark(*row.instrument, usd(row.to * 2));
    EXPECT_EQ(fresh.total(0, test::the_coin, row.instrument != &linear), marked) << "flat";
  }
}

TEST_F(Ledger, FeesArePaidAndTheDayBeginsAtZero) {
  ledger.trade(perp, 3, amount(1000), usd(50000), money(0.001));
  EXPECT_EQ(coins(3), money(-0.001).nano);
  EXPECT_EQ(day(3, 50000), money(-50).nano);
  ledger.begin_day();
  EXPECT_EQ(day(3, 50000), 0);
  EXPECT_EQ(coins(3), money(-0.001).nano) << "the total goes on";
}

TEST_F(Ledger, AMillionTradesAndMarksTieOutExactly) {
  struct Trade {
    std::int64_t signed_nano, price_nano;
  };
  std::vector<Trade> trades;
  std::int64_t held = 0;
  std::int64_t mark = 0;
  for (int n = 0; n < 1'000'000; ++n) {
    const std::int64_t price =
        50'000'000'000'000 + 500'000'000 * static_cast<std::int64_t>(random(2000));
    if (random(4) == 0) {
      const std::int64_t size = 10'000'000'000 * (static_cast<std::int64_t>(random(200)) - 100);
      ledger.trade(linear, 1, Qty{size}, Price{price}, {});
      trades.push_back({size, price});
      held += size;
    } else {
      ledger.mark(linear, Price{price});
      mark = price;
    }
  }
  i128 cash = 0;
  for (const Trade& t : trades) cash -= static_cast<i128>(t.signed_nano) * t.price_nano;
  const i128 total = cash + static_cast<i128>(held) * mark;
  ledger.mark(linear, Price{mark + 1});
  ledger.mark(linear, Price{mark});
  EXPECT_EQ(ledger.held(linear.id, 1).nano, held);
  EXPECT_EQ(ledger.total(1, test::the_coin, false),
            static_cast<std::int64_t>(divide(total, nano_per_unit, Rounding::down)));
}

TEST_F(Ledger, APositionFoundAtTheVenueEarnsFromItsFirstMarkOn) {
  ledger.adopt(perp, amount(100000));
  ledger.mark(perp, usd(50000));
  EXPECT_EQ(coins(ProfitLedger::house), 0);
  ledger.mark(perp, usd(40000));
  EXPECT_EQ(coins(ProfitLedger::house), money(-0.5).nano);
  ledger.adopt(perp, amount(-100000));
  EXPECT_EQ(coins(ProfitLedger::house), money(-0.5).nano);
  ledger.mark(perp, usd(30000));
  EXPECT_EQ(coins(ProfitLedger::house), money(-0.5).nano);
  EXPECT_EQ(ledger.held(perp.id, ProfitLedger::house), Qty{});
}

TEST_F(Ledger, AnExpiryPaysAndEndsWhatIsHeld) {
  ledger.trade(option, 2, amount(-10), usd(0.05), {});
  ledger.mark(option, usd(0.04));
  EXPECT_EQ(coins(2), money(0.1).nano);
  ledger.settle(option, usd(0.02));
  EXPECT_EQ(coins(2), money(0.3).nano);
  EXPECT_EQ(ledger.held(option.id, 2), Qty{});
  ledger.trade(option, 2, amount(-10), usd(0.05), {});
  ledger.settle(option, Price{});
  EXPECT_EQ(coins(2), money(0.8).nano) << "worthless";
}

TEST_F(Ledger, WithoutASlotForItAStrategysTradeIsTheHouses) {
  ProfitLedger small{8, 1};
  small.trade(perp, 0, amount(1000), usd(50000), {});
  small.trade(perp, 1, amount(1000), usd(50000), money(1));
  EXPECT_EQ(small.without_slot(), 1U);
  EXPECT_EQ(small.held(perp.id, ProfitLedger::house), amount(1000));
  EXPECT_EQ(small.total(ProfitLedger::house, test::the_coin, true), money(-1).nano);
}

}  // namespace
}  // namespace gimbal
