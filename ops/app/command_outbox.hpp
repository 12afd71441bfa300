// Commands on their way to the core when its ring is full. A kill waits for room, and whatever is
// still right when it arrives late; an arm or a flatten does not: late, it would open what its
// operator has been told is closed. Room: ops/app (wiring). Cold, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/payload.hpp"

namespace gimbal {

enum class CommandFate : std::uint8_t { sent, waits, dropped };

class CommandOutbox {
 public:
  static constexpr std::size_t waiting_max = 4096;  // commands; beyond it they are dropped

  // `push(command)` says whether the ring had room. Nothing overtakes what waits.
  template <class Push>
  CommandFate send(const OperatorCommand& c, Push push) {
    flush(push);
    if (waiting_.empty() && push(c)) return CommandFate::sent;
    const bool late_is_wrong =
        c.action == OperatorAction::arm || c.action == OperatorAction::flatten;
    if (late_is_wrong || waiting_.size() == waiting_max) return CommandFate::dropped;
    waiting_.push_back(c);
    return CommandFate::waits;
  }
  template <class Push>
  void flush(Push push) {
    std::size_t sent = 0;
    while (sent < waiting_.size() && push(waiting_[sent])) ++sent;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
  }
  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  std::vector<OperatorCommand> waiting_;
};

}  // namespace gimbal
