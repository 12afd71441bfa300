// The SHA-256 chains of a journal that is being replayed, checked by a thread of its own meanwhile:
// a fifth of the time of a replay, and needed by nothing else in it. Room: ops/app. Cold.
#pragma once

#include <atomic>
#include <cstddef>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/journal.hpp"

namespace gimbal {

class ChainCheck {
 public:
  using Spans = std::vector<std::span<const std::byte>>;

  // Begins at once, first the events, then the frames; either may be empty. The bytes must outlive
  // it.
  ChainCheck(Spans events, Spans frames);
  // Gives up what it has not read yet.
  ~ChainCheck();
  ChainCheck(const ChainCheck&) = delete;
  ChainCheck& operator=(const ChainCheck&) = delete;

  // Waits until all is read. Before it the two below say nothing.
  void finish();
  // What is damaged, with its segment and offset; empty: nothing.
  [[nodiscard]] const std::string& events_damage() const noexcept { return events_damage_; }
  [[nodiscard]] const std::string& frames_damage() const noexcept { return frames_damage_; }

 private:
  void read(const Spans& segments, const StreamName& stream, std::string& damage) const;

  Spans events_;
  Spans frames_;
  std::string events_damage_;
  std::string frames_damage_;
  std::atomic<bool> stop_{false};
  std::thread reader_;
};

}  // namespace gimbal
