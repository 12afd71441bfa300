// The frame codec as a client of a fuzzing server: 301 cases in the categories of the Autobahn
// test suite that concern a peer without compression, written as byte streams. 1 framing, 2 pings,
// 3 reserved bits, 4 opcodes, 5 fragmentation, 6 UTF-8, 7 close, 9 limits, 10 automatic
// fragments. One difference is by decision: binary messages are refused with 1003.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "engine/wire/websocket.hpp"

namespace gimbal {
namespace {

constexpr std::size_t limit = std::size_t{16} << 20;
constexpr std::uint16_t went_on = 0;  // no close at all: the peer may go on
constexpr std::size_t whole = SIZE_MAX;

struct Case {
  std::string id;
  std::string bytes;
  std::vector<std::string> texts;
  std::vector<std::string> pings;
  std::uint16_t code{went_on};  // a refusal's close code, or the code of the peer's close frame
  bool refused{false};
  std::vector<std::size_t> pieces{whole, 1};
};

std::string frame(unsigned first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  const std::size_t size = payload.size();
  const std::size_t extra = size < 126 ? 0 : size <= 0xFFFF ? 2 : 8;
  out += static_cast<char>(extra == 0 ? size : extra == 2 ? 126 : 127);
  for (std::size_t i = extra; i > 0; --i) out += static_cast<char>(size >> (8 * (i - 1)));
  return out += payload;
}
std::string text(std::string_view payload) { return frame(0x81, payload); }
std::string ping(std::string_view payload) { return frame(0x89, payload); }
std::string pong(std::string_view payload) { return frame(0x8A, payload); }
std::string close(unsigned code, std::string_view reason = {}) {
  return frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} +
                         std::string{reason});
}
// One message in fragments of `size` bytes.
std::string fragments(unsigned opcode, std::string_view payload, std::size_t size) {
  std::string out;
  for (std::size_t at = 0; at < payload.size() || at == 0; at += size) {
    const bool last = at + size >= payload.size();
    out += frame((last ? 0x80U : 0U) | (at == 0 ? opcode : 0U), payload.substr(at, size));
    if (last) break;
  }
  return out;
}

class Suite {
 public:
  std::vector<Case> cases;
  void good(const std::string& id, std::string bytes, std::vector<std::string> texts,
            std::vector<std::string> pings = {}, std::vector<std::size_t> pieces = {whole, 1}) {
    cases.push_back(
        {id, std::move(bytes), std::move(texts), std::move(pings), went_on, false, pieces});
  }
  void bad(const std::string& id, std::string bytes, std::uint16_t code,
           std::vector<std::string> texts = {}, std::vector<std::string> pings = {},
           std::vector<std::size_t> pieces = {whole, 1}) {
    cases.push_back({id, std::move(bytes), std::move(texts), std::move(pings), code, true, pieces});
  }
  void closed(const std::string& id, std::string bytes, std::uint16_t code,
              std::vector<std::string> texts = {}) {
    cases.push_back({id, std::move(bytes), std::move(texts), {}, code, false, {whole, 1}});
  }
};

std::string name(const std::string& group, std::size_t n) { return group + std::to_string(n); }

void framing(Suite& s) {
  const std::array<std::size_t, 8> sizes{0, 125, 126, 127, 128, 65535, 65536, 65536};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string payload(sizes[i], '*');
    const std::vector<std::size_t> pieces{whole, i == 7 ? 997UL : 1000UL};
    s.good(name("1.1.", i + 1), text(payload), {payload}, {}, pieces);
    s.bad(name("1.2.", i + 1), frame(0x82, payload), 1003, {}, {}, pieces);
  }
}

void pings(Suite& s) {
  const std::string binary{"\x00\xFF\xFE\xFD\xFC\xFB\x00\xFF", 8};
  const std::string longest(125, '\xFE');
  s.good("2.1", ping(""), {}, {""});
  s.good("2.2", ping("Hello, world!"), {}, {"Hello, world!"});
  s.good("2.3", ping(binary), {}, {binary});
  s.good("2.4", ping(longest), {}, {longest});
  s.bad("2.5", ping(longest + "x"), 1002);
  s.good("2.6", ping(longest), {}, {longest}, {1});
  s.good("2.7", pong(""), {});
  s.good("2.8", pong("unsolicited"), {});
  s.good("2.9", pong("unsolicited") + ping("ours"), {}, {"ours"});
  std::string ten;
  std::vector<std::string> payloads;
  for (int i = 0; i < 10; ++i) {
    payloads.push_back("payload-" + std::to_string(i));
    ten += ping(payloads.back());
  }
  s.good("2.10", ten, {}, payloads);
  s.good("2.11", ten, {}, payloads, {1});
}

