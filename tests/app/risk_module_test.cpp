// The bot's side of a risk module's two files, with the header that a module is built with on the
// other side.
#include "ops/app/risk_module.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <optional>
#include <random>

#include "engine/core/payload.hpp"
#include "engine/runtime/clock.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

struct RiskModuleTest : testing::Test {
  test::TempDir dir;
  std::optional<RiskModule> bot;
  gimbal_module module{};
  std::uint64_t seq{0};

  void SetUp() override { begin(7); }
  void TearDown() override { gimbal_module_close(&module); }

  void begin(std::uint32_t epoch) {
    bot.emplace();
    ASSERT_TRUE(bot->open({"cap", 1, directory(), milliseconds(500), epoch}));
    Instrument i;
    i.lot = Qty{10'000'000'000};
    bot->list("BTC-PERPETUAL", i);
    bot->list("ETH-PERPETUAL", i);
  }
  [[nodiscard]] std::string directory() const { return dir.file("module-cap"); }
  void attach() { ASSERT_EQ(gimbal_module_open(&module, directory().c_str()), 0); }
  void event(std::uint64_t change = 0) {
    BookDelta d;
    d.change_id = change;
    Event e = make_event(EventKind::book_delta, VenueId{}, InstrumentId{0}, RecvTime{1}, {}, d);
    e.set_seq({++seq});
    bot->put(e);
  }
  int publish(std::uint16_t instrument = 0, std::int64_t buy = 5) {
    gimbal_row row = gimbal_free_row(instrument);
    row.buy_max_nano = buy;
    return gimbal_module_publish(&module, &row, 1, nullptr, 400'000'000);
  }
  // What the core is told, if anything; later than the last.
  std::optional<EnvelopeHead> look() {
    later = later + RiskModule::interval_min;
    const auto bytes = bot->look(RecvTime{monotonic_now().mono_ns + later.count});
    if (bytes.empty()) return std::nullopt;
    EXPECT_GE(bytes.size(), sizeof(EnvelopeHead));
    EnvelopeHead head;
    std::memcpy(static_cast<void*>(&head), bytes.data(), sizeof head);
    rows.resize((bytes.size() - sizeof head) / sizeof(EnvelopeRow));
    if (!rows.empty()) {
      std::memcpy(static_cast<void*>(rows.data()), bytes.data() + sizeof head,
                  rows.size() * sizeof(EnvelopeRow));
    }
    bot->told();
    return head;
  }
  void expect(ModuleSight sight, const char* trouble) {
    const auto head = look();
    ASSERT_TRUE(head.has_value()) << trouble;
    EXPECT_EQ(head->sight, sight);
    EXPECT_NE(bot->trouble().find(trouble), std::string::npos) << bot->trouble();
  }
  // Publishes, then changes the page behind the module's back, with a right checksum or without.
  template <class Change>
  void spoil(Change change, bool seal = true) {
    ASSERT_EQ(publish(), 0);
    change(*module.page);
    if (seal && module.page->rows <= GIMBAL_ROWS_MAX) {
      module.page->crc = gimbal_envelope_crc(module.page, module.page->rows);
    }
  }
  Nanos later{};
  std::vector<EnvelopeRow> rows;
};

TEST_F(RiskModuleTest, AnEnvelopeBecomesTheBodyOfASideBlockAndIsTakenOnce) {
  attach();
  EXPECT_FALSE(look().has_value());
  ASSERT_EQ(publish(1, 42), 0);
  const auto head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live);
  EXPECT_EQ(head->module, 1);
  EXPECT_EQ(head->ttl, milliseconds(400));
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].instrument, InstrumentId{1});
  EXPECT_EQ(rows[0].buy_max, Qty{42});
  EXPECT_EQ(rows[0].sell_max, no_opinion);
  EXPECT_EQ(head->others.buy_max, no_opinion);
  EXPECT_FALSE(look().has_value());
  ASSERT_EQ(publish(1, 43), 0);
  ASSERT_TRUE(look().has_value());
  EXPECT_EQ(rows[0].buy_max, Qty{43});
  EXPECT_EQ(bot->envelopes(), 2u);
}

