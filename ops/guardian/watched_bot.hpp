// The bot that the guardian watches: its pages in the runtime directory and a handle of its
// process. Room: ops/guardian. Cold calls are bounded; one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "engine/runtime/gate_page.hpp"

namespace gimbal::guardian {

// A pidfd, or kill(pid, 0) where the kernel has none. Owns the descriptor.
class ProcessHandle {
 public:
  ProcessHandle() = default;
  ~ProcessHandle() { close(); }
  ProcessHandle(const ProcessHandle&) = delete;
  ProcessHandle& operator=(const ProcessHandle&) = delete;

  void open(pid_t pid) noexcept;
  void close() noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }  // readable once the process is gone; -1
  [[nodiscard]] bool exited() const noexcept;

 private:
  pid_t pid_{0};
  int fd_{-1};
  bool gone_{false};
};

class WatchedBot {
 public:
  static constexpr Nanos look_interval = milliseconds(100);

  explicit WatchedBot(std::string runtime_dir) : runtime_dir_{std::move(runtime_dir)} {}

  // Maps the pages when they come up, follows them when they were replaced, and takes a new process
  // handle when another bot has booted. True when the watched boot changed.
  bool refresh(RecvTime now);
  [[nodiscard]] bool mapped() const noexcept { return pages_ != nullptr; }
  // Only when mapped.
  [[nodiscard]] GatePage& gate() noexcept { return pages_->gate; }
  [[nodiscard]] StopPage& stop() noexcept { return pages_->stop; }
  [[nodiscard]] ProcessHandle& process() noexcept { return process_; }
  // The boot that is watched is dead, or dying: its process may still be in the kernel's hands.
  [[nodiscard]] bool dead() const noexcept;
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] std::uint32_t pid() const noexcept { return pid_; }
  // Why the pages cannot be used; empty when they can.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

 private:
  struct Pages {
    GatePage gate;
    StopPage stop;
    std::uint64_t gate_file{0};  // inode
    std::uint64_t stop_file{0};
  };
  void map();

  std::string runtime_dir_;
  std::unique_ptr<Pages> pages_;
  ProcessHandle process_;
  RecvTime look_due_{};
  std::uint32_t epoch_{0};
  std::uint32_t pid_{0};
  std::string trouble_;
};

}  // namespace gimbal::guardian
