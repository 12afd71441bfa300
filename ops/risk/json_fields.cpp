#include "ops/risk/json_fields.hpp"

#include "ops/app/csv_table.hpp"

namespace gimbal::risk {

bool parse_json(std::string_view text, Json& out, std::string& fault) {
  try {
    out = Json::parse(text);
    return true;
  } catch (const Json::exception& error) {
    const std::string_view what{error.what()};
    const auto from = what.find("] ");
    fault = "is not JSON: " +
            std::string{what.substr(from == std::string_view::npos ? 0 : from + 2, 160)};
    for (char& c : fault) c = c >= ' ' && c <= '~' ? c : '?';
    return false;
  }
}

JsonFields::JsonFields(const Json& object, std::string path, std::string& fault)
    : object_{object}, path_{std::move(path)}, fault_{fault} {
  if (!object_.is_object()) refuse({}, "must be an object");
}

void JsonFields::refuse(const std::string& key, const std::string& what) {
  if (!fault_.empty()) return;
  const bool dot = !path_.empty() && !key.empty();
  const std::string place = path_ + (dot ? "." : "") + key;
  fault_ = (place.empty() ? "it" : place) + " " + what;
}

const Json* JsonFields::find(const char* key) {
  if (!good()) return nullptr;
  known_.insert(key);
  const auto at = object_.find(key);
  return at == object_.end() ? nullptr : &*at;
}

bool JsonFields::has(const char* key) const { return good() && object_.contains(key); }

const Json* JsonFields::array(const char* key) {
  const Json* v = find(key);
  if (v == nullptr) {
    refuse(key, "is missing");
  } else if (!v->is_array()) {
    refuse(key, "must be a list");
  }
  return good() ? v : nullptr;
}

double JsonFields::number(const char* key, double low, double high) {
  const Json* v = find(key);
  if (v == nullptr) {
    refuse(key, "is missing");
    return low;
  }
  if (!v->is_number()) {
    refuse(key, "must be a number");
    return low;
  }
  const double n = v->get<double>();
  if (n >= low && n <= high) return n;
  refuse(key, "must be from " + csv_number(low) + " to " + csv_number(high));
  return low;
}

double JsonFields::number_or(const char* key, double otherwise, double low, double high) {
  return has(key) ? number(key, low, high) : otherwise;
}

std::string JsonFields::text(const char* key) {
  const Json* v = find(key);
  if (v == nullptr) {
    refuse(key, "is missing");
  } else if (!v->is_string()) {
    refuse(key, "must be a text");
  }
  return good() ? v->get<std::string>() : std::string{};
}

std::string JsonFields::text_or(const char* key, std::string otherwise) {
  return has(key) ? text(key) : otherwise;
}

void JsonFields::finish() {
  if (!good()) return;
  for (const auto& [key, value] : object_.items()) {
    if (known_.count(key) == 0) return refuse({}, "has a key that is not known: " + csv_shown(key));
  }
}

}  // namespace gimbal::risk
