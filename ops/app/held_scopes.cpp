#include "ops/app/held_scopes.hpp"

#include "ops/app/control_protocol.hpp"

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

std::vector<LatchEntry> left_in_pages(const GatePage& gate, const StopPage& stop,
                                      const std::vector<ScopeName>& names) {
  std::vector<LatchEntry> left;
  gate.each_tightened([&](Scope scope, Mode mode) {
    if (scope == Scope{} && mode <= Mode::halt) return;
    left.push_back(entry_of(scope, mode, "left in the gate page by an earlier process"));
  });
  stop.each_stop([&](Scope scope, Mode mode) {
    (void)raise_entry(left, entry_of(scope, mode, "left in the stop page"));
  });
  for (LatchEntry& e : left) e.name = name_in(names, e.scope);
  return left;
}

std::vector<LatchEntry> name_entries(std::vector<LatchEntry>& entries,
                                     const std::vector<ScopeName>& names) {
  std::vector<LatchEntry> lost;
  for (LatchEntry& e : entries) {
    if (e.name.empty()) e.name = name_in(names, e.scope);
    if (e.name.empty() && e.scope.level > ScopeLevel::account) lost.push_back(e);
  }
  for (const LatchEntry& l : lost) {
    std::erase_if(entries,
                  [&](const LatchEntry& e) { return e.name.empty() && e.scope == l.scope; });
    const std::string what = "nobody can tell which " + std::string{name_of(l.scope.level)} +
                             " number " + std::to_string(l.scope.id) +
                             " was; it was latched for: " + l.reason;
    (void)raise_entry(entries, entry_of(Scope{}, stricter(Mode::halt, l.mode), what.c_str()));
  }
  return lost;
}

OperatorCommand carried_on(const LatchEntry& entry) noexcept {
  OperatorCommand c;
  c.command_id = 0;  // a number of an earlier run: nobody waits for its answer
  c.scope = entry.scope;
  c.action = OperatorAction::kill;
  c.mode = entry.mode;
  c.source = OperatorSource::monitor;
  return c;
}

void move_to_names(std::vector<LatchEntry>& entries, const std::vector<ScopeName>& names,
                   GatePage& gate, StopPage& stop) {
  const std::vector<LatchEntry> before = entries;
  (void)renumber(entries, [&](ScopeLevel level, std::string_view name) {
    return number_in(names, level, name);
  });
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Scope old = before[i].scope;
    if (entries[i].scope == old || old.id == latch_id_unknown) continue;
    gate.loosen(old, Mode::active);
    (void)stop.clear(old);
  }
  for (const LatchEntry& e : entries) {
    if (e.scope.id != latch_id_unknown) (void)gate.tighten(e.scope, e.mode);
  }
}

}  // namespace gimbal
