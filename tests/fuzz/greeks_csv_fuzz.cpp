// Any bytes into the table behind `gimbal greeks`: no crash, and what it accepts it can read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "ops/app/greeks_csv.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto csv = gimbal::greeks_table(text, gimbal::CsvFormat::csv);
  const auto json = gimbal::greeks_table(text, gimbal::CsvFormat::json_lines);
  if (csv.rows != json.rows || csv.usable != json.usable) std::abort();
  if (!csv.usable) return 0;
  const auto again = gimbal::greeks_table(csv.output, gimbal::CsvFormat::csv);
  if (!again.usable || again.rows != csv.rows) std::abort();
  return 0;
}
