// The floor: a TLS WebSocket client without logic. It waits for a frame by spinning on recv() and
// answers each with the same order-sized frame. One pinned thread, one connection.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <memory>
#include <string>

#include "bench/raw_tls.hpp"

namespace gimbal::bench {

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
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
  return fd;
}

// Runs until the venue closes the connection. `answer` is the constant order frame.
inline int run_floor_client(std::uint16_t port, const std::string& answer) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  const int fd = connect_loopback(port);
  if (fd < 0) return 1;
  const auto tls = std::make_unique<RawTls>(context, fd, false);
  while (!tls->handshake_done()) {
    if (tls->receive() < 0) return 1;
  }
  tls->send_plain(
      "GET /floor HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  bool open = false;
  std::string_view text;
  int opcode = 0;
  for (;;) {
    const long n = tls->receive();
    if (n < 0) return 0;
    if (n == 0) continue;
    if (!tls->decrypt()) return 0;
    if (!open) {
      const std::size_t end = tls->plain().find("\r\n\r\n");
      if (end == std::string_view::npos) continue;
      tls->consume(end + 4);
      open = true;
    }
    while (tls->next_text(text, opcode)) tls->send_text(answer);
  }
}

}  // namespace gimbal::bench
