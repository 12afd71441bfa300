#include "engine/core/trade_ledger.hpp"

#include <algorithm>
#include <bit>

namespace gimbal {

TradeLedger::TradeLedger(std::size_t capacity)
    : ring_(std::max<std::size_t>(capacity, 1)),
      index_(std::bit_ceil(ring_.size() * 2), empty),
      mask_{index_.size() - 1} {}

std::size_t TradeLedger::home(const Key& key) const noexcept {
  std::uint64_t h = key.trade.high * 0x9e3779b97f4a7c15ULL;
  h = (h ^ (h >> 29) ^ key.trade.low) * 0xbf58476d1ce4e5b9ULL;
  h = (h ^ (h >> 32) ^ key.venue.value) * 0x94d049bb133111ebULL;
  return static_cast<std::size_t>(h >> 20) & mask_;
}

std::size_t TradeLedger::find(const Key& key) const noexcept {
  std::size_t at = home(key);
  while (index_[at] != empty && !(ring_[index_[at]] == key)) at = (at + 1) & mask_;
  return at;
}

bool TradeLedger::knows(VenueId venue, TradeId trade) const noexcept {
  return index_[find(Key{trade, venue})] != empty;
}

bool TradeLedger::remember(VenueId venue, TradeId trade) noexcept {
  const Key key{trade, venue};
  if (index_[find(key)] != empty) return false;
  if (count_ == ring_.size()) {
    forget(ring_[next_]);
  } else {
    ++count_;
  }
  ring_[next_] = key;
  index_[find(key)] = static_cast<std::uint32_t>(next_);
  next_ = next_ + 1 == ring_.size() ? 0 : next_ + 1;
  return true;
}

// Removal by shifting back the entries that a hole would hide from their home slot.
void TradeLedger::forget(const Key& key) noexcept {
  std::size_t hole = find(key);
  if (index_[hole] == empty) return;
  for (std::size_t at = (hole + 1) & mask_; index_[at] != empty; at = (at + 1) & mask_) {
    const std::size_t wants = home(ring_[index_[at]]);
    if (((at - wants) & mask_) >= ((at - hole) & mask_)) {
      index_[hole] = index_[at];
      hole = at;
    }
  }
  index_[hole] = empty;
}

}  // namespace gimbal
