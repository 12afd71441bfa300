#include "tests/simtest/byte_path.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace gimbal::simtest {
namespace {

constexpr std::size_t message_max = std::size_t{1} << 18;  // more than any text here
constexpr std::size_t single_bytes_max = 4096;             // read one by one
constexpr std::uint8_t fin = 0x80;

std::uint8_t first_byte(WsOpcode opcode, bool last) {
  return static_cast<std::uint8_t>((last ? fin : 0) | static_cast<std::uint8_t>(opcode));
}

// The texts of this tester are ASCII: another byte is damage, which no reader may let through.
bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80) != 0; });
}

// The venue's own reading of a client's frame, byte by byte; empty when it is none.
std::string read_client_frame(std::span<const char> frame) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(frame[at]); };
  if (frame.size() < 6 || byte(0) != first_byte(WsOpcode::text, true) || byte(1) < 0x80) return {};
  const std::size_t length7 = byte(1) & 0x7FU;
  const std::size_t extra = length7 < 126 ? 0 : length7 == 126 ? 2 : 8;
  std::size_t length = extra == 0 ? length7 : 0;
  if (frame.size() < 6 + extra) return {};
  for (std::size_t i = 0; i < extra; ++i) length = length * 256 + byte(2 + i);
  const std::size_t mask = 2 + extra;
  if (frame.size() != mask + 4 + length) return {};
  std::string text(length, '\0');
  for (std::size_t i = 0; i < length; ++i) {
    text[i] = static_cast<char>(byte(mask + 4 + i) ^ byte(mask + i % 4));
  }
  return text;
}

}  // namespace

BytePath::BytePath(std::uint64_t seed, std::uint64_t lane, Plant plant)
    : random_{seed, 3000 + lane}, plant_{plant}, reader_{message_max}, keys_{seed + lane} {}

void BytePath::reset() {
  reader_.reset();
  held_.clear();
  sent_.clear();
}

void BytePath::fail(std::string why) {
  if (trouble_.empty()) trouble_ = "the bytes of a connection: " + std::move(why);
}

// --- what is sent -------------------------------------------------------------------------------

void BytePath::put_frame(std::uint8_t first, std::string_view payload) {
  const std::size_t size = payload.size();
  const std::size_t extra = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  bytes_ += static_cast<char>(first);
  bytes_ += static_cast<char>(extra == 0 ? size : extra == 2 ? 126 : 127);
  for (std::size_t i = extra; i > 0; --i) bytes_ += static_cast<char>(size >> (8 * (i - 1)));
  bytes_ += payload;
}

void BytePath::put_control() {
  const bool ping = random_.chance(0.5);
  Sent control{ping ? WsEvent::ping : WsEvent::pong, {}, nullptr};
  const std::size_t size = random_.chance(0.3) ? 0 : random_.below(ws_control_payload_max + 1);
  for (std::size_t i = 0; i < size; ++i) {
    control.payload += static_cast<char>(random_.below(256));
  }
  put_frame(first_byte(ping ? WsOpcode::ping : WsOpcode::pong, true), control.payload);
  sent_.push_back(std::move(control));
}

// Whole, or in fragments of any size, also none.
void BytePath::put_text(std::string& text) {
  std::array<std::size_t, 6> cuts{};
  const std::size_t count = random_.chance(0.4) ? 0 : 1 + random_.below(cuts.size());
  for (std::size_t i = 0; i < count; ++i) cuts[i] = random_.below(text.size() + 1);
  std::sort(cuts.begin(), cuts.begin() + static_cast<std::ptrdiff_t>(count));
  std::size_t from = 0;
  for (std::size_t i = 0; i <= count; ++i) {
    const std::size_t to = i == count ? text.size() : cuts[i];
    const WsOpcode opcode = i == 0 ? WsOpcode::text : WsOpcode::continuation;
    put_frame(first_byte(opcode, i == count), std::string_view{text}.substr(from, to - from));
    from = to;
    if (i < count && random_.chance(0.3)) put_control();
  }
  sent_.push_back({WsEvent::text, {}, &text});
}

// The reader stays in the middle of a frame until the next texts come.
void BytePath::hold_back() {
  if (!random_.chance(0.3)) return;
  const std::size_t whole = bytes_.size();
  put_control();
  const std::size_t kept = whole + random_.below(bytes_.size() - whole);
  held_ = bytes_.substr(kept);
  bytes_.resize(kept);
}

// Such a text ends a connection. Here it is handed on, for the decoders to refuse it as well.
void BytePath::refuse(const std::string& text) {
  WsReader reader{text.size()};
  std::string frame;
  std::swap(frame, bytes_);
  put_frame(first_byte(WsOpcode::text, true), text);
  std::swap(frame, bytes_);
  const std::span<char> room = reader.room();
  std::memcpy(room.data(), frame.data(), frame.size());
  reader.commit(frame.size());
  WsMessage message;
  if (reader.next(message) != WsEvent::failed) fail("a text that is not UTF-8 was let through");
}

// --- what is read -------------------------------------------------------------------------------

std::size_t BytePath::chunk_max() {
  switch (random_.below(4)) {
    case 0: return bytes_.size();
    case 1: return bytes_.size() <= single_bytes_max ? 1 : 512;
    case 2: return 64;
    default: return 2048;
  }
}

void BytePath::read() {
  const std::size_t most = std::max<std::size_t>(chunk_max(), 1);
  std::string_view left{bytes_};
  while (!left.empty()) {
    const std::span<char> room = reader_.room();
    const bool all = most == bytes_.size();
    const std::size_t wanted = all ? most : 1 + random_.below(most);
    const std::size_t size = std::min({wanted, left.size(), room.size()});
    const bool loses = plant_ == Plant::lose_bytes && ++chunks_ % 100 == 0;
    std::memcpy(room.data(), left.data(), size);
    reader_.commit(loses ? size - 1 : size);
    left.remove_prefix(size);
    take();
  }
  bytes_.clear();
}

void BytePath::take() {
  WsMessage message;
  for (;;) {
    const WsEvent event = reader_.next(message);
    if (event == WsEvent::need_more) return;
    if (event == WsEvent::failed) {
      return fail(std::string{"the reader refused them: "} + name_of(reader_.failure()));
    }
    came(event, message);
  }
}

void BytePath::came(WsEvent event, const WsMessage& message) {
  if (sent_.empty()) return fail("a frame that was never sent");
  Sent& sent = sent_.front();
  // A control frame between the fragments of a text is read before it.
  const std::string_view wanted = sent.text != nullptr ? *sent.text : sent.payload;
  if (event != sent.event || message.view() != wanted) fail("another text than was sent");
  if (message.capacity < message.size + ws_padding) fail("a text without the padding behind it");
  if (sent.text != nullptr) sent.text->assign(message.view());
  sent_.pop_front();
}

void BytePath::to_bot(std::span<std::string* const> texts) {
  bytes_ = std::exchange(held_, {});
  for (std::string* text : texts) is_ascii(*text) ? put_text(*text) : refuse(*text);
  hold_back();
  read();
  if (sent_.size() != (held_.empty() ? 0U : 1U)) fail("a text that was sent did not come");
  std::erase_if(sent_, [](const Sent& s) { return s.text != nullptr; });
}

std::string BytePath::to_venue(std::string_view text) {
  storage_.resize(ws_header_max + text.size());
  std::copy(text.begin(), text.end(), storage_.begin() + ws_header_max);
  std::string read =
      read_client_frame(ws_seal(storage_, text.size(), WsOpcode::text, keys_.next()));
  if (read != text) fail("the venue reads another text than the bot wrote");
  return read;
}

}  // namespace gimbal::simtest
