// Texts of Deribit's cancel requests, and nothing else: the guardian links this file alone, so that
// no symbol which places or amends an order is reachable from it. Room: venues (hot).
//
// Every function writes one JSON-RPC request into `out` and gives its length; 0 when it does not
// fit or an argument holds a character that JSON would need to escape.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gimbal::deribit {

[[nodiscard]] std::size_t encode_cancel(std::int64_t id, std::string_view order_id,
                                        std::span<char> out) noexcept;
[[nodiscard]] std::size_t encode_cancel_by_label(std::int64_t id, std::string_view label,
                                                 std::span<char> out) noexcept;
// `detailed` answers with the orders and partial failures instead of a number.
[[nodiscard]] std::size_t encode_cancel_all(std::int64_t id, bool detailed,
                                            std::span<char> out) noexcept;
[[nodiscard]] std::size_t encode_cancel_all_by_currency(std::int64_t id, std::string_view currency,
                                                        std::span<char> out) noexcept;
[[nodiscard]] std::size_t encode_cancel_all_by_instrument(std::int64_t id,
                                                          std::string_view instrument,
                                                          std::span<char> out) noexcept;
// currency_pair as the venue writes it: "btc_usdc".
[[nodiscard]] std::size_t encode_cancel_all_by_currency_pair(std::int64_t id,
                                                             std::string_view currency_pair,
                                                             std::span<char> out) noexcept;

}  // namespace gimbal::deribit
