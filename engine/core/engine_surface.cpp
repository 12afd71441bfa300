// The volatility surface enters, one expiry a block; what a refused fit, and the age of a curve or
// of the Greeks, lead to.
#include "engine/core/engine_core.hpp"
#include "engine/core/risk/option_sanity.hpp"

namespace gimbal {
namespace {

// The newest quotes gave a bad curve and the one before it does not fit beside them any more. Too
// few quotes say nothing about it: then it stands until its age.
bool gives_up_curve(const SurfaceHead& head) noexcept {
  return head.source == VolSource::none && head.verdict > SurfaceVerdict::unusable;
}

}  // namespace

// A surface is taken whole or not at all: an impossible volatility (P-18) refuses its whole expiry,
// and the curve before it stands.
void EngineCore::on_surface(const Event& event) noexcept {
  if (setup_.portfolio.surface_age_max.count == 0) return;
  const auto ref = event.as<SideBlockRef>();
  const SurfaceBlock block{setup_.blocks.bytes(ref.slot, ref.generation)};
  bool good = block.sound();
  for (std::size_t n = 0; good && n < block.rows(); ++n) {
    std::int64_t sigma = 0;
    good =
        decision_nano(block.row(n).sigma, sigma) && OptionSanity::volatility(sigma, gate_.limits());
  }
  if (!good) {
    ++counters_.surfaces_refused;
    return;
  }
  judge_verdict(block.head());
  if (gives_up_curve(block.head())) {
    if (!portfolio_.withdraw_surface(block.head(), event.now())) return;
  } else {
    if (portfolio_.on_surface(block, event.now()) == 0) return;
    ++counters_.surfaces_adopted;
  }
  for (const InstrumentId id : held_) {
    if (is_option(table_[id].kind) && table_[id].expiry == block.head().expiry) refresh_gross(id);
  }
}

// Told once, and again only after a good fit in between.
void EngineCore::judge_verdict(const SurfaceHead& head) noexcept {
  std::size_t n = 0;
  while (n < table_.expiry_count() &&
         (table_.expiry(ExpiryId{static_cast<std::uint16_t>(n)}).underlying != head.underlying ||
          table_.expiry(ExpiryId{static_cast<std::uint16_t>(n)}).at != head.expiry)) {
    ++n;
  }
  if (n == table_.expiry_count()) return;
  bool& told = surface_refused_told_[2 * n + head.inverse];
  const bool refused = head.verdict != SurfaceVerdict::accepted;
  // Too few quotes are the market's affair; a curve that had to be refused is ours.
  if (!refused || head.verdict == SurfaceVerdict::unusable) {
    if (!refused) told = false;
    return;
  }
  ++counters_.surface_fits_refused;
  if (told) return;
  told = true;
  Trip t;
  t.code = TripCode::surface_refused;
  t.scope = {ScopeLevel::underlying, head.underlying.value};
  if (!decision_nano(head.rms, t.actual)) t.actual = 0;
  if (!decision_nano(head.rms_max, t.limit)) t.limit = 0;
  t.evidence = static_cast<std::int64_t>(head.verdict);
  trip(t);
}

// Told once, and again only after the Greeks were fresh in between.
void EngineCore::warn_stale(UnderlyingId u, const RiskNumbers& risk) noexcept {
  Coin& coin = coins_[u.value];
  const Nanos limit = gate_.limits().greeks_age_max;
  // Told a second later: in a quiet market the Greeks are as old as the repricing lets them be.
  const bool stale = greeks_stale(risk) && now_ - risk.updated > limit + seconds(1);
  if (stale && !coin.stale_told) {
    Trip t;
    t.code = TripCode::greeks_stale;
    t.scope = {ScopeLevel::underlying, u.value};
    t.limit = limit.count;
    t.actual = (now_ - risk.updated).count;
    trip(t);
  }
  coin.stale_told = stale;
}

void EngineCore::warn_surface(UnderlyingId u, const RiskNumbers& risk) noexcept {
  Coin& coin = coins_[u.value];
  const bool stale = risk.surface_stale > 0;
  if (stale && !coin.surface_stale_told) {
    Trip t;
    t.code = TripCode::surface_stale;
    t.scope = {ScopeLevel::underlying, u.value};
    t.limit = portfolio_.config().surface_age_max.count;
    t.actual = (now_ - risk.surface_at).count;
    t.evidence = risk.surface_stale;
    trip(t);
  }
  coin.surface_stale_told = stale;
}

}  // namespace gimbal
