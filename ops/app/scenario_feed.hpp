// What joins the core, the thread that prices scenario rows and the sequencer (bot_scenarios.cpp).
// Room: ops/app.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/core/risk/scenario_rows.hpp"
#include "engine/quant/margin/scenario_pricer.hpp"
#include "engine/runtime/ring.hpp"
#include "ops/app/hot.hpp"

namespace gimbal {

struct ScenarioFeed {
  ScenarioFeed(const ScenarioConfig& config, const PricingKernels& kernels)
      : pricer{config, kernels} {}

  // On the core's thread.
  static void put(void* self, const ScenarioQuestion& question) noexcept {
    auto& feed = *static_cast<ScenarioFeed*>(self);
    if (!feed.questions.push(question)) {
      feed.questions_lost.fetch_add(1, std::memory_order_relaxed);  // asked again by and by
    }
  }

  quant::ScenarioPricer pricer;
  SpscRing<ScenarioQuestion> questions{64};  // the core has half as many on their way
  EventRing events{256};
  std::atomic<std::uint64_t> questions_lost{0};
  std::atomic<std::uint64_t> priced{0};  // options
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> published{0};
  std::atomic<std::int64_t> longest_ns{0};  // of one question
};

}  // namespace gimbal
