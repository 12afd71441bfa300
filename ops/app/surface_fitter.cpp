#include "ops/app/surface_fitter.hpp"

#include <algorithm>
#include <cstring>

#include "engine/core/math.hpp"
#include "engine/core/pricing.hpp"
#include "engine/quant/surface/quote_choice.hpp"

namespace gimbal {
namespace {

constexpr double sigma_news = 1e-4;  // a change of 0.01 points is news
// A curve is given up at the third refusal without a good fit in between, or 3 s after the first:
// its slope is hedged, and a slope that comes and goes is paid for at each turn. Its age limits it
// meanwhile.
constexpr int refused_max = 3;
constexpr Nanos refused_longest = seconds(3);
constexpr std::int64_t steps_apart_max = 3;
// The venue prints 0.01 points; one further off saw another market, or is at the end of its scale.
constexpr double apart_max = 0.002;
constexpr double apart_share_max = 0.01;

static_assert(static_cast<int>(SurfaceVerdict::error) ==
                  static_cast<int>(quant::SliceVerdict::error) &&
              static_cast<int>(SurfaceVerdict::butterfly) ==
                  static_cast<int>(quant::SliceVerdict::butterfly));

double seconds_of(RecvTime t) { return static_cast<double>(t.mono_ns) * 1e-9; }

double volatility(std::int64_t nano) { return nano > 0 ? static_cast<double>(nano) * 1e-9 : 0.0; }

double price_of(Price p, const SurfaceQuote& q) {
  return p.nano > 0 ? to_double(p) * (q.inverse ? q.forward : 1.0) : 0.0;
}

struct Prices {
  std::vector<double> forward{}, strike{}, years{}, discount{}, price{}, sign{}, warm{};

