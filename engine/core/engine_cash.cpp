// our own cash against the balance that the venue reports, per currency.
//
// Known to the nano are the fee of a fill, as the venue reports it, and the premium of an option.
// Not known in advance, and therefore compared with nothing: what the settlement books (realised
// and marked profit of futures, funding, deliveries), what a liquidation or a deleveraging costs,
// a fill without fee, and one in an instrument that is not in the table. The first balance after
// one of them is taken as it is.
#include <algorithm>

#include "engine/core/engine_core.hpp"

namespace gimbal {
namespace {

constexpr Nanos clock_room = seconds(1);  // of our estimate of the venue's clock

std::int64_t letters_and_fills(Currency c, std::uint64_t fills) noexcept {
  std::uint64_t word = 0;
  for (std::size_t n = 0; n < 4; ++n) {
    word = (word << 8) | static_cast<unsigned char>(c.ticker[n]);
  }
  return static_cast<std::int64_t>((word << 32) | std::min<std::uint64_t>(fills, UINT32_MAX));
}

}  // namespace

// Whether the venue may be booking its settlement, and the number of the session that runs.
bool EngineCore::settling(VenueId venue, std::int64_t& session) const noexcept {
  const ExchTime at = venue_now(venue);
  if (at.unix_ns <= 0) return true;
  if (setup_.engine.settlement_length.count == 0) return false;
  const std::int64_t since =
      at.unix_ns + clock_room.count - setup_.engine.settlement_at.count;  // of the first day
  session = since / trading_day.count;
  return since % trading_day.count < setup_.engine.settlement_length.count + clock_room.count;
}

void EngineCore::move_cash(VenueId venue, Currency c, i128 atto, bool late) noexcept {
  for (MarginSlot& slot : venues_[venue.value].margins) {
    if (slot.used && slot.report.settlement == c)
      return slot.tie.move(atto, cash_unit_, now_, late);
  }
}

// No currency: of every one.
void EngineCore::forget_cash(VenueId venue, Currency c) noexcept {
  if (venue.value >= venues_max) return;
  for (MarginSlot& slot : venues_[venue.value].margins) {
    if (slot.used && (c == Currency{} || slot.report.settlement == c)) slot.tie.forget();
  }
}

void EngineCore::book_cash(const Event& event, const Fill& fill) noexcept {
  const Instrument& i = table_[event.instrument];
  const bool unpriced = is_option(i.kind) && fill.price.nano <= 0;
  if (fill.kind != FillKind::normal || fill.fee.nano == absent_nano || unpriced) {
    return forget_cash(event.venue, i.settlement);
  }
  i128 paid = 0;
  if (is_option(i.kind)) {
    paid = static_cast<i128>(signed_qty(fill.side, fill.amount).nano) * fill.price.nano;
  }
  const i128 fee = fill.fee.nano * CashTie::atto_per_nano;
  const bool late = event.has(event_flag::historical);
  if (fill.fee_currency == Currency{} || fill.fee_currency == i.settlement) {
    return move_cash(event.venue, i.settlement, -paid - fee, late);
  }
  move_cash(event.venue, i.settlement, -paid, late);
  move_cash(event.venue, fill.fee_currency, -fee, late);
}

void EngineCore::tie_cash(VenueId venue, MarginSlot& slot) noexcept {
  Venue& v = venues_[venue.value];
  if (cash_unit_.nano == 0 || !v.reconciled) return;
  std::int64_t session = 0;
  const bool settles = settling(venue, session);
  if (settles || session != slot.session) slot.tie.forget();
  slot.session = session;
  if (settles) return;
  // Trades that no message told are in the next picture: it must have been begun since.
  const auto asked = [&](RecvTime since) {
    return setup_.engine.reconcile_interval.count == 0 || v.pictured_at > since;
  };
  const CashTie::Rule rule{cash_unit_, setup_.engine.tie_out_wait, asked(slot.tie.open_since()),
                           asked(slot.tie.anchored_at())};
  switch (slot.tie.report(slot.report.balance, rule, now_)) {
    case CashTie::Verdict::none:
    case CashTie::Verdict::open: return;
    case CashTie::Verdict::tied: ++counters_.cash_ties; return;
    case CashTie::Verdict::differs: break;
  }
  ++counters_.cash_alarms;
  day_.held = true;
  const CashTie::Difference& d = slot.tie.difference();
  Trip t;
  t.code = TripCode::tie_out;
  t.severity = Severity::warning;
  t.scope = {ScopeLevel::account, venue.value};
  t.venue = venue;
  t.limit = d.own.nano;
  t.actual = d.venue.nano;
  t.evidence = letters_and_fills(slot.report.settlement, d.fills);
  trip(t, true);
}

}  // namespace gimbal
