// Warm implied volatilities of many options: statuses are the scalar path's, sigma agrees with it,
// every target has the same bits.
#include "engine/quant/implied_vols.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/core/pricing.hpp"
#include "tests/support/number_table.hpp"
#include "tests/support/random_terms.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal::quant {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();

struct Rows {
  std::vector<double> forward, strike, years, discount, price, sign, warm;

  void add(const QuotedOption& o, double start) {
    forward.push_back(o.forward);
    strike.push_back(o.strike);
    years.push_back(o.years);
    discount.push_back(o.discount);
    price.push_back(o.price);
    sign.push_back(o.type == OptionType::call ? 1 : o.type == OptionType::put ? -1 : 0);
    warm.push_back(start);
  }
  std::size_t size() const { return forward.size(); }
  VolColumns in() const {
    return {forward.data(), strike.data(), years.data(), discount.data(),
            price.data(),   sign.data(),   warm.data()};
  }
  QuotedOption option(std::size_t i) const {
    const OptionType type = sign[i] == 1    ? OptionType::call
                            : sign[i] == -1 ? OptionType::put
                                            : OptionType::none;
    return {type, forward[i], strike[i], years[i], discount[i], price[i]};
  }
};

struct Solved {
  std::vector<double> sigma;
  std::vector<VolStatus> status;
  std::size_t slow{0};  // rows that took the scalar path
};
Solved solve(const Rows& rows, const WarmVol& warm) {
  Solved s;
  s.sigma.resize(rows.size());
  s.status.resize(rows.size());
  s.slow = implied_vols(warm, rows.in(), rows.size(), s.sigma.data(), s.status.data());
  return s;
}

// Against the scalar path, row by row; gives the largest relative difference that is above 64
// attainable units.
double compare(const Rows& rows, const Solved& s, const std::string& what) {
  double worst = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const QuotedOption o = rows.option(i);
    if (!solvable(o)) {
      EXPECT_EQ(s.status[i], VolStatus::unsolvable) << what << " row " << i;
      EXPECT_EQ(s.sigma[i], 0) << what << " row " << i;
      continue;
    }
    const ImpliedVol exact = implied_vol(o);
    EXPECT_EQ(s.status[i], exact.status) << what << " row " << i;
    if (exact.status != VolStatus::ok) {
      EXPECT_EQ(s.sigma[i], 0) << what << " row " << i;
      continue;
    }
    const double error = std::abs(s.sigma[i] / exact.sigma - 1);
    EXPECT_LE(error, std::max(1e-9, 64 * exact.attainable))
        << what << " row " << i << " F " << o.forward << " K " << o.strike << " T " << o.years
        << " df " << o.discount << " price " << o.price << " sign " << rows.sign[i] << " warm "
        << rows.warm[i] << " sigma " << exact.sigma;
    if (error > 64 * exact.attainable) worst = std::max(worst, error);
    if (testing::Test::HasFailure()) return worst;
  }
  return worst;
}

QuotedOption quoted(const OptionTerms& t) {
  return {t.type, t.forward, t.strike, t.years, t.discount, price_linear(t).price};
}

// From the middle far out.
OptionTerms wide_terms(test::Numbers& n) {
  OptionTerms t;
  t.type = n.uniform(0, 1) < 0.5 ? OptionType::call : OptionType::put;
  t.forward = std::exp(n.uniform(-3, 12));
  t.years = std::exp(n.uniform(-10, 1.2));
  t.sigma = std::exp(n.uniform(-3.5, 1.5));
  const double sd = t.sigma * std::sqrt(t.years);
  t.strike = t.forward * std::exp(n.uniform(-1, 1) * (n.uniform(0, 1) < 0.1 ? 1e-6 : 7.0) * sd);
  t.discount = n.uniform(0.8, 1.0);
  return t;
}

TEST(ImpliedVols, ReturnToTheScalarAnswerFromStartsThatAreOff) {
  for (const double off : {0.0, 0.001, -0.001, 0.02, 0.05, -0.05, 0.5, -0.5, 9.0, -0.9}) {
    test::Numbers n;
    Rows rows;
    for (int i = 0; i < 20000; ++i) {
      const OptionTerms t = wide_terms(n);
      rows.add(quoted(t), t.sigma * (1 + off));
    }
    const Solved s = solve(rows, warm_vol());
    const double worst = compare(rows, s, "off " + std::to_string(off));
    std::printf("start off by %+.3f: %zu of %zu rows took the scalar path, largest error %.1e\n",
                off, s.slow, rows.size(), worst);
    // Some prices in the money are too close to intrinsic for the warm path to be sure.
    if (std::abs(off) <= 0.05) { EXPECT_LT(s.slow, rows.size() / 5) << off; }
  }
}

