// The cheapest reduction under portfolio margin, against every reduction there is on small books.
#include "engine/quant/margin/deleverage.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "engine/quant/linear_program.hpp"
#include "tests/support/portfolio_parameters.hpp"
#include "tests/support/random_terms.hpp"

namespace gimbal::quant {
namespace {

PortfolioMarginParameters venue_parameters() { return test::btc_parameters(); }

struct Case {
  Book book{};
  DeleverageAsk ask{};
};

Leg option_leg(OptionType type, double forward, double strike, double years, double sigma,
               double amount) {
  return {LegKind::option, type, forward, strike, years, sigma, amount};
}
Leg perpetual_leg(double mark, double amount) {
  return {LegKind::future, OptionType::none, mark, 0, 0, 0, amount};
}
// Fee and half of a spread, per unit of the amount.
double cost_of(const Leg& leg, Settlement s, double share) {
  const double coin = s == Settlement::coin ? 1 : leg.forward;
  if (leg.kind == LegKind::future)
    return coin * (0.0005 + 0.0002 * share) / (s == Settlement::coin ? leg.forward : 1);
  const double value = unit_value(leg, s);
  return std::min(0.0003 * coin, 0.125 * value) + (0.01 + 0.05 * share) * value + 1e-6 * coin;
}

// Options sold and bought, futures beside them, the balance such that the account is too tight.
Case random_case(test::Numbers& n, int legs, int levels) {
  Case c;
  c.book.settlement = n.uniform(0, 1) < 0.7 ? Settlement::coin : Settlement::quote;
  const double index = 60000 * std::exp(n.uniform(-0.2, 0.2));
  c.book.index = index;
  const bool coin = c.book.settlement == Settlement::coin;
  for (int i = 0; i < legs; ++i) {
    const double forward = index * (1 + n.uniform(-0.005, 0.02));
    Leg leg;
    if (n.uniform(0, 1) < 0.25) {
      leg = perpetual_leg(forward, n.uniform(-3, 3) * (coin ? forward : 1));
      if (n.uniform(0, 1) < 0.5) leg.years = n.uniform(0.05, 0.8);
    } else {
      const OptionType type = n.uniform(0, 1) < 0.5 ? OptionType::call : OptionType::put;
      leg = option_leg(type, forward, forward * std::exp(n.uniform(-0.25, 0.25)),
                       n.uniform(0.01, 0.5), n.uniform(0.4, 0.9),
                       n.uniform(0.5, 8) * (n.uniform(0, 1) < 0.65 ? -1 : 1));
    }
    c.book.legs.push_back(leg);
    c.ask.unit_cost.push_back(cost_of(leg, c.book.settlement, n.uniform(0, 1)));
    c.ask.lot.push_back(std::abs(leg.amount) / levels);
  }
  const double maintenance = portfolio_margin(c.book, venue_parameters()).maintenance;
  c.book.equity = maintenance / n.uniform(0.62, 1.05);
  c.ask.target_health = 0.5;
  return c;
}

Book after(const Case& c, const std::vector<double>& closed) {
  Book b = c.book;
  for (std::size_t i = 0; i < b.legs.size(); ++i) {
    double& amount = b.legs[i].amount;
    amount += amount > 0 ? -closed[i] : closed[i];
    b.equity -= closed[i] * c.ask.unit_cost[i];
  }
  return b;
}
double missing(const Case& c, const std::vector<double>& closed) {
  const Book b = after(c, closed);
  return portfolio_margin(b, venue_parameters()).maintenance - c.ask.target_health * b.equity;
}
std::vector<double> closed_by(const Case& c, const Deleverage& plan) {
  std::vector<double> closed(c.book.legs.size());
  for (const DeleverageStep& s : plan.steps) closed[s.leg] += std::abs(s.amount);
  return closed;
}

// Maintenance from the profits of single units, which add up; another order of work than the full
// pricing, and held against it.
class Units {
 public:
  explicit Units(const Case& c) : case_{c} {
    PortfolioMarginParameters bare = p_;
    bare.dampener_usd = 0;
    for (const Leg& leg : c.book.legs) {
      Book one{c.book.settlement, c.book.index, 0, {leg}};
      one.legs[0].amount = 1;
      const PortfolioMarginParts parts = portfolio_margin(one, bare);
      std::vector<double> row = parts.standard;
      row.insert(row.end(), parts.extended.begin(), parts.extended.end());
      rows_.push_back(std::move(row));
    }
  }
  // At least the maintenance without the shocks; the whole is only asked for where this passes.
  [[nodiscard]] bool can_pass(const std::vector<double>& closed, double budget) const {
    const bool coin = case_.book.settlement == Settlement::coin;
    const std::size_t standard = rows_[0].size() - p_.extended_moves.size();
    for (std::size_t s = 0; s < rows_[0].size(); ++s) {
      double loss = 0;
      for (std::size_t i = 0; i < closed.size(); ++i) {
        const double held = case_.book.legs[i].amount;
        loss -= (held > 0 ? held - closed[i] : held + closed[i]) * rows_[i][s];
      }
      if (s >= standard) {
        const double move = p_.extended_moves[s - standard];
        const double edge = 1 + (move > 0 ? p_.price_range : -p_.price_range);
        loss -= (std::abs(move) / p_.price_range - 1) * p_.dampener_usd /
                (coin ? edge * case_.book.index : 1);
      }
      if (p_.maintenance_factor * loss > budget) return false;
    }
    return true;
  }

