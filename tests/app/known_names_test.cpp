// What a session's tape says of the names that it reads its texts with. Room: tests.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "ops/app/known_names.hpp"

namespace gimbal {
namespace {

struct Told {
  FrameKind kind{};
  std::uint32_t detail{0};
  std::string text;
  friend bool operator==(const Told&, const Told&) = default;
};

std::vector<Told> take(FrameTape& tape) {
  std::vector<Told> out;
  FrameRecord record;
  std::span<char> text;
  while (tape.peek(record, text)) {
    out.push_back({record.kind, record.detail, {text.data(), text.size()}});
    tape.pop();
  }
  return out;
}

TEST(KnownNames, ANameThatWasAddedWhileRunningIsKnownOnceTheTapeHasIt) {
  deribit::SymbolTable symbols{16};
  ASSERT_TRUE(symbols.add("BTC-PERPETUAL", InstrumentId{0}));
  ASSERT_TRUE(symbols.add("ETH-PERPETUAL", InstrumentId{1}));
  FrameTape bytes{4096};
  SessionTape tape;
  tape.attach(&bytes, 2, nullptr);
  KnownNames names;
  EXPECT_FALSE(names.learn(RecvTime{1})) << "no table is followed";
  names.follow(symbols, tape, RecvTime{1});
  EXPECT_EQ(take(bytes), (std::vector<Told>{{FrameKind::named, 2, ""}})) << "where a replay begins";

  EXPECT_FALSE(names.learn(RecvTime{2}));
  ASSERT_TRUE(symbols.add("BTC-25DEC26", InstrumentId{2}));
  ASSERT_TRUE(symbols.add("BTC-26MAR27", InstrumentId{3}));
  EXPECT_EQ(names.end(), 2u);
  EXPECT_TRUE(names.learn(RecvTime{3}));
  EXPECT_EQ(names.end(), 4u);
  EXPECT_EQ(take(bytes), (std::vector<Told>{{FrameKind::named, 2, "BTC-25DEC26"},
                                            {FrameKind::named, 3, "BTC-26MAR27"}}));
  EXPECT_FALSE(names.learn(RecvTime{4}));
  EXPECT_TRUE(take(bytes).empty());
}

}  // namespace
}  // namespace gimbal
