// Trips of the core on the cold side: held in the latch, said in the log. Room: ops/app (wiring).
#include <fmt/format.h>

#include <algorithm>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/monitor.hpp"
#include "ops/app/tie_out_text.hpp"
#include "ops/app/trip_rows.hpp"

namespace gimbal {
namespace {

std::string reason_of(const Trip& t) {
  const TripRow& row = row_of(t.code);
  return fmt::format("{} {}: limit {} actual {} evidence {}", row.row, row.name, t.limit, t.actual,
                     t.evidence);
}

std::string to_json(const Trip& t) {
  const TripRow& row = row_of(t.code);
  std::string text = fmt::format(
      R"({{"seq":{},"trip":"{}","row":"{}","severity":"{}","owner":"{}","mode":{},"latched":{},)"
      R"("scope_level":{},"scope_id":{},"limit":{},"actual":{},"evidence":{})",
      t.seq, row.name, row.row, text_of(t.severity), row.owner, static_cast<int>(t.mode), t.latched,
      static_cast<int>(t.scope.level), t.scope.id, t.limit, t.actual, t.evidence);
  if (t.instrument.valid()) text += fmt::format(R"(,"instrument":{})", t.instrument.value);
  if (t.strategy != StrategyId{}) text += fmt::format(R"(,"strategy":{})", t.strategy.value);
  return text + fmt::format(R"(,"text":"{}"}})", row.sentence);
}

}  // namespace

// The router has closed the last gate already; the latch makes it survive a restart.
void Bot::hold_mode(const Trip& trip) {
  if (trip.mode == Mode::active) return;
  (void)gate_.tighten(trip.scope, trip.mode);
  if (!trip.latched) return;
  const auto same = [&](const Trip& t) { return t.scope == trip.scope; };
  std::erase_if(held_trips_, same);
  held_trips_.push_back(trip);
  LatchEntry entry;
  entry.scope = trip.scope;
  entry.mode = trip.mode;
  entry.when = wall_now();
  entry.reason = reason_of(trip);
  entry.name = scope_name(trip.scope);
  if (Outcome o = latch_->tighten(entry); !o) say("latch: " + o.error());
  // Whoever asked for it had not seen this.
  if (desk_ != nullptr) desk_->withdraw_waiting_arm();
}

// An arm command that the core accepted at event `after` has released the scope; a trip of that
// very event or a later one still holds: the core judges after it has armed.
void Bot::hold_again(Scope scope, std::uint64_t after) {
  drain_alerts();
  const auto held = std::find_if(held_trips_.begin(), held_trips_.end(),
                                 [&](const Trip& t) { return t.scope == scope; });
  if (held == held_trips_.end()) return;
  if (held->seq >= after) return hold_mode(Trip{*held});
  held_trips_.erase(held);
}

void Bot::drain_alerts() {
  Trip trip;
  while (alerts_.pop_into(trip)) {
    hold_mode(trip);
    if (trip.code == TripCode::terms_refused) read_terms_again(trip.instrument);
    say(to_json(trip));
    std::string numbers = late_ticks_text(trip);
    if (numbers.empty()) numbers = tie_out_text(trip);
    monitor_->raise(trip, numbers.empty() ? module_text(trip) : numbers);
  }
}

}  // namespace gimbal
