// Cost of turning one Deribit message of each kind into events, with three general JSON parsers
// beside it on the same text. The rivals only parse; the decoders also check every member, the
// chain of change ids and make events.
#include <benchmark/benchmark.h>
#include <rapidjson/document.h>
#include <simdjson.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "bench/messages.hpp"
#include "feeds/deribit/decoder.hpp"
#include "venues/deribit/gateway.hpp"

namespace {

using namespace gimbal;
using bench::Text;

constexpr std::uint64_t first_id = 7'000'000'000;

struct PublicFeed {
  deribit::SymbolTable symbols{4};
  EventBatch batch{20000};
  Outbox outbox;
  RecvTime now{seconds(1).count};
  std::unique_ptr<deribit::DeribitFeed> feed;

  PublicFeed() {
    const InstrumentId hedge{0};
    const InstrumentId option{1};
    (void)symbols.add("BTC-PERPETUAL", hedge);
    (void)symbols.add("BTC-25DEC26-76000-C", option);
    feed = std::make_unique<deribit::DeribitFeed>(deribit::FeedConfig{}, symbols);
    (void)feed->want_book(hedge, deribit::Interval::raw);
    (void)feed->want_trades(hedge, deribit::Interval::ms100);
    (void)feed->want_ticker(option, deribit::Interval::ms100);
    feed->on_open(now, outbox);
    outbox.clear();
    Text accepted{R"({"jsonrpc":"2.0","id":16,"result":["book.BTC-PERPETUAL.raw",)"
                  R"("trades.BTC-PERPETUAL.100ms","ticker.BTC-25DEC26-76000-C.100ms"]})"};
    (void)take(accepted);
  }
  DecodeStatus take(Text& text) {
    batch.clear();
    return feed->on_frame(text.frame(), now, batch, outbox);
  }
};

void report(benchmark::State& state, const Text& text, bool events) {
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
  if (!events) state.SkipWithError("no events");
}

void repeat(benchmark::State& state, std::string_view message) {
  PublicFeed feed;
  Text text{message};
  for (auto _ : state) benchmark::DoNotOptimize(feed.take(text));
  report(state, text, !feed.batch.committed().empty());
}

void gimbal_book_change(benchmark::State& state) {
  PublicFeed feed;
  Text snapshot{bench::book_text("snapshot", first_id, 0, 20)};
  (void)feed.take(snapshot);
  Text text{bench::book_text("change", first_id + 1, first_id, 2)};
  std::uint64_t id = first_id;
  for (auto _ : state) {
    text.number("\"prev_change_id\":", id);
    text.number("\"change_id\":", ++id);
    benchmark::DoNotOptimize(feed.take(text));
  }
  report(state, text, !feed.batch.committed().empty());
}
// A snapshot restarts the chain, so one text serves for ever.
void gimbal_snapshot_2000(benchmark::State& state) {
  repeat(state, bench::book_text("snapshot", first_id, 0, 1000));
}
void gimbal_ticker(benchmark::State& state) { repeat(state, bench::ticker_text); }
void gimbal_trades_10(benchmark::State& state) { repeat(state, bench::trades_text(10)); }
BENCHMARK(gimbal_book_change);
BENCHMARK(gimbal_snapshot_2000);
BENCHMARK(gimbal_ticker);
BENCHMARK(gimbal_trades_10);

struct PrivateSession {
  deribit::SymbolTable symbols{4};
  InstrumentTable table{4};
  deribit::UnderlyingNames coins;
  deribit::RateBudget budget{};
  EventBatch batch{4096};
  Outbox outbox;
  RecvTime now{seconds(1).count};
  std::unique_ptr<deribit::DeribitGateway> gateway;

  PrivateSession() {
    Instrument i;
    i.state = InstrumentState::open;
    i.underlying = coins.id("BTC");
    i.settlement = currency("BTC");
    i.ticks.base = Price{nano_per_unit / 2};
    i.lot = i.amount_min = i.contract_size = Qty{10 * nano_per_unit};
    (void)symbols.add("BTC-PERPETUAL", table.add(i));
    deribit::GatewayConfig config;
    config.label_tag = "t1";
    config.config_hash = 0xABCD1234;
    config.login.client_id = "id";
    config.login.client_secret = "secret";
    config.login.grant = deribit::GrantType::client_credentials;
    gateway =
        std::make_unique<deribit::DeribitGateway>(std::move(config), symbols, table, coins, budget);
    gateway->on_open(now, 1, batch, outbox);
  }
  DecodeStatus take(Text& text) {
    batch.clear();
    outbox.clear();
    return gateway->on_frame(text.frame(), now, batch, outbox);
  }
};

void repeat_private(benchmark::State& state, std::string_view message) {
  PrivateSession session;
  Text text{message};
  for (auto _ : state) benchmark::DoNotOptimize(session.take(text));
  report(state, text, !session.batch.committed().empty());
}
void gimbal_order_update(benchmark::State& state) { repeat_private(state, bench::order_text); }
void gimbal_fill(benchmark::State& state) { repeat_private(state, bench::fill_text); }
BENCHMARK(gimbal_order_update);
BENCHMARK(gimbal_fill);

// --- the same texts, parsed only

void nlohmann_parse(benchmark::State& state, const std::string& message) {
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::parse(message));
  state.SetBytesProcessed(static_cast<std::int64_t>(message.size()) * state.iterations());
}
void rapidjson_parse(benchmark::State& state, const std::string& message) {
  for (auto _ : state) {
    rapidjson::Document document;
    document.Parse(message.data(), message.size());
    benchmark::DoNotOptimize(document);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(message.size()) * state.iterations());
}
void simdjson_dom_parse(benchmark::State& state, const std::string& message) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded{message};
  for (auto _ : state) {
    simdjson::dom::element document;
    const auto error = parser.parse(padded).get(document);
    benchmark::DoNotOptimize(error);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(message.size()) * state.iterations());
}

#define GIMBAL_RIVALS(kind, message)                    \
  BENCHMARK_CAPTURE(rapidjson_parse, kind, message);    \
  BENCHMARK_CAPTURE(simdjson_dom_parse, kind, message); \
  BENCHMARK_CAPTURE(nlohmann_parse, kind, message)
GIMBAL_RIVALS(book_change, bench::book_text("change", first_id + 1, first_id, 2));
GIMBAL_RIVALS(snapshot_2000, bench::book_text("snapshot", first_id, 0, 1000));
GIMBAL_RIVALS(ticker, bench::ticker_text);
GIMBAL_RIVALS(trades_10, bench::trades_text(10));
GIMBAL_RIVALS(order_update, bench::order_text);
GIMBAL_RIVALS(fill, bench::fill_text);

}  // namespace

BENCHMARK_MAIN();
