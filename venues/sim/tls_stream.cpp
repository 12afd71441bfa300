#include "venues/sim/tls_stream.hpp"

#include <boost/asio/ssl/error.hpp>

namespace gimbal::sim {

namespace asio = boost::asio;

void TlsStream::accept(std::function<void(error_code)> done) {
  stream_.async_handshake(asio::ssl::stream_base::server, std::move(done));
}

void TlsStream::shut_down(std::function<void(error_code)> done) {
  stream_.async_shutdown(std::move(done));
}

void TlsStream::read(asio::mutable_buffer into, Done done) {
  stream_.async_read_some(asio::mutable_buffer{into}, std::move(done));
}

void TlsStream::write(std::size_t bytes, Done done) {
  stream_.async_write_some(asio::const_buffer{record_.data(), bytes}, std::move(done));
}

void close_after_shutdown(TlsStream& stream, std::function<void(TlsStream::error_code)> done) {
  stream.shut_down([&stream, done = std::move(done)](TlsStream::error_code failed) {
    beast_close_socket(stream);
    // A peer that ends the connection without TLS's farewell has ended it all the same.
    if (failed == asio::ssl::error::stream_truncated || failed == asio::error::eof) failed = {};
    done(failed);
  });
}

void beast_close_socket(TlsStream& stream) {
  TlsStream::error_code ignored;
  stream.socket().close(ignored);
}

}  // namespace gimbal::sim