TEST_F(RiskModuleTest, EnvelopesFasterThanTheIntervalLeaveTheNewest) {
  attach();
  const RecvTime now = RecvTime{monotonic_now().mono_ns + seconds(1).count};
  ASSERT_EQ(publish(0, 1), 0);
  EXPECT_FALSE(bot->look(now).empty());
  bot->told();
  ASSERT_EQ(publish(0, 2), 0);
  EXPECT_TRUE(bot->look(now + RiskModule::interval_min - Nanos{1}).empty());
  ASSERT_EQ(publish(0, 3), 0);
  EXPECT_FALSE(bot->look(now + RiskModule::interval_min).empty());
  EXPECT_EQ(bot->envelopes(), 2u);
}

TEST_F(RiskModuleTest, ItsProcessGoneIsToldOnceAndItsReturnCounts) {
  attach();
  ASSERT_EQ(publish(), 0);
  ASSERT_TRUE(look().has_value());
  gimbal_module_close(&module);  // as its death does: the lock is free
  expect(ModuleSight::dead, "ended");
  EXPECT_FALSE(look().has_value());
  attach();
  EXPECT_FALSE(look().has_value()) << "it has not spoken yet";
  ASSERT_EQ(publish(), 0);
  const auto head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live);
}

TEST_F(RiskModuleTest, GarbageIsToldAsInvalidAndNeverAsLimits) {
  attach();
  const auto invalid = [this](const char* trouble) {
    expect(ModuleSight::invalid, trouble);
    ASSERT_EQ(publish(), 0);
    const auto head = look();
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->sight, ModuleSight::live);
  };
  spoil([](gimbal_envelope& e) { e.row[0].buy_max_nano = 7; }, false);
  invalid("checksum");
  spoil([](gimbal_envelope& e) { e.magic = 1; });
  invalid("version");
  spoil([](gimbal_envelope& e) { e.rows = 0xFFFFFFFF; });
  invalid("too many rows");
  spoil([](gimbal_envelope& e) { e.row[0].buy_max_nano = -1; });
  invalid("negative");
  spoil([](gimbal_envelope& e) { e.row[0].veto = 0x80; });
  invalid("veto");
  spoil([](gimbal_envelope& e) { e.row[0].instrument = 2; });
  invalid("does not exist");
  spoil([](gimbal_envelope& e) { e.as_of = 1; });
  invalid("not happened");
  spoil([](gimbal_envelope& e) { e.zero[39] = 1; });
  invalid("zero");
  spoil([](gimbal_envelope& e) { e.ttl_ns = 0; });
  invalid("time to live");
  spoil([](gimbal_envelope& e) { e.made_ns += 3'600'000'000'000; });
  invalid("future");
  spoil([](gimbal_envelope& e) { e.made_ns -= 3'600'000'000'000; });
  invalid("before");
  EXPECT_EQ(bot->invalid(), 11u);
}

TEST_F(RiskModuleTest, AFileCutShortIsInvalidAndFaultsNobody) {
  attach();
  ASSERT_EQ(publish(), 0);
  ASSERT_TRUE(look().has_value());
  ASSERT_EQ(::truncate((directory() + "/envelope").c_str(), 10), 0);
  expect(ModuleSight::invalid, "size");
}

TEST_F(RiskModuleTest, AFileThatIsTooLongIsInvalidAndCutBack) {
  attach();
  ASSERT_EQ(publish(), 0);
  ASSERT_TRUE(look().has_value());
  const std::string file = directory() + "/envelope";
  ASSERT_EQ(publish(), 0);
  ASSERT_EQ(::truncate(file.c_str(), 1 << 20), 0);
  expect(ModuleSight::invalid, "size");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_size, static_cast<off_t>(sizeof(gimbal_envelope)));
  EXPECT_FALSE(look().has_value()) << "only a new envelope ends it";
  ASSERT_EQ(publish(), 0);
  const auto head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live);
}