TEST(ImpliedVols, OfAListedChainNeverNeedTheScalarPath) {
  test::Numbers n;
  for (const double off : {0.001, -0.02, 0.2}) {
    Rows rows;
    for (int i = 0; i < 4000; ++i) {
      OptionTerms t = test::random_terms(n);
      t.sigma = n.uniform(0.3, 1.5);
      const double sd = t.sigma * std::sqrt(t.years);
      t.strike = t.forward * std::exp(n.uniform(-3, 3) * sd);
      t.type = t.strike > t.forward ? OptionType::call : OptionType::put;
      rows.add(quoted(t), t.sigma * (1 + off));
    }
    EXPECT_EQ(solve(rows, warm_vol()).slow, 0U) << off;
  }
}

// Any double for any term, and valid terms with prices about every bound.
Rows hostile(test::Numbers& n, std::size_t count) {
  const std::array<double, 12> odd{0.0,   -0.0, nan_value, INFINITY, -INFINITY, 5e-324,
                                   1e308, -1.0, 1e-100,    1e100,    1e-12,     1e160};
  Rows rows;
  while (rows.size() < count) {
    const OptionTerms t = wide_terms(n);
    QuotedOption o = quoted(t);
    double warm = t.sigma * std::exp(n.uniform(-0.1, 0.1));
    const double q = o.type == OptionType::call ? 1 : -1;
    const double kind = n.uniform(0, 10);
    const auto any = [&] { return odd[static_cast<std::size_t>(n.uniform(0, 12))]; };
    if (kind < 1) {
      o.price = o.discount * std::max(q * (o.forward - o.strike), 0.0);
    } else if (kind < 2) {
      o.price =
          o.discount * std::max(q * (o.forward - o.strike), 0.0) * (1 + n.uniform(-4e-16, 4e-16));
    } else if (kind < 3) {
      o.price = o.discount * (q > 0 ? o.forward : o.strike) * (1 + n.uniform(-4e-16, 2e-16));
    } else if (kind < 4) {
      o.price *= n.uniform(-1, 3);
    } else if (kind < 5) {
      o.price = std::bit_cast<double>(static_cast<std::uint64_t>(n.uniform(0, 1.8e19)));
    } else if (kind < 6) {
      (n.uniform(0, 1) < 0.5 ? o.forward : o.strike) = any();
    } else if (kind < 7) {
      (n.uniform(0, 1) < 0.5 ? o.years : o.discount) = any();
    } else if (kind < 8) {
      o.price = any();
      if (n.uniform(0, 1) < 0.2) o.type = OptionType::none;
    } else if (kind < 9) {
      warm = n.uniform(0, 1) < 0.5 ? any() : std::exp(n.uniform(-30, 30));
    }
    rows.add(o, warm);
  }
  return rows;
}

TEST(ImpliedVols, StatusesAreTheScalarPathsOnAnyRow) {
  test::Numbers n;
  std::map<VolStatus, std::size_t> seen;
  for (int round = 0; round < 15; ++round) {
    const Rows rows = hostile(n, 10000);
    const Solved s = solve(rows, warm_vol());
    compare(rows, s, "round " + std::to_string(round));
    for (const VolStatus status : s.status) ++seen[status];
    if (HasFailure()) return;
  }
  for (const VolStatus status :
       {VolStatus::ok, VolStatus::below_intrinsic, VolStatus::above_maximum,
        VolStatus::zero_time_value, VolStatus::unsolvable}) {
    EXPECT_GT(seen[status], 500U) << to_string(status);
    std::printf("%s %zu, ", std::string{to_string(status)}.c_str(), seen[status]);
  }
  std::printf("all as the scalar path says\n");
}

TEST(ImpliedVols, HaveTheSameBitsOnEveryTarget) {
  const auto targets = warm_vol_targets();
  ASSERT_FALSE(targets.empty());
  EXPECT_EQ(warm_vol().target, targets.front().target);
  test::Numbers n;
  for (int round = 0; round < 6; ++round) {
    Rows rows = hostile(n, 8000);
    for (int i = 0; i < 8000; ++i) {
      const OptionTerms t = wide_terms(n);
      rows.add(quoted(t), t.sigma * std::exp(n.uniform(-1, 1)));
    }
    std::vector<double> ours(rows.size());
    std::vector<double> theirs(rows.size());
    warm_vol_twin().kernel(rows.in(), rows.size(), ours.data());
    for (const WarmVol& target : targets) {
      target.kernel(rows.in(), rows.size(), theirs.data());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(std::bit_cast<std::uint64_t>(ours[i]), std::bit_cast<std::uint64_t>(theirs[i]))
            << target.target << " row " << i << ": " << ours[i] << " " << theirs[i];
      }
    }
  }
}

