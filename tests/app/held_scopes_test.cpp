// What an arm command of one scope must leave latched, what a boot takes over from the pages, and
// the day's figures that it goes on from.
#include "ops/app/held_scopes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ops/app/day_keeper.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

const std::vector<Scope> one_of_each{{ScopeLevel::global, 0},      {ScopeLevel::venue, 0},
                                     {ScopeLevel::account, 15},    {ScopeLevel::strategy, 1},
                                     {ScopeLevel::underlying, 31}, {ScopeLevel::instrument, 16383}};

struct HeldScopes : testing::Test {
  TempDir dir;
  LatchFile latch{dir.file("latch")};
  GatePage gate;
  StopPage stop;

  void SetUp() override {
    ASSERT_TRUE(gate.create(dir.file("gate"), 1));
    ASSERT_TRUE(stop.create(dir.file("stop")));
  }
  void spoil(const std::string& how) {
    std::filesystem::remove(latch.path());
    if (how == "damaged") std::ofstream{latch.path(), std::ios::binary} << "garbage";
  }
  [[nodiscard]] Mode latched(Scope scope) const {
    const LatchState state = latch.load();
    EXPECT_TRUE(state.trusted);
    const auto at = std::find_if(state.entries.begin(), state.entries.end(),
                                 [&](const LatchEntry& e) { return e.scope == scope; });
    return at == state.entries.end() ? Mode::active : at->mode;
  }
};

TEST_F(HeldScopes, K03ArmingOneScopeWithALostLatchKeepsEveryOther) {
  for (const char* how : {"missing", "damaged"}) {
    for (const Scope armed : one_of_each) {
      for (const Scope s : one_of_each) gate.loosen(s, Mode::active);
      gate.tighten({}, Mode::halt);
      for (const Scope s : one_of_each) gate.tighten(s, Mode::cancel);
      spoil(how);
      ASSERT_TRUE(latch.release(armed, held_scopes(gate, armed)));
      for (const Scope s : one_of_each) {
        EXPECT_EQ(latched(s), s == armed ? Mode::active : Mode::cancel)
            << how << static_cast<int>(armed.level) << static_cast<int>(s.level);
      }
    }
  }
}

TEST_F(HeldScopes, K03ANarrowArmCannotGetAroundTheHaltOfALostLatch) {
  for (const char* how : {"missing", "damaged"}) {
    for (const Scope armed : one_of_each) {
      spoil(how);
      ASSERT_TRUE(latch.release(armed, {}));  // even with nothing known but the file
      EXPECT_EQ(latched(Scope{}), armed == Scope{} ? Mode::active : Mode::halt) << how;
    }
  }
}

TEST_F(HeldScopes, K03TheStricterOfFileAndPageStays) {
  const Scope venue{ScopeLevel::venue, 0};
  const Scope coin{ScopeLevel::underlying, 2};
  LatchEntry e;
  e.scope = venue;
  e.mode = Mode::lock;
  ASSERT_TRUE(latch.store({e}));
  gate.tighten(venue, Mode::reduce);
  gate.tighten(coin, Mode::reduce);
  ASSERT_TRUE(latch.release(Scope{}, held_scopes(gate, Scope{})));
  EXPECT_EQ(latched(venue), Mode::lock);
  EXPECT_EQ(latched(coin), Mode::reduce);
  EXPECT_EQ(latched(Scope{}), Mode::active);
}

TEST_F(HeldScopes, K03ABootTakesOverWhatThePagesHoldButNotTheHaltOfTheBootItself) {
  EXPECT_TRUE(left_in_pages(gate, stop).empty());
  gate.tighten({ScopeLevel::venue, 0}, Mode::reduce);
  gate.tighten({ScopeLevel::strategy, 3}, Mode::cancel);
  stop.request({ScopeLevel::strategy, 3}, Mode::halt, RecvTime{1}, 0, 0);
  stop.request({ScopeLevel::instrument, 9}, Mode::lock, RecvTime{1}, 0, 0);
  const std::vector<LatchEntry> left = left_in_pages(gate, stop);
  const auto mode = [&](Scope s) {
    const auto at =
        std::find_if(left.begin(), left.end(), [&](const LatchEntry& e) { return e.scope == s; });
    return at == left.end() ? Mode::active : at->mode;
  };
  EXPECT_EQ(left.size(), 3u);
  EXPECT_EQ(mode({ScopeLevel::venue, 0}), Mode::reduce);
  EXPECT_EQ(mode({ScopeLevel::strategy, 3}), Mode::cancel);
  EXPECT_EQ(mode({ScopeLevel::instrument, 9}), Mode::lock);
  gate.tighten({}, Mode::cancel);
  EXPECT_EQ(left_in_pages(gate, stop).front().mode, Mode::cancel);
  EXPECT_EQ(left_in_pages(gate, stop).front().scope, Scope{});
}

