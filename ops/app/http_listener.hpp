// A bounded HTTP/1.1 responder for a scraper: GET only, one request a connection, answers made by a
// callback. It never blocks: each call of poll_once() does what can be done and returns. A client
// gets 2 seconds from connect to close; the fifth client pushes out the oldest, so that a slow one
// holds neither the caller nor the next scrape. Room: ops/app. Cold thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <string>
#include <string_view>

#include "engine/runtime/outcome.hpp"
#include "ops/app/listen_address.hpp"

namespace gimbal {

struct HttpAnswer {
  int status{200};  // 200, 404, 503
  std::string content_type{"text/plain; version=0.0.4; charset=utf-8"};
  std::string body;
};

struct HttpListenerCounters {
  std::uint64_t answered{0};
  std::uint64_t refused{0};  // malformed, too long, not GET
  std::uint64_t timed_out{0};
  std::uint64_t evicted{0};
};

class HttpListener {
 public:
  static constexpr std::size_t clients_max = 4;
  static constexpr std::size_t request_bytes_max = 2048;
  static constexpr std::chrono::milliseconds patience{2000};

  using Answer = std::function<HttpAnswer(std::string_view path)>;
  explicit HttpListener(Answer answer) : answer_{std::move(answer)} {}
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  Outcome open(const ListenAddress& address);
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  // Returns the requests answered. No system call but accept4 when nobody is connected.
  std::size_t poll_once();
  [[nodiscard]] const HttpListenerCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] std::size_t clients() const noexcept { return clients_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Client {
    int fd{-1};
    Clock::time_point deadline;
    std::string in;
    std::string out;
    std::size_t sent{0};
    bool answering{false};
    bool done{false};
  };
  void accept_all(Clock::time_point now);
  void receive(Client& client);
  void respond(Client& client);
  void send_some(Client& client);

  Answer answer_;
  int listener_{-1};
  std::uint16_t port_{0};
  std::list<Client> clients_;
  HttpListenerCounters counters_;
};

}  // namespace gimbal
