// A run recorded by the real programs and what a test makes of its streams: the fixture of the
// replay's tests.
#pragma once

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/runtime/frame_tape.hpp"
#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/segment_writer.hpp"
#include "tests/io/rig.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::test {

using Segments = std::vector<std::vector<std::byte>>;

inline std::vector<std::span<const std::byte>> spans(const Segments& s) {
  return {s.begin(), s.end()};
}

class FrameReplayed : public Rig {
 protected:
  // Trades for a moment, stops; the journal is in file("journal").
  void record(const BotSetup& setup) {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(5)) << status();
    ASSERT_EQ(kill().code, 0);
    ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
    ASSERT_FALSE(stop_sim().empty());
  }
  // The end of a test: what a browser makes of the page, where there is one.
  void expect_drawn(const std::string& page, const std::string& picture) {
    const char* const browsers[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                                    "/usr/bin/google-chrome"};
    const auto* const browser = std::find_if(std::begin(browsers), std::end(browsers),
                                             [](const char* b) { return ::access(b, X_OK) == 0; });
    if (browser == std::end(browsers)) GTEST_SKIP() << "no Chromium to open the page with";
    const Finished shot =
        run_program({*browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--user-data-dir=" + file("browser"), "--window-size=1100,3000",
                     "--screenshot=" + file(picture), "file://" + page},
                    dir_.path(), Patience{120000 * patience_factor});
    EXPECT_EQ(shot.code, 0) << shot.err;
    EXPECT_GT(read_text(file(picture)).size(), 50000u) << "the page is empty in the browser";
  }
  [[nodiscard]] Finished replay_of(const std::string& journal, bool json = true,
                                   const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{program(), "replay", journal};
    argv.insert(argv.end(), more.begin(), more.end());
    if (json) argv.emplace_back("--json");
    return run_program(argv, dir_.path(), Patience{60000 * patience_factor});
  }
  // A copy whose frame stream lacks three messages, and says so or not.
  void lose_frames(const std::string& to, bool told) {
    ::mkdir(to.c_str(), 0700);
    rewrite_stream(to, journal_stream, [](const JournalRecord& r, SegmentWriter& out) {
      copy_event(r, out, no_event);
    });
    int texts = 0;
    rewrite_stream(to, frame_stream, [&](const JournalRecord& r, SegmentWriter& out) {
      if (r.type != RecordType::frame) return;
      if (r.frame.kind == FrameKind::text_in) ++texts;
      const GapRecord gap{0, 3};
      if (texts == 200 && told) out.put(RecordType::gap, 0, &gap, sizeof gap);
      if (texts >= 200 && texts < 203) return;
      out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
    });
  }
  // Both streams again, sound in every checksum, after `change` has seen each event or frame.
  void rewrite(const std::string& to, const std::function<void(Event&)>& event,
               const std::function<void(FrameRecord&, std::string&)>& frame) {
    ::mkdir(to.c_str(), 0700);
    rewrite_stream(to, journal_stream,
                   [&](const JournalRecord& r, SegmentWriter& out) { copy_event(r, out, event); });
    rewrite_stream(to, frame_stream, [&](const JournalRecord& r, SegmentWriter& out) {
      if (r.type != RecordType::frame) return;
      FrameRecord head = r.frame;
      std::string text{reinterpret_cast<const char*>(r.bytes.data()), r.bytes.size()};
      frame(head, text);
      out.put(RecordType::frame, 0, &head, sizeof head, text.data(), text.size());
    });
  }
  static void copy_event(const JournalRecord& r, SegmentWriter& out,
                         const std::function<void(Event&)>& change) {
    if (r.type == RecordType::side_block) {
      out.put(r.type, 0, &r.block, sizeof r.block, r.bytes.data(), r.bytes.size());
    } else if (r.type == RecordType::digest) {
      out.put(r.type, 0, &r.digest, sizeof r.digest);
    } else if (r.type == RecordType::event) {
      Event e = r.event;
      change(e);
      out.note_seq(e.seq().value);
      out.put(r.type, r.more ? record_flag::more : std::uint16_t{0}, &e, sizeof e);
    }
  }
  // Not `closed`: as a death leaves it.
  void rewrite_stream(const std::string& to, const StreamName& stream,
                      const std::function<void(const JournalRecord&, SegmentWriter&)>& copy,
                      bool closed = true) {
    Segments segments;
    ASSERT_TRUE(load_segments(file("journal"), stream, 0, segments));
    JournalReader reader{spans(segments), stream};
    SegmentHeader header;
    ASSERT_EQ(read_header(segments[0], stream.magic, header), nullptr);
    SegmentConfig config;
    config.directory = to;
    config.reserve_bytes = 0;
    SegmentWriter out{config, stream, {header.epoch, header.build_hash, header.config_hash}};
    ASSERT_TRUE(out.open());
    JournalRecord record;
    while (reader.next(record) == JournalStatus::record) copy(record, out);
    if (!closed) return out.flush();
    ASSERT_TRUE(out.close());
  }
  // As a build wrote them whose sessions did not say what they knew of instruments.
  void rewrite_as_before(const std::string& to) {
    ::mkdir(to.c_str(), 0700);
    const auto unflagged = [](Event& e) {
      if (e.kind() != EventKind::instrument_change) return;
      e.seq_kind_flags &= ~(std::uint64_t{event_flag::historical} << 56);
    };
    rewrite_stream(to, journal_stream, [&](const JournalRecord& r, SegmentWriter& out) {
      copy_event(r, out, unflagged);
    });
    rewrite_stream(to, frame_stream, [](const JournalRecord& r, SegmentWriter& out) {
      if (r.type != RecordType::frame || r.frame.kind > FrameKind::conflated) return;
      out.put(RecordType::frame, 0, &r.frame, sizeof r.frame, r.bytes.data(), r.bytes.size());
    });
  }
  inline static const std::function<void(Event&)> no_event = [](Event&) {};
  inline static const std::function<void(FrameRecord&, std::string&)> no_frame =
      [](FrameRecord&, std::string&) {};
};

// The n-th frame of a kind that holds `needle`.
inline std::function<void(FrameRecord&, std::string&)> nth_frame(
    FrameKind kind, const std::string& needle, int n, const std::function<void(std::string&)>& f) {
  auto left = std::make_shared<int>(n);
  return [=](FrameRecord& head, std::string& text) {
    if (head.kind != kind || text.find(needle) == std::string::npos || --*left != 0) return;
    f(text);
  };
}

inline void change_digit_behind(std::string& text, const std::string& key) {
  const std::size_t at = text.find_first_of("123456789", text.find(key) + key.size());
  text[at] = text[at] == '9' ? '8' : static_cast<char>(text[at] + 1);
}

}  // namespace gimbal::test