void one_bit_off(const VolColumns& in, std::size_t count, double* sigma) noexcept {
  warm_vol_twin().kernel(in, count, sigma);
  sigma[count - 1] = std::nextafter(sigma[count - 1], 1e9);
}

void hides_no_number(const VolColumns& in, std::size_t count, double* sigma) noexcept {
  warm_vol_twin().kernel(in, count, sigma);
  for (std::size_t i = 0; i < count; ++i) sigma[i] = std::isnan(sigma[i]) ? 0 : sigma[i];
}

TEST(ImpliedVols, AKernelThatHidesWhatIsNoNumberIsNotTaken) {
  EXPECT_FALSE(agrees_with_twin(&hides_no_number));
}

TEST(ImpliedVols, AKernelThatIsOneBitOffIsNotTaken) {
  EXPECT_TRUE(agrees_with_twin(warm_vol_twin().kernel));
  EXPECT_FALSE(agrees_with_twin(&one_bit_off));
  EXPECT_EQ(proven_warm_vol().target, warm_vol().target);
}

TEST(ImpliedVols, ARowDoesNotDependOnItsNeighboursNorOnTheirNumber) {
  test::Numbers n;
  Rows rows;
  for (int i = 0; i < 37; ++i) {
    const OptionTerms t = wide_terms(n);
    rows.add(quoted(t), i % 5 == 0 ? nan_value : t.sigma * (i % 3 == 0 ? 1.4 : 1.001));
  }
  const Solved all = solve(rows, warm_vol());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Rows one;
    one.add(rows.option(i), rows.warm[i]);
    const Solved s = solve(one, warm_vol());
    EXPECT_EQ(s.sigma[0], all.sigma[i]) << i;
    EXPECT_EQ(s.status[0], all.status[i]) << i;
  }
  for (std::size_t count = 0; count < rows.size(); ++count) {
    std::vector<double> sigma(rows.size(), -7);
    std::vector<VolStatus> status(rows.size());
    implied_vols(warm_vol(), rows.in(), count, sigma.data(), status.data());
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(sigma[i], all.sigma[i]) << count;
    for (std::size_t i = count; i < rows.size(); ++i) EXPECT_EQ(sigma[i], -7) << count;
  }
}

void check_starts(const std::string& path) {
  const test::NumberTable t{path};
  for (const double off : {0.0, 0.002, -0.02, 0.1, nan_value}) {
    Rows rows;
    for (std::size_t row = 0; row < t.size(); ++row) {
      const double sigma = t.text(row, "status") == "ok" ? t.number(row, "sigma") : 0.5;
      rows.add(
          {t.text(row, "type") == "C" ? OptionType::call : OptionType::put, t.number(row, "F"),
           t.number(row, "K"), t.number(row, "T"), t.number(row, "df"), t.number(row, "price")},
          sigma * (1 + off));
    }
    const Solved s = solve(rows, warm_vol());
    double worst = 0;
    for (std::size_t row = 0; row < t.size(); ++row) {
      ASSERT_EQ(to_string(s.status[row]), t.text(row, "status")) << "row " << row;
      if (s.status[row] != VolStatus::ok) continue;
      const double allowed = std::max(1e-9, 64 * t.number(row, "attainable_rel"));
      const double error = std::abs(s.sigma[row] / t.number(row, "sigma") - 1);
      EXPECT_LE(error, allowed) << "row " << row << " off " << off;
      worst = std::max(worst, error / allowed);
    }
    std::printf(
        "%zu rows, start off by %.3f: %zu took the scalar path, largest error %.4f of "
        "what is allowed\n",
        t.size(), off, s.slow, worst);
  }
}

TEST(ImpliedVols, MatchTheProjectsOwnRows) {
  check_starts(test::fixture_path("quant/implied_vol.csv"));
}

TEST(ImpliedVols, MatchTheGoldenRows) {
  const std::string path = test::shared_path("data/quant/implied_vol.csv");
  if (!test::present(path)) GTEST_SKIP() << path << " is not here";
  check_starts(path);
}

}  // namespace
}  // namespace gimbal::quant
