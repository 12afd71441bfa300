#include "ops/app/held_scopes.hpp"

namespace gimbal {
namespace {

LatchEntry entry_of(Scope scope, Mode mode, const char* reason) {
  LatchEntry entry;
  entry.scope = scope;
  entry.mode = mode;
  entry.when = wall_now();
  entry.reason = reason;
  return entry;
}

}  // namespace

std::vector<LatchEntry> held_scopes(const GatePage& gate, Scope armed) {
  std::vector<LatchEntry> held;
  gate.each_tightened([&](Scope scope, Mode mode) {
    if (scope != armed) held.push_back(entry_of(scope, mode, "held when another scope was armed"));
  });
  return held;
}

std::vector<LatchEntry> left_in_pages(const GatePage& gate, const StopPage& stop) {
  std::vector<LatchEntry> left;
  gate.each_tightened([&](Scope scope, Mode mode) {
    if (scope == Scope{} && mode <= Mode::halt) return;
    left.push_back(entry_of(scope, mode, "left in the gate page by an earlier process"));
  });
  stop.each_stop([&](Scope scope, Mode mode) {
    (void)raise_entry(left, entry_of(scope, mode, "left in the stop page"));
  });
  return left;
}

}  // namespace gimbal
