// Deribit's login: public/auth by client_credentials or client_signature, scope check, refresh at
// 80 % of the token's life. Room: venues. Source: Deribit API v2, public/auth.
//
// Yields frames and reads their answers; holds no socket. A refused login is not tried again on the
// same connection, but for a signature refused as 13004 (the timestamp may be what is wrong): three
// times, after 1, 2 and 4 s, with a new timestamp, by the venue's clock where the refusal tells
// it. One without an answer is, every 4 s. The secret is kept in memory, never printed, wiped at
// destruction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/time.hpp"
#include "feeds/decoder.hpp"
#include "feeds/frame.hpp"

namespace gimbal::deribit {

enum class GrantType : std::uint8_t { client_credentials, client_signature };

struct LoginConfig {
  std::string client_id;
  // Not copied: the bytes stay in the pages of whoever owns the secret, and outlive the session.
  std::string_view client_secret;
  GrantType grant{GrantType::client_signature};
  std::string scope;           // asked for; empty: the key's default
  std::string required_scope;  // space separated; each must be granted ("trade:read_write")
  std::int64_t first_request_id{900'000'000};  // its requests use 1000 ids from here
  // Wall-clock ms for client_signature (accepted by the venue for 60 s) and a nonce seed; given by
  // the application so that nothing here reads a clock or a random device.
  std::int64_t (*unix_ms)(){nullptr};
  std::uint64_t nonce_seed{0};
};

inline constexpr std::size_t login_message_max = 512;  // bytes: timestamp, nonce and data
// Lower-case hex of HMAC-SHA256(secret, timestamp \n nonce \n data). 64 characters; false when
// `out` is smaller, the message longer than login_message_max or the library fails. Takes no
// memory. (sign.cpp)
[[nodiscard]] bool sign_login(std::string_view secret, std::int64_t timestamp_ms,
                              std::string_view nonce, std::string_view data,
                              std::span<char> out) noexcept;
// The HTTPS header value "deri-hmac-sha256 id=..,ts=..,sig=..,nonce=.." for a request. (sign.cpp)
[[nodiscard]] std::string sign_http(std::string_view client_id, std::string_view secret,
                                    std::int64_t timestamp_ms, std::string_view nonce,
                                    std::string_view method, std::string_view uri,
                                    std::string_view body);

// Whether every space-separated word of `required` is in `granted`; read_write covers read.
[[nodiscard]] bool scope_covers(std::string_view granted, std::string_view required) noexcept;

class DeribitLogin {
 public:
  explicit DeribitLogin(LoginConfig config);
  DeribitLogin(DeribitLogin&&) noexcept;
  DeribitLogin& operator=(DeribitLogin&&) noexcept;
  ~DeribitLogin();

  void on_open(RecvTime now, Outbox& outbox);
  // Costs one comparison when no answer is awaited.
  LoginStep on_frame(const Frame& frame, RecvTime now, Outbox& outbox);
  void on_timer(RecvTime now, Outbox& outbox);
  void on_close() noexcept;

  [[nodiscard]] bool ready() const noexcept;
  [[nodiscard]] std::int32_t error_code() const noexcept;        // of the last refusal; 0 none
  [[nodiscard]] std::string_view refusal() const noexcept;       // in words: code, or missing scope
  [[nodiscard]] std::string_view access_token() const noexcept;  // for HTTPS queries

 private:
  struct State;
  std::unique_ptr<State> state_;
};
static_assert(FrameLogin<DeribitLogin>);

}  // namespace gimbal::deribit
