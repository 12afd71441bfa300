// Legs of a book as JSON, the form that the golden files and the portfolio files use:
//
//   {"t": "C", "F": 63250, "K": 65000, "T": 0.02, "iv": 0.55, "qty": -3}   option, P for a put
//   {"t": "perp", "F": 63260, "usd": -120000}                            perpetual, coin settlement
//   {"t": "fut", "F": 64000, "days": 30, "usd": 50000}                   dated future (or "T" in
//   years)
//
// With quote settlement futures and perpetuals have "coins" in place of "usd". F is the leg's own
// forward (a future's mark), T in years of 365 days, iv a fraction per sqrt(year), qty in coins.
// Amounts above 0 are long. Room: ops/risk, cold.
#pragma once

#include <string>

#include "engine/quant/book.hpp"
#include "ops/risk/json_fields.hpp"

namespace gimbal::risk {

// `fault` stays empty when all is well. `path` names the value in messages.
[[nodiscard]] std::vector<quant::Leg> read_legs(const Json& list, quant::Settlement settlement,
                                                const std::string& path, std::string& fault);
// The same with what a plan to close them needs: "cost" of one unit of the amount, in the
// settlement currency (0, or absent: the leg stays), and "lot" (0, or absent: any amount).
struct LegClosing {
  double cost{0};
  double lot{0};
};
[[nodiscard]] std::vector<quant::Leg> read_legs(const Json& list, quant::Settlement settlement,
                                                const std::string& path, std::string& fault,
                                                std::vector<LegClosing>* closing);
// "inverse" or "coin"; "linear" or "quote"; anything else is a fault.
[[nodiscard]] quant::Settlement read_settlement(const std::string& text, std::string& fault);

}  // namespace gimbal::risk
