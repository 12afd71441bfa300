#include "engine/runtime/gate_page.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

const std::vector<Scope> sample_scopes{{ScopeLevel::global, 0},        {ScopeLevel::venue, 15},
                                       {ScopeLevel::account, 2},       {ScopeLevel::strategy, 15},
                                       {ScopeLevel::underlying, 31},   {ScopeLevel::instrument, 0},
                                       {ScopeLevel::instrument, 16383}};

TEST(GatePage, StartsInGlobalHalt) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 5));
  EXPECT_EQ(page.at({}), Mode::halt);
  EXPECT_EQ(page.at({ScopeLevel::instrument, 77}), Mode::active);
  EXPECT_EQ(page.layout().header.epoch.load(), 5u);
}

TEST(GatePage, TightensButNeverLoosensThroughTighten) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  for (const Scope s : sample_scopes) {
    page.loosen(s, Mode::active);
    EXPECT_TRUE(page.tighten(s, Mode::cancel));
    EXPECT_FALSE(page.tighten(s, Mode::cancel));
    EXPECT_FALSE(page.tighten(s, Mode::reduce));
    EXPECT_EQ(page.at(s), Mode::cancel);
  }
}

// A child holds the line of the page as the bot does; returns how its end looks from outside.
bool shows_death(GatePage& page, int signal) {
  std::array<int, 2> told{};
  EXPECT_EQ(::pipe(told.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    {
      const LifeHold hold{page.layout().life};
      if (::write(told[1], hold.held() ? "y" : "n", 1) == 1 && signal == SIGKILL) ::pause();
    }
    ::_exit(0);
  }
  char answer = 'n';
  EXPECT_EQ(::read(told[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  ::close(told[0]);
  ::close(told[1]);
  if (signal == SIGKILL) {
    EXPECT_FALSE(owner_died(page.layout().life));
    ::kill(child, SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  return owner_died(page.layout().life);
}

TEST(GatePage, ShowsThatTheBotWasKilledAndForgetsItAtTheNextBoot) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  EXPECT_FALSE(owner_died(page.layout().life)) << "nobody has lived";
  EXPECT_TRUE(shows_death(page, SIGKILL));
  GatePage next;
  ASSERT_TRUE(next.create(dir.file("gate"), 2));
  EXPECT_FALSE(owner_died(page.layout().life));
  EXPECT_TRUE(shows_death(page, SIGKILL)) << "the second death as well";
}

TEST(GatePage, ABotThatLeavesInOrderShowsNoDeath) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  EXPECT_FALSE(shows_death(page, 0));
}

TEST(GatePage, AnUnknownScopeIsNeverPermission) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  EXPECT_EQ(page.at({ScopeLevel::venue, 16}), Mode::lock);
  EXPECT_FALSE(page.tighten({ScopeLevel::strategy, 16}, Mode::halt));
  EXPECT_FALSE(page.loosen({ScopeLevel::underlying, 32}, Mode::active));
}

TEST(GatePage, ARestartKeepsTheStricterWordsAndForgetsTheSenders) {
  const TempDir dir;
  {
    GatePage page;
    ASSERT_TRUE(page.create(dir.file("gate"), 1));
    page.loosen({}, Mode::active);
    page.tighten({ScopeLevel::venue, 3}, Mode::cancel);
    ASSERT_EQ(page.register_sender(), 0);
    page.layout().senders[0].in_send.store(1);
    ASSERT_TRUE(page.list_order(OrderId{9}, VenueId{1}, InstrumentId{2}));
  }
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 2));
  EXPECT_EQ(page.at({}), Mode::halt);
  EXPECT_EQ(page.at({ScopeLevel::venue, 3}), Mode::cancel);
  EXPECT_EQ(page.layout().senders[0].in_send.load(), 0u);
  EXPECT_EQ(page.register_sender(), 0);
  EXPECT_FALSE(page.unlist_order(OrderId{9}));
}

TEST(GatePage, TwoProcessesViewsShareOneSetOfWords) {
  const TempDir dir;
  GatePage bot, guardian, reader;
  ASSERT_TRUE(bot.create(dir.file("gate"), 1));
  ASSERT_TRUE(guardian.open(dir.file("gate"), true));
  ASSERT_TRUE(reader.open(dir.file("gate"), false));
  bot.loosen({}, Mode::active);
  EXPECT_TRUE(guardian.tighten({}, Mode::cancel));
  EXPECT_EQ(bot.at({}), Mode::cancel);
  EXPECT_EQ(reader.at({}), Mode::cancel);
  bot.beat(bot.layout().bot, RecvTime{55}, 2);
  EXPECT_EQ(guardian.layout().bot.beats.load(), 1u);
  EXPECT_EQ(guardian.layout().bot.mono_ns.load(), 55);
}

TEST(GatePage, IsReadableAndWritableByItsOwnerOnly) {
  const TempDir dir;
  GatePage gate;
  StopPage stop;
  ASSERT_TRUE(gate.create(dir.file("gate"), 1));
  ASSERT_TRUE(stop.create(dir.file("stop")));
  struct stat info {};
  ASSERT_EQ(::stat(dir.file("gate").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
  ASSERT_EQ(::stat(dir.file("stop").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0660u);
}

TEST(GatePage, RefusesAFileOfAnotherLayoutSizeOrKind) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  page.layout().header.layout_hash ^= 1;
  EXPECT_NE(GatePage{}.open(dir.file("gate"), true).error().find("another build"),
            std::string::npos);
  EXPECT_FALSE(GatePage{}.create(dir.file("gate"), 2));
  std::ofstream{dir.file("short")} << "hello";
  EXPECT_NE(GatePage{}.open(dir.file("short"), true).error().find("size"), std::string::npos);
  EXPECT_FALSE(GatePage{}.open(dir.file("missing"), true));
  std::filesystem::create_symlink(dir.file("gate"), dir.file("link"));
  EXPECT_FALSE(GatePage{}.create(dir.file("link"), 1));
  StopPage stop;
  EXPECT_FALSE(stop.create(dir.file("gate"))) << "a gate page is no stop page";
}

TEST(GatePage, HandsOutEachSenderLineOnce) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  for (int i = 0; i < static_cast<int>(senders_max); ++i) EXPECT_EQ(page.register_sender(), i);
  EXPECT_EQ(page.register_sender(), -1);
}

TEST(GatePage, ListsOrdersUntilFullAndFindsThemAgain) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  for (std::uint64_t i = 2; i <= listed_orders_max + 1; ++i) {
    ASSERT_TRUE(page.list_order(OrderId{i}, VenueId{1}, InstrumentId{7}));
  }
  EXPECT_FALSE(page.list_order(OrderId{5000}, VenueId{1}, InstrumentId{7}));
  EXPECT_TRUE(page.unlist_order(OrderId{100}));
  EXPECT_FALSE(page.unlist_order(OrderId{100}));
  EXPECT_TRUE(page.list_order(OrderId{100 + listed_orders_max}, VenueId{1}, InstrumentId{7}));
}

TEST(GatePage, AnOrderIsListedOnceAndOnlyNearItsOwnSlot) {
  const TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  for (std::uint64_t i = 1; i <= list_probe_max; ++i) {
    ASSERT_TRUE(page.list_order(OrderId{i * listed_orders_max}, VenueId{1}, InstrumentId{7}));
    ASSERT_TRUE(page.list_order(OrderId{i * listed_orders_max}, VenueId{1}, InstrumentId{7}));
  }
  // The search is bounded, so that listing costs the same on every order.
  EXPECT_FALSE(page.list_order(OrderId{200 * listed_orders_max}, VenueId{1}, InstrumentId{7}));
  std::size_t listed = 0;
  for (const ListedOrder& slot : page.layout().orders) listed += slot.order.load() != 0 ? 1 : 0;
  EXPECT_EQ(listed, list_probe_max);
}

TEST(StopPage, SurvivesARestartAndTellsEveryStop) {
  const TempDir dir;
  {
    StopPage page;
    ASSERT_TRUE(page.create(dir.file("stop")));
    for (const Scope s : sample_scopes) {
      EXPECT_TRUE(page.request(s, Mode::cancel, RecvTime{1}, 1000, 42));
    }
  }
  StopPage page;
  ASSERT_TRUE(page.create(dir.file("stop")));
  std::vector<Scope> seen;
  page.each_stop([&](Scope s, Mode m) {
    EXPECT_EQ(m, Mode::cancel);
    seen.push_back(s);
  });
  EXPECT_EQ(seen, sample_scopes);
}

TEST(StopPage, NeverLowersAndRefusesNonsense) {
  const TempDir dir;
  StopPage page;
  ASSERT_TRUE(page.create(dir.file("stop")));
  EXPECT_TRUE(page.request({}, Mode::lock, RecvTime{1}, 0, 0));
  EXPECT_TRUE(page.request({}, Mode::halt, RecvTime{1}, 0, 0));
  EXPECT_EQ(page.at({}), Mode::lock);
  EXPECT_FALSE(page.request({ScopeLevel::venue, 99}, Mode::cancel, RecvTime{1}, 0, 0));
  EXPECT_FALSE(page.request({}, Mode::active, RecvTime{1}, 0, 0));
  page.clear({});
  EXPECT_EQ(page.at({}), Mode::active);
}

// A clearing between the writer's two steps, the byte and the count: whoever cleared it sees the
// count move, or the byte comes back.
TEST(StopPage, AStopThatIsClearedAsItIsWrittenIsSeenOrWrittenAgain) {
  const TempDir dir;
  StopPage page;
  ASSERT_TRUE(page.create(dir.file("stop")));
  constexpr int rounds = 3000;
  std::atomic<int> round{0};
  std::atomic<int> written{0};
  std::thread writer{[&] {
    for (int r = 1; r <= rounds; ++r) {
      while (round.load() < r) {}
      (void)page.request({}, Mode::halt, RecvTime{1}, 0, 0);
      written = r;
    }
  }};
  int lost = 0;
  for (int r = 1; r <= rounds; ++r) {
    const std::uint64_t before = page.requests();
    round = r;
    for (int n = r % 256; n > 0; --n) std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool wiped = page.clear({}) != Mode::active;
    const bool seen = page.requests() != before;
    while (written.load() < r) {}
    lost += wiped && !seen && page.at({}) == Mode::active ? 1 : 0;
    (void)page.clear({});
  }
  writer.join();
  EXPECT_EQ(lost, 0);
}

TEST(GatePage, AnArmDoesNotReopenAWordThatSomebodyClosedMeanwhile) {
  const TempDir dir;
  GatePage gate;
  ASSERT_TRUE(gate.create(dir.file("gate"), 1));
  const Mode judged = gate.at({});
  ASSERT_EQ(judged, Mode::halt);
  ASSERT_TRUE(gate.tighten({}, Mode::cancel));
  EXPECT_FALSE(gate.reopen({}, judged, Mode::active, 5));
  EXPECT_EQ(gate.at({}), Mode::cancel);
  EXPECT_TRUE(gate.reopen({}, Mode::cancel, Mode::active, 5));
  EXPECT_EQ(gate.at({}), Mode::active);
  EXPECT_FALSE(gate.reopen({ScopeLevel::venue, 99}, Mode::lock, Mode::active, 5));
  // A byte outside Mode is LOCK to everybody, and an arm that judged it so opens it.
  gate.layout().modes.word({})->store(200);
  EXPECT_TRUE(gate.reopen({}, Mode::lock, Mode::active, 5));
}

TEST(StopPage, AnyNonZeroByteStops) {
  EXPECT_EQ(stop_mode(0), Mode::active);
  for (int byte = 1; byte < 256; ++byte) {
    EXPECT_GE(stop_mode(static_cast<std::uint8_t>(byte)), Mode::halt) << byte;
  }
  for (int byte = 5; byte < 256; ++byte) {
    EXPECT_EQ(gate_mode(static_cast<std::uint8_t>(byte)), Mode::lock) << byte;
  }
}

}  // namespace
}  // namespace gimbal
