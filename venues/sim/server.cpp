#include "venues/sim/server.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "venues/sim/tls_authority.hpp"
#include "venues/sim/tls_stream.hpp"

namespace gimbal::sim {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;

using WebSocket = websocket::stream<TlsStream&>;
using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

constexpr std::chrono::seconds handshake_limit{10};
constexpr std::chrono::seconds http_idle_limit{60};
constexpr std::size_t http_body_max = 64 * 1024;
constexpr std::string_view websocket_path = "/ws/api/v2";

class Peer;

// Clock and bookkeeping shared by the connections.
struct Shared {
  Shared(DeribitDialect& d, const ServerConfig& c)
      : dialect{d}, config{c}, tls{asio::ssl::context::tls_server}, exchange_start{d.now()} {}

  [[nodiscard]] ExchTime exchange_now() const {
    const std::chrono::duration<double, std::nano> real{std::chrono::steady_clock::now() - start};
    return exchange_start + Nanos{static_cast<std::int64_t>(real.count() * config.speed)};
  }
  void flush();

  DeribitDialect& dialect;
  ServerConfig config;
  asio::ssl::context tls;
  ExchTime exchange_start;
  std::chrono::steady_clock::time_point start{std::chrono::steady_clock::now()};
  ServerStats stats;
  std::map<asio::ip::address, std::size_t> per_ip;
  std::set<Peer*> peers;
  bool stopping{false};
};

// One accepted socket: TLS handshake, then HTTP requests, then perhaps a WebSocket for good.
class Peer : public std::enable_shared_from_this<Peer> {
 public:
  Peer(Shared& shared, tcp::socket socket, asio::ip::address address)
      : shared_{shared},
        stream_{std::move(socket), shared.tls},
        limit_{stream_.get_executor()},
        address_{std::move(address)} {
    shared_.peers.insert(this);
    over_limit_ = ++shared_.per_ip[address_] > shared_.config.connections_per_ip_max;
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    shared_.peers.erase(this);
    const auto at = shared_.per_ip.find(address_);
    if (at != shared_.per_ip.end() && --at->second == 0) shared_.per_ip.erase(at);
    leave_dialect();
  }

  void begin() {
    ends_after(handshake_limit);
    stream_.accept([self = shared_from_this()](error_code failed) {
      if (!failed) return self->read_request();
      ++self->shared_.stats.tls_failures;
    });
  }

  // Sends what the dialect has for this connection; closes when the dialect says so.
  void flush() {
    if (!ws_ || !open_ || writing_ || closing_) return;
    if (shared_.dialect.overflowed(connection_)) {
      ++shared_.stats.slow_closed;
      return abort();
    }
    if (shared_.dialect.pop(connection_, frame_)) return write_frame();
    if (shared_.dialect.closing(connection_)) close(websocket::close_code::policy_error);
  }

  // Drops the socket without a farewell.
  void abort() {
    error_code ignored;
    stream_.socket().close(ignored);
  }
  void shut_down() {
    if (ws_ && open_) return close(websocket::close_code::going_away);
    abort();
  }
  [[nodiscard]] bool serves(ConnectionId id) const noexcept { return open_ && connection_ == id; }

 private:
  // Without another call the connection is dropped then.
  void ends_after(std::chrono::seconds limit) {
    limit_.expires_after(limit);
    limit_.async_wait([weak = weak_from_this()](error_code failed) {
      const auto self = failed ? nullptr : weak.lock();
      // It may have been moved on while this call was on its way.
      if (self && self->limit_.expiry() <= asio::steady_timer::clock_type::now()) self->abort();
    });
  }

  void leave_dialect() {
    if (!std::exchange(open_, false)) return;
    shared_.dialect.advance(shared_.exchange_now());
    shared_.dialect.disconnected(connection_);
  }

