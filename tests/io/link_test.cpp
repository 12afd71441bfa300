// The cable between the bot and the exchange is pulled in mid-trade: two hosts (network
// namespaces), the real programs, TLS end to end, nothing between but the cable. Skipped, with the
// reason, where namespaces, veth or tun devices are not permitted.
#include <signal.h>
#include <time.h>

#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "engine/core/payload.hpp"
#include "engine/runtime/journal.hpp"
#include "tests/io/lossy_cable.hpp"
#include "tests/io/rig.hpp"
#include "tests/support/load_journal.hpp"

namespace gimbal::test {
namespace {

constexpr Patience stop_patience{20000 * patience_factor};
constexpr std::int64_t second_ns = 1'000'000'000;

std::int64_t mono_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * second_ns + now.tv_nsec;
}

void wait_until(std::int64_t when) {
  const timespec at{when / second_ns, when % second_ns};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) != 0) {}
}

// Every text under "name":" in a JSON text, in its order.
std::vector<std::string> all_texts(const std::string& json, const std::string& name) {
  std::vector<std::string> out;
  const std::string key = '"' + name + "\":\"";
  for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    out.push_back(json.substr(begin, json.find('"', begin) - begin));
  }
  return out;
}

// A time in which the cable was out, as seen by the test.
struct Outage {
  std::int64_t pulled{0};
  std::int64_t plugged{0};
};

struct Sent {
  std::int64_t at{0};
  std::string label;
  std::string text;
};

class VenueLink : public Rig {
 protected:
  void SetUp() override {
    std::string why = hosts_.separate();
    if (why.empty()) why = join();
    if (why.empty() && !hosts_.lead_loopback()) why = "127.0.0.1 cannot lead over a cable here";
    if (!why.empty()) GTEST_SKIP() << why;
    prefix_ = hosts_.on_b();
  }
  virtual std::string join() { return hosts_.join(); }

  // The venue's answers take 400 ms, so that an order is on its way for as long.
  void start_trading(BotSetup setup, const std::vector<std::string>& venue) {
    ASSERT_NO_FATAL_FAILURE(start_sim(venue));
    ASSERT_NO_FATAL_FAILURE(start_bot(setup));
    ASSERT_NO_FATAL_FAILURE(arm_or_fail());
    ASSERT_TRUE(wait_for_orders(3)) << status();
  }
  static BotSetup slow_venue() {
    BotSetup s;
    s.engine_extra = "ack_timeout = \"1s\"\n";  // above the venue's 400 ms
    s.venue_extra = "silence_max = \"10s\"\nreconnect_max = \"1s\"\n";
    return s;
  }
  // Pulls the cable under an order that has just left: its answer never comes, and it becomes one
  // in doubt in its time. Now and then the answer is faster than the hand at the cable.
  void pull_under_an_order() {
    for (int attempt = 0; attempt < 6; ++attempt) {
      const double before = number_in(status(), "orders_sent", 0);
      ASSERT_TRUE(eventually(stop_patience, [&] {
        return number_in(status(), "orders_sent", 0) > before;
      })) << status();
      outages_.push_back({mono_now(), 0});
      ASSERT_TRUE(hosts_.pull());
      if (eventually(Patience{2000 * patience_factor}, [&] { return in_doubt() > 0; })) return;
      ASSERT_NO_FATAL_FAILURE(plug());
      ASSERT_NO_FATAL_FAILURE(trades_again());
    }
    FAIL() << "no order was on its way in six cuts: " << status();
  }
  void plug() {
    outages_.back().plugged = mono_now();
    ASSERT_TRUE(hosts_.plug());
  }
  [[nodiscard]] double in_doubt() { return number_in(status(), "orders_unknown", 0); }
  [[nodiscard]] bool session_ready() { return holds(status(), "\"reconciled\":true"); }
  void trades_again() {
    const double filled = number_in(status(), "orders_filled", 0);
    ASSERT_TRUE(eventually(Patience{30000 * patience_factor}, [&] {
      const std::string now = status();
      return number_in(now, "orders_unknown", 1) == 0 && holds(now, "\"reconciled\":true") &&
             number_in(now, "orders_filled", 0) >= filled + 2;
    })) << status();
  }
  // Stops everything, and judges the whole run.
  void end_with_the_truth() {
    Finished killed;
    EXPECT_TRUE(eventually(stop_patience,
                           [&] {
                             killed = kill();
                             return killed.code == 0;
                           }))
        << killed.out << killed.err;
    EXPECT_TRUE(eventually(
        stop_patience, [&] { return in_doubt() == 0 && bot_positions() == exchange_positions(); }))
        << ctl({"positions", "--json"}).out << exchange("private/get_positions?currency=BTC");
    const std::string trades =
        exchange("private/get_user_trades_by_currency?currency=BTC&count=1000");
    const std::string orders =
        exchange("private/get_order_history_by_currency?currency=BTC&count=1000");
    EXPECT_EQ(bot_.stop(SIGTERM, stop_patience), 0) << bot_says();
    EXPECT_EQ(number_in(stop_sim(), "orders_resting"), 0);
    judge_orders(orders);
    judge_fills(trades);
    const Finished again = replay();
    EXPECT_EQ(text_in(again.out, "verdict"), "same") << again.out << again.err;
  }

