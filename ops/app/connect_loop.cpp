#include "ops/app/connect_loop.hpp"

#include <thread>
#include <utility>

namespace gimbal {

ConnectLoop::ConnectLoop(std::shared_ptr<TlsContext> tls, Endpoint endpoint,
                         std::chrono::milliseconds limit, const ReconnectConfig& reconnect,
                         const TscClock& clock, Say say)
    : connector_{std::move(tls)},
      endpoint_{std::move(endpoint)},
      limit_{limit},
      reconnect_{reconnect},
      clock_{clock},
      say_{std::move(say)} {}

void ConnectLoop::add(std::string name, SessionPort& port, Acknowledge acknowledge) {
  const std::uint64_t seed =
      static_cast<std::uint64_t>(clock_.now().mono_ns) * 0x9e3779b97f4a7c15ULL + lines_.size();
  lines_.push_back(Line{std::move(name), &port, ReconnectPolicy{seed, reconnect_}, acknowledge});
}

void ConnectLoop::attempt(Line& line) {
  ConnectFailure failure;
  std::unique_ptr<Established> connection = connector_.connect(endpoint_, limit_, failure);
  if (connection == nullptr) {
    line.policy.failed();
    if (failure.stage == ConnectStage::tls) tls_refused_.fetch_add(1, std::memory_order_relaxed);
    say_(line.name + ": " + name_of(failure.stage) + " failed: " + failure.text);
    return;
  }
  line.policy.connected(clock_.now());
  say_(line.name + ": connected to " + connection->peer + ", " + connection->security);
  line.port->wanted.store(false, std::memory_order_release);
  const int fd = connection->fd;
  if (line.port->to_hot.put(connection)) {
    line.fd = fd;
  } else {
    line.port->wanted.store(true, std::memory_order_release);
    line.policy.failed();
  }
}

void ConnectLoop::attend(Line& line) {
  if (std::unique_ptr<Established> remains = line.port->to_cold.take()) {
    if (line.fd == remains->fd) line.fd = -1;
    remains.reset();
  }
  if (line.acknowledge == Acknowledge::late && line.fd >= 0) acknowledge_late(line.fd);
  const std::uint64_t lost = line.port->lost.load(std::memory_order_acquire);
  if (lost != line.lost_seen) {
    line.lost_seen = lost;
    line.policy.lost(clock_.now());
    say_(line.name + ": connection lost");
  }
  if (!line.port->wanted.load(std::memory_order_acquire)) return;
  if (!line.scheduled) {
    line.scheduled = true;
    const std::uint64_t before = line.policy.held_back();
    line.due = line.first ? clock_.now() : line.policy.next_attempt(clock_.now());
    if (line.policy.held_back() > before) {
      held_back_.fetch_add(1, std::memory_order_relaxed);
      say_(line.name + ": reconnections are held back: too many within a minute");
    }
    line.first = false;
  }
  if (clock_.now() < line.due) return;
  line.scheduled = false;
  attempt(line);
}

void ConnectLoop::run(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_acquire)) {
    for (Line& line : lines_) {
      if (stop.load(std::memory_order_acquire)) return;
      attend(line);
    }
    cycles_.fetch_add(1, std::memory_order_relaxed);
    std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }
}

}  // namespace gimbal
