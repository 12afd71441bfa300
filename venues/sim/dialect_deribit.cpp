#include "venues/sim/dialect_deribit.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "venues/sim/dialect_methods.hpp"
#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

constexpr Nanos batch_period = milliseconds(100);

ExchTime next_multiple(ExchTime after, Nanos period) {
  return {(after.unix_ns / period.count + 1) * period.count};
}

std::int64_t unix_us(ExchTime t) { return t.unix_ns / 1000; }

std::string_view dialect_message(int venue_code) {
  switch (venue_code) {
    case code::parse_error: return "Parse error";
    case code::invalid_request: return "bad request";
    case code::method_not_found: return "Method not found";
    case code::invalid_params: return "Invalid params";
    case code::missing_params: return "Missing params";
    case code::must_be_websocket: return "must_be_websocket_request";
    case code::test_exception: return "bad_request";
    case code::not_found: return "not_found";
    case code::forbidden: return "forbidden";
    case code::raw_needs_auth: return "raw_subscriptions_not_available_for_unauthorized";
    default: return message_of(venue_code);
  }
}

}  // namespace

bool Grant::allows(Access access) const noexcept {
  switch (access) {
    case Access::open: return true;
    case Access::account_read: return account_read;
    case Access::trade_read: return trade_read;
    case Access::trade_write: return trade_write;
  }
  return false;
}

void Call::fail(int venue_code) {
  error = venue_code;
  message = std::string{dialect_message(venue_code)};
  data.clear();
  if (venue_code == code::unauthorized) data = R"({"reason":"invalid_token"})";
}

void Call::invalid(std::string_view param, std::string_view reason) {
  fail(code::invalid_params);
  JsonText json{data};
  json.open_object();
  json.member("reason", reason);
  json.member("param", param);
  json.close_object();
}

DeribitDialect::Inside::Inside(SimExchange& e, const DialectConfig& c, ReplayMarket* r)
    : exchange{e}, config{c}, replay{r}, faults{c.faults}, random_state{c.seed * 2 + 1} {
  next_batch = next_multiple(e.now(), batch_period);
  next_second = next_multiple(e.now(), seconds(1));
  const std::size_t count = e.instruments().size();
  by_instrument.resize(count);
  book_listeners.resize(count);
  ticker_listeners.resize(count);
}

