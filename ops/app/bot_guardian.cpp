// The bot's side of the guardian: what it says about it, what it tells the core, and what it does
// when the guardian has fired. Room: ops/app (wiring). Cold thread.
#include <fmt/format.h>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"

namespace gimbal {

void Bot::say_guardian() const {
  if (loaded_->config.runtime.guardian_required) {
    say("guardian: required; arming is refused until gimbal-guardian is live");
  } else {
    say("guardian: WAIVED by [runtime] guardian_required = false; a hung bot is cancelled by the "
        "venue's cancel-on-disconnect alone");
  }
}

void Bot::say_state(BotState state) noexcept {
  gate_.beat(gate_.layout().bot, clock_.now(), static_cast<std::uint32_t>(state));
}

void Bot::watch_guardian() {
  guardian_->look(clock_.now());
  if (guardian_->live() != guardian_told_) {
    Event e = make_event(EventKind::guardian_status, venue_, InstrumentId{}, clock_.now(), {},
                         guardian_->status());
    e.add_flag(event_flag::last_in_packet);
    if (from_control_.push(e)) {  // a full ring is tried again in the next cycle
      guardian_told_ = guardian_->live();
      say("guardian: " + guardian_->text());
    }
  }
  if (!guardian_->take_fire()) return;
  const char* cause = name_of(guardian_->last_cause());
  say(fmt::format("guardian: it fired ({}); the gate is closed, everything is cancelled", cause));
  desk_->stop_from(OperatorSource::guardian, Scope{}, Mode::cancel,
                   std::string{"guardian fired: "} + cause);
}

}  // namespace gimbal
