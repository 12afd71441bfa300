#include "engine/wire/reconnect.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace gimbal {
namespace {

TEST(ReconnectPolicy, KeepsEveryDelayInsideFloorTimesTwoToTheFailuresAndTheCeiling) {
  for (int failures = 0; failures < 40; ++failures) {
    const std::int64_t bound = std::min<std::int64_t>(
        seconds(4).count, failures < 7 ? milliseconds(50).count << failures : seconds(4).count);
    std::int64_t longest = 0;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      ReconnectPolicy policy{seed};
      for (int i = 0; i < failures; ++i) policy.failed();
      const Nanos delay = policy.next_attempt(RecvTime{1000}) - RecvTime{1000};
      EXPECT_GE(delay.count, 0);
      EXPECT_LE(delay.count, bound);
      longest = std::max(longest, delay.count);
    }
    EXPECT_GT(longest, bound / 2) << "the whole range must be in use";
  }
}

TEST(ReconnectPolicy, NeverTriesMoreThanTwentyTimesInAnyMinute) {
  ReconnectPolicy policy{7};
  std::vector<RecvTime> attempts;
  RecvTime now{0};
  for (int i = 0; i < 1000; ++i) {
    now = policy.next_attempt(now);
    attempts.push_back(now);
    policy.connected(now);  // a venue that takes us in and drops us at once
    policy.lost(now);
  }
  for (std::size_t i = reconnects_per_minute_max; i < attempts.size(); ++i) {
    EXPECT_GE(attempts[i] - attempts[i - reconnects_per_minute_max], seconds(60)) << i;
  }
}

TEST(ReconnectPolicy, CountsTheAttemptsThatWaitForTheCap) {
  ReconnectConfig config;
  config.per_minute = 3;
  ReconnectPolicy policy{1, config};
  const RecvTime now{seconds(100).count};
  for (int i = 0; i < 3; ++i) (void)policy.next_attempt(now);
  EXPECT_EQ(policy.held_back(), 0U);
  EXPECT_GE(policy.next_attempt(now), now + seconds(60));
  EXPECT_EQ(policy.held_back(), 1U);
}

TEST(ReconnectPolicy, ForgetsFailuresOnlyAfterAStableSession) {
  ReconnectPolicy policy{1};
  for (int i = 0; i < 6; ++i) policy.failed();
  policy.connected(RecvTime{0});
  policy.lost(RecvTime{} + seconds(9));
  EXPECT_EQ(policy.failures(), 7);
  policy.connected(RecvTime{} + seconds(20));
  policy.lost(RecvTime{} + seconds(31));
  EXPECT_EQ(policy.failures(), 0);
}

TEST(ReconnectPolicy, SameSeedGivesTheSameSchedule) {
  ReconnectPolicy a{99};
  ReconnectPolicy b{99};
  ReconnectPolicy c{100};
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    const RecvTime at = a.next_attempt(RecvTime{i});
    EXPECT_EQ(at, b.next_attempt(RecvTime{i}));
    differs = differs || at != c.next_attempt(RecvTime{i});
    a.failed(), b.failed(), c.failed();
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace gimbal