 private:
  const Case& case_;
  PortfolioMarginParameters p_{venue_parameters()};
  std::vector<std::vector<double>> rows_{};
};

// All combinations of whole lots that are cheaper than the best so far, each accepted by its full
// pricing only.
double optimum(const Case& c, int levels) {
  const Units units{c};
  const std::size_t legs = c.book.legs.size();
  std::vector<int> at(legs);
  std::vector<double> closed(legs);
  double best = INFINITY;
  for (;;) {
    double cost = 0;
    for (std::size_t i = 0; i < legs; ++i) {
      closed[i] = at[i] * c.ask.lot[i];
      cost += closed[i] * c.ask.unit_cost[i];
    }
    const double budget = c.ask.target_health * (c.book.equity - cost) + 1e-9 * c.book.equity;
    if (cost < best && units.can_pass(closed, budget) &&
        missing(c, closed) <= 1e-9 * c.book.equity) {
      best = cost;
    }
    std::size_t i = 0;
    while (i < legs && at[i] == levels) at[i++] = 0;
    if (i == legs) return best;
    ++at[i];
  }
}

void compare_with_all(int legs, int levels, int books, const char* what) {
  test::Numbers n;
  std::vector<double> ratios;
  int reached = 0;
  int out_of_reach = 0;
  for (int k = 0; k < books; ++k) {
    const Case c = random_case(n, legs, levels);
    const Deleverage plan = deleverage(c.book, venue_parameters(), c.ask);
    const double best = optimum(c, levels);
    if (plan.result == DeleverageResult::out_of_reach) {
      EXPECT_TRUE(std::isinf(best)) << what << " book " << k;
      ++out_of_reach;
      continue;
    }
    ASSERT_EQ(plan.result, DeleverageResult::reached) << what << " book " << k;
    ++reached;
    const std::vector<double> closed = closed_by(c, plan);
    EXPECT_LE(missing(c, closed), 1e-9 * c.book.equity) << what << " book " << k;
    ASSERT_TRUE(std::isfinite(best)) << what << " book " << k;
    ratios.push_back(plan.cost / best);
    EXPECT_LE(plan.cost, 1.05 * best) << what << " book " << k;
  }
  std::sort(ratios.begin(), ratios.end());
  ASSERT_FALSE(ratios.empty());
  const auto exact =
      std::count_if(ratios.begin(), ratios.end(), [](double r) { return r < 1.0001; });
  std::printf(
      "%s: %d legs, %d lots each, %d books reached, %d out of reach; cost over the "
      "optimum's: median %.4f, largest %.4f; the optimum itself in %d\n",
      what, legs, levels, reached, out_of_reach, ratios[ratios.size() / 2], ratios.back(),
      static_cast<int>(exact));
}

TEST(Deleverage, CostsAtMostFivePercentMoreThanTheBestOfAllReductions) {
  compare_with_all(4, 8, 60, "fine");
  compare_with_all(5, 4, 60, "coarse");
  compare_with_all(6, 3, 40, "six legs");
}

TEST(Deleverage, LeavesEveryLegBetweenItsSizeAndNothing) {
  test::Numbers n;
  for (int k = 0; k < 300; ++k) {
    Case c = random_case(n, 6, 20);
    if (k % 2 == 0) c.ask.lot.clear();
    c.ask.unit_cost[0] = 0;  // stays
    const Deleverage plan = deleverage(c.book, venue_parameters(), c.ask);
    if (plan.result != DeleverageResult::reached) continue;
    const std::vector<double> closed = closed_by(c, plan);
    EXPECT_EQ(closed[0], 0) << k;
    double cost = 0;
    for (std::size_t i = 0; i < closed.size(); ++i) {
      EXPECT_LE(closed[i], std::abs(c.book.legs[i].amount) * (1 + 1e-9)) << k;
      cost += closed[i] * c.ask.unit_cost[i];
      if (c.ask.lot.empty()) continue;
      const double lots = closed[i] / c.ask.lot[i];
      EXPECT_NEAR(lots, std::round(lots), 1e-6) << k;
    }
    for (const DeleverageStep& s : plan.steps) {
      EXPECT_LT(s.amount * c.book.legs[s.leg].amount, 0) << k;
    }
    EXPECT_NEAR(plan.cost, cost, 1e-9 * c.book.equity) << k;
    EXPECT_LE(missing(c, closed), 1e-9 * c.book.equity) << k;
    const Book b = after(c, closed);
    EXPECT_NEAR(plan.maintenance, portfolio_margin(b, venue_parameters()).maintenance,
                1e-9 * c.book.equity);
    EXPECT_NEAR(plan.equity, b.equity, 1e-9 * c.book.equity);
  }
}

TEST(Deleverage, NoScenarioEndsWorseThanTheBudget) {
  test::Numbers n;
  const PortfolioMarginParameters p = venue_parameters();
  for (int k = 0; k < 200; ++k) {
    Case c = random_case(n, 6, 20);
    c.ask.lot.clear();
    const Deleverage plan = deleverage(c.book, p, c.ask);
    if (plan.result != DeleverageResult::reached) continue;
    const PortfolioMarginParts end = portfolio_margin(after(c, closed_by(c, plan)), p);
    for (const double profit : end.standard) {
      EXPECT_LE(-profit * p.maintenance_factor, c.ask.target_health * plan.equity + 1e-9) << k;
    }
  }
}

TEST(Deleverage, OnTheWayTheMaintenanceDoesNotRise) {
  test::Numbers n;
  int rises = 0;
  int plans = 0;
  double worst = 0;
  for (int k = 0; k < 300; ++k) {
    const Case c = random_case(n, 6, 40);
    const double before = portfolio_margin(c.book, venue_parameters()).maintenance;
    const Deleverage plan = deleverage(c.book, venue_parameters(), c.ask);
    if (plan.result != DeleverageResult::reached) continue;
    ++plans;
    double highest = before;
    for (const DeleverageStep& s : plan.steps) highest = std::max(highest, s.maintenance);
    if (highest > before * (1 + 1e-9)) ++rises;
    worst = std::max(worst, highest / before - 1);
  }
  EXPECT_GT(plans, 100);
  std::printf("%d plans, %d rise on the way, by %.4f at most\n", plans, rises, worst);
  EXPECT_LT(worst, 0.02);
}

// Calls sold against calls bought further out, and nothing else: the hedge is not sold, although
// its own closing costs next to nothing and gives its premium's margin back.
TEST(Deleverage, ClosesTheSoldLegOfASpreadNotTheBoughtOne) {
  Case c;
  c.book.index = 60000;
  c.book.legs = {option_leg(OptionType::call, 60000, 62000, 0.1, 0.6, -10),
                 option_leg(OptionType::call, 60000, 66000, 0.1, 0.6, 10)};
  c.ask.unit_cost = {0.002, 1e-6};
  const double maintenance = portfolio_margin(c.book, venue_parameters()).maintenance;
  c.book.equity = maintenance / 0.9;
  c.ask.target_health = 0.5;
  const Deleverage plan = deleverage(c.book, venue_parameters(), c.ask);
  ASSERT_EQ(plan.result, DeleverageResult::reached);
  const std::vector<double> closed = closed_by(c, plan);
  EXPECT_GT(closed[0], 1);
  // What is left sold stays covered as well as it was.
  EXPECT_GE(10 - closed[1], (10 - closed[0]) * 0.98);
}

// A straddle sold: either leg alone makes the other side the worst one; together they get there.
TEST(Deleverage, GoesDownBothSidesWhereTwoScenariosAreTheWorst) {
  Case c;
  c.book.index = 60000;
  c.book.legs = {option_leg(OptionType::call, 60000, 61000, 0.1, 0.6, -10),
                 option_leg(OptionType::put, 60000, 59000, 0.1, 0.6, -10)};
  c.ask.unit_cost = {0.002, 0.002};
  c.book.equity = portfolio_margin(c.book, venue_parameters()).maintenance / 0.9;
  c.ask.target_health = 0.5;
  const Deleverage plan = deleverage(c.book, venue_parameters(), c.ask);
  ASSERT_EQ(plan.result, DeleverageResult::reached);
  const std::vector<double> closed = closed_by(c, plan);
  EXPECT_GT(closed[0], 1);
  EXPECT_GT(closed[1], 1);
  EXPECT_GT(plan.steps.size(), 2U) << "by turns";
}

TEST(Deleverage, SaysWhenNothingIsNeededAndWhenNothingHelps) {
  Case c;
  c.book.index = 60000;
  c.book.legs = {option_leg(OptionType::call, 60000, 61000, 0.1, 0.6, -10)};
  c.ask.unit_cost = {0.002};
  c.ask.target_health = 0.5;
  const double maintenance = portfolio_margin(c.book, venue_parameters()).maintenance;
  c.book.equity = maintenance * 3;
  EXPECT_EQ(deleverage(c.book, venue_parameters(), c.ask).result, DeleverageResult::nothing_needed);
  c.book.equity = maintenance / 0.9;
  EXPECT_EQ(deleverage(c.book, venue_parameters(), c.ask).result, DeleverageResult::reached);
  PortfolioMarginParameters shocked = venue_parameters();
  shocked.delta_shock_threshold_usd = 1e5;
  const Deleverage none = deleverage(c.book, shocked, c.ask);
  EXPECT_EQ(none.result, DeleverageResult::delta_shocked);
  EXPECT_TRUE(none.steps.empty());
  c.ask.unit_cost = {0};
  EXPECT_EQ(deleverage(c.book, venue_parameters(), c.ask).result, DeleverageResult::out_of_reach);
  c.ask.unit_cost = {0.002};
  c.book.equity = -1;
  EXPECT_EQ(deleverage(c.book, venue_parameters(), c.ask).result, DeleverageResult::out_of_reach);
  c.book.legs.clear();
  c.ask.unit_cost.clear();
  c.book.equity = 1;
  EXPECT_EQ(deleverage(c.book, venue_parameters(), c.ask).result, DeleverageResult::nothing_needed);
}

// Closing the cheap short turns the net delta of its expiry over: the roll shock falls to where
// that is flat and rises beyond, the program sees it fall for ever.
TEST(Deleverage, SaysThatItFoundNonePlainlyWhereThatIsNoProof) {
  Case c;
  c.book.index = 60000;
  c.book.legs = {perpetual_leg(60000, -600'000), perpetual_leg(60000, 540'000),
                 option_leg(OptionType::call, 60000, 61000, 0.1, 0.6, -1)};
  c.ask.unit_cost = {1e-9, 0, 0};
  c.ask.target_health = 0.5;
  PortfolioMarginParameters p = venue_parameters();
  p.roll_min = 3;
  c.book.equity = 4;
  ASSERT_GT(portfolio_margin(c.book, p).maintenance, 0.5 * c.book.equity);
  EXPECT_EQ(deleverage(c.book, p, c.ask).result, DeleverageResult::reached) << "where it is flat";
  c.book.equity = 0.1;
  const Deleverage plan = deleverage(c.book, p, c.ask);
  EXPECT_EQ(plan.result, DeleverageResult::not_found);
  EXPECT_TRUE(plan.steps.empty());
  c.ask.lot = {10, 10, 0.1};
  EXPECT_EQ(deleverage(c.book, p, c.ask).result, DeleverageResult::not_found);
}

TEST(LinearProgram, GivesTheCornerThatCostsLeast) {
  // 2 y0 + y1 >= 1, y0 + 3 y1 >= 1 at costs 1 and 1: the corner 0.4, 0.2.
  const auto y = cheapest({1, 1}, {{{2, 1}, 1}, {{1, 3}, 1}});
  ASSERT_TRUE(y.has_value());
  EXPECT_NEAR((*y)[0], 0.4, 1e-12);
  EXPECT_NEAR((*y)[1], 0.2, 1e-12);
  EXPECT_FALSE(cheapest({1, 1}, {{{1, 0.5}, 2}}).has_value()) << "above 1 there is nothing";
  EXPECT_FALSE(cheapest({}, {{{}, 1}}).has_value());
  EXPECT_TRUE(cheapest({}, {{{}, -1}}).has_value());
  const auto none = cheapest({1}, {{{1}, -1}});
  ASSERT_TRUE(none.has_value());
  EXPECT_EQ((*none)[0], 0);
  const auto full = cheapest({1, 5}, {{{1, 1}, 1.5}});
  ASSERT_TRUE(full.has_value());
  EXPECT_NEAR((*full)[0], 1, 1e-12);
  EXPECT_NEAR((*full)[1], 0.5, 1e-12);
}

}  // namespace
}  // namespace gimbal::quant
