// `gimbalctl reload` over the real programs: tightening under load, what is refused and by name,
// and the new hash wherever a hash is shown.
#include <signal.h>

#include "tests/io/rig.hpp"

namespace gimbal::test {
namespace {

constexpr Patience stop_patience{20000 * patience_factor};

class Reload : public Rig {
 protected:
  void start_trading() {
    ASSERT_NO_FATAL_FAILURE(start_sim());
    ASSERT_NO_FATAL_FAILURE(start_bot());
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(2)) << status();
  }
  void edit(const std::string& from, const std::string& to) {
    std::string text = read_text(file("bot.toml"));
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_text(file("bot.toml"), text.replace(at, from.size(), to));
  }
  Finished reload(const std::vector<std::string>& more = {}) {
    std::vector<std::string> argv{"reload", "--json", "--reason", "test"};
    argv.insert(argv.end(), more.begin(), more.end());
    return ctl(argv);
  }
};

TEST_F(Reload, TighteningIsTakenWhileTradingAndTheNewHashIsEverywhere) {
  ASSERT_NO_FATAL_FAILURE(start_trading());
  const std::string old_hash = config_hash();
  const Finished same = reload();
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  EXPECT_TRUE(holds(same.out, "\"unchanged\":true")) << same.out;
  edit("max_order_usd = \"2000000\"", "max_order_usd = \"1900000\"");
  const std::string new_hash = config_hash();
  ASSERT_NE(new_hash, old_hash);
  const Finished taken = reload();
  EXPECT_EQ(taken.code, 0) << taken.out << taken.err;
  EXPECT_TRUE(holds(taken.out, "\"reloaded\":true") && holds(taken.out, new_hash)) << taken.out;
  EXPECT_TRUE(holds(taken.out, "[risk] max_order_usd")) << taken.out;
  const std::string shown = status();
  EXPECT_TRUE(holds(shown, "\"config_hash\":\"" + new_hash)) << shown;
  EXPECT_TRUE(holds(shown, "\"mode\":\"active\"")) << "a reload stops nothing: " << shown;
  ASSERT_TRUE(wait_for_orders(number_in(shown, "orders_filled") + 2)) << status();
  const std::string trades =
      exchange("private/get_user_trades_by_currency?currency=BTC&count=1000");
  EXPECT_TRUE(holds(trades, "-" + old_hash.substr(0, 8) + "\"")) << trades.substr(0, 2000);
  EXPECT_TRUE(holds(trades, "-" + new_hash.substr(0, 8) + "\"")) << trades.substr(0, 2000);
  const Finished killed = kill();
  EXPECT_EQ(killed.code, 0);
  EXPECT_TRUE(holds(killed.out, new_hash)) << killed.out;
  EXPECT_EQ(ctl({"arm", "--yes", "--reason", "test", "--config-hash", old_hash}).code, 3);
  ASSERT_NO_FATAL_FAILURE(arm_or_fail());
  EXPECT_EQ(kill().code, 0);
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
  EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
  const Finished again = replay();
  EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
}

TEST_F(Reload, WhatLoosensOrCannotChangeIsRefusedByNameAndNothingIsTaken) {
  ASSERT_NO_FATAL_FAILURE(start_trading());
  const std::string running = config_hash();
  const std::string good = read_text(file("bot.toml"));
  struct Case {
    const char* from;
    const char* to;
    const char* named;
    int code;
  };
  for (const Case& c :
       {Case{"max_order_usd = \"2000000\"", "max_order_usd = \"2000001\"", "[risk] max_order_usd",
             3},
        Case{"order_ttl = \"500ms\"", "order_ttl = \"400ms\"", "[engine] order_ttl", 3},
        Case{"band_max = 1.0", "band_max = 0.9", "band_max", 3},
        Case{"max_order_lots = 200000", "max_order_lots = -1", "max_order_lots", 2},
        Case{"max_order_lots = 200000", "max_ordr_lots = 200000", "max_ordr_lots", 2}}) {
    edit(c.from, c.to);
    const Finished refused = reload();
    EXPECT_EQ(refused.code, c.code) << c.to << refused.out << refused.err;
    EXPECT_TRUE(holds(refused.out, c.named)) << c.to << refused.out;
    EXPECT_TRUE(holds(status(), "\"config_hash\":\"" + running)) << c.to;
    write_text(file("bot.toml"), good);
  }
  // Two changes of which one is wrong: neither is taken.
  edit("max_order_usd = \"2000000\"", "max_order_usd = \"1000000\"");
  edit("max_open_usd = \"5000000\"", "max_open_usd = \"6000000\"");
  EXPECT_EQ(reload().code, 3);
  EXPECT_TRUE(holds(status(), "\"config_hash\":\"" + running));
  // In HALT a loosening wants a second person: the same user twice is one person.
  write_text(file("bot.toml"), good);
  ASSERT_EQ(kill().code, 0);
  edit("max_order_usd = \"2000000\"", "max_order_usd = \"2000001\"");
  const Finished planned = reload();
  EXPECT_EQ(planned.code, 3) << planned.out;
  const std::string token = text_in(planned.out, "token");
  ASSERT_EQ(token.size(), 16u) << planned.out;
  const Finished alone = reload({"--token", token});
  EXPECT_EQ(alone.code, 3) << alone.out;
  EXPECT_TRUE(holds(alone.out, "second person")) << alone.out;
  EXPECT_EQ(reload({"--token", "0123456789abcdef"}).code, 3);
  EXPECT_TRUE(holds(status(), "\"config_hash\":\"" + running));
  EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
}

}  // namespace
}  // namespace gimbal::test
