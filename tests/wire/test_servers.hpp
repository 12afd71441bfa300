// Servers on loopback for the io tests: a Boost.Beast TLS WebSocket echo (a second implementation
// of the protocol), and a scripted peer that may break any rule.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/wire/test_pki.hpp"

namespace gimbal::test {

// Echoes text messages until the client closes. "!close" makes it close with 1001, "!binary" answer
// with a binary message, "!ping" send a ping first. `flood` sends that many texts after the accept.
class EchoServer {
 public:
  explicit EchoServer(const Identity& identity, bool use_tls = true, int flood = 0);
  ~EchoServer();
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  struct Body;
  void serve();
  std::unique_ptr<Body> body_;
  std::uint16_t port_{0};
  std::thread thread_;
};

// Accepts connections one after the other. With `setup`, a TLS handshake, then `talk(ssl, fd)`;
// without, `talk(nullptr, fd)` on the bare socket.
class ScriptedPeer {
 public:
  using Setup = std::function<void(SSL_CTX*)>;
  using Talk = std::function<void(SSL*, int)>;
  ScriptedPeer(Setup setup, Talk talk);
  ~ScriptedPeer();
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_.load(); }

 private:
  void serve();
  void one(int fd);
  Setup setup_;
  Talk talk_;
  std::uint16_t port_{0};
  int listener_{-1};
  std::atomic<bool> stop_{false};
  std::atomic<int> accepted_{0};
  std::thread thread_;
};

// Gives the context a certificate, its key and the rest of the chain.
void present(SSL_CTX* context, const Identity& leaf, const std::vector<Identity>& chain = {});
// Reads an HTTP request head and answers a correct upgrade; false when the client went away.
bool accept_upgrade(SSL* ssl, const std::string& frames_behind = {});
std::string read_head(SSL* ssl);
void write_text(SSL* ssl, const std::string& text);

}  // namespace gimbal::test
