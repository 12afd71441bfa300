// The real gimbalctl against a control server and a stop page in a temporary directory.
#include <sys/wait.h>

#include <fstream>
#include <thread>

#include "engine/core/payload.hpp"
#include "engine/runtime/gate_page.hpp"
#include "ops/app/scope_names.hpp"
#include "tests/app/control_fixture.hpp"

namespace gimbal {
namespace {

struct Ran {
  int code{-1};
  std::string out;  // standard output and error
};

class Gimbalctl : public ControlTest {
 protected:
  void SetUp() override {
    ControlTest::SetUp();
    std::filesystem::create_directory(runtime_dir);
    std::filesystem::permissions(runtime_dir, std::filesystem::perms{0750});
    handler.proof.latch = "durable";
  }
  void make_stop_page() {
    const auto made = stop.create(runtime_dir + "/" + std::string{stop_page_file});
    ASSERT_TRUE(static_cast<bool>(made)) << made.error();
  }
  // Runs the program; the server, if started, is polled meanwhile.
  Ran ctl(const std::string& arguments) {
    const std::string command = std::string{GIMBALCTL} + " --runtime-dir " + runtime_dir + " " +
                                arguments + " 2>&1 </dev/null";
    Ran ran;
    std::thread program{[&] {
      FILE* pipe = ::popen(command.c_str(), "r");
      char chunk[4096];
      while (const std::size_t n = ::fread(chunk, 1, sizeof chunk, pipe)) ran.out.append(chunk, n);
      const int status = ::pclose(pipe);
      ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
      done.store(true);
    }};
    while (!done.load()) {
      if (server)
        server->poll_once(std::chrono::milliseconds{1});
      else
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    program.join();
    done.store(false);
    return ran;
  }

  StopPage stop;
  std::atomic<bool> done{false};
};

TEST_F(Gimbalctl, AKillWritesTheStopPageAndPrintsTheProof) {
  make_stop_page();
  start();
  handler.proof.venues.push_back({"main", 7, 0, 1, 50'000, 50'000, 7, 0, 0, 0, "on"});
  const auto ran = ctl("kill --reason 'end of day'");
  EXPECT_EQ(ran.code, 0) << ran.out;
  EXPECT_TRUE(holds(ran.out, "confirmed: nothing is open")) << ran.out;
  EXPECT_TRUE(holds(ran.out, "live before 7")) << ran.out;
  EXPECT_EQ(stop.at(Scope{}), Mode::cancel);
  ASSERT_EQ(handler.kills.size(), 1u);
  EXPECT_EQ(handler.kills[0].reason, "end of day");
}

TEST_F(Gimbalctl, AKillOfAnAbsentBotSaysFourWithTheStopPageWritten) {
  make_stop_page();
  const auto ran = ctl("kill --mode lock");
  EXPECT_EQ(ran.code, 4) << ran.out;
  EXPECT_TRUE(holds(ran.out, "the stop page is written")) << ran.out;
  EXPECT_EQ(stop.at(Scope{}), Mode::lock);
}

TEST_F(Gimbalctl, AKillOfAHangingBotSaysFourAfterTheWait) {
  make_stop_page();
  const int hanging = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(options.path.begin(), options.path.end(), address.sun_path);
  ASSERT_EQ(::bind(hanging, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(hanging, 4), 0);
  const auto began = std::chrono::steady_clock::now();
  const auto ran = ctl("kill --wait 100ms --json");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{3});
  ::close(hanging);
  EXPECT_EQ(ran.code, 4) << ran.out;
  EXPECT_TRUE(holds(ran.out, "\"stop_page_written\":true")) << ran.out;
  EXPECT_EQ(stop.at(Scope{}), Mode::cancel);
}

TEST_F(Gimbalctl, WithoutAStopPageItSaysSoLoudly) {
  const auto ran = ctl("kill");
  EXPECT_EQ(ran.code, 4);
  EXPECT_TRUE(holds(ran.out, "THE STOP PAGE IS NOT WRITTEN")) << ran.out;
}

TEST_F(Gimbalctl, AnUnconfirmedKillSaysFive) {
  make_stop_page();
  start();
  handler.proof.venues.push_back({"main", 2, 0, 1, 1000, 1000, 1, 1, 0, 0, "on"});
  const auto ran = ctl("kill --wait 50ms");
  EXPECT_EQ(ran.code, 5) << ran.out;
  EXPECT_TRUE(holds(ran.out, "NOT CONFIRMED")) << ran.out;
}

TEST_F(Gimbalctl, ANamedScopeStopsOnlyItselfOnThePage) {
  make_stop_page();
  start();
  const auto wrote = write_scope_names(runtime_dir, {{{ScopeLevel::account, 3}, "main"}});
  ASSERT_TRUE(static_cast<bool>(wrote)) << wrote.error();
  EXPECT_EQ(ctl("kill --scope account:main --mode halt").code, 0);
  EXPECT_EQ(stop.at(Scope{}), Mode::active);
  EXPECT_EQ(stop.at(Scope{ScopeLevel::account, 3}), Mode::halt);
}

TEST_F(Gimbalctl, AnUnknownScopeStopsNothingAndSaysHowToStopEverything) {
  make_stop_page();
  start();
  ASSERT_TRUE(static_cast<bool>(write_scope_names(runtime_dir, {})));
  const auto ran = ctl("kill --scope account:mian");
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(holds(ran.out, "nothing was stopped")) << ran.out;
  EXPECT_TRUE(handler.kills.empty());
  EXPECT_EQ(stop.at(Scope{}), Mode::active);
}

TEST_F(Gimbalctl, AReduceThatCannotBeAskedForBecomesAHalt) {
  make_stop_page();
  const auto ran = ctl("kill --mode reduce");
  EXPECT_EQ(ran.code, 4);
  EXPECT_EQ(stop.at(Scope{}), Mode::halt);
}

TEST_F(Gimbalctl, AReduceOfALiveBotLeavesThePageAlone) {
  make_stop_page();
  start();
  EXPECT_EQ(ctl("kill --mode reduce").code, 0);
  EXPECT_EQ(stop.at(Scope{}), Mode::active);
  ASSERT_EQ(handler.kills.size(), 1u);
  EXPECT_EQ(handler.kills[0].mode, Mode::reduce);
}

TEST_F(Gimbalctl, ArmPassesHashAndReasonAndNeedsYesWithoutATerminal) {
  start();
  EXPECT_EQ(ctl("arm --reason demo --config-hash 0123456789abcdef").code, 2);
  EXPECT_TRUE(handler.arms.empty());
  const auto ran = ctl("arm --yes --reason demo --config-hash 0123456789abcdef");
  EXPECT_EQ(ran.code, 0) << ran.out;
  ASSERT_EQ(handler.arms.size(), 1u);
  EXPECT_EQ(handler.arms[0].config_hash, "0123456789abcdef");
  EXPECT_EQ(handler.arms[0].reason, "demo");
}

TEST_F(Gimbalctl, ReadersPrintTextAndJson) {
  start();
  handler.report.mode = "halt";
  handler.report.gateways.push_back(
      {"main", "sim", "ready", true, true, 1'000'000, 0, 20, "epoll: asked for"});
  handler.report.positions.push_back({"main", "BTC-PERPETUAL", Qty{-10'000'000'000},
                                      Price{50'000'500'000'000}, Price{absent_nano}, -0.5, 0, 0, 0,
                                      "none"});
  handler.report.latencies.push_back({"tick to order", 10, 12'000, 13'000, 14'000, 15'000, 16'000});
  const auto status = ctl("status");
  EXPECT_EQ(status.code, 0) << status.out;
  EXPECT_TRUE(holds(status.out, "mode halt")) << status.out;
  EXPECT_TRUE(holds(status.out, "gateway main (sim) ready")) << status.out;
  EXPECT_TRUE(holds(ctl("positions").out, "50000.5"));
  EXPECT_TRUE(holds(ctl("positions --json").out, "\"mark\":null"));
  EXPECT_TRUE(holds(ctl("orders").out, "0 open"));
  EXPECT_TRUE(holds(ctl("latency").out, "tick to order"));
  EXPECT_EQ(ctl("watch --count 2 --interval 10ms").code, 0);
}

TEST_F(Gimbalctl, AnUnreachableBotAndBadUsageHaveTheirCodes) {
  EXPECT_EQ(ctl("status").code, 4);
  EXPECT_EQ(ctl("explode").code, 2);
  EXPECT_EQ(ctl("kill --wait forever").code, 2);
  EXPECT_EQ(ctl("kill --mode soft").code, 2);
  EXPECT_EQ(ctl("--help").code, 0);
}

TEST_F(Gimbalctl, FlattenShowsThePlanThenAsksAndSendsItsTokenOnlyWhenAgreed) {
  start();
  EXPECT_EQ(ctl("flatten --reason test").code, 2) << "no loss limit";
  EXPECT_EQ(ctl("flatten --max-loss 100").code, 2) << "no reason";
  const auto unasked = ctl("flatten --reason test --max-loss 100");
  EXPECT_EQ(unasked.code, 2) << unasked.out;
  ASSERT_EQ(handler.flattens.size(), 1u);
  EXPECT_TRUE(handler.flattens[0].token.empty());
  const auto agreed =
      ctl("flatten account:main --yes --json --options --reason test --max-loss 100.5");
  EXPECT_EQ(agreed.code, 0) << agreed.out;
  ASSERT_EQ(handler.flattens.size(), 3u);
  EXPECT_EQ(handler.flattens[2].token, "0123456789abcdef");
  EXPECT_EQ(handler.flattens[2].scope, (Scope{ScopeLevel::account, 3}));
  EXPECT_TRUE(handler.flattens[2].options);
  EXPECT_EQ(handler.flattens[2].max_loss.nano, 100'500'000'000);
  EXPECT_EQ(ctl("flatten --stop --reason test").code, 0);
  EXPECT_TRUE(handler.flattens[3].stop);
}

TEST_F(Gimbalctl, ARefusedRequestIsShownWithTheBotsReason) {
  start();
  const auto ran = ctl("flatten account:other --yes --reason test --max-loss 1");
  EXPECT_EQ(ran.code, 2);
  EXPECT_TRUE(holds(ran.out, "there is no account")) << ran.out;
}

TEST_F(Gimbalctl, StressComputesTheGridHereFromTheBotsPositions) {
  PositionLine perp;
  perp.account = "main";
  perp.instrument = "BTC-PERPETUAL";
  perp.amount = Qty{-100'000'000'000'000};
  perp.mark = Price{50'000'000'000'000};
  handler.report.positions = {perp};
  UnderlyingLine btc;
  btc.underlying = "BTC";
  btc.index = 50'000;
  handler.report.underlyings = {btc};
  MarginStatus margin;
  margin.account = "main";
  margin.currency = "BTC";
  margin.equity = Money{2'500'000'000};
  handler.report.margins = {margin};
  const std::string rates = runtime_dir + "/rates.json";
  std::ofstream{rates} << R"({"future":{"initial":0.02,"maintenance":0.01,"per_coin":5e-05},)"
                       << R"("option":{"initial":0.15,"initial_min":0.1,"maintenance":0.075}})";
  start();
  const auto table = ctl("stress --sigma 0.6 --margin deribit_standard=" + rates);
  EXPECT_EQ(table.code, 0) << table.out;
  EXPECT_TRUE(holds(table.out, "Profit in USD after no time")) << table.out;
  EXPECT_TRUE(holds(table.out, "BTC inverse")) << table.out;
  EXPECT_TRUE(holds(table.out, "0.008")) << table.out;  // (0.01 + 0.00005 * 2) 2 / 2.5 = 0.00808
  const auto json = ctl("stress --sigma 0.6 --json");
  EXPECT_EQ(json.code, 0) << json.out;
  EXPECT_TRUE(holds(json.out, "\"grid\"")) << json.out;
  EXPECT_EQ(ctl("stress").code, 2);  // no option implies a volatility
  EXPECT_EQ(ctl("stress --sigma 0.6 --margin deribit_standard").code, 2);
  EXPECT_TRUE(handler.others.empty());  // the bot itself was asked for positions only
}

TEST_F(Gimbalctl, StressOfAnAbsentBotSaysFour) { EXPECT_EQ(ctl("stress --sigma 0.6").code, 4); }

}  // namespace
}  // namespace gimbal
