#include "engine/quant/stress/grid.hpp"

#include <algorithm>
#include <limits>

#include "engine/quant/stress/pool.hpp"

namespace gimbal::quant {

namespace {
constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
}  // namespace

Node node_at(const Repricer& repricer, std::vector<Shock> by_underlying) {
  Node node;
  node.profit = repricer.profit(by_underlying);
  node.health = nothing;
  const Portfolio& p = repricer.portfolio();
  for (const Account& a : p.accounts) {
    const Shock& shock = by_underlying[a.underlying];
    const Book after = shifted(a.book, shock);
    const bool coin = a.book.settlement == Settlement::coin;
    const double collateral = coin && p.numeraire == Numeraire::usd ? after.equity : 0.0;
    node.delta_usd += (greeks(after).delta + collateral) * after.index;
    if (!a.margin) continue;
    const Margin m = a.margin(a.book)->at(shock);
    node.maintenance += m.maintenance * (coin ? after.index : 1.0);
    if (a.has_equity && !(node.health >= m.health())) node.health = m.health();
  }
  node.shocks = std::move(by_underlying);
  return node;
}

std::vector<Node> scenario_grid(const Repricer& repricer, std::size_t threads) {
  std::vector<Node> nodes(grid_moves.size() * grid_vols.size() * grid_days.size());
  const std::size_t underlyings = repricer.portfolio().underlyings.size();
  run_blocks(nodes.size(), threads,
             [&](std::size_t i) {
               const std::size_t slice = i / grid_moves.size();
               const Shock shock{grid_moves[i % grid_moves.size()],
                                 grid_vols[slice % grid_vols.size()],
                                 grid_days[slice / grid_vols.size()] / 365.0};
               nodes[i] = node_at(repricer, std::vector<Shock>(underlyings, shock));
             },
             {});
  return nodes;
}

std::vector<AccountState> account_states(const Portfolio& portfolio, double horizon_years) {
  std::vector<AccountState> states;
  for (const Account& a : portfolio.accounts) {
    AccountState s;
    s.name = a.name;
    s.has_margin = static_cast<bool>(a.margin);
    s.margin = {a.has_equity ? a.book.equity : nothing, nothing, nothing};
    if (s.has_margin) {
      const auto model = a.margin(a.book);
      s.margin = model->at({});
      if (a.has_equity) {
        s.distance =
            liquidation_distance(*model, portfolio.underlyings[a.underlying].sigma, horizon_years);
      } else {
        s.margin.equity = nothing;
      }
    }
    states.push_back(std::move(s));
  }
  return states;
}

}  // namespace gimbal::quant
