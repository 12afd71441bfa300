// Equity of each account, sampled each second of exchange time, and the closing figures. Cold.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "ops/sim/world.hpp"
#include "venues/sim/server.hpp"

namespace gimbal::sim {

class EquityLog {
 public:
  // An empty `csv` keeps the series in memory only; throws std::runtime_error when it cannot be
  // written. Columns: time_ms, then per account and currency NAME_equity_CUR, then NAME_equity_usd.
  EquityLog(const World& world, const std::filesystem::path& csv);
  void sample(ExchTime now);  // takes at most one sample a second

  struct Spread {
    double first{0};
    double last{0};
    double deviation{0};  // standard deviation of one-second changes
  };
  // Of an account's equity in one currency, or of all in USD when `currency` is past the last one.
  [[nodiscard]] Spread spread(std::size_t account, std::size_t currency) const;
  [[nodiscard]] std::size_t samples() const noexcept { return times_.size(); }

 private:
  [[nodiscard]] std::vector<double> row() const;

  const World& world_;
  std::vector<Currency> currencies_;
  std::vector<std::int64_t> times_;
  std::vector<std::vector<double>> rows_;
  std::ofstream csv_;
  ExchTime next_{};
};

// USD price of one unit of a settlement currency.
[[nodiscard]] double usd_price(const SimExchange& exchange, Currency currency);
// Orders of the account that rest now.
[[nodiscard]] std::size_t resting_orders(const World& world);

[[nodiscard]] std::string closing_json(const World& world, const EquityLog& log,
                                       const DialectStats& dialect, const ServerStats& server);
[[nodiscard]] std::string closing_text(const World& world, const EquityLog& log,
                                       const DialectStats& dialect, const ServerStats& server);

}  // namespace gimbal::sim
