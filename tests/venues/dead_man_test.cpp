// D-01: cancel-on-disconnect is set and read back on the first connection and on every later one;
// unless it reads as on, the session does not become ready, and without that nothing can be armed.
#include "tests/support/deribit_gateway_fixture.hpp"

namespace gimbal {
namespace {

using test::DeribitGateway;

struct Doubt {
  const char* name;
  const char* set;   // answer to enable_cancel_on_disconnect; empty: none comes
  const char* read;  // answer to get_cancel_on_disconnect; empty: none comes
};
constexpr const char* set_ok = R"({"jsonrpc":"2.0","id":2,"result":"ok"})";
constexpr const char* reads_on =
    R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":true}})";
constexpr Doubt doubts[] = {
    {"it reads as off", set_ok,
     R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":false}})"},
    {"setting it is refused", R"({"jsonrpc":"2.0","id":2,"error":{"code":13021}})", ""},
    {"reading it is refused", set_ok, R"({"jsonrpc":"2.0","id":3,"error":{"code":13009}})"},
    {"reading it is not answered", set_ok, ""},
};

struct DeadMan : DeribitGateway {
  std::vector<GatewayStatus> said;

  void keep() {
    for (const GatewayStatus& s : found<GatewayStatus>(EventKind::gateway_status)) {
      said.push_back(s);
    }
    batch.clear();
  }
  // One connection: every step is in order but for the dead man's two answers.
  void come_up(const char* set, const char* read) {
    said.clear();
    log_in();
    keep();
    for (const char* answer :
         {R"({"jsonrpc":"2.0","id":1,"result":"ok"})",
          R"({"jsonrpc":"2.0","id":4,"result":["user.portfolio.ANY","user.trades.any.any.raw",)"
          R"("user.orders.any.any.raw"]})",
          set, read}) {
      if (*answer == '\0') continue;
      (void)take(answer);
      keep();
    }
    now = now + seconds(6);
    gateway().on_timer(now, batch, outbox);
    keep();
  }
  void drop() {
    batch.clear();
    gateway().on_close(now, batch);
    batch.clear();
  }
  void expect_not_proven(const Doubt& doubt, const char* when) {
    EXPECT_FALSE(gateway().ready()) << doubt.name << when;
    for (const GatewayStatus& s : said) {
      EXPECT_NE(s.state, GatewayState::ready) << doubt.name << when;
      EXPECT_EQ(s.cancel_on_disconnect, 0) << doubt.name << when;
    }
    EXPECT_FALSE(gateway().waiting_for().empty()) << doubt.name << when;
    const Encoded e =
        gateway().encode(place(order, test::usd(50000), test::amount(10), 0), now, bytes);
    EXPECT_FALSE(e.ok()) << "an order was encoded: " << doubt.name << when;
  }
};

TEST_F(DeadMan, D01OnlyReadBackAsOnCountsAtBootAndAtEachReconnect) {
  int cases = 0;
  for (const Doubt& doubt : doubts) {
    made.reset();
    connections = 0;
    come_up(doubt.set, doubt.read);
    expect_not_proven(doubt, " (boot)");
    ++cases;
    drop();
    come_up(set_ok, reads_on);
    ASSERT_TRUE(gateway().ready()) << doubt.name;
    EXPECT_EQ(said.back().cancel_on_disconnect, 1);
    drop();
    come_up(doubt.set, doubt.read);  // what was proven before proves nothing now
    expect_not_proven(doubt, " (reconnect)");
    ++cases;
  }
  EXPECT_EQ(cases, 8);
}

}  // namespace
}  // namespace gimbal
