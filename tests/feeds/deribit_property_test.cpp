// The feed against a slow reference: no book that it calls valid ever differs from the venue's,
// under lost, repeated, swapped and damaged frames; and recordings decode to what a naive reader
// sees.
#include <algorithm>
#include <map>
#include <random>

#include "tests/feeds/deribit_rig.hpp"
#include "tests/feeds/slow_json.hpp"
#include "tests/support/shared_data.hpp"

namespace gimbal {
namespace {

using deribit::Interval;
using test::DeribitRig;
using test::SlowJson;
using test::SlowParser;

struct NaiveBook {
  std::map<std::int64_t, std::int64_t> bids, asks;
  friend bool operator==(const NaiveBook&, const NaiveBook&) = default;

  void set(Side side, std::int64_t price, std::int64_t amount) {
    auto& levels = side == Side::buy ? bids : asks;
    if (amount == 0)
      levels.erase(price);
    else
      levels[price] = amount;
  }
  void apply(const Event& e) {
    if (e.kind() == EventKind::book_reset) *this = NaiveBook{};
    if (e.kind() != EventKind::book_delta) return;
    const auto d = e.as<BookDelta>();
    set(d.side, d.price.nano, d.amount.nano);
  }
};

// A venue with one book: makes changes, remembers what it looked like at every change id.
class Venue {
 public:
  explicit Venue(std::uint64_t seed) : random_{seed} { step(); }

  std::string change() {
    const std::uint64_t prev = id_;
    const auto rows = step();
    return test::book_message("change", id_, static_cast<std::int64_t>(prev), rows[0], rows[1]);
  }
  std::string snapshot() const {
    return test::book_message("snapshot", id_, -1, levels(book_.bids), levels(book_.asks));
  }
  [[nodiscard]] const NaiveBook& at(std::uint64_t id) const { return history_.at(id); }
  std::mt19937_64& random() { return random_; }

 private:
  static std::string level(std::string_view action, std::int64_t price, std::int64_t amount) {
    return "[\"" + std::string{action} + "\"," + std::to_string(price) + ".5," +
           std::to_string(amount) + ".0]";
  }
  static std::string levels(const std::map<std::int64_t, std::int64_t>& side) {
    std::string out;
    for (const auto& [price, amount] : side) {
      out += (out.empty() ? "" : ",") + level("new", price / nano_per_unit, amount / nano_per_unit);
    }
    return out;
  }
  std::array<std::string, 2> step() {
    std::array<std::string, 2> rows;
    for (const Side side : {Side::buy, Side::sell}) {
      auto& text = rows[static_cast<std::size_t>(side)];
      for (std::uint64_t n = random_() % 4; n > 0; --n) {
        const auto price = static_cast<std::int64_t>(100 + random_() % 20);
        const auto amount = static_cast<std::int64_t>(random_() % 3);
        book_.set(side, price * nano_per_unit + nano_per_unit / 2, amount * nano_per_unit);
        text += (text.empty() ? "" : ",") + level(amount == 0 ? "delete" : "change", price, amount);
      }
    }
    id_ += 1 + random_() % 5;
    history_[id_] = book_;
    return rows;
  }
  std::mt19937_64 random_;
  NaiveBook book_;
  std::uint64_t id_{1000};
  std::map<std::uint64_t, NaiveBook> history_;
};

// Damages frames on their way; the answers to resyncs are always delivered.
void run_faulty_session(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  DeribitRig rig;
  ASSERT_TRUE(rig.feed->want_book(rig.perp, Interval::raw));
  rig.open(R"("book.BTC-PERPETUAL.raw")");
  Venue venue{seed};
  NaiveBook book;
  std::uint64_t compared = 0;
  const auto deliver = [&](const std::string& text) {
    (void)rig.take(text);
    for (const Event& e : rig.batch.committed()) book.apply(e);
    if (!rig.feed->book_valid(rig.perp) || rig.feed->last().change_id == 0) return;
    ++compared;
    ASSERT_EQ(book, venue.at(rig.feed->last().change_id));
  };
  deliver(venue.snapshot());
  std::string held;
  for (int i = 0; i < 400; ++i) {
    rig.outbox.clear();
    std::string text = venue.change();
    auto& random = venue.random();
    switch (random() % 12) {
      case 0: break;  // lost
      case 1:
        deliver(text);
        deliver(text);
        break;  // repeated
      case 2:
        held.swap(text);
        if (!text.empty()) deliver(text);
        break;  // late
      case 3:
        text.resize(random() % text.size());
        deliver(text);
        break;  // cut
      case 4:
        text.insert(random() % text.size(), "}");
        deliver(text);
        break;  // damaged
      default: deliver(text); break;
    }
    rig.now = rig.now + milliseconds(200);
    rig.batch.clear();
    rig.feed->on_timer(rig.now, rig.outbox, rig.batch);
    for (std::size_t k = 0; k < rig.outbox.size(); ++k) {
      const std::string_view request = rig.outbox[k];
      if (request.find("\"public/subscribe\"") == std::string_view::npos) continue;
      const std::string id{request.substr(21, request.find(',', 21) - 21)};
      deliver(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":["book.BTC-PERPETUAL.raw"]})");
      deliver(venue.snapshot());
      rig.outbox.clear();
    }
    if (testing::Test::HasFatalFailure()) return;
  }
  EXPECT_GT(compared, 20U);
}

TEST(DeribitProperty, NoValidBookEverDiffersFromTheVenues) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) run_faulty_session(seed);
}

