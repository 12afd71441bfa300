// The floors: clients without logic, spinning on recv(), one pinned thread. Each answers whatever
// comes with the same order-sized bytes.
//
//   run_tcp_floor        bare TCP, no encryption, no framing
//   run_tls_floor        a TLS WebSocket client; with `warm_every_ns` it runs its own path (seal,
//                        send, receive, decrypt, answer) over a private socket pair in silence;
//                        `rare` answers as seldom as a bot sends orders: what idle time alone costs
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "bench/harness.hpp"
#include "bench/raw_tls.hpp"

namespace gimbal::bench {

inline void no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

inline int connect_loopback(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd);
    return -1;
  }
  no_delay(fd);
  return fd;
}

// A listener on loopback; `port` is where it listens. Negative on failure.
inline int listen_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(fd, 1) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    ::close(fd);
    return -1;
  }
  port = ntohs(at.sin_port);
  return fd;
}

// Runs until the venue closes the connection.
inline int run_tcp_floor(std::uint16_t port, const std::string& answer) {
  const int fd = connect_loopback(port);
  std::array<char, 65536> bytes{};
  for (;;) {
    const long n = ::recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) return 0;
    if (::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return 0;
  }
}

// The private pair of a warm floor: both ends in this process, the same suite as the real one.
class WarmPair {
 public:
  WarmPair(const std::string& certificate, const std::string& key) {
    std::uint16_t port = 0;
    const int listener = listen_loopback(port);
    near_fd_ = connect_loopback(port);
    const int far_fd = ::accept(listener, nullptr, nullptr);
    ::close(listener);
    no_delay(far_fd);
    client_ = context(TLS_client_method());
    server_ = context(TLS_server_method());
    SSL_CTX_use_certificate_chain_file(server_, certificate.c_str());
    SSL_CTX_use_PrivateKey_file(server_, key.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_set_num_tickets(server_, 0);
    near_ = std::make_unique<RawTls>(client_, near_fd_, false);
    far_ = std::make_unique<RawTls>(server_, far_fd, true);
    for (bool done = false; !done;) {
      const bool near_done = near_->handshake_done();  // each call sends what it has to say
      const bool far_done = far_->handshake_done();
      done = near_done && far_done;
      (void)near_->receive();
      (void)far_->receive();
    }
  }
  // One tick and one answer, thrown away.
  void run(const std::string& tick, const std::string& answer) {
    far_->send_text(tick);
    (void)take(*near_);
    near_->send_text(answer);
    (void)take(*far_);
  }

 private:
  static SSL_CTX* context(const SSL_METHOD* method) {
    SSL_CTX* made = SSL_CTX_new(method);
    SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(made, "TLS_AES_128_GCM_SHA256");
    return made;
  }
  static bool take(RawTls& end) {
    std::string_view text;
    int opcode = 0;
    while (end.receive() == 0) {}
    return end.decrypt() && end.next_text(text, opcode);
  }

  int near_fd_{-1};
  SSL_CTX* client_{nullptr};
  SSL_CTX* server_{nullptr};
  std::unique_ptr<RawTls> near_;
  std::unique_ptr<RawTls> far_;
};

struct FloorSetup {
  std::uint16_t port{0};
  std::string path;    // of the upgrade
  std::string answer;  // the constant order frame
  std::int64_t warm_every_ns{0};
  bool rare{false};         // answers only a tick that needs an order
  std::string certificate;  // files of the private pair's server; warm only
  std::string key;
};

// What the ticks that need an order have in them, and the others have not (Venue::next_tick).
inline constexpr std::string_view moving_tick = R"("new")";

// Runs until the venue closes the connection.
inline int run_tls_floor(const FloorSetup& setup) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  const int fd = connect_loopback(setup.port);
  if (fd < 0) return 1;
  const auto tls = std::make_unique<RawTls>(context, fd, false);
  while (!tls->handshake_done()) {
    if (tls->receive() < 0) return 1;
  }
  std::unique_ptr<WarmPair> warm;
  if (setup.warm_every_ns > 0) { warm = std::make_unique<WarmPair>(setup.certificate, setup.key); }
  tls->send_plain("GET " + setup.path +
                  " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                  "Sec-WebSocket-Version: 13\r\n\r\n");
  const std::string tick(350, 't');
  std::int64_t due = now_ns() + setup.warm_every_ns;
  bool open = false;
  std::string_view text;
  int opcode = 0;
  for (;;) {
    const long n = tls->receive();
    if (n < 0) return 0;
    if (n == 0) {
      if (warm == nullptr || now_ns() < due) continue;
      warm->run(tick, setup.answer);
      due = now_ns() + setup.warm_every_ns;
      continue;
    }
    if (!tls->decrypt()) return 0;
    if (!open) {
      const std::size_t end = tls->plain().find("\r\n\r\n");
      if (end == std::string_view::npos) continue;
      tls->consume(end + 4);
      open = true;
    }
    while (tls->next_text(text, opcode)) {
      if (!setup.rare || text.find(moving_tick) != text.npos) tls->send_text(setup.answer);
    }
    if (warm != nullptr) due = now_ns() + setup.warm_every_ns;
  }
}

}  // namespace gimbal::bench
