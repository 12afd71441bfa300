// Login, tokens, heartbeats, cancel-on-disconnect, and the door over HTTPS.
#include <algorithm>
#include <charconv>

#include "venues/sim/dialect_state.hpp"
#include "venues/sim/sign.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t signature_window_ms = 60'000;
constexpr std::int64_t heartbeat_s_min = 10;
constexpr std::string_view api_version = "1.2.26";
constexpr std::string_view api_path = "/api/v2";

// The parts of a space separated text.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

struct Asked {
  bool session{false};
  std::int64_t expires_s{0};
  bool account_named{false};
  bool trade_named{false};
};

void grant_word(Grant& grant, Asked& asked, std::string_view word) {
  const auto read_write = [word](std::string_view key) {
    return word == std::string{key} + ":read_write";
  };
  if (starts_with(word, "session:")) asked.session = true;
  if (starts_with(word, "expires:")) {
    const std::string_view digits = word.substr(8);
    std::from_chars(digits.data(), digits.data() + digits.size(), asked.expires_s);
  }
  if (starts_with(word, "account:")) {
    asked.account_named = true;
    grant.account_read = word == "account:read" || read_write("account");
  }
  if (starts_with(word, "trade:")) {
    asked.trade_named = true;
    grant.trade_read = word == "trade:read" || read_write("trade");
    grant.trade_write = read_write("trade");
  }
}

// What a login gets: all it asks for, and everything it does not mention.
Asked grant_scope(Grant& grant, std::string_view scope) {
  Asked asked;
  for (const std::string_view word : words(scope)) {
    if (word == "mainaccount") continue;
    grant_word(grant, asked, word);
    grant.scope += std::string{word} + ' ';
  }
  if (!asked.account_named) {
    grant.account_read = true;
    grant.scope += "account:read_write ";
  }
  if (!asked.trade_named) {
    grant.trade_read = grant.trade_write = true;
    grant.scope += "trade:read_write ";
  }
  if (!asked.session && grant.scope.find("connection") == std::string::npos) {
    grant.scope += "connection ";
  }
  grant.scope += "mainaccount";
  return asked;
}

std::string signed_text(const Params& p) {
  const Param* timestamp = p.find("timestamp");
  const Param* nonce = p.find("nonce");
  const Param* data = p.find("data");
  return (timestamp ? timestamp->text : std::string{}) + '\n' +
         (nonce ? nonce->text : std::string{}) + '\n' + (data ? data->text : std::string{});
}

// The value of `name=` in a comma separated header.
std::string_view header_field(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find(','), header.size());
    std::string_view part = header.substr(0, end);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    if (starts_with(part, name) && part.size() > name.size() && part[name.size()] == '=') {
      return part.substr(name.size() + 1);
    }
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return {};
}

std::string from_base64(std::string_view text) {
  static constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) break;
    bits = (bits << 6) | static_cast<unsigned>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>((bits >> held) & 0xFF);
    }
  }
  return out;
}

}  // namespace

const Credential* DeribitDialect::Inside::credential(std::string_view client_id) const noexcept {
  for (const Credential& key : config.extra_keys) {
    if (key.client_id == client_id) return &key;
  }
  return exchange.credential(client_id);
}

void DeribitDialect::Inside::auth(Call& call) {
  const Params& p = *call.params;
  const auto grant_type = p.text("grant_type");
  if (!grant_type) return call.invalid("grant_type", "value required");
  const bool by_refresh = *grant_type == "refresh_token";
  const bool by_secret = *grant_type == "client_credentials";
  if (!by_refresh && !by_secret && *grant_type != "client_signature") {
    return call.invalid("grant_type", "invalid value");
  }
  if (by_refresh) {
    const auto at = tokens.find(p.text("refresh_token").value_or(""));
    const bool alive = at != tokens.end() && at->second.refresh &&
                       (at->second.connection == 0 || call.session == nullptr ||
                        at->second.connection == call.session->id);
    if (!alive) return call.fail(code::invalid_credentials);
    const Token old = at->second;
    tokens.erase(at);
    return issue(call, old.grant, old.connection == 0, config.token_life_s);
  }
  const Credential* known = credential(p.text("client_id").value_or(""));
  if (known == nullptr) return call.fail(code::invalid_credentials);
  bool genuine = false;
  if (by_secret) {
    genuine = same_secret(p.text("client_secret").value_or(""), known->secret);
  } else {
    const std::int64_t age = to_unix_ms(exchange.now()) - p.integer("timestamp").value_or(0);
    // A recording plays at its own date, where no client's wall clock is.
    const bool recent =
        replay != nullptr || (age < signature_window_ms && age > -signature_window_ms);
    genuine = recent && same_secret(p.text("signature").value_or(""),
                                    hmac_sha256_hex(known->secret, signed_text(p)));
  }
  if (!genuine) return call.fail(code::invalid_credentials);
  Grant grant;
  grant.account = known->account;
  const Asked asked = grant_scope(grant, p.text("scope").value_or(""));
  const std::int64_t life =
      asked.expires_s > 0 ? std::min(asked.expires_s, config.token_life_s) : config.token_life_s;
  issue(call, std::move(grant), asked.session, life);
}

