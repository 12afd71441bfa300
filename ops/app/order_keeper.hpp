// Keeps the orders that may still live in STATE_DIR/orders, and says what the boot before left
// there: its snapshot, and what its journal has behind that. The cold cycle offers pictures, a
// thread of its own writes them.
//
// A file or a journal that cannot be used never keeps the bot down and is no reason to refuse an
// arm: then the venue's picture alone says what there is, and `trouble` says so. Room: ops/app.
// Cold.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "engine/runtime/journal_tail.hpp"
#include "engine/runtime/order_log.hpp"
#include "engine/runtime/orders_file.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

struct OrderStatus;

// Of the boot before.
struct LeftOrders {
  std::uint32_t epoch{0};   // 0: nothing was found
  std::size_t snapshot{0};  // orders in its snapshot
  TailResult tail{};        // of its journal
  std::vector<KeptOrder> orders{};
  std::vector<std::string> names{};  // by the numbers in `orders`
  std::string trouble{};             // why less is known than there was
};

// Reads the snapshot at `path` and the tail of its boot's journal. Never fails.
[[nodiscard]] LeftOrders read_left_orders(const std::string& path, const std::string& account,
                                          const std::string& journal, const TailLimits& limits);

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
  std::string error_;
};

}  // namespace gimbal
