// HMAC-SHA256 for the simulator's login check. Cold.
#pragma once

#include <string>
#include <string_view>

namespace gimbal::sim {

// Lower-case hex of HMAC-SHA256(key, message); empty when OpenSSL refuses.
[[nodiscard]] std::string hmac_sha256_hex(std::string_view key, std::string_view message);

// Whether two texts are equal, in a time that depends on the length only.
[[nodiscard]] bool same_secret(std::string_view a, std::string_view b) noexcept;

}  // namespace gimbal::sim
