// Batches that one thread fills ahead of another one that takes them, some at most; their memory
// goes round. A filler that had to wait goes on once half of them are taken: woken for each, the
// two would take turns. Room: ops/app. Cold.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gimbal {

template <class Batch>
class BatchQueue {
 public:
  explicit BatchQueue(std::size_t ahead_max) : ahead_max_{ahead_max} {}

  // --- the filler's
  // One that was used before, as it was left, or a new one; none after stop().
  [[nodiscard]] std::unique_ptr<Batch> fresh() {
    const std::lock_guard lock{mutex_};
    if (stop_) return nullptr;
    if (used_.empty()) return std::make_unique<Batch>();
    std::unique_ptr<Batch> batch = std::move(used_.back());
    used_.pop_back();
    return batch;
  }
  // Waits for room; false after stop().
  bool put(std::unique_ptr<Batch> batch) {
    std::unique_lock lock{mutex_};
    moved_.wait(lock, [this] { return stop_ || ready_.size() < ahead_max_; });
    if (stop_) return false;
    ready_.push_back(std::move(batch));
    moved_.notify_one();
    return true;
  }

  // --- the taker's
  // Waits for the next; `done` is the one before, or nothing.
  [[nodiscard]] std::unique_ptr<Batch> take(std::unique_ptr<Batch> done) {
    std::unique_lock lock{mutex_};
    if (done != nullptr) used_.push_back(std::move(done));
    moved_.wait(lock, [this] { return !ready_.empty(); });
    std::unique_ptr<Batch> batch = std::move(ready_.front());
    ready_.pop_front();
    if (ready_.size() <= ahead_max_ / 2) moved_.notify_one();
    return batch;
  }
  void stop() {
    const std::lock_guard lock{mutex_};
    stop_ = true;
    moved_.notify_all();
  }

 private:
  std::size_t ahead_max_;
  std::mutex mutex_;
  std::condition_variable moved_;
  std::deque<std::unique_ptr<Batch>> ready_;
  std::vector<std::unique_ptr<Batch>> used_;
  bool stop_{false};
};

}  // namespace gimbal
