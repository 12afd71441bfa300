// A run recorded by the real programs, replayed from its frames: whole, and with one thing changed.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "engine/runtime/side_blocks.hpp"
#include "ops/app/session_setup.hpp"
#include "tests/io/replayed.hpp"

namespace gimbal::test {
namespace {

// The same inputs with the recorded configuration, and with a band that is never left.
TEST_F(FrameReplayed, AWhatIfSetsAnotherConfigBesideTheRun) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  BotSetup wide;
  wide.band = "50";
  const std::string recorded = read_text(file("bot.toml"));
  write_config(wide);
  std::string wider_band = read_text(file("bot.toml"));
  const std::string band_max = "band_max = 1.0";
  wider_band.replace(wider_band.find(band_max), band_max.size(), "band_max = 50.0");
  write_text(file("wide.toml"), wider_band);
  write_text(file("bot.toml"), recorded);
  const auto what_if = [&](const std::string& config) {
    return run_program({program(), "replay", file("journal"), "--what-if", file(config), "--json"},
                       dir_.path(), Patience{60000 * patience_factor});
  };
  const Finished wider = what_if("wide.toml");
  ASSERT_EQ(wider.code, 0) << wider.out << wider.err;
  const auto placed = [&](const std::string& column) {
    return number_in(wider.out.substr(wider.out.find("\"" + column + "\":{")), "placed");
  };
  EXPECT_GE(placed("recorded"), 5) << wider.out;
  EXPECT_GE(placed("recorded_config_assumed_fills"), 1) << wider.out;
  EXPECT_EQ(placed("other_config_assumed_fills"), 0) << wider.out;
  EXPECT_TRUE(holds(wider.out, "\"damage\":null")) << wider.out;
  EXPECT_TRUE(holds(wider.out, "\"cannot_be_known\":[\"fills of orders")) << wider.out;
  EXPECT_EQ(what_if("missing.toml").code, 2);
}

TEST_F(FrameReplayed, GivesEveryEventEveryOrderTextAndTheDigestOfTheRunAgain) {
  for (const char* topology : {"fused", "pipelined"}) {
    SCOPED_TRACE(topology);
    BotSetup setup;
    setup.topology = topology;
    ASSERT_NO_FATAL_FAILURE(record(setup));
    const Finished replayed = replay_of(file("journal"));
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
    EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out;
    EXPECT_GT(number_in(replayed.out, "messages"), 100) << replayed.out;
    EXPECT_GT(number_in(replayed.out, "events_decoded"), 1000) << replayed.out;
    EXPECT_GE(number_in(replayed.out, "texts_compared"), 5) << replayed.out;
    EXPECT_TRUE(holds(replayed.out, "\"difference\":null")) << replayed.out;
  }
}

TEST_F(FrameReplayed, NamesTheFirstThingThatIsNotAsItWas) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  ASSERT_NO_FATAL_FAILURE(rewrite(file("copy"), no_event, no_frame));
  EXPECT_EQ(replay_of(file("copy")).code, 0) << replay_of(file("copy"), false).out;
  EXPECT_EQ(replay_of(file("copy"), true, {"--frames"}).code, 0);

  // Messages that were not kept.
  ASSERT_NO_FATAL_FAILURE(lose_frames(file("untold"), false));
  EXPECT_EQ(replay_of(file("untold")).code, 1);
  ASSERT_NO_FATAL_FAILURE(lose_frames(file("told"), true));
  const Finished told = replay_of(file("told"));
  EXPECT_EQ(told.code, 0) << told.out;
  EXPECT_EQ(text_in(told.out, "verdict"), "same") << told.out;
  EXPECT_EQ(text_in(told.out, "parted"), "3 frames were not kept") << told.out;
  EXPECT_GE(number_in(told.out, "messages"), 190) << told.out;
  EXPECT_TRUE(holds(replay_of(file("told"), false).out, "not comparable from there on: 3 frames"));