void reserved_bits(Suite& s) {
  s.bad("3.1", frame(0x91, "Hello"), 1002);
  s.bad("3.2", text("Hello") + frame(0xA1, "Hello") + ping(""), 1002, {"Hello"});
  s.bad("3.3", text("Hello") + frame(0xB1, "Hello") + ping(""), 1002, {"Hello"}, {}, {7});
  s.bad("3.4", text("Hello") + frame(0xC1, "Hello") + ping(""), 1002, {"Hello"}, {}, {1});
  s.bad("3.5", frame(0xD2, std::string{"\x00\xFF", 2}), 1002);
  s.bad("3.6", frame(0xE9, "Hello"), 1002);
  s.bad("3.7", frame(0xF8, ""), 1002);
}

void opcodes(Suite& s) {
  const std::array<std::array<unsigned, 5>, 2> groups{{{3, 4, 5, 6, 7}, {11, 12, 13, 14, 15}}};
  for (std::size_t g = 0; g < 2; ++g) {
    for (std::size_t i = 0; i < 5; ++i) {
      const std::string odd = frame(0x80 | groups[g][i], i % 2 == 0 ? "" : "payload");
      const bool after = i >= 2;
      const std::string bytes = (after ? text("Hello") : std::string{}) + odd + ping("");
      s.bad(name("4." + std::to_string(g + 1) + ".", i + 1), bytes, 1002,
            after ? std::vector<std::string>{"Hello"} : std::vector<std::string>{});
    }
  }
}

void fragmentation(Suite& s) {
  const std::string two = frame(0x01, "fragment1") + frame(0x80, "fragment2");
  const std::string around = frame(0x01, "fragment1") + ping("inside") + frame(0x80, "fragment2");
  const std::vector<std::string> joined{"fragment1fragment2"};
  s.bad("5.1", frame(0x09, "fragment1") + frame(0x80, "fragment2"), 1002);
  s.bad("5.2", frame(0x0A, "fragment1") + frame(0x80, "fragment2"), 1002);
  s.good("5.3", two, joined, {}, {whole});
  s.good("5.4", two, joined, {}, {11});
  s.good("5.5", two, joined, {}, {1});
  s.good("5.6", around, joined, {"inside"}, {whole});
  s.good("5.7", around, joined, {"inside"}, {11, 8});
  s.good("5.8", around, joined, {"inside"}, {1});
  const std::string lost = frame(0x80, "nothing to continue") + text("Hello");
  const std::string lost_open = frame(0x00, "nothing to continue") + text("Hello");
  s.bad("5.9", lost, 1002, {}, {}, {whole});
  s.bad("5.10", lost, 1002, {}, {}, {21});
  s.bad("5.11", lost, 1002, {}, {}, {1});
  s.bad("5.12", lost_open, 1002, {}, {}, {whole});
  s.bad("5.13", lost_open, 1002, {}, {}, {21});
  s.bad("5.14", lost_open, 1002, {}, {}, {1});
  s.bad("5.15", two + frame(0x00, "fragment3") + text("fragment4"), 1002, joined);
  s.bad("5.16", frame(0x00, "fragment1") + frame(0x01, "fragment2") + frame(0x80, "fragment3"),
        1002);
  s.bad("5.17", frame(0x80, "fragment1") + frame(0x01, "fragment2") + frame(0x80, "fragment3"),
        1002);
  s.bad("5.18", frame(0x01, "fragment1") + text("fragment2"), 1002);
  const std::string five = frame(0x01, "1") + frame(0x00, "2") + ping("first") + frame(0x00, "3") +
                           frame(0x00, "4") + ping("second") + frame(0x80, "5");
  s.good("5.19", five, {"12345"}, {"first", "second"});
  s.good("5.20", five, {"12345"}, {"first", "second"}, {3, 1});
}

