// Portfolio margin parameters in the size of the venue's for BTC.
#pragma once

#include "engine/quant/margin/deribit_portfolio.hpp"

namespace gimbal::test {

inline quant::PortfolioMarginParameters btc_parameters() {
  quant::PortfolioMarginParameters p;
  p.price_range = 0.16;
  p.buckets = 4;
  p.volatility_up = 0.5;
  p.volatility_down = 0.25;
  p.volatility_up_min = 0.5;
  p.short_power = 0.3;
  p.long_power = 0.13;
  p.extended_moves = {-0.66, -0.33, 0.5, 1, 2, 3, 4, 5};
  p.extended_factor = 1;
  p.dampener_usd = 100'000;
  p.annual_move = 0.075;
  p.roll_min = 0.01;
  p.delta_shock_per_coin = 5e-5;
  p.delta_shock_max = 0.1;
  p.delta_shock_threshold_usd = 2e7;
  p.maintenance_factor = 0.8;
  return p;
}

}  // namespace gimbal::test