void DeribitDialect::Inside::issue(Call& call, Grant grant, bool session_scope, std::int64_t life) {
  static constexpr char hex[] = "0123456789abcdef";
  std::array<std::string, 2> names;
  for (std::string& name : names) {
    for (int i = 0; i < 3; ++i) {
      for (std::uint64_t word = draw(); word != 0; word >>= 4) name += hex[word & 15];
    }
  }
  const ExchTime expires = exchange.now() + seconds(life);
  const ConnectionId owner = session_scope || call.session == nullptr ? 0 : call.session->id;
  tokens[names[0]] = {grant, owner, expires, false};
  tokens[names[1]] = {grant, owner, expires, true};
  if (call.session != nullptr) {
    Session& s = *call.session;
    if (s.grant.account != grant.account) exchange.bind(s.id, grant.account);
    s.grant = grant;
    s.login_expires = expires;
  }
  JsonText json{call.result};
  json.open_object();
  json.member("access_token", names[0]);
  json.member_int("expires_in", life);
  json.member("refresh_token", names[1]);
  json.member("scope", grant.scope);
  json.member("token_type", "bearer");
  json.key("enabled_features").raw("[]");
  if (session_scope) json.member("sid", names[1].substr(0, 16));
  json.close_object();
}

void DeribitDialect::Inside::hello(Call& call) {
  if (!call.params->has("client_name")) return call.invalid("client_name", "value required");
  if (!call.params->has("client_version")) return call.invalid("client_version", "value required");
  test(call);
}

void DeribitDialect::Inside::test(Call& call) {
  if (call.params->text("expected_result").value_or("") == "exception") {
    return call.fail(code::test_exception);
  }
  if (call.session != nullptr) call.session->test_pending = false;
  JsonText json{call.result};
  json.open_object();
  json.member("version", api_version);
  json.close_object();
}

void DeribitDialect::Inside::get_time(Call& call) {
  JsonText{call.result}.integer(to_unix_ms(exchange.now()));
}

void DeribitDialect::Inside::set_heartbeat(Call& call) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  const auto interval = call.params->integer("interval");
  if (!interval) return call.invalid("interval", "value required");
  if (*interval < heartbeat_s_min) return call.invalid("interval", "value must be >= 10");
  if (*interval > 86'400) return call.invalid("interval", "value must be <= 86400");
  call.session->heartbeat_s = *interval;
  call.session->next_heartbeat = exchange.now() + seconds(*interval);
  call.session->test_pending = false;
  call.ok();
}

void DeribitDialect::Inside::disable_heartbeat(Call& call) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  call.session->heartbeat_s = 0;
  call.session->test_pending = false;
  call.ok();
}

void DeribitDialect::Inside::logout(Call& call) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  call.session->logged_out = true;
  call.silent = true;
  call.terminate = true;
  if (!call.params->flag("invalidate_token").value_or(true)) return;
  for (auto at = tokens.begin(); at != tokens.end();) {
    at = at->second.grant.account == call.grant.account && at->second.connection == call.session->id
             ? tokens.erase(at)
             : std::next(at);
  }
}

void DeribitDialect::Inside::enable_cod(Call& call) { set_cod(call, true); }
void DeribitDialect::Inside::disable_cod(Call& call) { set_cod(call, false); }

void DeribitDialect::Inside::set_cod(Call& call, bool on) {
  const std::string_view scope = call.params->text("scope").value_or("connection");
  if (scope != "connection" && scope != "account") return call.invalid("scope", "invalid value");
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  const int refused = exchange.set_cod(
      call.session->id, scope == "account" ? CodScope::account : CodScope::connection, on);
  if (refused != code::ok) return call.fail(refused);
  call.ok();
}

