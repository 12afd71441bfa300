// A CoreReplay on a thread of its own, ahead of the frames that are compared with it: the core and
// the decoders each have a processor. What it gives comes step by step, as from the CoreReplay
// itself, so that nothing depends on how far ahead it is. Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ops/app/batch_queue.hpp"
#include "ops/app/core_replay.hpp"

namespace gimbal {

class CoreAhead {
 public:
  // `core` is this one's until the end.
  explicit CoreAhead(CoreReplay& core);
  ~CoreAhead();
  CoreAhead(const CoreAhead&) = delete;
  CoreAhead& operator=(const CoreAhead&) = delete;

  // One step; false at the end. Throws what the core's thread threw.
  bool next();
  // How many steps there were, and the sequence number of the last one's event.
  [[nodiscard]] std::uint64_t steps() const noexcept { return steps_; }
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  // How the journal ended. After ended().
  [[nodiscard]] JournalStatus journal() const { return core_.result().journal; }

  // See CoreReplay.
  [[nodiscard]] const std::string& parted() const noexcept { return parted_; }
  [[nodiscard]] Fifo<Event>& feed_events() noexcept { return kept_.feed_events; }
  [[nodiscard]] Fifo<Event>& order_events() noexcept { return kept_.order_events; }
  [[nodiscard]] Fifo<Outgoing>& outgoing() noexcept { return kept_.outgoing; }
  [[nodiscard]] Fifo<Fate>& fates() noexcept { return kept_.fates; }
  [[nodiscard]] Fifo<TagChange>& tags() noexcept { return kept_.tags; }
  // Nobody compares any more what the steps so far gave.
  void forget() {
    kept_.feed_events.pop(kept_.feed_events.size());
    kept_.order_events.pop(kept_.order_events.size());
    kept_.outgoing.pop(kept_.outgoing.size());
    kept_.fates.pop(kept_.fates.size());
    kept_.tags.pop(kept_.tags.size());
  }

 private:
  struct Step {  // what it adds to each
    std::uint64_t seq{0};
    std::uint8_t feed{0};
    std::uint8_t order{0};
    std::uint8_t outgoing{0};
    std::uint8_t fates{0};
    std::uint8_t tags{0};
    bool parted{false};
  };
  struct Batch {
    std::vector<Step> steps;
    KeptForFrames kept;
    std::string parted;
    bool last{false};
    std::exception_ptr thrown{};
  };
  static constexpr std::size_t batch_steps = 2048;
  static constexpr std::size_t batches_max = 8;     // ahead
  static constexpr std::size_t room_for_rest = 64;  // feed events of the batch before

  void work();
  bool fill(Batch& batch);
  void take_batch();

  CoreReplay& core_;
  // The reader's.
  std::unique_ptr<Batch> at_;
  std::size_t step_{0};
  KeptForFrames kept_;
  std::string parted_;
  std::uint64_t steps_{0};
  std::uint64_t seq_{0};
  bool ended_{false};
  // Of both.
  BatchQueue<Batch> queue_{batches_max};
  std::thread worker_;
};

}  // namespace gimbal
