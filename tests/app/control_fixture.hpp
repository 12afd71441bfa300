// A control server on a socket in a temporary directory, with a handler that records what it is
// asked, and plain clients.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/app/control.hpp"

namespace gimbal {

class RecordingHandler : public ControlHandler {
 public:
  std::optional<std::uint16_t> resolve(ScopeLevel level, std::string_view name) override {
    if (level == ScopeLevel::account && name == "main") return std::uint16_t{3};
    return std::nullopt;
  }
  ControlAnswer kill(const KillRequest& request) override {
    kills.push_back(request);
    auto answer = kill_answer(proof, false, false);
    said_confirmed = answer.state == AnswerState::partial;
    return answer;
  }
  ControlAnswer arm(const ArmRequest& request) override {
    arms.push_back(request);
    return done_answer("{\"armed\":true}");
  }
  ControlAnswer other(const OtherRequest& request) override {
    others.push_back(request);
    return request.verb == ControlVerb::stress
               ? refused_answer("stress is not part of this version")
               : done_answer("{}");
  }
  ControlAnswer flatten(const FlattenRequest& request) override {
    flattens.push_back(request);
    return done_answer(request.token.empty()
                           ? R"({"plan":true,"token":"0123456789abcdef","positions":[]})"
                           : R"({"flat":true})");
  }
  ControlAnswer progress(std::uint64_t, bool deadline_passed) override {
    auto answer = kill_answer(proof, said_confirmed, deadline_passed);
    said_confirmed = said_confirmed || answer.state == AnswerState::partial;
    return answer;
  }
  const StatusReport& status() override {
    ++status_calls;
    return report;
  }

  std::vector<KillRequest> kills;
  std::vector<ArmRequest> arms;
  std::vector<FlattenRequest> flattens;
  std::vector<OtherRequest> others;
  std::size_t status_calls{0};
  bool said_confirmed{false};
  KillProof proof;
  StatusReport report;
};

class RawClient {
 public:
  explicit RawClient(const std::string& path)
      : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : fd_{std::exchange(other.fd_, -1)},
        connected_{other.connected_},
        in_{std::move(other.in_)} {}
  RawClient& operator=(RawClient&&) = delete;
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] bool connected() const { return connected_; }
  bool send(const std::string& text) const {
    return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  void finish_writing() const { ::shutdown(fd_, SHUT_WR); }
  // A whole line if one has arrived; empty otherwise.
  std::string take_line() {
    char chunk[65536];
    while (true) {
      const ssize_t n = ::recv(fd_, chunk, sizeof chunk, MSG_DONTWAIT);
      if (n == 0) closed_ = true;
      if (n <= 0) break;
      in_.append(chunk, static_cast<std::size_t>(n));
    }
    const auto end = in_.find('\n');
    if (end == std::string::npos) return {};
    auto line = in_.substr(0, end);
    in_.erase(0, end + 1);
    return line;
  }
  [[nodiscard]] bool closed() {
    if (in_.empty()) (void)take_line();
    return closed_;
  }

 private:
  int fd_;
  bool connected_{false};
  bool closed_{false};
  std::string in_;
};

class ControlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "gimbal-control-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
    runtime_dir = name + "/run";
    options.path = runtime_dir + "/control.sock";
    options.policy =
        ControlPolicy{static_cast<std::uint32_t>(::geteuid()), std::nullopt, std::nullopt};
  }
  void TearDown() override {
    server.reset();
    std::filesystem::remove_all(root);
  }
  void start() {
    server = std::make_unique<ControlServer>(options, handler);
    const auto opened = server->open();
    ASSERT_TRUE(static_cast<bool>(opened)) << opened.error();
  }
  void poll_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) server->poll_once(std::chrono::milliseconds{1});
  }
  // The next answer line, or empty after `patience`.
  std::string answer(RawClient& client,
                     std::chrono::milliseconds patience = std::chrono::milliseconds{3000}) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < end) {
      if (auto line = client.take_line(); !line.empty()) return line;
      server->poll_once(std::chrono::milliseconds{1});
    }
    return client.take_line();
  }
  std::string ask(const std::string& line) {
    RawClient client{options.path};
    EXPECT_TRUE(client.send(line + "\n"));
    return answer(client);
  }

  std::filesystem::path root;
  std::string runtime_dir;
  RecordingHandler handler;
  ControlOptions options;
  std::unique_ptr<ControlServer> server;
};

inline bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace gimbal