TEST_F(RiskModuleTest, AnEnvelopeThatDidNotGoOutIsGivenAgainUntilItIsTold) {
  attach();
  const RecvTime now = RecvTime{monotonic_now().mono_ns + seconds(1).count};
  ASSERT_EQ(publish(1, 42), 0);
  const auto size = bot->look(now).size();
  EXPECT_EQ(size, sizeof(EnvelopeHead) + sizeof(EnvelopeRow));
  const auto again = bot->look(now + milliseconds(1));
  ASSERT_EQ(again.size(), size);
  EnvelopeRow row;
  std::memcpy(static_cast<void*>(&row), again.data() + sizeof(EnvelopeHead), sizeof row);
  EXPECT_EQ(row.buy_max, Qty{42});
  EXPECT_EQ(bot->envelopes(), 1u) << "counted once";
  ASSERT_EQ(publish(1, 43), 0);
  const auto newer = bot->look(now + RiskModule::interval_min);
  ASSERT_EQ(newer.size(), size);
  std::memcpy(static_cast<void*>(&row), newer.data() + sizeof(EnvelopeHead), sizeof row);
  EXPECT_EQ(row.buy_max, Qty{43});
  bot->told();
  EXPECT_TRUE(bot->look(now + RiskModule::interval_min + milliseconds(1)).empty());
}

TEST_F(RiskModuleTest, AnUntoldEnvelopeOfAProcessThatEndedIsNotGivenAgain) {
  attach();
  const RecvTime now = RecvTime{monotonic_now().mono_ns + seconds(1).count};
  ASSERT_EQ(publish(), 0);
  EXPECT_FALSE(bot->look(now).empty());
  gimbal_module_close(&module);
  EXPECT_TRUE(bot->look(now + milliseconds(1)).empty());
  attach();
  EXPECT_TRUE(bot->look(now + milliseconds(2)).empty());
}

TEST_F(RiskModuleTest, APublisherWhoseReaderHangsIsInvalidAfterTheTimeToLive) {
  attach();
  gimbal_event e;
  event();
  ASSERT_EQ(gimbal_module_next(&module, &e), 1);
  ASSERT_EQ(publish(), 0);
  ASSERT_TRUE(look().has_value());
  later = later + milliseconds(20);
  event();  // which it does not look at
  EXPECT_FALSE(look().has_value());
  later = later + milliseconds(200);
  ASSERT_EQ(publish(), 0);
  auto head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live);
  later = later + milliseconds(400);
  ASSERT_EQ(publish(), 0);
  expect(ModuleSight::invalid, "has not looked");
  ASSERT_EQ(gimbal_module_next(&module, &e), 1);
  ASSERT_EQ(publish(), 0);
  head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live);
}

TEST_F(RiskModuleTest, AReaderThatIsTooFarBehindIsInvalidThoughItMoves) {
  attach();
  gimbal_event e;
  for (int i = 0; i < 300; ++i) {  // one look in 10 ms, one event each: it is 3 s behind
    event();
    (void)look();
  }
  ASSERT_EQ(gimbal_module_next(&module, &e), 1);
  ASSERT_EQ(publish(), 0);
  expect(ModuleSight::invalid, "has not looked");
}

TEST_F(RiskModuleTest, AQuietMarketKeepsAnEnvelopeValid) {
  attach();
  gimbal_event e;
  event();
  ASSERT_EQ(gimbal_module_next(&module, &e), 1);
  for (int i = 0; i < 5; ++i) {
    later = later + seconds(10);
    ASSERT_EQ(publish(), 0);
    const auto head = look();
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->sight, ModuleSight::live) << bot->trouble();
  }
}

