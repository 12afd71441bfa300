// What the core asked of the query thread and is not answered yet: at most one picture, and each
// order in doubt once, however often the core asks again meanwhile. Pictures and look-ups take
// turns, so that a thousand orders in doubt do not keep a picture waiting. Room: ops/app. Cold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "ops/app/router.hpp"

namespace gimbal {

class QueryQueue {
 public:
  explicit QueryQueue(std::size_t group_max) : group_max_{group_max} {}

  void take(const QueryTask& task) {
    if (task.kind == CommandKind::reconcile) picture_ = task.reconcile;  // the newest counts
    if (task.kind != CommandKind::query_order) return;
    if (known_.insert(task.query.order.value).second) waiting_.push_back(task.query);
  }
  [[nodiscard]] bool empty() const noexcept { return !picture_ && waiting_.empty(); }

  [[nodiscard]] bool picture_waits() const noexcept { return picture_.has_value(); }

  // The picture when it is its turn.
  [[nodiscard]] std::optional<Reconcile> next_picture() noexcept {
    if (!picture_ || (was_picture_ && !waiting_.empty())) return std::nullopt;
    was_picture_ = true;
    return std::exchange(picture_, std::nullopt);
  }
  // The orders that have waited longest, for one look-up; until the next call, whatever is taken
  // meanwhile.
  [[nodiscard]] std::span<const QueryOrder> next_orders() {
    was_picture_ = false;
    const std::size_t count = std::min(group_max_, waiting_.size());
    group_.assign(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    for (const QueryOrder& order : group_) known_.erase(order.order.value);
    return group_;
  }

 private:
  std::size_t group_max_;
  std::optional<Reconcile> picture_;
  bool was_picture_{false};
  std::vector<QueryOrder> waiting_;
  std::unordered_set<std::uint64_t> known_;  // in waiting_
  std::vector<QueryOrder> group_;
};

}  // namespace gimbal
