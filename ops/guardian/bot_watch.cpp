#include "ops/guardian/bot_watch.hpp"

#include <algorithm>

namespace gimbal::guardian {

void BotWatch::forget() noexcept {
  for (SilenceWatch& line : hot_) line.forget();
  cold_.forget();
  stops_.clear();
}

Alarm BotWatch::raise(const Alarm& alarm) noexcept {
  spent_ = alarm.cause;
  const GateLayout& page = gate_.layout();
  for (std::size_t i = 0; i < hot_threads_max; ++i) {
    beats_at_fire_[i] = page.hot[i].beats.load(std::memory_order_acquire);
  }
  cold_at_fire_ = page.bot.beats.load(std::memory_order_acquire);
  return alarm;
}

Alarm BotWatch::look(RecvTime now, bool exited) noexcept {
  const Nanos since = looked_at_.mono_ns == 0 ? Nanos{} : now - looked_at_;
  fair_ = fair_ + std::min(since, gap_max);
  looked_at_ = now;
  const auto state =
      static_cast<BotState>(gate_.layout().bot.state.load(std::memory_order_acquire));
  watching_ = state == BotState::running && !death_told_;
  if (!watching_) {
    forget();
    return {};
  }
  if (exited) {
    death_told_ = true;
    watching_ = false;
    return raise(Alarm{FireCause::death, 0, {}, {}});
  }
  if (const Alarm alarm = look_at_beats(now); alarm.cause != FireCause::none) return alarm;
  return look_at_stops();
}

Alarm BotWatch::look_at_beats(RecvTime now) noexcept {
  const GateLayout& page = gate_.layout();
  Alarm worst;
  bool all_beat_again = true;
  for (std::size_t i = 0; i < hot_threads_max; ++i) {
    const BeatLine& line = page.hot[i];
    if (line.state.load(std::memory_order_acquire) != 1) {
      hot_[i].forget();
      continue;
    }
    const std::uint64_t beats = line.beats.load(std::memory_order_acquire);
    all_beat_again = all_beat_again && beats != beats_at_fire_[i];
    const Nanos silent = hot_[i].look(beats, now);
    if (silent > limits_.miss && worst.cause == FireCause::none) {
      worst = Alarm{FireCause::hang, line.pid.load(std::memory_order_relaxed), {}, silent};
    }
  }
  const std::uint64_t cold = page.bot.beats.load(std::memory_order_acquire);
  all_beat_again = all_beat_again && cold != cold_at_fire_;
  const Nanos silent = cold_.look(cold, now);
  if (silent > limits_.cold_miss && worst.cause == FireCause::none) {
    worst = Alarm{FireCause::cold_hang, 0, {}, silent};
  }
  if (spent_ == FireCause::none) return worst.cause == FireCause::none ? worst : raise(worst);
  if (all_beat_again) {
    if (spent_ == FireCause::hang || spent_ == FireCause::cold_hang) ++false_fires_;
    spent_ = FireCause::none;
  }
  return {};
}

void BotWatch::note_stop(Scope scope, Mode mode) noexcept {
  if (mode < Mode::cancel) return;  // the senders obey the page; nothing is to be cancelled
  const auto at = std::find_if(stops_.begin(), stops_.end(),
                               [scope](const StopSeen& s) { return s.scope == scope; });
  if (at == stops_.end()) {
    if (stops_.size() < stops_max) {
      stops_.push_back(StopSeen{scope, mode, fair_, StopState::waiting, true});
    }
    return;
  }
  at->present = true;
  if (at->mode < mode) *at = StopSeen{scope, mode, fair_, StopState::waiting, true};
}

Alarm BotWatch::look_at_stops() noexcept {
  for (StopSeen& s : stops_) s.present = false;
  stop_.each_stop([this](Scope scope, Mode mode) { note_stop(scope, mode); });
  std::erase_if(stops_, [](const StopSeen& s) { return !s.present; });
  if (spent_ != FireCause::none) return {};
  for (StopSeen& s : stops_) {
    const Nanos waited = fair_ - s.since;
    if (s.state == StopState::waiting && gate_.at(s.scope) >= s.mode) {
      s.state = StopState::carried;
      s.since = fair_;
    } else if ((s.state == StopState::waiting && waited > limits_.stop_wait) ||
               s.state == StopState::still_open) {
      s.state = StopState::none_open;  // ours to settle now
      return raise(Alarm{FireCause::stop_page, 0, s.scope, waited});
    }
  }
  return {};
}

std::optional<Scope> BotWatch::wants_count() const noexcept {
  for (const StopSeen& s : stops_) {
    if (s.state == StopState::carried && fair_ - s.since > limits_.stop_confirm) return s.scope;
  }
  return std::nullopt;
}

void BotWatch::counted(Scope scope, bool none_open) noexcept {
  for (StopSeen& s : stops_) {
    if (s.scope != scope || s.state != StopState::carried) continue;
    s.state = none_open ? StopState::none_open : StopState::still_open;
  }
}

}  // namespace gimbal::guardian
