#include "strategies/delta_hedge/delta_hedge.hpp"

#include <algorithm>

#include "strategies/pause.hpp"
#include "strategies/short_of_own.hpp"

namespace gimbal {
namespace {

// How long growth is blocked, or free again, before the delta in use is changed for the other: each
// change trades the whole shift.
constexpr Nanos turn_after = seconds(1);

// After orders that the venue took or refused without effect: a few misses in a fast market go on
// at once; more would only take the rate from who could change something.
Nanos pause_of_cycles(std::uint32_t cycles) noexcept {
  constexpr std::uint32_t at_once = 3;
  return cycles <= at_once ? Nanos{} : std::min(refusal_pause(cycles - at_once), seconds(2));
}

std::int64_t magnitude(std::int64_t v) noexcept { return v < 0 ? -v : v; }

// Nobody has answered yet what was asked for last.
bool is_on_its_way(const Order* o) noexcept {
  return o != nullptr &&
         (o->state == OrderState::pending_new || o->state == OrderState::pending_replace);
}

bool in_usd(const Instrument& i) noexcept { return is_inverse(i.kind) && !is_option(i.kind); }

// Coins at 1e-9 to the instrument's amount unit at 1e-9, and back.
i128 to_amount(const Instrument& i, i128 coins, Price price) noexcept {
  return in_usd(i) ? coins * price.nano / nano_per_unit : coins;
}
std::int64_t to_coins(const Instrument& i, Qty amount, Price price) noexcept {
  if (!in_usd(i)) return amount.nano;
  const i128 coins = static_cast<i128>(amount.nano) * nano_per_unit / price.nano;
  return fits_int64(coins) ? static_cast<std::int64_t>(coins) : INT64_MAX;
}

Price beyond(Price best, Side side, std::int64_t bps) noexcept {
  const auto reach = static_cast<std::int64_t>(static_cast<i128>(best.nano) * bps / 10000);
  return side == Side::buy ? best + PriceOffset{reach} : best - PriceOffset{reach};
}

}  // namespace

std::string_view DeltaHedge::add(const DeltaHedgeConfig& config, UnderlyingId underlying,
                                 InstrumentId hedge) noexcept {
  if (underlying.value >= underlyings_max) return "underlying is not known";
  if (!hedge.valid()) return "hedge instrument is not known";
  if (config.numeraire == Numeraire::unset) return "numeraire is required: coin or usd";
  if (count_ == books_.size()) return "too many underlyings";
  for (std::size_t i = 0; i < count_; ++i) {
    if (books_[i].underlying == underlying) return "underlying is configured twice";
  }
  Book& book = books_[count_++];
  book = Book{};
  book.underlying = underlying;
  book.hedge = hedge;
  book.config = config;
  return {};
}

void DeltaHedge::wake(const StrategyView& view, Requests& requests) noexcept {
  for (std::size_t i = 0; i < count_; ++i) look(books_[i], view, requests);
}

void DeltaHedge::say(const StrategyView& view, const Book& book, TraceId what, std::int64_t a,
                     std::int64_t b, std::int64_t c, std::int64_t d) const noexcept {
  TraceRecord r;
  r.id = what;
  r.instrument = book.hedge;
  r.strategy = id_;
  r.underlying = book.underlying.value;
  r.a = a;
  r.b = b;
  r.c = c;
  r.d = d;
  view.trace(r);
}

bool DeltaHedge::ready(const Book& book, const StrategyView& view) noexcept {
  if (!view.instruments().contains(book.hedge)) return false;
  if (view.instruments()[book.hedge].state != InstrumentState::open) return false;
  if (!view.venue_ready(view.instruments()[book.hedge].venue)) return false;
  return view.data_age(book.hedge) <= book.config.data_age_max;
}

DeltaHedge::Own DeltaHedge::own_orders(const Book& book, const StrategyView& view) const noexcept {
  Own own;
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (o.instrument != book.hedge || o.id.strategy() != id_) continue;
    if (o.state == OrderState::unknown) {
      own.unknown = true;
    } else if (own.resting == nullptr || (!own.resting->open() && o.open()) ||
               (own.resting->wants_cancel && o.open() && !o.wants_cancel)) {
      own.resting = &o;  // an ended order that still owes a fill counts as well: wait for it
    }
  }
  return own;
}

