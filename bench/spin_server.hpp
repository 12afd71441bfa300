// The bench's own exchange door: raw sockets, memory BIOs, own framing, one spinning thread. It
// takes WebSocket and HTTPS connections on one port and hands texts to a callback; it adds nothing
// between a tick's time stamp and its send, or between an order's first byte and its stamp.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>

#include <cctype>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness.hpp"
#include "bench/raw_tls.hpp"

namespace gimbal::bench {

struct SpinConnection {
  std::unique_ptr<RawTls> tls;
  bool secured{false};
  bool websocket{false};
  bool closed{false};
  std::string path;
  std::uint64_t tag{0};           // the user's own
  std::int64_t first_byte_ns{0};  // when recv() gave the first byte of the newest batch
};

struct HttpRequest {
  std::string_view verb;
  std::string_view target;
  std::string_view authorization;
  std::string_view body;
};

class SpinServer {
 public:
  // on_text(connection, text): a WebSocket text. on_http(request) -> response body.
  std::function<void(SpinConnection&, std::string_view)> on_text;
  std::function<std::string(const HttpRequest&)> on_http;
  std::function<void(SpinConnection&)> on_open;

  SpinServer(const std::string& certificate, const std::string& key) {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context_, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_num_tickets(context_, 0);
    if (SSL_CTX_use_certificate_chain_file(context_, certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("cannot load the bench certificate from " + certificate);
    }
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(at.sin_port);
  }
  SpinServer(const SpinServer&) = delete;
  SpinServer& operator=(const SpinServer&) = delete;
  ~SpinServer() {
    connections_.clear();
    ::close(listener_);
    SSL_CTX_free(context_);
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::vector<std::unique_ptr<SpinConnection>>& connections() { return connections_; }

  // Accepting costs a system call, so measuring loops leave it out.
  void accept_new() {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (fd < 0) return;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    auto connection = std::make_unique<SpinConnection>();
    connection->tls = std::make_unique<RawTls>(context_, fd, true);
    connections_.push_back(std::move(connection));
  }

  // One receive on one connection; handles what came. True when something came.
  bool serve(SpinConnection& c) {
    if (c.closed) return false;
    const long n = c.tls->receive();
    if (n == 0) return false;
    c.first_byte_ns = now_ns();
    if (n < 0) {
      c.closed = true;
      return false;
    }
    if (!c.secured) {
      c.secured = c.tls->handshake_done();
      if (!c.secured) return true;
    }
    if (!c.tls->decrypt()) c.closed = true;
    while (c.websocket ? serve_frame(c) : serve_http(c)) {}
    return true;
  }

  void serve_all() {
    for (std::size_t i = 0; i < connections_.size(); ++i) serve(*connections_[i]);
  }
  void forget_closed() {
    std::erase_if(connections_, [](const auto& c) { return c->closed; });
  }

 private:
  bool serve_frame(SpinConnection& c) {
    std::string_view text;
    int opcode = 0;
    if (!c.tls->next_text(text, opcode)) return false;
    if (opcode == 8) c.closed = true;
    if (opcode == 1 && on_text) on_text(c, text);
    return true;
  }

  static std::string header(std::string_view head, std::string_view name) {
    // Header names compare without case; the clients here send them in their usual spelling.
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;) {
      const std::size_t begin = at + 2;
      const std::size_t end = head.find("\r\n", begin);
      const std::string_view line = head.substr(begin, end - begin);
      if (line.size() > name.size() && line[name.size()] == ':' &&
          std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
            return std::tolower(static_cast<unsigned char>(a)) ==
                   std::tolower(static_cast<unsigned char>(b));
          })) {
        std::string_view value = line.substr(name.size() + 1);
        while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
        return std::string{value};
      }
      at = end;
    }
    return {};
  }

  bool serve_http(SpinConnection& c) {
    const std::string_view plain = c.tls->plain();
    const std::size_t end = plain.find("\r\n\r\n");
    if (end == std::string_view::npos) return false;
    const std::string head{plain.substr(0, end + 2)};
    const std::string key = header(head, "Sec-WebSocket-Key");
    const std::size_t target_at = head.find(' ') + 1;
    const std::string target = head.substr(target_at, head.find(' ', target_at) - target_at);
    if (!key.empty()) {
      c.tls->consume(end + 4);
      c.path = target;
      c.tls->send_plain(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
          "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
          accept_of(key) + "\r\n\r\n");
      c.websocket = true;
      if (on_open) on_open(c);
      return true;
    }
    const std::string length_text = header(head, "Content-Length");
    const std::size_t length = length_text.empty() ? 0 : std::stoul(length_text);
    if (plain.size() < end + 4 + length) return false;
    const std::string body{plain.substr(end + 4, length)};
    c.tls->consume(end + 4 + length);
    const std::string verb = head.substr(0, target_at - 1);
    const std::string authorization = header(head, "Authorization");
    const std::string answer =
        on_http ? on_http({verb, target, authorization, body}) : std::string{};
    c.tls->send_plain("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                      std::to_string(answer.size()) + "\r\n\r\n");
    for (std::size_t at = 0; at < answer.size(); at += 16384) {
      c.tls->send_plain(std::string_view{answer}.substr(at, 16384));
    }
    return true;
  }

  static std::string accept_of(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char digest[SHA_DIGEST_LENGTH];
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    char out[64];
    const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out), digest, sizeof digest);
    return {out, static_cast<std::size_t>(n)};
  }

  SSL_CTX* context_{nullptr};
  int listener_{-1};
  std::uint16_t port_{0};
  std::vector<std::unique_ptr<SpinConnection>> connections_;
};

}  // namespace gimbal::bench
