// Control lines from anywhere: never a crash; what parses, formats to a line that parses the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ops/app/control_protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  std::string error;
  const auto request = gimbal::parse_request(line, error);
  if (request.has_value() != error.empty()) std::abort();
  (void)gimbal::parse_scope(line);
  (void)gimbal::parse_kill_mode(line);
  if (!request) return 0;
  auto text = gimbal::format_request(*request);
  text.pop_back();
  if (text.size() > gimbal::control_line_max) return 0;
  const auto again = gimbal::parse_request(text, error);
  if (!again || again->verb != request->verb || again->arguments != request->arguments)
    std::abort();
  return 0;
}
