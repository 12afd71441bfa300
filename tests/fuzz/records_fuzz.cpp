// A peer that holds the right keys and obeys nothing: records of any content and type, key updates,
// bytes changed on the way. Read whole and in pieces, into large rooms and small ones, the outcome
// must be the same, and what was not damaged must come out as the naive reading below has it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "engine/wire/tls_records.hpp"

namespace {

using namespace gimbal;
constexpr std::string_view suite = "TLS_AES_128_GCM_SHA256";

struct Keys {
  Keys() {
    if (!reads.assign(std::string(64, '1')) || !writes.assign(std::string(64, '2'))) std::abort();
  }
  TrafficSecret reads;
  TrafficSecret writes;
};

struct Outcome {
  ChannelStatus status{ChannelStatus::need_more};
  std::string text;
  std::string why;
  bool operator==(const Outcome&) const = default;
};

Outcome read_all(const Keys& keys, const std::string& wire, std::size_t piece, std::size_t room) {
  const auto reader = TlsRecords::make(suite, keys.reads, keys.writes);
  if (reader == nullptr) std::abort();
  Outcome out;
  std::string into(room, '\0');
  for (std::size_t at = 0; at < wire.size() && out.status == ChannelStatus::need_more;
       at += piece) {
    std::span<const char> in = std::span{wire}.subspan(at, std::min(piece, wire.size() - at));
    std::size_t got = 0;
    while ((out.status = reader->read(in, into, got)) == ChannelStatus::ok) {
      if (got == 0 || got > room) std::abort();
      out.text.append(into, 0, got);
    }
    if (out.status == ChannelStatus::need_more && !in.empty()) std::abort();
  }
  if (reader->failure() != nullptr) out.why = reader->failure();
  if (out.status == ChannelStatus::failed && out.why.empty()) std::abort();
  // Whatever came, a broken connection seals nothing more.
  std::string sealed(TlsRecords::sealed_bytes(1), '\0');
  const std::size_t size = reader->seal(std::span{into}.first(1), sealed);
  if ((size == 0) != (out.status == ChannelStatus::failed)) std::abort();
  return out;
}

// Two bytes a record: kind and length; its content is taken from what follows.
class Peer {
 public:
  Peer(const Keys& keys, std::span<const std::uint8_t> bytes)
      : seals_{RecordKeys::make(suite, keys.reads, RecordKeys::Direction::seals)}, bytes_{bytes} {
    if (seals_ == nullptr) std::abort();
  }
  void run() {
    while (bytes_.size() >= 2 && wire.size() < 1 << 17) {
      const std::uint8_t kind = bytes_[0];
      const std::string content = take(bytes_[1]);
      switch (kind % 8) {
        case 0: update(kind); break;
        case 1: put(content, record::handshake); break;
        case 2: put(content, record::alert); break;
        case 3: put(std::string(kind * 64U, 'p'), record::application_data); break;
        case 4: put(content + '\x17' + std::string(kind, '\0'), 0); break;
        case 5: put(content, kind); break;
        case 6: damage(kind); break;
        default: put(content, record::application_data); break;
      }
    }
  }
  std::string wire;
  std::string data;      // what an undamaged run must give
  bool only_data{true};  // nothing but data was sent

 private:
  std::string take(std::size_t size) {
    bytes_ = bytes_.subspan(2);
    size = std::min(size, bytes_.size());
    std::string out(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(size));
    bytes_ = bytes_.subspan(size);
    return out;
  }
  void put(const std::string& content, int type) {
    std::string out(content.size() + record::overhead, '\0');
    if (!seals_->seal(content, static_cast<record::Type>(type), out.data())) std::abort();
    wire += out;
    if (type == record::application_data && !content.empty()) {
      data += content;
    } else {
      only_data = false;
    }
  }
  void update(std::uint8_t kind) {
    put(std::string{"\x18\0\0\1", 4} + static_cast<char>(kind >> 3 & 1), record::handshake);
    if (!seals_->renew()) std::abort();
  }
  void damage(std::uint8_t kind) {
    only_data = false;
    if (wire.empty()) return;
    char& c = wire[wire.size() - 1 - kind % std::min<std::size_t>(wire.size(), 64)];
    c = static_cast<char>(c ^ (1 << kind % 8));
  }
  std::unique_ptr<RecordKeys> seals_;
  std::span<const std::uint8_t> bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = 1 + data[0] * data[1] % 977;
  const std::size_t room = 1 + data[1] * 7U;
  static const Keys keys;
  Peer peer{keys, {data + 2, size - 2}};
  peer.run();
  const Outcome whole = read_all(keys, peer.wire, peer.wire.size() + 1, 1 << 15);
  if (!(whole == read_all(keys, peer.wire, piece, room))) std::abort();
  if (peer.only_data && (whole.status != ChannelStatus::need_more || whole.text != peer.data)) {
    std::abort();
  }
  return 0;
}
