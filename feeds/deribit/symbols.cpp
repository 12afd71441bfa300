// SymbolTable: see symbols.hpp.
#include "feeds/deribit/symbols.hpp"

#include <bit>
#include <cstring>

namespace gimbal::deribit {

namespace {
constexpr std::uint16_t free_slot = 0xFFFF;
}

SymbolTable::SymbolTable(std::size_t capacity)
    : capacity_{capacity < 0xFFFF ? capacity : 0xFFFE},
      mask_{std::bit_ceil(2 * capacity_ + 2) - 1},
      slots_(mask_ + 1, free_slot),
      names_(capacity_) {}

bool SymbolTable::add(std::string_view name, InstrumentId id) noexcept {
  if (name.empty() || name.size() > symbol_text_max || id.value >= capacity_) return false;
  if (const InstrumentId known = find(name); known.valid()) return known == id;
  Entry& entry = names_[id.value];
  if (entry.length != 0) return false;
  std::memcpy(entry.text, name.data(), name.size());
  entry.length = static_cast<std::uint8_t>(name.size());
  std::size_t at = text_hash(name) & mask_;
  while (slots_[at] != free_slot) at = (at + 1) & mask_;
  slots_[at] = id.value;
  ++size_;
  return true;
}

InstrumentId SymbolTable::find(std::string_view name) const noexcept {
  for (std::size_t at = text_hash(name) & mask_; slots_[at] != free_slot; at = (at + 1) & mask_) {
    const Entry& entry = names_[slots_[at]];
    if (std::string_view{entry.text, entry.length} == name) return {slots_[at]};
  }
  return {};
}

std::string_view SymbolTable::name(InstrumentId id) const noexcept {
  if (id.value >= names_.size()) return {};
  return {names_[id.value].text, names_[id.value].length};
}

}  // namespace gimbal::deribit
