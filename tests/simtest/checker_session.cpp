// What may grow in a private session, and what may stop it. See checker.hpp.
#include <array>

#include "tests/simtest/checker.hpp"
#include "tests/simtest/setup.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::simtest {

void Checker::check_session(const Event& event, const Commands& out) {
  note_session(event);
  if (event.kind() == EventKind::timer || event.kind() == EventKind::operator_command) {
    check_stops();
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Command& c = out[i];
    if (c.kind() == CommandKind::raise) check_cause(c.raise());
    if (c.kind() == CommandKind::place) check_growth(c.place()->order);
    if (c.kind() != CommandKind::replace) continue;
    const auto at = orders_.find(c.replace()->order.value);
    const bool grows = at != orders_.end() && c.replace()->amount.nano > at->second.approved;
    if (grows) check_growth(c.replace()->order);
  }
}

void Checker::note_session(const Event& event) {
  if (event.kind() == EventKind::gateway_status) {
    const auto status = event.as<GatewayStatus>();
    const bool ready = status.state == GatewayState::ready;
    const bool same = ready && session_.ready && status.generation == session_.generation;
    if (!same) session_ = {status.generation, ready, false};
  }
  if (event.kind() != EventKind::reconcile_mark) return;
  const auto mark = event.as<ReconcileMark>();
  if (mark.phase != ReconcilePhase::complete || mark.generation != session_.generation) return;
  session_.settled = session_.settled || (session_.ready && picture_fits());
}

// Whether the positions are those of the picture that has just been told.
bool Checker::picture_fits() const {
  for (std::size_t i = 0; i < position_.size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    const bool over = boot_.core->instruments()[id].state == InstrumentState::settled;
    if (position_[i] != (over ? 0 : reported_[i])) return false;
  }
  return true;
}

void Checker::check_growth(OrderId id) {
  if (session_.settled) return;
  fail("I15", "order " + std::to_string(id.value) + " grows in a session that is " +
                  (session_.ready ? "ready and whose picture has not settled" : "not ready"));
}

// What stops has a cause that the tester knows of: nothing halts by itself but for another
// instance, and that is for an order of the account that no boot of ours has written.
void Checker::check_cause(const Trip& trip) {
  if (trip.mode < Mode::halt) return;
  if (trip.code != TripCode::other_instance) {
    return fail("I15", "halted by trip " + std::to_string(static_cast<int>(trip.code)) +
                           ", which halts nothing here");
  }
  const OrderId id{static_cast<std::uint64_t>(trip.evidence)};
  if (labels_.count(label_of(id)) == 0) return;
  fail("I15", "halted for order " + std::to_string(id.value) + " of another, which is ours");
}

// A scope is as closed as operators and trips made it.
void Checker::check_stops() {
  const ModeTable& modes = boot_.core->gate().modes();
  const UnderlyingId coin = boot_.core->instruments()[boot_.hedge].underlying;
  const std::array<Scope, 7> scopes{{{ScopeLevel::global, 0},
                                     {ScopeLevel::venue, 0},
                                     {ScopeLevel::account, 0},
                                     {ScopeLevel::strategy, 0},
                                     {ScopeLevel::strategy, 1},
                                     {ScopeLevel::underlying, coin.value},
                                     {ScopeLevel::instrument, boot_.hedge.value}}};
  for (const Scope& scope : scopes) {
    const auto at = modes_.find(key_of(scope));
    const Mode told = at != modes_.end() ? at->second : Mode::active;
    if (modes.at(scope) <= told) continue;
    fail("I15", "scope " + std::to_string(static_cast<int>(scope.level)) + "/" +
                    std::to_string(scope.id) + " is closed and nobody was told why");
  }
}

}  // namespace gimbal::simtest
