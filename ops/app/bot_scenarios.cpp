// The scenario rows of a running bot: the core asks, a thread of its own prices up to sixteen
// options at a time, and each answer enters the core as a side block through the sequencer, like
// any event. The hot thread prices nothing. Room: ops/app (wiring).
#include <array>
#include <chrono>
#include <thread>

#include "ops/app/bot.hpp"
#include "ops/app/scenario_feed.hpp"
#include "ops/app/status.hpp"

namespace gimbal {
namespace {

// A few blocks a wait: answers are not to be one burst on the hot thread. 2,000 groups a second.
constexpr std::size_t blocks_a_wait = 4;
constexpr std::chrono::milliseconds scenario_wait{2};

}  // namespace

void Bot::make_scenario_desk() {
  if (!setup_.scenarios.used()) return;
  scenarios_ = std::make_unique<ScenarioFeed>(setup_.scenarios, setup_.kernels);
  setup_.scenario_desk = {scenarios_.get(), &ScenarioFeed::put};
}

EventRing* Bot::scenario_ring() { return scenarios_ == nullptr ? nullptr : &scenarios_->events; }

// The next question's block; 0: none is asked.
std::size_t Bot::price_rows(std::span<std::byte> block) {
  ScenarioFeed& feed = *scenarios_;
  ScenarioQuestion q;
  while (feed.questions.pop_into(q)) {
    const RecvTime from = clock_.now();
    const std::size_t bytes = feed.pricer.answer(q, block);
    const std::int64_t took = (clock_.now() - from).count;
    if (took > feed.longest_ns.load(std::memory_order_relaxed)) {
      feed.longest_ns.store(took, std::memory_order_relaxed);
    }
    (bytes == 0 ? feed.refused : feed.priced)
        .fetch_add(bytes == 0 ? 1 : q.count, std::memory_order_relaxed);
    if (bytes != 0) return bytes;
  }
  return 0;
}

void Bot::scenario_loop() {
  ScenarioFeed& feed = *scenarios_;
  alignas(64) std::array<std::byte, scenario_block_max> block{};
  std::size_t waiting = 0;  // bytes of a block that found no room
  while (!stop_cold_.load(std::memory_order_acquire)) {
    for (std::size_t n = 0; n < blocks_a_wait; ++n) {
      if (waiting == 0 && (waiting = price_rows(block)) == 0) break;
      if (!publish_block(SideBlockKind::scenario_rows, std::span{block}.first(waiting),
                         feed.events)) {
        break;
      }
      waiting = 0;
      feed.published.fetch_add(1, std::memory_order_relaxed);
    }
    std::this_thread::sleep_for(scenario_wait);
  }
}

void Bot::show_scenarios(std::vector<CounterStatus>& to) const {
  if (scenarios_ == nullptr) return;
  const auto put = [&to](const char* name, std::uint64_t v) {
    to.push_back(CounterStatus{name, v});
  };
  put("scenario_options_priced", scenarios_->priced.load());
  put("scenario_blocks_published", scenarios_->published.load());
  put("scenario_questions_lost", scenarios_->questions_lost.load());
  put("scenario_questions_refused", scenarios_->refused.load());
  put("scenario_price_ns_max", static_cast<std::uint64_t>(scenarios_->longest_ns.load()));
}

}  // namespace gimbal
