// The numbers of [risk]. Money limits have no default: start is refused without them.
#pragma once

#include <cstdint>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

struct RiskLimits {
  // Required.
  Money max_order_usd{};              // exposure of one order
  std::int64_t max_order_lots{0};     // amount of one order in lots of its instrument
  Money max_open_usd{};               // exposure of all open and unknown orders, every venue
  Money max_venue_open_usd{};         // the same, per venue
  std::int64_t max_position_lots{0};  // per instrument, worst case over open and unknown orders
  Money max_delta_usd{};              // per underlying: |delta in coins| * index, worst case
  Money max_gross_delta_usd{};        // per underlying: absolute deltas summed, worst case
  Money max_strategy_loss_usd{};      // a strategy's realised and marked loss of the day
  Money max_day_loss_usd{};           // of everything
  Money max_drawdown_usd{};           // of everything, from the day's highest profit
  // Required; zero switches these off.
  Money max_gamma_usd{};  // per underlying: change of the USD delta for a 1% move
  Money max_vega_usd{};   // per underlying: USD per volatility point

  std::int64_t collar_bps{50};          // futures and perpetuals, against the mark
  std::int64_t collar_refusals_max{3};  // refusals by the collar within the window: REDUCE
  Nanos collar_window{seconds(10)};
  std::int64_t price_drift_bps{100};  // own aggressive prices, for the worse, within the window
  Nanos price_drift_window{seconds(60)};
  std::int64_t option_collar_ticks{10};  // options: the wider of ticks and share of the mark
  std::int64_t option_collar_bps{2500};
  std::int64_t max_open_orders{800};  // 80% of the venue's cap
  std::int64_t order_rate_per_s{14};  // new, replace and cancel: 70% of the venue's rate
  std::int64_t order_burst{70};
  std::int64_t cancel_reserve{20};  // part of the burst that only cancels may use
  Nanos duplicate_window{milliseconds(500)};
  Nanos mark_age_max{seconds(5)};  // options; delta-one uses quote_age_max
  Nanos quote_age_max{seconds(1)};
  Nanos index_age_max{milliseconds(2500)};
  Nanos approval_ttl{milliseconds(50)};  // an approval not encoded by then is void
  bool hedge_in_reduce{true};
  Nanos greeks_age_max{milliseconds(250)};  // older Greeks count twice where that is worse
  std::int64_t iv_min_bps{100};             // volatility of an option, bp of 1.00
  std::int64_t iv_max_bps{50000};
  std::int64_t option_band_bps{200};   // slack of the no-arbitrage band, of the forward
  Nanos expiry_window{seconds(1800)};  // no new options this near to settlement ...
  bool expiry_mode{false};             // ... unless this is on
  std::int64_t denials_1s_max{5};      // refusals of a strategy within a second: REDUCE
  std::int64_t denials_60s_max{20};
  std::int64_t cycles_max{20};  // executions without a better position within the window: REDUCE
  Nanos cycles_window{seconds(60)};
  // Worst scenario over the margin balance of its account, bp; zero switches it off.
  std::int64_t max_scenario_loss_bps{0};
  std::int64_t session_losses_60s_max{20};         // of a venue's order session: PAUSE
  std::int64_t order_to_trade_warn_permille{700};  // of order_to_trade_max: alert ...
  std::int64_t order_to_trade_stop_permille{900};  // ... and REDUCE
  Nanos day_start{};  // when the day of losses and ratios begins, after midnight UTC
};

