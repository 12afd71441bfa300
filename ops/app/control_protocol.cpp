#include "ops/app/control_protocol.hpp"

#include <algorithm>
#include <array>

namespace gimbal {
namespace {

constexpr std::array<std::string_view, control_verbs> verb_names{
    "ping", "status", "watch", "positions", "orders",  "latency",
    "kill", "ack",    "arm",   "reload",    "flatten", "stress"};
constexpr std::array<std::string_view, 5> mode_names{"active", "reduce", "halt", "cancel", "lock"};
constexpr std::array<std::string_view, scope_levels> level_names{
    "global", "venue", "account", "strategy", "underlying", "instrument"};
// Keys that some verb takes; a request with any other key is refused as a whole.
constexpr std::array<std::string_view, 12> known_keys{"scope", "mode",        "reason", "wait_ms",
                                                      "yes",   "config_hash", "id",     "options",
                                                      "token", "hedge_only",  "stop",   "max_loss"};

bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }
bool is_word(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// One pass over a line; every reader returns false with `error` set.
class Reader {
 public:
  Reader(std::string_view line, std::string& error) : rest_{line}, error_{error} {}

  bool plain(ControlRequest& out) {
    skip();
    std::string verb;
    if (!word(verb) || !set_verb(verb, out)) return false;
    for (skip(); !rest_.empty(); skip()) {
      std::string key;
      std::string value;
      if (!word(key)) return false;
      if (!take('=')) return fail("key \"" + key + "\" has no =value");
      if (!(next_is('"') ? quoted(value) : bare(value)) || !add(key, value, out)) return false;
      if (!rest_.empty() && !is_space(rest_.front()))
        return fail("a space is missing after key \"" + key + "\"");
    }
    return true;
  }

  bool json(ControlRequest& out) {
    bool verb_seen = false;
    skip();
    (void)take('{');
    skip();
    while (!take('}')) {
      std::string key;
      std::string value;
      if (!next_is('"') || !quoted(key)) return fail("JSON: a key in quotes is expected");
      skip();
      if (!take(':')) return fail("JSON: a colon is missing after \"" + printable(key) + "\"");
      skip();
      if (!(next_is('"') ? quoted(value) : scalar(value))) return false;
      if (key == "verb") {
        if (verb_seen) return fail("JSON: verb is given twice");
        verb_seen = true;
        if (!set_verb(value, out)) return false;
      } else if (!add(key, value, out)) {
        return false;
      }
      skip();
      if (take(',')) {
        skip();
        if (next_is('}')) return fail("JSON: a key is expected after the comma");
      } else if (!next_is('}')) {
        return fail("JSON: a comma or } is expected");
      }
    }
    skip();
    if (!rest_.empty()) return fail("JSON: text after the object");
    return verb_seen || fail("JSON: verb is missing");
  }

 private:
  bool fail(std::string text) {
    if (error_.empty()) error_ = std::move(text);
    return false;
  }
  static std::string printable(std::string_view text) { return std::string{text.substr(0, 40)}; }
  void skip() noexcept {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }
  bool take(char c) noexcept {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool word(std::string& out) {
    while (!rest_.empty() && is_word(rest_.front())) {
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return !out.empty() || fail("a word of a-z, 0-9 and _ is expected");
  }
  bool bare(std::string& out) {
    while (!rest_.empty() && !is_space(rest_.front())) {
      if (rest_.front() == '"' || rest_.front() == '\\') return fail("a quote inside a bare value");
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return !out.empty() || fail("an empty value needs quotes");
  }
  bool scalar(std::string& out) {
    while (!rest_.empty() && !is_space(rest_.front()) && rest_.front() != ',' &&
           rest_.front() != '}') {
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    const bool number =
        !out.empty() && out.size() <= 20 &&
        std::all_of(out.begin(), out.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (number || out == "true" || out == "false") return true;
    return fail("JSON: values are strings, whole numbers, true or false; nothing is nested");
  }
  bool quoted(std::string& out) {
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (!next_is('"') && !next_is('\\') && !next_is('/')) {
        return fail("only \\\" \\\\ and \\/ are read after a backslash");
      }
      out += rest_.front();
      rest_.remove_prefix(1);
    }
    return fail("a closing quote is missing");
  }

  bool set_verb(std::string_view verb, ControlRequest& out) {
    const auto at = std::find(verb_names.begin(), verb_names.end(), verb);
    if (at == verb_names.end()) return fail("unknown verb \"" + printable(verb) + "\"");
    out.verb = static_cast<ControlVerb>(at - verb_names.begin());
    return true;
  }
  bool add(const std::string& key, std::string& value, ControlRequest& out) {
    if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
      return fail("unknown key \"" + printable(key) + "\"");
    }
    if (out.find(key) != nullptr) return fail("key \"" + key + "\" is given twice");
    if (out.arguments.size() == control_arguments_max) return fail("too many keys");
    out.arguments.emplace_back(key, std::move(value));
    return true;
  }

  std::string_view rest_;
  std::string& error_;
};

bool is_text(std::string_view line) {
  return std::all_of(line.begin(), line.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte < 0x7f) || c == '\t';
  });
}

}  // namespace

std::string_view name_of(ControlVerb verb) noexcept {
  return verb_names[static_cast<std::size_t>(verb)];
}
std::string_view name_of(Mode mode) noexcept {
  const auto index = static_cast<std::size_t>(mode);
  return index < mode_names.size() ? mode_names[index] : "lock";
}
std::string_view name_of(ScopeLevel level) noexcept {
  const auto index = static_cast<std::size_t>(level);
  return index < level_names.size() ? level_names[index] : "global";
}

const std::string* ControlRequest::find(std::string_view key) const noexcept {
  for (const auto& [name, value] : arguments) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::optional<ControlRequest> parse_request(std::string_view line, std::string& error) {
  error.clear();
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.size() > control_line_max) {
    error = "the line is over " + std::to_string(control_line_max) + " bytes";
    return std::nullopt;
  }
  if (!is_text(line)) {
    error = "the line holds control or non-ASCII characters";
    return std::nullopt;
  }
  ControlRequest request;
  Reader reader{line, error};
  const auto first = line.find_first_not_of(" \t");
  const bool is_json = first != std::string_view::npos && line[first] == '{';
  if (!(is_json ? reader.json(request) : reader.plain(request))) return std::nullopt;
  return request;
}

std::optional<ScopeText> parse_scope(std::string_view text) {
  if (text == "global") return ScopeText{};
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto level = std::find(level_names.begin() + 1, level_names.end(), text.substr(0, colon));
  const auto name = text.substr(colon + 1);
  if (level == level_names.end() || name.empty() || name.size() > 64) return std::nullopt;
  return ScopeText{static_cast<ScopeLevel>(level - level_names.begin()), std::string{name}};
}

std::optional<Mode> parse_kill_mode(std::string_view text) {
  const auto mode = std::find(mode_names.begin() + 1, mode_names.end(), text);
  if (mode == mode_names.end()) return std::nullopt;
  return static_cast<Mode>(mode - mode_names.begin());
}

std::string format_request(const ControlRequest& request) {
  std::string line{name_of(request.verb)};
  for (const auto& [key, value] : request.arguments) {
    line += " " + key + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') line += '\\';
      line += c;
    }
    line += '"';
  }
  return line + "\n";
}

}  // namespace gimbal
