// Feeds hostile bytes to the frame reader whole and in pieces: both must give the same events, and
// every message must lie inside the buffer with its padding. What the reader takes as text must be
// valid UTF-8, and survive the writer's mask.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "engine/wire/http.hpp"
#include "engine/wire/websocket.hpp"

namespace {

using namespace gimbal;
constexpr std::size_t message_max = 2048;

std::vector<std::string> read_all(WsReader& reader, std::span<const std::uint8_t> bytes,
                                  std::size_t piece) {
  std::vector<std::string> events;
  while (!bytes.empty()) {
    const auto room = reader.room();
    if (room.empty()) std::abort();
    const std::size_t size = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), size);
    reader.commit(size);
    bytes = bytes.subspan(size);
    for (WsMessage m;;) {
      const WsEvent event = reader.next(m);
      if (event == WsEvent::need_more) break;
      std::string record = std::to_string(static_cast<int>(event)) + ":";
      if (event == WsEvent::failed) {
        events.push_back(record + name_of(reader.failure()));
        return events;
      }
      if (m.capacity < m.size + ws_padding) std::abort();
      Utf8 utf8;
      if (event == WsEvent::text && !(utf8.feed({m.data, m.size}) && utf8.complete())) std::abort();
      volatile char last = m.data[m.size + ws_padding - 1];
      (void)last;
      events.push_back(record + std::to_string(m.code) + ":" + std::string{m.view()});
    }
  }
  return events;
}

void check_mask(std::span<const std::uint8_t> bytes) {
  std::vector<char> storage(ws_header_max + bytes.size());
  std::copy(bytes.begin(), bytes.end(), storage.begin() + ws_header_max);
  const auto sealed = ws_seal(storage, bytes.size(), WsOpcode::text, 0xA1B2C3D4);
  if (sealed.data() < storage.data()) std::abort();
  ws_mask(std::span{storage}.subspan(ws_header_max), 0xA1B2C3D4);
  if (!std::equal(bytes.begin(), bytes.end(), storage.begin() + ws_header_max,
                  [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); })) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = 1 + data[0] % 37;
  const std::span bytes{data + 1, size - 1};
  static WsReader whole{message_max};
  static WsReader split{message_max};
  whole.reset();
  split.reset();
  if (read_all(whole, bytes, bytes.size()) != read_all(split, bytes, piece)) std::abort();
  check_mask(bytes);
  (void)upgrade_answer({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                       "dGhlIHNhbXBsZSBub25jZQ==");
  return 0;
}
