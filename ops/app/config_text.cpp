// What a config says, written out: the effective file, JSON, the reference page, and a reload's
// differences.
#include <cmath>
#include <memory>

#include "ops/app/config.hpp"
#include "ops/app/config_fields.hpp"

namespace gimbal {
namespace {

// Field lists bind to members that may be written; printing works on a copy.
std::unique_ptr<Config> copy_of(const Config& config) { return std::make_unique<Config>(config); }

std::string header(const TableShape& shape) {
  const std::string path{shape.path};
  return shape.array ? "[[" + path + "]]" : "[" + path + "]";
}

std::string range_text(const FieldInfo& info) {
  const bool low = std::isfinite(info.min);
  const bool high = std::isfinite(info.max);
  if (low && high) return field::double_text(info.min) + " .. " + field::double_text(info.max);
  if (low) return ">= " + field::double_text(info.min);
  return high ? "<= " + field::double_text(info.max) : "";
}

std::string_view reload_text(Reload reload) {
  switch (reload) {
    case Reload::fixed: return "restart";
    case Reload::tighten_lower: return "lower live, higher in HALT";
    case Reload::tighten_higher: return "higher live, lower in HALT";
    case Reload::live: return "live";
  }
  return "restart";
}

// A table cell may not end early.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string{"\\|"} : std::string{c};
  return out;
}

std::string change_refused(const FieldRef& before, const FieldRef& after, bool halted,
                           bool& tightens) {
  if (before.info.reload == Reload::live) return {};
  if (before.info.reload == Reload::fixed) return "needs a restart";
  const double old_value = before.number();
  const double new_value = after.number();
  tightens =
      before.info.reload == Reload::tighten_lower ? new_value < old_value : new_value > old_value;
  // A limit that zero switches off: off is the loosest value, not the tightest.
  if (before.info.zero_is_off && (old_value == 0 || new_value == 0)) tightens = old_value == 0;
  if (tightens || halted) return {};
  return "loosens a limit, which is accepted in HALT only";
}

}  // namespace

std::string effective_toml(const Config& config) {
  const auto copy = copy_of(config);
  std::string out;
  for (const auto& shape : table_shapes()) {
    for (std::size_t i = 0; i < shape.count(*copy); ++i) {
      out += (out.empty() ? "" : "\n") + header(shape) + "\n";
      for (const auto& f : shape.open(*copy, i))
        out += std::string{f.key} + " = " + f.toml_text() + "\n";
    }
  }
  return out;
}

std::string effective_json(const LoadedConfig& loaded) {
  const auto copy = copy_of(loaded.config);
  std::string out =
      "{\"file\":" + field::quoted(loaded.path) + ",\"config_hash\":\"" + loaded.hash_hex() + "\"";
  for (const auto& shape : table_shapes()) {
    const std::size_t count = shape.count(*copy);
    out += ",\"" + std::string{shape.path} + "\":";
    if (shape.array) out += "[";
    for (std::size_t i = 0; i < count; ++i) {
      out += i == 0 ? "{" : ",{";
      bool first = true;
      for (const auto& f : shape.open(*copy, i)) {
        out += (first ? "\"" : ",\"") + std::string{f.key} + "\":" + f.toml_text();
        first = false;
      }
      out += "}";
    }
    if (shape.array) out += "]";
  }
  return out + "}";
}

std::string config_reference() {
  std::string out =
      "# Config reference\n\n"
      "Written by `gimbal check --reference`; do not edit. A file is checked as a whole: every "
      "unknown, missing\n"
      "or wrong key is reported at once with file:line:column.\n\n"
      "- duration: a string with a unit, `\"250ms\"` (ns, us, ms, s, m, h); ranges are in "
      "seconds.\n"
      "- decimal string: an exact decimal in quotes, `\"50000.5\"`, at most 9 decimals.\n"
      "- string and list ranges bound the length.\n"
      "- reload: what `gimbalctl reload` may change in a running bot.\n";
  Config defaults;
  for (const auto& shape : table_shapes()) {
    out += "\n## " + header(shape) + "\n\n" + std::string{shape.doc};
    out +=
        "\n\n| key | type | default | range | unit | reload | meaning "
        "|\n|---|---|---|---|---|---|---|\n";
    for (const auto& f : shape.open(defaults, 0)) {
      out += "| `" + std::string{f.key} + "` | " + cell(f.type) + " | ";
      out += f.info.required ? "**required**" : "`" + cell(f.toml_text()) + "`";
      // A choice has no range.
      const bool choice = f.type.find('|') != std::string::npos;
      out += " | " + (choice ? "" : range_text(f.info)) + " | " + std::string{f.info.unit} + " | ";
      out += std::string{reload_text(f.info.reload)} + " | " + cell(f.info.doc) + " |\n";
    }
  }
  return out;
}

std::vector<std::string> config_keys() {
  std::vector<std::string> keys;
  Config defaults;
  for (const auto& shape : table_shapes()) {
    for (const auto& f : shape.open(defaults, 0))
      keys.push_back(header(shape) + " " + std::string{f.key});
  }
  return keys;
}

std::vector<ConfigChangeLine> compare_configs(const Config& before, const Config& after,
                                              bool halted) {
  std::vector<ConfigChangeLine> changes;
  const auto old_copy = copy_of(before);
  const auto new_copy = copy_of(after);
  for (const auto& shape : table_shapes()) {
    const std::size_t old_count = shape.count(*old_copy);
    const std::size_t new_count = shape.count(*new_copy);
    if (old_count != new_count) {
      changes.push_back({header(shape), std::to_string(old_count) + " tables",
                         std::to_string(new_count) + " tables", false, "needs a restart"});
      continue;
    }
    for (std::size_t i = 0; i < old_count; ++i) {
      const auto old_fields = shape.open(*old_copy, i);
      const auto new_fields = shape.open(*new_copy, i);
      for (std::size_t f = 0; f < old_fields.size(); ++f) {
        ConfigChangeLine line{header(shape) + " " + std::string{old_fields[f].key},
                              old_fields[f].toml_text(),
                              new_fields[f].toml_text(),
                              false,
                              {}};
        if (line.before == line.after) continue;
        line.refused = change_refused(old_fields[f], new_fields[f], halted, line.tightens);
        changes.push_back(std::move(line));
      }
    }
  }
  return changes;
}

}  // namespace gimbal
