// An account under portfolio margin as numbers that are linear in its amounts, so that a smaller
// account costs no pricing. Room: engine/quant, cold; used by deleverage.cpp alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <vector>

#include "engine/core/math.hpp"
#include "engine/quant/linear_program.hpp"
#include "engine/quant/margin/deleverage.hpp"

namespace gimbal::quant {

// The account as numbers that are linear in its amounts.
class ScenarioAccount {
 public:
  ScenarioAccount(const Book& book, const PortfolioMarginParameters& p, const DeleverageAsk& ask)
      : p_{p}, ask_{ask}, equity_{book.equity}, index_{book.index} {
    coins_ = book.settlement == Settlement::coin ? 1.0 : book.index;
    PortfolioMarginParameters bare = p;
    bare.dampener_usd = 0;
    std::map<long long, std::size_t> expiries;
    for (const Leg& leg : book.legs) {
      Book one{book.settlement, book.index, 0, {leg}};
      one.legs[0].amount = 1;
      const PortfolioMarginParts unit = portfolio_margin(one, bare);
      std::vector<double> row = unit.standard;
      row.insert(row.end(), unit.extended.begin(), unit.extended.end());
      profit_.push_back(std::move(row));
      delta_.push_back(greeks(one).delta);
      const long long when = std::llround(leg.years * 31'536'000.0);
      const auto [at, fresh] = expiries.try_emplace(when, roll_.size());
      if (fresh) {
        const double years = static_cast<double>(when) / 31'536'000.0;
        roll_.push_back(std::max(math::exp(p.annual_move * years) - 1.0, p.roll_min));
      }
      expiry_.push_back(at->second);
      option_.push_back(leg.kind == LegKind::option);
      held_.push_back(leg.amount);
    }
    make_relief(book.settlement, profit_.empty() ? 0 : profit_[0].size());
  }

  [[nodiscard]] std::size_t legs() const { return held_.size(); }
  [[nodiscard]] double held(std::size_t i) const { return held_[i]; }
  [[nodiscard]] double lot(std::size_t i) const {
    const double lot = i < ask_.lot.size() ? ask_.lot[i] : 0.0;
    return lot * 1e6 > math::abs(held_[i]) ? lot : 0.0;
  }
  [[nodiscard]] double unit_cost(std::size_t i) const {
    return i < ask_.unit_cost.size() ? ask_.unit_cost[i] : 0.0;
  }
  [[nodiscard]] double cost(const std::vector<double>& closed) const {
    double sum = 0;
    for (std::size_t i = 0; i < closed.size(); ++i) sum += closed[i] * unit_cost(i);
    return sum;
  }
  [[nodiscard]] double left(std::size_t i, double closed) const {
    return held_[i] > 0 ? held_[i] - closed : held_[i] + closed;
  }
  // Everything that is not the scenarios' loss.
  [[nodiscard]] double shocks(const std::vector<double>& closed) const {
    std::vector<double> delta(roll_.size());
    for (std::size_t i = 0; i < closed.size(); ++i) {
      delta[expiry_[i]] += left(i, closed[i]) * delta_[i];
    }
    double sum = 0;
    for (std::size_t e = 0; e < delta.size(); ++e) sum += math::abs(delta[e]) * roll_[e];
    return sum * coins_ + delta_shock(closed);
  }
  [[nodiscard]] double delta_shock(const std::vector<double>& closed) const {
    double sold = 0;  // futures and short options
    double bought = 0;
    for (std::size_t i = 0; i < closed.size(); ++i) {
      (option_[i] && held_[i] > 0 ? bought : sold) += left(i, closed[i]) * delta_[i];
    }
    const double size =
        math::abs(std::clamp(sold + bought, std::min(sold, 0.0), std::max(sold, 0.0)));
    const double excess = std::max(size * index_ - p_.delta_shock_threshold_usd, 0.0) / index_;
    return size * std::min(p_.delta_shock_per_coin * excess, p_.delta_shock_max) * coins_;
  }
  [[nodiscard]] double maintenance(const std::vector<double>& closed) const {
    double worst = 0;
    for (std::size_t s = 0; s < relief_.size(); ++s) {
      double loss = -relief_[s];
      for (std::size_t i = 0; i < closed.size(); ++i) {
        loss -= left(i, closed[i]) * profit_[i][s];
      }
      worst = std::max(worst, loss);
    }
    return p_.maintenance_factor * (worst + shocks(closed));
  }
  // Maintenance that is too much for the target.
  [[nodiscard]] double missing(const std::vector<double>& closed) const {
    return maintenance(closed) - ask_.target_health * (equity_ - cost(closed));
  }
  [[nodiscard]] double equity() const { return equity_; }
  [[nodiscard]] double scale() const { return math::abs(equity_) + maintenance_now_; }
  void note_maintenance(double m) { maintenance_now_ = m; }

