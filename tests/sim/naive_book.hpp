// The obvious order book: std::map of std::list. Judge of venues/sim/matcher.hpp in one suite.
#pragma once

#include <list>
#include <map>
#include <vector>

#include "venues/sim/matcher.hpp"

namespace gimbal::sim {

class NaiveBook {
 public:
  using Slot = Book::Slot;
  static constexpr Slot none = Book::none;

  Slot insert(Side side, Price price, Qty amount, AccountId account, OrderNo order) {
    const auto id = static_cast<Slot>(all_.size());
    all_.push_back({price.nano, amount.nano, order, account, side, none, none, 0});
    remember(side, price.nano);
    queues(side)[price.nano].push_back(id);
    return id;
  }
  void remove(Slot slot) {
    Book::Resting& r = all_[slot];
    remember(r.side, r.price);
    auto& queue = queues(r.side)[r.price];
    queue.remove(slot);
    if (queue.empty()) queues(r.side).erase(r.price);
    r.remaining = 0;
  }
  void reduce(Slot slot, Qty by) {
    if (by.nano >= all_[slot].remaining) return remove(slot);
    remember(all_[slot].side, all_[slot].price);
    all_[slot].remaining -= by.nano;
  }
  const Book::Resting& at(Slot slot) const { return all_[slot]; }
  Slot front(Side side) const {
    const auto& q = queues(side);
    if (q.empty()) return none;
    return side == Side::buy ? q.rbegin()->second.front() : q.begin()->second.front();
  }
  Slot after(Slot slot) const {
    const std::vector<Slot> all = priority(all_[slot].side);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) {
      if (all[i] == slot) return all[i + 1];
    }
    return none;
  }
  Qty amount_at(Side side, Price price) const {
    const auto it = queues(side).find(price.nano);
    return Qty{it == queues(side).end() ? 0 : total(it->second)};
  }
  void levels(Side side, std::size_t depth, std::vector<Level>& out) const {
    std::vector<Level> list;
    for (const auto& [price, queue] : queues(side)) {
      list.push_back({Price{price}, Qty{total(queue)}});
    }
    if (side == Side::buy) list = {list.rbegin(), list.rend()};
    if (depth != 0 && list.size() > depth) list.resize(depth);
    out.insert(out.end(), list.begin(), list.end());
  }
  void take_changes(std::vector<LevelChange>& out) {
    for (const Side side : {Side::buy, Side::sell}) {
      for (const auto& [price, before] : before_[static_cast<std::size_t>(side)]) {
        const Qty now = amount_at(side, Price{price});
        if (now.nano == before) continue;
        const auto action = before == 0     ? LevelAction::add
                            : now.nano == 0 ? LevelAction::remove
                                            : LevelAction::change;
        out.push_back({side, action, Price{price}, now});
      }
      before_[static_cast<std::size_t>(side)].clear();
    }
  }

 private:
  using Queues = std::map<std::int64_t, std::list<Slot>>;
  Queues& queues(Side s) { return queues_[static_cast<std::size_t>(s)]; }
  const Queues& queues(Side s) const { return queues_[static_cast<std::size_t>(s)]; }
  std::int64_t total(const std::list<Slot>& queue) const {
    std::int64_t sum = 0;
    for (const Slot s : queue) sum += all_[s].remaining;
    return sum;
  }
  std::vector<Slot> priority(Side side) const {
    std::vector<Slot> all;
    const auto take = [&](const auto& level) {
      all.insert(all.end(), level.second.begin(), level.second.end());
    };
    const Queues& q = queues(side);
    if (side == Side::buy) {
      for (auto it = q.rbegin(); it != q.rend(); ++it) take(*it);
    } else {
      for (const auto& level : q) take(level);
    }
    return all;
  }
  void remember(Side side, std::int64_t price) {
    before_[static_cast<std::size_t>(side)].emplace(price, amount_at(side, Price{price}).nano);
  }

  Queues queues_[2];
  std::map<std::int64_t, std::int64_t> before_[2];
  std::vector<Book::Resting> all_;
};

}  // namespace gimbal::sim
