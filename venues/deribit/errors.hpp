// Deribit's error codes and what each proves about the order it answers. Room: venues (hot).
// Source: the venue's error table of 2026-07. Matched on the code; message texts carry numbers.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "engine/core/payload.hpp"

namespace gimbal::deribit {

enum class ErrorClass : std::uint8_t {
  terminal,   // refused for good; sending the same again fails the same way
  retryable,  // refused now; nothing is working; a later attempt may pass
  unknown,    // proves nothing about the order: it must be looked up
};

struct ErrorInfo {
  std::int32_t code{0};
  ErrorClass outcome{ErrorClass::unknown};
  RejectReason reason{RejectReason::unclear};  // of a place or replace request
  std::string_view name{};
};

// Codes that are not in the table are `unknown` / `unclear`.
[[nodiscard]] const ErrorInfo& error_info(std::int32_t code) noexcept;
[[nodiscard]] std::span<const ErrorInfo> error_table() noexcept;
// What the code says of such a request. An amount that is refused at a placing (`wrong_amount`) is
// off the venue's lot, below its least or above its largest: the gate took it for whole lots, so
// the terms we know are not the venue's. At an edit it may be one that a fill overtook.
[[nodiscard]] RejectReason reject_reason(std::int32_t code, OrderAction action) noexcept;

inline constexpr std::int32_t error_qty_too_low = 10002;
inline constexpr std::int32_t error_invalid_amount = 10021;
inline constexpr std::int32_t error_non_integer_amount = 10027;
inline constexpr std::int32_t error_order_not_found = 10004;
inline constexpr std::int32_t error_too_many_requests = 10028;
inline constexpr std::int32_t error_queue_full = 10047;
inline constexpr std::int32_t error_not_open_order = 11044;
inline constexpr std::int32_t error_unauthorized = 13009;
inline constexpr std::int32_t error_timed_out = 13888;

}  // namespace gimbal::deribit
