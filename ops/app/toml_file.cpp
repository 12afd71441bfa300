// The only file that includes the TOML library.
#include "ops/app/toml_file.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#if defined(__GNUC__) && !defined(__clang__)
// The library's inlined optional access trips this check in GCC 12 at -O2.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define TOML_HEADER_ONLY 1

namespace gimbal {
// An expectation of the library about its own state that hostile text broke ("[[:x]]" does, in the
// packaged version). By default it would abort, or with NDEBUG be assumed true: here it is an
// error.
struct BrokenExpectation {};
[[noreturn]] inline void expectation_broken() { throw BrokenExpectation{}; }
}  // namespace gimbal
#undef NDEBUG
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : ::gimbal::expectation_broken())
#include <toml++/toml.h>

namespace gimbal {
namespace {

TomlPlace place_of(const toml::source_region& region) {
  return {static_cast<std::uint32_t>(region.begin.line),
          static_cast<std::uint32_t>(region.begin.column)};
}

void convert(const toml::node& node, TomlValue& out);

void convert_table(const toml::table& table, TomlValue& out) {
  out.kind = TomlKind::table;
  struct Entry {
    TomlPlace place;
    std::string key;
    const toml::node* node;
  };
  std::vector<Entry> entries;
  for (const auto& [key, value] : table) {
    entries.push_back({place_of(key.source()), std::string{key.str()}, &value});
  }
  // The library keeps keys sorted by name; messages read better in the order of the file.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair{a.place.line, a.place.column} < std::pair{b.place.line, b.place.column};
  });
  for (const auto& entry : entries) {
    out.key_places.push_back(entry.place);
    out.members.push_back({entry.key, TomlValue{}});
    convert(*entry.node, out.members.back().value);
  }
}

void convert(const toml::node& node, TomlValue& out) {
  out.place = place_of(node.source());
  if (const auto* table = node.as_table()) return convert_table(*table, out);
  if (const auto* array = node.as_array()) {
    out.kind = TomlKind::array;
    for (const auto& item : *array) convert(item, out.items.emplace_back());
    return;
  }
  if (const auto* text = node.as_string()) {
    out.kind = TomlKind::string;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = TomlKind::integer;
    out.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    out.kind = TomlKind::real;
    out.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = TomlKind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = TomlKind::other;
    out.text = "date or time";
  }
}

TomlPlace first_beyond_ascii(std::string_view text) {
  TomlPlace place{1, 1};
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return place;
    ++place.column;
    if (c == '\n') place = {place.line + 1, 1};
  }
  return {};
}

// A line whose key has more parts than any table of ours is deep, or that is endless. The library
// walks and frees nested tables by recursion: a header of 100,000 dots would exhaust the stack.
// What stands behind a # is not looked at.
constexpr std::size_t line_chars_max = 16 * 1024;
constexpr std::size_t dots_max = 16;

TomlPlace endless_key(std::string_view text) {
  TomlPlace place{0, 1};
  while (!text.empty()) {
    ++place.line;
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.size() > line_chars_max) return place;
    line = line.substr(0, line.find('#'));
    const auto key = line.substr(0, line.find('='));
    // A list of addresses may hold many dots; only braces make tables of what follows.
    const bool nests = line.substr(key.size()).find('{') != std::string_view::npos;
    const auto judged = nests ? line : key;
    if (static_cast<std::size_t>(std::count(judged.begin(), judged.end(), '.')) > dots_max) {
      return place;
    }
  }
  return {};
}

// The first table header whose name cannot start with the character that stands there.
TomlPlace odd_header(std::string_view text) {
  TomlPlace place{0, 0};
  while (!text.empty()) {
    ++place.line;
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto open = line.find_first_not_of(" \t");
    if (open == std::string_view::npos || line[open] != '[') continue;
    const auto name = line.find_first_not_of("[ \t", open);
    if (name == std::string_view::npos) continue;
    const char c = line[name];
    const bool key = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '_' || c == '-' || c == '"' || c == '\'';
    if (key) continue;
    place.column = static_cast<std::uint32_t>(name + 1);
    return place;
  }
  return {};
}

}  // namespace

const TomlValue* TomlValue::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : members) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string TomlValue::found() const {
  switch (kind) {
    case TomlKind::table: return "a table";
    case TomlKind::array: return "a list";
    case TomlKind::string:
      return "the string \"" + text.substr(0, 60) + (text.size() > 60 ? "..." : "") + "\"";
    case TomlKind::integer: return "the integer " + std::to_string(integer);
    case TomlKind::boolean: return boolean ? "the boolean true" : "the boolean false";
    case TomlKind::other: return "a " + text;
    case TomlKind::real: break;
  }
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, real).ptr;
  return "the number " + std::string(digits, end);
}

bool parse_toml(std::string_view text, TomlValue& root, TomlProblem& problem) {
  if (text.size() > config_bytes_max) {
    problem = {{},
               "the file has " + std::to_string(text.size()) + " bytes, at most " +
                   std::to_string(config_bytes_max) + " are read"};
    return false;
  }
  if (text.find('\0') != std::string_view::npos) {
    problem = {{}, "the file holds a NUL byte: not a text file"};
    return false;
  }
  // The library's tables of other characters reach undefined behaviour on some of them.
  if (const TomlPlace odd = first_beyond_ascii(text); odd.line != 0) {
    problem = {odd, "config files are ASCII, comments included; this character is not"};
    return false;
  }
  if (const TomlPlace odd = endless_key(text); odd.line != 0) {
    problem = {odd, "a line of at most " + std::to_string(line_chars_max) +
                        " characters with at most " + std::to_string(dots_max) +
                        " dots in a key is read; this one has more"};
    return false;
  }
  try {
    const toml::table document = toml::parse(text);
    root = TomlValue{};
    convert_table(document, root);
    root.place = {1, 1};
    return true;
  } catch (const toml::parse_error& error) {
    problem = {place_of(error.source()), std::string{error.description()}};
  } catch (const BrokenExpectation&) {
    problem = {odd_header(text),
               "this is not TOML: a table header needs a name of letters, digits, _ and -"};
  }
  return false;
}

}  // namespace gimbal