// A sequence as one message, cut by the transport, and as one frame for each byte.
void sequence(Suite& s, const std::string& id, bool valid, const std::string& payload) {
  if (valid) {
    s.good(id, text(payload) + fragments(1, payload, 1), {payload, payload});
  } else {
    s.bad(id, text(payload), 1007);
    Case& by_byte = s.cases.emplace_back(s.cases.back());
    by_byte.bytes = fragments(1, payload, 1);
    by_byte.id += " by byte";
  }
}
void sequences(Suite& s, const std::string& group, bool valid,
               const std::vector<std::string>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) sequence(s, name(group, i + 1), valid, list[i]);
}

const std::string greek{"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5"};

void utf8_messages(Suite& s) {
  const std::string long_text = "Hello-\xC2\xB5@\xC3\x9F\xC3\xB6\xC3\xA4\xC3\xBC\xC3\xA0-UTF-8!!";
  const std::string broken = greek + "\xED\xA0\x80" + "edited";
  s.good("6.1.1", text(""), {""});
  s.good("6.1.2", frame(0x01, "") + frame(0x00, "") + frame(0x80, ""), {""});
  s.good("6.1.3", frame(0x01, "") + frame(0x00, "middle") + frame(0x80, ""), {"middle"});
  s.good("6.2.1", text(long_text), {long_text});
  s.good("6.2.2", fragments(1, long_text, 11), {long_text});
  s.good("6.2.3", fragments(1, long_text, 1), {long_text});
  s.good("6.2.4", fragments(1, greek, 1), {greek});
  s.bad("6.3.1", text(broken), 1007);
  s.bad("6.3.2", fragments(1, broken, 1), 1007);
  // Judged when the fragment is there, not when the message ends.
  s.bad("6.4.1", frame(0x01, greek) + frame(0x00, "\xF4\x90\x80\x80"), 1007);
  s.bad("6.4.2", frame(0x01, greek + "\xF4") + frame(0x00, "\x90"), 1007);
  s.bad("6.4.3", text(greek + "\xF4\x90\x80\x80" + "edited"), 1007);
  s.bad("6.4.4", text(greek + "\xF4\x90" + "edited"), 1007);
}

void utf8_sequences(Suite& s) {
  sequences(s, "6.5.", true,
            {greek, "hello$world", "hello\xC2\xA2world", "hello\xE2\x82\xACworld",
             "hello\xF0\xA4\xAD\xA2world"});
  for (std::size_t n = 1; n <= greek.size(); ++n) {
    const bool complete = n == 2 || n == 5 || n == 7 || n == 9 || n == 11;
    sequence(s, name("6.6.", n), complete, greek.substr(0, n));
  }
  sequences(s, "6.7.", true,
            {std::string(1, '\0'), "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"});
  sequences(s, "6.8.", false, {"\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80"});
  sequences(s, "6.9.", true, {"\x7F", "\xDF\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"});
  sequences(s, "6.10.", false,
            {"\xF7\xBF\xBF\xBF", "\xFB\xBF\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF\xBF"});
  sequences(s, "6.11.", true, {"\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF"});
  sequence(s, "6.11.5", false, "\xF4\x90\x80\x80");
  std::string all;
  for (int c = 0x80; c <= 0xBF; ++c) all += static_cast<char>(c);
  sequences(s, "6.12.", false,
            {"\x80", "\xBF", "\x80\xBF", "\x80\xBF\x80", "\x80\xBF\x80\xBF", "\x80\xBF\x80\xBF\x80",
             "\x80\xBF\x80\xBF\x80\xBF", all});
  const std::array<std::array<int, 2>, 5> starts{
      {{0xC0, 0xDF}, {0xE0, 0xEF}, {0xF0, 0xF7}, {0xF8, 0xFB}, {0xFC, 0xFD}}};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    std::string lonely;
    for (int c = starts[i][0]; c <= starts[i][1]; ++c) (lonely += static_cast<char>(c)) += ' ';
    sequence(s, name("6.13.", i + 1), false, lonely);
  }
  const std::vector<std::string> cut{
      "\xC0", "\xE0\x80", "\xF0\x80\x80", "\xF8\x80\x80\x80", "\xFC\x80\x80\x80\x80",
      "\xDF", "\xEF\xBF", "\xF7\xBF\xBF", "\xFB\xBF\xBF\xBF", "\xFD\xBF\xBF\xBF\xBF"};
  sequences(s, "6.14.", false, cut);
  std::string joined;
  for (const auto& part : cut) joined += part;
  sequence(s, "6.15.1", false, joined);
  sequences(s, "6.16.", false, {"\xFE", "\xFF", "\xFE\xFE\xFF\xFF"});
}