  TwoHosts hosts_;
  std::vector<Outage> outages_;

 private:
  template <class Take>
  void read_stream(const StreamName& stream, Take take) {
    std::vector<std::vector<std::byte>> segments;
    const Outcome loaded = load_segments(file("journal"), stream, 0, segments);
    ASSERT_TRUE(loaded) << loaded.error();
    std::vector<std::span<const std::byte>> spans(segments.begin(), segments.end());
    JournalReader reader{spans, stream};
    for (JournalRecord r; reader.next(r) == JournalStatus::record;) take(r);
  }
  // Nothing new leaves once the data of the hedge is a second old (`hedge_age_max`), and each label
  // is used once: here, and at the venue, which knows no other of ours.
  void judge_orders(const std::string& history) {
    std::set<std::string> labels;
    std::size_t sent = 0;
    read_stream(frame_stream, [&](const JournalRecord& r) {
      EXPECT_NE(r.type, RecordType::gap) << "the wire log has a hole";
      if (r.type != RecordType::frame || r.frame.kind != FrameKind::text_out) return;
      const std::string text{reinterpret_cast<const char*>(r.bytes.data()), r.bytes.size()};
      if (!holds(text, "\"private/buy\"") && !holds(text, "\"private/sell\"")) return;
      ++sent;
      EXPECT_TRUE(labels.insert(text_in(text, "label")).second) << "sent twice: " << text;
      for (const Outage& o : outages_) {
        const bool late = r.frame.recv_mono_ns > o.pulled + 3 * second_ns / 2;
        EXPECT_FALSE(late && r.frame.recv_mono_ns < o.plugged)
            << "sent into the dead cable: " << text;
      }
    });
    EXPECT_GT(sent, 0U);
    std::set<std::string> seen;
    for (const std::string& label : all_texts(history, "label")) {
      if (label.rfind("gdemo-", 0) != 0) continue;
      EXPECT_TRUE(seen.insert(label).second) << "two orders at the venue: " << label;
      EXPECT_EQ(labels.count(label), 1U) << "never sent: " << label;
    }
    EXPECT_FALSE(seen.empty());
    std::printf("%zu cuts, %zu orders sent, %zu of them shown by the venue\n", outages_.size(),
                sent, seen.size());
  }
  // The fills of the journal are the venue's trades, each of them.
  void judge_fills(const std::string& trades) {
    std::set<TradeId> venue;
    for (const std::string& id : all_texts(trades, "trade_id")) venue.insert(trade_id(id));
    std::set<TradeId> ours;
    PartsBuffer<Fill> fill;
    read_stream(journal_stream, [&](const JournalRecord& r) {
      if (r.type != RecordType::event || r.event.kind() != EventKind::fill) return;
      if (!fill.add(r.event)) return;
      ours.insert(fill.value().trade);
      EXPECT_EQ(venue.count(fill.value().trade), 1U) << "an invented fill";
    });
    EXPECT_EQ(ours.size(), venue.size()) << "a trade that never reached the core";
    EXPECT_FALSE(ours.empty());
    std::printf("%zu trades, each of them counted once\n", ours.size());
  }
};

const std::vector<std::string> slow_answers{"--latency-us", "400000"};

// Shorter than any session: TCP brings what was on its way. The order that was answered into the
// dead cable stays in doubt for all of it, though its `valid_until` has passed long since.
TEST_F(VenueLink, AnOrderOnItsWayStaysInDoubtUntilTheCableIsBack) {
  ASSERT_NO_FATAL_FAILURE(start_trading(slow_venue(), slow_answers));
  ASSERT_NO_FATAL_FAILURE(pull_under_an_order());
  while (mono_now() < outages_.back().pulled + 4 * second_ns) {
    EXPECT_GT(in_doubt(), 0) << "a timer ended it";
    wait_until(mono_now() + second_ns / 4);
  }
  ASSERT_NO_FATAL_FAILURE(plug());
  ASSERT_NO_FATAL_FAILURE(trades_again());
  EXPECT_EQ(holds(status(), "\"armed\":true"), true) << status();
  end_with_the_truth();
}

