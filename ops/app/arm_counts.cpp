#include "ops/app/arm_counts.hpp"

namespace gimbal {

std::string closed_since(const ArmCounts& began, const ArmCounts& now) {
  if (now.stops != began.stops)
    return "a stop was written while the arm waited; it holds, arm again";
  if (now.fires != began.fires) {
    return "the guardian fired while the arm waited; look at its proof, then arm again";
  }
  if (now.halts != began.halts) {
    return "a full ring or a fault of the sequencer closed the gate while the arm waited; see the "
           "alerts, then arm again";
  }
  return {};
}

}  // namespace gimbal
