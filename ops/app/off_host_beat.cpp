#include "ops/app/off_host_beat.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstring>

#include "ops/app/hash.hpp"

namespace gimbal {
namespace {

// magic 4, version 1, kind 1, state 1, zero 1, epoch 4, venue account 4, sequence 8, account 8,
// nonce 16, MAC 32. Little endian.
constexpr std::uint32_t magic = 0x54424D47;  // "GMBT"
constexpr std::uint8_t version = 1;
constexpr std::size_t mac_bytes = 32;
constexpr std::size_t signed_bytes = off_host_beat_bytes - mac_bytes;

template <class T>
void put(std::uint8_t* at, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    at[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
}
template <class T>
T get(const std::uint8_t* at) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{at[i]} << (8 * i);
  return static_cast<T>(value);
}

bool sign(const std::uint8_t* bytes, std::string_view key, std::uint8_t* mac) noexcept {
  unsigned length = 0;
  return HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes, signed_bytes, mac,
              &length) != nullptr &&
         length == mac_bytes;
}

}  // namespace

std::uint64_t account_number(std::string_view text) { return short_hash(sha256(text)); }

bool encode_beat(const OffHostBeat& beat, std::string_view key,
                 std::span<std::uint8_t, off_host_beat_bytes> out) noexcept {
  std::memset(out.data(), 0, out.size());
  put(out.data(), magic);
  out[4] = version;
  out[5] = static_cast<std::uint8_t>(beat.kind);
  out[6] = beat.state;
  put(out.data() + 8, beat.epoch);
  put(out.data() + 12, beat.venue_account);
  put(out.data() + 16, beat.sequence);
  put(out.data() + 24, beat.account);
  std::memcpy(out.data() + 32, beat.nonce.data(), beat.nonce.size());
  return sign(out.data(), key, out.data() + signed_bytes);
}

bool decode_beat(std::span<const std::uint8_t> bytes, std::string_view key,
                 OffHostBeat& out) noexcept {
  if (bytes.size() != off_host_beat_bytes) return false;
  std::array<std::uint8_t, mac_bytes> mac{};
  if (!sign(bytes.data(), key, mac.data())) return false;
  if (CRYPTO_memcmp(mac.data(), bytes.data() + signed_bytes, mac_bytes) != 0) return false;
  if (get<std::uint32_t>(bytes.data()) != magic || bytes[4] != version) return false;
  const auto kind = static_cast<BeatKind>(bytes[5]);
  if (kind != BeatKind::beat && kind != BeatKind::challenge) return false;
  out.kind = kind;
  out.state = bytes[6];
  out.epoch = get<std::uint32_t>(bytes.data() + 8);
  out.venue_account = get<std::uint32_t>(bytes.data() + 12);
  out.sequence = get<std::uint64_t>(bytes.data() + 16);
  out.account = get<std::uint64_t>(bytes.data() + 24);
  std::memcpy(out.nonce.data(), bytes.data() + 32, out.nonce.size());
  return true;
}

}  // namespace gimbal
