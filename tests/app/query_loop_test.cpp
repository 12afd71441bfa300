// The query thread's loop: what must go on however much is asked for.
#include "ops/app/query_loop.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "engine/runtime/gate_page.hpp"
#include "ops/app/venue_queries.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

// A venue that proves nothing; while it answers, the core asks for the same order again.
class NeverProven final : public QueryTransport {
 public:
  explicit NeverProven(QueryRing& tasks) : tasks_{tasks} {}
  HttpResponse call(const HttpRequest& asked, std::chrono::milliseconds) override {
    if (asked.body.find("public/auth") != std::string::npos) logins.fetch_add(1);
    if (asked.body.find("get_instruments") != std::string::npos) lists.fetch_add(1);
    ask();
    return {200,
            R"({"jsonrpc":"2.0","id":1,"error":{"code":11044,"message":"not_open_order"},)"
            R"("usIn":1,"usOut":2,"usDiff":1,"testnet":true})",
            {},
            false};
  }
  RecvTime now() const override { return RecvTime{1}; }
  ExchTime wall() const override { return from_unix_ms(1'800'000'000'000); }
  void pause(std::chrono::milliseconds) override {}
  void ask() {
    QueryTask task;
    task.kind = CommandKind::query_order;
    task.query.order = make_order_id(6, StrategyId{0}, 1);
    (void)tasks_.push(task);
  }
  std::atomic<int> logins{0};
  std::atomic<int> lists{0};

 private:
  QueryRing& tasks_;
};

TEST(QueryLoop, WhileAnOrderCannotBeProvenItLogsInAndReadsListsAndTheClock) {
  QueryRing tasks{64};
  EventRing events{1024};
  const test::TempDir dir;
  GatePage page;
  ASSERT_TRUE(page.create(dir.file("gate"), 1));
  const TscClock clock;
  deribit::SymbolTable symbols;
  const auto venue = std::make_shared<NeverProven>(tasks);
  QuerySetup setup;
  setup.label_tag = "demo";
  setup.symbols = &symbols;
  setup.transport = venue;
  setup.currencies = {"BTC"};
  setup.burst = 1'000'000;
  setup.login.client_id = "test";
  setup.login.client_secret = "test";
  setup.login.unix_ms = [] { return std::int64_t{1'800'000'000'000}; };
  VenueQueries queries{std::move(setup)};
  std::atomic<int> clocks{0};
  QueryLoop loop{queries,
                 tasks,
                 events,
                 page,
                 clock,
                 VenueId{0},
                 milliseconds(20),
                 [&](const std::string& said) {
                   if (said.find("get_time") != std::string::npos) clocks.fetch_add(1);
                 }};
  loop.refresh_instruments({"BTC"}, milliseconds(1));
  venue->ask();
  std::atomic<bool> stop{false};
  std::thread thread{[&] { loop.run(stop); }};
  const auto begin = std::chrono::steady_clock::now();
  const auto end = begin + std::chrono::seconds{20};
  const auto all = [&] { return venue->logins > 1 && venue->lists > 0 && clocks > 1; };
  while (!all() && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  stop = true;
  thread.join();
  EXPECT_GT(venue->logins, 1);
  EXPECT_GT(venue->lists, 0);
  EXPECT_GT(clocks, 1) << "asked for, its refusal told, and asked for again";
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{9})
      << "a clock that was refused is not left for ten seconds";
}

}  // namespace
}  // namespace gimbal
