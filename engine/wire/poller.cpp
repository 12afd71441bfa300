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

// What is urgent is looked at between two chunks: with small ones a burst of other connections,
// which is one chunk of many messages else, does not stand before it. As many bytes in all.
constexpr std::size_t mixed_chunk_bytes = 2048;

PollerConfig in_small_chunks(PollerConfig config) {
  while (config.buffer_bytes > mixed_chunk_bytes && config.buffers < 4096) {
    config.buffer_bytes /= 2;
    config.buffers *= 2;
  }
  return config;
}
PollerConfig without_stamps(PollerConfig config) {
  config.kernel_stamps = false;
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
    case PollerKind::mixed: return "mixed";
  }
  return "?";
}

std::unique_ptr<Poller> Poller::open(const PollerConfig& wanted, PollerChoice& choice) {
  const PollerConfig config = in_range(wanted);
  const bool automatic = config.kind == PollerKind::automatic;
  const bool mixed = automatic || config.kind == PollerKind::mixed;
  std::unique_ptr<Poller> made{new Poller};
  made->chunks_per_poll_max_ = config.chunks_per_poll_max;
  choice = {config.kind, "asked for by config"};
  if (mixed || config.kind == PollerKind::uring) {
    auto backend = std::make_unique<UringBackend>(mixed ? in_small_chunks(config) : config);
    if (backend->open_error() == 0) {
      choice.kind = made->kind_ = mixed ? PollerKind::mixed : PollerKind::uring;
      if (automatic) {
        choice.reason = "recv for what is urgent; the kernel offers io_uring for the rest";
      }
      if (config.kernel_stamps) choice.reason += "; kernel receive times are not available with it";
      made->uring_ = std::move(backend);
      if (mixed) made->sweep_ = std::make_unique<SweepBackend>(without_stamps(config), false);
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
  if ((uring_ && uring_->holds(slot)) || (sweep_ && sweep_->holds(slot))) return false;
  const bool to_uring = uring_ && !(sweep_ && priority == Priority::first);
  return to_uring ? uring_->add(fd, slot, priority) : sweep_->add(fd, slot, priority);
}

// A backend does nothing about a slot that it does not have.
void Poller::remove(std::uint16_t slot) noexcept {
  if (uring_) uring_->remove(slot);
  if (sweep_) sweep_->remove(slot);
}

void Poller::set_paused(std::uint16_t slot, bool paused) noexcept {
  if (uring_) uring_->set_paused(slot, paused);
  if (sweep_) sweep_->set_paused(slot, paused);
}

void Poller::pause(std::uint16_t slot) noexcept { set_paused(slot, true); }

void Poller::resume(std::uint16_t slot) noexcept { set_paused(slot, false); }

void Poller::begin() noexcept {
  if (sweep_) sweep_->begin();
  if (uring_) uring_->begin();
}

// Mixed: what is urgent before, and again after, each of the other chunks.
bool Poller::next(Received& out) noexcept {
  if (sweep_ && sweep_->next(out)) return true;
  if (!uring_ || !uring_->next(out)) return false;
  if (sweep_) sweep_->begin();
  return true;
}

void Poller::done(const Received& chunk) noexcept {
  if (uring_) uring_->done(chunk);
}

// A ring with deferred task run wakes nobody who polls its descriptor, so a mixed wait looks at its
// flag each millisecond.
void Poller::wait(int milliseconds) noexcept {
  if (!uring_) return (void)sweep_->wait(milliseconds);
  if (!sweep_ || sweep_->empty()) return uring_->wait(milliseconds);
  for (int left = milliseconds; left > 0 && !uring_->pending(); --left) {
    if (sweep_->wait(1)) return;
  }
}

}  // namespace gimbal
