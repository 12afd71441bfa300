// Risk modules of third parties: their envelopes enter as side blocks, their silence is found by
// time. A late, dead or invalid module denies growth and latches nothing: it ends with the next
// valid envelope.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {

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
    ModuleSeat& seat = envelopes_.seat(m);
    const bool lost = seat.counts() && now_ >= seat.until;
    if (lost == seat.lost) continue;
    seat.lost = lost;
    if (lost && seat.sight == ModuleSight::live) seat.sight = ModuleSight::late;
    trace(TraceId::module_seen, static_cast<std::int64_t>(m), static_cast<std::int64_t>(seat.sight),
          (now_ - seat.made).count, static_cast<std::int64_t>(seat.taken));
    if (!lost) continue;
    ++counters_.modules_lost;
    Trip t;
    t.code = TripCode::module_lost;
    t.limit = seat.ttl.count;
    t.actual = (now_ - seat.made).count;
    t.evidence = static_cast<std::int64_t>(m);
    trip(t, true);
  }
}

// When the next module is late unless it speaks before.
RecvTime EngineCore::modules_due() const noexcept {
  RecvTime due{INT64_MAX};
  for (std::size_t m = 0; m < envelopes_.size(); ++m) {
    const ModuleSeat& seat = envelopes_.seats()[m];
    if (seat.counts() && !seat.lost) due = std::min(due, seat.until);
  }
  return due;
}

}  // namespace gimbal
