// The table behind `gimbal iv --surface`: a chain of option quotes in, one row per expiry out (or,
// with `each`, the chain's rows with the volatility of the surface).
//
// Room: ops/app, cold. Three forms, told apart by the header: own columns (type, F, K, T), a chain
// snapshot (instrument_name, futures_price, time_to_maturity ...) and recorded tickers
// (instrument_name, underlying_price, timestamp, mark_iv ...); `gimbal iv --help` lists them. A
// file may hold several underlyings. Of a strike the option out of the money is used, of an option
// its last row.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/quant/surface/slice_fit.hpp"
#include "engine/quant/surface/vol_surface.hpp"
#include "ops/app/csv_table.hpp"

namespace gimbal {

struct SurfaceRequest {
  CsvFormat format{CsvFormat::csv};
  bool each{false};  // the chain's rows, not the expiries
  quant::SurfaceLimits limits{};
  double flat{0};               // with `each`: where surface and file have none; 0: nothing
  std::string_view previous{};  // what an earlier call printed as CSV; empty: none
  double previous_age_s{0};
  double age_max_s{0};  // a curve of `previous` is kept, and answers, up to this age
};

// The same fit as numbers: every expiry of every underlying, by name and rising time.
struct SurfaceExpiry {
  std::string underlying{};  // empty where the file does not name it
  std::string name{};
  double years{0};
  double forward{0};
  bool from_book{false};  // else from marks
  std::vector<quant::VolQuote> quotes{};
  quant::SurfaceSlice slice{};
};
// `out` gets the problems; its `usable` says whether there is anything.
[[nodiscard]] std::vector<SurfaceExpiry> surface_expiries(std::string_view input,
                                                          const SurfaceRequest& request,
                                                          CsvOutcome& out);

[[nodiscard]] CsvOutcome surface_table(std::string_view input, const SurfaceRequest& request);

}  // namespace gimbal
