// Keeps the orders that may still live in STATE_DIR/orders, for the boot after (left_orders.hpp).
// The cold cycle offers pictures, a thread of its own writes them. Room: ops/app. Cold.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "engine/runtime/journal_place.hpp"
#include "engine/runtime/order_log.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

struct OrderStatus;

class OrderKeeper {
 public:
  OrderKeeper(std::string path, std::string account) noexcept
      : path_{std::move(path)}, account_{std::move(account)} {}

  // --- the cycle's thread
  void take(const Event& event) { log_.take(event); }
  void note(const OrderStatus& shown);
  // Whether there is something new: orders that changed, or a journal that went on for long.
  [[nodiscard]] bool due(RecvTime now) const noexcept;
  // `at`: where the journal goes on behind the last event taken.
  void offer(std::vector<std::string> names, const JournalPlace& at, RecvTime now);
  [[nodiscard]] const OrderLog& log() const noexcept { return log_; }

  // --- the writer's thread
  void run(const std::atomic<bool>& stop);
  Outcome write();

  // Why the orders cannot be kept; empty when they are. Any thread.
  [[nodiscard]] std::string trouble();

 private:
  std::string path_;
  std::string account_;
  OrderLog log_;
  std::uint64_t offered_revision_{0};
  Seq offered_seq_{};
  RecvTime offered_at_{};
  std::mutex mutex_;  // guards what follows
  std::string pending_;
  std::uint64_t left_out_{0};  // orders without room in the newest that was offered
  std::string error_;
};

}  // namespace gimbal
