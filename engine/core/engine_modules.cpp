// Risk modules of third parties: their envelopes enter as side blocks, their silence is found by
// time. A late, dead or invalid module denies growth and latches nothing: it ends with the next
// valid envelope.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

constexpr Nanos module_alert_interval = seconds(1);

}  // namespace

void EngineCore::on_envelope(const Event& event) noexcept {
  if (!envelopes_.used()) return;
  const auto ref = event.as<SideBlockRef>();
  const auto block = setup_.blocks.bytes(ref.slot, ref.generation);
  const EnvelopeBook::Taken taken = envelopes_.take(block, now_, portfolio_, table_.size());
  if (taken == EnvelopeBook::Taken::no) {
    ++counters_.envelopes_refused;
    return;
  }
  if (taken == EnvelopeBook::Taken::tightened) gate_.advance_epoch();
  check_modules();
  replan_ = true;
}

void EngineCore::check_modules() noexcept {
  for (std::size_t m = 0; m < envelopes_.size(); ++m) {
    const ModuleSeat& seat = envelopes_.seat(m);
    const bool lost = seat.counts() && now_ >= seat.until;
    if (lost != seat.lost) change_module(m, lost);
    if (lost && module_alerts_[m].owed && now_ >= module_alert_due(m)) raise_module(m);
  }
}

void EngineCore::change_module(std::size_t m, bool lost) noexcept {
  ModuleSeat& seat = envelopes_.seat(m);
  seat.lost = lost;
  module_alerts_[m].owed = lost;
  if (lost && seat.sight == ModuleSight::live) seat.sight = ModuleSight::late;
  if (lost) ++counters_.modules_lost;
  trace(TraceId::module_seen, static_cast<std::int64_t>(m), static_cast<std::int64_t>(seat.sight),
        (now_ - seat.made).count, static_cast<std::int64_t>(seat.taken));
}

void EngineCore::raise_module(std::size_t m) noexcept {
  const ModuleSeat& seat = envelopes_.seat(m);
  module_alerts_[m] = {false, now_};
  Trip t;
  t.code = TripCode::module_lost;
  t.limit = seat.taken > 0 ? seat.ttl.count : setup_.modules[m].ttl.count;
  t.actual = (now_ - (seat.taken > 0 ? seat.made : booted_at_)).count;
  t.evidence = static_cast<std::int64_t>(m);
  trip(t, true);
}

// One that never spoke has its time to live from the boot on. A module that comes and goes raises
// at most one alert a second: the losses between are counted, the one that lasts is told then.
RecvTime EngineCore::module_alert_due(std::size_t m) const noexcept {
  if (boot_.epoch == 0) return RecvTime{INT64_MAX};
  const ModuleAlert& alert = module_alerts_[m];
  if (alert.at != RecvTime{}) return alert.at + module_alert_interval;
  return envelopes_.seats()[m].taken > 0 ? RecvTime{} : booted_at_ + setup_.modules[m].ttl;
}

// When the next module is late unless it speaks before, or an alert is owed.
RecvTime EngineCore::modules_due() const noexcept {
  RecvTime due{INT64_MAX};
  for (std::size_t m = 0; m < envelopes_.size(); ++m) {
    const ModuleSeat& seat = envelopes_.seats()[m];
    if (seat.counts() && !seat.lost) due = std::min(due, seat.until);
    if (seat.lost && module_alerts_[m].owed) due = std::min(due, module_alert_due(m));
  }
  return due;
}

}  // namespace gimbal
