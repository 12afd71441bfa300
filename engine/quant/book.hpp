// A book of options, futures and perpetuals of one account and settlement, and what a shock does to
// it by full repricing.
//
// Room: engine/quant, cold. Floating point throughout: analytics, never order amounts. Sources:
// Black (1976); cash flows of inverse contracts as in ops/docs/risk.md.
//
// Units: forwards and strikes in quote currency per coin; years of 365 days; sigma a fraction per
// sqrt(year). `coin` settlement (inverse): amounts of options in coins, of futures in USD; values,
// profits and equity in coins. `quote` settlement (linear): all amounts in coins; values, profits
// and equity in the quote currency.
#pragma once

#include <vector>

#include "engine/core/instrument.hpp"

namespace gimbal::quant {

enum class Settlement : unsigned char { coin, quote };
enum class LegKind : unsigned char { option, future };

struct Leg {
  LegKind kind{LegKind::option};
  OptionType type{OptionType::none};  // options only
  double forward{0};                  // of the leg's own expiry; a future's or perpetual's mark
  double strike{0};
  double years{0};  // to expiry; 0 for a perpetual
  double sigma{0};
  double amount{0};  // signed: above 0 is long
};

struct Book {
  Settlement settlement{Settlement::coin};
  double index{0};   // spot index of the coin, in quote
  double equity{0};  // of the account, option marks and unrealised profit included
  std::vector<Leg> legs;
};

// Every forward and the index become (1 + move) times what they are, every sigma (1 + vol) times,
// and `years` pass.
struct Shock {
  double move{0};   // above -1
  double vol{0};    // at least -1
  double years{0};  // at least 0
};

// The leg after the shock. Expired legs keep their terms with years at or below 0: an option is
// then at its intrinsic value.
[[nodiscard]] Leg shifted(const Leg& leg, const Shock& shock) noexcept;
[[nodiscard]] Book shifted(const Book& book, const Shock& shock);

// Worth of one coin's option, and of an option leg: in the settlement currency.
[[nodiscard]] double unit_value(const Leg& option, Settlement s) noexcept;
// Profit of the leg when it becomes `after`, which differs in forward, sigma and years only.
[[nodiscard]] double profit(const Leg& before, const Leg& after, Settlement s) noexcept;
[[nodiscard]] double profit(const Book& book, const Shock& shock) noexcept;

// Delta in coins: F d(value)/dF in coins for coin settlement (premium-adjusted: what a coin account
// hedges), dV/dF for quote settlement. Gamma is its slope in the forward. Vega is per 1.00 of sigma
// and theta per year, both in the settlement currency.
struct LegGreeks {
  double delta{0}, gamma{0}, vega{0}, theta{0};
};
[[nodiscard]] LegGreeks greeks(const Leg& leg, Settlement s) noexcept;
[[nodiscard]] LegGreeks greeks(const Book& book) noexcept;

}  // namespace gimbal::quant
