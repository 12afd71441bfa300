// Login frames and answers: see login.hpp.
#include <simdjson.h>

#include "venues/deribit/login.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "feeds/deribit/fields.hpp"
#include "venues/deribit/json_writer.hpp"

namespace gimbal::deribit {

namespace {

using simdjson::ondemand::value;

constexpr std::size_t answer_max = 16 * 1024;  // bytes; auth answers are below 2 kB
constexpr std::int64_t request_ids = 1000;

void wipe(std::string& text) noexcept {
  volatile char* at = text.data();
  for (std::size_t i = 0; i < text.size(); ++i) at[i] = '\0';
  text.clear();
}

struct Answer {
  std::int64_t id{-1};
  bool has_result{false};
  bool has_error{false};
  std::int64_t error_code{0};
  std::string_view access_token, refresh_token, scope;
  std::int64_t expires_s{0};
  std::int64_t us_out{0};  // the venue's time; 0: not given
};

bool read_result(value& v, Answer& a) noexcept {
  a.has_result = true;
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::access_token: return read_text(m, a.access_token);
      case Key::refresh_token: return read_text(m, a.refresh_token);
      case Key::scope: return read_text(m, a.scope);
      case Key::expires_in: return read_integer(m, a.expires_s);
      default: return skip(m);
    }
  });
}

bool read_error(value& v, Answer& a) noexcept {
  a.has_error = true;
  if (!is_object(v)) return skip(v);
  SeenKeys seen;
  return read_object(v, seen, [&](Key key, value& m) noexcept {
    return key == Key::code ? read_integer(m, a.error_code) : skip(m);
  });
}

constexpr Nanos answer_wait = seconds(4);  // then the login is asked for again
constexpr Nanos refresh_wait = seconds(10);
// A signature may be refused for this host's clock alone (the venue takes 60 s); a few times more
// costs nothing and needs no new connection, a key that is wrong stays wrong.
constexpr std::int32_t invalid_credentials = 13004;
constexpr std::array signed_again_after{seconds(1), seconds(2), seconds(4)};  // a connection
// Of several requests on their way one may be lost for good: so many refusals decide without it.
constexpr std::int64_t refusals_max = 3;

// Row X-01: no key of ours may move money out.
constexpr std::string_view withdrawal_scope = "wallet:read_write";

// Whether one granted word gives what one required word asks.
bool word_covers(std::string_view granted, std::string_view required) noexcept {
  if (granted == required) return true;
  return granted.size() == required.size() + 6 && granted.substr(required.size()) == "_write" &&
         granted.substr(0, required.size()) == required && required.size() > 5 &&
         required.substr(required.size() - 5) == ":read";
}

template <class Visit>
bool each_word(std::string_view text, Visit&& visit) noexcept {
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    const std::string_view word = text.substr(0, space);
    if (!word.empty() && !visit(word)) return false;
    if (space == std::string_view::npos) break;
    text.remove_prefix(space + 1);
  }
  return true;
}

}  // namespace

bool scope_covers(std::string_view granted, std::string_view required) noexcept {
  return each_word(required, [&](std::string_view wanted) noexcept {
    return !each_word(granted,
                      [&](std::string_view word) noexcept { return !word_covers(word, wanted); });
  });
}

struct DeribitLogin::State {
  LoginConfig config;
  simdjson::ondemand::parser parser;
  std::string access_token;
  std::string refresh_token;
  std::string refusal;
  std::array<char, 4096> text{};
  std::int64_t next_id{0};
  std::int64_t pending_id{0};  // the newest request, 0 when none waits
  std::int64_t unanswered{0};  // requests since the last answer
  std::int64_t refused{0};     // of these
  std::uint64_t nonce{0};
  RecvTime refresh_at{};
  RecvTime again_at{};  // of a login without an answer, or refused and `sign_again`
  std::size_t signed_again{0};
  std::int64_t venue_ms{0};  // what a refusal said; 0: none has
  RecvTime venue_at{};       // and when
  bool sign_again{false};
  std::int32_t error_code{0};
  bool ready{false};
  bool open{false};