  void read_request() {
    parser_.emplace();
    parser_->body_limit(http_body_max);
    parser_->header_limit(http_body_max);
    ends_after(http_idle_limit);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code failed, std::size_t bytes) {
                       self->shared_.stats.bytes_in += bytes;
                       if (failed == http::error::body_limit) return self->answer_too_large();
                       if (!failed) self->on_request(self->parser_->release());
                     });
  }

  void on_request(Request request) {
    if (over_limit_) {
      ++shared_.stats.refused_429;
      return respond(request, 429, R"({"error":"too many connections"})", false);
    }
    const std::string_view target{request.target().data(), request.target().size()};
    if (websocket::is_upgrade(request)) {
      if (target.substr(0, target.find('?')) != websocket_path) {
        return respond(request, 404, "not found", false);
      }
      return upgrade(std::move(request));
    }
    ++shared_.stats.http_requests;
    const ExchTime now = shared_.exchange_now();
    shared_.dialect.advance(now);
    const auto header = request[http::field::authorization];
    const std::string authorization{header.data(), header.size()};
    const std::string_view verb{request.method_string().data(), request.method_string().size()};
    const HttpAnswer answer = shared_.dialect.http({verb, target, authorization, request.body()});
    const bool keep = request.keep_alive() && !answer.close;
    respond(request, answer.status, answer.body, keep);
    shared_.flush();
  }

  void answer_too_large() {
    Request none;
    none.version(11);
    respond(none, 413,
            R"({"jsonrpc":"2.0","error":{"code":-32600,"message":"request entity too large"}})",
            false);
  }

  void respond(const Request& request, int status, std::string body, bool keep) {
    auto response = std::make_shared<Response>();
    response->version(request.version());
    response->result(static_cast<unsigned>(status));
    response->set(http::field::server, "gimbal-sim");
    response->set(http::field::content_type, "application/json");
    response->keep_alive(keep);
    response->body() = std::move(body);
    response->prepare_payload();
    http::async_write(
        stream_, *response,
        [self = shared_from_this(), response, keep](error_code failed, std::size_t bytes) {
          self->shared_.stats.bytes_out += bytes;
          if (failed) return;
          keep ? self->read_request() : self->finish_tls();
        });
  }

  void finish_tls() {
    ends_after(std::chrono::seconds{2});
    stream_.shut_down([self = shared_from_this()](error_code) {});
  }

  void upgrade(Request request) {
    limit_.expires_at(asio::steady_timer::time_point::max());
    ws_.emplace(stream_);
    auto timeouts = websocket::stream_base::timeout::suggested(beast::role_type::server);
    timeouts.idle_timeout = websocket::stream_base::none();  // the application's own heartbeat
    timeouts.handshake_timeout = handshake_limit;
    ws_->set_option(timeouts);
    ws_->read_message_max(shared_.config.frame_bytes_max);
    ws_->text(true);
    auto kept = std::make_shared<Request>(std::move(request));
    ws_->async_accept(*kept, [self = shared_from_this(), kept](error_code failed) {
      if (!failed) self->on_open();
    });
  }

  void on_open() {
    if (shared_.stopping) return abort();
    ++shared_.stats.websockets;
    shared_.dialect.advance(shared_.exchange_now());
    connection_ = shared_.dialect.connect();
    open_ = true;
    buffer_.consume(buffer_.size());
    read_frame();
  }

  void read_frame() {
    ws_->async_read(buffer_, [self = shared_from_this()](error_code failed, std::size_t bytes) {
      if (failed) return self->on_gone();
      self->shared_.stats.bytes_in += bytes;
      self->on_frame();
    });
  }

  void on_frame() {
    if (!open_ || closing_) return;
    if (ws_->got_binary()) return close(websocket::close_code::unknown_data);
    const auto data = buffer_.cdata();
    const std::string_view text{static_cast<const char*>(data.data()), data.size()};
    shared_.dialect.advance(shared_.exchange_now());
    shared_.dialect.receive(connection_, text);
    buffer_.consume(buffer_.size());
    flush();
    shared_.flush();
    if (!closing_) read_frame();
  }

  void on_gone() {
    leave_dialect();
    shared_.flush();
  }

  void write_frame() {
    writing_ = true;
    ws_->async_write(asio::buffer(frame_),
                     [self = shared_from_this()](error_code failed, std::size_t bytes) {
                       self->writing_ = false;
                       self->shared_.stats.bytes_out += bytes;
                       if (!failed) self->flush();
                     });
  }

  void close(websocket::close_code code) {
    if (std::exchange(closing_, true)) return;
    leave_dialect();
    ws_->async_close(code, [self = shared_from_this()](error_code) {});
  }

  Shared& shared_;
  TlsStream stream_;
  asio::steady_timer limit_;
  std::optional<WebSocket> ws_;
  asio::ip::address address_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::string frame_;
  ConnectionId connection_{};
  bool over_limit_{false};
  bool open_{false};
  bool writing_{false};
  bool closing_{false};
};

