// Room: engine/wire. The client side of RFC 6455 without I/O: bytes in, messages out, and frames
// written in place. Hot: nothing here allocates after construction, locks or throws.
//
// Receiving: room() -> fill -> commit(n) -> next() until need_more. A text message that came as one
// frame is handed out where it lies; fragments are joined in a second buffer. Views stay valid
// until the next call of room() or next(). A server that breaks the protocol makes next() return
// `failed` for good; failure() says why and which close code to answer.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/wire/utf8.hpp"

namespace gimbal {

// Readable bytes after every message handed out (feeds/frame.hpp asks for the same number).
inline constexpr std::size_t ws_padding = 64;
inline constexpr std::size_t ws_header_max = 14;
inline constexpr std::size_t ws_control_payload_max = 125;
inline constexpr std::size_t feed_message_max = std::size_t{1} << 20;    // 1 MiB
inline constexpr std::size_t query_message_max = std::size_t{16} << 20;  // 16 MiB

enum class WsOpcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

enum class WsEvent : std::uint8_t { need_more, text, ping, pong, close, failed };

enum class WsFailure : std::uint8_t {
  none,
  reserved_bits,       // RSV1-3 set, no extension was negotiated     1002
  bad_opcode,          // 3-7, 11-15                                  1002
  masked_by_server,    //                                             1002
  bad_length,          // not the shortest form, or the top bit set   1002
  control_too_long,    // control payload over 125 bytes              1002
  control_fragmented,  //                                             1002
  bad_fragmentation,   // continuation without start, or start inside 1002
  bad_close_frame,     // one-byte body or a code that may not appear 1002
  binary_message,      // we speak text only                          1003
  bad_utf8,            // in a text message or a close reason         1007
  too_big,             // message over the session's limit            1009
};
[[nodiscard]] std::uint16_t close_code(WsFailure failure) noexcept;
[[nodiscard]] const char* name_of(WsFailure failure) noexcept;

// May this code stand in a close frame received or sent (RFC 6455 7.4)?
[[nodiscard]] bool valid_close_code(std::uint16_t code) noexcept;

struct WsMessage {
  char* data{nullptr};  // text; or the payload of a ping or pong; or the reason of a close
  std::size_t size{0};
  std::size_t capacity{0};  // readable bytes from data on; >= size + ws_padding
  std::uint16_t code{0};    // close only: the code received, 1005 when the frame had none
  [[nodiscard]] std::string_view view() const noexcept { return {data, size}; }
};

class WsReader {
 public:
  explicit WsReader(std::size_t message_max);

  // Space for received plaintext; never empty (at least 16 KiB). May move unread bytes to the
  // front.
  [[nodiscard]] std::span<char> room() noexcept;
  void commit(std::size_t bytes) noexcept;
  [[nodiscard]] WsEvent next(WsMessage& out) noexcept;
  void reset() noexcept;

  [[nodiscard]] WsFailure failure() const noexcept { return failure_; }
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::size_t message_max() const noexcept { return message_max_; }
  [[nodiscard]] std::size_t unread() const noexcept { return end_ - begin_; }

 private:
  struct Header {
    bool fin{false};
    WsOpcode opcode{WsOpcode::continuation};
    std::size_t size{0};     // header bytes
    std::size_t payload{0};  // payload bytes
  };
  enum class HeaderState : std::uint8_t { incomplete, complete, refused };

  HeaderState parse_header(Header& out) noexcept;
  bool parse_length(std::uint8_t length7, std::size_t have, Header& out) noexcept;
  WsFailure check_header(const Header& header) const noexcept;
  WsEvent take_control(const Header& header, char* payload, WsMessage& out) noexcept;
  WsEvent take_close(char* payload, std::size_t size, WsMessage& out) noexcept;
  WsEvent take_data(const Header& header, char* payload, WsMessage& out) noexcept;
  WsEvent fail(WsFailure why) noexcept;

  std::size_t message_max_;
  std::vector<char> buffer_;    // received bytes, then ws_padding
  std::vector<char> assembly_;  // fragments joined, then ws_padding
  std::size_t begin_{0};
  std::size_t end_{0};
  std::size_t assembled_{0};
  bool in_message_{false};
  Utf8 utf8_;
  WsFailure failure_{WsFailure::none};
  std::uint64_t frames_{0};
};

// Masking keys: xoshiro-style stream seeded from the OS. RFC 6455 10.3 wants keys a page's script
// cannot predict; there is no script here, so a fast stream per connection is enough.
class MaskKeys {
 public:
  explicit MaskKeys(std::uint64_t seed) noexcept : state_{seed} {}
  [[nodiscard]] std::uint32_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<std::uint32_t>(z >> 32);
  }

 private:
  std::uint64_t state_;
};

// XORs `data` with the key, byte i with byte (i % 4) of the key's memory order.
void ws_mask(std::span<char> data, std::uint32_t key) noexcept;

// Turns a payload that already lies at storage[ws_header_max ...] into one masked client frame, in
// place. Returns the frame; it ends where the payload ends and starts inside the first 14 bytes.
// `storage` must hold ws_header_max + payload bytes.
[[nodiscard]] std::span<char> ws_seal(std::span<char> storage, std::size_t payload, WsOpcode opcode,
                                      std::uint32_t key) noexcept;

// Writes the body of a close frame (code, then at most 123 bytes of reason); returns its size.
[[nodiscard]] std::size_t ws_close_body(std::span<char> out, std::uint16_t code,
                                        std::string_view reason) noexcept;

}  // namespace gimbal
