// A run across a listing, new terms, an expiry and a reload, recorded by the real programs: its
// frames are decoded and compared to the last one.
#include <array>
#include <cstring>
#include <map>
#include <set>

#include "engine/core/instrument.hpp"
#include "ops/app/session_setup.hpp"
#include "tests/io/replayed.hpp"

namespace gimbal::test {
namespace {

// As a disk leaves it that refuses the frames, their emergency segment too, and takes the events.
TEST_F(FrameReplayed, SaysWhereTheFramesEndBeforeTheJournal) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const std::string to = file("early");
  ::mkdir(to.c_str(), 0700);
  ASSERT_NO_FATAL_FAILURE(rewrite_stream(
      to, journal_stream,
      [](const JournalRecord& r, SegmentWriter& out) { copy_event(r, out, no_event); }));
  int texts = 0;
  ASSERT_NO_FATAL_FAILURE(rewrite_stream(
      to, frame_stream,
      [&](const JournalRecord& r, SegmentWriter& out) {
        if (r.type != RecordType::frame) return;
        if (r.frame.kind == FrameKind::text_in) ++texts;
        if (texts > 200) return;
        out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
      },
      false));
  ASSERT_GT(texts, 300);
  const Finished early = replay_of(to);
  EXPECT_EQ(text_in(early.out, "parted"), "the frame stream ends before the journal") << early.out;
  EXPECT_TRUE(holds(early.out, "\"difference\":null")) << early.out;
  EXPECT_EQ(number_in(early.out, "difference_at_seq"), 0) << early.out;
}

class ChangingDay : public FrameReplayed {
 protected:
  static constexpr Patience patience{40000 * patience_factor};

  double counter(const std::string& name) {
    const std::string shown = status();
    const std::size_t at = shown.find("\"name\":\"" + name + '"');
    return at == std::string::npos ? -1 : number_in(shown.substr(at), "value", -1);
  }
  void await(const std::string& name, double at_least) {
    ASSERT_TRUE(eventually(patience, [&] { return counter(name) >= at_least; }))
        << name << status() << bot_says();
  }
  void more_orders() {
    ASSERT_TRUE(wait_for_orders(number_in(status(), "orders_filled", 0) + 2, patience)) << status();
  }
  void reload() {
    std::string text = read_text(file("bot.toml"));
    const std::string limit = "max_order_usd = \"2000000\"";
    ASSERT_NE(text.find(limit), std::string::npos);
    write_text(file("bot.toml"),
               text.replace(text.find(limit), limit.size(), "max_order_usd = \"1900000\""));
    const Finished taken = ctl({"reload", "--json", "--reason", "test"});
    ASSERT_EQ(taken.code, 0) << taken.out << taken.err;
  }
  // A new expiry, a coarser tick, a reload, the delivery of an expiry that is held; orders between.
  void record_changes(const std::string& topology) {
    ASSERT_NO_FATAL_FAILURE(
        start_sim({"--list-in", "6", "--retick-in", "10", "--settle-in", "16"}));
    BotSetup setup;
    setup.topology = topology;
    setup.venue_extra = "instrument_refresh = \"2s\"\n";
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_NO_FATAL_FAILURE(await("instruments_listed", 20));
    ASSERT_NO_FATAL_FAILURE(await("instruments_redefined", 1));
    ASSERT_NO_FATAL_FAILURE(more_orders());
    ASSERT_NO_FATAL_FAILURE(reload());
    ASSERT_NO_FATAL_FAILURE(more_orders());
    const double filled = number_in(status(), "orders_filled", 0);
    ASSERT_NO_FATAL_FAILURE(await("instruments_settled", 20));
    ASSERT_TRUE(wait_for_orders(filled + 1, patience)) << "the hedge is taken off: " << status();
    ASSERT_EQ(kill().code, 0);
    ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
    ASSERT_FALSE(stop_sim().empty());
  }

