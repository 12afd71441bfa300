// Every table of a config file, one entry each: to add one, add its struct to Config and a line
// here.
#include <vector>

#include "engine/core/ids.hpp"
#include "engine/core/risk/envelope.hpp"
#include "ops/app/config_fields.hpp"

namespace gimbal {
namespace {

template <class Member>
TableShape single(std::string_view path, std::string_view doc, Member CoreConfig::*member) {
  return {path,
          false,
          1,
          1,
          doc,
          [](Config&) { return std::size_t{1}; },
          [member](Config& c, std::size_t) { return list_fields(c.*member); }};
}

template <class Member>
TableShape single(std::string_view path, std::string_view doc, Member Config::*member) {
  return {path,
          false,
          1,
          1,
          doc,
          [](Config&) { return std::size_t{1}; },
          [member](Config& c, std::size_t) { return list_fields(c.*member); }};
}

// `items` finds the list in a config.
template <class Items>
TableShape list(std::string_view path, std::string_view doc, Items items, std::size_t count_min,
                std::size_t count_max) {
  return {path,
          true,
          count_min,
          count_max,
          doc,
          [items](Config& c) { return items(c).size(); },
          [items](Config& c, std::size_t index) {
            auto& found = items(c);
            if (found.size() <= index) found.resize(index + 1);
            return list_fields(found[index]);
          }};
}

// One [[strategy.*]] table for each strategy of the registry.
template <class... S>
void add_strategies(std::vector<TableShape>& shapes, StrategyList<S...>) {
  (shapes.push_back(list(
       S::table, S::doc, [](Config & c) -> auto& { return c.strategy.of<S>(); }, 0,
       S::configs_max)),
   ...);
}

std::vector<TableShape> make_shapes() {
  std::vector<TableShape> shapes{
      single("engine", "The core's own times and capacities.", &CoreConfig::engine),
      single("risk", "Limits of the risk gate. Money limits have no default.", &CoreConfig::risk),
      single("quality", "When market data and clocks are not to be trusted.", &CoreConfig::quality),
      single("budget", "How long a tick may take on its way to an order; off by default.",
             &CoreConfig::budget),
      single("scenarios", "Price and volatility moves that the account is held against.",
             &CoreConfig::scenarios),
      single("portfolio", "When what the venue says of options is too old to price them by.",
             &CoreConfig::portfolio),
      list(
          "venue", "One account session at a venue; the order in the file numbers them.",
          [](Config & c) -> auto& { return c.venues; }, 1, venues_max),
      list(
          "underlying", "A coin whose instruments are subscribed at one account, and its hedge.",
          [](Config & c) -> auto& { return c.underlyings; }, 1, underlyings_max),
  };
  add_strategies(shapes, Strategies{});
  shapes.push_back(
      single("surface", "The bot's own volatility surface; off by default.", &Config::surface));
  shapes.push_back(
      single("runtime", "Threads, files and memory of the process.", &Config::runtime));
  shapes.push_back(
      single("journal", "What is kept besides the events, and for how long.", &Config::journal));
  shapes.push_back(
      single("guardian", "gimbal-guardian, and how the bot judges it.", &Config::guardian));
  shapes.push_back(list(
      "module", "A risk module of a third party: its envelopes tighten the gate.",
      [](Config & c) -> auto& { return c.modules; }, 0, risk_modules_max));
  shapes.push_back(
      single("alerts", "What happens to an alert that nobody acknowledges.", &Config::alerts));
  shapes.push_back(single("health", "Limits of the health checks.", &Config::health));
  shapes.push_back(
      single("metrics", "Prometheus text endpoint of the cold thread.", &Config::metrics));
  shapes.push_back(single("log", "What is written for people.", &Config::log));
  return shapes;
}

}  // namespace

const std::vector<TableShape>& table_shapes() {
  static const std::vector<TableShape> shapes = make_shapes();
  return shapes;
}

}  // namespace gimbal
