#include "engine/runtime/orders_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/latch.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

OrdersRecord a_record() {
  OrdersRecord r;
  r.account = "deribit/main/2";
  r.epoch = 7;
  r.tag = 0x51;
  r.seq = Seq{12};
  r.place = JournalPlace{3, 4096};
  r.names = {"A", "B", "C", "BTC-PERPETUAL"};
  KeptOrder o;
  o.instrument = InstrumentId{3};
  o.terms.order = make_order_id(7, StrategyId{1}, 1);
  o.terms.price = Price{50};
  o.terms.amount = Qty{10};
  o.terms.filled = Qty{3};
  o.trades = {TradeId{1, 1}};
  o.updated = ExchTime{99};
  r.orders = {o};
  return r;
}

TEST(OrdersFile, KeepsEveryOrderAndItsTrades) {
  test::TempDir dir;
  const std::string bytes = encode_orders(a_record());
  ASSERT_TRUE(replace_file(dir.file("orders"), bytes));
  const OrdersFileContent found = load_orders(dir.file("orders"));
  ASSERT_EQ(found.kind, OrdersFileKind::sound) << found.error;
  EXPECT_EQ(encode_orders(found.record), bytes);
  ASSERT_EQ(found.record.orders.size(), 1U);
  EXPECT_EQ(found.record.orders[0].terms.filled, Qty{3});
  EXPECT_EQ(found.record.orders[0].trades, std::vector<TradeId>{(TradeId{1, 1})});
  EXPECT_EQ(found.record.orders[0].updated, ExchTime{99});
  EXPECT_EQ(found.record.seq.value, a_record().seq.value);
  EXPECT_EQ(found.record.place, a_record().place);
}

TEST(OrdersFile, MissingIsToldApartFromUnusable) {
  test::TempDir dir;
  EXPECT_EQ(load_orders(dir.file("none")).kind, OrdersFileKind::missing);
  std::ofstream{dir.file("empty")} << "";
  EXPECT_EQ(load_orders(dir.file("empty")).kind, OrdersFileKind::unusable);
}

TEST(OrdersFile, EveryFlippedBitAndEveryCutIsFound) {
  const std::string sound = encode_orders(a_record());
  for (std::size_t byte = 0; byte < sound.size(); ++byte) {
    ASSERT_EQ(parse_orders(sound.substr(0, byte)).kind, OrdersFileKind::unusable) << byte;
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = sound;
      bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
      ASSERT_EQ(parse_orders(bytes).kind, OrdersFileKind::unusable) << byte << "." << bit;
    }
  }
}

// `bytes` with another body under a checksum that holds.
std::string with_checksum(std::string body) {
  const std::uint32_t crc = crc32c(body.data(), body.size());
  body.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  return body;
}

TEST(OrdersFile, ContentOutOfRangeIsUnusableUnderASoundChecksum) {
  OrdersRecord r = a_record();
  r.orders[0].instrument = InstrumentId{4};  // four names
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::unusable);
  r = a_record();
  r.orders[0].terms.order = OrderId{};
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::unusable);
  r = a_record();
  r.orders[0].trades.resize(kept_trades_max, TradeId{1, 2});
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::sound);
  r.orders[0].trades.resize(kept_trades_max + 1, TradeId{1, 2});
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::unusable);
  r = a_record();
  r.orders.resize(kept_orders_max, r.orders[0]);
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::sound);
  r.orders.resize(kept_orders_max + 1, r.orders[0]);
  EXPECT_EQ(parse_orders(encode_orders(r)).kind, OrdersFileKind::unusable);
  std::string body = encode_orders(a_record());
  body.resize(body.size() - 4);
  EXPECT_EQ(parse_orders(with_checksum(body + "x")).kind, OrdersFileKind::unusable);
  body[8] = 4;
  const OrdersFileContent newer = parse_orders(with_checksum(body));
  EXPECT_NE(newer.error.find("format version is 4, this build reads 1 to 3"), std::string::npos)
      << newer.error;
}

// `r` as builds wrote it that knew less: version 2 had no time of an order's terms, 1 no place.
std::string of_version(const OrdersRecord& r, char version) {
  std::string body = encode_orders(r);
  body.resize(body.size() - 4);
  body[8] = version;
  const std::size_t updated = body.size() - sizeof(TradeId) - 2 - 8;  // of the one order
  body.erase(updated, 8);
  if (version < 2) body.erase(8 + 4 + 1 + r.account.size() + 4 + 4 + 8, 4 + 8);
  return body;
}

TEST(OrdersFile, AFileOfVersionOneIsReadAndItsPlaceIsNotKnown) {
  std::string body = of_version(a_record(), 1);
  const OrdersFileContent found = parse_orders(with_checksum(body));
  ASSERT_EQ(found.kind, OrdersFileKind::sound) << found.error;
  EXPECT_FALSE(found.record.place.known());
  OrdersRecord same = a_record();
  same.place = {};
  same.orders[0].updated = found.record.orders[0].updated;
  EXPECT_EQ(encode_orders(found.record), encode_orders(same));
  body[8] = 0;
  EXPECT_EQ(parse_orders(with_checksum(body)).kind, OrdersFileKind::unusable);
}

TEST(OrdersFile, AFileOfVersionTwoIsReadAndNoAcknowledgementLowersItsOrders) {
  const OrdersFileContent found = parse_orders(with_checksum(of_version(a_record(), 2)));
  ASSERT_EQ(found.kind, OrdersFileKind::sound) << found.error;
  EXPECT_EQ(found.record.place, a_record().place);
  EXPECT_GT(found.record.orders[0].updated, ExchTime{1'790'000'000'000'000'000});
}

}  // namespace
}  // namespace gimbal
