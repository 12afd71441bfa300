#include "engine/wire/poller.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/wire/sweep.hpp"
#include "engine/wire/uring.hpp"

namespace gimbal {
namespace {

PollerConfig in_range(PollerConfig config) {
  config.buffer_bytes = std::clamp<std::size_t>(config.buffer_bytes, 1024, 64 * 1024);
  config.buffers = std::bit_ceil(std::clamp<std::size_t>(config.buffers, 8, 4096));
  config.chunks_per_poll_max = std::max<std::size_t>(config.chunks_per_poll_max, 1);
  return config;
}

std::string refusal(const UringBackend& backend) {
  return std::string{"the kernel refuses io_uring ("} + backend.open_step() + ": " +
         std::strerror(backend.open_error()) + ")";
}

}  // namespace

const char* name_of(PollerKind kind) noexcept {
  switch (kind) {
    case PollerKind::automatic: return "automatic";
    case PollerKind::uring: return "io_uring";
    case PollerKind::epoll: return "epoll";
    case PollerKind::spin: return "spin";
  }
  return "?";
}

std::unique_ptr<Poller> Poller::open(const PollerConfig& wanted, PollerChoice& choice) {
  const PollerConfig config = in_range(wanted);
  const bool automatic = config.kind == PollerKind::automatic;
  std::unique_ptr<Poller> made{new Poller};
  made->chunks_per_poll_max_ = config.chunks_per_poll_max;
  choice = {config.kind, "asked for by config"};
  if (automatic || config.kind == PollerKind::uring) {
    auto backend = std::make_unique<UringBackend>(config);
    if (backend->open_error() == 0) {
      choice.kind = made->kind_ = PollerKind::uring;
      if (automatic) choice.reason = "the kernel offers io_uring with deferred task run";
      if (config.kernel_stamps) choice.reason += "; kernel receive times are not available with it";
      made->uring_ = std::move(backend);
      return made;
    }
    choice.reason = refusal(*backend);
    if (!automatic) return nullptr;
  }
  const bool use_epoll = config.kind != PollerKind::spin;
  made->sweep_ = std::make_unique<SweepBackend>(config, use_epoll);
  if (made->sweep_->open_error() != 0) {
    choice.reason += std::string{"; the kernel refuses epoll ("} +
                     std::strerror(made->sweep_->open_error()) + ")";
    return nullptr;
  }
  choice.kind = made->kind_ = use_epoll ? PollerKind::epoll : PollerKind::spin;
  made->kernel_stamps_ = config.kernel_stamps;
  return made;
}

Poller::~Poller() = default;

bool Poller::add(int fd, std::uint16_t slot, Priority priority) noexcept {
  return uring_ ? uring_->add(fd, slot, priority) : sweep_->add(fd, slot, priority);
}

void Poller::remove(std::uint16_t slot) noexcept {
  uring_ ? uring_->remove(slot) : sweep_->remove(slot);
}

void Poller::pause(std::uint16_t slot) noexcept {
  uring_ ? uring_->set_paused(slot, true) : sweep_->set_paused(slot, true);
}

void Poller::resume(std::uint16_t slot) noexcept {
  uring_ ? uring_->set_paused(slot, false) : sweep_->set_paused(slot, false);
}

void Poller::begin() noexcept { uring_ ? uring_->begin() : sweep_->begin(); }

bool Poller::next(Received& out) noexcept { return uring_ ? uring_->next(out) : sweep_->next(out); }

void Poller::done(const Received& chunk) noexcept {
  if (uring_) uring_->done(chunk);
}

void Poller::wait(int milliseconds) noexcept {
  uring_ ? uring_->wait(milliseconds) : sweep_->wait(milliseconds);
}

}  // namespace gimbal
