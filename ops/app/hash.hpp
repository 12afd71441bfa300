// SHA-256 of texts and files, for the identity of config and binary. Room: ops/app. Cold path.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gimbal {

using Sha256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Sha256 sha256(std::string_view bytes);
// False when the file cannot be read to its end.
[[nodiscard]] bool sha256_file(const std::string& path, Sha256& out);
// Of the running binary (/proc/self/exe); all zero when it cannot be read. Read once.
[[nodiscard]] const Sha256& build_hash();

[[nodiscard]] std::string to_hex(const Sha256& hash);
// The first 8 bytes, big endian: what the Boot record and order tags carry.
[[nodiscard]] std::uint64_t short_hash(const Sha256& hash);

}  // namespace gimbal
