// [[module]]: risk modules of third parties, each a process of its own (ops/docs/risk-modules.md).
// Room: ops/app.
#pragma once

#include <string>

#include "engine/core/field.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

struct ModuleConfig {
  std::string name;
  Nanos ttl{seconds(1)};
  bool required{true};
  std::string directory;  // empty: runtime_dir/module-NAME
};

template <class Visitor>
void fields(Visitor& visit, ModuleConfig& c) {
  visit("name", c.name,
        FieldInfo{.min = 1, .max = 32, .required = true, .doc = "Name of the module; unique."});
  visit("ttl", c.ttl,
        FieldInfo{.min = 0.05,
                  .max = 60,
                  .required = true,
                  .doc = "The longest time to live of an envelope that is believed; growth is "
                         "denied once the newest is older."});
  visit("required", c.required,
        FieldInfo{.required = true,
                  .doc = "true: growth is denied until it speaks; false: from its first envelope "
                         "on it is held to its ttl."});
  visit("directory", c.directory,
        FieldInfo{.max = 4096,
                  .doc = "Where its files events and envelope are; empty: runtime_dir/module-NAME. "
                         "Closed to others; a group of its own may enter."});
}

}  // namespace gimbal
