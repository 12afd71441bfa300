#include "ops/ctl/render.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace gimbal::ctl {
namespace {

using Json = nlohmann::json;

template <class Render>
std::string rendered(const std::string& line, Render render) {
  const Json answer = Json::parse(line, nullptr, false);
  if (!answer.is_object()) return line + "\n";
  try {
    if (answer.contains("error")) return answer["error"].get<std::string>() + "\n";
    return render(answer);
  } catch (const Json::exception&) { return line + "\n"; }
}

std::string number(const Json& value, int decimals = 4) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), decimals) : "-";
}

std::string text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "-" : value.dump();
}

std::string age(const Json& ns) {
  const auto value = ns.get<std::int64_t>();
  if (value < 0) return "never";
  if (value < 1'000'000) return fmt::format("{:.0f}us", static_cast<double>(value) * 1e-3);
  if (value < 1'000'000'000) return fmt::format("{:.0f}ms", static_cast<double>(value) * 1e-6);
  return fmt::format("{:.1f}s", static_cast<double>(value) * 1e-9);
}

std::string micros(const Json& ns) { return fmt::format("{:.1f}", ns.get<double>() * 1e-3); }
const char* yes_no(const Json& value) { return value.get<bool>() ? "yes" : "no"; }

std::string underlyings_of(const Json& answer) {
  std::string out =
      fmt::format("{:<10} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}  {:<6}  {}\n", "underlying",
                  "index", "delta", "gamma", "vega", "theta", "band", "inside", "priced by");
  for (const auto& u : answer.at("underlyings")) {
    out += fmt::format("{:<10} {:>12} {:>12} {:>12} {:>12} {:>12} {:>12}  {:<6}  {}\n",
                       text(u.at("underlying")), number(u.at("index"), 2), number(u.at("delta")),
                       number(u.at("gamma"), 6), number(u.at("vega"), 2), number(u.at("theta"), 2),
                       number(u.at("band")), yes_no(u.at("inside_band")),
                       u.value("models", std::string{"none"}));
  }
  return out;
}

std::string flatten_state_of(const Json& f) {
  std::string out = fmt::format(
      "flatten {} {}{}: {} slices, {} fills, cost {} of {} USD, {} held, {} unknown, {}{}\n",
      text(f.at("scope")), text(f.at("phase")),
      text(f.at("end")) == "none" ? "" : " (" + text(f.at("end")) + ")", text(f.at("orders")),
      text(f.at("fills")), text(f.at("cost_usd")), text(f.at("max_loss_usd")), text(f.at("held")),
      text(f.at("unknown")), age(f.at("elapsed_ns")),
      f.at("verified").get<bool>() ? ", verified at the venue" : "");
  for (const auto& p : f.at("left")) {
    out += fmt::format("  left {:<24} {:>14}  {} {}\n", text(p.at("instrument")),
                       text(p.at("amount")), text(p.at("why")), text(p.at("refusal")));
  }
  return out;
}

std::string execution_of(const Json& s) {
  std::string out;
  for (const auto& e : s.value("execution", Json::array())) {
    out += fmt::format(
        "execution {}  fills {} traded {} USD  shortfall {} (delay {}) against theory {} fees {}  "
        "after 1 s {} after 60 s {}\n",
        text(e.at("of")), text(e.at("fills")), text(e.at("traded_usd")),
        text(e.at("shortfall_usd")), text(e.at("delay_usd")), text(e.at("theory_usd")),
        text(e.at("fees_usd")), text(e.at("after_1s_usd")), text(e.at("after_60s_usd")));
  }
  return out;
}

std::string day_of(const Json& s) {
  if (!s.contains("day")) return {};
  const Json& d = s.at("day");
  std::string out = fmt::format("day  profit {} USD  peak {}", number(s.at("day_profit_usd"), 2),
                                number(s.at("day_peak_usd"), 2));
  if (d.at("from_boot").get<int>() > 0) {
    out += fmt::format("  carried {} from boot {} ({}; it left {}, peak {})",
                       number(d.at("carried_usd"), 2), text(d.at("from_boot")), text(d.at("carry")),
                       number(d.at("found_profit_usd"), 2), number(d.at("found_peak_usd"), 2));
  }
  const bool kept = d.at("kept_age_ns").get<std::int64_t>() >= 0;
  out += kept ? "  kept " + age(d.at("kept_age_ns")) + " ago\n" : std::string{"  not kept yet\n"};
  if (d.value("held", false)) out += "day  held: acknowledge the alert tie_out, then it rolls\n";
  if (!text(d.at("trouble")).empty()) {
    out += "day  nothing can be armed: " + text(d.at("trouble")) + "\n";
  }
  return out;
}

std::string status_of(const Json& s) {
  std::string out = fmt::format(
      "mode {}  armed {}  epoch {}  up {}  topology {}\nbuild {:.16}  config {:.16}  guardian {}\n",
      text(s.at("mode")), yes_no(s.at("armed")), s.at("boot_epoch").get<int>(),
      age(s.at("uptime_ns")), text(s.at("topology")), text(s.at("build_hash")),
      text(s.at("config_hash")),
      text(s.at("guardian")) + (s.at("guardian_waived").get<bool>() ? " (waived)" : ""));
  out += fmt::format("orders sent {} filled {} rejected {} open {} unknown {}\n",
                     text(s.at("orders_sent")), text(s.at("orders_filled")),
                     text(s.at("orders_rejected")), text(s.at("orders_open")),
                     text(s.at("orders_unknown")));
  out += day_of(s);
  if (text(s.at("flatten").at("phase")) != "none") out += flatten_state_of(s.at("flatten"));
  for (const auto& scope : s.at("scopes")) {
    out +=
        fmt::format("{} {}{}: {}\n", text(scope.at("scope")), text(scope.at("mode")),
                    scope.at("latched").get<bool>() ? " (latched)" : "", text(scope.at("reason")));
  }
  for (const auto& g : s.at("gateways")) {
    out += fmt::format(
        "gateway {} ({}) {}  cancel-on-disconnect {}  reconciled {} ago  reconnects {}  {}\n",
        text(g.at("account")), text(g.at("environment")), text(g.at("state")),
        yes_no(g.at("cancel_on_disconnect")), age(g.at("reconcile_age_ns")),
        text(g.at("reconnects")), text(g.at("poller")));
  }
  for (const auto& f : s.at("feeds")) {
    out += fmt::format(
        "feed {} {}  valid {} invalid {}  newest {} ago  gaps {} malformed {} resyncs {}\n",
        text(f.at("account")), f.at("connected").get<bool>() ? "up" : "down",
        text(f.at("instruments_valid")), text(f.at("instruments_invalid")),
        age(f.at("newest_age_ns")), text(f.at("gaps")), text(f.at("malformed")),
        text(f.at("resyncs")));
  }
  out += underlyings_of(s);
  for (const auto& m : s.at("margins")) {
    out += fmt::format("margin {} {}  equity {} initial {} maintenance {} available {}\n",
                       text(m.at("account")), text(m.at("currency")), text(m.at("equity")),
                       text(m.at("initial_margin")), text(m.at("maintenance_margin")),
                       text(m.at("available")));
  }
  for (const auto& l : s.value("ladders", Json::array())) {
    out += fmt::format(
        "ladder {} {}  {}{}{}{}{}  health {} (own {}, venue {})  {} sigma to liquidation, {} .. "
        "{}\n",
        text(l.at("underlying")), text(l.at("currency")), text(l.at("state")),
        l.at("usable").get<bool>() ? "" : " (numbers not usable)",
        l.at("mismatch").get<bool>() ? " (unlike the venue's)" : "",
        l.at("stuck").get<bool>() ? " (nothing can be reduced)" : "",
        l.value("model", "standard") == "standard" ? "" : " (" + text(l.at("model")) + ")",
        number(l.at("health"), 4), number(l.at("health_own"), 4), number(l.at("health_venue"), 4),
        number(l.at("sigmas"), 1), number(l.at("below"), 4), number(l.at("above"), 4));
  }
  for (const auto& m : s.value("modules", Json::array())) {
    out += fmt::format("module {} {}{}{}  envelopes {} invalid {}  newest {} ago, ttl {}  {}\n",
                       text(m.at("module")), text(m.at("state")),
                       m.at("required").get<bool>() ? "" : " (not required)",
                       m.at("denies").get<bool>() ? ", growth denied" : "", text(m.at("envelopes")),
                       text(m.at("invalid")), age(m.at("age_ns")), age(m.at("ttl_ns")),
                       text(m.at("trouble")));
  }
  out += execution_of(s);
  for (const auto& a : s.at("alerts")) {
    out += fmt::format(
        "{} {} ({} ago{}): {}\n", text(a.at("severity")), text(a.at("id")), age(a.at("age_ns")),
        a.at("acknowledged").get<bool>() ? ", acknowledged" : "", text(a.at("text")));
  }
  return out;
}

std::string positions_of(const Json& answer) {
  std::string out = fmt::format("{:<14} {:<24} {:>14} {:>14} {:>14} {:>12}  {}\n", "account",
                                "instrument", "amount", "average", "mark", "delta", "priced by");
  for (const auto& p : answer.at("positions")) {
    out += fmt::format("{:<14} {:<24} {:>14} {:>14} {:>14} {:>12}  {}\n", text(p.at("account")),
                       text(p.at("instrument")), text(p.at("amount")), text(p.at("average")),
                       text(p.at("mark")), number(p.at("delta")),
                       p.value("model", std::string{"none"}));
  }
  return out + "\n" + underlyings_of(answer);
}

std::string orders_of(const Json& answer) {
  std::string out =
      fmt::format("{:<18} {:<24} {:<5} {:>14} {:>12} {:>12} {:<10} {:<8} {}\n", "order",
                  "instrument", "side", "price", "amount", "filled", "state", "age", "from");
  for (const auto& o : answer.at("orders")) {
    out += fmt::format("{:<18} {:<24} {:<5} {:>14} {:>12} {:>12} {:<10} {:<8} {}\n",
                       text(o.at("order")), text(o.at("instrument")), text(o.at("side")),
                       text(o.at("price")), text(o.at("amount")), text(o.at("filled")),
                       text(o.at("state")), age(o.at("age_ns")),
                       o.value("from", std::string{"this boot"}));
  }
  return out + fmt::format("{} open\n", answer.at("orders").size());
}

std::string latency_of(const Json& answer) {
  std::string out =
      fmt::format("{:<28} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8}  us\n", "hop", "count",
                  "p50", "p90", "p99", "p99.9", "max", "budget", "over");
  for (const auto& l : answer.at("latencies")) {
    out += fmt::format("{:<28} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9}", text(l.at("hop")),
                       text(l.at("count")), micros(l.at("p50_ns")), micros(l.at("p90_ns")),
                       micros(l.at("p99_ns")), micros(l.at("p999_ns")), micros(l.at("max_ns")));
    // A bot of an earlier version says nothing about budgets.
    if (l.value("budget_ns", std::int64_t{0}) > 0) {
      out += fmt::format(" {:>9} {:>8}  {}", micros(l.at("budget_ns")), text(l.at("over")),
                         text(l.at("verdict")) == "over" ? "OVER BUDGET" : text(l.at("verdict")));
    }
    out += "\n";
  }
  return out;
}

std::string kill_of(const Json& k) {
  std::string out =
      fmt::format("kill {} {} {}: gate closed after {}, {} in flight, {}\n", text(k.at("kill_id")),
                  text(k.at("scope")), text(k.at("mode")), age(k.at("gate_closed_ns")),
                  k.at("in_flight_orders").size(),
                  k.at("resolved").get<bool>()    ? "confirmed: nothing is open"
                  : k.at("confirmed").get<bool>() ? "nothing open, some orders unknown"
                                                  : "NOT CONFIRMED");
  for (const auto& v : k.at("venues")) {
    out += fmt::format(
        "  {}: live before {}, in doubt before {}, cancels sent {}, still open {}, unknown {}, "
        "escaped {}\n",
        text(v.at("account")), text(v.at("live_before")), text(v.at("in_doubt_before")),
        text(v.at("cancels_sent")), text(v.at("still_open")), text(v.at("unknown")),
        text(v.at("escaped")));
    out += fmt::format("  {}: first cancel on the wire after {}, dead man: {}\n",
                       text(v.at("account")), age(v.at("first_wire_ns")), text(v.at("dead_man")));
  }
  for (const auto& u : k.at("underlyings")) {
    out += fmt::format("  residual {} delta {}\n", text(u.at("underlying")), number(u.at("delta")));
  }
  return out + fmt::format("  latch {}\n", text(k.at("latch")));
}

std::string flatten_plan_of(const Json& plan) {
  std::string out = fmt::format(
      "plan: CANCEL {}, then close{} for at most {} USD; {} orders open, {} unknown\n",
      text(plan.at("scope")),
      plan.at("hedge_only").get<bool>() ? " the delta with the hedge instruments"
      : plan.at("options").get<bool>()  ? " futures, then options,"
                                        : " futures",
      text(plan.at("max_loss_usd")), text(plan.at("open_orders")), text(plan.at("unknown_orders")));
  for (const auto& p : plan.at("positions")) {
    out += fmt::format("  {:<24} {:>14}  mark {:>14}  delta {:>12}  {}\n", text(p.at("instrument")),
                       text(p.at("amount")), text(p.at("mark")), number(p.at("delta")),
                       p.at("selected").get<bool>() ? "close" : "stays");
  }
  return out;
}

std::string flatten_of(const Json& answer) {
  if (answer.contains("plan")) return flatten_plan_of(answer);
  if (!answer.contains("flatten")) return "the job was told to stop\n";
  std::string out = fmt::format("kill {} {} {}: gate closed after {}, {}\n",
                                text(answer.at("kill_id")), text(answer.at("scope")),
                                text(answer.at("mode")), age(answer.at("gate_closed_ns")),
                                answer.at("resolved").get<bool>()    ? "nothing is open"
                                : answer.at("confirmed").get<bool>() ? "nothing open, some unknown"
                                                                     : "not confirmed");
  return out + flatten_state_of(answer.at("flatten")) +
         fmt::format("  latch {}\n", text(answer.at("latch")));
}

std::string reload_of(const Json& answer) {
  if (answer.contains("unchanged")) return "the file is the running one\n";
  std::string out = fmt::format("reloaded: config {:.16}\n", text(answer.at("config_hash")));
  for (const auto& c : answer.at("changes")) {
    out += fmt::format("  {} {} -> {}{}\n", text(c.at("key")), text(c.at("before")),
                       text(c.at("after")), c.at("tightens").get<bool>() ? " (tighter)" : "");
  }
  return out;
}

std::string plain_of(const Json& answer) {
  std::string out;
  for (const auto& [key, value] : answer.items()) {
    if (key != "final" && key != "code") out += key + " " + text(value) + "\n";
  }
  return out;
}

}  // namespace

std::string status_text(const std::string& json) { return rendered(json, status_of); }
std::string positions_text(const std::string& json) { return rendered(json, positions_of); }
std::string orders_text(const std::string& json) { return rendered(json, orders_of); }
std::string latency_text(const std::string& json) { return rendered(json, latency_of); }
std::string kill_text(const std::string& json) { return rendered(json, kill_of); }
std::string flatten_text(const std::string& json) { return rendered(json, flatten_of); }
std::string reload_text(const std::string& json) { return rendered(json, reload_of); }
std::string plain_text(const std::string& json) { return rendered(json, plain_of); }

bool read_head(const std::string& json, AnswerHead& out) {
  const Json answer = Json::parse(json, nullptr, false);
  if (!answer.is_object() || !answer.contains("final") || !answer["final"].is_boolean() ||
      !answer.contains("code") || !answer["code"].is_number_integer()) {
    return false;
  }
  out.is_final = answer["final"].get<bool>();
  out.code = answer["code"].get<int>();
  if (answer.contains("error") && answer["error"].is_string())
    out.error = answer["error"].get<std::string>();
  return true;
}

}  // namespace gimbal::ctl