  ~State() {
    wipe(access_token);
    wipe(refresh_token);
    text.fill('\0');
  }
  std::int64_t take_id() noexcept {
    pending_id = config.first_request_id + next_id++ % request_ids;
    if (unanswered < request_ids) ++unanswered;
    return pending_id;
  }
  // A slow answer belongs to an older request of this connection.
  [[nodiscard]] bool asked(std::int64_t id) const noexcept {
    if (id < config.first_request_id || id >= config.first_request_id + request_ids) return false;
    const std::int64_t back = pending_id - id;
    return (back < 0 ? back + request_ids : back) < unanswered;
  }
  // The token in use lives on: the next is asked for with the credentials.
  LoginStep refresh_refused(std::int32_t code, RecvTime now) {
    error_code = code;
    wipe(refresh_token);
    refresh_token.clear();
    refresh_at = now + refresh_wait;
    return LoginStep::waiting;
  }
  void send_grant(RecvTime now, Outbox& outbox);
  void send_refresh(Outbox& outbox);
  bool read(const Frame& frame, Answer& answer) noexcept;
  void go_by(std::int64_t us_out, RecvTime now) noexcept;
  [[nodiscard]] std::int64_t wall_ms(RecvTime now) const;
  LoginStep refuse(std::int32_t code, std::string why);
};

void DeribitLogin::State::send_grant(RecvTime now, Outbox& outbox) {
  JsonWriter w{text};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(take_id());
  w.raw(R"(,"method":"public/auth","params":{"grant_type":")");
  if (config.grant == GrantType::client_credentials) {
    w.raw(R"(client_credentials","client_id":")").plain(config.client_id);
    w.raw(R"(","client_secret":")").plain(config.client_secret).raw("\"");
  } else {
    if (config.unix_ms == nullptr) {
      (void)refuse(0, "client_signature needs a clock: LoginConfig::unix_ms is not set");
      return;
    }
    const std::int64_t ms = wall_ms(now);
    nonce = nonce * 6364136223846793005ULL + 1442695040888963407ULL;
    std::array<char, 17> nonce_text{};
    std::snprintf(nonce_text.data(), nonce_text.size(), "%016llx",
                  static_cast<unsigned long long>(nonce));
    std::array<char, 64> signature{};
    if (!sign_login(config.client_secret, ms, nonce_text.data(), "", signature)) {
      (void)refuse(0, "the login could not be signed");
      return;
    }
    w.raw(R"(client_signature","client_id":")").plain(config.client_id);
    w.raw(R"(","timestamp":)").integer(ms).raw(R"(,"nonce":")").raw(nonce_text.data());
    w.raw(R"(","data":"","signature":")").raw({signature.data(), signature.size()}).raw("\"");
  }
  if (!config.scope.empty()) w.raw(R"(,"scope":")").plain(config.scope).raw("\"");
  w.raw("}}");
  if (w.size() == 0 || !outbox.push(w.view())) {
    (void)refuse(0,
                 "the login request does not fit, or the credentials hold characters that "
                 "JSON must escape");
  }
}

void DeribitLogin::State::send_refresh(Outbox& outbox) {
  JsonWriter w{text};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(take_id());
  w.raw(R"(,"method":"public/auth","params":{"grant_type":"refresh_token","refresh_token":")");
  w.plain(refresh_token).raw(R"("}})");
  if (w.size() == 0 || !outbox.push(w.view())) pending_id = 0;  // asked again at the next timer
}

bool DeribitLogin::State::read(const Frame& frame, Answer& answer) noexcept {
  if (frame.capacity < frame.size + frame_padding) return false;
  const NothingBehind nothing_behind{frame};
  auto parsed = parser.iterate(frame.data, frame.size, frame.capacity);
  if (parsed.error() != simdjson::SUCCESS) return false;
  simdjson::ondemand::object object;
  if (parsed.value_unsafe().get_object().get(object) != simdjson::SUCCESS) return false;
  SeenKeys seen;
  return each_member(object, seen, [&](Key key, value& m) noexcept {
    switch (key) {
      case Key::id: {
        const bool whole = read_integer(m, answer.id);
        return whole || skip(m);
      }
      case Key::result: return read_result(m, answer);
      case Key::error: return read_error(m, answer);
      case Key::us_out: {
        const bool whole = read_integer(m, answer.us_out);
        return whole || skip(m);
      }
      default: return skip(m);
    }
  });
}

// A refusal says what time it is at the venue: carried on by the monotonic clock, it is what is
// signed from then on, whatever this host's wall clock says or is set to.
void DeribitLogin::State::go_by(std::int64_t us_out, RecvTime now) noexcept {
  if (us_out <= 0) return;
  venue_ms = us_out / 1000;
  venue_at = now;
}

std::int64_t DeribitLogin::State::wall_ms(RecvTime now) const {
  if (venue_ms == 0) return config.unix_ms();
  return venue_ms + (now - venue_at).count / 1'000'000;
}

LoginStep DeribitLogin::State::refuse(std::int32_t code, std::string why) {
  error_code = code;
  refusal = std::move(why);
  ready = false;
  pending_id = 0;
  return LoginStep::refused;
}

