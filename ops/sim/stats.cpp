#include "ops/sim/stats.hpp"

#include <fmt/format.h>

#include <cmath>
#include <stdexcept>

#include "venues/sim/json_text.hpp"

namespace gimbal::sim {
namespace {

// Results of one account in one currency by instrument class.
struct ClassResults {
  double options_unrealised{0};  // value of options held
  double delta_one_unrealised{0};
  double options_realised{0};    // trades' profit as the venue books it
  double delta_one_realised{0};  // funding included
  double funding{0};
  double fees{0};
};

double recorded_value(const World& w, AccountId account, Currency c) {
  double value = 0;
  if (w.replay == nullptr) return value;
  for (const auto& h : w.replay->holdings(account)) {
    if (h.option->currency == c.text()) value += h.size * h.option->mark;
  }
  return value;
}

ClassResults results_of(const World& w, AccountId account, Currency c) {
  const SimExchange& x = *w.exchange;
  const Summary s = x.summary(account, c);
  ClassResults r;
  r.options_unrealised = to_double(s.options_value) + recorded_value(w, account, c);
  r.delta_one_unrealised = to_double(s.futures_session_upl);
  r.delta_one_realised = to_double(s.futures_session_rpl);
  r.fees = to_double(s.fees);
  for (const Position& p : x.positions(account)) {
    if (x.instruments()[p.instrument].def.settlement == c) r.funding += to_double(p.funding);
  }
  for (const std::size_t i : x.user_trades(account, 0)) {
    const UserTrade& t = x.user_trade(i);
    if (t.currency == c && is_option(x.instruments()[t.trade.instrument].def.kind)) {
      r.options_realised += to_double(t.profit);
    }
  }
  return r;
}

void write_counters(JsonText& json, const DialectStats& d, const ServerStats& s) {
  json.member_int("connections", static_cast<std::int64_t>(s.connections));
  json.member_int("websockets", static_cast<std::int64_t>(s.websockets));
  json.member_int("http_requests", static_cast<std::int64_t>(s.http_requests));
  json.member_int("refused_429", static_cast<std::int64_t>(s.refused_429));
  json.member_int("tls_failures", static_cast<std::int64_t>(s.tls_failures));
  json.member_int("slow_closed", static_cast<std::int64_t>(s.slow_closed));
  json.member_int("bytes_in", static_cast<std::int64_t>(s.bytes_in));
  json.member_int("bytes_out", static_cast<std::int64_t>(s.bytes_out));
  json.member_int("frames_in", static_cast<std::int64_t>(d.frames_in));
  json.member_int("frames_out", static_cast<std::int64_t>(d.frames_out));
  json.member_int("notifications", static_cast<std::int64_t>(d.notifications));
  json.member_int("error_replies", static_cast<std::int64_t>(d.error_replies));
  json.member_int("rate_limit_errors", static_cast<std::int64_t>(d.rate_limit_errors));
  json.member_int("orders", static_cast<std::int64_t>(d.orders));
  json.member_int("edits", static_cast<std::int64_t>(d.edits));
  json.member_int("order_rejects", static_cast<std::int64_t>(d.order_rejects));
  json.member_int("fills", static_cast<std::int64_t>(d.fills));
  json.member_int("heartbeat_closes", static_cast<std::int64_t>(d.heartbeat_closes));
  json.member_int("frames_faulted", static_cast<std::int64_t>(d.frames_faulted));
}

void write_spread(JsonText& json, const EquityLog::Spread& spread) {
  json.member_real("equity_start", spread.first);
  json.member_real("equity_end", spread.last);
  json.member_real("pl", spread.last - spread.first);
  json.member_real("pl_std_1s", spread.deviation);
}

}  // namespace

double usd_price(const SimExchange& x, Currency c) {
  const auto& products = x.config().products;
  for (std::uint32_t i = 0; i < products.size(); ++i) {
    if (products[i].settlement != c.text()) continue;
    return products[i].linear ? 1.0 : to_double(x.index_price(i));
  }
  return 1.0;
}

EquityLog::EquityLog(const World& world, const std::filesystem::path& csv)
    : world_{world}, currencies_{world.exchange->currencies()}, next_{world.exchange->now()} {
  if (csv.empty()) return;
  csv_.open(csv);
  if (!csv_) throw std::runtime_error{"cannot write " + csv.string()};
  csv_ << "time_ms,btc_usd";
  for (const NamedAccount& a : world.accounts) {
    for (const Currency c : currencies_) csv_ << ',' << a.name << "_equity_" << c.text();
    csv_ << ',' << a.name << "_equity_usd";
  }
  csv_ << '\n';
}

std::vector<double> EquityLog::row() const {
  std::vector<double> out;
  for (const NamedAccount& a : world_.accounts) {
    double usd = 0;
    for (const Currency c : currencies_) {
      const double equity =
          to_double(world_.exchange->summary(a.id, c).equity) + recorded_value(world_, a.id, c);
      out.push_back(equity);
      usd += equity * usd_price(*world_.exchange, c);
    }
    out.push_back(usd);
  }
  return out;
}

void EquityLog::sample(ExchTime now) {
  if (now < next_) return;
  next_ = now + seconds(1);
  times_.push_back(to_unix_ms(now));
  world_.exchange->mark_now();
  rows_.push_back(row());
  if (!csv_.is_open()) return;
  csv_ << fmt::format("{},{:.2f}", times_.back(), usd_price(*world_.exchange, currencies_.front()));
  for (const double value : rows_.back()) csv_ << fmt::format(",{:.9f}", value);
  csv_ << '\n';
  csv_.flush();
}

EquityLog::Spread EquityLog::spread(std::size_t account, std::size_t c) const {
  const std::size_t column = account * (currencies_.size() + 1) + c;
  Spread s;
  if (rows_.empty()) return s;
  s.first = rows_.front()[column];
  s.last = rows_.back()[column];
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 1; i < rows_.size(); ++i) {
    const double change = rows_[i][column] - rows_[i - 1][column];
    sum += change;
    squares += change * change;
  }
  const auto n = static_cast<double>(rows_.size() - 1);
  if (n >= 2) s.deviation = std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
  return s;
}

