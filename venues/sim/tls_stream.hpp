// TLS over one accepted socket, for Beast's HTTP and WebSocket on top of it. Every operation above
// it has its own handler type; here they are erased to one, so that the record layer of Asio is
// compiled for one handler and not for each of them (a third of the compile time of the server).
#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/role.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace gimbal::sim {

/// An AsyncStream in Asio's sense. One operation each way at a time; not movable once one was
/// begun.
class TlsStream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using executor_type = Socket::executor_type;
  using error_code = boost::system::error_code;
  using Done = std::function<void(error_code, std::size_t)>;

  /// `tls` outlives the stream.
  TlsStream(Socket socket, boost::asio::ssl::context& tls) : stream_{std::move(socket), tls} {}

  [[nodiscard]] executor_type get_executor() noexcept { return stream_.get_executor(); }
  [[nodiscard]] Socket& socket() noexcept { return stream_.next_layer(); }

  /// The server's side of the handshake, and its farewell.
  void accept(std::function<void(error_code)> done);
  void shut_down(std::function<void(error_code)> done);

  /// Fills the first buffer that has room.
  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, boost::asio::mutable_buffer into) {
          read(into, erased(std::move(handler)));
        },
        token, first(buffers));
  }

  /// Takes up to one record of all buffers together, so that a frame's header and text leave as
  /// one.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, std::size_t bytes) { write(bytes, erased(std::move(handler))); },
        token, boost::asio::buffer_copy(boost::asio::buffer(record_), buffers));
  }

 private:
  template <class Buffers>
  static boost::asio::mutable_buffer first(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto at = boost::asio::buffer_sequence_begin(buffers); at != end; ++at) {
      if (boost::asio::mutable_buffer{*at}.size() != 0) return *at;
    }
    return {};
  }
  template <class Handler>
  static Done erased(Handler handler) {
    return [kept = std::make_shared<Handler>(std::move(handler))](
               error_code failed, std::size_t bytes) { (*kept)(failed, bytes); };
  }
  void read(boost::asio::mutable_buffer into, Done done);
  void write(std::size_t bytes, Done done);

  boost::asio::ssl::stream<Socket> stream_;
  std::array<char, 16 * 1024> record_;
};

/// What Beast's WebSocket asks of the layer below when it ends.
void close_after_shutdown(TlsStream& stream, std::function<void(TlsStream::error_code)> done);
template <class Handler>
void async_teardown(boost::beast::role_type, TlsStream& stream, Handler&& handler) {
  close_after_shutdown(
      stream, [kept = std::make_shared<std::decay_t<Handler>>(std::forward<Handler>(handler))](
                  TlsStream::error_code failed) { (*kept)(failed); });
}
void beast_close_socket(TlsStream& stream);

}  // namespace gimbal::sim
