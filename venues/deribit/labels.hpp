// The order label: "g<tag>-<16 hex order id>-<8 hex config hash>", at most 64 characters. It ties
// every order at the venue to boot epoch, strategy and configuration; what does not parse, or
// carries another tag, is foreign. Room: venues (hot).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/ids.hpp"

namespace gimbal::deribit {

inline constexpr std::size_t label_tag_max = 16;
inline constexpr std::size_t label_text_max = 64;

struct Label {
  OrderId order{};  // invalid: foreign
  std::uint32_t config_hash{0};
};

// Tags are up to 16 of [a-z0-9]; the empty tag is allowed.
[[nodiscard]] bool label_tag_ok(std::string_view tag) noexcept;
// Length written; 0 when `out` is too small or the tag is refused.
[[nodiscard]] std::size_t write_label(std::string_view tag, OrderId order,
                                      std::uint32_t config_hash, std::span<char> out) noexcept;
// The exact form only, lower-case hex; an order id of zero is foreign.
[[nodiscard]] Label parse_label(std::string_view tag, std::string_view text) noexcept;
[[nodiscard]] constexpr bool of_epoch(const Label& label, std::uint32_t boot_epoch) noexcept {
  return label.order.valid() && label.order.epoch() == boot_epoch;
}

}  // namespace gimbal::deribit
