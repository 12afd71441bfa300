// Scenario rows for a core that runs without threads: a what-if replay, a simulated exchange, a
// test. Questions wait here; whoever drives the core takes an answer and steps it as an event.
//
// Room: engine/quant, off the hot path. Must not move after `wire`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>

#include "engine/core/engine_config.hpp"
#include "engine/core/payload.hpp"
#include "engine/quant/margin/scenario_pricer.hpp"

namespace gimbal::quant {

class SameThreadPricer {
 public:
  explicit SameThreadPricer(const EngineSetup& setup) : pricer_{setup.scenarios, setup.kernels} {}
  SameThreadPricer(const SameThreadPricer&) = delete;
  SameThreadPricer& operator=(const SameThreadPricer&) = delete;

  // Before the engine is made: its questions come here, its scenario blocks are found here, and
  // others where they were.
  void wire(EngineSetup& setup) {
    setup.scenario_desk = {this, &SameThreadPricer::put};
    if (setup.blocks.find != &SameThreadPricer::find) others_ = setup.blocks;
    setup.blocks = {this, &SameThreadPricer::find};
  }
  // The oldest question's answer, good until the next call: the payload of a side_block event.
  // False: nothing is asked for.
  [[nodiscard]] bool answer(SideBlockRef& ref) {
    while (!questions_.empty()) {
      bytes_ = pricer_.answer(questions_.front(), block_);
      questions_.pop_front();
      if (bytes_ == 0) continue;
      ref = {};
      ref.kind = SideBlockKind::scenario_rows;
      ref.slot = slot;
      ref.generation = ++generation_;
      ref.bytes = static_cast<std::uint32_t>(bytes_);
      return true;
    }
    return false;
  }
  [[nodiscard]] bool asked() const noexcept { return !questions_.empty(); }
  void forget() noexcept { questions_.clear(); }
  [[nodiscard]] std::span<const std::byte> block() const noexcept {
    return std::span{block_}.first(bytes_);
  }

 private:
  static constexpr std::uint16_t slot = 0xFFFF;  // no pool has as many

  static void put(void* self, const ScenarioQuestion& question) noexcept {
    static_cast<SameThreadPricer*>(self)->questions_.push_back(question);
  }
  static std::span<const std::byte> find(const void* self, std::uint16_t at,
                                         std::uint32_t generation) noexcept {
    const auto& mine = *static_cast<const SameThreadPricer*>(self);
    if (at != slot) return mine.others_.bytes(at, generation);
    return generation == mine.generation_ ? mine.block() : std::span<const std::byte>{};
  }

  ScenarioPricer pricer_;
  SideBlocks others_{};
  std::deque<ScenarioQuestion> questions_;
  alignas(64) std::array<std::byte, scenario_block_max> block_{};
  std::size_t bytes_{0};
  std::uint32_t generation_{0};
};

}  // namespace gimbal::quant
