// What `gimbalctl watch` shows.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "ops/ctl/watch.hpp"

namespace gimbal::ctl {
namespace {

using Json = nlohmann::json;

std::string text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "-" : value.dump();
}

std::string number(const Json& value, int decimals) {
  return value.is_number() ? fmt::format("{:+.{}f}", value.get<double>(), decimals) : "-";
}

std::string span(const Json& ns) {
  const auto value = ns.get<std::int64_t>();
  if (value < 0) return "never";
  if (value < 1'000'000) return fmt::format("{:.0f}us", static_cast<double>(value) * 1e-3);
  if (value < 1'000'000'000) return fmt::format("{:.0f}ms", static_cast<double>(value) * 1e-6);
  return fmt::format("{:.1f}s", static_cast<double>(value) * 1e-9);
}

std::string upper(std::string word) {
  for (char& c : word) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return word;
}

class Screen {
 public:
  explicit Screen(std::size_t rows) : rows_{rows} {}
  void line(const std::string& content) {
    if (rows_ != 0 && used_ >= rows_) return;
    ++used_;
    out_ += content + "\n";
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::size_t rows_;
  std::size_t used_{0};
  std::string out_;
};

void modes(Screen& screen, const Json& s) {
  screen.line(fmt::format("{:<7} epoch {}  up {}  config {:.8}  build {:.8}  guardian {}{}",
                          upper(text(s.at("mode"))), text(s.at("boot_epoch")),
                          span(s.at("uptime_ns")), text(s.at("config_hash")),
                          text(s.at("build_hash")), text(s.at("guardian")),
                          s.at("guardian_waived").get<bool>() ? " (waived)" : ""));
  for (const auto& scope : s.at("scopes")) {
    screen.line(fmt::format("  {} {}{}", upper(text(scope.at("mode"))), text(scope.at("scope")),
                            scope.at("latched").get<bool>() ? " latched" : ""));
  }
  if (s.at("paused").get<bool>()) screen.line("  PAUSED: an alert waits for gimbalctl ack");
  const Json& f = s.at("flatten");
  if (text(f.at("phase")) == "none") return;
  screen.line(fmt::format("  FLATTEN {} {} {}  slices {}  cost {} of {} USD  held {}  unknown {}",
                          text(f.at("scope")), text(f.at("phase")), text(f.at("end")),
                          text(f.at("orders")), text(f.at("cost_usd")), text(f.at("max_loss_usd")),
                          text(f.at("held")), text(f.at("unknown"))));
}

// Where the delta stands in its band: the middle is zero, the ends are the band.
std::string gauge(double delta, double band) {
  std::string bar = "[---------0---------]";
  if (!(band > 0)) return bar;
  const double share = delta / band;
  const int place = 10 + static_cast<int>(share < -1 ? -9 : share > 1 ? 9 : share * 9);
  bar[static_cast<std::size_t>(place)] = share < -1 ? '<' : share > 1 ? '>' : '*';
  return bar;
}

void books(Screen& screen, const Json& s) {
  for (const auto& u : s.at("underlyings")) {
    const bool known = u.at("delta").is_number() && u.at("band").is_number();
    screen.line(fmt::format(
        "{:<5} {:>12}  delta {} band {} {} gamma {} vega {} theta {}{}", text(u.at("underlying")),
        number(u.at("index"), 2), number(u.at("delta"), 4), number(u.at("band"), 4),
        known ? gauge(u.at("delta").get<double>(), u.at("band").get<double>()) : "",
        number(u.at("gamma"), 6), number(u.at("vega"), 2), number(u.at("theta"), 2),
        u.at("inside_band").get<bool>() ? "" : "  OUTSIDE"));
  }
  for (const auto& m : s.at("margins")) {
    screen.line(fmt::format("margin {} {}  equity {}  initial {}  maintenance {}  free {}",
                            text(m.at("account")), text(m.at("currency")), text(m.at("equity")),
                            text(m.at("initial_margin")), text(m.at("maintenance_margin")),
                            text(m.at("available"))));
  }
}

void orders(Screen& screen, const Json& s) {
  screen.line(fmt::format("orders  sent {}  filled {}  rejected {}  open {}  unknown {}",
                          text(s.at("orders_sent")), text(s.at("orders_filled")),
                          text(s.at("orders_rejected")), text(s.at("orders_open")),
                          text(s.at("orders_unknown"))));
  for (const auto& o : s.at("orders")) {
    screen.line(fmt::format("  {:<10} {:<24} {:<4} {:>12} @ {:>12}  filled {}  {}",
                            text(o.at("state")), text(o.at("instrument")), text(o.at("side")),
                            text(o.at("amount")), text(o.at("price")), text(o.at("filled")),
                            span(o.at("age_ns"))));
  }
}

void sessions(Screen& screen, const Json& s) {
  for (const auto& g : s.at("gateways")) {
    screen.line(fmt::format("session {} ({}) {}  dead man {}  reconciled {} ago  reconnects {}",
                            text(g.at("account")), text(g.at("environment")), text(g.at("state")),
                            g.at("cancel_on_disconnect").get<bool>() ? "on" : "OFF",
                            span(g.at("reconcile_age_ns")), text(g.at("reconnects"))));
  }
  for (const auto& f : s.at("feeds")) {
    screen.line(fmt::format("feed    {} {}  books {} valid {} not  newest {} ago  gaps {}",
                            text(f.at("account")), f.at("connected").get<bool>() ? "up" : "DOWN",
                            text(f.at("instruments_valid")), text(f.at("instruments_invalid")),
                            span(f.at("newest_age_ns")), text(f.at("gaps"))));
  }
  for (const auto& l : s.at("latencies")) {
    if (l.at("count").get<std::uint64_t>() == 0) continue;
    screen.line(fmt::format("latency {:<20} p50 {:>7}  p99 {:>7}  p99.9 {:>7}  max {:>7}  n {}{}",
                            text(l.at("hop")), span(l.at("p50_ns")), span(l.at("p99_ns")),
                            span(l.at("p999_ns")), span(l.at("max_ns")), text(l.at("count")),
                            l.value("verdict", std::string{}) == "over" ? "  OVER BUDGET" : ""));
  }
}

void alarms(Screen& screen, const Json& s) {
  if (!s.at("health").at("ok").get<bool>()) {
    for (const auto& check : s.at("health").at("checks")) {
      if (check.at("ok").get<bool>()) continue;
      screen.line(fmt::format("NOT OK  {}: {}", text(check.at("check")), text(check.at("cause"))));
    }
  }
  for (const auto& a : s.at("alerts")) {
    screen.line(
        fmt::format("{:<8} {} {} x{} {} ago{}: {}", text(a.at("severity")), text(a.at("id")),
                    text(a.at("code")), text(a.at("count")), span(a.at("age_ns")),
                    a.at("acknowledged").get<bool>() ? " (acknowledged)" : "", text(a.at("text"))));
  }
}

}  // namespace

std::string watch_text(const std::string& json, std::size_t rows) {
  const Json s = Json::parse(json, nullptr, false);
  if (!s.is_object()) return json + "\n";
  try {
    if (s.contains("error")) return s["error"].get<std::string>() + "\n";
    Screen screen{rows};
    modes(screen, s);
    books(screen, s);
    alarms(screen, s);  // before what can grow long: alarms are never cut off by orders
    orders(screen, s);
    sessions(screen, s);
    return screen.take();
  } catch (const Json::exception&) { return json + "\n"; }
}

}  // namespace gimbal::ctl
