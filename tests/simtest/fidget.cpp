#include "tests/simtest/fidget.hpp"

namespace gimbal::simtest {
namespace {

// `away` from the best price of its side; negative: into the market.
Price away_from(const Quote& quote, Side side, std::int64_t away) noexcept {
  return side == Side::buy ? Price{quote.bid.nano - away} : Price{quote.ask.nano + away};
}

}  // namespace

void Fidget::wake(const StrategyView& view, Requests& requests) noexcept {
  const bool quiet = view.now() >= quiet_from_;
  const bool acts = random_.chance(0.04);
  std::size_t own = 0;
  bool left = false;
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (o.id.strategy() != id_ || !o.open()) continue;
    ++own;
    if (quiet) {
      const bool stays = leaves_ && o.intent == left_intent;
      left = left || stays;
      if (!stays && !o.wants_cancel) static_cast<void>(requests.cancel({o.id}));
    } else if (acts && random_.chance(0.3)) {
      touch(o, view, requests);
    }
  }
  if (!hasty_ && !view.venue_ready(VenueId{0})) return;
  if (quiet && leaves_ && !left && random_.chance(0.2)) leave(view, requests);
  if (!quiet && acts && own < orders_max) place(view, requests);
}

// Far enough from the market to rest, inside of the collar.
void Fidget::leave(const StrategyView& view, Requests& requests) noexcept {
  const auto quote = view.quote(instrument_);
  if (!quote) return;
  OrderRequest r;
  r.instrument = instrument_;
  r.strategy = id_;
  r.side = random_.chance(0.5) ? Side::buy : Side::sell;
  r.intent = left_intent;
  r.tif = TimeInForce::good_til_cancelled;
  r.flags = order_flag::post_only;
  const std::int64_t away = quote->bid.nano / 10'000 * 30;
  r.limit = away_from(*quote, r.side, away);
  r.amount = Qty{random_.between(1, 80) * 10 * nano_per_unit};
  r.decision_price = quote->mid();
  static_cast<void>(requests.place(r));
}

void Fidget::touch(const Order& o, const StrategyView& view, Requests& requests) noexcept {
  if (random_.chance(0.5)) {
    static_cast<void>(requests.cancel({o.id}));
    return;
  }
  const auto quote = view.quote(instrument_);
  if (!quote) return;
  const std::int64_t away = quote->bid.nano / 10'000 * random_.between(-1, 15);
  ReplaceRequest r;
  r.order = o.id;
  r.limit = away_from(*quote, o.side, away);
  r.amount = Qty{o.filled.nano + random_.between(1, 60) * 10 * nano_per_unit};
  static_cast<void>(requests.replace(r));
}

void Fidget::place(const StrategyView& view, Requests& requests) noexcept {
  const auto quote = view.quote(instrument_);
  if (!quote) return;
  OrderRequest r;
  r.instrument = instrument_;
  r.strategy = id_;
  r.side = random_.chance(0.5) ? Side::buy : Side::sell;
  r.intent = 1 + random_.below(orders_max);
  const std::uint64_t kind = random_.below(10);
  r.tif = kind < 2   ? TimeInForce::immediate_or_cancel
          : kind < 3 ? TimeInForce::fill_or_kill
                     : TimeInForce::good_til_cancelled;
  if (kind >= 7) r.flags = order_flag::post_only;
  if (kind == 6) r.flags = order_flag::reduce_only;
  const std::int64_t away = quote->bid.nano / 10'000 * random_.between(kind < 3 ? -10 : 0, 20);
  r.limit = away_from(*quote, r.side, away);
  r.amount = Qty{random_.between(1, 80) * 10 * nano_per_unit};
  r.decision_price = quote->mid();
  static_cast<void>(requests.place(r));
}

}  // namespace gimbal::simtest
