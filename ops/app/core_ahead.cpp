#include "ops/app/core_ahead.hpp"

#include <utility>

namespace gimbal {
namespace {

template <class T>
void hand_over(Fifo<T>& from, std::size_t count, Fifo<T>& to) {
  for (std::size_t i = 0; i < count; ++i) to.push(std::move(from[i]));
  from.pop(count);
}

template <class T>
std::uint8_t added(const Fifo<T>& items, std::size_t before) {
  return static_cast<std::uint8_t>(items.size() - before);
}

}  // namespace

CoreAhead::CoreAhead(CoreReplay& core) : core_{core} {
  core_.keep_for_frames();
  worker_ = std::thread{[this] { work(); }};
}

CoreAhead::~CoreAhead() {
  queue_.stop();
  worker_.join();
}

// --- the core's thread ------------------------------------------------------------------------

void CoreAhead::work() {
  for (;;) {
    std::unique_ptr<Batch> batch = queue_.fresh();
    if (batch == nullptr) return;
    bool more = false;
    try {
      more = fill(*batch);
    } catch (...) { batch->thrown = std::current_exception(); }
    batch->last = !more;
    if (!queue_.put(std::move(batch)) || !more) return;
  }
}

bool CoreAhead::fill(Batch& batch) {
  KeptForFrames& kept = core_.kept();
  kept.feed_events.restart(room_for_rest);
  bool more = true;
  while (batch.steps.size() < batch_steps) {
    const std::size_t feed = kept.feed_events.size();
    const std::size_t order = kept.order_events.size();
    const std::size_t outgoing = kept.outgoing.size();
    const std::size_t fates = kept.fates.size();
    const std::size_t tags = kept.tags.size();
    more = core_.next();
    if (!more) break;
    batch.steps.push_back(Step{core_.seq(), added(kept.feed_events, feed),
                               added(kept.order_events, order), added(kept.outgoing, outgoing),
                               added(kept.fates, fates), added(kept.tags, tags),
                               !core_.parted().empty()});
  }
  std::swap(core_.kept(), batch.kept);  // for what is empty, with the memory of before
  batch.parted = core_.parted();
  return more;
}

// --- the reader's -----------------------------------------------------------------------------

void CoreAhead::take_batch() {
  if (at_ != nullptr) at_->steps.clear();
  at_ = queue_.take(std::move(at_));
  step_ = 0;
  kept_.feed_events.adopt(at_->kept.feed_events);
  if (at_->thrown != nullptr) std::rethrow_exception(at_->thrown);
}

bool CoreAhead::next() {
  if (ended_) return false;
  while (at_ == nullptr || step_ == at_->steps.size()) {
    if (at_ != nullptr && at_->last) {
      ended_ = true;
      return false;
    }
    take_batch();
  }
  const Step& step = at_->steps[step_++];
  ++steps_;
  seq_ = step.seq;
  KeptForFrames& from = at_->kept;
  kept_.feed_events.show(step.feed);
  if (step.order > 0) hand_over(from.order_events, step.order, kept_.order_events);
  if (step.outgoing > 0) hand_over(from.outgoing, step.outgoing, kept_.outgoing);
  if (step.fates > 0) hand_over(from.fates, step.fates, kept_.fates);
  if (step.tags > 0) hand_over(from.tags, step.tags, kept_.tags);
  if (step.parted && parted_.empty()) parted_ = at_->parted;
  return true;
}

}  // namespace gimbal
