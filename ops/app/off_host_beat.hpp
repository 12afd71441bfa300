// Heartbeats between the bot and a guardian on another host (controls, K-05): one UDP datagram of
// 80 bytes, authenticated with HMAC-SHA256 under a key that both hosts hold. Room: ops/app. Cold.
//
// The watcher gives out a nonce of its own start; a beat counts only when it carries that nonce, is
// newer than the last one (boot epoch, then sequence) and names the same account. So nothing that
// was recorded earlier counts again, in this run of the watcher or in another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "ops/app/secret.hpp"

namespace gimbal {

enum class BeatKind : std::uint8_t { beat = 1, challenge = 2 };

using BeatNonce = std::array<std::uint8_t, 16>;

struct OffHostBeat {
  BeatKind kind{BeatKind::beat};
  // beat: BotState. challenge: GuardianState of the watcher.
  std::uint8_t state{0};
  std::uint32_t epoch{0};  // boot epoch of the bot; in a challenge: fires of the watcher
  // beat: low half of the venue's number of the bot's account, 0 while unknown.
  std::uint32_t venue_account{0};
  std::uint64_t sequence{0};  // grows by one with each datagram of a sender
  std::uint64_t account{0};   // account_number() of the configured account
  BeatNonce nonce{};          // the watcher's; zero while the bot has none
};

inline constexpr std::size_t off_host_beat_bytes = 80;

// The first 8 bytes of SHA-256 of "VENUE/ACCOUNT/ENVIRONMENT".
[[nodiscard]] std::uint64_t account_number(std::string_view text);

// False only when the library fails.
[[nodiscard]] bool encode_beat(const OffHostBeat& beat, std::string_view key,
                               std::span<std::uint8_t, off_host_beat_bytes> out) noexcept;
// False for any other size, version, kind, or MAC. The comparison takes the same time for each MAC.
[[nodiscard]] bool decode_beat(std::span<const std::uint8_t> bytes, std::string_view key,
                               OffHostBeat& out) noexcept;

}  // namespace gimbal
