// Room venues/sim. Everything that shapes a simulated exchange, as plain values with defaults.
//
// The defaults make three product groups: BTC and ETH (inverse) and BTC_USDC (linear); four
// expiries, 13 strikes each, names, ticks, lots and fees as Deribit's. Fractions, not percent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/core/units.hpp"
#include "venues/sim/portfolio_rules.hpp"

namespace gimbal::sim {

// One price path. Volatility is per sqrt(year) of 365 days.
struct CoinConfig {
  std::string coin;            // "BTC"
  double price{0};             // USD at start
  double vol{0.6};             // long-run volatility, also the level of the smile
  double vol_of_vol{1.0};      // per sqrt(year), of the log of volatility
  double vol_reversion{6.0};   // per year
  double common_weight{0.85};  // correlation with the common factor of all coins
  double jumps_per_year{200};  // Poisson rate
  double jump_size{0.02};      // standard deviation of a jump's log return
};

// Instruments that share an index and a settlement currency.
struct ProductConfig {
  std::string prefix;      // of names: "BTC", "BTC_USDC"
  std::string coin;        // its price path
  bool linear{false};      // settled in `settlement` at price in it; else in the coin
  std::string settlement;  // "BTC", "USDC"
  std::string index_name;  // "btc_usd"
  double perpetual_tick{0.5};
  double contract_usd{10};    // inverse futures: USD per contract; linear: coins (min amount)
  bool futures{true};         // dated futures on weekly and longer expiries
  std::uint32_t expiries{4};  // nearest day, week, month, quarter: the first so many
  std::uint32_t strikes{13};  // per expiry, each as call and put
  double option_min{0.1};     // smallest amount and lot of options, in coins
};

struct RateConfig {
  double matching_per_s{5};  // matching-engine requests
  double matching_burst{20};
  double cancel_all_per_s{5};  // their own pool
  double cancel_all_burst{20};
  double general_per_s{20};  // everything else
  double general_burst{100};
  double subscribe_per_s{3.3};  // public/private subscribe
  double subscribe_burst{30};
};

struct MakerConfig {
  std::uint32_t perpetual_levels{20};     // a side
  double perpetual_half_spread{0.00002};  // fraction of the price
  double perpetual_top_usd{60'000};       // amount at the best level, in USD
  std::uint32_t future_levels{6};
  std::uint32_t option_levels{3};
  double option_spread_vol{0.008};  // half spread in volatility (0.8 vol points)
  double option_top_coins{5};
  double requote_move{0.00003};             // move of the mark that makes a perpetual re-quote
  Nanos option_requote{milliseconds(200)};  // every option looks at its quotes this often
  double taker_per_s{4};                    // noise market orders on all instruments together
};

enum class SelfTrade : std::uint8_t { reject_taker, cancel_maker };

struct SimConfig {
  std::uint64_t seed{1};
  ExchTime start{1'790'000'000'000'000'000};  // 2026-09-21 14:13:20 UTC
  Nanos step{milliseconds(5)};                // between price steps, 1 ms to 1 s
  double walk_speed{1};                       // time of the price walk runs this many times faster
  std::vector<CoinConfig> coins{{"BTC", 100'000, 0.55, 1.0, 6.0, 0.9, 200, 0.015},
                                {"ETH", 4'000, 0.70, 1.0, 6.0, 0.85, 250, 0.02}};
  std::vector<ProductConfig> products{
      {"BTC", "BTC", false, "BTC", "btc_usd", 0.5, 10, true, 4, 13, 0.1},
      {"ETH", "ETH", false, "ETH", "eth_usd", 0.05, 1, true, 4, 13, 1},
      {"BTC_USDC", "BTC", true, "USDC", "btc_usdc", 0.5, 0.001, false, 2, 7, 0.01}};
  MakerConfig maker{};
  RateConfig rates{};
  SelfTrade self_trade{SelfTrade::reject_taker};
  bool enforce_rates{true};
  double carry{0.04};              // annual drift of dated futures over the index
  double funding_damper{0.00025};  // 0.025 %
  double funding_cap{0.005};       // of the 8 h rate
  double price_band{0.015};        // futures: max_price, min_price around the mark
  Nanos option_ticker{seconds(1)};
  Nanos perpetual_ticker{milliseconds(100)};
  Nanos index_period{seconds(1)};          // on_index cadence
  PortfolioRules portfolio{};              // margin of the coin-settled accounts, when used
  Nanos margin_period{milliseconds(100)};  // liquidation check and slice cadence
  double liquidation_slice{0.25};          // of a position, at least one lot
  Nanos averaging{seconds(1800)};          // delivery price window
  Nanos settlement_pause{seconds(3)};      // 10041 after a settlement
  Money misbooked_fee{};                   // a fault: a fill costs this more than its fee says
};

}  // namespace gimbal::sim
