// Order-to-trade ratio of a day as Deribit defines it (API usage policy, OTV): changes of a book
// that we made, over the volume in coins in which we were the maker, per underlying and product
// group (futures, options). An insert, an amend and a cancel are one change each; an immediate
// order that is cancelled has thus made two. Less than one coin of volume counts as one. Hot, fixed
// memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/core/ids.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class OrderToTrade {
 public:
  enum class Group : std::uint8_t { futures, options };
  struct Count {
    std::uint64_t changes{0};
    std::int64_t maker_nano{0};  // coins at 1e-9
    bool warned{false};
  };

  void change(UnderlyingId u, Group g) noexcept {
    if (Count* c = at(u, g)) ++c->changes;
  }
  void maker(UnderlyingId u, Group g, std::int64_t coins_nano) noexcept {
    Count* c = at(u, g);
    if (c == nullptr || coins_nano <= 0) return;
    if (__builtin_add_overflow(c->maker_nano, coins_nano, &c->maker_nano)) {
      c->maker_nano = INT64_MAX;
    }
  }
  // Thousandths of the limit (`changes_max` per coin) that are used, rounded down; zero limit:
  // zero.
  [[nodiscard]] std::int64_t used_permille(UnderlyingId u, Group g,
                                           std::int64_t changes_max) const noexcept {
    const Count* c = at(u, g);
    if (c == nullptr || changes_max <= 0) return 0;
    const i128 volume = std::max(c->maker_nano, nano_per_unit);
    const i128 share = divide(static_cast<i128>(c->changes) * 1000 * nano_per_unit,
                              volume * changes_max, Rounding::down);
    return fits_int64(share) ? static_cast<std::int64_t>(share) : INT64_MAX;
  }
  [[nodiscard]] Count* at(UnderlyingId u, Group g) noexcept {
    return const_cast<Count*>(static_cast<const OrderToTrade*>(this)->at(u, g));
  }
  [[nodiscard]] const Count* at(UnderlyingId u, Group g) const noexcept {
    if (u.value >= underlyings_max) return nullptr;
    return &counts_[u.value][static_cast<std::size_t>(g)];
  }
  void begin_day() noexcept { counts_ = {}; }

 private:
  std::array<std::array<Count, 2>, underlyings_max> counts_{};
};

}  // namespace gimbal