void DeribitDialect::Inside::get_cod(Call& call) {
  if (call.session == nullptr) return call.fail(code::must_be_websocket);
  const ConnectionId id = call.session->id;
  JsonText json{call.result};
  json.open_object();
  const std::string_view asked = call.params->text("scope").value_or("");
  const bool account = exchange.cod_scope(id) == CodScope::account;
  json.member("scope", !asked.empty() ? asked : account ? "account" : "connection");
  json.member_bool("enabled", exchange.cod_enabled(id));
  json.close_object();
}

// --- HTTPS ------------------------------------------------------------------------------------

void DeribitDialect::Inside::authorize_header(std::string_view header, const HttpCall& http,
                                              Call& call) {
  if (header.empty()) return;
  const auto space = std::min(header.find(' '), header.size());
  std::string kind{header.substr(0, space)};
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const std::string_view rest = header.substr(std::min(space + 1, header.size()));
  if (kind == "bearer") {
    const Grant* grant = token_grant(rest, nullptr);
    return grant != nullptr ? void(call.grant = *grant) : call.fail(code::unauthorized);
  }
  std::string id;
  bool genuine = false;
  if (kind == "basic") {
    const std::string pair = from_base64(rest);
    const std::size_t colon = std::min(pair.find(':'), pair.size());
    id = pair.substr(0, colon);
    const Credential* known = credential(id);
    genuine = known != nullptr && colon < pair.size() &&
              same_secret(pair.substr(colon + 1), known->secret);
  } else if (kind == "deri-hmac-sha256") {
    id = std::string{header_field(rest, "id")};
    const std::string ts{header_field(rest, "ts")};
    const std::string nonce{header_field(rest, "nonce")};
    std::int64_t sent_ms = 0;
    std::from_chars(ts.data(), ts.data() + ts.size(), sent_ms);
    const std::int64_t age = to_unix_ms(exchange.now()) - sent_ms;
    const std::string text = ts + '\n' + nonce + '\n' + std::string{http.verb} + '\n' +
                             std::string{http.target} + '\n' + std::string{http.body} + '\n';
    const Credential* known = credential(id);
    genuine = known != nullptr && age < signature_window_ms && age > -signature_window_ms &&
              same_secret(header_field(rest, "sig"), hmac_sha256_hex(known->secret, text));
  }
  const Credential* known = credential(id);
  if (!genuine || known == nullptr) return call.fail(code::unauthorized);
  call.grant.account = known->account;
  grant_scope(call.grant, "");
}

HttpAnswer DeribitDialect::Inside::handle_http(const HttpCall& http) {
  const ExchTime in = exchange.now();
  ++stats.frames_in;
  std::string_view path = http.target.substr(0, http.target.find('?'));
  if (!starts_with(path, api_path)) return {404, R"({"error":"not found"})", false};
  path.remove_prefix(api_path.size());
  Call call;
  RequestStatus status = RequestStatus::ok;
  request = {};
  if (http.body.size() > request_bytes_max) {
    call.fail(code::invalid_request, "request entity too large");
  } else if (http.verb == "POST" && !http.body.empty()) {
    status = parser.parse(http.body, request);
  } else if (http.target.find('?') != std::string_view::npos) {
    parser.parse_query(http.target.substr(http.target.find('?') + 1), request);
  }
  if (path.size() > 1) request.method = std::string{path.substr(1)};
  if (status == RequestStatus::parse_error) call.fail(code::parse_error);
  if (status == RequestStatus::invalid_request && path.size() <= 1) {
    call.fail(code::invalid_request);
  }
  if (status == RequestStatus::invalid_params) call.invalid("params", "must be an object");
  if (!call.failed()) authorize_header(http.authorization, http, call);
  call.params = &request.params;
  if (!call.failed()) dispatch(call, request.method);
  settle();
  ++stats.replies;
  if (call.failed()) ++stats.error_replies;
  if (call.error == code::too_many_requests) ++stats.rate_limit_errors;
  const int http_status = !call.failed() ? 200 : call.error == code::too_many_requests ? 429 : 400;
  return {http_status, envelope(request, call, in), call.terminate};
}

}  // namespace gimbal::sim
