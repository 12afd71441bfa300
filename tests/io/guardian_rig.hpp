// The rig with a guardian: a second key of the same account, and gimbal-guardian beside the bot.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/io/rig.hpp"

namespace gimbal::test {

inline constexpr Patience end_patience{20000 * patience_factor};

class Guarded : public Rig {
 protected:
  Guarded() { write_key(); }
  ~Guarded() override {
    if (HasFailure()) std::fprintf(stderr, "--- the guardian said:\n%s\n", guardian_says().c_str());
  }
  void write_key() const {
    write_text(file("secret/guardian"), "client_id=guard\nclient_secret=another-secret\n");
  }
  static std::vector<std::string> keys() {
    return {"--guardian-id", "guard", "--guardian-secret", "another-secret"};
  }
  // `miss` is wide: a test host may not run a thread for a while.
  [[nodiscard]] BotSetup setup(bool own_account = true) const {
    BotSetup s;
    s.own_account = own_account;
    s.guardian_required = true;
    s.risk_extra = "max_open_orders = 60\n";  // one burst can cancel as many
    s.venue_extra = "guardian_credential = \"" + file("secret/guardian") + "\"\n";
    s.tables_extra = "\n[guardian]\nmiss = \"" + miss_ +
                     "\"\ncold_miss = \"5s\"\nbeat_max = \"2s\"\nrealtime = false\n";
    return s;
  }
  void start_guardian(bool await_live = true) {
    guardian_ = Child{
        {GIMBAL_GUARDIAN, "-c", file("bot.toml")}, file("guardian.out"), file("guardian.err")};
    if (!await_live) return;
    ASSERT_TRUE(eventually(end_patience, [&] {
      return !guardian_.running() || holds(guardian_says(), "it could cancel now");
    })) << guardian_says();
    ASSERT_TRUE(guardian_.running()) << guardian_says();
  }
  // An order that rests on a connection of its own, so that no cancel-on-disconnect ends it.
  void leave_order(bool ours) {
    const std::string answer = exchange(
        "private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit&price=50000&label=" +
        std::string{ours ? "gdemo-0000010000000009-00000000" : "by-hand"});
    ASSERT_TRUE(holds(answer, "\"order_state\":\"open\"")) << answer;
  }
  [[nodiscard]] std::size_t resting() {
    const std::string answer = exchange("private/get_open_orders_by_currency?currency=BTC");
    EXPECT_FALSE(answer.empty());
    return answer.empty() ? 99 : occurrences(answer, "\"order_id\"");
  }
  [[nodiscard]] std::string guardian_says() const {
    return read_text(file("guardian.out")) + read_text(file("guardian.err"));
  }
  [[nodiscard]] std::size_t proofs() const {
    return occurrences(guardian_says(), "\"event\":\"proof\"");
  }
  // The last word on a fire; what could be told at once has no proof before it.
  [[nodiscard]] std::size_t finals() const {
    return occurrences(guardian_says(), "\"final\":true");
  }
  [[nodiscard]] std::string last_proof() const {
    const std::string said = guardian_says();
    const std::size_t at = said.rfind("{\"event\":\"proof\"");
    return at == std::string::npos ? std::string{} : said.substr(at, said.find('\n', at) - at);
  }
  void fresh_directories() const {
    for (const char* name : {"state", "run", "journal", "tls"}) {
      std::filesystem::remove_all(file(name));
    }
    ::mkdir(file("tls").c_str(), 0700);
  }

  std::string miss_{"3s"};
  Child guardian_;
};

}  // namespace gimbal::test
