// Accounts over several underlyings, repriced in full under a shock for each underlying.
//
// Room: engine/quant, cold. Profits are in USD (linear quote currencies count as USD).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/quant/book.hpp"
#include "engine/quant/margin/model.hpp"

namespace gimbal::quant {

// What a profit is measured in: `usd` counts the change in the USD worth of each account,
// collateral included; `coin` only the positions' profit, valued at the shocked index.
enum class Numeraire : unsigned char { usd, coin };

using MarginOf = std::function<std::unique_ptr<MarginModel>(const Book&)>;

struct Account {
  std::string name;
  std::size_t underlying{0};
  Book book;
  bool has_equity{false};
  MarginOf margin;  // empty: no margin is computed
};
struct Underlying {
  std::string name;
  double index{0};
  double sigma{0};  // per sqrt(year), of the index
};
struct Portfolio {
  std::string name;
  Numeraire numeraire{Numeraire::usd};
  std::vector<Underlying> underlyings;
  std::vector<Account> accounts;
};

// What a portfolio is worth more after one shock per underlying; the present values are kept.
class Repricer {
 public:
  explicit Repricer(const Portfolio& portfolio);
  [[nodiscard]] double profit(std::span<const Shock> by_underlying) const noexcept;
  [[nodiscard]] double profit(std::size_t account, const Shock& shock) const noexcept;  // USD
  [[nodiscard]] const Portfolio& portfolio() const noexcept { return portfolio_; }

 private:
  const Portfolio& portfolio_;
  std::vector<std::vector<double>> unit_values_;  // of option legs, by account
};

}  // namespace gimbal::quant