template <class Visitor>
void fields(Visitor&& visit, RiskLimits& c) {
  constexpr double usd_max = 9e9;
  visit("max_order_usd", c.max_order_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD", "Exposure of one order."});
  visit("max_order_lots", c.max_order_lots,
        FieldInfo{1, 1e9, true, Reload::tighten_lower, "lots", "Amount of one order."});
  visit("max_open_usd", c.max_open_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Exposure of all open and unknown orders."});
  visit("max_venue_open_usd", c.max_venue_open_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Exposure of the open and unknown orders of one venue."});
  visit("max_position_lots", c.max_position_lots,
        FieldInfo{0, 1e9, true, Reload::tighten_lower, "lots",
                  "Position of one instrument, open and unknown orders counted as filled."});
  visit("max_delta_usd", c.max_delta_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Delta of one underlying, open and unknown orders counted as filled."});
  visit("max_gross_delta_usd", c.max_gross_delta_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Absolute deltas of one underlying's instruments and orders, summed."});
  visit("max_strategy_loss_usd", c.max_strategy_loss_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Realised and marked loss of one strategy's own trades in a day."});
  visit("max_day_loss_usd", c.max_day_loss_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Realised and marked loss of the account in a day."});
  visit("max_drawdown_usd", c.max_drawdown_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Fall of the account's profit from its highest of the day."});
  visit("max_gamma_usd", c.max_gamma_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Change of one underlying's delta for a 1% move; 0 is off.", true});
  visit("max_vega_usd", c.max_vega_usd,
        FieldInfo{0, usd_max, true, Reload::tighten_lower, "USD",
                  "Vega of one underlying per volatility point; 0 is off.", true});
  visit("collar_bps", c.collar_bps,
        FieldInfo{0, 10000, false, Reload::tighten_lower, "bp",
                  "Distance of a futures order from the mark."});
  visit("collar_refusals_max", c.collar_refusals_max,
        FieldInfo{1, 8, false, Reload::tighten_lower, "refusals",
                  "Refusals by the collar that put an instrument into REDUCE."});
  visit("collar_window", c.collar_window,
        FieldInfo{0, 3600, false, Reload::tighten_higher, "s", "Window of collar_refusals_max."});
  visit("price_drift_bps", c.price_drift_bps,
        FieldInfo{0, 1e6, false, Reload::tighten_lower, "bp",
                  "How far own aggressive prices of an instrument may worsen within the window."});
  visit("price_drift_window", c.price_drift_window,
        FieldInfo{0.001, 3600, false, Reload::tighten_higher, "s", "Window of price_drift_bps."});
  visit("option_collar_ticks", c.option_collar_ticks,
        FieldInfo{0, 10000, false, Reload::tighten_lower, "ticks",
                  "Distance of an option order from the mark, in ticks."});
  visit("option_collar_bps", c.option_collar_bps,
        FieldInfo{0, 10000, false, Reload::tighten_lower, "bp",
                  "Distance of an option order from the mark, as a share of it."});
  visit("max_open_orders", c.max_open_orders,
        FieldInfo{1, 1024, false, Reload::tighten_lower, "orders", "Open and unknown orders."});
  visit("order_rate_per_s", c.order_rate_per_s,
        FieldInfo{1, 100000, false, Reload::tighten_lower, "1/s",
                  "Messages to the venue: new, replace and cancel."});
  visit("order_burst", c.order_burst,
        FieldInfo{1, 100000, false, Reload::tighten_lower, "messages", "Size of the rate bucket."});
  visit("cancel_reserve", c.cancel_reserve,
        FieldInfo{0, 100000, false, Reload::tighten_higher, "messages",
                  "Part of the bucket that only cancels may use."});
  visit("duplicate_window", c.duplicate_window,
        FieldInfo{0, 60, false, Reload::tighten_higher, "s",
                  "Time in which an equal order of the same intent is refused."});
  visit("mark_age_max", c.mark_age_max,
        FieldInfo{0, 3600, false, Reload::tighten_lower, "s", "Age of an option's mark."});
  visit("quote_age_max", c.quote_age_max,
        FieldInfo{0, 3600, false, Reload::tighten_lower, "s",
                  "Age of a future's newest book change or ticker."});
  visit("index_age_max", c.index_age_max,
        FieldInfo{0, 3600, false, Reload::tighten_lower, "s", "Age of the index price."});
  visit("approval_ttl", c.approval_ttl,
        FieldInfo{0.001, 10, false, Reload::tighten_lower, "s",
                  "Life of an approval that has not been encoded."});
  visit("hedge_in_reduce", c.hedge_in_reduce,
        FieldInfo{0, 1, false, Reload::fixed, "", "REDUCE lets delta-reducing hedges through."});
  visit("greeks_age_max", c.greeks_age_max,
        FieldInfo{0.001, 3600, false, Reload::tighten_lower, "s",
                  "Age of our own Greeks; older ones count twice where that is worse."});
  visit("iv_min_bps", c.iv_min_bps,
        FieldInfo{1, 1e6, false, Reload::tighten_higher, "bp", "Lowest volatility believed."});
  visit("iv_max_bps", c.iv_max_bps,
        FieldInfo{1, 1e6, false, Reload::tighten_lower, "bp", "Highest volatility believed."});
  visit("option_band_bps", c.option_band_bps,
        FieldInfo{0, 10000, false, Reload::tighten_lower, "bp",
                  "Slack of an option's no-arbitrage band, of the forward."});
  visit("expiry_window", c.expiry_window,
        FieldInfo{0, 864000, false, Reload::tighten_higher, "s",
                  "No new options this near to their settlement."});
  visit("expiry_mode", c.expiry_mode,
        FieldInfo{0, 1, false, Reload::fixed, "", "Options may be opened up to settlement."});
  visit("denials_1s_max", c.denials_1s_max,
        FieldInfo{1, 64, false, Reload::tighten_lower, "refusals",
                  "Refusals of a strategy within 1 s that put it into REDUCE."});
  visit("denials_60s_max", c.denials_60s_max,
        FieldInfo{1, 64, false, Reload::tighten_lower, "refusals",
                  "Refusals of a strategy within 60 s that put it into REDUCE."});
  visit("cycles_max", c.cycles_max,
        FieldInfo{1, 32, false, Reload::tighten_lower, "",
                  "Executions without a better position that put a strategy into REDUCE."});
  visit("cycles_window", c.cycles_window,
        FieldInfo{0, 3600, false, Reload::tighten_higher, "s", "Window of cycles_max."});
  visit("max_scenario_loss_bps", c.max_scenario_loss_bps,
        FieldInfo{0, 1e6, false, Reload::tighten_lower, "bp",
                  "Loss of an account's worst scenario over its margin balance; needs [scenarios]; "
                  "0 is off.",
                  true});
  visit("session_losses_60s_max", c.session_losses_60s_max,
        FieldInfo{1, 20, false, Reload::tighten_lower, "",
                  "Losses of the order session within 60 s that pause its venue."});
  visit("order_to_trade_warn_permille", c.order_to_trade_warn_permille,
        FieldInfo{1, 1000, false, Reload::tighten_lower, "permille",
                  "Share of order_to_trade_max that is an alert."});
  visit("order_to_trade_stop_permille", c.order_to_trade_stop_permille,
        FieldInfo{1, 1000, false, Reload::tighten_lower, "permille",
                  "Share of order_to_trade_max that puts the strategy into REDUCE."});
  visit("day_start", c.day_start,
        FieldInfo{0, 86399, false, Reload::fixed, "s",
                  "Begin of the day of losses and ratios, after midnight UTC."});
}

// True when any limit of `to` allows more than `from` does.
[[nodiscard]] bool loosens(const RiskLimits& from, const RiskLimits& to) noexcept;

}  // namespace gimbal
