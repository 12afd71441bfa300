// The last events and texts of a run in words, for whoever looks at a failure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"

namespace gimbal::simtest {

class Story {
 public:
  // Keeps the last `lines`; 0 keeps nothing and costs nothing.
  explicit Story(std::size_t lines = 0) : lines_{lines} {}
  [[nodiscard]] bool on() const noexcept { return lines_ != 0; }
  void add(RecvTime at, std::string line);
  // Market data is left out.
  void event(const Event& e);
  void command(RecvTime at, const Command& c);
  [[nodiscard]] std::string text() const;

 private:
  std::size_t lines_;
  std::deque<std::string> kept_;
};

}  // namespace gimbal::simtest
