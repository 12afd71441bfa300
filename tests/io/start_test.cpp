// A bot that starts: with a thousand orders at the venue, and while the system refuses its calls.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "engine/runtime/journal.hpp"
#include "engine/runtime/journal_files.hpp"
#include "engine/wire/http.hpp"
#include "tests/io/rig.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::test {
namespace {

constexpr Patience start_patience{30000 * patience_factor};

class Starting : public Rig {
 protected:
  // Orders of an earlier boot, placed over one connection that is not the bot's: cancel on
  // disconnect does not reach what another connection placed.
  void leave_orders(int count) {
    TlsConfig tls;
    tls.ca_file = file("tls/ca.pem");
    std::string error;
    const auto context = TlsContext::make(tls, error);
    ASSERT_NE(context, nullptr) << error;
    Endpoint endpoint;
    endpoint.host = "127.0.0.1";
    endpoint.port = static_cast<std::uint16_t>(port_);
    HttpsClient client{context, endpoint};
    HttpRequest request;
    request.target = "/api/v2/public/auth?grant_type=client_credentials&client_id=" + client_id_ +
                     "&client_secret=" + client_secret_;
    const HttpResponse token = client.call(request, start_patience);
    request.headers = {{"Authorization", "Bearer " + text_in(token.body, "access_token")}};
    for (int i = 1; i <= count; ++i) {
      char label[40];
      std::snprintf(label, sizeof label, "gdemo-000001%010x-00000000", static_cast<unsigned>(i));
      request.target =
          "/api/v2/private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit"
          "&price=" +
          std::to_string(40000 + i) + "&label=" + label;
      const HttpResponse answer = client.call(request, start_patience);
      ASSERT_TRUE(holds(answer.body, "\"order_state\":\"open\"")) << answer.body;
    }
  }
  void die() {
    bot_.signal(SIGKILL);
    ASSERT_EQ(bot_.wait(start_patience), 128 + SIGKILL);
  }
  // From the start of the program until it shows a complete picture of the account.
  [[nodiscard]] double start_seconds() {
    const auto begin = std::chrono::steady_clock::now();
    start_bot();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }
};

// GIMBAL_LONG (ops/soak restart): the figure against its bar. A machine that runs other tests
// beside this one is given longer.
TEST_F(Starting, AThousandOpenOrdersAreAdoptedAndReconciled) {
  const bool measured = std::getenv("GIMBAL_LONG") != nullptr;
  const int orders = 1000;
  ASSERT_NO_FATAL_FAILURE(start_sim({"--matching-rate", "100000", "--matching-burst", "100000",
                                     "--query-rate", "100000", "--query-burst", "100000"}));
  ASSERT_NO_FATAL_FAILURE(start_bot());
  ASSERT_NO_FATAL_FAILURE(die());
  double best = 1e9;
  ASSERT_NO_FATAL_FAILURE(leave_orders(orders));
  // From the second on the boot before has them in its snapshot and its journal.
  for (int round = 0; round < (measured ? 9 : 2); ++round) {
    const double took = start_seconds();
    ASSERT_FALSE(HasFatalFailure());
    std::printf("round %d: %.3f s\n", round + 1, took);
    best = std::min(best, took);
    EXPECT_EQ(number_in(status(), "orders_open"), orders) << status();
    ASSERT_NO_FATAL_FAILURE(die());
  }
  std::printf("from exec to reconciled with %d open orders: %.3f s at best\n", orders, best);
  EXPECT_LE(best, measured ? 1.0 : 10.0);
}

// brk() is refused by an answer below what was asked for; it has no error.
struct Refused {
  const char* call;
  const char* effect;
  int last;  // of the calls of a thread; later ones come when it has long started
};
constexpr Refused everything[] = {
    {"openat", "error=EMFILE", 400},
    {"mkdir", "error=ENOSPC", 20},
    {"rename", "error=EIO", 20},
    {"fallocate", "error=ENOSPC", 20},
    {"ftruncate", "error=EIO", 20},
    {"pwrite64", "error=ENOSPC", 30},
    {"write", "error=ENOSPC", 40},
    {"fdatasync", "error=EIO", 20},
    {"fsync", "error=EIO", 20},
    {"flock", "error=ENOLCK", 20},
    {"unlink", "error=EIO", 20},
    {"clone3", "error=EAGAIN", 20},
    {"mmap", "error=ENOMEM", 400},
    {"brk", "retval=0", 200},
    {"mlock", "error=ENOMEM", 20},
    {"socket", "error=EMFILE", 20},
    {"bind", "error=EACCES", 20},
    {"connect", "error=ENETUNREACH", 20},
    {"listen", "error=EADDRINUSE", 5},
    {"setsockopt", "error=EINVAL", 5},
    {"io_uring_setup", "error=ENOMEM", 5},
};
// For every run of the tests: where the bot itself makes the call, not the loader of its libraries.
constexpr Refused some[] = {{"fallocate", "error=ENOSPC", 2},
                            {"rename", "error=EIO", 1},
                            {"clone3", "error=EAGAIN", 3},
                            {"mmap", "error=ENOMEM", 100},
                            {"io_uring_setup", "error=ENOMEM", 1}};

// A change of a mode to ACTIVE, in the trace's own words. A trip that only warns names no mode
// either
// ("mode":0), so each line is looked at by itself.
bool traded(const std::string& said) {
  std::istringstream lines{said};
  for (std::string line; std::getline(lines, line);) {
    if (holds(line, "\"trace\":\"mode_changed\"") && holds(line, "\"d\":0}")) return true;
  }
  return false;
}

class StartRefused : public Starting {
 protected:
  // One start and stop in which a call is refused its n-th time, in each thread. False: it was not
  // made so often.
  bool start_with(const Refused& r, int n) {
    const std::string call = r.call;
    std::vector<std::string> argv{"/usr/bin/strace",
                                  "-D",
                                  "-f",
                                  "--seccomp-bpf",
                                  "-qq",
                                  "-o",
                                  file("calls"),
                                  "-e",
                                  call == "openat" ? "trace=openat" : "trace=openat," + call,
                                  "-e"};
    argv.push_back("inject=" + call + ":" + r.effect + ":when=" + std::to_string(n));
    argv.insert(argv.end(), {program(), "run", "-c", file("bot.toml"), "--quiet", "--duration"});
    argv.emplace_back("1.0");
    std::remove(file("calls").c_str());
    const Finished ran = run_program(argv, dir_.path(), start_patience);
    // The tracer may end a moment after the bot.
    const bool fired =
        eventually(Patience{300}, [&] { return holds(read_text(file("calls")), "(INJECTED)"); });
    const std::string where = call + " " + r.effect + " " + std::to_string(n) + ": ";
    ++runs_;
    if (ran.code == 0) ++came_up_;
    EXPECT_GE(ran.code, 0) << where << "it hung" << ran.err;
    // The loader of the libraries has words for some calls only; it is not ours.
    const std::string calls = read_text(file("calls"));
    if (calls.find("bot.toml") < calls.find("(INJECTED)")) {
      EXPECT_LT(ran.code, 128) << where << "died of a signal\n" << ran.err;
      EXPECT_TRUE(ran.code == 0 || !ran.err.empty()) << where << "ended without a word";
    } else if (ran.code != 0) {
      ++in_loader_;
    }
    EXPECT_FALSE(traded(ran.err)) << where << ran.err;
    for (const StreamName& stream : {journal_stream, frame_stream}) {
      EXPECT_TRUE(reads(stream)) << where << stream.prefix << " is corrupt";
    }
    return fired;
  }
  // The newest boot's stream is sound as far as it goes.
  [[nodiscard]] bool reads(const StreamName& stream) const {
    std::vector<std::vector<std::byte>> segments;
    if (!load_segments(file("journal"), stream, 0, segments)) return true;
    JournalReader reader{{segments.begin(), segments.end()}, stream};
    JournalRecord record;
    JournalStatus status = JournalStatus::record;
    while (status == JournalStatus::record) status = reader.next(record);
    return status != JournalStatus::corrupt;
  }
  int runs_{0};
  int came_up_{0};
  int in_loader_{0};  // ended before the program itself began
};

// A call that fails ends the start with a sentence, or does not matter; never a crash, an order, a
// journal that does not read, or a state that the next start cannot use.
TEST_F(StartRefused, EndsWithASentenceOrGoesOnAndLeavesNothingBroken) {
  if (::access("/usr/bin/strace", X_OK) != 0) GTEST_SKIP() << "strace is not installed";
  const Finished traced =
      run_program({"/usr/bin/strace", "-o", "/dev/null", "true"}, dir_.path(), start_patience);
  if (traced.code != 0) GTEST_SKIP() << "ptrace is not permitted here: " << traced.err;
  ASSERT_NO_FATAL_FAILURE(start_sim({"--query-rate", "100000", "--query-burst", "100000"}));
  write_config({});
  if (std::getenv("GIMBAL_LONG") != nullptr) {
    for (const Refused& r : everything) {
      int n = 1;
      while (n <= r.last && start_with(r, n)) ++n;
      std::printf("%s %s: calls 1 to %d\n", r.call, r.effect, n - 1);
      std::fflush(stdout);
    }
  } else {
    for (const Refused& r : some) {
      EXPECT_TRUE(start_with(r, r.last)) << r.call << " was not made " << r.last << " times";
    }
  }
  std::printf("%d starts, %d came up and stopped as told, %d refused, %d of these by the loader\n",
              runs_, came_up_, runs_ - came_up_, in_loader_);
  ASSERT_NO_FATAL_FAILURE(start_bot());
  EXPECT_EQ(bot_.stop(SIGTERM, start_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders"), 0);
}

}  // namespace
}  // namespace gimbal::test
