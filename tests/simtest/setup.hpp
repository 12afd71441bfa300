// What every bot of the tester is configured with.
#pragma once

#include <cstdint>

#include "engine/core/engine_config.hpp"
#include "strategies/delta_hedge/delta_hedge.hpp"

namespace gimbal::simtest {

inline constexpr std::uint64_t config_hash = 0x5151517e57;  // labels bear its upper half
inline constexpr std::uint32_t label_config_hash = 0x51;
inline constexpr std::size_t listings_room = 64;  // instruments that may be listed in mid-run
inline constexpr double hedge_band = 0.05;        // coins

// `own_account`: mass cancels are allowed.
[[nodiscard]] inline EngineSetup engine_setup(bool own_account, InstrumentId hedge,
                                              UnderlyingId coin) {
  EngineSetup s;
  s.limits.max_order_usd = Money{400'000 * nano_per_unit};
  s.limits.max_order_lots = 40'000;
  s.limits.max_open_usd = Money{500'000 * nano_per_unit};
  s.limits.max_venue_open_usd = Money{500'000 * nano_per_unit};
  s.limits.max_position_lots = 1'000'000;
  s.limits.max_delta_usd = Money{20'000'000 * nano_per_unit};
  s.limits.max_gross_delta_usd = Money{100'000'000 * nano_per_unit};
  s.limits.max_strategy_loss_usd = s.limits.max_day_loss_usd = s.limits.max_drawdown_usd =
      Money{100'000'000 * nano_per_unit};
  s.limits.denials_1s_max = s.limits.denials_60s_max = 64;  // Fidget asks for a lot
  s.limits.max_open_orders = 10;
  s.limits.order_rate_per_s = 3;  // 70 % of the venue's 5, and of its burst of 20
  s.limits.order_burst = 14;
  s.limits.cancel_reserve = 4;
  s.engine.delta_one_books = 8;
  s.engine.option_books = 32;
  s.engine.delta_one_levels = 64;
  s.engine.option_levels = 16;
  s.engine.trade_ids_kept = 4096;
  s.own_account[0] = own_account;
  s.venue_used[0] = true;
  s.underlyings[coin.value] = {hedge, Numeraire::coin, currency("BTC"), VenueId{0}};
  return s;
}

[[nodiscard]] inline DeltaHedgeConfig hedge_config() {
  DeltaHedgeConfig c;
  c.underlying = "BTC";
  c.numeraire = Numeraire::coin;
  c.band = hedge_band;
  c.target = HedgeTarget::zero;
  c.interval_min = milliseconds(50);
  c.attempts_max = 1000;
  return c;
}

}  // namespace gimbal::simtest