void utf8_forbidden(Suite& s) {
  sequences(s, "6.17.", false,
            {"\xC0\xAF", "\xE0\x80\xAF", "\xF0\x80\x80\xAF", "\xF8\x80\x80\x80\xAF",
             "\xFC\x80\x80\x80\x80\xAF"});
  sequences(s, "6.18.", false,
            {"\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF", "\xF8\x87\xBF\xBF\xBF",
             "\xFC\x83\xBF\xBF\xBF\xBF"});
  sequences(s, "6.19.", false,
            {"\xC0\x80", "\xE0\x80\x80", "\xF0\x80\x80\x80", "\xF8\x80\x80\x80\x80",
             "\xFC\x80\x80\x80\x80\x80"});
  const std::vector<std::string> high{"\xED\xA0\x80", "\xED\xAD\xBF", "\xED\xAE\x80",
                                      "\xED\xAF\xBF"};
  sequences(s, "6.20.", false,
            {high[0], high[1], high[2], high[3], "\xED\xB0\x80", "\xED\xBE\x80", "\xED\xBF\xBF"});
  std::size_t n = 0;
  for (const auto& first : high) {
    for (const auto* second : {"\xED\xB0\x80", "\xED\xBF\xBF"}) {
      sequence(s, name("6.21.", ++n), false, first + second);
    }
  }
  n = 0;  // the last two code points of each of the 17 planes are no characters, and legal
  for (unsigned plane = 0; plane <= 16; ++plane) {
    for (const unsigned low : {0xFFFEU, 0xFFFFU}) {
      const unsigned point = (plane << 16) | low;
      std::string bytes;
      if (plane == 0) {
        bytes = {'\xEF', '\xBF', static_cast<char>(0x80 | (point & 0x3F))};
      } else {
        bytes = {static_cast<char>(0xF0 | (point >> 18)),
                 static_cast<char>(0x80 | ((point >> 12) & 0x3F)), '\xBF',
                 static_cast<char>(0x80 | (point & 0x3F))};
      }
      sequence(s, name("6.22.", ++n), true, bytes);
    }
  }
  n = 0;
  for (int last = 0xB9; last <= 0xBF; ++last) {
    sequence(s, name("6.23.", ++n), true, std::string{"\xEF\xBF"} + static_cast<char>(last));
  }
}

void closing(Suite& s) {
  const std::string done = close(1000);
  s.closed("7.1.1", text("Hello") + done, 1000, {"Hello"});
  s.closed("7.1.2", done + done, 1000);
  s.closed("7.1.3", done + ping("late"), 1000);
  s.closed("7.1.4", done + text("late"), 1000);
  s.closed("7.1.5", frame(0x01, "first") + done + frame(0x80, "second"), 1000);
  const std::string large(std::size_t{256} << 10, 'B');
  s.closed("7.1.6", text(large) + done + ping(""), 1000, {large});
  s.closed("7.3.1", frame(0x88, ""), 1005);
  s.bad("7.3.2", frame(0x88, "a"), 1002);
  s.closed("7.3.3", done, 1000);
  s.closed("7.3.4", close(1000, "Hello World!"), 1000);
  s.closed("7.3.5", close(1000, std::string(123, '*')), 1000);
  s.bad("7.3.6", close(1000, std::string(124, '*')), 1002);
  s.bad("7.5.1", close(1000, greek + "\xED\xA0\x80" + "edited"), 1007);
  std::size_t n = 0;
  for (const unsigned code : {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 3000U,
                              3999U, 4000U, 4999U}) {
    s.closed(name("7.7.", ++n), close(code), static_cast<std::uint16_t>(code));
  }
  n = 0;
  for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1016U, 1100U, 2000U, 2999U}) {
    s.bad(name("7.9.", ++n), close(code), 1002);
  }
  s.bad("7.13.1", close(5000), 1002);
  s.bad("7.13.2", close(65535), 1002);
}

