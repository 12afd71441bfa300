// Scenario rows in a scripted world: each question is answered behind the packet that led to it,
// unless the test holds the answers back.
#pragma once

#include <optional>

#include "engine/quant/margin/same_thread_pricer.hpp"

namespace gimbal::test {

class ScenarioAnswers {
 public:
  bool held_back{false};

  // In the fixture's constructor. `World`: engine_world.hpp.
  template <class World>
  explicit ScenarioAnswers(World& world) {
    world.before_start = [this, &world] {
      pricer_.emplace(world.setup);
      pricer_->wire(world.setup);
    };
    world.after_packet = [this, &world] {
      if (!held_back) answer(world);
    };
  }
  ScenarioAnswers(const ScenarioAnswers&) = delete;
  ScenarioAnswers& operator=(const ScenarioAnswers&) = delete;

  // All that is asked for now.
  template <class World>
  void answer(World& world) {
    SideBlockRef ref;
    while (pricer_->answer(ref)) world.send(EventKind::side_block, ref);
  }
  [[nodiscard]] bool asked() const { return pricer_->asked(); }
  void forget() { pricer_->forget(); }

 private:
  std::optional<quant::SameThreadPricer> pricer_;
};

}  // namespace gimbal::test