// A hedge that takes rests nothing; one that makes has one order, on its hedge instrument. An order
// in doubt is bounded by the residual's outcomes: it is asked for, and not waited for.
bool DeltaHedge::take_back(const Book& book, const StrategyView& view, const Own& own,
                           Requests& requests) const noexcept {
  const bool makes = book.config.execution == HedgeExecution::maker;
  bool waits = false;
  for (std::size_t n = 0; n < view.open_orders(); ++n) {
    const Order& o = view.open_order(n);
    if (o.underlying != book.underlying || o.id.strategy() != id_ || !o.open()) continue;
    if (o.tif != TimeInForce::good_til_cancelled || (makes && &o == own.resting)) continue;
    waits = waits || o.state != OrderState::unknown;
    if (!o.wants_cancel) static_cast<void>(requests.cancel({o.id}));
  }
  return waits;
}

std::int64_t DeltaHedge::half_band(const Book& book, const StrategyView& view,
                                   Price price) const noexcept {
  const DeltaHedgeConfig& c = book.config;
  const Instrument& i = view.instruments()[book.hedge];
  double band = c.band;
  if (c.risk_aversion > 0) {
    const double gamma = view.risk(book.underlying).gamma_net.value;
    band =
        std::min(whalley_wilmott_band(c.cost_bps * 1e-4, to_double(price), gamma, c.risk_aversion),
                 c.band_max);
  }
  std::int64_t nano = 0;
  if (!decision_nano(band, nano)) return INT64_MAX;
  return std::max(nano, (to_coins(i, i.lot, price) + 1) / 2);
}

void DeltaHedge::note_residual(const Book& book, std::int64_t residual, std::int64_t band,
                               RecvTime now, bool trading) noexcept {
  HedgeState& s = states_[book.underlying.value];
  s.residual = static_cast<double>(residual) * 1e-9;
  s.band = static_cast<double>(band) * 1e-9;
  const bool outside = magnitude(residual) > band;
  // Time outside counts from the moment that something could be done about it.
  if (outside && (!s.outside || !trading)) s.outside_since = now;
  if (s.outside) s.outside_longest = std::max(s.outside_longest, now - s.outside_since);
  s.outside = outside;
}

// An order that did not bring the residual nearer to zero is a cycle without improvement. One that
// the gate refused never happened.
void DeltaHedge::judge_last(Book& book, const StrategyView& view, std::int64_t residual) noexcept {
  HedgeState& s = states_[book.underlying.value];
  if (!book.awaiting) return;
  book.awaiting = false;
  if (view.refusals_of(id_, book.underlying) != book.refusals.seen()) return;
  if (magnitude(residual) < magnitude(book.asked_residual)) {
    s.cycles = 0;
    return;
  }
  if (s.cycles == 0 || view.now() - book.window_start > book.config.attempts_window) {
    book.window_start = view.now();
    s.cycles = 0;
  }
  if (++s.cycles < book.config.attempts_max) return;
  s.stopped = true;
  say(view, book, TraceId::hedge_stopped, s.cycles, (view.now() - book.window_start).count,
      residual);
}

std::int64_t DeltaHedge::certain(const Book& book, const StrategyView& view, const ResidualDelta& r,
                                 std::int64_t band) noexcept {
  if (r.unknown_orders == 0) return r.expected;
  if (r.unknown.low > band) return r.unknown.low;
  if (r.unknown.high < -band) return r.unknown.high;
  ++states_[book.underlying.value].waits;
  say(view, book, TraceId::hedge_waits, static_cast<std::int64_t>(r.unknown_orders), r.expected,
      r.unknown.low, r.unknown.high);
  return 0;
}