  // A price in a market frame.
  ASSERT_NO_FATAL_FAILURE(
      rewrite(file("market"), no_event,
              nth_frame(FrameKind::text_in, "\"book.BTC-PERPETUAL.raw\"", 20,
                        [](std::string& text) { change_digit_behind(text, "\"change_id\":"); })));
  const Finished market = replay_of(file("market"));
  EXPECT_EQ(market.code, 1) << market.out;
  EXPECT_EQ(text_in(market.out, "what"), "a decoded event is not the journal's") << market.out;
  EXPECT_GT(number_in(market.out, "seq"), 0);
  EXPECT_TRUE(holds(market.out, "\"before\":[{")) << market.out;
  EXPECT_TRUE(holds(replay_of(file("market"), false).out, "difference   a decoded event"));

  // The amount of an order that left.
  ASSERT_NO_FATAL_FAILURE(
      rewrite(file("order"), no_event,
              nth_frame(FrameKind::text_out, "\"amount\":", 3,
                        [](std::string& text) { change_digit_behind(text, "\"amount\":"); })));
  const Finished order = replay_of(file("order"));
  EXPECT_EQ(order.code, 1) << order.out;
  EXPECT_EQ(text_in(order.out, "what"), "an encoded order is not the text that left") << order.out;

  // A fill in the journal.
  int fills = 0;
  const auto second_fill = [&fills](Event& e) {
    if (e.kind() == EventKind::fill && e.part_index() == 2 && ++fills == 2) {
      e.payload[0] ^= std::byte{1};
    }
  };
  ASSERT_NO_FATAL_FAILURE(rewrite(file("fill"), second_fill, no_frame));
  const Finished fill = replay_of(file("fill"));
  EXPECT_EQ(fill.code, 1) << fill.out;
  EXPECT_EQ(text_in(fill.out, "verdict"), "different") << fill.out;

  // A frame that never was.
  ASSERT_NO_FATAL_FAILURE(rewrite(file("lost"), no_event,
                                  nth_frame(FrameKind::text_in, "\"book.BTC-PERPETUAL.raw\"", 30,
                                            [](std::string& text) { text = "{}"; })));
  EXPECT_EQ(replay_of(file("lost")).code, 1);
}

// Counts of what could be read are no answer to a script that asks whether all of it is there.
TEST_F(FrameReplayed, StatAndVerifyOfADamagedJournalFailAndSayWhy) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const auto journal = [&](const char* verb) {
    return run_program({program(), "journal", verb, file("journal")}, dir_.path(),
                       Patience{60000 * patience_factor});
  };
  EXPECT_EQ(journal("stat").code, 0);
  EXPECT_EQ(journal("verify").code, 0);
  std::vector<std::string> segments;
  ASSERT_TRUE(find_segments(file("journal"), journal_stream, 0, segments));
  std::string bytes = read_text(segments[0]);
  ASSERT_GT(bytes.size(), 4000U);
  bytes[2000] = static_cast<char>(bytes[2000] ^ 1);
  write_text(segments[0], bytes);
  for (const char* verb : {"stat", "verify"}) {
    const Finished done = journal(verb);
    EXPECT_EQ(done.code, 1) << verb << done.out << done.err;
    EXPECT_TRUE(holds(done.err, "gimbal journal: events: ")) << verb << done.err;
    EXPECT_TRUE(holds(done.err, "offset")) << verb << done.err;
  }
}

