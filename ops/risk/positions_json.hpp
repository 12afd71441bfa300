// The answer of `gimbalctl positions --json` as a portfolio. Room: ops/risk, cold.
#pragma once

#include <string>
#include <string_view>

#include "ops/risk/json_fields.hpp"
#include "ops/risk/portfolio_file.hpp"

namespace gimbal::risk {

// A Deribit instrument name taken apart.
struct InstrumentName {
  std::string coin;
  bool linear{false};
  quant::LegKind kind{quant::LegKind::future};
  OptionType type{OptionType::none};
  bool perpetual{false};
  std::int64_t expiry_unix_seconds{0};  // 08:00 UTC; 0 for a perpetual
  double strike{0};
};
// BTC-PERPETUAL, BTC-25DEC26, BTC-25DEC26-60000-C, BTC_USDC-25DEC26-60000-P,
// XRP_USDC-25DEC26-0d55-C. False for anything else (combinations, spot).
[[nodiscard]] bool parse_instrument_name(std::string_view name, InstrumentName& out);

// One account per underlying and settlement. A future's forward is its mark, an option's the mark
// of the future of its expiry if one is held, else the index (noted); its volatility is the one its
// mark implies.
void read_positions(const Json& answer, const PortfolioOptions& options, StressInput& out,
                    std::string& fault);

}  // namespace gimbal::risk
