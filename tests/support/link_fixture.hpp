// Links over loopback TLS, on one poller.
#pragma once

#include <gtest/gtest.h>
#include <time.h>

#include <chrono>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "engine/wire/link.hpp"
#include "engine/wire/poller.hpp"
#include "tests/wire/test_servers.hpp"

namespace gimbal::test {

struct SystemClock {
  RecvTime now() const noexcept {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return RecvTime{t.tv_sec * 1'000'000'000 + t.tv_nsec};
  }
};

// What a test saw on one link; also the sink of both the poller and the link.
struct Station {
  explicit Station(const LinkConfig& config = {}) : link{config} {}
  void on_text(const TextFrame& f) {
    EXPECT_GE(f.capacity, f.size + ws_padding);
    texts.emplace_back(f.data, f.size);
    last_at = f.at;
    if (hook) hook(f);
  }
  void on_closed(const LinkClosed& c) { endings.push_back(c); }

  Link link;
  std::deque<std::string> texts;
  std::vector<LinkClosed> endings;
  RecvTime last_at{};
  std::function<void(const TextFrame&)> hook;
};

struct Router {
  std::vector<Station*> stations;
  void on_received(std::uint16_t slot, std::span<const char> bytes, RecvTime at) {
    stations[slot]->link.on_bytes(bytes, at, *stations[slot]);
  }
  void on_lost(std::uint16_t slot, int error) {
    stations[slot]->link.on_lost(error, *stations[slot]);
  }
};

class LinkOver : public testing::TestWithParam<PollerKind> {
 protected:
  void SetUp() override {
    test::CertSpec spec;
    spec.dns = {"venue.test"};
    root_ = test::make_authority();
    leaf_ = test::make_identity(spec, &root_);
    std::string error;
    context_ = TlsContext::make({test::write_pem({root_}), {}}, error);
    ASSERT_TRUE(context_) << error;
    PollerChoice choice;
    PollerConfig config;
    config.kind = GetParam();
    poller_ = Poller::open(config, choice);
    if (!poller_) GTEST_SKIP() << name_of(GetParam()) << ": " << choice.reason;
  }
  Endpoint endpoint(std::uint16_t port) const {
    Endpoint e;
    e.host = "venue.test";
    e.address = "127.0.0.1";
    e.port = port;
    return e;
  }
  void join(Station& station, std::uint16_t port, Priority priority = Priority::normal) {
    ConnectFailure failure;
    auto made = Connector{context_}.connect(endpoint(port), std::chrono::seconds{5}, failure);
    ASSERT_TRUE(made) << failure.text;
    EXPECT_EQ(made->security, "TLSv1.3 TLS_AES_128_GCM_SHA256");
    const auto slot = static_cast<std::uint16_t>(router_.stations.size());
    router_.stations.push_back(&station);
    ASSERT_TRUE(poller_->add(made->fd, slot, priority));
    station.link.adopt(std::move(made), clock_.now(), station);
  }
  bool run_until(const std::function<bool()>& done,
                 std::chrono::milliseconds limit = std::chrono::seconds{10}) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!done()) {
      if (std::chrono::steady_clock::now() > end) return false;
      if (poller_->poll(clock_, router_) == 0) poller_->wait(1);
      for (Station* s : router_.stations) s->link.settle(*s);
    }
    return true;
  }
  void TearDown() override {
    for (std::uint16_t i = 0; poller_ && i < router_.stations.size(); ++i) poller_->remove(i);
  }

  Identity root_;
  Identity leaf_;
  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<Poller> poller_;
  SystemClock clock_;
  Router router_;
};

}  // namespace gimbal::test