void DeltaHedge::look(Book& book, const StrategyView& view, Requests& requests) noexcept {
  HedgeState& s = states_[book.underlying.value];
  if (view.arm_generation() != book.arm_generation) {
    book.arm_generation = view.arm_generation();
    book.awaiting = false;
    book.refusals.forgive();
    book.reducing = false;
    book.turning_since = {};
    s.stopped = false;
    s.cycles = 0;
  }
  note_turn(book, view);
  if (!ready(book, view)) return;
  const Own own = own_orders(book, view);
  if (turn(book, view, own, requests)) return;
  const std::optional<Quote> quote = view.quote(book.hedge);
  const std::optional<ResidualDelta> r = chosen_residual(book, view);
  if (!quote || !r) return;
  const std::int64_t band = half_band(book, view, quote->mid());
  note_residual(book, r->settled, band, view.now(), view.mode(id_, book.hedge) < Mode::halt);
  if (own.resting == nullptr && !own.unknown) judge_last(book, view, r->settled);
  if (s.stopped || view.mode(id_, book.hedge) >= Mode::halt) return;
  if (take_back(book, view, own, requests)) return;
  const Nanos since = view.now() - book.last_order;
  static_cast<void>(
      book.refusals.look(view.refusals_of(id_, book.underlying), is_on_its_way(own.resting)));
  // A resting order is moved or taken back without that pause.
  const Nanos fruitless = own.resting == nullptr ? pause_of_cycles(s.cycles) : Nanos{};
  const Nanos pause = std::max(refusal_pause(book.refusals.in_row()), fruitless);
  if (book.last_order.mono_ns != 0 && since < std::max(book.config.interval_min, pause)) return;
  if (view.rate_room(view.instruments()[book.hedge].venue) == 0) return;
  if (book.config.execution == HedgeExecution::maker) {
    return rest(book, view, *quote, *r, band, own, requests);
  }
  if (own.resting != nullptr) return;  // one at a time
  const std::int64_t residual = certain(book, view, *r, band);
  if (magnitude(agreed(book, residual)) <= band) return;
  take(book, view, *quote, residual, band, requests);
}

// In REDUCE, and while growth is blocked, the gate lets through what lowers Black's delta: hedged
// is that one, or a hedge of the other would be refused.
void DeltaHedge::note_turn(Book& book, const StrategyView& view) const noexcept {
  if (book.config.delta == HedgeDelta::black) return;
  const bool held = view.mode(id_, book.hedge) >= Mode::reduce || view.growth_held(id_, book.hedge);
  // A late tick blocks what is decided on it: of the second of the way back it is no end.
  if (!held && book.reducing && view.tick_late(book.hedge)) return;
  if ((held || view.tick_late(book.hedge)) == book.reducing) {
    book.turning_since = {};
  } else if (book.turning_since == RecvTime{}) {
    book.turning_since = view.now();
  }
}

// Into REDUCE at once, otherwise when it has lasted, and never under a live order: it is judged by
// the delta it was asked for under.
bool DeltaHedge::turn(Book& book, const StrategyView& view, const Own& own,
                      Requests& requests) const noexcept {
  if (book.turning_since == RecvTime{}) return false;
  const Mode mode = view.mode(id_, book.hedge);
  if (mode >= Mode::halt) return false;  // what rests stays, nothing is traded: no turn either
  const bool at_once = mode >= Mode::reduce;
  if (!at_once && view.tick_late(book.hedge)) return false;
  if (!at_once && view.now() - book.turning_since < turn_after) return false;
  if (own.resting != nullptr) {
    const Order& o = *own.resting;
    if (o.open() && o.tif == TimeInForce::good_til_cancelled && !o.wants_cancel) {
      static_cast<void>(requests.cancel({o.id}));
    }
    return true;
  }
  book.reducing = !book.reducing;
  book.turning_since = {};
  book.awaiting = false;
  return false;
}

