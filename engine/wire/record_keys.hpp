// Room: engine/wire, private to the room. One direction of TLS 1.3 record protection: keys from a
// traffic secret, sealing and opening of records in fixed buffers (RFC 8446, sections 5.2, 5.3 and
// 7.1 to 7.3). The ciphers and the key derivation are OpenSSL's; the handshake that agrees on the
// secret and verifies the peer is, too (tls.cpp). seal() and open() are hot: no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

struct evp_cipher_ctx_st;

namespace gimbal {

// A traffic secret of the handshake, 32 or 48 bytes; wiped when it goes.
struct TrafficSecret {
  TrafficSecret() = default;
  ~TrafficSecret();
  TrafficSecret(const TrafficSecret&) = delete;
  TrafficSecret& operator=(const TrafficSecret&) = delete;

  // From hexadecimal digits; false when they are no secret.
  [[nodiscard]] bool assign(std::string_view hex) noexcept;

  std::array<unsigned char, 48> bytes{};
  std::size_t size{0};  // 0: none
};

namespace record {
inline constexpr std::size_t head_bytes = 5;  // type, version, length
inline constexpr std::size_t tag_bytes = 16;  // of every suite of TLS 1.3 that gimbal offers
inline constexpr std::size_t content_max = 16 * 1024;
inline constexpr std::size_t body_max = content_max + 256;  // as a peer may send it
// What a record adds to its content: head, inner type, tag.
inline constexpr std::size_t overhead = head_bytes + 1 + tag_bytes;
enum Type : std::uint8_t { alert = 21, handshake = 22, application_data = 23 };
}  // namespace record

class RecordKeys {
 public:
  enum class Direction : std::uint8_t { opens, seals };

  // `suite` is the name of a TLS 1.3 suite; nullptr when it is none that gimbal offers, the secret
  // does not fit it, or OpenSSL refuses. Cold.
  static std::unique_ptr<RecordKeys> make(std::string_view suite, const TrafficSecret& secret,
                                          Direction direction);
  ~RecordKeys();
  RecordKeys(const RecordKeys&) = delete;
  RecordKeys& operator=(const RecordKeys&) = delete;

  // The next generation of keys, for a KeyUpdate message; sequence numbers begin at 0 again.
  [[nodiscard]] bool renew() noexcept;

  // Writes one record of `content` (at most content_max) to `out`, which has room for
  // content.size() + overhead. False: OpenSSL failed, nothing may be sent any more.
  [[nodiscard]] bool seal(std::span<const char> content, record::Type type, char* out) noexcept;

  // `record` is a head and behind it `body` bytes, at least tag_bytes. Writes body - tag_bytes
  // bytes to `out`: content, inner type, padding. False: not authentic, and `out` is not to be
  // looked at.
  [[nodiscard]] bool open(const char* record, std::size_t body, char* out) noexcept;

  // Begins the next record and leaves it: the context and its tables come near (bring_near.hpp), no
  // byte comes out, and the next record begins anew with the same nonce. Nothing of keys that open.
  void look_over() noexcept;

  [[nodiscard]] std::uint64_t sequence() const noexcept { return sequence_; }

 private:
  struct Suite;
  RecordKeys(const Suite& suite, Direction direction) noexcept
      : suite_{suite}, direction_{direction} {}
  [[nodiscard]] bool derive(std::string_view label, std::span<unsigned char> out) const noexcept;
  [[nodiscard]] bool set_keys() noexcept;
  [[nodiscard]] const unsigned char* nonce() noexcept;  // of the next record

  static const std::array<Suite, 3> suites;
  const Suite& suite_;
  Direction direction_;
  evp_cipher_ctx_st* context_{nullptr};
  TrafficSecret secret_;
  std::array<unsigned char, 12> iv_{};
  std::array<unsigned char, 12> nonce_{};
  std::uint64_t sequence_{0};
};

}  // namespace gimbal
