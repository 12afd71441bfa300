// Room: engine/wire, cold side. Everything before the first trading byte: resolve, connect, TLS
// handshake, HTTP upgrade; each bounded by one deadline, waiting in poll(2) only. What comes out is
// an Established connection that the hot thread adopts (link.hpp).
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/wire/tls.hpp"

namespace gimbal {

enum class Transport : std::uint8_t {
  tls,
  plaintext_loopback,  // refused unless the peer address is 127.0.0.0/8 or ::1; tests and benches
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct Endpoint {
  std::string host;  // DNS name or IP literal; also the name that is verified
  std::uint16_t port{443};
  std::string path{"/"};
  Transport transport{Transport::tls};
  HttpHeaders headers{};  // extra upgrade headers, e.g. User-Agent; no CR or LF
  std::string address{};  // connect to this IP literal in place of resolving `host`
  int busy_poll_us{0};    // SO_BUSY_POLL; 0: off
};

// A socket, its channel, and what arrived after the upgrade answer. Owns the fd.
struct Established {
  Established() = default;
  ~Established();
  Established(const Established&) = delete;
  Established& operator=(const Established&) = delete;

  int fd{-1};
  std::unique_ptr<Channel> channel;
  std::vector<char> raw;       // ciphertext while connecting; consumed before the hand-over
  std::vector<char> leftover;  // plaintext, the first WebSocket bytes; empty most of the time
  std::uint64_t mask_seed{0};  // from the OS
  std::string peer;            // "192.0.2.1:443", for logs
  std::string security;        // Channel::describe()
};

enum class ConnectStage : std::uint8_t { none, resolve, connect, tls, upgrade };
[[nodiscard]] const char* name_of(ConnectStage stage) noexcept;

struct ConnectFailure {
  ConnectStage stage{ConnectStage::none};
  std::string text;    // what, where, and the certificate or status that was refused
  int http_status{0};  // upgrade stage: the status, when there was one
};

class Connector {
 public:
  // `context` may be null when every endpoint is plaintext_loopback.
  explicit Connector(std::shared_ptr<TlsContext> context) : context_{std::move(context)} {}

  // nullptr with `failure` set. Returns at the latest shortly after `limit`. Name resolution that
  // hangs longer is abandoned (a detached thread ends with the resolver's own time-out).
  [[nodiscard]] std::unique_ptr<Established> connect(const Endpoint& endpoint,
                                                     std::chrono::milliseconds limit,
                                                     ConnectFailure& failure) const;

 private:
  std::shared_ptr<TlsContext> context_;
};

// Has the kernel acknowledge what `fd` receives later: with the next send, with every second
// segment or after its delayed-acknowledgement time (40 ms), in place of inside of the receive that
// empties the socket. That time, once it has run out, undoes it, so it is asked for again and
// again. Cold.
void acknowledge_late(int fd) noexcept;

// One connection on its way between the cold and the hot thread, either direction; a single slot,
// wait-free, any number of threads. What is left inside is closed with it.
class Handover {
 public:
  Handover() = default;
  ~Handover() { delete slot_.load(); }
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  // False (and the caller keeps it) while the last one has not been taken.
  [[nodiscard]] bool put(std::unique_ptr<Established>& connection) noexcept {
    Established* empty = nullptr;
    if (!slot_.compare_exchange_strong(empty, connection.get(), std::memory_order_acq_rel)) {
      return false;
    }
    (void)connection.release();
    return true;
  }
  [[nodiscard]] std::unique_ptr<Established> take() noexcept {
    if (slot_.load(std::memory_order_relaxed) == nullptr) return nullptr;
    return std::unique_ptr<Established>{slot_.exchange(nullptr, std::memory_order_acq_rel)};
  }

 private:
  std::atomic<Established*> slot_{nullptr};
};

}  // namespace gimbal
