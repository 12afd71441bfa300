// The real bot's alerts, health and metrics: each part is wedged in the running process and must
// be told.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>

#include "tests/io/held_thread.hpp"
#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr Patience ready_patience{20000 * patience_factor};

struct Page {
  int code{0};
  std::string body;
};

class MonitoredBot : public Rig {
 protected:
  ~MonitoredBot() override {
    if (!small_disk_) return;
    bot_ = Child{};
    ::umount2(file("journal").c_str(), MNT_DETACH);
  }
  void start(BotSetup setup = {}) {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    setup.tables_extra +=
        "\n[metrics]\nlisten = \"127.0.0.1:0\"\n\n[alerts]\npause_after = \"2s\"\n"
        "\n[health]\ncold_stall_max = \"2s\"\ndata_age_max = \"2s\"\n";
    setup.venue_extra += "connect_timeout = \"1s\"\n";
    setup_ = setup;
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    const std::string said = bot_says();
    const std::string mark = "metrics: http://127.0.0.1:";
    const auto at = said.find(mark);
    ASSERT_NE(at, std::string::npos) << said;
    metrics_port_ = std::stoi(said.substr(at + mark.size()));
    ASSERT_TRUE(eventually(ready_patience, [&] { return get("/health").code == 200; }))
        << get("/health").body;
  }
  [[nodiscard]] Page get(const std::string& path) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{3, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(metrics_port_));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string text;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
      const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n";
      (void)::send(fd, request.data(), request.size(), MSG_NOSIGNAL);
      char chunk[65536];
      for (ssize_t n = 0; (n = ::recv(fd, chunk, sizeof chunk, 0)) > 0;) {
        text.append(chunk, static_cast<std::size_t>(n));
      }
    }
    ::close(fd);
    const auto head = text.find("\r\n\r\n");
    if (head == std::string::npos) return {};
    return Page{std::stoi(text.substr(9, 3)), text.substr(head + 4)};
  }
  // Time until health is not ok with exactly this check among the causes; negative: never.
  double told_after(const std::string& check, Patience limit) {
    const auto began = Clock::now();
    const std::string line = "{\"check\":\"" + check + "\",\"ok\":false";
    const bool told = eventually(limit, [&] {
      const Page page = get("/health");
      return page.code == 503 && holds(page.body, line);
    });
    return told ? std::chrono::duration<double>(Clock::now() - began).count() : -1;
  }
  void expect_well() {
    EXPECT_TRUE(eventually(ready_patience, [&] { return get("/health").code == 200; }))
        << get("/health").body;
  }
  void expect_told_when_held(const std::string& thread, double bound_s) {
    const HeldThread hold{bot_.pid(), thread};
    ASSERT_TRUE(hold.held()) << thread;
    const double after = told_after("thread " + thread, Patience{15000});
    EXPECT_GE(after, 0) << thread << " is wedged and health says: " << get("/health").body;
    EXPECT_LE(after, bound_s * patience_factor) << thread;
    std::printf("%s held: told after %.2f s\n", thread.c_str(), after);
  }
  std::string families(const std::string& page_file) {
    return run_program({"/usr/bin/env", "python3",
                        GIMBAL_SOURCE_DIR "/tests/monitor/parse_metrics.py", page_file, "--names"},
                       dir_.path(), Patience{20000})
        .out;
  }
  // The first unacknowledged critical alert; zero: none.
  [[nodiscard]] int critical_id() {
    const std::string shown = status();
    std::size_t at = shown.find("\"alerts\":[");
    while ((at = shown.find("{\"id\":", at)) != std::string::npos) {
      const std::string alert = shown.substr(at, shown.find('}', at) - at);
      if (holds(alert, "\"severity\":\"critical\"") && holds(alert, "\"acknowledged\":false"))
        return static_cast<int>(number_in(alert, "id"));
      ++at;
    }
    return 0;
  }
  int metrics_port_{0};
  bool small_disk_{false};
  BotSetup setup_;
};

TEST_F(MonitoredBot, ExportsTheDocumentedMetricsWhileItTrades) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_TRUE(wait_for_orders(3)) << status();
  const Page page = get("/metrics");
  ASSERT_EQ(page.code, 200);
  write_text(file("page.txt"), page.body);
  const std::string exported = families(file("page.txt"));
  EXPECT_EQ(exported, families(GIMBAL_SOURCE_DIR "/tests/fixtures/metrics/golden.txt"));
  EXPECT_TRUE(holds(page.body, "gimbal_armed 1\n")) << page.body;
  EXPECT_TRUE(holds(page.body, "gimbal_health{check=\"all\"} 1\n"));
  EXPECT_FALSE(holds(page.body, "gimbal_hop_seconds_count{hop=\"tick_to_order\"} 0\n"));
  EXPECT_EQ(get("/nothing").code, 404);
}