TEST(DeribitProperty, EveryPrefixOfAFrameIsRefusedWithoutATrace) {
  const std::string whole = Venue{7}.snapshot();
  for (std::size_t n = 0; n < whole.size(); ++n) {
    DeribitRig rig;
    ASSERT_TRUE(rig.feed->want_book(rig.perp, Interval::raw));
    rig.open(R"("book.BTC-PERPETUAL.raw")");
    ASSERT_EQ(rig.take(std::string_view{whole}.substr(0, n)), DecodeStatus::malformed) << n;
    ASSERT_EQ(rig.kinds(), std::vector<EventKind>{EventKind::feed_status});
  }
}

// --- recordings
// -----------------------------------------------------------------------------------

struct Learnt {
  deribit::SymbolTable symbols{4096};
  static InstrumentId add(void* self, std::string_view name) {
    auto& s = static_cast<Learnt*>(self)->symbols;
    const InstrumentId id{static_cast<std::uint16_t>(s.size())};
    return s.add(name, id) ? id : InstrumentId{};
  }
};

struct ReferenceBooks {
  std::map<std::string, NaiveBook> books;
  std::map<std::string, std::uint64_t> chain;  // present: followed
  std::size_t gaps{0};

  // Follows one message; true when it touched a followed book.
  bool take(const std::string& channel, const SlowJson& data) {
    const bool grouped = std::count(channel.begin(), channel.end(), '.') == 4;
    const SlowJson& prev = data["prev_change_id"];
    const bool has_prev = prev.type == SlowJson::Type::number;
    const bool snapshot =
        grouped || data["type"].text == "snapshot" || (!data.has("type") && !has_prev);
    if (!snapshot) {
      const auto known = chain.find(channel);
      if (known == chain.end()) return false;
      if (known->second != prev.whole()) {
        ++gaps;
        chain.erase(known);
        return false;
      }
    } else {
      books[channel] = NaiveBook{};
    }
    chain[channel] = data["change_id"].whole();
    for (const Side side : {Side::buy, Side::sell}) {
      for (const SlowJson& level : data[side == Side::buy ? "bids" : "asks"].items) {
        const std::size_t price = grouped ? 0 : 1;
        const bool gone = !grouped && level.items[0].text == "delete";
        books[channel].set(side, level.items[price].nano(),
                           gone ? 0 : level.items[price + 1].nano());
      }
    }
    return true;
  }
};

class DeribitRecordings : public testing::TestWithParam<const char*> {};

TEST_P(DeribitRecordings, BooksEqualANaiveReadersAndNothingIsRefused) {
  const std::string folder = test::shared_path("data/deribit");
  if (!test::present(folder)) GTEST_SKIP() << "the recordings are not on this machine";
  std::ifstream in{folder + "/" + GetParam()};
  ASSERT_TRUE(in.is_open()) << GetParam();
  Learnt learnt;
  deribit::FeedConfig config;
  config.learn = true;
  config.strict = true;
  config.frame_max = std::size_t{16} << 20;
  deribit::DeribitFeed feed{config, learnt.symbols};
  feed.set_learner(&Learnt::add, &learnt);
  EventBatch batch{40000};
  Outbox outbox;
  ReferenceBooks reference;
  std::map<std::string, NaiveBook> ours;
  std::string line;
  std::size_t compared = 0;
  for (std::size_t n = 1; std::getline(in, line); ++n) {
    batch.clear();
    outbox.clear();
    test::FrameBytes bytes{line};
    const DecodeStatus status =
        feed.on_frame(bytes.frame(), {static_cast<std::int64_t>(n)}, batch, outbox);
    ASSERT_NE(status, DecodeStatus::malformed) << "line " << n << ": " << feed.last().reason;
    const SlowJson message = SlowParser{line}.parse();
    const std::string channel = message["params"]["channel"].text;
    if (message["method"].text != "subscription" || channel.rfind("book.", 0) != 0) continue;
    const bool followed = reference.take(channel, message["params"]["data"]);
    EXPECT_EQ(status == DecodeStatus::ok, followed) << "line " << n;
    EXPECT_EQ(feed.last().book_valid, followed) << "line " << n;
    for (const Event& e : batch.committed()) ours[channel].apply(e);
    EXPECT_EQ(ours[channel], reference.books[channel]) << "line " << n;
    ++compared;
  }
  EXPECT_EQ(feed.counters().gaps, reference.gaps);
  EXPECT_EQ(feed.counters().malformed, 0U);
  RecordProperty("books_compared", static_cast<int>(compared));
  if (std::string_view{GetParam()} == "ssc2ce_2020_testnet_book_raw.jsonl") {
    EXPECT_EQ(feed.counters().gaps, 1U) << "the gap before the last line";
    EXPECT_EQ(compared, 5U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Files, DeribitRecordings,
    testing::Values("bourse_2026_get_instruments_any.jsonl", "bourse_2026_responses.jsonl",
                    "cmp_2021_2023_messages.jsonl", "cryptofeed_2021_get_instruments.jsonl",
                    "cryptofeed_2021_subscribe_request.jsonl", "cryptofeed_2021_ws_raw.jsonl",
                    "deribit_http_2025_user_trades_result.jsonl", "docs_examples.jsonl",
                    "fastmm_2026_messages.jsonl", "gct_2025_trades_agg2.jsonl",
                    "nautilus_fixtures.jsonl", "ssc2ce_2020_testnet_book_raw.jsonl",
                    "tardis_node_2019_2024_messages.jsonl", "vike_2026_book_100ms.jsonl",
                    "vike_2026_combo_user_trades.jsonl"),
    [](const auto& file) {
      std::string name{file.param};
      name.resize(name.find('.'));
      return name;
    });

}  // namespace
}  // namespace gimbal