  void add(const SurfaceQuote& q, double of, double start) {
    forward.push_back(q.forward);
    strike.push_back(q.strike);
    years.push_back(gimbal::years(q.expiry - q.venue_time));
    discount.push_back(1.0);
    price.push_back(of);
    sign.push_back(q.type == OptionType::call ? 1.0 : -1.0);
    warm.push_back(start);
  }
  [[nodiscard]] quant::VolColumns columns() const {
    return {forward.data(), strike.data(), years.data(), discount.data(),
            price.data(),   sign.data(),   warm.data()};
  }
};

// Where the search for a volatility starts.
double start_of(double venue, double last, double mark) {
  return venue > 0 ? venue : last > 0 ? last : mark;
}

std::vector<std::byte> bytes_of(const SurfaceHead& head, const std::vector<SurfaceRow>& rows) {
  std::vector<std::byte> out(sizeof head + rows.size() * sizeof(SurfaceRow));
  std::memcpy(out.data(), &head, sizeof head);
  if (!rows.empty()) {
    std::memcpy(out.data() + sizeof head, rows.data(), rows.size() * sizeof(SurfaceRow));
  }
  return out;
}

}  // namespace

bool quote_of(const InstrumentTable& table, const Event& last_part, const Ticker& t,
              SurfaceQuote& out) {
  if (!table.contains(last_part.instrument)) return false;
  const Instrument& i = table[last_part.instrument];
  if (!is_option(i.kind) || i.state != InstrumentState::open) return false;
  out.instrument = last_part.instrument;
  out.underlying = i.underlying;
  out.type = i.option;
  out.inverse = is_inverse(i.kind);
  out.strike = to_double(i.strike);
  out.expiry = i.expiry;
  out.forward = t.underlying.nano > 0 ? to_double(t.underlying) : 0.0;
  out.mark = volatility(t.mark_iv_nano);
  out.bid = volatility(t.bid_iv_nano);
  out.ask = volatility(t.ask_iv_nano);
  out.bid_price = price_of(t.best_bid, out);
  out.ask_price = price_of(t.best_ask, out);
  out.venue_time = last_part.exch;
  out.at = last_part.recv;
  return true;
}

void SurfaceFitter::quote(const SurfaceQuote& q) {
  const bool sane = q.strike > 0 && q.forward > 0 && math::finite(q.strike) &&
                    math::finite(q.forward) && q.venue_time < q.expiry && q.instrument.valid();
  if (!sane) return;
  newest_[q.instrument.value].quote = q;
  venue_now_ = std::max(venue_now_, q.venue_time);
}

// One side of a quote: none where the price implies nothing, or where the venue sees it otherwise.
void SurfaceFitter::take(double sigma, double& venue, double& last) {
  if (sigma > 0) last = sigma;
  const bool apart =
      sigma > 0 && venue > 0 && math::abs(sigma - venue) > apart_max + apart_share_max * venue;
  counters_.apart += apart ? 1 : 0;
  venue = apart ? 0.0 : sigma;
}

// Volatilities of the prices that came since the last fit, all at once.
void SurfaceFitter::imply() {
  Prices prices;
  for (const auto& [id, n] : newest_) {
    const SurfaceQuote& q = n.quote;
    if (q.bid_price > 0) prices.add(q, q.bid_price, start_of(q.bid, n.bid, q.mark));
    if (q.ask_price > 0) prices.add(q, q.ask_price, start_of(q.ask, n.ask, q.mark));
  }
  const std::size_t count = prices.price.size();
  std::vector<double> sigma(count);
  std::vector<quant::VolStatus> status(count);
  counters_.implied += count;
  counters_.implied_slow +=
      quant::implied_vols(warm_, prices.columns(), count, sigma.data(), status.data());
  std::size_t at = 0;
  for (auto& [id, n] : newest_) {
    SurfaceQuote& q = n.quote;
    if (q.bid_price > 0) take(sigma[at++], q.bid, n.bid);
    if (q.ask_price > 0) take(sigma[at++], q.ask, n.ask);
    q.bid_price = q.ask_price = 0;
  }
}

// Expiries by rising time, each with its options; what has expired is forgotten.
std::map<SurfaceFitter::Market, std::vector<SurfaceFitter::Expiry>> SurfaceFitter::gather(
    RecvTime now) {
  std::map<Market, std::map<std::int64_t, Expiry>> found;
  for (auto at = newest_.begin(); at != newest_.end();) {
    const SurfaceQuote& q = at->second.quote;
    const ExchTime venue_now = q.venue_time + (now - q.at);
    if (q.expiry <= venue_now) {
      at = newest_.erase(at);
      continue;
    }
    Expiry& e = found[{q.underlying.value, q.inverse}][q.expiry.unix_ns];
    e.at = q.expiry;
    e.all.push_back(q);
    if (e.forward_at < q.at) {
      e.forward_at = q.at;
      e.forward = q.forward;
      e.years = years(q.expiry - venue_now);
    }
    ++at;
  }
  std::map<Market, std::vector<Expiry>> out;
  for (auto& [market, expiries] : found) {
    for (auto& [when, expiry] : expiries) {
      choose(expiry, now);
      out[market].push_back(std::move(expiry));
    }
  }
  return out;
}

// Quotes of the younger half of the age limit, so that a curve lives at least the other half.
void SurfaceFitter::choose(Expiry& e, RecvTime now) const {
  std::vector<quant::OptionVols> options;
  e.as_of = now;
  for (const SurfaceQuote& q : e.all) {
    if (!fresh(q, now)) continue;
    e.as_of = std::min(e.as_of, q.at);
    const bool out_of_the_money = (q.type == OptionType::call) == (q.strike >= q.forward);
    options.push_back({q.strike, q.forward, out_of_the_money, q.mark, q.bid, q.ask});
  }
  quant::QuoteChoice chosen =
      quant::choose_quotes(options, e.years, quant::SurfaceLimits{}.strikes_min);
  e.firm = chosen.firm;
  // Each k has the forward of its own quote: in a fast market two may change places.
  for (const quant::VolQuote& q : chosen.quotes) {
    if (e.quotes.empty() || q.k > e.quotes.back().k) e.quotes.push_back(q);
  }
}

void SurfaceFitter::count(const quant::VolSurface::Slice& s) {
  switch (s.fit.verdict) {
    case quant::SliceVerdict::accepted: ++counters_.accepted; break;
    case quant::SliceVerdict::unusable: ++counters_.unusable; break;
    default: ++counters_.refused; break;
  }
  if (s.source == VolSource::kept) ++counters_.kept;
}

SurfaceFitter::Told SurfaceFitter::say(const Market& market, const Expiry& e,
                                       const quant::VolSurface& surface, std::size_t n) {
  const quant::VolSurface::Slice& s = surface.slices()[n];
  Told out;
  out.head.expiry = e.at;
  out.head.underlying = UnderlyingId{market.first};
  out.head.inverse = market.second ? 1 : 0;
  out.head.source = s.source;
  const quant::DeltaStudy& deltas = studies_[market].deltas;
  out.head.minimum_variance = deltas.usable();
  out.head.gain = deltas.score().gain_of(deltas.score().minimum_variance);
  out.head.verdict = static_cast<SurfaceVerdict>(s.fit.verdict);
  if (s.fit.fault == quant::SliceFault::none) {
    out.head.rms = s.fit.error.rms;
    out.head.rms_max = s.fit.error.bar;
  }
  RecvTime& as_of = as_of_[{market.first, market.second, e.at.unix_ns}];
  if (s.source == VolSource::svi || s.source == VolSource::ssvi) as_of = e.as_of;
  out.head.as_of = as_of;
  if (s.source == VolSource::none) return out;
  for (const SurfaceQuote& q : e.all) {
    const quant::VolSurface::Answer a = surface.at(math::log_ratio(q.strike, e.forward), s.years);
    const bool good =
        a.sigma >= sigma_min_ && a.sigma <= sigma_max_ && math::abs(a.slope) <= surface_slope_max;
    if (good) out.rows.push_back({q.instrument, {}, a.sigma, a.slope});
  }
  out.head.rows = static_cast<std::uint32_t>(out.rows.size());
  return out;
}

// One more step of the comparison of deltas: the venue's volatilities say what the prices did, the
// surface what the slope was. Marks that the core would not believe are no prices, and a feed's gap
// is no step.
void SurfaceFitter::study(const Market& market, const std::vector<Expiry>& expiries,
                          const quant::VolSurface& surface, RecvTime now) {
  Study& s = studies_[market];
  if (s.at != RecvTime{} && now - s.at < study_step_) return;
  s.at = now;
  std::vector<quant::OptionMoment> moments;
  for (std::size_t n = 0; n < expiries.size(); ++n) {
    const quant::VolSurface::Slice& slice = surface.slices()[n];
    if (slice.source == VolSource::none) continue;
    for (const SurfaceQuote& q : expiries[n].all) {
      if (!fresh(q, now) || !(q.mark >= sigma_min_ && q.mark <= sigma_max_)) continue;
      const auto a = surface.at(math::log_ratio(q.strike, q.forward), slice.years);
      moments.push_back({q.instrument.value, q.type, q.strike, q.forward,
                         years(q.expiry - q.venue_time), q.mark, a.slope});
    }
  }
  // A millionth over, for what years lose in rounding.
  s.deltas.observe(moments,
                   years(std::max(study_step_, config_.interval) * steps_apart_max) * (1 + 1e-6));
}

bool SurfaceFitter::news(const Told& before, const Told& now) const {
  if (before.head.verdict != now.head.verdict || before.head.source != now.head.source ||
      before.head.minimum_variance != now.head.minimum_variance ||
      before.rows.size() != now.rows.size()) {
    return true;
  }
  if ((now.head.as_of - before.head.as_of) * 3 > config_.age_max) return true;
  for (std::size_t i = 0; i < now.rows.size(); ++i) {
    if (before.rows[i].instrument != now.rows[i].instrument ||
        math::abs(before.rows[i].sigma - now.rows[i].sigma) > sigma_news) {
      return true;
    }
  }
  return false;
}

void SurfaceFitter::stand_by(Live& live, Told& fresh, RecvTime now) {
  if (fresh.head.source != VolSource::none) live.refused = 0;
  const bool lost =
      fresh.head.source == VolSource::none && fresh.head.verdict > SurfaceVerdict::unusable;
  if (!lost || live.rows.empty()) return;
  if (live.refused++ == 0) live.refused_since = now;
  if (live.refused >= refused_max || now - live.refused_since >= refused_longest) return;
  fresh.head.source = VolSource::kept;
  fresh.head.as_of = live.as_of;
  fresh.head.rows = static_cast<std::uint32_t>(live.rows.size());
  fresh.rows = live.rows;
}

void SurfaceFitter::follow(Live& live, const Told& told) {
  if (!told.rows.empty()) {
    live.as_of = told.head.as_of;
    live.rows = told.rows;
  } else if (told.head.source == VolSource::none && told.head.verdict > SurfaceVerdict::unusable) {
    live = {};
  }
}

std::vector<std::vector<std::byte>> SurfaceFitter::fit(RecvTime now) {
  std::vector<std::vector<std::byte>> out;
  quant::SurfaceLimits limits;
  limits.rms_max = config_.rms_max;
  const double keep_s = static_cast<double>(config_.age_max.count) * 1e-9;
  ++counters_.fits;
  imply();
  for (const auto& [market, expiries] : gather(now)) {
    std::vector<quant::ExpiryQuotes> quotes;
    for (const Expiry& e : expiries) {
      quotes.push_back({e.at.unix_ns, {e.years, e.quotes, e.firm}});
    }
    quant::VolSurface surface;
    quant::VolSurface& last = surfaces_[market];
    if (!surface.fit(quotes, seconds_of(now), limits, &last, keep_s)) continue;
    study(market, expiries, surface, now);
    for (std::size_t n = 0; n < expiries.size(); ++n) {
      count(surface.slices()[n]);
      Told fresh = say(market, expiries[n], surface, n);
      const Key key{market.first, market.second, expiries[n].at.unix_ns};
      Told& before = told_[key];
      Live& live = live_[key];
      stand_by(live, fresh, now);
      if (!news(before, fresh)) continue;
      out.push_back(bytes_of(fresh.head, fresh.rows));
      follow(live, fresh);
      before = std::move(fresh);
    }
    last = std::move(surface);
  }
  const auto ended = [this](const auto& item) {
    return std::get<2>(item.first) < venue_now_.unix_ns;
  };
  std::erase_if(told_, ended);
  std::erase_if(live_, ended);
  std::erase_if(as_of_, ended);
  counters_.blocks += out.size();
  return out;
}

}  // namespace gimbal
