// The reader of the usual form beside the JSON parser, its slow twin: on what Deribit writes, on
// what it might write, and on all of it damaged.
#include "feeds/deribit/usual_form.hpp"

#include <random>

#include "bench/messages.hpp"
#include "feeds/deribit/plain_text.hpp"
#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/json_corpus.hpp"
#include "tests/support/reader_twins.hpp"

namespace gimbal {
namespace {

const deribit::SymbolTable& names() {
  static const deribit::SymbolTable table = [] {
    deribit::SymbolTable t{4};
    EXPECT_TRUE(t.add("BTC-PERPETUAL", InstrumentId{0}));
    EXPECT_TRUE(t.add("BTC-25DEC26-76000-C", InstrumentId{1}));
    return t;
  }();
  return table;
}

std::string book(std::string_view data, std::string_view channel = "book.BTC-PERPETUAL.raw") {
  return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")" +
         std::string{channel} + R"(","data":)" + std::string{data} + "}}";
}

// A level with these texts, alone in a snapshot.
std::string level(std::string_view level) {
  return book(R"({"timestamp":1,"type":"snapshot","change_id":2,"bids":[)" + std::string{level} +
              R"(],"asks":[]})");
}

bool usual(const std::string& text) {
  test::FrameBytes bytes{text};
  test::TwinChannels channels{names()};
  deribit::PublicFrame out;
  out.levels.reserve(deribit::FrameReader::levels_max);
  return deribit::read_usual_form(bytes.frame(), names(), channels, out);
}

std::vector<std::string> seeds() {
  return {bench::book_text("snapshot", 5, 0, 3),
          bench::book_text("change", 6, 5, 2),
          std::string{bench::ticker_text},
          bench::trades_text(2),
          level(R"(["delete",-0.5,1])"),
          level(R"(["change",0.000000001,123456789.25],["new",1e3,2.5E-1])"),
          book(R"({"type":"change","timestamp":1,"change_id":3,"prev_change_id":null,"bids":[],)"
               R"("asks":[],"extra":{"a":[1]},"more":"x\"y"})"),
          book("{}"),
          R"({"jsonrpc":"2.0","id":4,"result":["book.BTC-PERPETUAL.raw"]})"};
}

TEST(UsualForm, TakesWhatDeribitWrites) {
  for (const std::string& text :
       {bench::book_text("snapshot", 5, 0, 3), bench::book_text("change", 6, 5, 2),
        std::string{bench::ticker_text}, level(R"(["delete",-0.5,0.0],["change",1e-3,0])")}) {
    EXPECT_TRUE(usual(text)) << text;
  }
}

TEST(UsualForm, LeavesTheRestToTheParser) {
  const std::string whole = bench::book_text("change", 6, 5, 1);
  for (const std::string& text :
       {whole + " ", whole.substr(0, whole.size() - 1), bench::trades_text(1), level("[]"),
        level(R"(["new",1,-1])"), level(R"(["new",1])"), level(R"(["new",01,1])"),
        level(R"(["new",1.,1])"), level(R"(["new",0.0000000001,1])"), level(R"(["old",1,1])"),
        book(R"({"timestamp":1,"type":"snapshot","change_id":2,"bids":[]})"),
        book(R"({"timestamp":1,"timestamp":1,"change_id":2,"bids":[],"asks":[]})"),
        book(R"({"timestamp":1,"change_id":2,"bids":[],"asks":[]})", "book.ETH-PERPETUAL.raw"),
        book(R"({"timestamp":1,"change_id":2,"bids":[],"asks":[],"instrument_name":"BTC"})"),
        book(R"({"timestamp":1,"change_id":2,"bids":[],"asks":[]})",
             "book.BTC-PERPETUAL.none.10.100ms")}) {
    EXPECT_FALSE(usual(text)) << text;
  }
}

TEST(UsualForm, SaysWhatTheParserSaysOfEveryCutAndEveryChangedByte) {
  test::ReaderTwins twins{names()};
  const std::string bytes = "\"\\,:{}[]019.-eE \x01\x7f\xc3";
  for (const std::string& seed : seeds()) {
    for (std::size_t at = 0; at <= seed.size(); ++at) {
      for (const char behind : {'\0', '1', '"', '}', ']', ',', '{', ' '}) {
        const std::string cut = seed.substr(0, at);
        ASSERT_EQ(twins.difference(cut, behind), "") << at << " of " << seed;
        ASSERT_EQ(twins.reading(cut, behind), twins.reading(cut, '\0'))
            << "behind it " << behind << ", " << at << " of " << seed;
      }
      for (const char c : bytes) {
        std::string text = seed;
        if (at < text.size()) text[at] = c;
        ASSERT_EQ(twins.difference(text), "") << text;
        text = seed;
        text.insert(at, 1, c);
        ASSERT_EQ(twins.difference(text), "") << text;
      }
    }
  }
}

TEST(UsualForm, SaysWhatTheParserSaysOfWhatIsSpliced) {
  test::ReaderTwins twins{names()};
  const std::vector<std::string> all = seeds();
  std::mt19937_64 random{11};
  for (int i = 0; i < 20'000; ++i) {
    const std::string& a = all[random() % all.size()];
    const std::string& b = all[random() % all.size()];
    std::string text = a.substr(0, random() % (a.size() + 1));
    text += b.substr(random() % b.size());
    ASSERT_EQ(twins.difference(text), "") << text;
  }
}

TEST(UsualForm, SaysWhatTheParserSaysOfTheCorpusInsideABook) {
  test::ReaderTwins twins{names()};
  for (const test::JsonCase& c : test::json_corpus()) {
    const std::string& text = c.document;
    EXPECT_EQ(twins.difference(text), "");
    EXPECT_EQ(twins.difference(level(R"(["new",1,)" + text + "]")), "") << text;
    EXPECT_EQ(twins.difference(
                  book(R"({"timestamp":1,"change_id":2,"bids":[],"asks":[],"x":)" + text + "}")),
              "")
        << text;
  }
}

// Numbers of every length on both sides of the point, exact and rounded, against decimal.hpp.
TEST(UsualForm, ReadsNumbersAsDecimalsDo) {
  std::mt19937_64 random{5};
  for (int i = 0; i < 200'000; ++i) {
    std::string digits;
    for (std::uint64_t n = random() % 19; n > 0; --n)
      digits += static_cast<char>('0' + random() % 10);
    if (random() % 3 != 0) digits.insert(random() % (digits.size() + 1), ".");
    if (random() % 8 == 0) digits.insert(0, "-");
    if (random() % 8 == 0) digits += "e-2";
    test::FrameBytes bytes{digits};
    const bool round = random() % 2 == 0;
    const char* const begin = bytes.frame().data;
    deribit::PlainText in{begin, begin + digits.size()};
    std::int64_t found = -7;
    std::int64_t wanted = -7;
    const bool read = in.nano(round, found) && in.over();
    const DecimalStatus status =
        round ? parse_nano_round(digits, wanted) : parse_nano(digits, wanted);
    ASSERT_EQ(read, status == DecimalStatus::ok) << digits;
    if (read) { ASSERT_EQ(found, wanted) << digits; }
    std::uint64_t id = 0;
    deribit::PlainText again{begin, begin + digits.size()};
    const bool is_whole = again.whole(id) && again.over();
    const bool should = parse_integer(digits, wanted) == DecimalStatus::ok && wanted >= 0;
    ASSERT_EQ(is_whole, should) << digits;
    if (is_whole) { ASSERT_EQ(static_cast<std::int64_t>(id), wanted) << digits; }
  }
}

}  // namespace
}  // namespace gimbal
