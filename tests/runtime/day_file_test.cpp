#include "engine/runtime/day_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/latch.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

DayRecord record() {
  DayRecord r;
  r.account = "deribit/main/2";
  r.epoch = 7;
  r.began = ExchTime{1'800'000'000'000'000'000};
  r.booked_until = ExchTime{1'800'000'123'000'000'000};
  r.peak = Money{5'000'000'000};
  r.owners = {{"delta_hedge", Money{-1'250'000'000}}, {"account", Money{-17}}};
  r.ratios = {{"BTC", 0, {500, 3'000'000'000}}, {"BTC", 1, {2, 0}}};
  r.holdings = {{"BTC-PERPETUAL", "delta_hedge", Qty{-100'000'000'000}, Price{50'000'000'000'000}},
                {"BTC-PERPETUAL", "account", Qty{1}, Price{2}}};
  return r;
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

// `bytes` with the format version `version` and a checksum that holds.
std::string of_version(std::string bytes, std::uint32_t version) {
  bytes.resize(bytes.size() - 4);
  bytes.replace(8, 4, reinterpret_cast<const char*>(&version), 4);
  const std::uint32_t crc = crc32c(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&crc), 4);
  return bytes;
}

TEST(DayFile, KeepsEveryFigureAcrossARestart) {
  test::TempDir dir;
  ASSERT_TRUE(replace_file(dir.file("day"), encode_day(record())));
  const DayFileContent found = load_day(dir.file("day"));
  ASSERT_EQ(found.kind, DayFileKind::sound) << found.error;
  EXPECT_EQ(encode_day(found.record), encode_day(record()));
  EXPECT_EQ(found.record.account, "deribit/main/2");
  EXPECT_EQ(found.record.epoch, 7u);
  EXPECT_EQ(found.record.peak, record().peak);
  EXPECT_EQ(found.record.profit(), (Money{-1'250'000'017}));
  ASSERT_EQ(found.record.holdings.size(), 2u);
  EXPECT_EQ(found.record.holdings[0].owner, "delta_hedge");
  EXPECT_EQ(found.record.holdings[0].mark, record().holdings[0].mark);
  ASSERT_EQ(found.record.ratios.size(), 2u);
  EXPECT_EQ(found.record.ratios[1].group, 1);
}

TEST(DayFile, MissingIsToldApartFromUnusable) {
  test::TempDir dir;
  EXPECT_EQ(load_day(dir.file("none")).kind, DayFileKind::missing);
  write(dir.file("empty"), "");
  EXPECT_EQ(load_day(dir.file("empty")).kind, DayFileKind::unusable);
}

TEST(DayFile, EveryFlippedBitIsFoundAndTheErrorNamesTheFile) {
  test::TempDir dir;
  const std::string sound = encode_day(record());
  for (std::size_t byte = 0; byte < sound.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bytes = sound;
      bytes[byte] = static_cast<char>(bytes[byte] ^ (1 << bit));
      ASSERT_EQ(parse_day(bytes).kind, DayFileKind::unusable) << byte << "." << bit;
    }
  }
  std::string bytes = sound;
  bytes[20] = static_cast<char>(bytes[20] ^ 1);
  write(dir.file("day"), bytes);
  const DayFileContent found = load_day(dir.file("day"));
  EXPECT_NE(found.error.find(dir.file("day")), std::string::npos) << found.error;
  EXPECT_NE(found.error.find("checksum"), std::string::npos) << found.error;
}

TEST(DayFile, CutAtEveryByteOrLongerIsUnusable) {
  const std::string sound = encode_day(record());
  for (std::size_t bytes = 0; bytes < sound.size(); ++bytes) {
    ASSERT_EQ(parse_day(sound.substr(0, bytes)).kind, DayFileKind::unusable) << bytes;
  }
  EXPECT_EQ(parse_day(sound + '\0').kind, DayFileKind::unusable);
}

TEST(DayFile, AnotherVersionIsRefusedByItsNumber) {
  const std::string sound = encode_day(record());
  EXPECT_EQ(parse_day(of_version(sound, day_file_version)).kind, DayFileKind::sound);
  for (const std::uint32_t version : {0u, day_file_version + 1}) {
    const DayFileContent found = parse_day(of_version(sound, version));
    EXPECT_EQ(found.kind, DayFileKind::unusable);
    EXPECT_NE(found.error.find("version is " + std::to_string(version)), std::string::npos)
        << found.error;
  }
}

// Sound in its checksum, but longer or shorter than its counts say.
TEST(DayFile, CountsThatDoNotFitAreUnusable) {
  const auto resealed = [](std::string body) {
    const std::uint32_t crc = crc32c(body.data(), body.size());
    return body.append(reinterpret_cast<const char*>(&crc), 4);
  };
  const std::string sound = encode_day(record());
  const std::string body = sound.substr(0, sound.size() - 4);
  EXPECT_EQ(parse_day(resealed(body)).kind, DayFileKind::sound);
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    ASSERT_EQ(parse_day(resealed(body.substr(0, bytes))).kind, DayFileKind::unusable) << bytes;
  }
  EXPECT_EQ(parse_day(resealed(body + "more")).kind, DayFileKind::unusable);
}

}  // namespace
}  // namespace gimbal
