// Room: engine/wire, private. What calls recv() itself: `spin` tries every slot in turn (in a mixed
// poller those of Priority::first); `epoll` tries those that an edge-triggered epoll_wait(0) has
// named. Order of service and limits are as poller.hpp says.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/wire/poller.hpp"

namespace gimbal {

class SweepBackend {
 public:
  SweepBackend(const PollerConfig& config, bool use_epoll);
  ~SweepBackend();
  SweepBackend(const SweepBackend&) = delete;
  SweepBackend& operator=(const SweepBackend&) = delete;

  [[nodiscard]] int open_error() const noexcept { return open_error_; }  // errno of epoll_create
  bool add(int fd, std::uint16_t slot, Priority priority) noexcept;
  void remove(std::uint16_t slot) noexcept;
  [[nodiscard]] bool holds(std::uint16_t slot) const noexcept {
    return slot < poller_slots_max && slots_[slot].fd >= 0;
  }
  void set_paused(std::uint16_t slot, bool paused) noexcept;
  void begin() noexcept;
  bool next(Received& out) noexcept;
  bool wait(int milliseconds) noexcept;  // false: nothing came
  [[nodiscard]] bool empty() const noexcept { return first_.size + normal_.size == 0; }

 private:
  struct Slot {
    int fd{-1};
    Priority priority{Priority::normal};
    bool ready{false};   // epoll: an edge was seen and not yet used up
    bool ending{false};  // epoll: the edge said hang-up; read to the very end
    bool paused{false};
    bool lost{false};
  };
  struct Order {  // slot numbers of one priority
    std::array<std::uint16_t, poller_slots_max> slots{};
    std::size_t size{0};
  };

  bool try_slot(std::uint16_t slot, Received& out) noexcept;
  long receive(const Slot& from, std::int64_t& kernel_unix_ns) noexcept;
  void rebuild() noexcept;

  const bool use_epoll_;
  const bool kernel_stamps_;
  int epoll_{-1};
  int open_error_{0};
  std::vector<char> buffer_;
  std::array<Slot, poller_slots_max> slots_{};
  Order first_;
  Order normal_;
  std::size_t first_at_{0};
  std::size_t normal_at_{0};
  std::size_t normal_left_{0};
};

}  // namespace gimbal
