// Every table of a config file, one entry each: to add one, add its struct to Config and a line here.
#include <memory>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "ops/app/config_fields.hpp"

namespace gimbal {
namespace {

template <class Member>
TableShape single(std::string_view path, std::string_view doc, Member CoreConfig::*member) {
  return {path, false, false, 1, 1, doc, [](const Config&) { return std::size_t{1}; },
          [member](Config& c, std::size_t) { return list_fields(c.*member); }};
}

template <class Member>
TableShape single(std::string_view path, std::string_view doc, Member Config::*member) {
  return {path, false, false, 1, 1, doc, [](const Config&) { return std::size_t{1}; },
          [member](Config& c, std::size_t) { return list_fields(c.*member); }};
}

template <class Item>
TableShape list(std::string_view path, std::string_view doc, std::vector<Item> Config::*member,
                std::size_t count_min, std::size_t count_max) {
  return {path, true, false, count_min, count_max, doc,
          [member](const Config& c) { return (c.*member).size(); },
          [member](Config& c, std::size_t index) {
            auto& items = c.*member;
            if (items.size() <= index) items.resize(index + 1);
            return list_fields(items[index]);
          }};
}

}  // namespace

const std::vector<TableShape>& table_shapes() {
  static const std::vector<TableShape> shapes{
      single("risk", "Limits of the risk gate. Money limits have no default.", &CoreConfig::risk),
      list("venue", "One account session at a venue; the order in the file numbers them.", &Config::venues, 1,
           venues_max),
      list("underlying", "A coin whose instruments are subscribed at one account, and its hedge.",
           &Config::underlyings, 1, underlyings_max),
      single("runtime", "Threads, files and memory of the process.", &Config::runtime),
      single("log", "What is written for people.", &Config::log),
  };
  return shapes;
}

}  // namespace gimbal