  // The demands on the shares of the legs in `open`, with the shocks as they are less what the
  // closing takes from the roll, and `more` on top.
  [[nodiscard]] std::vector<Demand> demands(const std::vector<std::size_t>& open,
                                            double more) const {
    const std::vector<double> none(legs());
    const double fixed = shocks(none) + more / p_.maintenance_factor;
    std::vector<double> roll_of = roll_per_unit();
    std::vector<Demand> out;
    for (std::size_t s = 0; s <= relief_.size(); ++s) {
      Demand d;
      const bool floor = s == relief_.size();  // a book that can only win
      double loss = floor ? 0.0 : -relief_[s];
      for (std::size_t i = 0; !floor && i < legs(); ++i) loss -= held_[i] * profit_[i][s];
      d.least = (p_.maintenance_factor * (loss + fixed) - ask_.target_health * equity_) / scale();
      for (const std::size_t i : open) {
        const double less = floor ? 0.0 : -(held_[i] > 0 ? 1.0 : -1.0) * profit_[i][s];
        const double unit =
            p_.maintenance_factor * (less + roll_of[i]) - ask_.target_health * unit_cost(i);
        d.share.push_back(unit * math::abs(held_[i]) / scale());
      }
      out.push_back(std::move(d));
    }
    return out;
  }

 private:
  // Roll shock that closing one unit gives back while no expiry's delta changes its sign.
  [[nodiscard]] std::vector<double> roll_per_unit() const {
    std::vector<double> delta(roll_.size());
    for (std::size_t i = 0; i < legs(); ++i) delta[expiry_[i]] += held_[i] * delta_[i];
    std::vector<double> out(legs());
    for (std::size_t i = 0; i < legs(); ++i) {
      const double toward = (held_[i] > 0 ? 1.0 : -1.0) * delta_[i];
      out[i] = (delta[expiry_[i]] > 0 ? toward : -toward) * roll_[expiry_[i]] * coins_;
    }
    return out;
  }
  void make_relief(Settlement s, std::size_t count) {
    relief_.assign(count, 0.0);
    const std::size_t standard = count - std::min(count, p_.extended_moves.size());
    for (std::size_t n = standard; n < count; ++n) {
      const double move = p_.extended_moves[n - standard];
      const double edge = 1.0 + (move > 0 ? p_.price_range : -p_.price_range);
      const double usd = (math::abs(move) / p_.price_range - 1.0) * p_.dampener_usd;
      relief_[n] = std::max(usd / (s == Settlement::coin ? edge * index_ : 1.0), 0.0);
    }
  }

  const PortfolioMarginParameters& p_;
  const DeleverageAsk& ask_;
  double equity_;
  double index_;
  double coins_{1};
  double maintenance_now_{0};
  std::vector<std::vector<double>> profit_{};  // of one unit, by leg and scenario
  std::vector<double> relief_{};               // of a far scenario
  std::vector<double> delta_{};
  std::vector<double> roll_{};  // by expiry
  std::vector<std::size_t> expiry_{};
  std::vector<bool> option_{};
  std::vector<double> held_{};
};

}  // namespace gimbal::quant
