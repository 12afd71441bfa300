// The frame codec against RFC 6455: every rule of a client, at every split of the bytes.
#include "engine/wire/websocket.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <tuple>
#include <vector>

namespace gimbal {
namespace {

std::string header(unsigned first, std::size_t size) {
  std::string out(1, static_cast<char>(first));
  const std::size_t extra = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(extra == 0 ? size : extra == 2 ? 126 : 127);
  for (std::size_t i = extra; i > 0; --i) out += static_cast<char>(size >> (8 * (i - 1)));
  return out;
}
std::string frame(unsigned first, std::string_view payload) {
  return header(first, payload.size()) + std::string{payload};
}
std::string text(std::string_view payload) { return frame(0x81, payload); }

struct Seen {
  WsEvent event;
  std::string payload;
  std::uint16_t code;
  friend bool operator==(const Seen& a, const Seen& b) {
    return std::tie(a.event, a.payload, a.code) == std::tie(b.event, b.payload, b.code);
  }
};

// Feeds the bytes in pieces of the given sizes and lists what came out.
std::vector<Seen> read_all(WsReader& reader, std::string_view bytes, std::size_t piece) {
  std::vector<Seen> seen;
  while (!bytes.empty()) {
    const auto room = reader.room();
    const std::size_t size = std::min({piece, bytes.size(), room.size()});
    std::memcpy(room.data(), bytes.data(), size);
    reader.commit(size);
    bytes.remove_prefix(size);
    for (WsMessage m;;) {
      const WsEvent event = reader.next(m);
      if (event == WsEvent::need_more) break;
      if (event == WsEvent::failed) {
        seen.push_back({event, name_of(reader.failure()), close_code(reader.failure())});
        return seen;
      }
      EXPECT_GE(m.capacity, m.size + ws_padding);
      for (std::size_t i = m.size; i < m.size + ws_padding; ++i)
        (void)*const_cast<volatile char*>(m.data + i);
      seen.push_back({event, std::string{m.view()}, m.code});
    }
  }
  return seen;
}

std::vector<Seen> read_whole(std::string_view bytes, std::size_t message_max = 4096) {
  WsReader reader{message_max};
  return read_all(reader, bytes, bytes.size());
}

WsFailure failure_of(std::string_view bytes, std::size_t message_max = 4096) {
  WsReader reader{message_max};
  const auto seen = read_all(reader, bytes, bytes.size());
  WsMessage m;
  if (reader.failure() != WsFailure::none) {
    EXPECT_EQ(reader.next(m), WsEvent::failed);  // it stays refused
  }
  return reader.failure();
}

TEST(WsReader, DeliversEveryLengthFormWhole) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 127UL, 65535UL, 65536UL, 100000UL}) {
    const std::string payload(size, 'x');
    const auto seen = read_whole(text(payload), 200000);
    ASSERT_EQ(seen.size(), 1U) << size;
    EXPECT_EQ(seen[0], (Seen{WsEvent::text, payload, 0})) << size;
  }
}

TEST(WsReader, GivesTheSameMessagesForEverySplitOfTheBytes) {
  const std::string bytes = text("{\"a\":1}") + frame(0x89, "ping") + frame(0x01, "fir") +
                            frame(0x8A, "") + frame(0x00, "st\xE2\x82") + frame(0x80, "\xAC!") +
                            text(std::string(300, 'y')) +
                            frame(0x88,
                                  "\x03\xE8"
                                  "bye");
  const auto whole = read_whole(bytes);
  ASSERT_EQ(whole.size(), 6U);
  EXPECT_EQ(whole[3].payload, "first\xE2\x82\xAC!");
  EXPECT_EQ(whole[5], (Seen{WsEvent::close, "bye", 1000}));
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    WsReader reader{4096};
    auto seen = read_all(reader, std::string_view{bytes}.substr(0, at), at);
    const auto rest = read_all(reader, std::string_view{bytes}.substr(at), bytes.size());
    seen.insert(seen.end(), rest.begin(), rest.end());
    EXPECT_EQ(seen, whole) << "split at " << at;
  }
  for (std::size_t piece = 1; piece < 40; ++piece) {
    WsReader reader{4096};
    EXPECT_EQ(read_all(reader, bytes, piece), whole) << "pieces of " << piece;
  }
}