TEST_F(RiskModuleTest, OneThatJustStartedIsNotBlamedForWhatWasBefore) {
  event();
  (void)look();
  later = later + seconds(10);
  (void)look();
  attach();
  ASSERT_EQ(publish(), 0);
  auto head = look();
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->sight, ModuleSight::live) << bot->trouble();
  later = later + milliseconds(500);
  ASSERT_EQ(publish(), 0);
  expect(ModuleSight::invalid, "has not looked");
}

TEST_F(RiskModuleTest, ARandomPageIsNeverALiveEnvelope) {
  attach();
  std::mt19937_64 random{27};
  for (int i = 0; i < 300; ++i) {
    auto* words = reinterpret_cast<std::uint64_t*>(module.page);
    for (std::size_t w = 0; w < sizeof(gimbal_envelope) / 8; ++w) words[w] = random();
    words[2] &= ~1ull;
    if (i % 2 == 0) module.page->magic = GIMBAL_ENVELOPE_MAGIC;
    if (i % 4 == 0) module.page->abi = GIMBAL_ABI;
    const auto head = look();
    EXPECT_TRUE(!head || head->sight != ModuleSight::live);
  }
}

TEST_F(RiskModuleTest, AnEnvelopeThatIsBeingWrittenIsLeftAlone) {
  attach();
  ASSERT_EQ(publish(), 0);
  module.page->change |= 1u;  // died over it
  EXPECT_FALSE(look().has_value()) << "its time to live will tell";
}

TEST_F(RiskModuleTest, OnlyOneProcessIsAModuleAndTheFilesAreClosedToOthers) {
  attach();
  struct stat info {};
  ASSERT_EQ(::stat(directory().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0750u);
  ASSERT_EQ(::stat((directory() + "/events").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  ASSERT_EQ(::stat((directory() + "/envelope").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
}

TEST_F(RiskModuleTest, TheStreamIsWholeOrItsLossIsTold) {
  attach();
  gimbal_event e;
  EXPECT_EQ(gimbal_module_next(&module, &e), 0);
  for (std::uint64_t i = 1; i <= 3; ++i) event(i);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    ASSERT_EQ(gimbal_module_next(&module, &e), 1);
    EXPECT_EQ(gimbal_seq(&e), i);
    EXPECT_EQ(gimbal_kind(&e), static_cast<unsigned>(GIMBAL_BOOK_DELTA));
    gimbal_book_delta d;
    std::memcpy(&d, e.payload, sizeof d);
    EXPECT_EQ(d.change_id, i);
  }
  EXPECT_EQ(gimbal_module_next(&module, &e), 0);
  for (std::uint64_t i = 0; i < GIMBAL_SLOTS; ++i) event();
  ASSERT_EQ(gimbal_module_next(&module, &e), 1) << "a full ring has lost nothing";
  event();
  event();
  EXPECT_EQ(gimbal_module_next(&module, &e), -EOVERFLOW);
  EXPECT_EQ(module.lost, GIMBAL_SLOTS + 1u);
  EXPECT_EQ(gimbal_module_next(&module, &e), 0);
  ASSERT_EQ(publish(), 0);
  ASSERT_TRUE(look().has_value());
  EXPECT_EQ(bot->lost(), GIMBAL_SLOTS + 1u);
}

TEST_F(RiskModuleTest, NamesAreFoundAndANewBootIsNoticed) {
  attach();
  EXPECT_EQ(gimbal_module_find(&module, "ETH-PERPETUAL"), 1);
  EXPECT_EQ(gimbal_module_find(&module, "ETH"), -ENOENT);
  ASSERT_EQ(publish(), 0);
  begin(8);
  // Closing the first bot's descriptor has freed this process's lock: taken again.
  gimbal_module_close(&module);
  attach();
  module.epoch = 7;
  ASSERT_EQ(publish(), 0);
  EXPECT_FALSE(look().has_value()) << "an envelope for the run before says nothing";
  gimbal_event e;
  EXPECT_EQ(gimbal_module_next(&module, &e), -ESTALE);
  ASSERT_EQ(publish(), 0);
  EXPECT_TRUE(look().has_value());
}

}  // namespace
}  // namespace gimbal
