// Room: engine/wire, cold side. The HTTP a trading bot needs: the WebSocket upgrade, and a small
// blocking client for REST and JSON-RPC over HTTPS with the same verification rules as the trading
// connections. Every call is bounded by a deadline and by size limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/wire/connector.hpp"

namespace gimbal {

inline constexpr std::size_t http_header_max = 16 * 1024;
inline constexpr std::size_t http_body_max = std::size_t{16} << 20;  // 16 MiB

// --- the upgrade, without I/O -------------------------------------------------------------------
[[nodiscard]] std::string ws_key();                            // 16 random bytes, base64
[[nodiscard]] std::string ws_accept_of(std::string_view key);  // what the server must answer
// False with `error`: a header or path with control characters.
[[nodiscard]] bool upgrade_request(const Endpoint& endpoint, std::string_view key, std::string& out,
                                   std::string& error);

enum class UpgradeStatus : std::uint8_t { need_more, accepted, refused };
struct UpgradeAnswer {
  UpgradeStatus status{UpgradeStatus::need_more};
  std::size_t consumed{0};  // accepted: bytes of the answer; the rest is WebSocket
  int http_status{0};
  std::string error;
};
// `received` is everything that came so far. Refused: not 101, wrong Upgrade, Connection or
// Sec-WebSocket-Accept, an extension or subprotocol we did not ask for, more than http_header_max.
[[nodiscard]] UpgradeAnswer upgrade_answer(std::string_view received, std::string_view key);

// --- REST
// -----------------------------------------------------------------------------------------
struct HttpRequest {
  std::string method{"GET"};  // GET, POST, DELETE or PUT
  std::string target{"/"};
  HttpHeaders headers;
  std::string body;
};

struct HttpResponse {
  int status{0};  // 0: no answer, see error
  std::string body;
  std::string error;
  // True when the request cannot have reached the server (refused before a byte was sent).
  bool not_sent{false};
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
};

// One host, one connection kept alive between calls and opened again when the server closed it.
// A request is repeated by itself only when it is a GET and a kept connection turned out dead.
class HttpsClient {
 public:
  HttpsClient(std::shared_ptr<TlsContext> context, Endpoint endpoint,
              std::size_t body_max = http_body_max);
  ~HttpsClient();
  HttpsClient(const HttpsClient&) = delete;
  HttpsClient& operator=(const HttpsClient&) = delete;

  [[nodiscard]] HttpResponse call(const HttpRequest& request, std::chrono::milliseconds limit);
  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }
  void drop() noexcept;  // closes the kept connection

 private:
  bool exchange(const HttpRequest& request, std::chrono::steady_clock::time_point deadline,
                HttpResponse& out, bool& silent);

  std::shared_ptr<TlsContext> context_;
  Endpoint endpoint_;
  std::size_t body_max_;
  std::unique_ptr<Established> kept_;
  std::uint64_t connections_{0};
};

}  // namespace gimbal
