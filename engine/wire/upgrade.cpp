// The WebSocket upgrade of http.hpp, without I/O. Beast reads the answer; what it must say is here.
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include "engine/wire/http.hpp"
#include "engine/wire/http_text.hpp"

namespace gimbal {
namespace {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::empty_body>;

constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3

std::string base64(std::span<const unsigned char> bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

// Why this answer does not open a WebSocket; empty when it does.
std::string objection(const Parser::value_type& answer, std::string_view key) {
  if (answer.result_int() != 101) {
    return "the server answered " + std::to_string(answer.result_int()) + " " +
           printable(as_view(answer.reason()));
  }
  if (!boost::beast::iequals(answer[http::field::upgrade], "websocket")) {
    return "the answer's Upgrade is not websocket";
  }
  if (!http::token_list{answer[http::field::connection]}.exists("upgrade")) {
    return "the answer's Connection is not Upgrade";
  }
  if (answer.count(http::field::sec_websocket_accept) != 1 ||
      as_view(answer[http::field::sec_websocket_accept]) != ws_accept_of(key)) {
    return "the answer's Sec-WebSocket-Accept does not match our key";
  }
  if (answer.count(http::field::sec_websocket_extensions) != 0) {
    return "the server turned on an extension that was not offered";
  }
  if (answer.count(http::field::sec_websocket_protocol) != 0) {
    return "the server chose a subprotocol that was not offered";
  }
  return {};
}

}  // namespace

std::string ws_key() {
  std::array<unsigned char, 16> raw{};
  return RAND_bytes(raw.data(), static_cast<int>(raw.size())) == 1 ? base64(raw) : std::string{};
}

std::string ws_accept_of(std::string_view key) {
  std::string text{key};
  text += accept_guid;
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1)
    return {};
  return base64(std::span{digest}.first(size));
}

bool upgrade_request(const Endpoint& endpoint, std::string_view key, std::string& out,
                     std::string& error) {
  if (endpoint.path.empty() || endpoint.path.front() != '/' || !clean_target(endpoint.path)) {
    error =
        "path '" + printable(endpoint.path) + "' must start with / and hold no space or control";
    return false;
  }
  out = "GET " + endpoint.path + " HTTP/1.1\r\nHost: " + host_field(endpoint) +
        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + std::string{key} +
        "\r\nSec-WebSocket-Version: 13\r\n";
  if (!append_headers(endpoint.headers, out, error)) return false;
  out += "\r\n";
  return true;
}

UpgradeAnswer upgrade_answer(std::string_view received, std::string_view key) {
  UpgradeAnswer answer;
  // The header is complete or not yet; looking for its end first keeps the parser from being asked
  // again and again for a slow sender.
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos || end + 4 > http_header_max) {
    if (received.size() >= http_header_max) {
      answer.status = UpgradeStatus::refused;
      answer.error =
          "the answer's header is longer than " + std::to_string(http_header_max) + " bytes";
    }
    return answer;
  }
  Parser parser;
  parser.header_limit(http_header_max);
  parser.skip(true);  // a 101 has no body; of a refusal only the status is wanted
  boost::system::error_code code;
  parser.put(boost::asio::buffer(received.data(), end + 4), code);
  answer.status = UpgradeStatus::refused;
  if (code || !parser.is_header_done()) {
    answer.error = "not an HTTP answer: " + code.message();
    return answer;
  }
  answer.http_status = static_cast<int>(parser.get().result_int());
  answer.error = objection(parser.get(), key);
  if (!answer.error.empty()) return answer;
  answer.status = UpgradeStatus::accepted;
  answer.consumed = end + 4;
  return answer;
}

}  // namespace gimbal
