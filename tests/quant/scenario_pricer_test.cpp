// Rows of the scenario cells as the pricing thread makes them, against pricing each by itself.
#include "engine/quant/margin/scenario_pricer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/quant/vector_pricing.hpp"
#include "tests/support/full_row.hpp"
#include "tests/support/random_terms.hpp"

namespace gimbal {
namespace {

ScenarioConfig moves() { return {0.16, 0.5, 0.25, 0.5, 0.3, 0.13, 1, 100'000}; }

ScenarioQuestion random_question(test::Numbers& random, bool inverse,
                                 std::uint8_t count = scenario_rows_max) {
  ScenarioQuestion q;
  q.underlying = UnderlyingId{2};
  q.inverse = inverse;
  q.count = count;
  q.generation = 5;
  q.at = RecvTime{77};
  q.spot = random.uniform(1000, 100'000);
  q.anchor = q.spot * random.uniform(0.99, 1.01);
  q.share = random.uniform(0, 1) < 0.2 ? random.uniform(0.1, 1.0) : 1;
  q.years = random.uniform(0, 1) < 0.1 ? 0 : random.uniform(0.2, 400) / 365;
  q.forward = q.spot * random.uniform(0.95, 1.1);
  for (std::size_t r = 0; r < count; ++r) {
    q.instruments[r] = InstrumentId{static_cast<std::uint16_t>(10 + r)};
    q.strike[r] = q.spot * random.uniform(0.4, 2.5);
    q.sigma[r] = random.uniform(0.1, 2);
    q.sign[r] = random.uniform(0, 1) < 0.5 ? 1 : -1;
  }
  return q;
}

struct Answer {
  std::array<std::byte, scenario_block_max> bytes{};
  std::size_t size{0};
  [[nodiscard]] ScenarioRows rows() const { return ScenarioRows{std::span{bytes}.first(size)}; }
};
Answer answer(const ScenarioQuestion& q, const PricingKernels& k = scalar_pricing()) {
  quant::ScenarioPricer pricer{moves(), k};
  Answer a;
  a.size = pricer.answer(q, a.bytes);
  return a;
}

TEST(ScenarioPricer, EveryRowIsThatOfItsOptionPricedByItself) {
  test::Numbers random;
  const ScenarioTable table{moves()};
  double worst = 0;
  for (int n = 0; n < 2000; ++n) {
    const ScenarioQuestion q = random_question(random, n % 2 == 0);
    const Answer a = answer(q);
    ASSERT_TRUE(a.rows().sound());
    ScenarioRow row;
    for (std::size_t r = 0; r < q.count; ++r) {
      a.rows().row(r, row);
      const double unit = q.inverse ? 1 : q.spot;
      for (std::size_t c = 0; c < ScenarioTable::count; ++c) {
        const test::FullRow::Term twin = test::FullRow{table, q, r}.row(c);
        // A gamma close to the end counts in the curves of both by its size.
        const double size = unit * (1 + std::abs(twin.half_curve) / unit);
        worst = std::max({worst, std::abs(row.value[c] - twin.value) / size,
                          std::abs(row.slope[c] - twin.slope) / size,
                          std::abs(row.half_curve[c] - twin.half_curve) / size});
      }
    }
  }
  RecordProperty("worst", std::to_string(worst));
  EXPECT_LT(worst, 1e-10);
}

TEST(ScenarioPricer, TheHeadSaysWhatWasAsked) {
  test::Numbers random;
  const ScenarioQuestion q = random_question(random, false, 3);
  const ScenarioRowsHead head = answer(q).rows().head();
  EXPECT_EQ(head.underlying, q.underlying);
  EXPECT_EQ(head.inverse, 0);
  EXPECT_EQ(head.rows, 3);
  EXPECT_EQ(head.generation, 5U);
  EXPECT_EQ(head.at, q.at);
  EXPECT_EQ(head.anchor, q.anchor);
  EXPECT_EQ(head.table, ScenarioTable{moves()}.number());
  EXPECT_EQ(head.instruments, q.instruments);
}

TEST(ScenarioPricer, ARowDoesNotDependOnItsNeighbours) {
  test::Numbers random;
  const ScenarioQuestion all = random_question(random, true);
  const Answer whole = answer(all);
  for (std::uint8_t count = 1; count < scenario_rows_max; ++count) {
    ScenarioQuestion some = all;
    some.count = count;
    const Answer a = answer(some);
    EXPECT_EQ(a.size, sizeof(ScenarioRowsHead) + count * sizeof(ScenarioRow));
    EXPECT_EQ(
        std::memcmp(a.bytes.data() + sizeof(ScenarioRowsHead),
                    whole.bytes.data() + sizeof(ScenarioRowsHead), count * sizeof(ScenarioRow)),
        0)
        << int{count};
  }
}

TEST(ScenarioPricer, EveryVectorTargetGivesTheTwinsBits) {
  test::Numbers random;
  for (int n = 0; n < 500; ++n) {
    const ScenarioQuestion q = random_question(random, n % 2 == 0);
    const Answer twin = answer(q);
    for (const auto& v : quant::vector_pricing_targets()) {
      const Answer a = answer(q, v.kernels);
      ASSERT_EQ(a.size, twin.size);
      ASSERT_EQ(std::memcmp(a.bytes.data(), twin.bytes.data(), twin.size), 0)
          << v.target << ", question " << n;
    }
  }
}

TEST(ScenarioPricer, AQuestionThatIsNoneHasNoAnswer) {
  test::Numbers random;
  const ScenarioQuestion good = random_question(random, true);
  ASSERT_GT(answer(good).size, 0U);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double endless = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, nan, endless}) {
    for (double ScenarioQuestion::*field :
         {&ScenarioQuestion::anchor, &ScenarioQuestion::spot, &ScenarioQuestion::forward}) {
      ScenarioQuestion q = good;
      q.*field = bad;
      EXPECT_EQ(answer(q).size, 0U) << bad;
    }
    ScenarioQuestion q = good;
    q.strike[scenario_rows_max - 1] = bad;
    EXPECT_EQ(answer(q).size, 0U) << bad;
    q = good;
    q.sigma[0] = bad;
    EXPECT_EQ(answer(q).size, 0U) << bad;
  }
  ScenarioQuestion q = good;
  q.count = 0;
  EXPECT_EQ(answer(q).size, 0U);
  q.count = scenario_rows_max + 1;
  EXPECT_EQ(answer(q).size, 0U);
  q = good;
  q.share = nan;
  EXPECT_EQ(answer(q).size, 0U);
  q = good;
  q.years = endless;
  EXPECT_EQ(answer(q).size, 0U);
}

// The parameters are part of a row: with others it is refused (scenario_cells_test.cpp).
TEST(ScenarioTable, ItsNumberChangesWithEachParameterOfARow) {
  const std::uint64_t before = ScenarioTable{moves()}.number();
  EXPECT_EQ(ScenarioTable{moves()}.number(), before);
  for (double ScenarioConfig::*field :
       {&ScenarioConfig::price_range, &ScenarioConfig::volatility_up,
        &ScenarioConfig::volatility_down, &ScenarioConfig::volatility_up_min,
        &ScenarioConfig::short_power, &ScenarioConfig::long_power,
        &ScenarioConfig::extended_factor}) {
    ScenarioConfig c = moves();
    c.*field *= 1.0000001;
    EXPECT_NE(ScenarioTable{c}.number(), before);
  }
  ScenarioConfig c = moves();
  c.dampener_usd *= 2;  // of the sum, not of a row
  EXPECT_EQ(ScenarioTable{c}.number(), before);
}

}  // namespace
}  // namespace gimbal
