#include "engine/wire/connector.hpp"

#include <unistd.h>

#include <array>

#include "engine/wire/http.hpp"
#include "engine/wire/stream.hpp"

namespace gimbal {
namespace {

// Everything the channel can still give without another recv() belongs to the WebSocket.
bool drain_channel(Established& made, std::string& error) {
  std::array<char, 4096> chunk{};
  for (;;) {
    std::size_t got = 0;
    const ChannelStatus status = made.channel->read(chunk, got);
    if (status == ChannelStatus::need_more) return true;
    if (status != ChannelStatus::ok) {
      error = made.peer + " ended the connection after the upgrade";
      return false;
    }
    made.leftover.insert(made.leftover.end(), chunk.begin(),
                         chunk.begin() + static_cast<std::ptrdiff_t>(got));
  }
}

bool upgrade(Established& made, const Endpoint& endpoint, Deadline deadline,
             ConnectFailure& failure) {
  const std::string key = ws_key();
  std::string request;
  if (key.empty() || !upgrade_request(endpoint, key, request, failure.text)) return false;
  if (send_all(made, request, deadline, failure.text) != StreamStatus::ok) return false;
  std::string received;
  std::array<char, 4096> chunk{};
  for (;;) {
    std::size_t got = 0;
    if (receive_some(made, chunk, got, deadline, failure.text) != StreamStatus::ok) return false;
    received.append(chunk.data(), got);
    const UpgradeAnswer answer = upgrade_answer(received, key);
    if (answer.status == UpgradeStatus::need_more) continue;
    failure.http_status = answer.http_status;
    if (answer.status == UpgradeStatus::refused) {
      failure.text = answer.error;
      return false;
    }
    made.leftover.assign(received.begin() + static_cast<std::ptrdiff_t>(answer.consumed),
                         received.end());
    return drain_channel(made, failure.text);
  }
}

}  // namespace

Established::~Established() {
  if (fd >= 0) ::close(fd);
}

const char* name_of(ConnectStage stage) noexcept {
  switch (stage) {
    case ConnectStage::none: return "none";
    case ConnectStage::resolve: return "resolve";
    case ConnectStage::connect: return "connect";
    case ConnectStage::tls: return "tls";
    case ConnectStage::upgrade: return "upgrade";
  }
  return "?";
}

std::unique_ptr<Established> Connector::connect(const Endpoint& endpoint,
                                                std::chrono::milliseconds limit,
                                                ConnectFailure& failure) const {
  const Deadline deadline = std::chrono::steady_clock::now() + limit;
  auto made = open_stream(context_, endpoint, deadline, failure);
  if (!made) return nullptr;
  failure.stage = ConnectStage::upgrade;
  if (!upgrade(*made, endpoint, deadline, failure)) {
    failure.text = "WebSocket upgrade at " + endpoint.host + endpoint.path + ": " + failure.text;
    return nullptr;
  }
  failure = {};
  return made;
}

}  // namespace gimbal
