// Config text from anywhere: never a crash; a refusal has a reason; what loads prints to a text
// that loads to the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "ops/app/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  std::vector<gimbal::ConfigProblem> problems;
  const auto loaded = gimbal::parse_config(text, "fuzz.toml", problems);
  if ((loaded == nullptr) == problems.empty()) std::abort();
  if (loaded == nullptr) return 0;
  const auto first = gimbal::effective_toml(loaded->config);
  const auto again = gimbal::parse_config(first, "again.toml", problems);
  if (again == nullptr || gimbal::effective_toml(again->config) != first) std::abort();
  return 0;
}
