// The names of scopes, as a file in the runtime directory: the bot writes it at start and when the
// names change, gimbalctl reads it, so that a kill by name reaches the stop page without a round
// trip. Room: ops/app, ops/ctl. Cold path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/modes.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

struct ScopeName {
  Scope scope{};
  std::string name;  // "deribit-main", "BTC", "BTC-PERPETUAL"; no spaces
};

inline constexpr std::string_view scope_names_file = "scopes";
inline constexpr std::string_view stop_page_file = "stop";
inline constexpr std::string_view gate_page_file = "gate";
inline constexpr std::string_view control_socket_file = "control.sock";
inline constexpr std::string_view sentinel_file = "halt";  // HALT while it exists

// Replaces runtime_dir/scopes in one step.
Outcome write_scope_names(const std::string& runtime_dir, const std::vector<ScopeName>& names);

// What the file says; empty when it cannot be read.
[[nodiscard]] std::vector<ScopeName> read_scope_names(const std::string& runtime_dir);
// The name of a scope, empty when it has none here; and the number of a name, 0xFFFF when it has
// none (latch_id_unknown).
[[nodiscard]] std::string name_in(const std::vector<ScopeName>& names, Scope scope);
[[nodiscard]] std::uint16_t number_in(const std::vector<ScopeName>& names, ScopeLevel level,
                                      std::string_view name);

enum class ScopeLookup : std::uint8_t { found, no_file, unknown };
// `text` is "global", "account:NAME" or "account:NUMBER" (numbers need no file).
ScopeLookup find_scope(const std::string& runtime_dir, std::string_view text, Scope& out);

}  // namespace gimbal
