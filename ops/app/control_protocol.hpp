// The text of control requests: parsing, without sockets. Room: ops/app. Cold path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/modes.hpp"

namespace gimbal {

inline constexpr std::size_t control_line_max = 4096;  // bytes, newline excluded
inline constexpr std::size_t control_arguments_max = 16;

enum class ControlVerb : std::uint8_t {
  ping,
  status,
  watch,
  positions,
  orders,
  latency,
  kill,
  ack,
  arm,
  reload,
  flatten,
  stress
};
inline constexpr std::size_t control_verbs = 12;
[[nodiscard]] std::string_view name_of(ControlVerb verb) noexcept;

using ControlArgument = std::pair<std::string, std::string>;
struct ControlRequest {
  ControlVerb verb{ControlVerb::ping};
  std::vector<ControlArgument> arguments;
  // nullptr when not given.
  [[nodiscard]] const std::string* find(std::string_view key) const noexcept;
};

// Accepts printable ASCII only; unknown verbs, unknown or repeated keys, nested JSON and
// anything after the request are refused. nullopt with `error` set.
[[nodiscard]] std::optional<ControlRequest> parse_request(std::string_view line,
                                                          std::string& error);

struct ScopeText {
  ScopeLevel level{ScopeLevel::global};
  std::string name;  // empty for global
};
// "global", or "account:NAME" (venue, account, strategy, underlying, instrument; NAME may be the
// number).
[[nodiscard]] std::optional<ScopeText> parse_scope(std::string_view text);
// "reduce" "halt" "cancel" "lock": the modes a kill may ask for.
[[nodiscard]] std::optional<Mode> parse_kill_mode(std::string_view text);
[[nodiscard]] std::string_view name_of(Mode mode) noexcept;
[[nodiscard]] std::string_view name_of(ScopeLevel level) noexcept;

// A request as one line of text, newline included.
[[nodiscard]] std::string format_request(const ControlRequest& request);

}  // namespace gimbal