// Meanwhile a hedge of the rest would be refused, or traded back after the change.
std::int64_t DeltaHedge::agreed(const Book& book, std::int64_t residual) noexcept {
  const std::int64_t other = residual + book.apart;
  if ((residual > 0) != (other > 0)) return 0;
  return magnitude(other) < magnitude(residual) ? other : residual;
}

std::optional<ResidualDelta> DeltaHedge::chosen_residual(Book& book,
                                                         const StrategyView& view) noexcept {
  std::optional<ResidualDelta> r = view.residual(book.underlying);
  book.apart = 0;
  if (!r || book.config.delta == HedgeDelta::black) return r;
  states_[book.underlying.value].shift = 0;
  const bool turning = book.turning_since != RecvTime{};
  if (book.reducing && !turning) return r;
  const RiskNumbers risk = view.risk(book.underlying);
  const double coins = book.config.delta == HedgeDelta::sticky_delta ? risk.sticky_delta_shift
                                                                     : risk.minimum_variance_shift;
  std::int64_t shift = 0;
  if (!decision_nano(coins, shift)) return std::nullopt;
  if (turning) book.apart = book.reducing ? shift : -shift;
  if (book.reducing) return r;
  states_[book.underlying.value].shift = coins;
  for (std::int64_t* v : {&r->settled, &r->expected, &r->unknown.low, &r->unknown.high,
                          &r->worst.low, &r->worst.high}) {
    *v += shift;
  }
  return r;
}

Qty DeltaHedge::amount_for(Book& book, const StrategyView& view, std::int64_t residual,
                           std::int64_t band, Price price) noexcept {
  const Instrument& i = view.instruments()[book.hedge];
  const DeltaHedgeConfig& c = book.config;
  const i128 whole = to_amount(i, magnitude(residual), price);
  const i128 nearest = divide(whole, i.lot.nano, Rounding::nearest);
  i128 lots = nearest;
  if (c.target == HedgeTarget::edge) {
    const i128 edge = to_amount(i, std::max<std::int64_t>(magnitude(residual) - band, 0), price);
    lots = std::min(nearest, divide(edge, i.lot.nano, Rounding::up));
  }
  const RiskLimits& limits = view.limits();
  lots = std::min<i128>(lots, limits.max_order_lots);
  if (view.now() - book.second_start >= seconds(1)) {
    book.second_start = view.now();
    book.second_usd = {};
  }
  // One lot in USD, for the order limit and for the budget of this second.
  Money lot_usd;
  if (!i.exposure_usd(price, i.lot, price, lot_usd) || lot_usd.nano <= 0) return {};
  const std::int64_t left = c.usd_per_second_max.nano - book.second_usd.nano;
  // The limit price is beyond the mid: leave room for it in the value of linear instruments.
  const std::int64_t order_max =
      limits.max_order_usd.nano - (in_usd(i) ? 0 : limits.max_order_usd.nano / 50);
  lots = std::min<i128>(lots, std::min(left, order_max) / lot_usd.nano);
  const i128 amount = lots * i.lot.nano;
  if (lots <= 0 || !fits_int64(amount) || Qty{static_cast<std::int64_t>(amount)} < i.amount_min) {
    return {};
  }
  return Qty{static_cast<std::int64_t>(amount)};
}

void DeltaHedge::ask(Book& book, const StrategyView& view, OrderRequest request,
                     std::int64_t residual, std::int64_t band, Requests& requests) noexcept {
  const Instrument& i = view.instruments()[book.hedge];
  request.instrument = book.hedge;
  request.strategy = id_;
  request.intent = (static_cast<std::uint64_t>(book.underlying.value) << 48) | (book.intent + 1);
  request.evidence_nano = residual;
  if (!requests.place(request)) return;
  ++book.intent;
  book.last_order = view.now();
  book.asked_residual = residual;
  book.refusals.note_asked();
  book.awaiting = true;
  ++states_[book.underlying.value].orders;
  Money value;
  if (i.exposure_usd(request.decision_price, request.amount, request.decision_price, value)) {
    book.second_usd += value;
  }
  say(view, book, TraceId::hedge_decided, residual, band,
      signed_qty(request.side, request.amount).nano, request.limit.nano);
}

