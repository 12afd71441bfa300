#include "engine/wire/http.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "engine/wire/http_text.hpp"
#include "engine/wire/stream.hpp"

namespace gimbal {
namespace {

namespace beast_http = boost::beast::http;
using Parser = beast_http::response_parser<beast_http::string_body>;

bool write_head(const Endpoint& endpoint, const HttpRequest& request, std::string& out,
                std::string& error) {
  const std::string_view method = request.method;
  if (method != "GET" && method != "POST" && method != "PUT" && method != "DELETE") {
    error = "method '" + printable(method) + "' is not GET, POST, PUT or DELETE";
    return false;
  }
  if (request.target.empty() || request.target.front() != '/' || !clean_target(request.target)) {
    error =
        "target '" + printable(request.target) + "' must start with / and hold no space or control";
    return false;
  }
  out =
      request.method + " " + request.target + " HTTP/1.1\r\nHost: " + host_field(endpoint) + "\r\n";
  if (!append_headers(endpoint.headers, out, error) ||
      !append_headers(request.headers, out, error)) {
    return false;
  }
  if (method != "GET") out += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  out += "\r\n";
  if (method != "GET") out += request.body;
  return true;
}

// Feeds the parser from the stream until the answer is whole. False with `error`.
bool read_answer(Established& stream, Parser& parser, Deadline deadline, std::string& error,
                 bool& silent) {
  std::string pending;
  std::array<char, 16 * 1024> chunk{};
  silent = true;
  while (!parser.is_done()) {
    std::size_t got = 0;
    const StreamStatus status = receive_some(stream, chunk, got, deadline, error);
    boost::system::error_code code;
    if (status == StreamStatus::closed && parser.got_some()) {
      parser.put_eof(code);
      if (!code && parser.is_done()) return true;
      error += " in the middle of an answer";
      return false;
    }
    if (status != StreamStatus::ok) {
      silent = silent && status != StreamStatus::timed_out;
      return false;
    }
    silent = false;
    pending.append(chunk.data(), got);
    while (!pending.empty() && !parser.is_done()) {
      const std::size_t used = parser.put(boost::asio::buffer(pending), code);
      pending.erase(0, used);
      if (code == beast_http::error::need_more) break;
      if (code) {
        error = "bad HTTP answer from " + stream.peer + ": " + code.message();
        return false;
      }
      if (used == 0) break;
    }
  }
  return true;
}

}  // namespace

HttpsClient::HttpsClient(std::shared_ptr<TlsContext> context, Endpoint endpoint,
                         std::size_t body_max)
    : context_{std::move(context)}, endpoint_{std::move(endpoint)}, body_max_{body_max} {}

HttpsClient::~HttpsClient() = default;

void HttpsClient::drop() noexcept { kept_.reset(); }

// One request on the kept connection. False: no whole answer; `silent` then says that the server
// closed or reset the connection without a byte of answer.
bool HttpsClient::exchange(const HttpRequest& request, Deadline deadline, HttpResponse& out,
                           bool& silent) {
  std::string head;
  silent = false;
  if (!write_head(endpoint_, request, head, out.error)) {
    out.not_sent = true;
    return true;  // an answer of its own: nothing to retry
  }
  const StreamStatus sent = send_all(*kept_, head, deadline, out.error);
  if (sent != StreamStatus::ok) {
    silent = sent == StreamStatus::failed;
    return false;
  }
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(http_header_max));
  parser.body_limit(body_max_);
  parser.eager(true);
  if (!read_answer(*kept_, parser, deadline, out.error, silent)) return false;
  const bool keep = parser.get().keep_alive();
  out.status = static_cast<int>(parser.get().result_int());
  out.body = std::move(parser.get().body());
  if (!keep) kept_.reset();
  return true;
}

HttpResponse HttpsClient::call(const HttpRequest& request, std::chrono::milliseconds limit) {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    HttpResponse out;
    const bool reused = kept_ != nullptr;
    if (!reused) {
      ConnectFailure failure;
      kept_ = open_stream(context_, endpoint_, deadline, failure);
      if (!kept_) {
        out.error = std::string{name_of(failure.stage)} + ": " + failure.text;
        out.not_sent = true;
        return out;
      }
      ++connections_;
    }
    bool silent = false;
    if (exchange(request, deadline, out, silent)) return out;
    kept_.reset();
    // A server may close an idle connection at any time; asking again is safe for a GET only.
    if (!(reused && silent && request.method == "GET")) return out;
  }
}

}  // namespace gimbal
