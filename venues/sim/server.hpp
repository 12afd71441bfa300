// The simulated exchange's door to the network: TLS 1.3 on loopback, one port for WebSocket
// (/ws/api/v2) and HTTPS (/api/v2/METHOD, and JSON-RPC bodies posted to /api/v2).
//
// One thread (the one that calls `run`) moves both the exchange's time and every socket, so the
// dialect and the exchange need no lock. Slow clients are closed when their output queue is over
// its limit. Boost.Beast on purpose: the bot's own frame codec is checked against another's.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "engine/core/time.hpp"
#include "venues/sim/dialect_deribit.hpp"

namespace gimbal::sim {

struct ServerConfig {
  std::uint16_t port{0};                   // 0: the system picks a free one
  std::filesystem::path tls_dir;           // where ca.pem and the leaf are written
  double speed{1.0};                       // exchange seconds per real second, 0.01 .. 1000
  std::chrono::microseconds tick{500};     // how often exchange time moves when no bytes arrive
  std::size_t connections_per_ip_max{32};  // one more gets HTTP 429
  std::size_t connections_max{512};
  std::size_t frame_bytes_max{1u << 20};  // larger frames close the connection
};

struct ServerStats {
  std::uint64_t connections{0};  // accepted
  std::uint64_t websockets{0};   // upgraded
  std::uint64_t http_requests{0};
  std::uint64_t refused_429{0};
  std::uint64_t tls_failures{0};
  std::uint64_t slow_closed{0};  // output queue over its limit
  std::uint64_t bytes_in{0};
  std::uint64_t bytes_out{0};
};

class SimServer {
 public:
  // Makes the certificates and listens on 127.0.0.1; throws std::runtime_error with what failed.
  // The dialect must outlive the server. Exchange time starts at `dialect.now()`.
  SimServer(DeribitDialect& dialect, const ServerConfig& config);
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::filesystem::path ca_path() const;

  // Called on the server's thread after every move of exchange time (samples, stop conditions).
  void on_tick(std::function<void(ExchTime)> call);

  // Serves until `stop`; then closes every connection and returns.
  void run();
  // From any thread or a signal handler's thread.
  void stop();
  // Runs `work` on the server's thread; for tests that look into the exchange while it runs.
  void post(std::function<void()> work);

  [[nodiscard]] const ServerStats& stats() const noexcept;  // after `run` returned, or from `post`

 private:
  struct Inside;
  std::shared_ptr<Inside> inside_;
};

}  // namespace gimbal::sim