std::size_t resting_orders(const World& world) {
  std::size_t count = 0;
  for (const NamedAccount& a : world.accounts) count += world.exchange->open_orders(a.id).size();
  return count;
}

std::string closing_json(const World& world, const EquityLog& log, const DialectStats& dialect,
                         const ServerStats& server) {
  const std::vector<Currency> currencies = world.exchange->currencies();
  std::string out;
  JsonText json{out, NumberStyle::fixed};
  json.open_object();
  write_counters(json, dialect, server);
  json.member_int("orders_resting", static_cast<std::int64_t>(resting_orders(world)));
  json.member_int("equity_samples", static_cast<std::int64_t>(log.samples()));
  json.key("accounts").open_array();
  for (std::size_t a = 0; a < world.accounts.size(); ++a) {
    const NamedAccount& account = world.accounts[a];
    json.open_object();
    json.member("name", account.name);
    json.member_int("orders_resting",
                    static_cast<std::int64_t>(world.exchange->open_orders(account.id).size()));
    json.member_int("trades",
                    static_cast<std::int64_t>(world.exchange->user_trades(account.id, 0).size()));
    json.member_bool("bankrupt", world.exchange->bankrupt(account.id));
    json.key("usd").open_object();
    write_spread(json, log.spread(a, currencies.size()));
    json.close_object();
    json.key("currencies").open_object();
    for (std::size_t c = 0; c < currencies.size(); ++c) {
      const ClassResults r = results_of(world, account.id, currencies[c]);
      json.key(currencies[c].text()).open_object();
      write_spread(json, log.spread(a, c));
      json.member_real("usd_price", usd_price(*world.exchange, currencies[c]));
      json.member_real("fees", r.fees);
      json.member_real("funding", r.funding);
      json.member_real("options_value", r.options_unrealised);
      json.member_real("options_realised", r.options_realised);
      json.member_real("delta_one_unrealised", r.delta_one_unrealised);
      json.member_real("delta_one_realised", r.delta_one_realised);
      json.close_object();
    }
    json.close_object();
    json.close_object();
  }
  json.close_array();
  json.close_object();
  return out;
}

std::string closing_text(const World& world, const EquityLog& log, const DialectStats& d,
                         const ServerStats& s) {
  std::string out = fmt::format(
      "connections {} (websockets {}, refused 429 {}), frames in {} out {}, errors {}, "
      "rate-limit errors {}\norders {}, edits {}, rejects {}, fills {}, resting now {}\n",
      s.connections, s.websockets, s.refused_429, d.frames_in, d.frames_out, d.error_replies,
      d.rate_limit_errors, d.orders, d.edits, d.order_rejects, d.fills, resting_orders(world));
  const std::vector<Currency> currencies = world.exchange->currencies();
  for (std::size_t a = 0; a < world.accounts.size(); ++a) {
    for (std::size_t c = 0; c < currencies.size(); ++c) {
      const EquityLog::Spread e = log.spread(a, c);
      if (e.first == 0 && e.last == 0) continue;
      const ClassResults r = results_of(world, world.accounts[a].id, currencies[c]);
      out += fmt::format(
          "{:<10} {:<5} equity {:.6f} -> {:.6f}, 1 s deviation {:.6f}, fees {:.6f}, funding "
          "{:.6f}\n",
          world.accounts[a].name, currencies[c].text(), e.first, e.last, e.deviation, r.fees,
          r.funding);
    }
  }
  return out;
}

}  // namespace gimbal::sim
