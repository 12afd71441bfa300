// A what-if as a table and as JSON.
#include <fmt/format.h>

#include "ops/app/json_writer.hpp"
#include "ops/app/what_if.hpp"

namespace gimbal {
namespace {

double share(Money part, Money whole) {
  return whole.nano > 0 ? to_double(part) / to_double(whole) * 1e4 : 0;
}

template <class Value>
std::string row(const std::string& name, const WhatIfResult& r, Value value) {
  return fmt::format("{:<34}{:>18}{:>18}{:>18}\n", name, value(r.recorded), value(r.assumed),
                     value(r.other));
}

std::string held(const RunFigures& f, const std::string& instrument) {
  for (const RunFigures::Held& h : f.positions) {
    if (h.instrument == instrument) return fmt::format("{:.6g}", to_double(h.amount));
  }
  return "0";
}

std::vector<std::string> held_names(const WhatIfResult& r) {
  std::vector<std::string> names;
  for (const RunFigures* f : {&r.recorded, &r.assumed, &r.other}) {
    for (const RunFigures::Held& h : f->positions) {
      bool known = false;
      for (const std::string& n : names) known = known || n == h.instrument;
      if (!known) names.push_back(h.instrument);
    }
  }
  return names;
}

void figures_json(JsonWriter& w, std::string_view name, const RunFigures& f) {
  w.begin_object(name).integer("placed", f.placed).integer("replaced", f.replaced);
  w.integer("cancels", f.cancels).integer("refused", f.refused).integer("trips", f.trips);
  w.integer("fills", f.fills).decimal("traded_usd", f.traded_usd.nano);
  w.decimal("shortfall_usd", f.shortfall_usd.nano).begin_array("deltas");
  for (const RunFigures::Delta& d : f.deltas) {
    w.begin_object().text("underlying", d.underlying).number("mean_abs", d.mean_abs);
    w.number("max_abs", d.max_abs).number("last", d.last).number("armed_s", d.armed_s).end_object();
  }
  w.end_array().begin_array("positions");
  for (const RunFigures::Held& h : f.positions) {
    w.begin_object().text("instrument", h.instrument).decimal("amount", h.amount.nano).end_object();
  }
  w.end_array().end_object();
}

std::string delta_rows(const WhatIfResult& r) {
  std::string out;
  for (std::size_t i = 0; i < r.recorded.deltas.size(); ++i) {
    const auto cell = [&](auto member) {
      return [i, member](const RunFigures& f) {
        return i < f.deltas.size() ? fmt::format("{:.5f}", f.deltas[i].*member) : std::string{"-"};
      };
    };
    const std::string& name = r.recorded.deltas[i].underlying;
    using D = RunFigures::Delta;
    out += row("mean |delta|, " + name + ", armed", r, cell(&D::mean_abs));
    out += row("largest |delta|, " + name, r, cell(&D::max_abs));
    out += row("delta at the end, " + name, r, cell(&D::last));
    out += row("armed, s, " + name, r, cell(&D::armed_s));
  }
  return out;
}

}  // namespace

const std::vector<std::string>& what_if_limits() {
  static const std::vector<std::string> limits{
      "fills of orders that were never sent are assumed: what the recorded book showed inside the "
      "limit half a round trip later, all of it, as often as it is asked for",
      "a resting order is filled whole once the recorded market goes through its price: no queue, "
      "no partial fills at the touch, none at its own price",
      "nobody reacts: the recorded market does not move because of these orders",
      "the venue refuses nothing but crossing post-only orders; lost answers and its own events "
      "about recorded orders are left out",
      "fees, funding, margin and equity are the recorded account's: profit is not computed",
      "between the first recorded picture and the end only these fills, and fills of others, move "
      "the position"};
  return limits;
}

std::string what_if_text(const WhatIfResult& r) {
  std::string out = fmt::format(
      "recorded config {}, other config {}; {} recorded events; round trip {:.3f} ms ({})\n\n",
      r.recorded_hash.substr(0, 16), r.other_hash.substr(0, 16), r.events,
      static_cast<double>(r.round_trip.count) * 1e-6,
      r.round_trips > 0 ? fmt::format("median of {}", r.round_trips) : "a default: none recorded");
  out +=
      fmt::format("{:<34}{:>18}{:>18}{:>18}\n", "", "recorded", "recorded config", "other config");
  out += fmt::format("{:<34}{:>18}{:>18}{:>18}\n", "fills", "real", "assumed", "assumed");
  const auto number = [](auto member) {
    return [member](const RunFigures& f) { return fmt::format("{}", f.*member); };
  };
  out += row("orders placed", r, number(&RunFigures::placed));
  out += row("amendments", r, number(&RunFigures::replaced));
  out += row("cancels", r, number(&RunFigures::cancels));
  out += row("refused by the gate", r, number(&RunFigures::refused));
  out += row("trips", r, number(&RunFigures::trips));
  out += row("fills", r, number(&RunFigures::fills));
  out += row("traded, USD", r,
             [](const RunFigures& f) { return fmt::format("{:.2f}", to_double(f.traded_usd)); });
  out += row("shortfall before fees, bp", r, [](const RunFigures& f) {
    return fmt::format("{:+.3f}", share(f.shortfall_usd, f.traded_usd));
  });
  out += delta_rows(r);
  for (const std::string& name : held_names(r)) {
    out += row("held, " + name, r, [&](const RunFigures& f) { return held(f, name); });
  }
  out +=
      "\nThe second column against the first says how good the assumptions are; the third against\n"
      "the second what the configuration changes. What cannot be known:\n";
  for (const std::string& limit : what_if_limits()) out += "- " + limit + "\n";
  if (r.reloads_left_out > 0) {
    out += fmt::format("- {} reloads of the recorded run are left out\n", r.reloads_left_out);
  }
  if (r.adopted_left_out > 0) {
    out +=
        fmt::format("- {} reports of orders of earlier boots are left out\n", r.adopted_left_out);
  }
  if (!r.damage.empty()) out += "- the journal ends early: " + r.damage + "\n";
  return out;
}

std::string what_if_json(const WhatIfResult& r) {
  JsonWriter w;
  w.begin_object().text("recorded_config", r.recorded_hash).text("other_config", r.other_hash);
  w.integer("events", r.events).integer("round_trip_ns", r.round_trip.count);
  w.integer("round_trips", r.round_trips).integer("own_left_out", r.own_left_out);
  w.integer("reloads_left_out", r.reloads_left_out);
  w.integer("adopted_left_out", r.adopted_left_out);
  figures_json(w, "recorded", r.recorded);
  figures_json(w, "recorded_config_assumed_fills", r.assumed);
  figures_json(w, "other_config_assumed_fills", r.other);
  w.begin_array("cannot_be_known");
  for (const std::string& limit : what_if_limits()) w.raw({}, JsonWriter::quote(limit));
  w.end_array();
  if (r.damage.empty()) {
    w.raw("damage", "null");
  } else {
    w.text("damage", r.damage);
  }
  return w.end_object().take() + "\n";
}

}  // namespace gimbal