// From the reload on nothing can be compared; a text before it that nobody asked for is found.
TEST_F(FrameReplayed, AForeignTextBeforeAPartingIsADifference) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  ASSERT_NO_FATAL_FAILURE(start_bot({}));
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  std::string text = read_text(file("bot.toml"));
  const std::string limit = "max_order_usd = \"2000000\"";
  ASSERT_NE(text.find(limit), std::string::npos);
  write_text(file("bot.toml"),
             text.replace(text.find(limit), limit.size(), "max_order_usd = \"1900000\""));
  ASSERT_EQ(ctl({"reload", "--json", "--reason", "test"}).code, 0);
  ASSERT_EQ(kill().code, 0);
  ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
  // Streams of earlier builds part at the reload; those of this one are compared behind it too.
  ASSERT_NO_FATAL_FAILURE(rewrite_as_before(file("before")));
  const Finished sound = replay_of(file("before"));
  EXPECT_EQ(sound.code, 0) << sound.out;
  ASSERT_TRUE(holds(text_in(sound.out, "parted"), "the configuration was reloaded")) << sound.out;
  ASSERT_EQ(::rename(file("journal").c_str(), file("as_recorded").c_str()), 0);
  ASSERT_EQ(::rename(file("before").c_str(), file("journal").c_str()), 0);

  std::uint64_t reloaded = 0;
  const auto note_reload = [&](const JournalRecord& r, SegmentWriter& out) {
    if (r.type == RecordType::event && r.event.kind() == EventKind::config_change) {
      reloaded = r.event.seq().value;
    }
    copy_event(r, out, no_event);
  };
  const std::string copy = file("foreign");
  ::mkdir(copy.c_str(), 0700);
  ASSERT_NO_FATAL_FAILURE(rewrite_stream(copy, journal_stream, note_reload));
  ASSERT_GT(reloaded, 0u);
  int last = 0;  // of the texts before the reload
  ASSERT_NO_FATAL_FAILURE(rewrite(file("count"), no_event, [&](FrameRecord& head, std::string&) {
    if (head.kind == FrameKind::text_out && head.seq < reloaded) ++last;
  }));
  ASSERT_GT(last, 0);
  int seen = 0;
  ASSERT_NO_FATAL_FAILURE(
      rewrite_stream(copy, frame_stream, [&](const JournalRecord& r, SegmentWriter& out) {
        if (r.type != RecordType::frame) return;
        const bool twice = r.frame.kind == FrameKind::text_out && ++seen == last;
        for (int i = twice ? 0 : 1; i < 2; ++i) {
          out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
        }
      }));
  const Finished foreign = replay_of(copy);
  EXPECT_EQ(foreign.code, 1) << foreign.out;
  EXPECT_EQ(text_in(foreign.out, "what"), "a text left that the replayed core did not ask for")
      << foreign.out;
}

// 400 MiB of frames, in an address space that does not hold them.
TEST_F(FrameReplayed, TakesNoMoreMemoryForMoreFrames) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const std::string copy = file("long");
  ::mkdir(copy.c_str(), 0700);
  ASSERT_NO_FATAL_FAILURE(rewrite_stream(
      copy, journal_stream,
      [](const JournalRecord& r, SegmentWriter& out) { copy_event(r, out, no_event); }));
  const std::string answer =
      R"({"jsonrpc":"2.0","id":987654321,"result":")" + std::string(16000, 'x') + "\"}";
  int added = 0;
  ASSERT_NO_FATAL_FAILURE(
      rewrite_stream(copy, frame_stream, [&](const JournalRecord& r, SegmentWriter& out) {
        if (r.type != RecordType::frame) return;
        out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
        if (r.frame.kind != FrameKind::text_in || r.frame.slot == order_slot) return;
        for (int i = 0; i < 100 && added < 26000; ++i, ++added) {  // to no request of ours
          out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, answer.data(), answer.size());
        }
      }));
  ASSERT_EQ(added, 26000);
  const std::string limited = "ulimit -v 409600; exec " + program() + " replay --json " + copy;
  const Finished replayed =
      run_program({"/bin/sh", "-c", limited}, dir_.path(), Patience{60000 * patience_factor});
  EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out;
  EXPECT_GT(number_in(replayed.out, "messages"), 26000) << replayed.out;
}

// The same integers as the bot showed; marks of the last second may have come since.
void expect_same_execution(const std::string& shown, const std::string& replayed) {
  for (const char* of : {"strategy:delta_hedge", "venue:deribit"}) {
    const auto line = [of](const std::string& json) {
      const std::size_t from = json.find("{\"of\":\"" + std::string{of} + "\",");
      return from == std::string::npos
                 ? std::string{}
                 : json.substr(from, json.find(",\"after_1s_usd\"", from) - from);
    };
    EXPECT_FALSE(line(shown).empty()) << of << shown;
    EXPECT_EQ(line(replayed), line(shown)) << of;
  }
}

