// The metrics page: the text as it is documented, and strict to a parser that is not ours.
#include "ops/app/metrics.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "ops/app/metrics_text.hpp"
#include "ops/app/refusal_names.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

const std::string golden_file =
    std::string{GIMBAL_SOURCE_DIR} + "/tests/fixtures/metrics/golden.txt";

std::string text_of(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void add_operations(StatusReport& s) {
  s.health.checks = {{"thread gimbal-hot", true, "cycles"}, {"journal", false, "nothing synced"}};
  s.threads = {{"gimbal-hot", 123456789, 1'000'000}, {"gimbal-query", 5, -1}};
  s.mode = "reduce";
  s.scopes = {{"global", "reduce", true, ""}, {"instrument:BTC-\"X\"", "halt", true, ""}};
  AlertStatus a;
  a.severity = "critical";
  a.code = "global_loss";
  a.row = "P-19";
  a.owner = "risk";
  a.scope = "global";
  a.count = 3;
  AlertStatus seen = a;
  seen.acknowledged = true;
  s.alerts = {a, seen};
  s.alert_totals = {12, 40, 11, 1, 0, 7'400'000, true};
  s.journal = {1000, 990, 10, 64000, 0, false};
}

void add_trading(StatusReport& s) {
  s.orders_sent = 10;
  s.orders_filled = 8;
  s.orders_rejected = 1;
  s.orders_open = 2;
  s.orders_unknown = 1;
  s.refusals = {{"price_collar", 4}, {"order_rate", 0}};
  s.counters = {{"fills", 8}};
  s.latencies = {{"tick_to_order", 3, 1500, 20'000, 20'000, 20'000, 20'000, 15'000, 1, "over"},
                 {"encode", 3, 900, 900, 900, 900, 900, 1000, 0, "waiting"},
                 {"decode", 0, 0, 0, 0, 0, 0}};
  GatewayStatusLine g;
  g.account = "main";
  g.state = "ready";
  g.cancel_on_disconnect = true;
  g.reconciled = true;
  g.reconnects = 2;
  g.rate_credits = 13;
  s.gateways = {g};
  s.feeds = {{"main", true, 100, 2, 5000, 7000, 1, 0, 3, 0, 25'000'000}};
  UnderlyingLine u;
  u.underlying = "BTC";
  u.index = 65000.5;
  u.delta = -0.0125;
  u.band = 0.05;
  u.gamma = 1e-6;
  u.vega = 12.5;
  u.theta = -3;
  u.inside_band = true;
  s.underlyings = {u};
  MarginStatus m;
  m.account = "main";
  m.currency = "BTC";
  m.equity = Money{10'500'000'000};
  m.initial_margin = Money{1'000'000'000};
  m.maintenance_margin = Money{500'000'000};
  s.margins = {m};
}

StatusReport example() {
  StatusReport s;
  s.build_hash = "0123456789abcdef0000";
  s.config_hash = "fedcba9876543210ffff";
  s.topology = "fused";
  s.boot_epoch = 7;
  s.uptime_ns = 1'500'000'000;
  add_operations(s);
  add_trading(s);
  return s;
}

std::string example_page() {
  Histogram h;
  for (const std::uint64_t ns : {900u, 1'500u, 40'000u, 2'000'000u}) h.add(ns);
  h.add(3'000'000'000);
  const Histogram none;
  return metrics_text(example(), {{"tick_to_order", &h}, {"decode", &none}});
}

// Regenerate with GIMBAL_WRITE_GOLDEN=1 after a deliberate change.
TEST(Metrics, ThePageIsTheGoldenOne) {
  const std::string page = example_page();
  if (std::getenv("GIMBAL_WRITE_GOLDEN") != nullptr) {
    std::ofstream{golden_file, std::ios::binary} << page;
  }
  EXPECT_EQ(page, text_of(golden_file));
}

TEST(Metrics, AStrictParserReadsThePage) {
  const test::TempDir dir;
  std::ofstream{dir.file("page"), std::ios::binary} << example_page();
  const std::string command = "python3 " + std::string{GIMBAL_SOURCE_DIR} +
                              "/tests/monitor/parse_metrics.py " + dir.file("page");
  EXPECT_EQ(std::system(command.c_str()), 0);
}

TEST(Metrics, TheStrictParserRefusesBrokenPages) {
  const test::TempDir dir;
  const std::string page = example_page();
  const auto refused = [&](const std::string& text) {
    std::ofstream{dir.file("page"), std::ios::binary | std::ios::trunc} << text;
    const std::string command = "python3 " + std::string{GIMBAL_SOURCE_DIR} +
                                "/tests/monitor/parse_metrics.py " + dir.file("page") +
                                " >/dev/null 2>&1";
    return std::system(command.c_str()) != 0;
  };
  const auto without = [&](const std::string& line) {
    std::string text = page;
    const auto at = text.find(line);
    EXPECT_NE(at, std::string::npos) << line;
    return text.erase(at, text.find('\n', at) + 1 - at);
  };
  EXPECT_TRUE(refused(page.substr(0, page.size() - 1)));
  EXPECT_TRUE(refused(without("# TYPE gimbal_mode")));
  EXPECT_TRUE(refused(without("gimbal_hop_seconds_count{hop=\"decode\"}")));
  EXPECT_TRUE(refused(page + "gimbal_mode{scope=\"global\"} 1\n"));
  EXPECT_TRUE(refused(page + "stray\n"));
}

TEST(Metrics, LabelsAndHelpAreEscaped) {
  MetricsText m;
  m.gauge("x", "a \\ b\nc");
  m.sample(1.5, {{"k", "q\"b\\n\n\x01\xff"}});
  EXPECT_EQ(m.take(), "# HELP x a \\\\ b\\nc\n# TYPE x gauge\nx{k=\"q\\\"b\\\\n\\n??\"} 1.5\n");
}

TEST(Metrics, EveryRefusalHasAName) {
  std::set<std::string_view> names;
  for (std::size_t r = 0; r < refusals; ++r) {
    const std::string_view name = name_of(static_cast<Refusal>(r));
    EXPECT_NE(name, "unknown") << r;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

}  // namespace
}  // namespace gimbal
