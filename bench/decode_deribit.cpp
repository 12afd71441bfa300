// Cost of turning one Deribit book change into events, with two general JSON parsers beside it. The
// rivals only parse; the feed also checks the chain and makes events.
#include <benchmark/benchmark.h>
#if __has_include(<nlohmann/json.hpp>)
#include <nlohmann/json.hpp>
#define GIMBAL_BENCH_NLOHMANN 1
#endif
#if __has_include(<rapidjson/document.h>)
#include <rapidjson/document.h>
#define GIMBAL_BENCH_RAPIDJSON 1
#endif

#include <string>
#include <vector>

#include "feeds/deribit/decoder.hpp"

namespace {

using namespace gimbal;

std::string book_text(const char* type, unsigned long id, unsigned long before, int levels) {
  std::string side;
  for (int i = 0; i < levels; ++i) {
    if (i > 0) side += ',';
    side += "[\"new\"," + std::to_string(50000 - i) + ".5,60000.0]";
  }
  std::string t =
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw",)"
      R"("data":{"timestamp":1789344931639,"type":")";
  t += type;
  t += R"(","change_id":)" + std::to_string(id) + R"(,"instrument_name":"BTC-PERPETUAL","bids":[)" +
       side + R"(],"asks":[])";
  if (before != 0) t += R"(,"prev_change_id":)" + std::to_string(before);
  return t + "}}}";
}

struct Feed {
  deribit::SymbolTable symbols{4};
  EventBatch batch{20000};
  Outbox outbox;
  RecvTime now{seconds(1).count};
  std::unique_ptr<deribit::DeribitFeed> feed;

  Feed() {
    const InstrumentId hedge{0};
    (void)symbols.add("BTC-PERPETUAL", hedge);
    feed = std::make_unique<deribit::DeribitFeed>(deribit::FeedConfig{}, symbols);
    feed->want_book(hedge, deribit::Interval::raw);
    feed->on_open(now, outbox);
    outbox.clear();
    take(R"({"jsonrpc":"2.0","id":16,"result":["book.BTC-PERPETUAL.raw"]})");
  }
  DecodeStatus take(const std::string& text) {
    bytes_.assign(text.begin(), text.end());
    bytes_.resize(text.size() + frame_padding, '\0');
    batch.clear();
    return feed->on_frame(Frame{bytes_.data(), text.size(), bytes_.size()}, now, batch, outbox);
  }

 private:
  std::vector<char> bytes_;
};

// A snapshot restarts the chain, so one text serves for ever; 4 levels make the size of a change.
void gimbal_snapshot(benchmark::State& state) {
  Feed feed;
  const std::string text = book_text("snapshot", 100, 0, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(feed.take(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
  if (feed.batch.committed().empty()) state.SkipWithError("no events");
}
BENCHMARK(gimbal_snapshot)->Arg(4)->Arg(2000);

#ifdef GIMBAL_BENCH_NLOHMANN
void nlohmann_parse(benchmark::State& state) {
  const std::string text = book_text("snapshot", 100, 0, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::parse(text));
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(nlohmann_parse)->Arg(4)->Arg(2000);
#endif

#ifdef GIMBAL_BENCH_RAPIDJSON
void rapidjson_parse(benchmark::State& state) {
  const std::string text = book_text("snapshot", 100, 0, static_cast<int>(state.range(0)));
  for (auto _ : state) {
    rapidjson::Document document;
    document.Parse(text.data(), text.size());
    benchmark::DoNotOptimize(document);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(text.size()) * state.iterations());
}
BENCHMARK(rapidjson_parse)->Arg(4)->Arg(2000);
#endif

}  // namespace

BENCHMARK_MAIN();
