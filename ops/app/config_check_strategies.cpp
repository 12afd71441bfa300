// Relations between the entries of the [[strategy.*]] tables and the rest of the config.
#include <algorithm>
#include <string_view>
#include <utility>

#include "ops/app/config_check.hpp"

namespace gimbal {
namespace {

class StrategyChecker {
 public:
  StrategyChecker(const Config& config, const Complain& complain)
      : c_{config}, complain_{complain} {}

  void run() const {
    for (std::size_t i = 0; i < c_.strategy.of<DeltaHedge>().size(); ++i) delta_hedge(i);
    for (std::size_t i = 0; i < c_.strategy.of<Rebalance>().size(); ++i) rebalance(i);
    for (std::size_t i = 0; i < c_.strategy.of<Liquidation>().size(); ++i) liquidation(i);
  }

 private:
  void delta_hedge(std::size_t i) const {
    const auto& all = c_.strategy.of<DeltaHedge>();
    const ConfigPath at{"strategy.delta_hedge", true, i, "underlying"};
    const auto& name = all[i].underlying;
    if (name.empty()) return;
    const bool known = std::any_of(c_.underlyings.begin(), c_.underlyings.end(),
                                   [&](const UnderlyingConfig& u) { return u.name == name; });
    if (!known) complain_(at, "is \"" + name + "\", which no [[underlying]] has");
    for (std::size_t j = 0; j < i; ++j) {
      if (all[j].underlying == name)
        complain_(at, "repeats \"" + name + "\": one hedge per underlying");
    }
    if (all[i].delta != HedgeDelta::black && !c_.surface.use) {
      complain_({"strategy.delta_hedge", true, i, "delta"},
                "needs [surface] use = true: the smile's slope is the surface's");
    }
    if (all[i].band > all[i].band_max) {
      complain_({"strategy.delta_hedge", true, i, "band"}, "is over band_max");
    }
  }

  void rebalance(std::size_t i) const {
    const auto& r = c_.strategy.of<Rebalance>()[i];
    const bool by_price =
        r.trigger == RebalanceTrigger::price_above || r.trigger == RebalanceTrigger::price_below;
    const bool by_volatility = r.trigger == RebalanceTrigger::volatility_above ||
                               r.trigger == RebalanceTrigger::volatility_below;
    if (by_price && r.level.nano <= 0) {
      complain_({"strategy.rebalance", true, i, "level"}, "must be positive for a price trigger");
    }
    if (by_volatility && r.volatility <= 0) {
      complain_({"strategy.rebalance", true, i, "volatility"},
                "must be positive for a volatility trigger");
    }
  }

  void liquidation(std::size_t i) const {
    const LiquidationConfig& l = c_.strategy.of<Liquidation>()[i];
    const auto at = [this, i](std::string_view key, const std::string& text) {
      complain_({"strategy.liquidation", true, i, key}, text);
    };
    const auto names_it = [&](const auto& one) {
      if constexpr (requires { one.name; })
        return one.name == l.underlying;
      else
        return one.underlying == l.underlying;
    };
    const auto& hedges = c_.strategy.of<DeltaHedge>();
    if (l.underlying.empty()) return;
    if (std::none_of(c_.underlyings.begin(), c_.underlyings.end(), names_it)) {
      at("underlying", "is \"" + l.underlying + "\", which no [[underlying]] has");
    }
    if (l.hedged && std::none_of(hedges.begin(), hedges.end(), names_it)) {
      at("hedged", "needs a [[strategy.delta_hedge]] of \"" + l.underlying + "\"");
    }
    if (!(l.target_health < l.amber_health && l.amber_health < l.red_health &&
          l.red_health < l.black_health)) {
      at("red_health", "must lie between amber_health and black_health, above target_health");
    }
    if (l.red_sigmas > l.amber_sigmas) at("red_sigmas", "is over amber_sigmas");
    if (c_.engine.reconcile_interval.count > 0 &&
        l.report_age_max <= c_.engine.reconcile_interval) {
      at("report_age_max", "is not over reconcile_interval: every pause between reports is AMBER");
    }
    if (l.slice_usd_max > c_.risk.max_order_usd) at("slice_usd_max", "is over max_order_usd");
    one_ladder(i);
    if (l.margin_model == LadderMargin::portfolio) portfolio_margin(i);
    if (l.margin_model == LadderMargin::standard && l.balance != LadderBalance::smaller) {
      at("balance", "needs margin_model = \"portfolio\": standard margin has one balance");
    }
  }

  // A zero of any of these understates what the venue asks for; one of the threshold does not.
  void portfolio_margin(std::size_t i) const {
    const ScenarioConfig& s = c_.scenarios;
    if (!s.used()) {
      complain_({"strategy.liquidation", true, i, "margin_model"},
                "needs [scenarios] price_range: portfolio margin is the worst of them");
      return;
    }
    using Number = std::pair<std::string_view, double>;
    for (const auto& [key, value] :
         {Number{"annual_move", s.annual_move}, Number{"roll_min", s.roll_min},
          Number{"delta_shock_per_coin", s.delta_shock_per_coin},
          Number{"delta_shock_max", s.delta_shock_max},
          Number{"maintenance_factor", s.maintenance_factor}}) {
      if (value > 0) continue;
      complain_({"scenarios", false, 0, key},
                "is required with margin_model = \"portfolio\": the venue's own number");
    }
  }

  // The entry whose hedge names the account of a ladder: the first of its coin.
  [[nodiscard]] const UnderlyingConfig* account_of(const LiquidationConfig& l) const {
    const auto at = std::find_if(c_.underlyings.begin(), c_.underlyings.end(),
                                 [&](const UnderlyingConfig& u) { return u.name == l.underlying; });
    return at == c_.underlyings.end() ? nullptr : &*at;
  }

  // Two would each send orders for the same missing margin.
  void one_ladder(std::size_t i) const {
    const auto& all = c_.strategy.of<Liquidation>();
    const UnderlyingConfig* mine = account_of(all[i]);
    for (std::size_t j = 0; j < i && mine != nullptr; ++j) {
      const UnderlyingConfig* other = account_of(all[j]);
      if (other == nullptr || other->account != mine->account || other->currency != mine->currency)
        continue;
      complain_({"strategy.liquidation", true, i, "underlying"},
                "is \"" + mine->name + "\", on the margin account of \"" + other->name +
                    "\" (account \"" + mine->account + "\", settled in " + mine->currency +
                    "): one ladder for each margin account");
      return;
    }
  }

  const Config& c_;
  const Complain& complain_;
};

}  // namespace

void check_strategies(const Config& config, const Complain& complain) {
  StrategyChecker{config, complain}.run();
}

}  // namespace gimbal
