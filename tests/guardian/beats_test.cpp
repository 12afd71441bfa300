// K-05: heartbeats to another host. What counts, what is refused, when silence fires.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "ops/app/off_host_sender.hpp"
#include "ops/guardian/beat_listener.hpp"

namespace gimbal::guardian {
namespace {

using Bytes = std::array<std::uint8_t, off_host_beat_bytes>;
constexpr std::string_view key_text = "0123456789abcdef0123456789abcdef";
constexpr std::uint64_t account = 77;

struct OffHostBeats : testing::Test {
  BeatListener listener{{"127.0.0.1:0", seconds(2), account}, Secret::copy_of(key_text)};
  RecvTime now{seconds(50).count};
  OffHostBeat beat;

  void SetUp() override {
    ASSERT_TRUE(listener.open());
    beat.state = static_cast<std::uint8_t>(BotState::running);
    beat.epoch = 5;
    beat.account = account;
    beat.nonce = listener.nonce();
  }
  Bytes signed_with(std::string_view key) const {
    Bytes out{};
    EXPECT_TRUE(encode_beat(beat, key, out));
    return out;
  }
  Bytes next() {
    ++beat.sequence;
    return signed_with(key_text);
  }
  bool silent_within(Nanos d) {
    const RecvTime end = now + d;
    while (now < end) {
      now = now + milliseconds(1);
      if (listener.take_silence(now)) return true;
    }
    return false;
  }
};

TEST_F(OffHostBeats, K05AnyChangedBitIsRefused) {
  const Bytes good = next();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << (bit % 8)));
    ASSERT_FALSE(listener.take(bad, now)) << "bit " << bit;
  }
  EXPECT_EQ(listener.counters().forged, good.size() * 8);
  EXPECT_TRUE(listener.take(good, now));
}

TEST_F(OffHostBeats, K05AnotherKeyAnotherSizeAndAnotherAccountAreRefused) {
  ++beat.sequence;
  EXPECT_FALSE(listener.take(signed_with("another key of thirty-two bytes."), now));
  const Bytes good = signed_with(key_text);
  EXPECT_FALSE(listener.take(std::span{good}.first(good.size() - 1), now));
  beat.account = account + 1;
  EXPECT_FALSE(listener.take(next(), now));
  EXPECT_FALSE(listener.watching());
}

TEST_F(OffHostBeats, K05AReplayIsRefused) {
  const Bytes first = next();
  const Bytes second = next();
  EXPECT_TRUE(listener.take(first, now));
  EXPECT_FALSE(listener.take(first, now));
  EXPECT_TRUE(listener.take(second, now));
  EXPECT_FALSE(listener.take(first, now));
  EXPECT_EQ(listener.counters().replayed, 2u);
  // The next boot begins to count anew; what the last one sent is old.
  const Bytes late = next();
  beat.epoch = 6;
  beat.sequence = 0;
  EXPECT_TRUE(listener.take(next(), now));
  EXPECT_FALSE(listener.take(late, now));
}

TEST_F(OffHostBeats, K05ARecordingOfAnotherRunOfTheWatcherDoesNotCount) {
  const Bytes recorded = next();
  EXPECT_TRUE(listener.take(recorded, now));
  BeatListener again{{"127.0.0.1:0", seconds(2), account}, Secret::copy_of(key_text)};
  ASSERT_TRUE(again.open());
  EXPECT_FALSE(again.take(recorded, now));
  EXPECT_EQ(again.counters().replayed, 1u);
  EXPECT_FALSE(again.watching());
}

TEST_F(OffHostBeats, K05SilenceFiresAfterTheMissAndOnce) {
  EXPECT_FALSE(silent_within(seconds(10))) << "nothing was ever heard: there is no bot to miss";
  ASSERT_TRUE(listener.take(next(), now));
  EXPECT_FALSE(silent_within(seconds(2)));
  EXPECT_TRUE(silent_within(milliseconds(2)));
  EXPECT_FALSE(silent_within(seconds(10)));
  ASSERT_TRUE(listener.take(next(), now));
  EXPECT_TRUE(silent_within(milliseconds(2002))) << "it came back and fell silent again";
}

TEST_F(OffHostBeats, K05ReplaysDoNotHoldOffTheFire) {
  const Bytes old = next();
  ASSERT_TRUE(listener.take(old, now));
  bool fired = false;
  for (int i = 0; i < 2100 && !fired; ++i) {
    now = now + milliseconds(1);
    (void)listener.take(old, now);
    fired = listener.take_silence(now);
  }
  EXPECT_TRUE(fired);
}

