// A false "ok" is a failure: each part is wedged in turn and must be told, alone, within its bound.
#include "ops/app/health.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gimbal {
namespace {

constexpr Nanos look = milliseconds(100);

// A bot that is well, as facts; `step` is a tenth of a second of its life.
struct Patient {
  HealthFacts facts;
  std::vector<bool> moving{true, true, true};
  bool pictures{true}, data{true}, writes{true}, syncs{true}, stepping{true};

  Patient() {
    facts.now = RecvTime{1'000'000'000};
    facts.threads = {
        {"gimbal-hot", 1, true}, {"gimbal-connect", 1, false}, {"gimbal-query", 1, false}};
    facts.pictures = 1;
    facts.data = {{"BTC-PERPETUAL", true, milliseconds(10)},
                  {"ETH-PERPETUAL", true, milliseconds(10)}};
    facts.sessions = {{"main", true, true, true, true}};
    facts.guardian_live = true;
    facts.guardian = "live";
    facts.journal_given = 10;
    facts.journal.written = 10;
    facts.journal.durable = 10;
  }
  void step() {
    facts.now = facts.now + look;
    for (std::size_t i = 0; i < facts.threads.size(); ++i)
      facts.threads[i].beats += moving[i] ? 1000 : 0;
    facts.pictures += pictures ? 1 : 0;
    if (!data) facts.data[0].age = facts.data[0].age + look;
    facts.journal_given += stepping ? 50 : 0;
    if (writes) facts.journal.written = facts.journal_given;
    if (syncs) facts.journal.durable = facts.journal.written;
  }
};

std::vector<std::string> failing(const HealthStatus& s) {
  std::vector<std::string> out;
  for (const HealthLine& line : s.checks) {
    if (!line.ok) out.push_back(line.check);
  }
  EXPECT_EQ(s.ok, out.empty());
  return out;
}

struct Wedge {
  const char* name;
  const char* check;  // the only one that may fail
  Nanos bound;
  std::function<void(Patient&)> cause;
};
class Wedged : public ::testing::TestWithParam<Wedge> {};

TEST_P(Wedged, IsToldAloneAndWithinItsBound) {
  const Wedge& w = GetParam();
  Patient p;
  HealthWatch watch;
  for (int i = 0; i < 50; ++i) {
    p.step();
    ASSERT_TRUE(watch.judge(p.facts).ok) << "well before";
  }
  w.cause(p);
  const RecvTime began = p.facts.now;
  Nanos told{-1};
  for (int i = 0; i < 1500 && told.count < 0; ++i) {
    p.step();
    const HealthStatus s = watch.judge(p.facts);
    if (s.ok) continue;
    told = p.facts.now - began;
    EXPECT_EQ(failing(s), std::vector<std::string>{w.check});
    for (const HealthLine& line : s.checks) { EXPECT_FALSE(line.cause.empty()) << line.check; }
  }
  ASSERT_GE(told.count, 0) << "still ok after 150 s: " << w.name;
  EXPECT_LE(told, w.bound + look * 2);
}

const HealthConfig limits{};
INSTANTIATE_TEST_SUITE_P(
    Parts, Wedged,
    ::testing::Values(
        Wedge{"hot_thread", "thread gimbal-hot", limits.hot_stall_max,
              [](Patient& p) { p.moving[0] = false; }},
        Wedge{"connect_thread", "thread gimbal-connect", limits.cold_stall_max,
              [](Patient& p) { p.moving[1] = false; }},
        Wedge{"query_thread", "thread gimbal-query", limits.cold_stall_max,
              [](Patient& p) { p.moving[2] = false; }},
        Wedge{"core_without_a_picture", "core", limits.hot_stall_max,
              [](Patient& p) { p.pictures = false; }},
        Wedge{"data_of_one_hedge", "data BTC-PERPETUAL", limits.data_age_max,
              [](Patient& p) { p.data = false; }},
        Wedge{"book_of_one_hedge",
              "data ETH-PERPETUAL",
              {},
              [](Patient& p) { p.facts.data[1].valid = false; }},
        Wedge{"no_data_ever",
              "data ETH-PERPETUAL",
              {},
              [](Patient& p) { p.facts.data[1].age = Nanos{-1}; }},
        Wedge{"session_down",
              "session main",
              {},
              [](Patient& p) { p.facts.sessions[0].ready = false; }},
        Wedge{"not_reconciled",
              "session main",
              {},
              [](Patient& p) { p.facts.sessions[0].reconciled = false; }},
        Wedge{"dead_man_off",
              "dead man main",
              {},
              [](Patient& p) { p.facts.sessions[0].dead_man = false; }},
        Wedge{"guardian_silent",
              "guardian",
              {},
              [](Patient& p) {
                p.facts.guardian_live = false;
                p.facts.guardian = "silent for 0.7 s";
              }},
        Wedge{"journal_not_written", "journal", limits.journal_lag_max,
              [](Patient& p) { p.writes = false; }},
        Wedge{"journal_not_synced", "journal", limits.journal_lag_max,
              [](Patient& p) { p.syncs = false; }},
        Wedge{"journal_failed", "journal", {}, [](Patient& p) { p.facts.journal.failed = true; }},
        Wedge{"journal_lost_a_record", "journal", {}, [](Patient& p) { p.facts.journal.lost = 1; }},
        Wedge{"alert_record_full",
              "alert record",
              {},
              [](Patient& p) { p.facts.alert_record_error = "cannot write: No space left"; }}),
    [](const auto& p) { return std::string{p.param.name}; });

TEST(Health, NothingSeenYetIsNotOk) {
  HealthWatch watch;
  EXPECT_FALSE(watch.judge(HealthFacts{}).ok);
  Patient p;
  p.facts.threads[0].beats = 0;
  EXPECT_EQ(failing(watch.judge(p.facts)), std::vector<std::string>{"thread gimbal-hot"});
  p.facts.pictures = 0;
  EXPECT_EQ(failing(watch.judge(p.facts)), (std::vector<std::string>{"thread gimbal-hot", "core"}));
}

TEST(Health, AQuietJournalIsNotBehind) {
  HealthWatch watch;
  Patient p;
  p.stepping = false;
  for (int i = 0; i < 100; ++i) {
    p.step();
    EXPECT_TRUE(watch.judge(p.facts).ok);
  }
}

TEST(Health, AWaivedGuardianIsSaidSo) {
  HealthWatch watch;
  Patient p;
  p.facts.guardian_live = false;
  p.facts.guardian_waived = true;
  const HealthStatus s = watch.judge(p.facts);
  EXPECT_TRUE(s.ok);
  EXPECT_NE(health_json(s).find("waived"), std::string::npos);
}

TEST(Health, WhatRecoversIsOkAgain) {
  HealthWatch watch;
  Patient p;
  p.moving[0] = false;
  for (int i = 0; i < 30; ++i) {
    p.step();
    (void)watch.judge(p.facts);
  }
  EXPECT_FALSE(watch.judge(p.facts).ok);
  p.moving[0] = true;
  p.step();
  EXPECT_TRUE(watch.judge(p.facts).ok);
}

}  // namespace
}  // namespace gimbal
