#include "ops/app/config_check.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "engine/core/risk/duplicate.hpp"
#include "ops/app/listen_address.hpp"
#include "venues/registry.hpp"

namespace gimbal {
namespace {

constexpr std::size_t socket_path_max = 107;  // sun_path without its NUL

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.substr(0, 4) == "127.";
}

bool is_word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-';
  });
}

bool is_host(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':';
  });
}

bool is_host_and_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || !is_host(text.substr(0, colon))) return false;
  const std::string_view port = text.substr(colon + 1);
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9' || port.size() > 5) return false;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number >= 1 && number <= 65535;
}

bool is_url_path(std::string_view text) {
  return !text.empty() && text.front() == '/' &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

// "sha256/" and 44 characters of base64, or 64 hex digits.
bool is_pin(std::string_view text) {
  if (text.substr(0, 7) == "sha256/") {
    const auto body = text.substr(7);
    return body.size() == 44 && body.back() == '=' &&
           std::all_of(body.begin(), body.end() - 1, [](unsigned char c) {
             return std::isalnum(c) != 0 || c == '+' || c == '/';
           });
  }
  return text.size() == 64 && std::all_of(text.begin(), text.end(),
                                          [](unsigned char c) { return std::isxdigit(c) != 0; });
}

constexpr Nanos keep_warm_min = microseconds(20);

class Checker {
 public:
  Checker(const Config& config, const Complain& complain) : c_{config}, complain_{complain} {}

  void run() {
    for (std::size_t i = 0; i < c_.venues.size(); ++i) venue(i);
    environments();
    for (std::size_t i = 0; i < c_.underlyings.size(); ++i) underlying(i);
    risk();
    scenarios();
    quality();
    budget();
    surface();
    check_strategies(c_, complain_);
    runtime();
    guardian();
    monitors();
    for (std::size_t i = 0; i < c_.modules.size(); ++i) module(i);
  }

 private:
  void at_venue(std::size_t i, std::string_view key, const std::string& text) const {
    complain_({"venue", true, i, key}, text);
  }
  void at_underlying(std::size_t i, std::string_view key, const std::string& text) const {
    complain_({"underlying", true, i, key}, text);
  }
  void at_runtime(std::string_view key, const std::string& text) const {
    complain_({"runtime", false, 0, key}, text);
  }

  void monitors() const {
    ListenAddress address;
    const std::string& listen = c_.metrics.listen;
    if (!listen.empty() && !parse_listen(listen, address)) {
      complain_({"metrics", false, 0, "listen"},
                "is \"" + listen + "\", not an IP address and a port: \"127.0.0.1:9464\"");
    } else if (!listen.empty() && !address.loopback() && !c_.metrics.beyond_host) {
      complain_({"metrics", false, 0, "listen"},
                "is not loopback; set beyond_host = true when other hosts may read it");
    }
    for (const auto& v : c_.venues) {
      if (v.connect_timeout < c_.health.cold_stall_max) continue;
      complain_({"health", false, 0, "cold_stall_max"},
                "is not longer than connect_timeout of account \"" + v.account + "\"");
    }
  }

  void venue(std::size_t i) const {
    const auto& v = c_.venues[i];
    if (!v.name.empty() &&
        std::find(Venues::names.begin(), Venues::names.end(), v.name) == Venues::names.end()) {
      at_venue(i, "name", "is not a known venue: \"" + v.name + "\"; known: deribit");
    }
    if (!v.account.empty() && !is_word(v.account)) {
      at_venue(i, "account", "may hold letters, digits, _ and - only");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!v.account.empty() && c_.venues[j].account == v.account) {
        at_venue(i, "account",
                 "repeats \"" + v.account + "\": each account session needs its own name");
      }
    }
    if (!v.host.empty() && !is_host(v.host))
      at_venue(i, "host", "is not a host name or IP address: no scheme, port or path");
    if (!is_url_path(v.path)) at_venue(i, "path", "must begin with / and hold no spaces");
    if (v.environment == Environment::sim && !v.host.empty() && !is_loopback(v.host)) {
      at_venue(i, "host",
               "is \"" + v.host +
                   "\": a sim venue is accepted on loopback only (127.0.0.1, ::1, localhost)");
    }
    if (v.environment == Environment::sim && v.ca_file.empty()) {
      at_venue(
          i, "ca_file",
          "is needed for a sim venue: the exchange writes its own certificate authority at start");
    }
    if (v.environment == Environment::live && is_loopback(v.host)) {
      at_venue(i, "host", "is loopback, which no live venue is");
    }
    if (!v.guardian_credential.empty() && v.guardian_credential == v.credential) {
      at_venue(i, "guardian_credential", "is the trading key: the guardian needs one of its own");
    }
    if (!v.off_host_credential.empty() &&
        (v.off_host_credential == v.credential || v.off_host_credential == v.guardian_credential)) {
      at_venue(i, "off_host_credential", "is another role's key: each role needs one of its own");
    }
    venue_relations(i);
  }

  void venue_relations(std::size_t i) const {
    const auto& v = c_.venues[i];
    if (v.reconnect_min > v.reconnect_max)
      at_venue(i, "reconnect_min", "is longer than reconnect_max");
    if (v.silence_max < v.heartbeat) {
      at_venue(i, "silence_max",
               "is shorter than heartbeat: a quiet session would be closed for nothing");
    }
    if (v.pins.size() == 1)
      at_venue(i, "pins",
               "holds one pin: a pin without a backup locks us out at the next key change");
    for (const auto& pin : v.pins) {
      if (!is_pin(pin))
        at_venue(i, "pins",
                 "holds \"" + pin.substr(0, 80) +
                     "\", which is neither sha256/BASE64 nor 64 hex digits");
    }
  }

  void environments() const {
    for (std::size_t i = 1; i < c_.venues.size(); ++i) {
      if (c_.venues[i].environment != c_.venues[0].environment) {
        at_venue(i, "environment",
                 "differs from the first venue's: sim, test and live never mix in one process");
      }
    }
  }

  void underlying(std::size_t i) const {
    const auto& u = c_.underlyings[i];
    const bool known = std::any_of(c_.venues.begin(), c_.venues.end(),
                                   [&](const VenueConfig& v) { return v.account == u.account; });
    if (!u.account.empty() && !known) {
      at_underlying(i, "account", "names \"" + u.account + "\", which no [[venue]] has");
    }
    for (std::size_t j = 0; j < i; ++j) {
      const auto& other = c_.underlyings[j];
      if (other.name == u.name && other.account == u.account && other.currency == u.currency &&
          !u.name.empty()) {
        at_underlying(i, "name", "repeats " + u.name + " with the same account and currency");
      }
    }
    if (!u.hedge_instrument.empty() && !u.name.empty() &&
        u.hedge_instrument.substr(0, u.name.size()) != u.name) {
      at_underlying(i, "hedge_instrument",
                    "is \"" + u.hedge_instrument + "\", which is not an instrument of " + u.name);
    }
  }

  void risk() const {
    if (c_.risk.cancel_reserve >= c_.risk.order_burst) {
      complain_({"risk", false, 0, "cancel_reserve"},
                "leaves nothing of order_burst for new orders");
    } else if (c_.risk.cancel_reserve * 5 < c_.risk.order_burst + 5) {
      // A fifth of the bucket, and one mass cancel (T-02).
      complain_({"risk", false, 0, "cancel_reserve"},
                "is less than a fifth of order_burst and one more");
    }
    if (DuplicateGuard::needed(c_.risk) > DuplicateGuard::kept_max) {
      complain_({"risk", false, 0, "duplicate_window"},
                "holds more orders at order_rate_per_s and order_burst than can be remembered: " +
                    std::to_string(DuplicateGuard::kept_max));
    }
    if (c_.risk.order_to_trade_warn_permille > c_.risk.order_to_trade_stop_permille) {
      complain_({"risk", false, 0, "order_to_trade_warn_permille"},
                "is over order_to_trade_stop_permille");
    }
    if (c_.risk.iv_min_bps >= c_.risk.iv_max_bps) {
      complain_({"risk", false, 0, "iv_min_bps"}, "is not below iv_max_bps");
    }
    if (c_.risk.max_delta_usd > c_.risk.max_gross_delta_usd) {
      complain_({"risk", false, 0, "max_gross_delta_usd"},
                "is below max_delta_usd: the gross delta is never the smaller one");
    }
    if (c_.risk.max_order_usd > c_.risk.max_open_usd) {
      complain_({"risk", false, 0, "max_order_usd"},
                "is over max_open_usd: no such order could ever pass");
    }
  }

  void scenarios() const {
    const auto& s = c_.scenarios;
    if (c_.risk.max_scenario_loss_bps > 0 && !s.used()) {
      complain_({"risk", false, 0, "max_scenario_loss_bps"},
                "needs [scenarios] price_range: there is nothing to lose in");
    }
    if (!s.used()) return;
    // A zero of any of these loosens; one of dampener_usd does not.
    using Number = std::pair<std::string_view, double>;
    for (const auto& [key, value] :
         {Number{"volatility_up", s.volatility_up}, Number{"volatility_down", s.volatility_down},
          Number{"volatility_up_min", s.volatility_up_min}, Number{"short_power", s.short_power},
          Number{"long_power", s.long_power}, Number{"extended_factor", s.extended_factor}}) {
      if (value > 0) continue;
      complain_({"scenarios", false, 0, key},
                "is required with price_range: the venue's own number");
    }
    const Nanos interval = c_.engine.reconcile_interval;
    if (interval.count <= 0) {
      complain_({"engine", false, 0, "reconcile_interval"},
                "must be positive with [scenarios]: margin reports come with the pictures");
    } else if (s.report_age_max <= interval) {
      complain_({"scenarios", false, 0, "report_age_max"},
                "is not over reconcile_interval: between two reports nothing could grow");
    }
  }

  void quality() const {
    if (c_.quality.lag_clear >= c_.quality.lag_max) {
      complain_({"quality", false, 0, "lag_clear"}, "is not below lag_max");
    }
    if (c_.quality.witness_age_max > c_.quality.hedge_age_max) {
      complain_({"quality", false, 0, "witness_age_max"},
                "is over hedge_age_max: it would never act first");
    }
  }

  void budget() const {
    const BudgetLimits& b = c_.budget;
    if (b.late_ticks_max > 0 && b.tick_to_order.count == 0) {
      complain_({"budget", false, 0, "late_ticks_max"},
                "needs tick_to_order: no tick is late without");
    }
    if (b.tick_to_order.count == 0) return;
    const auto part = [&](std::string_view key, Nanos hop) {
      if (hop <= b.tick_to_order) return;
      complain_({"budget", false, 0, key}, "is over tick_to_order, of which it is a part");
    };
    part("decrypt", b.decrypt);
    part("parse", b.parse);
    part("step", b.step);
    part("state", b.state);
    part("strategy", b.strategy);
    part("commands", b.commands);
    part("encode", b.encode);
    part("encrypt", b.encrypt);
    part("send", b.send);
  }

  void surface() const {
    const SurfaceConfig& s = c_.surface;
    if (s.interval * 4 > s.age_max) {
      complain_({"surface", false, 0, "age_max"},
                "is shorter than four intervals: one fit that fails would end the curve");
    }
    if (s.flat_volatility > 0 && s.flat_volatility < 0.01) {
      complain_({"surface", false, 0, "flat_volatility"}, "is below 0.01: 0.6 is 60 %");
    }
  }

  void guardian() const {
    const auto& g = c_.guardian;
    const auto at = [this](std::string_view key, const std::string& text) {
      complain_({"guardian", false, 0, key}, text);
    };
    if (g.cold_miss < g.miss) at("cold_miss", "is shorter than miss");
    for (const auto& [key, text] :
         {std::pair<std::string_view, const std::string*>{"off_host", &g.off_host},
          {"off_host_listen", &g.off_host_listen}}) {
      if (text->empty()) continue;
      if (!is_host_and_port(*text)) at(key, "must be HOST:PORT");
      if (g.off_host_key.empty()) at(key, "needs off_host_key: heartbeats are always signed");
    }
    if (g.off_host_miss < g.off_host_interval + g.off_host_interval) {
      at("off_host_miss", "is shorter than two off_host_interval: one lost packet would fire");
    }
  }

  void module(std::size_t i) const {
    const ModuleConfig& m = c_.modules[i];
    const auto at = [this, i](std::string_view key, const std::string& text) {
      complain_({"module", true, i, key}, text);
    };
    if (!m.name.empty() && !is_word(m.name)) at("name", "may hold letters, digits, _ and - only");
    for (std::size_t j = 0; j < i; ++j) {
      const ModuleConfig& other = c_.modules[j];
      if (!m.name.empty() && other.name == m.name) {
        at("name", "repeats \"" + m.name + "\": each module needs its own name");
      } else if (c_.module_directory(other) == c_.module_directory(m)) {
        at("directory", "is that of module \"" + other.name + "\"");
      }
    }
    if (m.directory == c_.runtime.runtime_dir || m.directory == c_.runtime.state_dir ||
        m.directory == c_.runtime.journal_dir) {
      at("directory", "is one of the bot's own: a module may enter nothing but its own");
    }
  }

  void runtime() const {
    const auto& r = c_.runtime;
    std::map<int, std::string_view> taken;
    const std::array<std::pair<std::string_view, int>, 4> cores{{{"io_core", r.io_core},
                                                                 {"core_core", r.core_core},
                                                                 {"order_core", r.order_core},
                                                                 {"cold_core", r.cold_core}}};
    for (const auto& [key, core] : cores) {
      if (core < 0) continue;
      const auto [other, fresh] = taken.emplace(core, key);
      if (!fresh)
        at_runtime(key, "pins processor " + std::to_string(core) + ", which " +
                            std::string{other->second} + " has");
    }
    if (r.topology == Topology::fused && (r.core_core >= 0 || r.order_core >= 0)) {
      at_runtime(r.core_core >= 0 ? "core_core" : "order_core",
                 "is for the pipelined topology; a fused process has one hot thread, io_core");
    }
    if (r.keep_warm.count != 0 && r.topology != Topology::fused) {
      at_runtime("keep_warm",
                 "needs topology = \"fused\": the path is rehearsed on its one thread");
    }
    if (r.keep_warm.count != 0 && r.keep_warm < keep_warm_min) {
      at_runtime("keep_warm", "is shorter than a rehearsal: 20us or more, or 0");
    }
    if (r.kernel_time && r.poller != PollerKind::epoll && r.poller != PollerKind::spin) {
      at_runtime("kernel_time",
                 "needs poller = \"epoll\" or \"spin\": io_uring does not give the kernel's time");
    }
    if (c_.control_socket_path().size() > socket_path_max) {
      at_runtime(r.control_socket.empty() ? "runtime_dir" : "control_socket",
                 "gives a socket path over " + std::to_string(socket_path_max) + " bytes");
    }
    if (r.state_dir == r.runtime_dir && !r.state_dir.empty()) {
      at_runtime(
          "state_dir",
          "equals runtime_dir: the latch must survive a reboot, the runtime directory does not");
    }
  }

  const Config& c_;
  const Complain& complain_;
};

}  // namespace

std::string ConfigPath::text() const {
  const std::string name{table};
  std::string out = array ? "[[" + name + "]] " + std::to_string(index + 1) : "[" + name + "]";
  if (!key.empty()) out += " " + std::string{key};
  return out;
}

TomlPlace place_of_path(const TomlValue& root, const ConfigPath& path) {
  const TomlValue* at = &root;
  std::string_view rest = path.table;
  while (at != nullptr && !rest.empty()) {
    const auto dot = rest.find('.');
    at = at->find(rest.substr(0, dot));
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
  }
  if (at != nullptr && path.array)
    at = path.index < at->items.size() ? &at->items[path.index] : nullptr;
  if (at == nullptr) return {};
  const auto* value = at->find(path.key);
  return value != nullptr ? value->place : at->place;
}

void check_config(const Config& config, const Complain& complain) {
  Checker{config, complain}.run();
}

}  // namespace gimbal
