// The bot's side of the guardian: what it says about it, what it tells the core, and what it does
// when the guardian has fired. Room: ops/app (wiring). Cold thread.
#include <fmt/format.h>

#include "ops/app/bot.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/venue_address.hpp"

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

// For guardians: they compare it with what their own key belongs to.
void Bot::show_account() noexcept {
  const std::uint64_t account = queries_->account_id();
  std::atomic<std::uint64_t>& shown = gate_.layout().header.account;
  if (shown.load(std::memory_order_relaxed) == account) return;
  shown.store(account, std::memory_order_release);
  if (off_host_ != nullptr) off_host_->show_account(account);
}

void Bot::watch_guardian() {
  show_account();
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

std::string Bot::open_off_host() {
  const GuardianConfig& g = loaded_->config.guardian;
  if (g.off_host.empty()) return {};
  Secret key;
  if (Outcome o = read_key(g.off_host_key, key); !o) return o.error();
  OffHostSender::Setup setup;
  setup.to = g.off_host;
  setup.interval = g.off_host_interval;
  setup.answer_max = g.off_host_miss;
  setup.epoch = epoch_;
  setup.account = account_number(account_text(loaded_->config.venues[0]));
  off_host_ = std::make_unique<OffHostSender>(std::move(setup), std::move(key));
  Outcome o = off_host_->open();
  return o ? std::string{} : o.error();
}

// From the cold thread, so that a cold thread that hangs is missed on the other host too.
void Bot::beat_off_host(RecvTime now) {
  if (off_host_ == nullptr) return;
  off_host_->beat(now, BotState::running);
  if (off_host_->watched(now) != off_host_told_) {
    off_host_told_ = !off_host_told_;
    say(off_host_told_ ? "off-host guardian: live"
                       : "off-host guardian: no answer, or it could not cancel");
  }
  if (!off_host_->take_fire()) return;
  say("off-host guardian: it fired; the gate is closed, everything is cancelled");
  desk_->stop_from(OperatorSource::guardian, Scope{}, Mode::cancel, "off-host guardian fired");
}

}  // namespace gimbal
