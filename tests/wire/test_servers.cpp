#include "tests/wire/test_servers.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <csignal>
#include <mutex>

#include "engine/wire/http.hpp"

namespace gimbal::test {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;

struct EchoServer::Body {
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_server};
  tcp::acceptor acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
  bool use_tls{true};
  int flood{0};
  std::mutex mutex;
  std::vector<std::thread> sessions;
  std::vector<int> fds;
};

namespace {

template <class Socket>
void echo(Socket& ws, int flood) {
  ws.accept();
  for (int i = 0; i < flood; ++i) ws.write(asio::buffer("flood " + std::to_string(i)));
  beast::flat_buffer buffer;
  for (;;) {
    buffer.clear();
    ws.read(buffer);
    const std::string text = beast::buffers_to_string(buffer.data());
    if (text == "!close") {
      ws.close({beast::websocket::close_code::going_away, "bye"});
      return;
    }
    if (text == "!ping") ws.ping("are you there");
    ws.binary(text == "!binary");
    ws.write(buffer.data());
  }
}

void run_session(tcp::socket socket, asio::ssl::context& tls, bool use_tls, int flood) {
  try {
    socket.set_option(tcp::no_delay{true});
    if (use_tls) {
      beast::websocket::stream<beast::ssl_stream<tcp::socket>> ws{std::move(socket), tls};
      ws.next_layer().handshake(asio::ssl::stream_base::server);
      ws.read_message_max(32U << 20);
      echo(ws, flood);
    } else {
      beast::websocket::stream<tcp::socket> ws{std::move(socket)};
      echo(ws, flood);
    }
  } catch (const boost::system::system_error&) {
    // The client is gone or was refused; the test sees its own side of it.
  }
}

int listen_on_loopback(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 16) != 0)
    return -1;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

EchoServer::EchoServer(const Identity& identity, bool use_tls, int flood)
    : body_{std::make_unique<Body>()} {
  body_->use_tls = use_tls;
  body_->flood = flood;
  SSL_CTX* native = body_->tls.native_handle();
  SSL_CTX_use_certificate(native, identity.cert.get());
  SSL_CTX_use_PrivateKey(native, identity.key.get());
  port_ = body_->acceptor.local_endpoint().port();
  thread_ = std::thread{[this] { serve(); }};
}

void EchoServer::serve() {
  for (;;) {
    boost::system::error_code code;
    tcp::socket socket = body_->acceptor.accept(code);
    if (code) return;
    const std::lock_guard lock{body_->mutex};
    body_->fds.push_back(::dup(socket.native_handle()));
    body_->sessions.emplace_back([s = std::move(socket), body = body_.get()]() mutable {
      run_session(std::move(s), body->tls, body->use_tls, body->flood);
    });
  }
}

EchoServer::~EchoServer() {
  ::shutdown(body_->acceptor.native_handle(), SHUT_RDWR);  // wakes the blocked accept
  thread_.join();
  for (const int fd : body_->fds) ::shutdown(fd, SHUT_RDWR);
  for (auto& session : body_->sessions) session.join();
  for (const int fd : body_->fds) ::close(fd);
}

ScriptedPeer::ScriptedPeer(Setup setup, Talk talk)
    : setup_{std::move(setup)}, talk_{std::move(talk)}, listener_{listen_on_loopback(port_)} {
  thread_ = std::thread{[this] { serve(); }};
}

ScriptedPeer::~ScriptedPeer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void ScriptedPeer::serve() {
  std::signal(SIGPIPE,
              SIG_IGN);  // SSL_write to a client that has gone; the room itself never raises it
  while (!stop_) {
    pollfd entry{listener_, POLLIN, 0};
    if (::poll(&entry, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++accepted_;
    const timeval limit{2, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    one(fd);
    ::close(fd);
  }
}

void ScriptedPeer::one(int fd) {
  if (!setup_) {
    talk_(nullptr, fd);
    return;
  }
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_security_level(context, 0);
  setup_(context);
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  if (SSL_accept(ssl) == 1 && talk_) talk_(ssl, fd);
  SSL_free(ssl);
  SSL_CTX_free(context);
}

void present(SSL_CTX* context, const Identity& leaf, const std::vector<Identity>& chain) {
  SSL_CTX_use_certificate(context, leaf.cert.get());
  SSL_CTX_use_PrivateKey(context, leaf.key.get());
  for (const auto& link : chain) SSL_CTX_add1_chain_cert(context, link.cert.get());
}

std::string read_head(SSL* ssl) {
  std::string head;
  std::array<char, 2048> chunk{};
  while (head.find("\r\n\r\n") == std::string::npos) {
    const int got = SSL_read(ssl, chunk.data(), static_cast<int>(chunk.size()));
    if (got <= 0) return {};
    head.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return head;
}

void write_text(SSL* ssl, const std::string& text) {
  if (!text.empty()) SSL_write(ssl, text.data(), static_cast<int>(text.size()));
}

bool accept_upgrade(SSL* ssl, const std::string& frames_behind) {
  const std::string head = read_head(ssl);
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t at = head.find(name);
  if (at == std::string::npos) return false;
  const std::string key = head.substr(at + name.size(), 24);
  write_text(ssl,
             "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: " +
                 ws_accept_of(key) + "\r\n\r\n" + frames_behind);
  return true;
}

}  // namespace gimbal::test