TEST(WsReader, HandsOutAnUnfragmentedMessageWhereItLies) {
  WsReader reader{4096};
  const std::string bytes = text("abc");
  const auto room = reader.room();
  std::memcpy(room.data(), bytes.data(), bytes.size());
  reader.commit(bytes.size());
  WsMessage m;
  ASSERT_EQ(reader.next(m), WsEvent::text);
  EXPECT_EQ(m.data, room.data() + 2);
}

TEST(WsReader, SurvivesMoreBytesThanItsBufferThroughCompaction) {
  WsReader reader{1000};
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += text(std::string(static_cast<std::size_t>(i), 'a'));
  const auto seen = read_all(reader, bytes, 777);
  ASSERT_EQ(seen.size(), 500U);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].payload.size(), i);
}

struct BadCase {
  const char* name;
  std::string bytes;
  WsFailure failure;
  std::uint16_t code;
};

class BadFrame : public testing::TestWithParam<BadCase> {};

TEST_P(BadFrame, IsRefusedWithItsCloseCodeHoweverItIsSplit) {
  const BadCase& c = GetParam();
  EXPECT_EQ(failure_of(c.bytes), c.failure);
  EXPECT_EQ(close_code(c.failure), c.code);
  for (std::size_t piece = 1; piece < c.bytes.size(); ++piece) {
    WsReader reader{4096};
    (void)read_all(reader, c.bytes, piece);
    EXPECT_EQ(reader.failure(), c.failure) << "pieces of " << piece;
  }
}

std::vector<BadCase> bad_cases() {
  using F = WsFailure;
  std::vector<BadCase> cases{
      {"rsv1", frame(0xC1, "a"), F::reserved_bits, 1002},
      {"rsv2", frame(0xA1, "a"), F::reserved_bits, 1002},
      {"rsv3_on_ping", frame(0x99, "a"), F::reserved_bits, 1002},
      {"masked", std::string{"\x81\x81\x01\x02\x03\x04\x60", 7}, F::masked_by_server, 1002},
      {"short_length_in_16_bits", std::string{"\x81\x7E\x00\x7D", 4}, F::bad_length, 1002},
      {"short_length_in_64_bits", std::string{"\x81\x7F\0\0\0\0\0\0\xFF\xFF", 10}, F::bad_length,
       1002},
      {"length_top_bit", std::string{"\x81\x7F\x80\0\0\0\0\0\0\x01", 10}, F::bad_length, 1002},
      {"ping_of_126", frame(0x89, std::string(126, 'p')), F::control_too_long, 1002},
      {"close_of_70000", frame(0x88, std::string(70000, 'p')), F::control_too_long, 1002},
      {"fragmented_ping", frame(0x09, "p"), F::control_fragmented, 1002},
      {"fragmented_close", frame(0x08, ""), F::control_fragmented, 1002},
      {"continuation_first", frame(0x80, "a"), F::bad_fragmentation, 1002},
      {"continuation_not_final_first", frame(0x00, "a"), F::bad_fragmentation, 1002},
      {"text_inside_message", frame(0x01, "a") + text("b"), F::bad_fragmentation, 1002},
      {"continuation_after_end", frame(0x01, "a") + frame(0x80, "b") + frame(0x80, "c"),
       F::bad_fragmentation, 1002},
      {"close_of_one_byte", frame(0x88, "\x03"), F::bad_close_frame, 1002},
      {"close_reason_bad_utf8", frame(0x88, "\x03\xE8\xFF"), F::bad_utf8, 1007},
      {"close_reason_cut_utf8", frame(0x88, "\x03\xE8\xE2\x82"), F::bad_utf8, 1007},
      {"binary", frame(0x82, "a"), F::binary_message, 1003},
      {"binary_fragment", frame(0x02, "a"), F::binary_message, 1003},
      {"bad_utf8", text("a\xC0\x80"), F::bad_utf8, 1007},
      {"surrogate", text("\xED\xA0\x80"), F::bad_utf8, 1007},
      {"above_10ffff", text("\xF4\x90\x80\x80"), F::bad_utf8, 1007},
      {"cut_at_end_of_message", text("12345678\xE2\x82"), F::bad_utf8, 1007},
      {"cut_across_fragments", frame(0x01, "\xE2\x82") + frame(0x80, ""), F::bad_utf8, 1007},
      {"wrong_byte_across_fragments", frame(0x01, "\xE2\x82") + frame(0x80, "a"), F::bad_utf8,
       1007},
      {"too_big", header(0x81, 4097), F::too_big, 1009},
      {"too_big_64_bits", std::string{"\x81\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10}, F::too_big,
       1009},
      {"too_big_in_fragments", frame(0x01, std::string(4000, 'a')) + header(0x80, 97), F::too_big,
       1009},
  };
  static std::vector<std::string> names;
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    names.push_back("opcode_" + std::to_string(opcode));
  }
  std::size_t i = 0;
  for (const unsigned opcode : {3U, 4U, 5U, 6U, 7U, 11U, 12U, 13U, 14U, 15U}) {
    cases.push_back({names[i++].c_str(), frame(0x80 | opcode, ""), F::bad_opcode, 1002});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Rfc6455, BadFrame, testing::ValuesIn(bad_cases()),
                         [](const auto& p) { return std::string{p.param.name}; });

TEST(WsReader, KeepsWhatCameBeforeABadFrame) {
  const auto seen = read_whole(text("good") + frame(0x82, "bad"));
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].payload, "good");
  EXPECT_EQ(seen[1].event, WsEvent::failed);
}