DeribitLogin::DeribitLogin(LoginConfig config) : state_{std::make_unique<State>()} {
  state_->config = std::move(config);
  state_->nonce = state_->config.nonce_seed;
  if (state_->parser.allocate(answer_max) != simdjson::SUCCESS) {
    state_->refusal = "no memory for the login's parser";
  }
}
DeribitLogin::DeribitLogin(DeribitLogin&&) noexcept = default;
DeribitLogin& DeribitLogin::operator=(DeribitLogin&&) noexcept = default;
DeribitLogin::~DeribitLogin() = default;

void DeribitLogin::on_open(RecvTime now, Outbox& outbox) {
  State& s = *state_;
  s.open = true;
  s.unanswered = s.refused = 0;
  s.signed_again = 0;
  s.sign_again = false;
  s.again_at = now + answer_wait;
  s.ready = false;
  s.error_code = 0;
  s.refusal.clear();
  s.send_grant(now, outbox);
}

LoginStep DeribitLogin::on_frame(const Frame& frame, RecvTime now, Outbox&) {
  State& s = *state_;
  if (s.pending_id == 0 || frame.size > answer_max) return LoginStep::not_mine;
  Answer a;
  if (frame.capacity < frame.size + frame_padding || !s.read(frame, a) || !s.asked(a.id)) {
    return LoginStep::not_mine;
  }
  // Of several requests one may be refused because the venue took another: all of them decide.
  if (a.has_error && ++s.refused < std::min(s.unanswered, refusals_max)) {
    s.error_code = static_cast<std::int32_t>(a.error_code);
    return LoginStep::waiting;
  }
  s.pending_id = s.unanswered = s.refused = 0;
  if (a.has_error) {
    const auto code = static_cast<std::int32_t>(a.error_code);
    if (s.ready) {
      // The credentials stand in for a refresh token that is gone: they are signed again too.
      if (code == invalid_credentials) s.go_by(a.us_out, now);
      return s.refresh_refused(code, now);
    }
    s.sign_again = !s.ready && code == invalid_credentials &&
                   s.signed_again < signed_again_after.size() &&
                   s.config.grant == GrantType::client_signature;
    if (s.sign_again) {
      s.again_at = now + signed_again_after[s.signed_again];
      s.go_by(a.us_out, now);
    }
    return s.refuse(code, "the venue refused the login with code " + std::to_string(code));
  }
  if (!a.has_result || a.access_token.empty() || a.expires_s <= 0) {
    if (s.ready) return s.refresh_refused(0, now);
    return s.refuse(0, "the login answer lacks access_token or expires_in");
  }
  if (!scope_covers(a.scope, s.config.required_scope)) {
    return s.refuse(0, "granted scope '" + std::string{a.scope} + "' lacks part of '" +
                           s.config.required_scope + "'");
  }
  if (scope_covers(a.scope, withdrawal_scope)) {
    return s.refuse(0, "the key can withdraw (scope " + std::string{withdrawal_scope} +
                           "); use one without that scope");
  }
  s.access_token = a.access_token;
  s.refresh_token = a.refresh_token;
  // Far in the future when the life is a year; 2e9 s keeps the product in range.
  const std::int64_t life_s = a.expires_s < 2'000'000'000 ? a.expires_s : 2'000'000'000;
  s.refresh_at = now + seconds(life_s) - Nanos{seconds(life_s).count / 5};
  s.ready = true;
  return LoginStep::accepted;
}

void DeribitLogin::on_timer(RecvTime now, Outbox& outbox) {
  State& s = *state_;
  if (!s.open) return;
  // No answer, or one that could not be read: heartbeats would keep a dumb session for long.
  if (!s.ready && (s.pending_id != 0 || s.sign_again) && now >= s.again_at) {
    s.again_at = now + answer_wait;
    if (s.sign_again) ++s.signed_again;
    s.sign_again = false;
    return s.send_grant(now, outbox);
  }
  if (!s.ready || now < s.refresh_at) return;
  s.refresh_at = now + refresh_wait;
  // The venue may have taken a refresh whose answer was lost, and the token with it.
  if (s.refresh_token.empty() || s.unanswered > 0) {
    s.send_grant(now, outbox);
  } else {
    s.send_refresh(outbox);
  }
}

void DeribitLogin::on_close() noexcept {
  State& s = *state_;
  s.open = s.ready = false;
  s.pending_id = 0;
}

bool DeribitLogin::ready() const noexcept { return state_->ready; }
std::int32_t DeribitLogin::error_code() const noexcept { return state_->error_code; }
std::string_view DeribitLogin::refusal() const noexcept { return state_->refusal; }
std::string_view DeribitLogin::access_token() const noexcept { return state_->access_token; }

}  // namespace gimbal::deribit
