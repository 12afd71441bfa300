#include "engine/wire/websocket.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gimbal {
namespace {

constexpr std::size_t room_min = 16 * 1024;  // one TLS record's plaintext
constexpr std::size_t slack = 2 * room_min;

std::uint64_t read_big_endian(const char* from, std::size_t bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    value = (value << 8) | static_cast<unsigned char>(from[i]);
  }
  return value;
}

bool is_control(WsOpcode opcode) noexcept { return (static_cast<std::uint8_t>(opcode) & 8) != 0; }

}  // namespace

std::uint16_t close_code(WsFailure failure) noexcept {
  switch (failure) {
    case WsFailure::none: return 1000;
    case WsFailure::binary_message: return 1003;
    case WsFailure::bad_utf8: return 1007;
    case WsFailure::too_big: return 1009;
    default: return 1002;
  }
}

const char* name_of(WsFailure failure) noexcept {
  switch (failure) {
    case WsFailure::none: return "none";
    case WsFailure::reserved_bits: return "reserved bits set";
    case WsFailure::bad_opcode: return "unknown opcode";
    case WsFailure::masked_by_server: return "frame masked by the server";
    case WsFailure::bad_length: return "length not in its shortest form";
    case WsFailure::control_too_long: return "control frame over 125 bytes";
    case WsFailure::control_fragmented: return "fragmented control frame";
    case WsFailure::bad_fragmentation: return "fragments out of order";
    case WsFailure::bad_close_frame: return "malformed close frame";
    case WsFailure::binary_message: return "binary message";
    case WsFailure::bad_utf8: return "invalid UTF-8";
    case WsFailure::too_big: return "message over the limit";
  }
  return "?";
}