TEST(WsReader, AcceptsExactlyTheCloseCodesThatMayBeSent) {
  for (unsigned code = 0; code < 65536; code += code < 5100 ? 1 : 97) {
    const bool allowed = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                         (code >= 3000 && code <= 4999);
    const std::string body{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
    EXPECT_EQ(failure_of(frame(0x88, body)) == WsFailure::none, allowed) << code;
  }
  EXPECT_EQ(read_whole(frame(0x88, ""))[0].code, 1005);
}

TEST(WsReader, AcceptsAMessageOfExactlyTheLimit) {
  EXPECT_EQ(failure_of(text(std::string(4096, 'a'))), WsFailure::none);
  EXPECT_EQ(failure_of(frame(0x01, std::string(4000, 'a')) + frame(0x80, std::string(96, 'b'))),
            WsFailure::none);
}

// --- writing
// --------------------------------------------------------------------------------------

// An independent reader of one client frame: unmasks byte by byte.
std::string unmask(std::span<const char> frame, unsigned& first) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(frame[i]); };
  first = byte(0);
  EXPECT_NE(byte(1) & 0x80, 0) << "client frames must be masked";
  std::size_t size = byte(1) & 0x7F;
  std::size_t at = 2;
  const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (extra > 0) size = 0;
  for (std::size_t i = 0; i < extra; ++i) size = (size << 8) | byte(at++);
  const std::size_t key = at;
  at += 4;
  EXPECT_EQ(frame.size(), at + size);
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(byte(at + i) ^ byte(key + i % 4));
  return out;
}

TEST(WsWriter, SealsAPayloadOfAnyLengthInPlace) {
  for (const std::size_t size :
       {0UL, 1UL, 3UL, 7UL, 8UL, 9UL, 125UL, 126UL, 1000UL, 65535UL, 65536UL, 70001UL}) {
    std::vector<char> storage(ws_header_max + size);
    std::string payload;
    for (std::size_t i = 0; i < size; ++i) payload += static_cast<char>('a' + i % 26);
    std::copy(payload.begin(), payload.end(), storage.begin() + ws_header_max);
    const auto sealed = ws_seal(storage, size, WsOpcode::text, 0x89ABCDEF);
    EXPECT_EQ(sealed.data() + sealed.size(), storage.data() + storage.size());
    unsigned first = 0;
    EXPECT_EQ(unmask(sealed, first), payload) << size;
    EXPECT_EQ(first, 0x81U);
  }
}

