#include "engine/runtime/frame_tape.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string>
#include <thread>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "tests/runtime/failing_calls.hpp"
#include "tests/runtime/journal_builder.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal {
namespace {

using namespace gimbal::test;

FrameRecord incoming(std::int64_t at, std::uint16_t slot = 1) {
  return FrameRecord{at, 0, slot, FrameKind::text_in, 0, 0};
}

std::string text_of(std::span<char> text) { return {text.data(), text.size()}; }

TEST(FrameTape, GivesBackFramesInOrderAcrossTheEndOfTheRing) {
  FrameTape tape{4096};
  FrameRecord record;
  std::span<char> text;
  for (int round = 0; round < 500; ++round) {
    const std::string sent(static_cast<std::size_t>(round % 300),
                           static_cast<char>('a' + round % 26));
    ASSERT_TRUE(tape.put(incoming(round), sent));
    ASSERT_TRUE(tape.put(incoming(round + 1000), "x"));
    ASSERT_TRUE(tape.peek(record, text));
    EXPECT_EQ(record.recv_mono_ns, round);
    EXPECT_EQ(text_of(text), sent);
    tape.pop();
    ASSERT_TRUE(tape.peek(record, text));
    EXPECT_EQ(record.recv_mono_ns, round + 1000);
    tape.pop();
    ASSERT_FALSE(tape.peek(record, text));
  }
  EXPECT_EQ(tape.lost(), 0u);
}

TEST(FrameTape, AFullTapeRefusesAndCountsAndKeepsWhatItHas) {
  FrameTape tape{4096};
  int taken = 0;
  while (tape.put(incoming(taken), std::string(100, 'q'))) ++taken;
  EXPECT_GT(taken, 20);
  EXPECT_EQ(tape.lost(), 1u);
  FrameRecord record;
  std::span<char> text;
  for (int i = 0; i < taken; ++i) {
    ASSERT_TRUE(tape.peek(record, text));
    EXPECT_EQ(record.recv_mono_ns, i);
    tape.pop();
  }
  EXPECT_TRUE(tape.put(incoming(1), "again"));
  EXPECT_FALSE(tape.put(incoming(1), std::string(3000, 'x'))) << "more than half of the tape";
}

TEST(FrameTape, TwoThreadsLoseAndInventNothing) {
  FrameTape tape{1u << 16};
  constexpr int frames = 200'000;
  std::thread cold{[&] {
    FrameRecord record;
    std::span<char> text;
    for (int next = 0; next < frames;) {
      if (!tape.peek(record, text)) {
        std::this_thread::yield();
        continue;
      }
      ASSERT_EQ(record.recv_mono_ns, next);
      ASSERT_EQ(text.size(), static_cast<std::size_t>(next % 97));
      for (const char c : text) ASSERT_EQ(c, static_cast<char>('a' + next % 26));
      tape.pop();
      ++next;
    }
  }};
  std::array<char, 100> text{};
  for (int i = 0; i < frames;) {
    text.fill(static_cast<char>('a' + i % 26));
    if (tape.put(incoming(i), {text.data(), static_cast<std::size_t>(i % 97)})) {
      ++i;
    } else {
      std::this_thread::yield();
    }
  }
  cold.join();
}

TEST(FrameTape, TokensAndLoginSecretsAreOverwritten) {
  std::string text =
      R"({"result":{"access_token":"15826.1MbQ","expires_in":900,"refresh_token" : "a\"b"}})";
  EXPECT_TRUE(redact_tokens(text));
  EXPECT_EQ(text.find("1MbQ"), std::string::npos);
  EXPECT_EQ(text.find("a\\\"b"), std::string::npos);
  EXPECT_NE(text.find("\"expires_in\":900"), std::string::npos);
  std::string login =
      R"({"params":{"client_id":"CANARY-ID","client_secret":"CANARY-KEY","nonce":"n"}})";
  EXPECT_TRUE(redact_tokens(login));
  EXPECT_EQ(login.find("CANARY"), std::string::npos);
  std::string plain = R"({"params":{"channel":"book.BTC-PERPETUAL.raw"}})";
  const std::string before = plain;
  EXPECT_FALSE(redact_tokens(plain));
  EXPECT_EQ(plain, before);
  std::string cut = R"({"access_token":"unfinished)";
  EXPECT_TRUE(redact_tokens(cut));
  EXPECT_EQ(cut.find("unfinished"), std::string::npos);
}

