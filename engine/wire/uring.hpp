// Room: engine/wire, private. io_uring in SINGLE_ISSUER | DEFER_TASKRUN mode: one multishot recv a
// slot into one ring of provided buffers. The kernel sets a flag when it has completions to hand
// over, so an idle poll is a read of memory, and a busy one a single io_uring_enter.
#pragma once

#include <liburing.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/wire/poller.hpp"

namespace gimbal {

class UringBackend {
 public:
  explicit UringBackend(const PollerConfig& config);
  ~UringBackend();
  UringBackend(const UringBackend&) = delete;
  UringBackend& operator=(const UringBackend&) = delete;

  // errno of what the kernel refused at construction, 0 when all is well; and which step it was.
  [[nodiscard]] int open_error() const noexcept { return open_error_; }
  [[nodiscard]] const char* open_step() const noexcept { return open_step_; }

  bool add(int fd, std::uint16_t slot, Priority priority) noexcept;
  void remove(std::uint16_t slot) noexcept;
  [[nodiscard]] bool holds(std::uint16_t slot) const noexcept {
    return slot < poller_slots_max && slots_[slot].fd >= 0;
  }
  void set_paused(std::uint16_t slot, bool paused) noexcept;
  void begin() noexcept;
  bool next(Received& out) noexcept;
  void done(const Received& chunk) noexcept;
  void wait(int milliseconds) noexcept;
  // Something is here, or waits in the kernel for the next call.
  [[nodiscard]] bool pending() noexcept;

 private:
  struct Slot {
    int fd{-1};
    Priority priority{Priority::normal};
    std::uint16_t generation{0};  // completions of an earlier tenant are dropped
    bool armed{false};
    bool paused{false};
    bool lost{false};
  };
  struct Queue {  // completions waiting to be served, oldest first
    std::vector<Received> items;
    std::size_t head{0};
    std::size_t size{0};
    void push(const Received& r) noexcept {
      items[(head + size) % items.size()] = r;
      ++size;
    }
    Received pop() noexcept {
      const Received r = items[head];
      head = (head + 1) % items.size();
      --size;
      return r;
    }
  };

  bool open_ring(const PollerConfig& config) noexcept;
  bool enable() noexcept;  // binds the ring to the calling thread, once
  bool arm(std::uint16_t slot) noexcept;
  void cancel(std::uint16_t slot) noexcept;
  void harvest() noexcept;
  void drop_of(std::uint16_t slot, Queue& queue) noexcept;
  void take(const io_uring_cqe& cqe) noexcept;
  void recycle(std::uint32_t buffer) noexcept;
  char* buffer(std::uint32_t number) noexcept {
    return memory_.data() + static_cast<std::size_t>(number) * buffer_bytes_;
  }

  io_uring ring_{};
  bool ring_open_{false};
  bool enabled_{false};
  int open_error_{0};
  const char* open_step_{""};
  std::size_t buffer_bytes_;
  std::uint32_t buffers_;
  std::vector<char> memory_;
  io_uring_buf_ring* provided_{nullptr};
  std::size_t provided_bytes_{0};
  std::array<Slot, poller_slots_max> slots_{};
  bool rearm_{false};  // some slot's multishot ended and may be armed again
  Queue first_;
  Queue normal_;
};

}  // namespace gimbal
