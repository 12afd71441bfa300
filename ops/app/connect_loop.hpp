// The cold thread that makes connections: for every session that wants one it waits its back-off,
// connects, and puts the result where the hot thread finds it. Room: ops/app (wiring). Cold.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/clock.hpp"
#include "engine/wire/connector.hpp"
#include "engine/wire/reconnect.hpp"
#include "ops/app/session.hpp"

namespace gimbal {

// One sentence for the log.
using Say = std::function<void(const std::string&)>;

// Whether what a session receives is acknowledged as the kernel likes, or late (acknowledge_late).
enum class Acknowledge : std::uint8_t { soon, late };

class ConnectLoop {
 public:
  ConnectLoop(std::shared_ptr<TlsContext> tls, Endpoint endpoint, std::chrono::milliseconds limit,
              const ReconnectConfig& reconnect, const TscClock& clock, Say say);

  // Before run(). `name` is for the log; the port outlives the loop.
  void add(std::string name, SessionPort& port, Acknowledge acknowledge = Acknowledge::soon);
  // Until `stop`; wakes every few milliseconds, blocks only inside a bounded connect.
  void run(const std::atomic<bool>& stop);

  // Any thread: cycles of the loop, and connections that TLS refused (row X-02).
  [[nodiscard]] std::uint64_t cycles() const noexcept {
    return cycles_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t tls_refused() const noexcept {
    return tls_refused_.load(std::memory_order_relaxed);
  }
  // Attempts that waited because [[venue]] reconnects_per_minute was used up.
  [[nodiscard]] std::uint64_t held_back() const noexcept {
    return held_back_.load(std::memory_order_relaxed);
  }

 private:
  struct Line {
    std::string name;
    SessionPort* port{nullptr};
    ReconnectPolicy policy;
    Acknowledge acknowledge{Acknowledge::soon};
    int fd{-1};  // of the connection handed over and not yet given back: nobody else closes it
    bool scheduled{false};
    bool first{true};
    RecvTime due{};
    std::uint64_t lost_seen{0};
  };
  void attend(Line& line);
  void attempt(Line& line);

  Connector connector_;
  Endpoint endpoint_;
  std::chrono::milliseconds limit_;
  ReconnectConfig reconnect_;
  const TscClock& clock_;
  Say say_;
  std::vector<Line> lines_;
  std::atomic<std::uint64_t> cycles_{0};
  std::atomic<std::uint64_t> tls_refused_{0};
  std::atomic<std::uint64_t> held_back_{0};
};

}  // namespace gimbal
