// The record that outlives its writer: sound lines come back, torn and damaged ones are told apart.
#include "ops/app/line_record.hpp"

#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class LineRecordTest : public ::testing::Test {
 protected:
  std::vector<std::string> read() {
    std::vector<std::string> lines;
    LineRecord record;
    const auto opened = record.open(
        path, [&](std::string_view line) { lines.emplace_back(line); }, damaged);
    EXPECT_TRUE(static_cast<bool>(opened)) << opened.error();
    return lines;
  }
  void write(int lines) {
    LineRecord record;
    ASSERT_TRUE(static_cast<bool>(record.open(
        path, [](std::string_view) {}, damaged)));
    for (int i = 0; i < lines; ++i) {
      ASSERT_TRUE(record.append(R"({"n":)" + std::to_string(i) + R"(,"s":"a \"b\" c")", true));
    }
    ASSERT_TRUE(static_cast<bool>(record.commit()));
  }
  test::TempDir dir;
  std::string path{dir.file("record.jsonl")};
  std::uint64_t damaged{0};
};

TEST_F(LineRecordTest, LinesComeBackInOrderWithTheirMembers) {
  write(3);
  const auto lines = read();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(damaged, 0u);
  EXPECT_EQ(line_integer(lines[2], "n"), 2);
  EXPECT_EQ(line_text(lines[2], "s"), "a \"b\" c");
  EXPECT_EQ(line_integer(lines[2], "absent", -7), -7);
}

TEST_F(LineRecordTest, OnlyTheOwnerMayReadIt) {
  write(1);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
}

TEST_F(LineRecordTest, AFileCutAtAnyByteKeepsEveryLineBeforeTheCutAndGoesOnBehindIt) {
  write(3);
  const std::string whole = bytes_of(path);
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] == '\n') ends.push_back(i + 1);
  }
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    std::ofstream{path, std::ios::binary | std::ios::trunc} << whole.substr(0, cut);
    std::size_t sound = 0;
    while (sound < ends.size() && ends[sound] - 1 <= cut) ++sound;
    EXPECT_EQ(read().size(), sound) << cut;
    write(1);
    EXPECT_EQ(read().size(), sound + 1) << cut;
  }
}

TEST_F(LineRecordTest, AFlippedBitInALineLosesThatLineOnlyAndIsCounted) {
  write(3);
  const std::string whole = bytes_of(path);
  const std::size_t second = whole.find('\n') + 1;
  const std::size_t third = whole.find('\n', second) + 1;
  for (std::size_t at = second; at + 1 < third; ++at) {
    for (int bit = 0; bit < 7; ++bit) {
      std::string broken = whole;
      broken[at] = static_cast<char>(broken[at] ^ (1 << bit));
      if (broken[at] == '\n') continue;
      std::ofstream{path, std::ios::binary | std::ios::trunc} << broken;
      const auto lines = read();
      ASSERT_EQ(lines.size(), 2u) << at << " bit " << bit;
      EXPECT_EQ(damaged, 1u);
      EXPECT_EQ(line_integer(lines[1], "n"), 2);
    }
  }
}

TEST_F(LineRecordTest, WhatTheDiskRefusesIsKeptAndWrittenLater) {
  LineRecord record;
  ASSERT_TRUE(static_cast<bool>(record.open(
      path, [](std::string_view) {}, damaged)));
  // A file size limit stands in for a full disk.
  const rlimit before = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    return limit;
  }();
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  ASSERT_TRUE(record.append(R"({"n":1)", true));
  EXPECT_FALSE(static_cast<bool>(record.commit()));
  EXPECT_TRUE(record.waiting());
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(static_cast<bool>(record.commit()));
  EXPECT_FALSE(record.waiting());
  EXPECT_EQ(read().size(), 1u);
}

}  // namespace
}  // namespace gimbal