// Longer than `silence_max`: every session is lost, and made again once the cable is back.
TEST_F(VenueLink, ALongCutEndsTheSessionsAndThePictureBehindItSettlesAll) {
  ASSERT_NO_FATAL_FAILURE(start_trading(slow_venue(), slow_answers));
  ASSERT_NO_FATAL_FAILURE(pull_under_an_order());
  EXPECT_TRUE(eventually(Patience{12000 * patience_factor}, [&] { return !session_ready(); }))
      << "given up after 10 s without a word: " << status();
  wait_until(mono_now() + 3 * second_ns);  // attempts fail meanwhile
  EXPECT_GT(in_doubt(), 0) << status();
  ASSERT_NO_FATAL_FAILURE(plug());
  EXPECT_TRUE(eventually(Patience{15000 * patience_factor}, [&] { return session_ready(); }))
      << "connect_timeout, reconnect_max and a picture: " << status();
  ASSERT_NO_FATAL_FAILURE(trades_again());
  end_with_the_truth();
}

// The gate closes at once, and the answer is that nothing is proven; the next kill proves it.
TEST_F(VenueLink, AKillWhileTheCableIsOutIsToldAsUnconfirmedAndProvenLater) {
  ASSERT_NO_FATAL_FAILURE(start_trading(slow_venue(), slow_answers));
  // Not under our label: the bot would take it for another instance's, and halt.
  ASSERT_TRUE(holds(exchange("private/buy?instrument_name=BTC-PERPETUAL&amount=100&type=limit&"
                             "price=50000&label=by-hand"),
                    "\"order_state\":\"open\""));
  ASSERT_NO_FATAL_FAILURE(pull_under_an_order());
  const Finished killed = ctl({"kill", "--json", "--reason", "test", "--wait", "3s"});
  EXPECT_EQ(killed.code, 5) << killed.out << killed.err;
  EXPECT_TRUE(holds(killed.out, "\"confirmed\":false")) << killed.out;
  EXPECT_FALSE(holds(killed.out, "\"confirmed\":true")) << killed.out;
  EXPECT_GT(number_in(killed.out, "in_doubt_before", 0), 0) << killed.out;
  EXPECT_GT(number_in(killed.out, "unknown", 0), 0) << killed.out;
  EXPECT_LT(number_in(killed.out, "gate_closed_ns"), 1e9) << killed.out;
  EXPECT_TRUE(holds(status(), "\"armed\":false")) << status();
  const double sent = number_in(status(), "orders_sent", 0);
  EXPECT_TRUE(holds(exchange("private/get_open_orders_by_currency?currency=BTC"), "by-hand"))
      << "it rests: no cancel has reached the venue";
  ASSERT_NO_FATAL_FAILURE(plug());
  Finished proven;
  EXPECT_TRUE(eventually(Patience{30000 * patience_factor},
                         [&] {
                           proven = kill();
                           return proven.code == 0 && in_doubt() == 0;
                         }))
      << proven.out << status();
  EXPECT_TRUE(holds(proven.out, "\"confirmed\":true")) << proven.out;
  EXPECT_FALSE(holds(exchange("private/get_open_orders_by_currency?currency=BTC"), "by-hand"));
  EXPECT_EQ(number_in(status(), "orders_sent", 0), sent) << "an order left behind the kill";
  end_with_the_truth();
}

class VenueLinkLossy : public VenueLink {
 protected:
  std::string join() override { return cable_.join(hosts_, {20'000'000, 0.02}); }
  LossyCable cable_;
};

TEST_F(VenueLinkLossy, ACableThatTakes20MsAndLosesOnePacketInFiftyChangesNoTruth) {
  BotSetup setup;
  setup.engine_extra = "ack_timeout = \"500ms\"\n";
  ASSERT_NO_FATAL_FAILURE(start_trading(setup, {}));
  EXPECT_TRUE(wait_for_orders(25, Patience{60000})) << status();
  end_with_the_truth();
  std::printf("%llu packets carried, %llu lost\n",
              static_cast<unsigned long long>(cable_.carried()),
              static_cast<unsigned long long>(cable_.lost()));
  EXPECT_GT(cable_.lost(), 10U);
}

}  // namespace
}  // namespace gimbal::test