TEST_F(MonitoredBot, TellsEveryWedgedThreadOfTheFusedTopologyAndRecovers) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(expect_told_when_held("gimbal-hot", 2.0));
  expect_well();
  ASSERT_NO_FATAL_FAILURE(expect_told_when_held("gimbal-connect", 3.0));
  ASSERT_NO_FATAL_FAILURE(expect_told_when_held("gimbal-query", 3.0));
  expect_well();
}

TEST_F(MonitoredBot, TellsEveryWedgedThreadOfThePipelinedTopology) {
  BotSetup setup;
  setup.topology = "pipelined";
  ASSERT_NO_FATAL_FAILURE(start(setup));
  for (const char* thread : {"gimbal-feed", "gimbal-core", "gimbal-order"}) {
    ASSERT_NO_FATAL_FAILURE(expect_told_when_held(thread, 2.0));
    expect_well();
  }
}

TEST_F(MonitoredBot, TellsStaleDataAndALostSession) {
  ASSERT_NO_FATAL_FAILURE(start());
  sim_.signal(SIGSTOP);
  const double stale = told_after("data BTC-PERPETUAL", Patience{10000});
  EXPECT_GE(stale, 0) << get("/health").body;
  EXPECT_LE(stale, 3.5 * patience_factor);
  sim_.signal(SIGCONT);
  expect_well();
  sim_.signal(SIGKILL);
  EXPECT_GE(told_after("session demo", Patience{10000}), 0) << get("/health").body;
  EXPECT_GE(told_after("dead man demo", Patience{10000}), 0) << get("/health").body;
}

TEST_F(MonitoredBot, TellsAJournalThatCannotBeWritten) {
  ::mkdir(file("journal").c_str(), 0700);
  if (::mount("tmpfs", file("journal").c_str(), "tmpfs", 0, "size=3m,mode=0700") != 0) {
    GTEST_SKIP() << "a small disk cannot be mounted here";
  }
  small_disk_ = true;
  BotSetup setup;
  setup.runtime_extra = "journal_segment_mib = 1\n[journal]\nreserve_mib = 1\nframes = \"off\"\n";
  ASSERT_NO_FATAL_FAILURE(start(setup));
  const double after = told_after("journal", Patience{60000});
  EXPECT_GE(after, 0) << get("/health").body;
  EXPECT_TRUE(eventually(Patience{5000}, [&] { return holds(status(), "journal_fault"); }))
      << status();
  EXPECT_FALSE(holds(status(), "\"armed\":true"));
}

// M-02 end to end; the 60 s themselves are tested with an injected clock (alerts_test.cpp).
TEST_F(MonitoredBot, AnUnacknowledgedCriticalAlertPausesGrowthUntilItIsAcknowledged) {
  ASSERT_NO_FATAL_FAILURE(start());
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  ASSERT_NO_FATAL_FAILURE(expect_told_when_held("gimbal-hot", 2.0));
  ASSERT_TRUE(eventually(ready_patience, [&] {
    return holds(status(), "\"code\":\"thread_stalled\"");
  })) << status();
  const auto raised = Clock::now();
  ASSERT_TRUE(eventually(ready_patience, [&] { return holds(status(), "\"paused\":true"); }))
      << status();
  const double paused_after = std::chrono::duration<double>(Clock::now() - raised).count();
  EXPECT_LE(paused_after, 3.0 * patience_factor);
  EXPECT_TRUE(holds(status(), "\"code\":\"escalated\"")) << status();
  EXPECT_TRUE(holds(read_text(file("state/alerts.jsonl")), "\"t\":\"pause\""));

  // It outlives the process.
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, ready_patience), 0) << bot_says();
  ASSERT_NO_FATAL_FAILURE(start_bot(setup_));
  EXPECT_TRUE(holds(bot_says(), "(before this start)")) << bot_says();
  ASSERT_TRUE(eventually(ready_patience, [&] { return holds(status(), "\"paused\":true"); }))
      << status();

  for (int id = critical_id(); id != 0; id = critical_id()) {
    const Finished acked = ctl({"ack", std::to_string(id)});
    EXPECT_EQ(acked.code, 0) << acked.out << acked.err;
  }
  EXPECT_TRUE(eventually(ready_patience, [&] { return holds(status(), "\"paused\":false"); }))
      << status();
  EXPECT_EQ(ctl({"ack", "999999"}).code, 3);
  EXPECT_TRUE(holds(read_text(file("state/alerts.jsonl")), "\"t\":\"resume\""));
  // Of a bot that runs, the last record may be half written: replay says "damaged" then.
  EXPECT_EQ(bot_.stop(SIGTERM, ready_patience), 0) << bot_says();
  const Finished replayed = replay();
  EXPECT_EQ(replayed.code, 0) << replayed.out << replayed.err;
}

}  // namespace
}  // namespace gimbal::test