bool valid_close_code(std::uint16_t code) noexcept {
  if (code >= 3000) return code <= 4999;  // registered and private use
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

WsReader::WsReader(std::size_t message_max)
    : message_max_{message_max},
      buffer_(message_max + ws_header_max + slack + ws_padding),
      assembly_(message_max + ws_padding) {}

void WsReader::reset() noexcept {
  begin_ = end_ = assembled_ = frames_ = 0;
  in_message_ = false;
  utf8_.reset();
  failure_ = WsFailure::none;
}

// Unread bytes are at most one incomplete frame (message_max + header), so after moving them to the
// front there is always room_min left; a caller that does not call next() gets a short span at
// worst.
std::span<char> WsReader::room() noexcept {
  const std::size_t usable = buffer_.size() - ws_padding;
  if (begin_ == end_) begin_ = end_ = 0;
  if (usable - end_ < room_min && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.data() + end_, usable - end_};
}

void WsReader::commit(std::size_t bytes) noexcept {
  end_ += std::min(bytes, buffer_.size() - ws_padding - end_);
}

WsEvent WsReader::fail(WsFailure why) noexcept {
  failure_ = why;
  return WsEvent::failed;
}

bool WsReader::parse_length(std::uint8_t length7, std::size_t have, Header& out) noexcept {
  out.size = 2;
  out.payload = length7;
  if (length7 < 126) return true;
  const std::size_t extra = length7 == 126 ? 2 : 8;
  out.size = 2 + extra;
  if (have < out.size) return true;  // the caller asks again with more
  const std::uint64_t length = read_big_endian(buffer_.data() + begin_ + 2, extra);
  if (length < (extra == 2 ? 126U : 65536U) || (length >> 63) != 0) return false;
  out.payload = static_cast<std::size_t>(length);
  return true;
}

// Rules that need no more than the header; judged before the payload is waited for.
WsFailure WsReader::check_header(const Header& header) const noexcept {
  if (is_control(header.opcode)) {
    if (!header.fin) return WsFailure::control_fragmented;
    return header.payload > ws_control_payload_max ? WsFailure::control_too_long : WsFailure::none;
  }
  if (header.opcode == WsOpcode::binary) return WsFailure::binary_message;
  if ((header.opcode == WsOpcode::continuation) != in_message_) return WsFailure::bad_fragmentation;
  const std::size_t before = in_message_ ? assembled_ : 0;
  return header.payload > message_max_ - before ? WsFailure::too_big : WsFailure::none;
}

WsReader::HeaderState WsReader::parse_header(Header& out) noexcept {
  const std::size_t have = end_ - begin_;
  if (have == 0) return HeaderState::incomplete;
  const auto first = static_cast<std::uint8_t>(buffer_[begin_]);
  const std::uint8_t opcode = first & 0x0F;
  if ((first & 0x70) != 0) {
    failure_ = WsFailure::reserved_bits;
    return HeaderState::refused;
  }
  if ((opcode & 7) > 2) {
    failure_ = WsFailure::bad_opcode;
    return HeaderState::refused;
  }
  if (have < 2) return HeaderState::incomplete;
  out.fin = (first & 0x80) != 0;
  out.opcode = static_cast<WsOpcode>(opcode);
  const auto second = static_cast<std::uint8_t>(buffer_[begin_ + 1]);
  if ((second & 0x80) != 0) {
    failure_ = WsFailure::masked_by_server;
  } else if (is_control(out.opcode)) {  // judged by the 7-bit length alone, however it is split
    out.size = 2;
    out.payload = second & 0x7F;
    failure_ = check_header(out);
  } else if (!parse_length(second & 0x7F, have, out)) {
    failure_ = WsFailure::bad_length;
  } else if (have < out.size) {
    return HeaderState::incomplete;
  } else {
    failure_ = check_header(out);
  }
  return failure_ == WsFailure::none ? HeaderState::complete : HeaderState::refused;
}

WsEvent WsReader::next(WsMessage& out) noexcept {
  if (failure_ != WsFailure::none) return WsEvent::failed;
  for (;;) {
    Header header;
    const HeaderState state = parse_header(header);
    if (state == HeaderState::refused) return WsEvent::failed;
    if (state == HeaderState::incomplete || end_ - begin_ - header.size < header.payload) {
      return WsEvent::need_more;
    }
    char* payload = buffer_.data() + begin_ + header.size;
    begin_ += header.size + header.payload;
    ++frames_;
    if (is_control(header.opcode)) return take_control(header, payload, out);
    const WsEvent event = take_data(header, payload, out);
    if (event != WsEvent::need_more) return event;
  }
}

WsEvent WsReader::take_control(const Header& header, char* payload, WsMessage& out) noexcept {
  out = {payload, header.payload,
         static_cast<std::size_t>(buffer_.data() + buffer_.size() - payload), 0};
  if (header.opcode == WsOpcode::ping) return WsEvent::ping;
  if (header.opcode == WsOpcode::pong) return WsEvent::pong;
  return take_close(payload, header.payload, out);
}

WsEvent WsReader::take_close(char* payload, std::size_t size, WsMessage& out) noexcept {
  out.code = 1005;
  if (size == 0) return WsEvent::close;
  if (size == 1) return fail(WsFailure::bad_close_frame);
  out.code = static_cast<std::uint16_t>(read_big_endian(payload, 2));
  if (!valid_close_code(out.code)) return fail(WsFailure::bad_close_frame);
  out.data = payload + 2;
  out.size = size - 2;
  out.capacity -= 2;
  Utf8 reason;
  if (!reason.feed({out.data, out.size}) || !reason.complete()) return fail(WsFailure::bad_utf8);
  return WsEvent::close;
}

// A whole message in one frame is handed out in place; fragments are copied together.
WsEvent WsReader::take_data(const Header& header, char* payload, WsMessage& out) noexcept {
  if (!in_message_) {
    utf8_.reset();
    assembled_ = 0;
  }
  if (!utf8_.feed({payload, header.payload})) return fail(WsFailure::bad_utf8);
  if (header.fin && !utf8_.complete()) return fail(WsFailure::bad_utf8);
  if (header.fin && !in_message_) {
    out = {payload, header.payload,
           static_cast<std::size_t>(buffer_.data() + buffer_.size() - payload), 0};
    return WsEvent::text;
  }
  std::memcpy(assembly_.data() + assembled_, payload, header.payload);
  assembled_ += header.payload;
  in_message_ = !header.fin;
  if (in_message_) return WsEvent::need_more;
  out = {assembly_.data(), assembled_, assembly_.size(), 0};
  return WsEvent::text;
}

void ws_mask(std::span<char> data, std::uint32_t key) noexcept {
  const std::uint64_t wide = (static_cast<std::uint64_t>(key) << 32) | key;
  char* at = data.data();
  std::size_t left = data.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= wide;
    std::memcpy(at, &word, sizeof word);
  }
  std::array<char, 4> bytes{};
  std::memcpy(bytes.data(), &key, sizeof key);
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ bytes[i % 4]);
}

std::span<char> ws_seal(std::span<char> storage, std::size_t payload, WsOpcode opcode,
                        std::uint32_t key) noexcept {
  const std::size_t extra = payload < 126 ? 0 : payload <= 0xFFFF ? 2 : 8;
  char* head = storage.data() + ws_header_max - (2 + extra + 4);
  char* const start = head;
  *head++ = static_cast<char>(0x80U | static_cast<unsigned>(opcode));
  const std::size_t length7 = extra == 0 ? payload : extra == 2 ? 126 : 127;
  *head++ = static_cast<char>(0x80U | length7);
  for (std::size_t i = extra; i > 0; --i) *head++ = static_cast<char>(payload >> (8 * (i - 1)));
  std::memcpy(head, &key, sizeof key);
  ws_mask(storage.subspan(ws_header_max, payload), key);
  return {start, static_cast<std::size_t>(storage.data() + ws_header_max + payload - start)};
}

std::size_t ws_close_body(std::span<char> out, std::uint16_t code,
                          std::string_view reason) noexcept {
  if (out.size() < 2) return 0;
  out[0] = static_cast<char>(code >> 8);
  out[1] = static_cast<char>(code & 0xFF);
  const std::size_t size = std::min({reason.size(), ws_control_payload_max - 2, out.size() - 2});
  std::copy_n(reason.data(), size, out.data() + 2);
  return 2 + size;
}

}  // namespace gimbal