std::uint64_t DeribitDialect::Inside::draw() {
  random_state += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = random_state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

JsonText DeribitDialect::Inside::writer(std::string& out) {
  if (!config.vary) return JsonText{out, NumberStyle::fixed};
  const std::uint64_t choice = draw() & 7;
  if (choice < 5) return JsonText{out, NumberStyle::shortest};
  return JsonText{out, choice == 5 ? NumberStyle::trimmed : NumberStyle::fixed};
}

Session* DeribitDialect::Inside::session(ConnectionId id) noexcept {
  const auto at = sessions.find(id);
  return at == sessions.end() ? nullptr : at->second.get();
}

// --- queues -----------------------------------------------------------------------------------

void DeribitDialect::Inside::queue_frame(Session& s, std::string text, Nanos latency) {
  if (s.overflowed) return;
  s.queue_bytes += text.size();
  if (s.queue_bytes > config.queue_bytes_max) {
    s.overflowed = true;
    return;
  }
  s.last_due = std::max(s.last_due, exchange.now() + latency);
  s.queue.push_back({std::move(text), s.last_due});
}

void DeribitDialect::Inside::enqueue(Session& s, FrameKind kind, std::string text) {
  if (s.closing && kind != FrameKind::reply) return;
  if (s.muted && (kind == FrameKind::book || kind == FrameKind::market)) return;
  const std::uint64_t ordinal = s.frames++;
  const Nanos latency = faults.latency(s.id, ordinal);
  const FrameFault fault = faults.frame(kind, s.id, ordinal);
  if (fault != FrameFault::none) ++stats.frames_faulted;
  switch (fault) {
    case FrameFault::drop:
    case FrameFault::gap: return;
    case FrameFault::duplicate: queue_frame(s, text, latency); break;
    case FrameFault::malformed: text.resize(faults.damage_at(s.id, ordinal, text.size())); break;
    case FrameFault::disconnect: s.closing = true; return;
    case FrameFault::reorder:
      if (!s.held) {
        s.held = true;
        s.held_frame = std::move(text);
        return;
      }
      break;
    case FrameFault::none: break;
  }
  queue_frame(s, std::move(text), latency);
  if (std::exchange(s.held, false)) queue_frame(s, std::move(s.held_frame), latency);
}

// --- requests ---------------------------------------------------------------------------------

const Grant* DeribitDialect::Inside::token_grant(std::string_view token, const Session* on) const {
  const auto at = tokens.find(token);
  if (at == tokens.end() || at->second.refresh || at->second.expires <= exchange.now()) {
    return nullptr;
  }
  const Token& found = at->second;
  if (found.connection != 0 && on != nullptr && on->id != found.connection) return nullptr;
  return &found.grant;
}

void DeribitDialect::Inside::dispatch(Call& call, std::string_view name) {
  const Method* method = find_method(name);
  if (method == nullptr) return call.fail(code::method_not_found);
  if (const auto token = call.params->text("access_token")) {
    const Grant* grant = token_grant(*token, call.session);
    if (grant == nullptr) return call.fail(code::unauthorized);
    call.grant = *grant;
  }
  const bool known = call.grant.account != no_account;
  if (method->access != Access::open) {
    if (!known) return call.fail(code::unauthorized);
    if (!call.grant.allows(method->access)) return call.fail(code::forbidden);
  }
  if (known && method->takes_credit && !exchange.take_credit(call.grant.account, method->pool)) {
    call.fail(code::too_many_requests);
    call.terminate = true;
    return;
  }
  if (method->access == Access::trade_write && order_request_faulted(call)) return;
  (this->*method->answer)(call);
}

std::string DeribitDialect::Inside::envelope(const Request& from, const Call& call, ExchTime in) {
  std::string text;
  text.reserve(call.result.size() + 160);
  JsonText json{text};
  json.open_object();
  json.member("jsonrpc", "2.0");
  if (!from.id.empty()) json.key("id").raw(from.id);
  if (call.failed()) {
    json.key("error").open_object();
    if (config.vary && (draw() & 1) != 0) json.member("message", call.message);
    json.member_int("code", call.error);
    if (!call.data.empty()) json.key("data").raw(call.data);
    if (text.find("\"message\"") == std::string::npos) json.member("message", call.message);
    json.close_object();
  } else {
    json.key("result").raw(call.result);
  }
  const std::int64_t us_in = unix_us(in);
  const std::int64_t us_out = std::max(us_in, unix_us(exchange.now())) + 20;
  json.member_int("usIn", us_in);
  json.member_int("usOut", us_out);
  json.member_int("usDiff", us_out - us_in);
  json.member_bool("testnet", config.testnet);
  json.close_object();
  return text;
}

void DeribitDialect::Inside::handle(Session& s, std::string_view text) {
  if (s.closing) return;
  ++stats.frames_in;
  ++s.requests;
  const ExchTime in = exchange.now();
  Call call;
  call.session = &s;
  if (s.grant.account != no_account && s.login_expires > in) call.grant = s.grant;
  if (text.size() > request_bytes_max) {
    request = {};
    call.fail(code::invalid_request, "request entity too large");
  } else {
    switch (parser.parse(text, request)) {
      case RequestStatus::ok:
        call.params = &request.params;
        dispatch(call, request.method);
        break;
      case RequestStatus::parse_error: call.fail(code::parse_error); break;
      case RequestStatus::invalid_request: call.fail(code::invalid_request); break;
      case RequestStatus::invalid_params: call.invalid("params", "must be an object"); break;
    }
  }
  // What the call caused goes before or after its reply, as the seed has it.
  const bool order_call = !user_orders.empty() || !user_trades.empty();
  const bool reply_last = order_call && config.vary && (draw() & 3) == 0;
  if (reply_last) settle();
  if (call.failed()) ++stats.error_replies;
  if (call.error == code::too_many_requests) ++stats.rate_limit_errors;
  if (!call.silent) {
    ++stats.replies;
    enqueue(s, FrameKind::reply, envelope(request, call, in));
  }
  for (Channel* channel : call.snapshots) send_snapshot(s, *channel);
  settle();
  if (call.terminate) s.closing = true;
}

void DeribitDialect::Inside::close_session(Session& s, bool graceful) {
  while (!s.channels.empty()) {
    Channel* channel = s.channels.begin()->second;
    s.channels.erase(s.channels.begin());
    leave(s, *channel);
  }
  for (auto at = tokens.begin(); at != tokens.end();) {
    at = at->second.connection == s.id ? tokens.erase(at) : std::next(at);
  }
  const ConnectionId id = s.id;
  sessions.erase(id);
  exchange.close_connection(id, graceful, *this);
  settle();
}

// --- time -------------------------------------------------------------------------------------

void DeribitDialect::Inside::heartbeats() {
  const ExchTime now = exchange.now();
  for (auto& [id, owned] : sessions) {
    Session& s = *owned;
    if (s.heartbeat_s == 0 || s.closing || now < s.next_heartbeat) continue;
    if (s.test_pending) {
      ++stats.heartbeat_closes;
      s.closing = true;
      continue;
    }
    s.next_heartbeat = now + seconds(s.heartbeat_s);
    s.test_pending = true;
    enqueue(s, FrameKind::reply,
            R"({"params":{"type":"heartbeat"},"method":"heartbeat","jsonrpc":"2.0"})");
    enqueue(s, FrameKind::reply,
            R"({"params":{"type":"test_request"},"method":"heartbeat","jsonrpc":"2.0"})");
  }
}

void DeribitDialect::Inside::advance(ExchTime to) {
  while (exchange.now() < to) {
    const ExchTime stop = std::min(to, next_batch);
    exchange.advance(stop, *this);
    settle();
    if (replay != nullptr) replay_due();
    if (stop < next_batch) break;
    flush_batches(Interval::ms100);
    if (next_batch >= next_second) {
      flush_batches(Interval::agg2);
      heartbeats();
      next_second = next_multiple(next_second, seconds(1));
    }
    next_batch = next_multiple(next_batch, batch_period);
  }
}

// --- the public face ----------------------------------------------------------------------------

DeribitDialect::DeribitDialect(SimExchange& exchange, const DialectConfig& config,
                               ReplayMarket* replay)
    : inside_{std::make_unique<Inside>(exchange, config, replay)} {}

DeribitDialect::~DeribitDialect() = default;

ExchTime DeribitDialect::now() const noexcept { return inside_->exchange.now(); }

void DeribitDialect::advance(ExchTime to) { inside_->advance(to); }

ConnectionId DeribitDialect::connect() {
  auto made = std::make_unique<Session>();
  made->id = inside_->exchange.open_connection();
  ++inside_->stats.connections;
  const ConnectionId id = made->id;
  inside_->sessions.emplace(id, std::move(made));
  return id;
}

void DeribitDialect::receive(ConnectionId connection, std::string_view text) {
  if (Session* s = inside_->session(connection)) inside_->handle(*s, text);
}

void DeribitDialect::disconnected(ConnectionId connection) {
  if (Session* s = inside_->session(connection)) inside_->close_session(*s, s->logged_out);
}

bool DeribitDialect::pop(ConnectionId connection, std::string& frame) {
  Session* s = inside_->session(connection);
  if (s == nullptr || s->queue.empty() || s->queue.front().due > now()) return false;
  frame = std::move(s->queue.front().text);
  s->queue.pop_front();
  s->queue_bytes -= std::min(s->queue_bytes, frame.size());
  ++inside_->stats.frames_out;
  return true;
}

bool DeribitDialect::closing(ConnectionId connection) const noexcept {
  const Session* s = inside_->session(connection);
  return s == nullptr || (s->closing && s->queue.empty());
}

bool DeribitDialect::overflowed(ConnectionId connection) const noexcept {
  const Session* s = inside_->session(connection);
  return s != nullptr && s->overflowed;
}

HttpAnswer DeribitDialect::http(const HttpCall& call) { return inside_->handle_http(call); }

void DeribitDialect::drop_all_connections() {
  for (auto& [id, s] : inside_->sessions) s->closing = true;
}

void DeribitDialect::mute_connections() {
  for (auto& [id, s] : inside_->sessions) s->muted = true;
}

void DeribitDialect::set_maintenance(bool on) { inside_->exchange.set_maintenance(on, *inside_); }

void DeribitDialect::shock(std::string_view coin, double log_return) {
  inside_->exchange.shock(coin, log_return, *inside_);
  inside_->settle();
}

void DeribitDialect::set_ticks(InstrumentIndex instrument, const TickSchedule& ticks) {
  inside_->exchange.set_ticks(instrument, ticks, *inside_);
  inside_->settle();
}

void DeribitDialect::set_terms(InstrumentIndex instrument, const TickSchedule& ticks, Qty lot) {
  inside_->exchange.set_terms(instrument, ticks, lot, *inside_);
  inside_->settle();
}

bool DeribitDialect::void_trade(std::size_t row) {
  const bool done = inside_->exchange.void_trade(row, *inside_);
  inside_->settle();
  return done;
}

Qty DeribitDialect::deleverage(AccountId account, InstrumentIndex instrument, Qty amount) {
  const Qty closed = inside_->exchange.deleverage(account, instrument, amount, *inside_);
  inside_->settle();
  return closed;
}

std::size_t DeribitDialect::list_expiry(std::uint32_t product, ExchTime expiry, Period period) {
  const std::size_t count = inside_->exchange.list_expiry(product, expiry, period, *inside_);
  inside_->settle();
  return count;
}

std::size_t DeribitDialect::settle_expiry(std::uint32_t product, ExchTime expiry) {
  const std::size_t count = inside_->exchange.settle_expiry(product, expiry, *inside_);
  inside_->settle();
  return count;
}

const DialectStats& DeribitDialect::stats() const noexcept { return inside_->stats; }

SimExchange& DeribitDialect::exchange() noexcept { return inside_->exchange; }

}  // namespace gimbal::sim
