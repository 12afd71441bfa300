// Room: engine/wire, private to the room. A TLS 1.3 connection behind its handshake (RFC 8446,
// sections 4.6, 5 and 6): records into content and back, KeyUpdate, session tickets (passed over),
// alerts. One pass, straight from the received bytes into the reader's buffer.
//
// Why not SSL_read and SSL_write: they cost 0.3 us a record more, each way, than the cipher itself
// (ops/docs/decisions/0030). OpenSSL keeps the handshake, the verification, TLS 1.2 and the
// ciphers. Hot: read() and seal() allocate nothing; only a KeyUpdate asks OpenSSL for new keys.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engine/core/bring_near.hpp"
#include "engine/wire/record_keys.hpp"
#include "engine/wire/tls.hpp"

namespace gimbal {

class TlsRecords {
 public:
  // `suite` by its name in RFC 8446; the secrets are those of application traffic, generation 0,
  // and no record was read or written with them yet. nullptr: see RecordKeys::make. Cold.
  static std::unique_ptr<TlsRecords> make(std::string_view suite, const TrafficSecret& reads,
                                          const TrafficSecret& writes);

  // Takes received bytes off the front of `in` and puts content into `out` (not empty). ok: `got`
  // bytes, call again; need_more: `in` is empty; closed: the peer said close_notify; failed:
  // failure() says why, for good.
  [[nodiscard]] ChannelStatus read(std::span<const char>& in, std::span<char> out,
                                   std::size_t& got) noexcept;

  // Seals all of `plain` into records, before them the KeyUpdate that is owed. The bytes written to
  // `out`, 0 when it does not fit (sealed_bytes() fits) or sealing failed.
  [[nodiscard]] std::size_t seal(std::span<const char> plain, std::span<char> out) noexcept;
  // close_notify; nothing can be sealed behind it. 0 when it was said before or does not fit.
  [[nodiscard]] std::size_t seal_close(std::span<char> out) noexcept;
  [[nodiscard]] static std::size_t sealed_bytes(std::size_t plain) noexcept;

  [[nodiscard]] const char* failure() const noexcept { return failure_; }  // nullptr: none

  // What the next record to be sealed needs: bring_near.hpp.
  void look_over() noexcept {
    bring_near(*this);
    writes_->look_over();
  }

 private:
  TlsRecords();
  ChannelStatus fail(const char* why) noexcept;
  [[nodiscard]] std::size_t body_of(const char* head) noexcept;
  [[nodiscard]] const char* whole_record(std::span<const char>& in, std::size_t& body) noexcept;
  [[nodiscard]] bool hold(std::span<const char>& in, std::size_t wanted) noexcept;
  ChannelStatus open(const char* record, std::size_t body, std::span<char> out,
                     std::size_t& got) noexcept;
  ChannelStatus serve(std::span<char> out, std::size_t& got) noexcept;
  ChannelStatus alert(std::span<const char> content) noexcept;
  ChannelStatus messages(std::span<const char> content) noexcept;
  [[nodiscard]] bool begin_message() noexcept;
  ChannelStatus key_update(unsigned char request, bool last) noexcept;
  [[nodiscard]] bool put(std::span<const char> content, record::Type type, std::span<char>& out,
                         std::size_t& written) noexcept;

  std::unique_ptr<RecordKeys> reads_;
  std::unique_ptr<RecordKeys> writes_;
  std::vector<char> held_;  // the begin of a record whose rest is not here yet
  std::size_t held_size_{0};
  std::vector<char> plain_;  // content that did not fit into the reader's buffer
  std::size_t plain_begin_{0};
  std::size_t plain_left_{0};
  std::array<unsigned char, 4> message_head_{};  // of a handshake message: type, length
  std::size_t message_head_size_{0};
  std::size_t message_left_{0};
  std::uint32_t without_data_{0};  // records in a row
  bool owes_update_{false};
  bool peer_closed_{false};
  bool closed_{false};
  const char* failure_{nullptr};
};

}  // namespace gimbal