// Numbers are given out anew in each run; the second run lists one instrument more, one less, and
// others in between.
TEST_F(HeldScopes, K03AnInstrumentHeldByNameIsHeldUnderItsNumberOfTheNextRun) {
  const Scope perp{ScopeLevel::instrument, 3};
  const Scope option{ScopeLevel::instrument, 7};
  const std::vector<ScopeName> before{{perp, "BTC-PERPETUAL"}, {option, "BTC-1JAN27-50000-C"}};
  gate.tighten(perp, Mode::cancel);
  stop.request(option, Mode::halt, RecvTime{1}, 0, 0);
  std::vector<LatchEntry> held = left_in_pages(gate, stop, before);
  ASSERT_EQ(held.size(), 2u);
  for (const LatchEntry& e : held) ASSERT_TRUE(latch.tighten(e));

  const std::vector<ScopeName> now{{{ScopeLevel::instrument, 3}, "ETH-PERPETUAL"},
                                   {{ScopeLevel::instrument, 9}, "BTC-PERPETUAL"}};
  move_to_names(held, now, gate, stop);
  EXPECT_EQ(gate.at({ScopeLevel::instrument, 9}), Mode::cancel);
  EXPECT_EQ(gate.at(perp), Mode::active) << "a number of another instrument now";
  EXPECT_EQ(stop.at(option), Mode::active);
  const auto number = [&](ScopeLevel level, std::string_view name) {
    return number_in(now, level, name);
  };
  ASSERT_TRUE(latch.renumber(number));
  EXPECT_EQ(latched({ScopeLevel::instrument, 9}), Mode::cancel);
  EXPECT_EQ(latched(perp), Mode::active);
  // The option is not listed: it stays in the file and holds as soon as it has a number.
  EXPECT_EQ(latched({ScopeLevel::instrument, latch_id_unknown}), Mode::halt);
  ASSERT_TRUE(latch.renumber([&](ScopeLevel level, std::string_view name) {
    return name == "BTC-1JAN27-50000-C" ? std::uint16_t{4} : number(level, name);
  }));
  EXPECT_EQ(latched({ScopeLevel::instrument, 4}), Mode::halt);
}

TEST_F(HeldScopes, K03AnAccountThatIsRenamedGoesOnBeingHeld) {
  std::vector<LatchEntry> held(1);
  held[0] = {{ScopeLevel::account, 0}, Mode::cancel, 0, 1, {}, "by hand", "demo"};
  ASSERT_TRUE(latch.store(held));
  move_to_names(held, {{{ScopeLevel::account, 0}, "renamed"}}, gate, stop);
  EXPECT_EQ(gate.at({ScopeLevel::account, 0}), Mode::cancel);
}

// ETH was held as number 1 and is not configured now; SOL has its number.
TEST_F(HeldScopes, K03AnUnderlyingThatIsGoneHoldsNobodyElseAndHoldsAgainWhenItIsBack) {
  const Scope second{ScopeLevel::underlying, 1};
  std::vector<LatchEntry> held(1);
  held[0] = {second, Mode::reduce, 0, 1, {}, "loss", "ETH"};
  ASSERT_TRUE(latch.store(held));
  gate.tighten(second, Mode::reduce);
  const std::vector<ScopeName> without{{{ScopeLevel::underlying, 0}, "BTC"}, {second, "SOL"}};
  move_to_names(held, without, gate, stop);
  const auto in = [](const std::vector<ScopeName>& names) {
    return
        [&names](ScopeLevel level, std::string_view name) { return number_in(names, level, name); };
  };
  ASSERT_TRUE(latch.renumber(in(without)));
  EXPECT_EQ(gate.at(second), Mode::active);
  ASSERT_TRUE(latch.release(second, held_scopes(gate, second)));  // SOL is armed
  const std::vector<ScopeName> back{{{ScopeLevel::underlying, 0}, "BTC"},
                                    {{ScopeLevel::underlying, 2}, "ETH"}};
  ASSERT_TRUE(latch.renumber(in(back)));
  EXPECT_EQ(latched({ScopeLevel::underlying, 2}), Mode::reduce);
}

// A file of an earlier version has numbers only.
TEST_F(HeldScopes, K03AScopeWithoutANameIsNamedByTheRunBeforeOrHaltsEverything) {
  std::vector<LatchEntry> held(1);
  held[0].scope = {ScopeLevel::instrument, 5};
  held[0].mode = Mode::lock;
  std::vector<LatchEntry> unnamed = held;
  EXPECT_TRUE(name_entries(held, {{{ScopeLevel::instrument, 5}, "BTC-PERPETUAL"}}).empty());
  EXPECT_EQ(held.front().name, "BTC-PERPETUAL");
  ASSERT_EQ(name_entries(unnamed, {}).size(), 1u);
  ASSERT_EQ(unnamed.size(), 1u) << "its number may be another instrument's now";
  EXPECT_EQ(unnamed[0].scope, Scope{});
  EXPECT_EQ(unnamed[0].mode, Mode::lock) << "not weaker than it was";
  EXPECT_NE(unnamed[0].reason.find("instrument number 5"), std::string::npos) << unnamed[0].reason;
}

