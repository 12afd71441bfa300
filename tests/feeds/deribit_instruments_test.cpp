// The instrument loader and the symbol table.
#include "tests/feeds/deribit_rig.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal {
namespace {

using deribit::InstrumentList;
using deribit::InstrumentRow;
using deribit::parse_instruments;

TEST(DeribitInstruments, ReadsFuturesAndOptionsInverseAndLinear) {
  const InstrumentList list = parse_instruments(test::fixture("get_instruments.json"));
  ASSERT_EQ(list.error, "");
  ASSERT_EQ(list.rows.size(), 4U);
  EXPECT_EQ(list.spot, 1U);
  EXPECT_EQ(list.combos, 1U);
  EXPECT_EQ(list.inactive, 1U);

  const Instrument& perp = list.rows[0].definition;
  EXPECT_EQ(list.rows[0].name, "BTC-PERPETUAL");
  EXPECT_EQ(list.rows[0].price_index, "btc_usd");
  EXPECT_EQ(perp.kind, InstrumentKind::inverse_perpetual);
  EXPECT_EQ(perp.ticks.base.nano, 500'000'000);
  EXPECT_EQ(perp.lot.nano, 10'000'000'000);
  EXPECT_EQ(perp.expiry, ExchTime{}) << "a perpetual does not expire in the year 3000";
  EXPECT_EQ(perp.taker_fee_nano, 500'000);

  const Instrument& option = list.rows[1].definition;
  EXPECT_EQ(option.kind, InstrumentKind::inverse_option);
  EXPECT_EQ(option.option, OptionType::call);
  EXPECT_EQ(option.strike, test::px(65000));
  EXPECT_EQ(option.settlement, currency("BTC"));
  EXPECT_EQ(option.ticks.tick_at(test::px(0.005)).nano, 100'000) << "at the step itself: the base";
  EXPECT_EQ(option.ticks.tick_at(test::px(0.0051)).nano, 500'000);
  EXPECT_EQ(option.expiry, from_unix_ms(1785484800000));

  EXPECT_EQ(list.rows[2].definition.kind, InstrumentKind::linear_option);
  EXPECT_EQ(list.rows[2].underlying, "AVAX");
  EXPECT_EQ(list.rows[2].definition.settlement, currency("USDC"));
  EXPECT_EQ(list.rows[3].definition.kind, InstrumentKind::inverse_future)
      << "2021 rows have no instrument_type";
}

TEST(DeribitInstruments, RefusalsNameInstrumentMemberAndReason) {
  const InstrumentList list = parse_instruments(test::fixture("get_instruments.json"));
  ASSERT_EQ(list.refused.size(), 3U);
  EXPECT_NE(list.refused[0].find("BTC-31JUL26-1-C: member tick_size"), std::string::npos);
  EXPECT_NE(list.refused[1].find("BTC-31JUL26-2-C: option_type"), std::string::npos);
  EXPECT_NE(list.refused[2].find("BTC-X: kind 'warrant' is unknown"), std::string::npos);
}

TEST(DeribitInstruments, WholeRepliesThatAreNoListAreRefused) {
  for (const char* text : {"", "{", R"({"error":{"code":10028}})", "[1", "nope"}) {
    const InstrumentList list = parse_instruments(text);
    EXPECT_FALSE(list.error.empty()) << text;
    EXPECT_TRUE(list.rows.empty());
  }
}

TEST(DeribitInstruments, EveryActiveInstrumentOfARealListIsTakenOrExplained) {
  const std::string folder = test::shared_path("data/deribit");
  if (!test::present(folder)) GTEST_SKIP() << "the recordings are not on this machine";
  std::ifstream in{folder + "/bourse_2026_get_instruments_any.jsonl"};
  std::string line;
  ASSERT_TRUE(std::getline(in, line));
  const InstrumentList list = parse_instruments(line);
  ASSERT_EQ(list.error, "");
  EXPECT_EQ(list.refused.size(), 0U) << list.refused.front();
  EXPECT_EQ(list.rows.size() + list.spot + list.combos + list.inactive, 4813U);
  deribit::UnderlyingNames coins;
  InstrumentTable table;
  deribit::SymbolTable symbols;
  for (const InstrumentRow& row : list.rows) {
    std::string why;
    const InstrumentId id = deribit::install(row, VenueId{1}, coins, table, symbols, why);
    ASSERT_TRUE(id.valid()) << why;
    ASSERT_EQ(symbols.find(row.name), id);
    InstrumentRow named;
    ASSERT_TRUE(deribit::instrument_from_name(row.name, named)) << row.name;
    EXPECT_EQ(named.definition.kind, row.definition.kind) << row.name;
    EXPECT_EQ(named.definition.strike, row.definition.strike) << row.name;
    EXPECT_EQ(named.definition.expiry, row.definition.expiry) << row.name;
    EXPECT_EQ(named.underlying, row.underlying) << row.name;
  }
}

TEST(DeribitInstruments, NamesTellKindStrikeAndExpiry) {
  InstrumentRow row;
  ASSERT_TRUE(deribit::instrument_from_name("XRP_USDC-30JUN23-0d625-C", row));
  EXPECT_EQ(row.definition.kind, InstrumentKind::linear_option);
  EXPECT_EQ(row.definition.strike, test::px(0.625));
  EXPECT_EQ(row.definition.expiry, from_unix_ms(1688112000000));
  ASSERT_TRUE(deribit::instrument_from_name("BTC-5JUN20-9250-P", row));
  EXPECT_EQ(row.definition.option, OptionType::put);
  EXPECT_EQ(row.definition.expiry, from_unix_ms(1591344000000));
  for (const char* name :
       {"", "BTC", "BTC-FS-30SEP22_PERP", "BTC-CS-19MAY26-70000_75000", "BTC_USDC", "BTC-32JAN26",
        "BTC-5JUX20", "BTC-5JUN20-x-C", "BTC-5JUN20-1-D", "-PERPETUAL", "BTC-5JUN20-1-C-9"}) {
    EXPECT_FALSE(deribit::instrument_from_name(name, row)) << name;
  }
}

TEST(DeribitSymbols, ANameIsWholeForEveryReaderFromTheMomentItIsFound) {
  constexpr std::uint16_t count = 4000;
  deribit::SymbolTable table{count};
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> wrong{0};
  std::thread reader{[&] {
    while (!stop.load(std::memory_order_acquire)) {
      for (std::uint16_t i = 0; i < count; i = static_cast<std::uint16_t>(i + 7)) {
        const std::string name = "BTC-25DEC26-" + std::to_string(i) + "-C";
        const InstrumentId id = table.find(name);
        if (id.valid() && (id.value != i || table.name(id) != name)) ++wrong;
      }
    }
  }};
  for (std::uint16_t i = 0; i < count; ++i) {
    ASSERT_TRUE(table.add("BTC-25DEC26-" + std::to_string(i) + "-C", InstrumentId{i}));
  }
  stop.store(true, std::memory_order_release);
  reader.join();
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_EQ(table.size(), count);
}

TEST(DeribitSymbols, FindsWhatWasAddedAndRefusesClashes) {
  deribit::SymbolTable table{300};
  for (std::uint16_t i = 0; i < 300; ++i) {
    ASSERT_TRUE(table.add("BTC-" + std::to_string(i), InstrumentId{i}));
  }
  for (std::uint16_t i = 0; i < 300; ++i) {
    EXPECT_EQ(table.find("BTC-" + std::to_string(i)), InstrumentId{i});
    EXPECT_EQ(table.name(InstrumentId{i}), "BTC-" + std::to_string(i));
  }
  EXPECT_FALSE(table.find("BTC-300").valid());
  EXPECT_FALSE(table.add("BTC-300", InstrumentId{300})) << "full";
  EXPECT_FALSE(table.add("BTC-0", InstrumentId{5})) << "the name is another's";
  EXPECT_TRUE(table.add("BTC-0", InstrumentId{0})) << "the same pair again";
  EXPECT_FALSE(table.add("", InstrumentId{1}));
  EXPECT_FALSE(table.add(std::string(48, 'x'), InstrumentId{1}));
}

}  // namespace
}  // namespace gimbal