TEST_F(OffHostBeats, K05ABotThatLeavesInOrderIsNotMissed) {
  ASSERT_TRUE(listener.take(next(), now));
  beat.state = static_cast<std::uint8_t>(BotState::stopped);
  ASSERT_TRUE(listener.take(next(), now));
  EXPECT_FALSE(silent_within(seconds(10)));
}

TEST_F(OffHostBeats, K05TheWatchersOwnPauseIsNoSilence) {
  ASSERT_TRUE(listener.take(next(), now));
  now = now + seconds(60);
  EXPECT_FALSE(listener.take_silence(now));
  EXPECT_FALSE(silent_within(seconds(1)));
}

// The two real ends over loopback.
struct OffHostPair : OffHostBeats {
  std::unique_ptr<OffHostSender> bot;
  void SetUp() override {
    OffHostBeats::SetUp();
    bot = std::make_unique<OffHostSender>(
        OffHostSender::Setup{"127.0.0.1:" + std::to_string(listener.port()), milliseconds(250),
                             seconds(2), 5, account},
        Secret::copy_of(key_text));
    ASSERT_TRUE(bot->open());
  }
  void pass(Nanos d, bool ready = true, std::uint64_t fires = 0) {
    const RecvTime end = now + d;
    while (now < end) {
      now = now + milliseconds(50);
      bot->beat(now, BotState::running);
      listener.poll(now, ready, fires);
      (void)listener.take_silence(now);
    }
  }
};

TEST_F(OffHostPair, K05TheBotLearnsTheNonceAndWhetherItIsWatched) {
  EXPECT_FALSE(bot->watched(now));
  pass(seconds(1));
  EXPECT_TRUE(listener.watching());
  EXPECT_EQ(listener.epoch(), 5u);
  EXPECT_TRUE(bot->watched(now));
  EXPECT_EQ(listener.counters().forged, 0u);
  pass(seconds(1), false);
  EXPECT_FALSE(bot->watched(now)) << "a watcher that could not cancel is none";
  pass(seconds(1));
  now = now + seconds(3);
  EXPECT_FALSE(bot->watched(now));
}

// The watcher compares it with what its own key belongs to.
TEST_F(OffHostPair, K05TheWatcherHearsTheVenuesNumberOfTheBotsAccount) {
  pass(seconds(1));
  EXPECT_EQ(listener.venue_account(), 0u) << "not known yet";
  bot->show_account(0x1'0000'0007ULL);
  pass(seconds(1));
  EXPECT_EQ(listener.venue_account(), 7u) << "the low half";
  EXPECT_EQ(listener.counters().forged, 0u);
}

TEST_F(OffHostPair, K05ABotThatLivesHearsOfAFireOnce) {
  pass(seconds(1));
  EXPECT_FALSE(bot->take_fire());
  pass(seconds(1), true, 1);
  EXPECT_TRUE(bot->take_fire());
  pass(seconds(1), true, 1);
  EXPECT_FALSE(bot->take_fire());
}

// Somebody replays what an earlier watcher said: the bot keeps to the one that answers.
TEST_F(OffHostPair, K05AnOldAnswerDoesNotLeadTheBotAwayFromItsWatcher) {
  pass(seconds(1));
  OffHostBeat old;
  old.kind = BeatKind::challenge;
  old.state = static_cast<std::uint8_t>(GuardianState::ready);
  old.sequence = 1'000'000;
  old.account = account;
  old.nonce.fill(9);
  Bytes bytes{};
  ASSERT_TRUE(encode_beat(old, key_text, bytes));
  const std::uint64_t valid = listener.counters().valid;
  sockaddr_storage from{};
  socklen_t size = 0;
  for (int i = 0; i < 100; ++i) {
    now = now + milliseconds(50);
    bot->beat(now, BotState::running);
    sockaddr_storage sender{};
    socklen_t length = sizeof sender;
    std::uint8_t byte = 0;
    if (::recvfrom(listener.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT,
                   reinterpret_cast<sockaddr*>(&sender), &length) > 0) {
      from = sender;
      size = length;
    }
    if (size > 0) {
      ASSERT_GT(::sendto(listener.fd(), bytes.data(), bytes.size(), 0,
                         reinterpret_cast<const sockaddr*>(&from), size),
                0);
    }
    listener.poll(now, true, 0);
  }
  EXPECT_EQ(listener.counters().valid, valid + 20);
  EXPECT_EQ(listener.counters().replayed, 0u);
}

}  // namespace
}  // namespace gimbal::guardian
