#include "ops/risk/book_json.hpp"

#include "ops/app/csv_table.hpp"

namespace gimbal::risk {

namespace {

constexpr double price_min = 1e-12;
constexpr double price_max = 1e12;
constexpr double years_max = 100;
constexpr double sigma_max = 100;
constexpr double amount_max = 1e15;

quant::Leg read_option(JsonFields& f, bool call) {
  quant::Leg leg;
  leg.kind = quant::LegKind::option;
  leg.type = call ? OptionType::call : OptionType::put;
  leg.strike = f.number("K", price_min, price_max);
  leg.years = f.number("T", 0, years_max);
  leg.sigma = f.number("iv", 0, sigma_max);
  leg.amount = f.number("qty", -amount_max, amount_max);
  return leg;
}

quant::Leg read_future(JsonFields& f, bool dated, quant::Settlement settlement) {
  quant::Leg leg;
  leg.kind = quant::LegKind::future;
  const char* unit = settlement == quant::Settlement::coin ? "usd" : "coins";
  leg.amount = f.number(unit, -amount_max, amount_max);
  if (dated) {
    leg.years =
        f.has("T") ? f.number("T", 0, years_max) : f.number("days", 0, years_max * 365) / 365.0;
  }
  return leg;
}

}  // namespace

std::vector<quant::Leg> read_legs(const Json& list, quant::Settlement settlement,
                                  const std::string& path, std::string& fault) {
  return read_legs(list, settlement, path, fault, nullptr);
}

std::vector<quant::Leg> read_legs(const Json& list, quant::Settlement settlement,
                                  const std::string& path, std::string& fault,
                                  std::vector<LegClosing>* closing) {
  std::vector<quant::Leg> legs;
  if (!list.is_array()) {
    fault = path + " must be a list";
    return legs;
  }
  for (std::size_t i = 0; i < list.size() && fault.empty(); ++i) {
    JsonFields f{list[i], path + "[" + std::to_string(i) + "]", fault};
    const std::string type = f.text("t");
    quant::Leg leg;
    if (type == "C" || type == "P") {
      leg = read_option(f, type == "C");
    } else if (type == "perp" || type == "fut") {
      leg = read_future(f, type == "fut", settlement);
    } else {
      f.refuse("t", "must be C, P, perp or fut, not " + csv_shown(type));
    }
    leg.forward = f.number("F", price_min, price_max);
    f.text_or("name", {});
    if (closing != nullptr) {
      const double cost = f.number_or("cost", 0, 0, price_max);
      closing->push_back({cost, f.number_or("lot", 0, 0, amount_max)});
    }
    f.finish();
    legs.push_back(leg);
  }
  return legs;
}

quant::Settlement read_settlement(const std::string& text, std::string& fault) {
  const std::string s = csv_lower(text);
  if (s == "linear" || s == "quote") return quant::Settlement::quote;
  if (s != "inverse" && s != "coin" && !s.empty() && fault.empty()) {
    fault = csv_shown(text) + " is neither linear nor inverse";
  }
  return quant::Settlement::coin;
}

}  // namespace gimbal::risk