TEST_F(FrameReplayed, ExplainsAnOrderFromItsCauseToItsExecutionGap) {
  ASSERT_NO_FATAL_FAILURE(start_sim());
  BotSetup setup;  // with a surface of its own, so that the replay has one as well
  setup.tables_extra = "\n[surface]\nuse = true\ninterval = \"100ms\"\nage_max = \"20s\"\n";
  setup.strategy_extra = "delta = \"sticky_delta\"\n";
  ASSERT_NO_FATAL_FAILURE(start_bot(setup));
  ASSERT_TRUE(eventually(Patience{20000 * patience_factor}, [&] {
    return holds(ctl({"positions", "--json"}).out, "\"model\":\"svi\"");
  })) << status();
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  EXPECT_TRUE(eventually(Patience{5000 * patience_factor}, [&] {
    return number_in(status(), "after_1s_usd", 0) != 0 || holds(status(), "\"after_1s_usd\":\"");
  })) << status();
  // Fits under load fall back to others now and then.
  std::string shown;
  EXPECT_TRUE(eventually(Patience{15000 * patience_factor}, [&] {
    shown = status();
    return holds(shown, "\"models\":\"svi\"");
  })) << shown;
  EXPECT_TRUE(wait_for_orders(number_in(shown, "orders_filled", 0) + 3)) << status();
  EXPECT_TRUE(holds(shown, "\"of\":\"strategy:delta_hedge\"")) << shown;
  EXPECT_TRUE(holds(shown, "\"of\":\"venue:deribit\"")) << shown;
  EXPECT_TRUE(holds(shown, "\"name\":\"surface_blocks_refused\",\"value\":0}")) << shown;
  EXPECT_TRUE(holds(ctl({"status"}).out, "execution strategy:delta_hedge  fills")) << shown;
  ASSERT_EQ(kill().code, 0);
  const std::string last = status();
  ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();

  const std::string dump =
      run_program({program(), "journal", "dump", file("journal")}, dir_.path(), Patience{60000})
          .out;
  const auto story = [&](std::vector<std::string> more) {
    std::vector<std::string> argv{program(), "replay", file("journal"), "--explain"};
    argv.insert(argv.end(), more.begin(), more.end());
    return run_program(argv, dir_.path(), Patience{60000 * patience_factor});
  };
  // The first that was decided by the surface's own fits.
  std::string order;
  Finished text;
  for (std::size_t at = dump.find("\"event\":\"fill\""); at != std::string::npos;
       at = dump.find("\"event\":\"fill\"", at + 1)) {
    order = text_in(dump.substr(at, 400), "order");
    ASSERT_FALSE(order.empty()) << dump.substr(at, 400);
    text = story({order});
    EXPECT_EQ(text.code, 0) << text.err;
    if (holds(text.out, "options priced by  svi")) break;
  }
  for (const char* part :
       {"what led to it", "residual delta", "half band", "its reasons", "passed  DeltaLimit",
        "passed  OrderRate", "passed  PriceDrift", "passed  LastGate", "options priced by  svi",
        "surface age", "sticky delta", "out {\"jsonrpc\"", "in  {\"jsonrpc\"", "\"event\":\"fill\"",
        "ended as ", "shortfall"}) {
    EXPECT_TRUE(holds(text.out, part)) << part << "\n" << text.out;
  }
  const Finished json = story({order, "--json"});
  EXPECT_EQ(text_in(json.out, "order"), order) << json.out;
  EXPECT_TRUE(holds(json.out, "\"execution_gap\":[{\"price\":")) << json.out;
  EXPECT_FALSE(holds(json.out, "\"numbers\":\"\""))
      << "a check without what it looked at: " << json.out;
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << "with every surface block: " << again.out;
  expect_same_execution(last, again.out);
  EXPECT_TRUE(holds(replay_of(file("journal"), false).out, "execution    venue:deribit: "));
  EXPECT_EQ(story({"not-an-order"}).code, 2);
  EXPECT_EQ(story({"00000000000000ff"}).code, 1);
}

