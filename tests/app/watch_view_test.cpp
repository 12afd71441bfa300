#include <gtest/gtest.h>

#include <algorithm>

#include "ops/app/status.hpp"
#include "ops/ctl/render.hpp"
#include "ops/ctl/watch.hpp"

namespace gimbal {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

StatusReport busy() {
  StatusReport r;
  r.mode = "cancel";
  r.config_hash = "0123456789abcdef";
  r.build_hash = "fedcba9876543210";
  r.guardian = "live";
  r.scopes = {ScopeStatus{"instrument:BTC-PERPETUAL", "lock", true, {}}};
  r.orders_sent = 7;
  r.orders_unknown = 1;
  UnderlyingLine u;
  u.underlying = "BTC";
  u.index = 100043.5;
  u.delta = 0.2;
  u.band = 0.1;
  r.underlyings = {u};
  for (int i = 0; i < 40; ++i) {
    OrderLine o;
    o.instrument = "BTC-PERPETUAL";
    o.state = "working";
    r.orders.push_back(o);
  }
  r.latencies = {
      LatencyStatus{"tick_to_order", 5, 208'900, 0, 509'100, 509'100, 600'000, 200'000, 3, "over"},
      LatencyStatus{"encode", 0, 0, 0, 0, 0, 0}};
  AlertStatus a;
  a.id = 3;
  a.severity = "critical";
  a.code = "position_drift";
  a.text = "what it was";
  r.alerts = {a};
  r.health.checks = {HealthLine{"dead man", false, "off"}, HealthLine{"journal", true, "fine"}};
  r.flatten.scope = "global";
  r.flatten.phase = "closing";
  r.flatten.orders = 12;
  return r;
}

TEST(WatchView, ShowsModesBandOrdersLatencyHealthAndAlertsOnOneScreen) {
  const std::string screen = ctl::watch_text(status_json(busy()));
  EXPECT_EQ(screen.rfind("CANCEL", 0), 0u) << screen;
  EXPECT_TRUE(holds(screen, "LOCK instrument:BTC-PERPETUAL latched")) << screen;
  EXPECT_TRUE(holds(screen, "FLATTEN global closing")) << screen;
  EXPECT_TRUE(holds(screen, "slices 12")) << screen;
  EXPECT_TRUE(holds(screen, "OUTSIDE")) << screen;
  EXPECT_TRUE(holds(screen, "[---------0--------->") || holds(screen, ">]")) << screen;
  EXPECT_TRUE(holds(screen, "unknown 1")) << screen;
  EXPECT_TRUE(holds(screen, "tick_to_order")) << screen;
  EXPECT_TRUE(holds(screen, "n 5  OVER BUDGET")) << screen;
  EXPECT_FALSE(holds(screen, "latency encode")) << "nothing was measured: " << screen;
  EXPECT_TRUE(holds(screen, "NOT OK  dead man: off")) << screen;
  EXPECT_FALSE(holds(screen, "journal: fine")) << screen;
  EXPECT_TRUE(holds(screen, "critical 3 position_drift")) << screen;
}

TEST(Latency, ShowsBudgetHowOftenItWasExceededAndTheVerdict) {
  StatusReport r = busy();
  r.latencies.push_back({"parse", 900, 800, 900, 950, 990, 1000, 1000, 0, "ok"});
  const std::string json = latency_json(r);
  EXPECT_TRUE(holds(json, R"("budget_ns":200000,"over":3,"verdict":"over")")) << json;
  EXPECT_TRUE(holds(json, R"("budget_ns":0,"over":0,"verdict":"none")")) << json;
  const std::string page = ctl::latency_text(json);
  EXPECT_TRUE(holds(page, "600.0     200.0        3  OVER BUDGET\n")) << page;
  EXPECT_TRUE(holds(page, "1.0       1.0        0  ok\n")) << page;
  EXPECT_TRUE(holds(page, "0.0\n")) << "no budget, nothing said of one: " << page;
}

TEST(Latency, AnAnswerWithoutBudgetsIsOfAnOlderBotAndShown) {
  const std::string page = ctl::latency_text(
      R"({"latencies":[{"hop":"send","count":1,"p50_ns":1000,"p90_ns":1000,"p99_ns":1000,)"
      R"("p999_ns":1000,"max_ns":1000}]})");
  EXPECT_TRUE(holds(page, "send ")) << page;
  EXPECT_FALSE(holds(page, "OVER")) << page;
}

TEST(WatchView, ASmallTerminalLosesOrdersAndNeverAnAlarm) {
  const std::string screen = ctl::watch_text(status_json(busy()), 10);
  EXPECT_EQ(std::count(screen.begin(), screen.end(), '\n'), 10);
  EXPECT_TRUE(holds(screen, "critical 3")) << screen;
  EXPECT_TRUE(holds(screen, "NOT OK")) << screen;
}

TEST(WatchView, AnAnswerOfAnotherShapeIsShownAsItIs) {
  EXPECT_EQ(ctl::watch_text("{\"mode\":1}"), "{\"mode\":1}\n");
  EXPECT_EQ(ctl::watch_text("not json"), "not json\n");
  EXPECT_EQ(ctl::watch_text("{\"error\":\"no\"}"), "no\n");
}

}  // namespace
}  // namespace gimbal
