// OrderRefs: see gateway_state.hpp.
#include <cstring>

#include "venues/deribit/gateway_state.hpp"

namespace gimbal::deribit {

std::size_t OrderRefs::slot(OrderId order) const noexcept {
  std::size_t at = home(order);
  while (entries_[at].order.valid() && entries_[at].order != order) at = (at + 1) % slots;
  return at;
}

void OrderRefs::put(OrderId order, std::string_view venue_id) noexcept {
  if (!order.valid() || venue_id.empty() || venue_id.size() > text_max) return;
  Entry& entry = entries_[slot(order)];
  if (!entry.order.valid()) {
    if (size_ == orders_max) return;
    ++size_;
  }
  entry.order = order;
  entry.length = static_cast<std::uint8_t>(venue_id.size());
  std::memcpy(entry.text, venue_id.data(), venue_id.size());
}

void OrderRefs::erase(OrderId order) noexcept {
  if (!order.valid()) return;
  std::size_t hole = slot(order);
  if (!entries_[hole].order.valid()) return;
  --size_;
  entries_[hole] = Entry{};
  for (std::size_t at = (hole + 1) % slots; entries_[at].order.valid(); at = (at + 1) % slots) {
    // An entry may move into the hole when its home is not between the hole and itself.
    const std::size_t from_home = (at + slots - home(entries_[at].order)) % slots;
    const std::size_t from_hole = (at + slots - hole) % slots;
    if (from_home < from_hole) continue;
    entries_[hole] = entries_[at];
    entries_[at] = Entry{};
    hole = at;
  }
}

std::string_view OrderRefs::find(OrderId order) const noexcept {
  if (!order.valid()) return {};
  const Entry& entry = entries_[slot(order)];
  return entry.order == order ? std::string_view{entry.text, entry.length} : std::string_view{};
}

}  // namespace gimbal::deribit