TEST_F(FrameReplayed, ReportsTheRunAsOnePageThatNeedsNoNetwork) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const std::string page_file = file("run.html");
  const Finished made = run_program({program(), "report", file("journal"), "-o", page_file},
                                    dir_.path(), Patience{60000 * patience_factor});
  ASSERT_EQ(made.code, 0) << made.out << made.err;
  const std::string page = read_text(page_file);
  for (const char* part :
       {"<!doctype html>", "P&amp;L", "Delta against its band", "The execution gap, all fills",
        "P&amp;L explained, by day", "strategy delta_hedge", "venue deribit", "Tick received until",
        "Limits", "prefers-color-scheme:dark", "global ACTIVE", "kill CANCEL",
        "replays to the same commands", "without a price 60 s after", "</html>"}) {
    EXPECT_TRUE(holds(page, part)) << part;
  }
  for (const char* outside : {"http:", "https:", "src=", "<link", "<script", "@import", "url("}) {
    EXPECT_FALSE(holds(page, outside)) << outside;
  }
  EXPECT_GE(occurrences(page, "<svg"), 8u);
  EXPECT_FALSE(holds(page, "nan")) << "a plot has a point that is no number";
  const Finished json = run_program({program(), "report", file("journal"), "--json"}, dir_.path(),
                                    Patience{60000 * patience_factor});
  EXPECT_TRUE(holds(json.out, "\"currency\":\"BTC\",\"run\":{\"profit\":")) << json.err;
  EXPECT_EQ(run_program({program(), "report", file("nothing"), "-o", page_file}, dir_.path(),
                        Patience{10000})
                .code,
            2);
  EXPECT_EQ(run_program({program(), "report", file("journal"), "-o", "/nowhere/run.html"},
                        dir_.path(), Patience{60000 * patience_factor})
                .code,
            1);

  expect_drawn(page_file, "run.png");
}

TEST_F(FrameReplayed, AFlippedByteOfTheFrameStreamIsDamageAndNotADifference) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const std::vector<SegmentFile> files = list_segments(file("journal"), frame_stream);
  ASSERT_FALSE(files.empty());
  std::string bytes = read_text(files[0].path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write_text(files[0].path, bytes);
  const Finished replayed = replay_of(file("journal"));
  EXPECT_EQ(replayed.code, 1) << replayed.out;
  EXPECT_EQ(text_in(replayed.out, "verdict"), "damaged") << replayed.out;
  const auto with = [&](const std::vector<std::string>& more) {
    return replay_of(file("journal"), true, more);
  };
  const Finished events = with({"--events"});
  EXPECT_EQ(events.code, 0) << events.out;
  EXPECT_TRUE(holds(events.out, "\"frames\":null")) << events.out;
  EXPECT_EQ(text_in(events.out, "without_frames"), "--events was given") << events.out;
  EXPECT_EQ(with({"--events", "--frames"}).code, 2);

  // Without frames the events have to do, unless they were asked for.
  const Finished one = replay_of(list_segments(file("journal"), journal_stream)[0].path);
  EXPECT_EQ(one.code, 0) << one.out;
  EXPECT_TRUE(holds(text_in(one.out, "without_frames"), "one file was given")) << one.out;
  ::unlink(files[0].path.c_str());
  const Finished none = with({});
  EXPECT_EQ(none.code, 0) << none.out;
  EXPECT_EQ(text_in(none.out, "verdict"), "same") << none.out;
  EXPECT_EQ(text_in(none.out, "without_frames"), "the directory has none of boot epoch 1");
  EXPECT_EQ(with({"--frames"}).code, 2);
}

}  // namespace
}  // namespace gimbal::test
