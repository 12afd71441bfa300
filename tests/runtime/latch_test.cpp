#include "engine/runtime/latch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "engine/runtime/crc32c.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

LatchEntry entry(Scope scope, Mode mode, const std::string& reason) {
  return {scope, mode, 1000, 5, ExchTime{123}, reason};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream{path, std::ios::binary} << bytes;
}

bool is_untrusted_halt(const LatchState& state) {
  return !state.trusted && state.entries.size() == 1 && state.entries[0].mode == Mode::halt &&
         state.entries[0].scope == Scope{} && !state.entries[0].reason.empty();
}

TEST(LatchFile, KeepsModesAndReasonsAcrossARestart) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({entry({ScopeLevel::venue, 3}, Mode::cancel, "drift"),
                           entry({ScopeLevel::instrument, 16383}, Mode::lock, "")}));
  const LatchState state = latch.load();
  ASSERT_TRUE(state.trusted);
  ASSERT_EQ(state.entries.size(), 2u);
  EXPECT_EQ(state.entries[0].scope, (Scope{ScopeLevel::venue, 3}));
  EXPECT_EQ(state.entries[0].mode, Mode::cancel);
  EXPECT_EQ(state.entries[0].reason, "drift");
  EXPECT_EQ(state.entries[0].uid, 1000u);
  EXPECT_EQ(state.entries[0].when.unix_ns, 123);
  EXPECT_EQ(state.entries[1].mode, Mode::lock);
}

TEST(LatchFile, KeepsTheNameOfAScope) {
  LatchEntry named = entry({ScopeLevel::instrument, 7}, Mode::cancel, "by hand");
  named.name = "BTC-PERPETUAL";
  LatchState state = parse_latch(encode_latch({named}));
  ASSERT_TRUE(state.trusted);
  EXPECT_EQ(state.entries[0].name, "BTC-PERPETUAL");
  // One scope by name, whatever its number is; a mode that is raised keeps the name.
  LatchEntry moved = entry({ScopeLevel::instrument, 8}, Mode::lock, "again");
  moved.name = named.name;
  EXPECT_TRUE(raise_entry(state.entries, moved));
  EXPECT_TRUE(raise_entry(state.entries, entry({ScopeLevel::instrument, 7}, Mode::halt, "")));
  ASSERT_EQ(state.entries.size(), 2u);
  EXPECT_EQ(state.entries[0].mode, Mode::lock);
  EXPECT_EQ(state.entries[0].name, "BTC-PERPETUAL");
  // Raised by its number alone, as the guardian does, which knows no names.
  LatchState other = parse_latch(encode_latch({named}));
  EXPECT_TRUE(raise_entry(other.entries, entry({ScopeLevel::instrument, 7}, Mode::lock, "")));
  EXPECT_EQ(other.entries[0].mode, Mode::lock);
  EXPECT_EQ(other.entries[0].name, "BTC-PERPETUAL");
}

// As a boot does with what an older version wrote: the file learns the name, so that the next boot
// finds the scope again.
TEST(LatchFile, AnEntryWithoutANameTakesTheOneItIsGiven) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  LatchEntry held = entry({ScopeLevel::instrument, 7}, Mode::cancel, "by hand");
  ASSERT_TRUE(latch.store({held}));
  held.name = "BTC-PERPETUAL";
  held.mode = Mode::halt;
  ASSERT_TRUE(latch.tighten(held));
  const LatchState state = latch.load();
  ASSERT_TRUE(state.trusted);
  ASSERT_EQ(state.entries.size(), 1u);
  EXPECT_EQ(state.entries[0].name, "BTC-PERPETUAL");
  EXPECT_EQ(state.entries[0].mode, Mode::cancel);
}

TEST(LatchFile, OnlyTheCommandThatWroteAnEntrySaysWhoAndWhy) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  const Scope seven{ScopeLevel::instrument, 7};
  ASSERT_TRUE(latch.store({entry(seven, Mode::cancel, "stop page")}));
  LatchEntry told = entry(seven, Mode::cancel, "by hand");
  told.uid = 1234;
  LatchEntry other_command = told;
  other_command.command_id += 1;
  LatchEntry other_mode = told;
  other_mode.mode = Mode::halt;
  LatchEntry other_scope = told;
  other_scope.scope.id = 8;
  for (const LatchEntry& e : {other_command, other_mode, other_scope}) {
    ASSERT_TRUE(latch.attribute(e));
    const LatchState same = latch.load();
    ASSERT_EQ(same.entries.size(), 1u);
    EXPECT_EQ(same.entries[0].reason, "stop page");
    EXPECT_EQ(same.entries[0].uid, 1000u);
  }
  ASSERT_TRUE(latch.attribute(told));
  const LatchState after = latch.load();
  ASSERT_EQ(after.entries.size(), 1u);
  EXPECT_EQ(after.entries[0].reason, "by hand");
  EXPECT_EQ(after.entries[0].uid, 1234u);
  EXPECT_EQ(after.entries[0].mode, Mode::cancel);
}