TEST(CarriedOn, IsTheKillOfTheEntryThatNoPersonGives) {
  LatchEntry e;
  e.scope = {ScopeLevel::instrument, 4};
  e.mode = Mode::cancel;
  e.command_id = 9;
  const OperatorCommand c = carried_on(e);
  EXPECT_EQ(c.action, OperatorAction::kill);
  EXPECT_EQ(c.source, OperatorSource::monitor);
  EXPECT_EQ(c.scope, e.scope);
  EXPECT_EQ(c.mode, Mode::cancel);
  EXPECT_EQ(c.command_id, 0u);
}

TEST_F(HeldScopes, NamesAreReadBackAsTheyWereWritten) {
  const std::vector<ScopeName> names{{{ScopeLevel::venue, 0}, "deribit"},
                                     {{ScopeLevel::instrument, 12}, "BTC-PERPETUAL"}};
  EXPECT_TRUE(read_scope_names(dir.file("nowhere")).empty());
  ASSERT_TRUE(write_scope_names(dir.path(), names));
  const std::vector<ScopeName> read = read_scope_names(dir.path());
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(name_in(read, {ScopeLevel::instrument, 12}), "BTC-PERPETUAL");
  EXPECT_EQ(number_in(read, ScopeLevel::venue, "deribit"), 0);
  EXPECT_EQ(number_in(read, ScopeLevel::instrument, "deribit"), latch_id_unknown);
}

// --- the day's figures

DayRecord day_of(std::int64_t loss) {
  DayRecord r;
  r.epoch = 3;
  r.began = ExchTime{1'800'000'000'000'000'000};
  r.owners = {{"account", Money{-loss}}};
  return r;
}

std::string bytes_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(DayKeeper, WritesWhatWasOfferedAndTheNextFindsIt) {
  TempDir dir;
  {
    DayKeeper keeper{dir.file("day"), "deribit/main/2"};
    EXPECT_EQ(keeper.found().kind, DayFileKind::missing);
    EXPECT_EQ(keeper.kept_at(), RecvTime{});
    std::atomic<bool> stop{false};
    std::thread thread{[&] { keeper.run(stop); }};
    keeper.offer(day_of(5), RecvTime{77});
    for (int n = 0; n < 1000 && keeper.kept_at() == RecvTime{}; ++n) {
      std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    stop = true;
    thread.join();
    EXPECT_EQ(keeper.kept_at(), RecvTime{77});
    keeper.offer(day_of(5), RecvTime{78});  // nothing new: still kept
    EXPECT_EQ(keeper.kept_at(), RecvTime{78});
    keeper.offer(day_of(6), RecvTime{79});
    EXPECT_EQ(keeper.kept_at(), RecvTime{78});
    EXPECT_TRUE(keeper.finish());
    EXPECT_TRUE(keeper.trouble().empty());
  }
  DayKeeper next{dir.file("day"), "deribit/main/2"};
  ASSERT_EQ(next.found().kind, DayFileKind::sound);
  EXPECT_EQ(next.found().record.profit(), Money{-6});
}

TEST(DayKeeper, AnUnusableFileHoldsEverythingUntilSomebodyRemovesIt) {
  for (const bool damaged : {true, false}) {
    TempDir dir;
    const std::string path = dir.file("day");
    {
      DayKeeper other{path, "deribit/other/2"};
      other.offer(day_of(5), RecvTime{1});
      ASSERT_TRUE(other.finish());
    }
    if (damaged) std::ofstream{path, std::ios::binary} << "not it";
    const std::string before = bytes_of(path);
    DayKeeper keeper{path, "deribit/main/2"};
    EXPECT_EQ(keeper.found().kind, DayFileKind::unusable);
    EXPECT_NE(keeper.trouble().find(path), std::string::npos) << keeper.trouble();
    keeper.offer(day_of(6), RecvTime{2});
    EXPECT_TRUE(keeper.finish());
    EXPECT_EQ(bytes_of(path), before) << "it was overwritten";
    std::filesystem::remove(path);
    EXPECT_TRUE(keeper.trouble().empty());
    keeper.offer(day_of(6), RecvTime{3});
    EXPECT_TRUE(keeper.finish());
    EXPECT_EQ(load_day(path).record.profit(), Money{-6});
    EXPECT_TRUE(keeper.trouble().empty());
  }
}

TEST(DayKeeper, SaysWhenTheFiguresCannotBeKept) {
  TempDir dir;
  DayKeeper keeper{dir.file("nowhere/day"), "deribit/main/2"};
  keeper.offer(day_of(5), RecvTime{1});
  EXPECT_FALSE(keeper.finish());
  EXPECT_NE(keeper.trouble().find("nowhere/day"), std::string::npos) << keeper.trouble();
  std::filesystem::create_directory(dir.file("nowhere"));
  keeper.offer(day_of(5), RecvTime{2});
  EXPECT_TRUE(keeper.finish());
  EXPECT_TRUE(keeper.trouble().empty());
}

}  // namespace
}  // namespace gimbal