TEST(WsWriter, MaskingTwiceGivesTheTextBack) {
  std::string data = "The quick brown fox jumps over it";
  const std::string before = data;
  ws_mask(data, 0x01020304);
  EXPECT_NE(data, before);
  ws_mask(data, 0x01020304);
  EXPECT_EQ(data, before);
}

TEST(WsWriter, MaskKeysDoNotRepeatSoon) {
  MaskKeys keys{42};
  std::vector<std::uint32_t> drawn(10000);
  for (auto& k : drawn) k = keys.next();
  std::sort(drawn.begin(), drawn.end());
  const auto repeats = drawn.end() - std::unique(drawn.begin(), drawn.end());
  EXPECT_LE(repeats, 2);
}

TEST(WsWriter, CloseBodyCutsALongReasonToFit) {
  std::vector<char> out(200);
  EXPECT_EQ(ws_close_body(out, 1009, std::string(500, 'r')), ws_control_payload_max);
  EXPECT_EQ(static_cast<unsigned char>(out[0]), 1009 >> 8);
  EXPECT_EQ(static_cast<unsigned char>(out[1]), 1009 & 0xFF);
}

// --- UTF-8
// ----------------------------------------------------------------------------------------

// The naive twin: decodes whole code points of a complete string.
bool naive_utf8(std::string_view s) {
  for (std::size_t i = 0; i < s.size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(s[k]); };
    const unsigned lead = at(i);
    const std::size_t extra = lead < 0x80             ? 0
                              : (lead & 0xE0) == 0xC0 ? 1
                              : (lead & 0xF0) == 0xE0 ? 2
                              : (lead & 0xF8) == 0xF0 ? 3
                                                      : 9;
    if (extra == 9 || i + extra >= s.size() + 0 + (extra == 0 ? 1 : 0)) return false;
    std::uint32_t point = extra == 0 ? lead : lead & (0x3FU >> extra);
    for (std::size_t k = 1; k <= extra; ++k) {
      if ((at(i + k) & 0xC0) != 0x80) return false;
      point = (point << 6) | (at(i + k) & 0x3FU);
    }
    constexpr std::uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[extra] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
      return false;
    i += extra + 1;
  }
  return true;
}

bool fast_utf8(std::string_view s, std::size_t piece) {
  Utf8 utf8;
  while (!s.empty()) {
    const auto part = s.substr(0, piece);
    if (!utf8.feed(part)) return false;
    s.remove_prefix(part.size());
  }
  return utf8.complete();
}

TEST(Utf8, AgreesWithTheNaiveTwinOnAllTwoByteAndManyLongerStrings) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string two{static_cast<char>(a), static_cast<char>(b)};
      ASSERT_EQ(fast_utf8(two, 2), naive_utf8(two)) << a << ' ' << b;
      for (const unsigned c : {0x00U, 0x7FU, 0x80U, 0x9FU, 0xA0U, 0xBFU, 0xC2U, 0xFFU}) {
        const std::string three = two + static_cast<char>(c);
        ASSERT_EQ(fast_utf8(three, 1), naive_utf8(three)) << a << ' ' << b << ' ' << c;
        const std::string four = three + '\x80';
        ASSERT_EQ(fast_utf8(four, 3), naive_utf8(four)) << a << ' ' << b << ' ' << c;
        const std::string inside = "12345678" + four + "abcdefghij";
        ASSERT_EQ(fast_utf8(inside, inside.size()), naive_utf8(inside))
            << a << ' ' << b << ' ' << c;
      }
    }
  }
}

}  // namespace
}  // namespace gimbal