TEST(FrameRecorder, WritesEveryFrameWithItsTimeAndSealsTheStream) {
  const TempDir dir;
  FrameTape tape{1u << 20};
  SegmentConfig config;
  config.directory = dir.path();
  config.segment_bytes = 256 * 1024;
  config.reserve_bytes = 64 * 1024;
  FrameRecorder recorder{config, {3, 0, 0}, milliseconds(5)};
  recorder.add(tape);
  ASSERT_TRUE(recorder.open());
  for (int i = 0; i < 4000; ++i) {
    ASSERT_TRUE(tape.put(incoming(i), "{\"n\":" + std::to_string(i) + "}" + std::string(200, ' ')));
    if (i % 100 == 0) recorder.drain();
  }
  ASSERT_TRUE(tape.put(incoming(4000), R"({"access_token":"CANARY"})"));
  ASSERT_TRUE(recorder.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_segments(dir.path(), frame_stream, 0, segments));
  ASSERT_GE(segments.size(), 3u);
  JournalReader reader{views(segments), frame_stream};
  JournalRecord record;
  JournalStatus status;
  std::int64_t next = 0;
  while ((status = reader.next(record)) == JournalStatus::record) {
    ASSERT_EQ(record.type, RecordType::frame);
    ASSERT_EQ(record.frame.recv_mono_ns, next++);
    ASSERT_EQ(record.frame.slot, 1);
    const std::string text{reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()};
    ASSERT_EQ(text.find("CANARY"), std::string::npos);
  }
  EXPECT_EQ(status, JournalStatus::end) << reader.error();
  EXPECT_EQ(next, 4001);
  EXPECT_EQ(record.frame.flags & frame_flag::redacted, frame_flag::redacted);
  EXPECT_GE(reader.blocks(), 10u);
}

TEST(FrameRecorder, WhatATapeLostStandsInTheStreamBeforeTheFirstFrameBehindTheLoss) {
  const TempDir dir;
  FrameTape tape{4096};
  SegmentConfig config;
  config.directory = dir.path();
  config.reserve_bytes = 0;
  config.segment_bytes = 256 * 1024;
  FrameRecorder recorder{config, {3, 0, 0}, milliseconds(5)};
  recorder.add(tape);
  ASSERT_TRUE(recorder.open());
  ASSERT_TRUE(tape.put(incoming(0), "kept"));
  recorder.drain();
  int taken = 1;
  while (tape.put(incoming(taken), std::string(100, 'q'))) ++taken;
  EXPECT_FALSE(tape.put(incoming(taken), std::string(100, 'q')));
  recorder.drain();
  ASSERT_TRUE(tape.put(incoming(1'000'000), "behind"));
  EXPECT_FALSE(tape.put(incoming(0), std::string(3000, 'x')));
  ASSERT_TRUE(recorder.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_segments(dir.path(), frame_stream, 0, segments));
  JournalReader reader{views(segments), frame_stream};
  JournalRecord record;
  JournalStatus status;
  std::uint64_t lost = 0, lost_before_the_last = 0;
  bool first_kept_whole = false;
  while ((status = reader.next(record)) == JournalStatus::record) {
    if (record.type == RecordType::gap) lost += record.gap.records;
    if (record.type != RecordType::frame) continue;
    if (record.frame.recv_mono_ns == 0) first_kept_whole = lost == 0;
    if (record.frame.recv_mono_ns == 1'000'000) lost_before_the_last = lost;
  }
  EXPECT_EQ(status, JournalStatus::end) << reader.error();
  EXPECT_TRUE(first_kept_whole);
  EXPECT_GE(lost_before_the_last, 2u);
  EXPECT_EQ(lost, 3u);
}