void Shared::flush() {
  for (Peer* peer : std::set<Peer*>{peers}) {
    if (peers.contains(peer)) peer->flush();
  }
}

void use_leaf(asio::ssl::context& context, const TlsFiles& files) {
  context.set_options(asio::ssl::context::default_workarounds);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_3_VERSION);
  context.use_certificate_chain_file(files.leaf.string());
  context.use_private_key_file(files.key.string(), asio::ssl::context::pem);
}

}  // namespace

struct SimServer::Inside {
  Inside(DeribitDialect& dialect, const ServerConfig& config)
      : shared{dialect, config}, acceptor{io}, timer{io} {}

  void listen() {
    const tcp::endpoint where{asio::ip::address_v4::loopback(), shared.config.port};
    acceptor.open(where.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.bind(where);
    acceptor.listen(128);
    port = acceptor.local_endpoint().port();
  }

  void accept() {
    acceptor.async_accept([this](error_code failed, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (!failed) take(std::move(socket));
      accept();
    });
  }

  void take(tcp::socket socket) {
    error_code failed;
    const auto remote = socket.remote_endpoint(failed);
    if (failed || shared.peers.size() >= shared.config.connections_max) return;
    socket.set_option(tcp::no_delay{true}, failed);
    ++shared.stats.connections;
    std::make_shared<Peer>(shared, std::move(socket), remote.address())->begin();
  }

  void tick() {
    timer.expires_after(shared.config.tick);
    timer.async_wait([this](error_code failed) {
      if (failed || shared.stopping) return;
      const ExchTime now = shared.exchange_now();
      shared.dialect.advance(now);
      if (ticked) ticked(now);
      shared.flush();
      tick();
    });
  }

  void shut_down() {
    if (std::exchange(shared.stopping, true)) return;
    error_code ignored;
    acceptor.close(ignored);
    timer.cancel();
    for (Peer* peer : std::set<Peer*>{shared.peers}) {
      if (shared.peers.contains(peer)) peer->shut_down();
    }
    // Peers that do not answer the close are dropped after a moment.
    timer.expires_after(std::chrono::milliseconds{500});
    timer.async_wait([this](error_code) { io.stop(); });
  }

  Shared shared;  // before io: handlers that io drops at its end still refer to it
  asio::io_context io{1};
  tcp::acceptor acceptor;
  asio::steady_timer timer;
  TlsFiles files;
  std::uint16_t port{0};
  std::function<void(ExchTime)> ticked;
};

SimServer::SimServer(DeribitDialect& dialect, const ServerConfig& config)
    : inside_{std::make_shared<Inside>(dialect, config)} {
  std::string error;
  if (!make_tls_files(config.tls_dir, inside_->files, error)) throw std::runtime_error{error};
  use_leaf(inside_->shared.tls, inside_->files);
  inside_->listen();
}

SimServer::~SimServer() = default;

std::uint16_t SimServer::port() const noexcept { return inside_->port; }

std::filesystem::path SimServer::ca_path() const { return inside_->files.ca; }

void SimServer::on_tick(std::function<void(ExchTime)> call) { inside_->ticked = std::move(call); }

void SimServer::run() {
  inside_->shared.exchange_start = inside_->shared.dialect.now();
  inside_->shared.start = std::chrono::steady_clock::now();
  inside_->accept();
  inside_->tick();
  inside_->io.run();
}

void SimServer::stop() {
  asio::post(inside_->io, [inside = inside_.get()] { inside->shut_down(); });
}

void SimServer::post(std::function<void()> work) { asio::post(inside_->io, std::move(work)); }

const ServerStats& SimServer::stats() const noexcept { return inside_->shared.stats; }

}  // namespace gimbal::sim