void DeltaHedge::take(Book& book, const StrategyView& view, const Quote& quote,
                      std::int64_t residual, std::int64_t band, Requests& requests) noexcept {
  OrderRequest request;
  request.side = residual > 0 ? Side::sell : Side::buy;
  request.decision_price = quote.mid();
  request.amount = amount_for(book, view, agreed(book, residual), band, quote.mid());
  if (request.amount.nano == 0) return;
  const Price best = request.side == Side::buy ? quote.ask : quote.bid;
  request.limit = short_of_own(view, book.hedge, request.side, best,
                               beyond(best, request.side, book.config.collar_bps));
  request.tif = TimeInForce::immediate_or_cancel;
  ask(book, view, request, residual, band, requests);
}

// Outside the band: at our own best. Inside, with long gamma: at the nearer price where the band
// would be left. Inside with short gamma the market walks away from such a price: nothing rests.
void DeltaHedge::rest(Book& book, const StrategyView& view, const Quote& quote,
                      const ResidualDelta& r, std::int64_t band, const Own& own,
                      Requests& requests) noexcept {
  if (r.unknown_orders > 0) return;
  const std::int64_t residual = r.settled;
  const double gamma = view.risk(book.underlying).gamma_net.value;
  const std::int64_t sure = agreed(book, residual);
  const bool outside = magnitude(sure) > band;
  if (!outside && book.apart != 0) return;  // what rests stays until the turn
  OrderRequest request;
  request.tif = TimeInForce::good_til_cancelled;
  request.flags = order_flag::post_only;
  request.decision_price = quote.mid();
  std::int64_t wanted = sure;
  if (outside) {
    request.side = residual > 0 ? Side::sell : Side::buy;
    request.limit = request.side == Side::sell ? quote.ask : quote.bid;
  } else if (gamma > 0) {
    request.side = residual > 0 ? Side::sell : Side::buy;
    std::int64_t distance = 0;
    const double coins = static_cast<double>(band - magnitude(residual)) * 1e-9;
    if (!decision_nano(coins / gamma, distance)) return;
    if (distance >= quote.mid().nano / 2) distance = quote.mid().nano / 2;
    request.limit = request.side == Side::sell ? quote.ask + PriceOffset{distance}
                                               : quote.bid - PriceOffset{distance};
    wanted = request.side == Side::sell ? band : -band;
  } else {
    if (own.resting != nullptr) static_cast<void>(requests.cancel({own.resting->id}));
    return;
  }
  request.amount = amount_for(book, view, wanted, outside ? band : 0, quote.mid());
  if (request.amount.nano == 0) return;
  if (own.resting == nullptr) return ask(book, view, request, residual, band, requests);
  if (own.resting->state != OrderState::live) return;
  if (own.resting->side != request.side) {
    static_cast<void>(requests.cancel({own.resting->id}));
    return;
  }
  const std::int64_t off = magnitude(own.resting->price.nano - request.limit.nano);
  const auto allowed = static_cast<std::int64_t>(static_cast<i128>(request.limit.nano) *
                                                 book.config.maker_reprice_bps / 10000);
  const Qty open = own.resting->open_amount();
  const Qty lot = view.instruments()[book.hedge].lot;
  if (off <= allowed && abs(open - request.amount) <= lot) return;
  if (requests.replace({own.resting->id, request.limit, own.resting->filled + request.amount})) {
    book.last_order = view.now();
    book.refusals.note_asked();
  }
}

}  // namespace gimbal
