// A TOML document as a plain tree with positions. Room: ops/app. Cold path.
// Reading is in toml_file.cpp, the one file that knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gimbal {

enum class TomlKind : std::uint8_t { table, array, string, integer, real, boolean, other };

struct TomlPlace {
  std::uint32_t line{0};  // from 1; 0 when it has no place
  std::uint32_t column{0};
};

struct TomlMember;

struct TomlValue {
  TomlKind kind{TomlKind::table};
  TomlPlace place{};
  std::string text;  // string: its content; other: the name of its type
  std::int64_t integer{0};
  double real{0};
  bool boolean{false};
  std::vector<TomlMember> members;    // table, in the order of the file
  std::vector<TomlPlace> key_places;  // of the members, same index
  std::vector<TomlValue> items;       // array

  [[nodiscard]] const TomlValue* find(std::string_view key) const noexcept;
  // What stands there, for a message: `the string "x"`, `the integer 5`, `a table`.
  [[nodiscard]] std::string found() const;
};

struct TomlMember {
  std::string key;
  TomlValue value;
};

struct TomlProblem {
  TomlPlace place{};
  std::string text;
};

// Limits on hostile input: a config is small and flat.
inline constexpr std::size_t config_bytes_max = 1u << 20;

// Parses `text` into `root`. False with one problem when it is not TOML 1.0 (a duplicate key is
// one such error), is over config_bytes_max, or holds a NUL or non-ASCII byte.
[[nodiscard]] bool parse_toml(std::string_view text, TomlValue& root, TomlProblem& problem);

}  // namespace gimbal
