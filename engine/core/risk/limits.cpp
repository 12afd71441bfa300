#include "engine/core/risk/limits.hpp"

#include <array>
#include <cstddef>
#include <string_view>

namespace gimbal {
namespace {

struct Entry {
  std::int64_t value{0};
  Reload reload{Reload::fixed};
  bool zero_is_off{false};
};

// Lists every limit as one integer, in the order of `fields`.
struct Collect {
  std::array<Entry, 64> entries{};
  std::size_t count{0};

  void add(std::int64_t value, const FieldInfo& info, bool zero_is_off) noexcept {
    if (count < entries.size()) entries[count++] = Entry{value, info.reload, zero_is_off};
  }
  void operator()(std::string_view, const Money& m, const FieldInfo& info) noexcept {
    add(m.nano, info, info.zero_is_off);
  }
  void operator()(std::string_view, const Nanos& m, const FieldInfo& info) noexcept {
    add(m.count, info, false);
  }
  void operator()(std::string_view, const std::int64_t& m, const FieldInfo& info) noexcept {
    add(m, info, info.zero_is_off);
  }
  void operator()(std::string_view, const bool& m, const FieldInfo& info) noexcept {
    add(m ? 1 : 0, info, false);
  }
};

bool looser(const Entry& from, const Entry& to) noexcept {
  if (from.value == to.value) return false;
  if (to.zero_is_off && to.value == 0) return true;
  if (from.zero_is_off && from.value == 0) return false;
  switch (from.reload) {
    case Reload::tighten_lower: return to.value > from.value;
    case Reload::tighten_higher: return to.value < from.value;
    case Reload::fixed: return true;  // counts as loosening: needs HALT at least
    case Reload::live: return false;
  }
  return true;
}

}  // namespace

bool loosens(const RiskLimits& from, const RiskLimits& to) noexcept {
  RiskLimits a = from;
  RiskLimits b = to;
  Collect old_values;
  Collect new_values;
  fields(old_values, a);
  fields(new_values, b);
  for (std::size_t i = 0; i < old_values.count; ++i) {
    if (looser(old_values.entries[i], new_values.entries[i])) return true;
  }
  return false;
}

}  // namespace gimbal
