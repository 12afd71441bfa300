// What each session of an account subscribes and how its gateway is set: derived from config and
// universe alone, so that a replay builds the decoders and the gateway that the bot had.
// Room: ops/app (wiring). Cold.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/app/config.hpp"
#include "ops/app/universe.hpp"
#include "venues/deribit/rate_budget.hpp"
#include "venues/registry.hpp"

namespace gimbal {

// Slots of one account's connections.
inline constexpr std::uint16_t order_slot = 0;
inline constexpr std::uint16_t hedge_slot = 1;   // feed of the hedge instruments, polled first
inline constexpr std::uint16_t option_slot = 2;  // first of the feeds of everything else

// First ids of the login requests; every session counts from its own.
inline constexpr std::int64_t order_login_first_id = 700'000'000;
[[nodiscard]] constexpr std::int64_t feed_login_first_id(std::uint16_t slot) noexcept {
  return 800'000'000 + std::int64_t{slot} * 10'000;
}

[[nodiscard]] deribit::DeribitFeed feed_decoder(const Config& config, const Universe& universe,
                                                VenueId venue, std::uint16_t slot);
// The instruments whose books come over a slot.
[[nodiscard]] std::vector<InstrumentId> books_of(const Universe& universe, std::uint16_t slot);
[[nodiscard]] deribit::GatewayConfig gateway_config(const LoadedConfig& loaded, VenueId venue,
                                                    std::uint32_t epoch,
                                                    deribit::LoginConfig login);
[[nodiscard]] deribit::RateLimits rate_limits(const VenueConfig& venue);

}  // namespace gimbal
