// Common practice, honestly written: a hedging bot of Boost.Beast, nlohmann::json and std::map. It
// keeps the hedge instrument's book and change_id chain, the delta of a short-gamma position, and
// sends an IOC order when the delta leaves its band. One thread, no logging, buffers reused,
// TCP_NODELAY; everything a careful author does without leaving the libraries' usual way.
//
//   beast_bot PORT PATH asleep|polled
//     asleep: io_context::run(), the thread sleeps in epoll until bytes come
//     polled: io_context::poll() in a loop, the thread never sleeps
#include <sched.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using nlohmann::json;

class Bot {
 public:
  void on_book(const json& data) {
    if (data.at("type") == "snapshot") {
      bids_.clear();
      asks_.clear();
    } else if (data.at("prev_change_id").get<std::uint64_t>() != change_id_) {
      std::fputs("beast_bot: a gap in the chain\n", stderr);
      std::exit(1);
    }
    change_id_ = data.at("change_id").get<std::uint64_t>();
    for (const json& row : data.at("bids")) take(bids_, row);
    for (const json& row : data.at("asks")) take(asks_, row);
  }
  // The order's text, empty when the delta is inside its band.
  std::string decide() {
    if (bids_.empty() || asks_.empty()) return {};
    const double mid = (bids_.begin()->first + asks_.begin()->first) / 2;
    const double options = short_gamma_ * (mid - hedged_at_);
    if (std::abs(options) < band_) return {};
    const bool buy = options < 0;
    hedged_at_ = mid;
    const json order = {
        {"jsonrpc", "2.0"},
        {"id", ++request_},
        {"method", buy ? "private/buy" : "private/sell"},
        {"params",
         {{"instrument_name", "BTC-PERPETUAL"},
          {"type", "limit"},
          {"label", "beast-" + std::to_string(request_)},
          {"amount", std::round(std::abs(options) * mid / 10) * 10},
          {"time_in_force", "immediate_or_cancel"},
          {"price", std::round(buy ? asks_.begin()->first * 1.002 : bids_.begin()->first * 0.998)},
          {"valid_until", 1790000000500LL}}}};
    return order.dump();
  }

 private:
  template <class Side>
  static void take(Side& side, const json& row) {
    const double price = row.at(1).get<double>();
    if (row.at(0) == "delete") {
      side.erase(price);
    } else {
      side[price] = row.at(2).get<double>();
    }
  }

  std::map<double, double, std::greater<>> bids_;
  std::map<double, double> asks_;
  std::uint64_t change_id_{0};
  std::uint64_t request_{0};
  double hedged_at_{0};
  double short_gamma_{-0.002};
  double band_{0.01};
};

class Session {
 public:
  Session(asio::io_context& io, asio::ssl::context& tls) : socket_{io, tls} {}

  void open(const std::string& port, const std::string& path) {
    auto& tcp = beast::get_lowest_layer(socket_).socket();
    asio::ip::tcp::resolver resolver{tcp.get_executor()};
    asio::connect(tcp, resolver.resolve("127.0.0.1", port));
    tcp.set_option(asio::ip::tcp::no_delay(true));
    socket_.next_layer().handshake(asio::ssl::stream_base::client);
    socket_.handshake("localhost", path);
    socket_.text(true);
    read();
  }

 private:
  void read() {
    socket_.async_read(buffer_, [this](beast::error_code error, std::size_t) {
      if (error) std::exit(0);
      const auto bytes = buffer_.cdata();
      const json message =
          json::parse(std::string_view{static_cast<const char*>(bytes.data()), bytes.size()});
      buffer_.consume(buffer_.size());
      const auto params = message.find("params");
      if (params != message.end() && params->contains("data")) bot_.on_book(params->at("data"));
      out_ = bot_.decide();
      if (out_.empty()) return read();
      socket_.async_write(asio::buffer(out_), [this](beast::error_code failed, std::size_t) {
        if (failed) std::exit(0);
        read();
      });
    });
  }

  beast::websocket::stream<beast::ssl_stream<beast::tcp_stream>> socket_;
  beast::flat_buffer buffer_;
  std::string out_;
  Bot bot_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: beast_bot PORT PATH asleep|polled\n", stderr);
    return 2;
  }
  try {
    asio::io_context io{1};
    asio::ssl::context tls{asio::ssl::context::tlsv13_client};
    SSL_CTX_set_ciphersuites(tls.native_handle(), "TLS_AES_128_GCM_SHA256");
    Session session{io, tls};
    session.open(argv[1], argv[2]);
    if (std::string_view{argv[3]} == "asleep") {
      io.run();
    } else {
      while (!io.stopped()) io.poll();
    }
    return 0;
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "beast_bot: %s\n", failed.what());
    return 1;
  }
}
