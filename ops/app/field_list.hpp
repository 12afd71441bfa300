// The list of fields of a config struct, type-erased. Room: ops/app. Cold path.
//
// A config struct describes itself once, with `fields(visit, config)` (engine/core/field.hpp). Here
// that description becomes a vector of FieldRef, from which loading, validation, the effective
// config, the reference page and the reload rules are all derived. How values are written:
//   bool           true | false                      integers      42
//   double         0.25 (finite)                     Delta, Vol..  as double
//   Nanos          "250ms": a number and one of ns us ms s m h
//   Price Qty Money  "50000.5": an exact decimal string, at most 9 decimals
//   enums          one of the names of EnumNames<E>  lists         ["BTC", "ETH"]
// FieldInfo bounds are inclusive: in units of the number, in seconds for durations, in whole units
// (not nano) for decimals; for texts and lists they bound the length.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/core/field.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"
#include "ops/app/toml_file.hpp"

namespace gimbal {

// One field of one struct instance. The functions refer to that instance; it must outlive them.
struct FieldRef {
  std::string_view key;
  FieldInfo info;
  std::string type;  // for the reference page: "duration", "decimal string", "sim | test | live"
  // Stores the value; gives what is wrong with it, empty when nothing is.
  std::function<std::string(const TomlValue&)> load;
  std::function<std::string()> toml_text;  // the present value, as it is written in a file
  std::function<double()> number;          // for comparing limits; NaN when it has no order
};

namespace field {

// Each stores into `out` only when the value is right, and returns the complaint otherwise.
std::string load_bool(const TomlValue& v, bool& out);
std::string load_integer(const TomlValue& v, const FieldInfo& info, std::int64_t lowest,
                         std::uint64_t highest, std::int64_t& out);
std::string load_double(const TomlValue& v, const FieldInfo& info, double& out);
std::string load_duration(const TomlValue& v, const FieldInfo& info, Nanos& out);
std::string load_decimal(const TomlValue& v, const FieldInfo& info, std::int64_t& nano);
std::string load_text(const TomlValue& v, const FieldInfo& info, std::string& out);
std::string load_texts(const TomlValue& v, const FieldInfo& info, std::vector<std::string>& out);
std::string load_currency(const TomlValue& v, Currency& out);

std::string quoted(std::string_view text);
std::string double_text(double value);        // shortest that reads back the same
std::string duration_text(Nanos value);       // "250ms", exact
std::string decimal_text(std::int64_t nano);  // "50000.5", exact

// Exact parsers, also used outside of config: nullopt when malformed or out of range.
std::optional<Nanos> parse_duration(std::string_view text);
std::optional<std::int64_t> parse_decimal_nano(std::string_view text);

template <class T>
concept Nano = std::is_same_v<T, Price> || std::is_same_v<T, Qty> || std::is_same_v<T, Money> ||
    std::is_same_v<T, PriceOffset>;
template <class T>
concept Analytic = std::is_same_v<T, Delta> || std::is_same_v<T, Gamma> ||
    std::is_same_v<T, Vega> || std::is_same_v<T, Theta> || std::is_same_v<T, Vol>;

}  // namespace field

// The visitor that `fields` is called with.
class FieldLister {
 public:
  explicit FieldLister(std::vector<FieldRef>& out) : out_{out} {}

  template <class T>
  void operator()(std::string_view key, T& member, const FieldInfo& info = {}) {
    FieldRef ref{key, info, {}, {}, {}, [] { return std::numeric_limits<double>::quiet_NaN(); }};
    bind(ref, member);
    out_.push_back(std::move(ref));
  }

 private:
  static void bind(FieldRef& ref, bool& m) {
    ref.type = "true | false";
    ref.load = [&m](const TomlValue& v) { return field::load_bool(v, m); };
    ref.toml_text = [&m] { return std::string{m ? "true" : "false"}; };
  }

  template <class T>
  requires std::is_integral_v<T>
  static void bind(FieldRef& ref, T& m) {
    ref.type = "integer";
    ref.load = [&m, info = ref.info](const TomlValue& v) {
      std::int64_t value = 0;
      auto wrong =
          field::load_integer(v, info, static_cast<std::int64_t>(std::numeric_limits<T>::min()),
                              static_cast<std::uint64_t>(std::numeric_limits<T>::max()), value);
      if (wrong.empty()) m = static_cast<T>(value);
      return wrong;
    };
    ref.toml_text = [&m] { return std::to_string(m); };
    ref.number = [&m] { return static_cast<double>(m); };
  }

  static void bind(FieldRef& ref, double& m) {
    ref.type = "number";
    ref.load = [&m, info = ref.info](const TomlValue& v) { return field::load_double(v, info, m); };
    ref.toml_text = [&m] { return field::double_text(m); };
    ref.number = [&m] { return m; };
  }

  template <field::Analytic T>
  static void bind(FieldRef& ref, T& m) {
    bind(ref, m.value);
  }

  static void bind(FieldRef& ref, Nanos& m) {
    ref.type = "duration";
    ref.load = [&m, info = ref.info](const TomlValue& v) {
      return field::load_duration(v, info, m);
    };
    ref.toml_text = [&m] { return field::quoted(field::duration_text(m)); };
    ref.number = [&m] { return static_cast<double>(m.count); };
  }

  template <field::Nano T>
  static void bind(FieldRef& ref, T& m) {
    ref.type = "decimal string";
    ref.load = [&m, info = ref.info](const TomlValue& v) {
      return field::load_decimal(v, info, m.nano);
    };
    ref.toml_text = [&m] { return field::quoted(field::decimal_text(m.nano)); };
    ref.number = [&m] { return static_cast<double>(m.nano); };
  }

  static void bind(FieldRef& ref, std::string& m) {
    ref.type = "string";
    ref.load = [&m, info = ref.info](const TomlValue& v) { return field::load_text(v, info, m); };
    ref.toml_text = [&m] { return field::quoted(m); };
  }

  static void bind(FieldRef& ref, std::vector<std::string>& m) {
    ref.type = "list of strings";
    ref.load = [&m, info = ref.info](const TomlValue& v) { return field::load_texts(v, info, m); };
    ref.toml_text = [&m] {
      std::string text{"["};
      for (const auto& item : m) text += (text.size() > 1 ? ", " : "") + field::quoted(item);
      return text + "]";
    };
  }

  static void bind(FieldRef& ref, Currency& m) {
    ref.type = "currency";
    ref.load = [&m](const TomlValue& v) { return field::load_currency(v, m); };
    ref.toml_text = [&m] { return field::quoted(m.text()); };
  }

  template <class E>
  requires std::is_enum_v<E>
  static void bind(FieldRef& ref, E& m) {
    for (const auto& [name, value] : EnumNames<E>::all) {
      ref.type += (ref.type.empty() ? "" : " | ") + field::quoted(name);
    }
    ref.load = [&m, type = ref.type](const TomlValue& v) -> std::string {
      if (v.kind == TomlKind::string) {
        for (const auto& [name, value] : EnumNames<E>::all) {
          if (v.text != name) continue;
          m = value;
          return {};
        }
      }
      return "must be one of " + type + ", found " + v.found();
    };
    ref.toml_text = [&m] {
      for (const auto& [name, value] : EnumNames<E>::all) {
        if (m == value) return field::quoted(name);
      }
      return field::quoted("?");
    };
  }

  std::vector<FieldRef>& out_;
};

template <class Struct>
std::vector<FieldRef> list_fields(Struct& config) {
  std::vector<FieldRef> out;
  FieldLister lister{out};
  fields(lister, config);
  return out;
}

}  // namespace gimbal
