// SymbolTable: see symbols.hpp.
#include "feeds/deribit/symbols.hpp"

#include <bit>
#include <cstring>

namespace gimbal::deribit {

SymbolTable::SymbolTable(std::size_t capacity)
    : capacity_{capacity < 0xFFFF ? capacity : 0xFFFE},
      mask_{std::bit_ceil(2 * capacity_ + 2) - 1},
      slots_(mask_ + 1),
      names_(capacity_) {}

bool SymbolTable::add(std::string_view name, InstrumentId id) noexcept {
  if (name.empty() || name.size() > symbol_text_max || id.value >= capacity_) return false;
  if (const InstrumentId known = find(name); known.valid()) return known == id;
  Entry& entry = names_[id.value];
  if (entry.length.load(std::memory_order_relaxed) != 0) return false;
  std::memcpy(entry.text, name.data(), name.size());
  entry.length.store(static_cast<std::uint8_t>(name.size()), std::memory_order_release);
  std::size_t at = table_hash(name) & mask_;
  while (slots_[at].load(std::memory_order_relaxed) != 0) at = (at + 1) & mask_;
  slots_[at].store(static_cast<std::uint16_t>(id.value + 1), std::memory_order_release);
  ++size_;
  if (id.value >= end_.value.load(std::memory_order_relaxed)) {
    end_.value.store(std::size_t{id.value} + 1, std::memory_order_release);
  }
  return true;
}

InstrumentId SymbolTable::find(std::string_view text) const noexcept {
  for (std::size_t at = table_hash(text) & mask_;; at = (at + 1) & mask_) {
    const std::uint16_t slot = slots_[at].load(std::memory_order_acquire);
    if (slot == 0) return {};
    const InstrumentId id{static_cast<std::uint16_t>(slot - 1)};
    if (name(id) == text) return id;
  }
}

std::string_view SymbolTable::name(InstrumentId id) const noexcept {
  if (id.value >= names_.size()) return {};
  const Entry& entry = names_[id.value];
  return {entry.text, entry.length.load(std::memory_order_acquire)};
}

}  // namespace gimbal::deribit
