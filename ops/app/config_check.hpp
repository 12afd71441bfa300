// Relations between config values that no single field can check. Room: ops/app. Cold path.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "ops/app/config.hpp"

namespace gimbal {

// Names one key of one table.
struct ConfigPath {
  std::string_view table;
  bool array{false};
  std::size_t index{0};
  std::string_view key;
  [[nodiscard]] std::string text() const;  // "[risk] max_order_usd", "[[venue]] 2 host"
};

// The place of the key, else of its table, else none.
TomlPlace place_of_path(const TomlValue& root, const ConfigPath& path);

using Complain = std::function<void(const ConfigPath&, const std::string&)>;
void check_config(const Config& config, const Complain& complain);
// The part of it that is about the [[strategy.*]] tables.
void check_strategies(const Config& config, const Complain& complain);

}  // namespace gimbal