TEST(LatchFile, NobodyIsNamedWhileSomebodyElseWrites) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({entry(Scope{}, Mode::cancel, "stop page")}));
  const int fd = ::open((latch.path() + ".lock").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  EXPECT_FALSE(latch.attribute(entry(Scope{}, Mode::cancel, "by hand")));
  EXPECT_EQ(latch.load().entries[0].reason, "stop page");
  ::close(fd);
  EXPECT_TRUE(latch.attribute(entry(Scope{}, Mode::cancel, "by hand")));
  EXPECT_EQ(latch.load().entries[0].reason, "by hand");
}

TEST(LatchFile, NobodyIsNamedInAFileThatIsNotTrusted) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  EXPECT_TRUE(latch.attribute(entry(Scope{}, Mode::halt, "by hand")));
  EXPECT_TRUE(is_untrusted_halt(latch.load()));
}

// "GMBLTCH1": as now, without the names.
TEST(LatchFile, AFileOfTheVersionBeforeIsRead) {
  std::string bytes = encode_latch({entry({ScopeLevel::instrument, 7}, Mode::cancel, "drift")});
  bytes.resize(bytes.size() - 5);  // the length of the name, and the checksum
  bytes[7] = '1';
  const std::uint32_t crc = crc32c(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  const LatchState state = parse_latch(bytes);
  ASSERT_TRUE(state.trusted);
  ASSERT_EQ(state.entries.size(), 1u);
  EXPECT_EQ(state.entries[0].scope, (Scope{ScopeLevel::instrument, 7}));
  EXPECT_EQ(state.entries[0].reason, "drift");
  EXPECT_TRUE(state.entries[0].name.empty());
}

TEST(LatchFile, MissingMeansHalt) {
  const TempDir dir;
  EXPECT_TRUE(is_untrusted_halt(LatchFile{dir.file("none")}.load()));
}

TEST(LatchFile, CutAtEveryByteMeansHalt) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  const std::string whole =
      encode_latch({entry({ScopeLevel::venue, 1}, Mode::reduce, "loss limit"),
                    entry({ScopeLevel::global, 0}, Mode::cancel, "operator")});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    write(latch.path(), whole.substr(0, cut));
    ASSERT_TRUE(is_untrusted_halt(latch.load())) << "cut at byte " << cut;
  }
  write(latch.path(), whole);
  EXPECT_TRUE(latch.load().trusted);
}

TEST(LatchFile, EveryFlippedBitMeansHalt) {
  const std::string whole = encode_latch({entry({ScopeLevel::venue, 1}, Mode::reduce, "loss")});
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_TRUE(is_untrusted_halt(parse_latch(bytes))) << "bit " << bit;
  }
}

TEST(LatchFile, BytesAfterTheEndMeanHalt) {
  EXPECT_TRUE(is_untrusted_halt(parse_latch(encode_latch({}) + "x")));
}

// A crash while the replacement is written leaves a partial temporary file beside the old latch.
TEST(LatchFile, APartialReplacementLeavesTheOldLatchInForce) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({entry({}, Mode::cancel, "old")}));
  const std::string next = encode_latch({});
  for (std::size_t cut = 0; cut <= next.size(); ++cut) {
    write(latch.path() + ".new", next.substr(0, cut));
    const LatchState state = latch.load();
    ASSERT_TRUE(state.trusted);
    ASSERT_EQ(state.entries.size(), 1u);
    ASSERT_EQ(state.entries[0].reason, "old");
  }
  ASSERT_TRUE(latch.store({}));
  EXPECT_TRUE(latch.load().trusted);
  EXPECT_TRUE(latch.load().entries.empty());
}