  struct Recorded {
    std::array<std::uint64_t, 16> kinds{};
    std::uint64_t frames{0};
    std::uint64_t first_listed{0};  // its number in the stream
    std::set<std::string> names;    // of what was listed while running
    std::string last_label;         // of the last order that left
  };
  Recorded recorded() {
    Recorded out;
    Segments segments;
    EXPECT_TRUE(load_segments(file("journal"), frame_stream, 0, segments));
    JournalReader reader{spans(segments), frame_stream};
    JournalRecord r;
    while (reader.next(r) == JournalStatus::record) {
      if (r.type != RecordType::frame) continue;
      ++out.frames;
      ++out.kinds.at(static_cast<std::size_t>(r.frame.kind));
      const std::string text{reinterpret_cast<const char*>(r.bytes.data()), r.bytes.size()};
      if (r.frame.kind == FrameKind::listed && out.first_listed == 0) out.first_listed = out.frames;
      if (r.frame.kind == FrameKind::named && !text.empty()) out.names.insert(text);
      if (r.frame.kind == FrameKind::text_out && holds(text, "\"label\":\"")) {
        out.last_label = text_in(text, "label");
      }
    }
    return out;
  }
  static std::uint64_t count(const Recorded& r, FrameKind kind) {
    return r.kinds.at(static_cast<std::size_t>(kind));
  }
  static double of_frames(const std::string& replayed, const std::string& key) {
    const std::size_t at = replayed.find("\"frames\":{");
    return at == std::string::npos ? -1 : number_in(replayed.substr(at + 10), key, -1);
  }
  // In a copy, whose replay must find it, behind the listing.
  void expect_found(const std::string& copy, const std::string& what, std::uint64_t behind) {
    const Finished replayed = replay_of(file(copy));
    EXPECT_EQ(replayed.code, 1) << copy << replayed.out;
    EXPECT_EQ(text_in(replayed.out, "what"), what) << copy << replayed.out;
    const std::size_t at = replayed.out.find("\"difference\":{");
    ASSERT_NE(at, std::string::npos) << copy << replayed.out;
    EXPECT_GT(number_in(replayed.out.substr(at), "frame"), static_cast<double>(behind)) << copy;
    EXPECT_GT(number_in(replayed.out.substr(at), "seq"), 0) << copy;
  }
  // Without the first frame of a kind.
  void leave_out(const std::string& to, FrameKind kind) {
    bool left_out = false;
    ::mkdir(to.c_str(), 0700);
    rewrite_stream(to, journal_stream, [](const JournalRecord& r, SegmentWriter& out) {
      copy_event(r, out, no_event);
    });
    rewrite_stream(to, frame_stream, [&](const JournalRecord& r, SegmentWriter& out) {
      if (r.type != RecordType::frame) return;
      if (r.frame.kind == kind && !std::exchange(left_out, true)) return;
      out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
    });
  }
  void plant_in_feeds(const Recorded& there) {
    // A number in a book of an instrument that was listed.
    int books = 3;
    const auto third_book = [&](FrameRecord& head, std::string& text) {
      if (head.kind != FrameKind::text_in || head.slot != option_slot) return;
      const std::size_t at = text.find("\"book.");
      const std::size_t from = at + 6;
      if (at == std::string::npos ||
          there.names.count(text.substr(from, text.find('.', from) - from)) == 0) {
        return;
      }
      if (--books == 0) change_digit_behind(text, "\"change_id\":");
    };
    ASSERT_NO_FATAL_FAILURE(rewrite(file("book"), no_event, third_book));
    expect_found("book", "a decoded event is not the journal's", there.first_listed);

    // A channel of it that the venue's answer does not have: it was asked for, so it counts as
    // refused.
    bool answered = false;
    const auto refusal = [&](FrameRecord& head, std::string& text) {
      const std::size_t at = text.find("\"book." + *there.names.begin() + '.');
      if (head.kind != FrameKind::text_in || answered || !holds(text, "\"result\":[\"")) return;
      if (at == std::string::npos) return;
      answered = true;
      text[at + 1] = 'x';
    };
    ASSERT_NO_FATAL_FAILURE(rewrite(file("refusal"), no_event, refusal));
    ASSERT_TRUE(answered);
    expect_found("refusal", "a decoded event is not the journal's", there.first_listed);

    // The word that an instrument was listed: its channels were never asked for.
    ASSERT_NO_FATAL_FAILURE(leave_out(file("unlisted"), FrameKind::listed));
    expect_found("unlisted", "a decoded event is not the journal's", there.first_listed);
  }
  void plant_in_orders(const Recorded& there) {
    // The last order's price: on the new tick, behind the reload.
    const auto last_order = [&](const std::function<void(std::string&)>& change) {
      return [&, change](FrameRecord& head, std::string& text) {
        if (head.kind == FrameKind::text_out && holds(text, there.last_label)) change(text);
      };
    };
    ASSERT_NO_FATAL_FAILURE(rewrite(file("order"), no_event, last_order([](std::string& text) {
                                      if (holds(text, "\"price\":"))
                                        change_digit_behind(text, "\"price\":");
                                    })));
    expect_found("order", "an encoded order is not the text that left", there.first_listed);

    // The label it would have had without the reload.
    ASSERT_NO_FATAL_FAILURE(rewrite(file("label"), no_event, last_order([&](std::string& text) {
                                      const std::size_t tag =
                                          text.find(there.last_label) + there.last_label.size() - 1;
                                      text[tag] = text[tag] == '0' ? '1' : '0';
                                    })));
    expect_found("label", "an encoded order is not the text that left", there.first_listed);

    // The tick that the perpetual has from then on: no price that left is on it.
    const auto coarse = [](FrameRecord& head, std::string& bytes) {
      Instrument terms;
      if (head.kind != FrameKind::terms || bytes.size() != sizeof terms) return;
      std::memcpy(static_cast<void*>(&terms), bytes.data(), sizeof terms);
      if (!is_perpetual(terms.kind)) return;
      terms.ticks.base.nano = INT64_C(999'999) * 1'000'000'000;
      std::memcpy(bytes.data(), &terms, sizeof terms);
    };
    ASSERT_NO_FATAL_FAILURE(rewrite(file("terms"), no_event, coarse));
    expect_found("terms", "an encoded order is not the text that left", there.first_listed);
  }
};

TEST_F(ChangingDay, IsComparedToItsLastFrame) {
  for (const char* topology : {"fused", "pipelined"}) {
    SCOPED_TRACE(topology);
    ASSERT_NO_FATAL_FAILURE(record_changes(topology));
    const Recorded there = recorded();
    EXPECT_GE(count(there, FrameKind::listed), 20u);
    EXPECT_GE(count(there, FrameKind::retired), 20u);
    EXPECT_GE(count(there, FrameKind::terms), 40u) << "listed, redefined and settled";
    EXPECT_GE(there.names.size(), 20u);
    const Finished replayed = replay_of(file("journal"), true, {"--frames"});
    EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
    EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out;
    EXPECT_EQ(text_in(replayed.out, "parted"), "") << replayed.out;
    EXPECT_EQ(of_frames(replayed.out, "frames"), there.frames) << replayed.out;
    EXPECT_EQ(of_frames(replayed.out, "messages"), count(there, FrameKind::text_in));
    EXPECT_EQ(of_frames(replayed.out, "texts_compared"), count(there, FrameKind::text_out));
    EXPECT_FALSE(holds(replay_of(file("journal"), false).out, "not comparable"));
    const Finished dumped =
        run_program({program(), "journal", "dump", file("journal")}, dir_.path(), Patience{60000});
    EXPECT_TRUE(holds(dumped.out, "\"instrument\":\"" + *there.names.begin() + '"'))
        << "what was listed while running has its name";
  }
}

TEST_F(ChangingDay, ADifferenceBehindTheListingIsToldWithItsPlace) {
  ASSERT_NO_FATAL_FAILURE(record_changes("fused"));
  const Recorded there = recorded();
  ASSERT_FALSE(there.names.empty());
  ASSERT_NO_FATAL_FAILURE(plant_in_feeds(there));
  ASSERT_NO_FATAL_FAILURE(plant_in_orders(there));
}

TEST_F(ChangingDay, OfAStreamOfAnEarlierBuildIsFollowedUpToTheListing) {
  ASSERT_NO_FATAL_FAILURE(record_changes("fused"));
  ASSERT_NO_FATAL_FAILURE(rewrite_as_before(file("before")));
  const Finished replayed = replay_of(file("before"));
  EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
  EXPECT_EQ(text_in(replayed.out, "verdict"), "same") << replayed.out;
  EXPECT_TRUE(holds(text_in(replayed.out, "parted"), "listed")) << replayed.out;
  const Recorded there = recorded();
  EXPECT_LT(of_frames(replayed.out, "frames"), static_cast<double>(there.first_listed));
  EXPECT_GT(of_frames(replayed.out, "messages"), 100) << replayed.out;
}

}  // namespace
}  // namespace gimbal::test