void limits(Suite& s) {
  const auto both = [&s](const std::string& group, std::size_t n, const std::string& payload,
                         std::size_t fragment, std::size_t piece, std::size_t times) {
    std::string as_text, as_binary;
    for (std::size_t i = 0; i < times; ++i) {
      as_text += fragments(1, payload, fragment);
      as_binary += fragments(2, payload, fragment);
    }
    const auto first = static_cast<unsigned>(std::stoul(group.substr(2, 1)));
    s.good("9." + std::to_string(first) + "." + std::to_string(n), std::move(as_text),
           std::vector<std::string>(times, payload), {}, {piece});
    s.bad("9." + std::to_string(first + 1) + "." + std::to_string(n), std::move(as_binary), 1003,
          {}, {}, {piece});
  };
  const std::size_t k = 1024;
  std::size_t n = 0;
  for (const std::size_t size : {64 * k, 256 * k, k * k, 4 * k * k, 8 * k * k, 16 * k * k}) {
    both("9.1", ++n, std::string(size, '*'), size, 16 * k, 1);
  }
  n = 0;
  const std::string four(4 * k * k, '*');
  for (const std::size_t size :
       {std::size_t{64}, std::size_t{256}, k, 4 * k, 16 * k, 64 * k, 256 * k, k * k, 4 * k * k}) {
    both("9.3", ++n, four, size, 16 * k, 1);
  }
  n = 0;
  for (const std::size_t piece : {64U, 128U, 256U, 512U, 1024U, 2048U}) {
    both("9.5", ++n, std::string(k * k, '*'), k * k, piece, 1);
  }
  n = 0;
  for (const std::size_t size : {0U, 16U, 64U, 256U, 1024U, 4096U}) {
    both("9.7", ++n, std::string(size, '*'), std::max(size, std::size_t{1}), whole, 1000);
  }
  const std::string sixty_four(64 * k, '*');
  s.good("10.1.1", fragments(1, sixty_four, 1300), {sixty_four});
}

Suite make_suite() {
  Suite s;
  framing(s);
  pings(s);
  reserved_bits(s);
  opcodes(s);
  fragmentation(s);
  utf8_messages(s);
  utf8_sequences(s);
  utf8_forbidden(s);
  closing(s);
  limits(s);
  return s;
}

struct Heard {
  std::vector<std::string> texts;
  std::vector<std::string> pings;
  std::uint16_t code{went_on};
  bool refused{false};
};

// What a session does with the codec: takes texts, answers pings, stops at a close or a refusal.
Heard listen(const std::string& bytes, std::size_t piece, WsReader& reader) {
  Heard heard;
  reader.reset();
  for (std::string_view rest{bytes}; !rest.empty();) {
    const auto room = reader.room();
    const std::size_t size = std::min({piece, rest.size(), room.size()});
    std::memcpy(room.data(), rest.data(), size);
    reader.commit(size);
    rest.remove_prefix(size);
    for (WsMessage m;;) {
      const WsEvent event = reader.next(m);
      if (event == WsEvent::need_more) break;
      if (event == WsEvent::text) heard.texts.emplace_back(m.view());
      if (event == WsEvent::ping) heard.pings.emplace_back(m.view());
      if (event != WsEvent::close && event != WsEvent::failed) continue;
      heard.refused = event == WsEvent::failed;
      heard.code = heard.refused ? close_code(reader.failure()) : m.code;
      return heard;
    }
  }
  return heard;
}

TEST(ProtocolSuite, HasTheCasesOfEachCategory) {
  const Suite suite = make_suite();
  const std::vector<std::pair<std::string, std::ptrdiff_t>> sizes{
      {"1.", 16},  {"2.", 11}, {"3.", 7},  {"4.", 10}, {"5.", 20},
      {"6.", 145}, {"7.", 37}, {"9.", 54}, {"10.", 1}};
  for (const auto& row : sizes) {
    const std::string& category = row.first;
    EXPECT_EQ(std::count_if(suite.cases.begin(), suite.cases.end(),
                            [&](const Case& c) {
                              return c.id.starts_with(category) &&
                                     c.id.find("by byte") == std::string::npos;
                            }),
              row.second)
        << category;
  }
}

TEST(ProtocolSuite, EveryCaseIsAnsweredAsTheStandardAsks) {
  const Suite suite = make_suite();
  WsReader reader{limit};
  for (const Case& c : suite.cases) {
    for (const std::size_t piece : c.pieces) {
      const Heard heard = listen(c.bytes, piece, reader);
      EXPECT_EQ(heard.refused, c.refused) << c.id << " in pieces of " << piece;
      EXPECT_EQ(heard.code, c.code) << c.id << " in pieces of " << piece;
      EXPECT_TRUE(heard.texts == c.texts)
          << c.id << " in pieces of " << piece << ": " << heard.texts.size() << " texts";
      EXPECT_EQ(heard.pings, c.pings) << c.id << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace gimbal