// The disk is full after any number of bytes.
TEST(LatchFile, AWriteThatFailsAtAnyByteLeavesTheOldLatchInForce) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({entry({}, Mode::cancel, "old")}));
  const std::vector<LatchEntry> next{entry({ScopeLevel::venue, 0}, Mode::reduce, "new")};
  const std::size_t size = encode_latch(next).size();
  const auto before = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  std::size_t kept = 0;
  for (std::size_t room = 0; room < size; ++room) {
    const rlimit full{room, limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
    const bool stored = static_cast<bool>(latch.store(next));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    const LatchState state = latch.load();
    kept +=
        !stored && state.trusted && state.entries.size() == 1 && state.entries[0].reason == "old";
  }
  (void)std::signal(SIGXFSZ, before);
  EXPECT_EQ(kept, size);
  ASSERT_TRUE(latch.store(next));
  EXPECT_EQ(latch.load().entries[0].reason, "new");
}

TEST(LatchFile, TightenNeverLowersAMode) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({}));
  ASSERT_TRUE(latch.tighten(entry({}, Mode::cancel, "first")));
  ASSERT_TRUE(latch.tighten(entry({}, Mode::halt, "weaker")));
  ASSERT_EQ(latch.load().entries.size(), 1u);
  EXPECT_EQ(latch.load().entries[0].mode, Mode::cancel);
  EXPECT_EQ(latch.load().entries[0].reason, "first");
  ASSERT_TRUE(latch.tighten(entry({}, Mode::lock, "stronger")));
  EXPECT_EQ(latch.load().entries[0].mode, Mode::lock);
}

TEST(LatchFile, TighteningADamagedFileKeepsItsHalt) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  write(latch.path(), "garbage");
  ASSERT_TRUE(latch.tighten(entry({ScopeLevel::venue, 2}, Mode::reduce, "loss")));
  const LatchState state = latch.load();
  ASSERT_TRUE(state.trusted);
  ASSERT_EQ(state.entries.size(), 2u);
  EXPECT_EQ(state.entries[0].scope, Scope{});
  EXPECT_EQ(state.entries[0].mode, Mode::halt);
}

TEST(LatchFile, ReleaseRemovesExactlyItsScope) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store(
      {entry({}, Mode::cancel, "a"), entry({ScopeLevel::venue, 0}, Mode::cancel, "b")}));
  ASSERT_TRUE(latch.release({}));
  ASSERT_EQ(latch.load().entries.size(), 1u);
  EXPECT_EQ(latch.load().entries[0].reason, "b");
}

// Bot and guardian write the same file: neither loses what the other has added.
TEST(LatchFile, TwoWritersLoseNothing) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({}));
  constexpr std::uint16_t each = 60;
  const auto write_all = [&](ScopeLevel level) {
    for (std::uint16_t i = 0; i < each; ++i) {
      if (!latch.tighten(entry({level, static_cast<std::uint16_t>(i % 16)}, Mode::halt, "a")) ||
          !latch.tighten(entry({level, static_cast<std::uint16_t>(i % 16)}, Mode::cancel, "b"))) {
        return 1;
      }
    }
    return 0;
  };
  const pid_t other = ::fork();
  if (other == 0) ::_exit(write_all(ScopeLevel::venue));
  EXPECT_EQ(write_all(ScopeLevel::strategy), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0);
  const LatchState state = latch.load();
  EXPECT_TRUE(state.trusted);
  EXPECT_EQ(state.entries.size(), 32u);
}

// A writer that was stopped in the middle holds up nobody for long.
TEST(LatchFile, AWriterThatHangsDoesNotHoldTheNext) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  ASSERT_TRUE(latch.store({}));
  const int fd = ::open(dir.file("latch.lock").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(::flock(fd, LOCK_EX), 0);
  ASSERT_TRUE(latch.tighten(entry({}, Mode::cancel, "guardian")));
  EXPECT_EQ(latch.load().entries.size(), 1u);
  ::close(fd);
}

TEST(LatchFile, RefusesToWriteWhereItCannot) {
  const Outcome result = LatchFile{"/nonexistent-directory/latch"}.store({});
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().find("/nonexistent-directory/latch"), std::string::npos);
}

// A file that nobody can trust is HALT; once a stop was written into it, it says so by itself.
TEST(LatchFile, TighteningADamagedFileReplacesItEvenWhenNothingGetsStricter) {
  const TempDir dir;
  const LatchFile latch{dir.file("latch")};
  std::ofstream{latch.path(), std::ios::binary} << "garbage";
  ASSERT_FALSE(latch.load().trusted);
  LatchEntry halt;
  halt.mode = Mode::halt;
  ASSERT_TRUE(latch.tighten(halt));
  const LatchState state = latch.load();
  EXPECT_TRUE(state.trusted);
  ASSERT_EQ(state.entries.size(), 1u);
  EXPECT_EQ(state.entries[0].mode, Mode::halt);
}

}  // namespace
}  // namespace gimbal