TEST(FrameRecorder, TheEmergencySegmentTakesTheOrderSessionAloneAndSaysWhatItLeftOut) {
  const TempDir dir;
  FrameTape tape{1u << 16};
  constexpr std::uint16_t orders = 4, market = 1;
  FrameRecorder recorder{SegmentConfig{dir.path(), 65536, 65536}, {3, 0, 0}, Nanos{0}, orders};
  recorder.add(tape);
  ASSERT_TRUE(recorder.open());
  ASSERT_TRUE(tape.put(incoming(1, market), "before"));
  {
    const FailingCall failing{Failing::pwrite, ENOSPC, 1, false};
    recorder.drain();
    ASSERT_TRUE(recorder.failed());
  }
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(tape.put(incoming(10 + i, market), std::string(100, 'm')));
    if (i % 50 == 0) { ASSERT_TRUE(tape.put(incoming(10 + i, orders), "cancel")); }
  }
  ASSERT_TRUE(recorder.close());
  EXPECT_EQ(recorder.lost(), 100u);
  EXPECT_EQ(recorder.frames(), 3u);
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_segments(dir.path(), frame_stream, 0, segments));
  JournalReader reader{views(segments), frame_stream};
  JournalRecord record;
  JournalStatus status;
  std::uint64_t lost = 0, of_orders = 0, of_market = 0;
  while ((status = reader.next(record)) == JournalStatus::record) {
    if (record.type == RecordType::gap) lost += record.gap.records;
    if (record.type != RecordType::frame) continue;
    ++(record.frame.slot == orders ? of_orders : of_market);
  }
  EXPECT_EQ(status, JournalStatus::end) << reader.error();
  EXPECT_EQ(of_orders, 2u);
  EXPECT_EQ(of_market, 1u) << "the one that waited when the disk was full";
  EXPECT_EQ(lost, 100u);
}

TEST(FrameRecorder, WhatComesBehindAFailureIsLostAndTheReasonIsGivenOnce) {
  const TempDir dir;
  FrameTape tape{1u << 16};
  FrameRecorder recorder{SegmentConfig{dir.path(), 65536, 0}, {3, 0, 0}, Nanos{0}};
  recorder.add(tape);
  ASSERT_TRUE(recorder.open());
  ASSERT_TRUE(tape.put(incoming(1), "before"));
  EXPECT_EQ(recorder.untold_error(), "");
  {
    const FailingCall failing{Failing::pwrite, EIO, 1, true};
    recorder.drain();
    ASSERT_TRUE(recorder.failed());
  }
  EXPECT_EQ(recorder.untold_error(), recorder.error());
  EXPECT_FALSE(recorder.error().empty());
  for (int i = 0; i < 10; ++i) { ASSERT_TRUE(tape.put(incoming(2 + i), "behind")); }
  recorder.drain();
  EXPECT_EQ(recorder.untold_error(), "");
  EXPECT_EQ(recorder.lost(), 10u);
  EXPECT_EQ(recorder.frames(), 1u);
}

TEST(FrameRecorder, TheStreamsDoNotReadAsEachOther) {
  const TempDir dir;
  FrameTape tape{1u << 16};
  FrameRecorder recorder{SegmentConfig{dir.path(), 65536, 0}, {3, 0, 0}, Nanos{0}};
  recorder.add(tape);
  ASSERT_TRUE(recorder.open());
  ASSERT_TRUE(tape.put(incoming(1), "x"));
  ASSERT_TRUE(recorder.close());
  std::vector<std::vector<std::byte>> segments;
  ASSERT_TRUE(test::load_segments(dir.path(), frame_stream, 0, segments));
  EXPECT_EQ(read_all(segments).status, JournalStatus::corrupt);
}

}  // namespace
}  // namespace gimbal
