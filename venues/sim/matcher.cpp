#include "venues/sim/matcher.hpp"

#include <algorithm>

namespace gimbal::sim {
namespace {

// Whether price a is worse than b for a resting order of this side.
bool worse(Side side, std::int64_t a, std::int64_t b) noexcept {
  return side == Side::buy ? a < b : a > b;
}

}  // namespace

std::size_t Book::place_of(Side side, std::int64_t price) const noexcept {
  const auto& list = levels_of(side);
  const auto it = std::partition_point(
      list.begin(), list.end(), [&](const LevelQueue& l) { return worse(side, l.price, price); });
  return static_cast<std::size_t>(it - list.begin());
}

const Book::LevelQueue* Book::level(Side side, std::int64_t price) const noexcept {
  const auto& list = levels_of(side);
  const std::size_t i = place_of(side, price);
  return i < list.size() && list[i].price == price ? &list[i] : nullptr;
}

void Book::touch(Side side, std::int64_t price, std::int64_t before) {
  auto& list = touched_[static_cast<std::size_t>(side)];
  for (auto it = list.rbegin(); it != list.rend(); ++it) {
    if (it->price == price) return;
  }
  list.push_back({price, before});
}

Book::Slot Book::insert(Side side, Price price, Qty amount, AccountId account, OrderNo order) {
  Slot slot = none;
  if (free_.empty()) {
    slot = static_cast<Slot>(pool_.size());
    pool_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  auto& list = sides_[static_cast<std::size_t>(side)];
  const std::size_t i = place_of(side, price.nano);
  if (i == list.size() || list[i].price != price.nano) {
    const auto at = list.begin() + static_cast<std::ptrdiff_t>(i);
    list.insert(at, LevelQueue{price.nano, 0, none, none});
  }
  LevelQueue& queue = list[i];
  touch(side, price.nano, queue.total);
  Resting& r = pool_[slot];
  r = Resting{price.nano, amount.nano, order, account, side, queue.tail, none, r.generation};
  if (queue.tail == none) {
    queue.head = slot;
  } else {
    pool_[queue.tail].next = slot;
  }
  queue.tail = slot;
  queue.total += amount.nano;
  ++live_;
  return slot;
}

void Book::remove(Slot slot) {
  Resting& r = pool_[slot];
  auto& list = sides_[static_cast<std::size_t>(r.side)];
  const std::size_t i = place_of(r.side, r.price);
  LevelQueue& queue = list[i];
  touch(r.side, r.price, queue.total);
  (r.prev == none ? queue.head : pool_[r.prev].next) = r.next;
  (r.next == none ? queue.tail : pool_[r.next].prev) = r.prev;
  queue.total -= r.remaining;
  if (queue.head == none) list.erase(list.begin() + static_cast<std::ptrdiff_t>(i));
  r.remaining = 0;
  ++r.generation;
  free_.push_back(slot);
  --live_;
}

void Book::reduce(Slot slot, Qty by) {
  Resting& r = pool_[slot];
  if (by.nano >= r.remaining) return remove(slot);
  LevelQueue& queue = sides_[static_cast<std::size_t>(r.side)][place_of(r.side, r.price)];
  touch(r.side, r.price, queue.total);
  r.remaining -= by.nano;
  queue.total -= by.nano;
}

Book::Slot Book::front(Side side) const noexcept {
  const auto& list = levels_of(side);
  return list.empty() ? none : list.back().head;
}

Book::Slot Book::after(Slot slot) const noexcept {
  const Resting& r = pool_[slot];
  if (r.next != none) return r.next;
  const std::size_t i = place_of(r.side, r.price);
  return i == 0 ? none : levels_of(r.side)[i - 1].head;
}

Price Book::best(Side side) const noexcept {
  const auto& list = levels_of(side);
  return Price{list.empty() ? absent_nano : list.back().price};
}

Qty Book::best_amount(Side side) const noexcept {
  const auto& list = levels_of(side);
  return Qty{list.empty() ? 0 : list.back().total};
}

Qty Book::amount_at(Side side, Price price) const noexcept {
  const LevelQueue* found = level(side, price.nano);
  return Qty{found == nullptr ? 0 : found->total};
}

void Book::levels(Side side, std::size_t depth, std::vector<Level>& out) const {
  const auto& list = levels_of(side);
  const std::size_t count = depth == 0 ? list.size() : std::min(depth, list.size());
  for (std::size_t i = 0; i < count; ++i) {
    const LevelQueue& l = list[list.size() - 1 - i];
    out.push_back({Price{l.price}, Qty{l.total}});
  }
}

void Book::take_changes(std::vector<LevelChange>& out) {
  for (const Side side : {Side::buy, Side::sell}) {
    auto& list = touched_[static_cast<std::size_t>(side)];
    for (const Touch& t : list) {
      const Qty now = amount_at(side, Price{t.price});
      if (now.nano == t.before) continue;
      const LevelAction action = t.before == 0   ? LevelAction::add
                                 : now.nano == 0 ? LevelAction::remove
                                                 : LevelAction::change;
      out.push_back({side, action, Price{t.price}, now});
    }
    list.clear();
  }
}

}  // namespace gimbal::sim
