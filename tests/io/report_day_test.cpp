// Two boots of the real programs in one day, on one page.
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <iterator>

#include "tests/io/replayed.hpp"

namespace gimbal::test {
namespace {

class ReportDay : public FrameReplayed {
 protected:
  // Trades twice, with a pause between, at one exchange.
  void record_two_boots() {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    for (int boot = 0; boot < 2; ++boot) {
      if (boot > 0) ::sleep(2);
      ASSERT_NO_FATAL_FAILURE(start_bot());
      ASSERT_NO_FATAL_FAILURE(arm_or_fail());
      ASSERT_TRUE(wait_for_orders(3)) << status();
      ASSERT_EQ(kill().code, 0);
      ASSERT_EQ(bot_.stop(SIGTERM, Patience{20000 * patience_factor}), 0) << bot_says();
    }
    ASSERT_FALSE(stop_sim().empty());
  }
  Finished report(const std::vector<std::string>& more) {
    std::vector<std::string> argv{program(), "report", file("journal")};
    argv.insert(argv.end(), more.begin(), more.end());
    return run_program(argv, dir_.path(), Patience{60000 * patience_factor});
  }
  static std::string date_of(std::int64_t unix_s) {
    std::tm when{};
    const std::time_t t = unix_s;
    ::gmtime_r(&t, &when);
    char text[16] = {};
    std::strftime(text, sizeof text, "%Y-%m-%d", &when);
    return text;
  }
  // When a boot began, seconds since 1970.
  std::int64_t begin_of(std::uint32_t epoch) {
    Segments segments;
    SegmentHeader header;
    EXPECT_TRUE(load_segments(file("journal"), journal_stream, epoch, segments));
    EXPECT_EQ(read_header(segments.at(0), journal_stream.magic, header), nullptr);
    return header.created_unix_ns / 1'000'000'000;
  }
};

TEST_F(ReportDay, PutsAllBootsOfADayOnOnePageWithTheirSumsAndTheGapBetween) {
  ASSERT_NO_FATAL_FAILURE(record_two_boots());
  const std::string day = date_of(begin_of(1));
  if (date_of(begin_of(2) + 30) != day) GTEST_SKIP() << "midnight came between the boots";
  const std::string page_file = file("day.html");
  const Finished made = report({"--day", day, "-o", page_file});
  ASSERT_EQ(made.code, 0) << made.out << made.err;
  EXPECT_TRUE(holds(made.out, "2 boots")) << made.out;

  const Finished whole = report({"--day", day, "--json"});
  EXPECT_EQ(text_in(whole.out, "day"), day) << whole.out << whole.err;
  double fills = 0, events = 0, profit = 0;
  for (const char* epoch : {"1", "2"}) {
    const Finished one = report({"--epoch", epoch, "--json"});
    ASSERT_EQ(one.code, 0) << one.out << one.err;
    fills += number_in(one.out, "fills");
    events += number_in(one.out, "events");
    profit += number_in(one.out.substr(one.out.find("\"run\":")), "profit");
  }
  ASSERT_GE(fills, 6);
  const std::string sums = whole.out.substr(whole.out.find("],\"events\""));
  EXPECT_EQ(number_in(sums, "fills"), fills) << whole.out;
  EXPECT_EQ(number_in(sums, "events"), events) << whole.out;
  const std::size_t between = whole.out.find("\"boot\":\"between boots\"");
  ASSERT_NE(between, std::string::npos) << whole.out;
  EXPECT_NEAR(number_in(whole.out.substr(whole.out.find("\"day\":{")), "profit"),
              profit + number_in(whole.out.substr(between), "profit"), 1e-9)
      << whole.out;

  const std::string page = read_text(page_file);
  for (const char* part : {"<!doctype html>", "gimbal day 20", "<td>1</td>", "<td>2</td>",
                           "2 boots ran", "class=\"gap\"", "no boot ran from", "between boots",
                           "the day</td>", "P&amp;L explained, by boot", "strategy delta_hedge",
                           "venue deribit", "global ACTIVE", "boot 2 at ", "</html>"}) {
    EXPECT_TRUE(holds(page, part)) << part;
  }
  for (const char* outside : {"http:", "https:", "src=", "<link", "<script", "@import", "url("}) {
    EXPECT_FALSE(holds(page, outside)) << outside;
  }
  EXPECT_FALSE(holds(page, "nan")) << "a plot has a point that is no number";
  EXPECT_GE(occurrences(page, "class=\"gap\""), 4u) << "in every plot over time";

  expect_drawn(page_file, "day.png");
}

TEST_F(ReportDay, ADayWithoutRecordsIsToldWithTheDaysThatThereAre) {
  ASSERT_NO_FATAL_FAILURE(record({}));
  const std::string began = date_of(begin_of(1));
  const Finished none = report({"--day", "2001-02-03", "--json"});
  EXPECT_EQ(none.code, 2) << none.out;
  EXPECT_TRUE(holds(none.err, "has no records of 2001-02-03; boots began on " + began)) << none.err;
  for (const char* no_date : {"yesterday", "2026-02-30", "2026-2-3", "26-11-29", "2026-11-2x"}) {
    const Finished refused = report({"--day", no_date, "--json"});
    EXPECT_EQ(refused.code, 2) << no_date << refused.out;
    EXPECT_TRUE(holds(refused.err, "--day wants a date")) << refused.err;
  }
  EXPECT_EQ(report({"--day", began, "--epoch", "1", "--json"}).code, 2);
  const Finished no_directory =
      run_program({program(), "report", file("nothing"), "--day", began, "--json"}, dir_.path(),
                  Patience{10000});
  EXPECT_EQ(no_directory.code, 2);
  EXPECT_TRUE(holds(no_directory.err, "wants the journal's directory")) << no_directory.err;
}

}  // namespace
}  // namespace gimbal::test
