// The JSON form of a stress report. Numbers that do not exist are null.
#include <cmath>

#include "ops/risk/json_fields.hpp"
#include "ops/risk/stress_report.hpp"

namespace gimbal::risk {

namespace {

using Out = nlohmann::ordered_json;

Out finite(double v) { return std::isfinite(v) ? Out(v) : Out(nullptr); }

Out node_json(const quant::Node& n, const quant::Portfolio& p) {
  Out shocks = Out::object();
  for (std::size_t i = 0; i < p.underlyings.size(); ++i) {
    const quant::Shock& s = n.shocks[i];
    shocks[p.underlyings[i].name] = {{"move", s.move}, {"vol", s.vol}, {"days", s.years * 365}};
  }
  return {{"shocks", shocks},
          {"profit_usd", finite(n.profit)},
          {"delta_usd", finite(n.delta_usd)},
          {"maintenance_usd", finite(n.maintenance)},
          {"health", std::isinf(n.health) ? Out("inf") : finite(n.health)}};
}

Out side_json(const quant::LiquidationSide& s) {
  return {{"exists", s.exists},
          {"move", s.exists ? Out(s.move) : Out(nullptr)},
          {"percent", finite(s.percent)},
          {"sigmas", finite(s.sigmas)},
          {"probability", finite(s.probability)}};
}

Out account_json(const quant::AccountState& a) {
  Out out{{"name", a.name}, {"has_margin", a.has_margin}, {"equity", finite(a.margin.equity)}};
  out["initial"] = finite(a.margin.initial);
  out["maintenance"] = finite(a.margin.maintenance);
  const bool both = a.has_margin && std::isfinite(a.margin.equity);
  const double health = both ? a.margin.health() : std::nan("");
  out["health"] = std::isinf(health) ? Out("inf") : finite(health);
  out["cushion"] = finite(both ? a.margin.cushion() : std::nan(""));
  out["below"] = both ? side_json(a.distance.below) : Out(nullptr);
  out["above"] = both ? side_json(a.distance.above) : Out(nullptr);
  return out;
}

Out moments_json(const quant::Moments& m) {
  return {{"mean", m.mean},
          {"deviation", m.deviation},
          {"skew", m.skew},
          {"excess_kurtosis", m.excess_kurtosis}};
}

Out simulation_json(const quant::Simulation& s, const StressReport& r) {
  Out tail = Out::array();
  for (const quant::TailRisk& t : s.tail) {
    tail.push_back({{"confidence", t.confidence},
                    {"var", t.var},
                    {"var_error", t.var_error},
                    {"es", t.es},
                    {"es_error", t.es_error}});
  }
  const quant::Histogram h = quant::histogram(s.profits, 100);
  Out breach = Out::object();
  for (std::size_t a = 0; a < s.breach_share.size(); ++a) {
    if (r.accounts[a].has_margin) breach[r.accounts[a].name] = s.breach_share[a];
  }
  return {{"hours", s.years * 8760},
          {"tail", tail},
          {"moments", moments_json(s.moments)},
          {"delta_gamma", moments_json(s.delta_gamma)},
          {"delta_gamma_var99", s.delta_gamma_var99},
          {"breach_share", breach},
          {"histogram", {{"low", h.low}, {"width", h.width}, {"counts", h.counts}}}};
}

}  // namespace

std::string stress_json(const StressReport& r) {
  const quant::Portfolio& p = r.portfolio;
  Out out{{"portfolio", p.name},
          {"numeraire", p.numeraire == quant::Numeraire::usd ? "usd" : "coin"},
          {"seed", r.seed},
          {"paths", r.paths},
          {"horizon_seconds", std::round(r.horizon_years * 31'536'000.0)},
          {"notes", r.notes}};
  for (const quant::Underlying& u : p.underlyings) {
    out["underlyings"].push_back({{"name", u.name}, {"index", u.index}, {"sigma", u.sigma}});
  }
  out["accounts"] = Out::array();
  for (const quant::AccountState& a : r.accounts) out["accounts"].push_back(account_json(a));
  out["grid"] = Out::array();
  for (const quant::Node& n : r.grid) out["grid"].push_back(node_json(n, p));
  out["replay"] = Out::array();
  for (const ReplayRow& row : r.replay) {
    Out one = node_json(row.node, p);
    one["label"] = row.label;
    out["replay"].push_back(std::move(one));
  }
  out["simulations"] = Out::array();
  for (const quant::Simulation& s : r.simulations) {
    out["simulations"].push_back(simulation_json(s, r));
  }
  return out.dump(-1, ' ', true, Out::error_handler_t::replace) + "\n";
}

}  // namespace gimbal::risk
