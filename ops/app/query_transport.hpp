// What a query session needs from outside: one request answered within a limit, and the time. The
// bot brings HTTPS and the host's clocks; the simulation tester brings virtual ones, so that the
// very code that reconciles is what it tests. Room: ops/app. Cold.
#pragma once

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "engine/runtime/clock.hpp"
#include "engine/wire/http.hpp"

namespace gimbal {

class QueryTransport {
 public:
  QueryTransport() = default;
  QueryTransport(const QueryTransport&) = delete;
  QueryTransport& operator=(const QueryTransport&) = delete;
  virtual ~QueryTransport() = default;

  // Blocks for at most `limit`; status 0 and an error when nothing came.
  [[nodiscard]] virtual HttpResponse call(const HttpRequest& request,
                                          std::chrono::milliseconds limit) = 0;
  [[nodiscard]] virtual RecvTime now() const = 0;
  [[nodiscard]] virtual ExchTime wall() const = 0;
  virtual void pause(std::chrono::milliseconds time) = 0;
};

// One venue over HTTPS, on the host's clocks. `clock` must outlive it.
class HttpsTransport final : public QueryTransport {
 public:
  HttpsTransport(std::shared_ptr<TlsContext> tls, Endpoint endpoint, const TscClock& clock)
      : http_{std::move(tls), std::move(endpoint)}, clock_{clock} {}

  HttpResponse call(const HttpRequest& request, std::chrono::milliseconds limit) override {
    return http_.call(request, limit);
  }
  RecvTime now() const override { return clock_.now(); }
  ExchTime wall() const override { return wall_now(); }
  void pause(std::chrono::milliseconds time) override { std::this_thread::sleep_for(time); }

 private:
  HttpsClient http_;
  const TscClock& clock_;
};

}  // namespace gimbal
