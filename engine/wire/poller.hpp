// Room: engine/wire. One object that brings received bytes to the hot thread, over backends chosen
// at start: io_uring, epoll, a plain spinning recv(), or `mixed`: recv() for the slots of
// Priority::first, whose path in the kernel stays warm by that, and io_uring for all others, so
// that a poll costs the same however many there are (ops/docs/decisions/0028-what-was-tried.md).
//
// Cold: open(). Hot, and only from the one thread that polls: add, remove, pause, resume, poll,
// wait. In steady state poll() makes no system call but io_uring_enter, epoll_wait or recv/recvmsg,
// and never allocates. Slots of Priority::first are served before, and again after, each chunk of a
// normal slot, so a burst elsewhere delays them by at most one chunk (buffer_bytes; mixed: 2 KiB).
#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <span>
#include <string>

#include "engine/core/time.hpp"

namespace gimbal {

enum class PollerKind : std::uint8_t { automatic, uring, epoll, spin, mixed };
enum class Priority : std::uint8_t { first, normal };

[[nodiscard]] const char* name_of(PollerKind kind) noexcept;

inline constexpr std::size_t poller_slots_max = 64;

struct PollerConfig {
  PollerKind kind{PollerKind::automatic};
  std::size_t buffer_bytes{16 * 1024};  // one chunk; 1 KiB .. 64 KiB
  std::size_t buffers{256};             // io_uring's; a power of two, 8 .. 4096
  std::size_t chunks_per_poll_max{64};  // then poll() returns even if more is waiting
  bool kernel_stamps{false};            // epoll and spin: the kernel's own receive time
  bool uring_refused{false};            // behave as if the kernel refused io_uring (tests, drills)
};

// What open() chose and why, for the start-up banner.
struct PollerChoice {
  PollerKind kind{PollerKind::automatic};
  std::string reason;
};

// One chunk from one slot. No bytes and error 0 is an orderly end of stream; error is an errno.
struct Received {
  std::uint16_t slot{0};
  int error{0};
  std::span<const char> bytes;
  std::int64_t kernel_unix_ns{0};  // kernel receive time, CLOCK_REALTIME; 0 when not available
  std::uint32_t buffer{0};         // backend's own
};

class UringBackend;
class SweepBackend;

class Poller {
 public:
  // nullptr when no backend could be opened; `choice.reason` then says why.
  static std::unique_ptr<Poller> open(const PollerConfig& config, PollerChoice& choice);
  ~Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  [[nodiscard]] PollerKind kind() const noexcept { return kind_; }
  // True when Received times come from the kernel (config.kernel_stamps and the backend can).
  [[nodiscard]] bool kernel_stamps() const noexcept { return kernel_stamps_; }

  // `fd` is a connected non-blocking socket, owned by the caller. False: slot out of range or in
  // use, or the kernel refused.
  [[nodiscard]] bool add(int fd, std::uint16_t slot, Priority priority) noexcept;
  void remove(std::uint16_t slot) noexcept;  // before the fd is closed
  // Back-pressure: a paused slot is not read, TCP holds the data. Bytes the kernel had already
  // handed over (io_uring) are still delivered.
  void pause(std::uint16_t slot) noexcept;
  void resume(std::uint16_t slot) noexcept;

  // One sweep. `clock.now()` gives RecvTime; the sink has
  //   void on_received(std::uint16_t slot, std::span<const char> bytes, RecvTime at)
  //   void on_lost(std::uint16_t slot, int error)      error 0: the peer ended the stream
  // After on_lost the slot delivers nothing more; the owner calls remove(). Returns chunks served.
  template <class Clock, class Sink>
  std::size_t poll(const Clock& clock, Sink& sink) noexcept {
    std::size_t served = 0;
    Received chunk;
    begin();
    while (served < chunks_per_poll_max_ && next(chunk)) {
      ++served;
      if (chunk.bytes.empty()) {
        sink.on_lost(chunk.slot, chunk.error);
      } else {
        const RecvTime now = clock.now();
        sink.on_received(chunk.slot, chunk.bytes,
                         chunk.kernel_unix_ns == 0 ? now : at_kernel(now, chunk.kernel_unix_ns));
      }
      done(chunk);
    }
    return served;
  }

  // Blocks until a slot may have bytes or `milliseconds` passed; for idle, not for latency.
  void wait(int milliseconds) noexcept;

 private:
  Poller() = default;
  void begin() noexcept;
  bool next(Received& out) noexcept;
  void done(const Received& chunk) noexcept;
  void set_paused(std::uint16_t slot, bool paused) noexcept;
  // Moves a CLOCK_REALTIME stamp onto the caller's clock by its age; a stamp from the future or
  // older than a second (the wall clock was stepped) is ignored.
  static RecvTime at_kernel(RecvTime now, std::int64_t kernel_unix_ns) noexcept {
    timespec wall{};
    clock_gettime(CLOCK_REALTIME, &wall);
    const std::int64_t age = wall.tv_sec * 1'000'000'000 + wall.tv_nsec - kernel_unix_ns;
    return age < 0 || age > 1'000'000'000 ? now : now - Nanos{age};
  }

  PollerKind kind_{PollerKind::automatic};
  bool kernel_stamps_{false};
  std::size_t chunks_per_poll_max_{64};
  std::unique_ptr<UringBackend> uring_;  // one of them, or both: mixed
  std::unique_ptr<SweepBackend> sweep_;
};

}  // namespace gimbal
