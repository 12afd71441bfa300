// Strict reading of JSON objects: every key known and in range, the first fault named with its path
// (`legs[2].K must be ...`). Room: ops/risk, cold.
#pragma once

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>

namespace gimbal::risk {

using Json = nlohmann::json;

// False with the parser's message, which names the place, when the text is not JSON.
bool parse_json(std::string_view text, Json& out, std::string& fault);

// The first fault stays in `fault`; after it every read gives a harmless value.
class JsonFields {
 public:
  JsonFields(const Json& object, std::string path, std::string& fault);

  double number(const char* key, double low, double high);  // required, low <= v <= high
  double number_or(const char* key, double otherwise, double low, double high);
  std::string text(const char* key);
  std::string text_or(const char* key, std::string otherwise);
  // The raw value, null when absent; counts as known.
  const Json* find(const char* key);
  const Json* array(const char* key);  // required
  [[nodiscard]] bool has(const char* key) const;
  // Every key was asked for; otherwise the fault names one that was not.
  void finish();
  void refuse(const std::string& key, const std::string& what);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool good() const { return fault_.empty(); }

 private:
  const Json& object_;
  std::string path_;
  std::string& fault_;
  std::set<std::string> known_;
};

}  // namespace gimbal::risk
