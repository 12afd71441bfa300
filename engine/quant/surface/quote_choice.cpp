#include "engine/quant/surface/quote_choice.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "engine/core/math.hpp"

namespace gimbal::quant {

namespace {

// A tighter market counts as this wide: 0.1 points.
constexpr double spread_min = 0.001;

// A market as wide as half its own level says nothing about a curve.
bool two_sided(const OptionVols& r) {
  return r.bid > 0 && r.bid <= r.ask && r.ask - r.bid <= 0.25 * (r.bid + r.ask);
}

// Vega over the price's spread is one over the spread in volatility.
VolQuote book_quote(const OptionVols& r) {
  return {math::log_ratio(r.strike, r.forward), 0.5 * (r.bid + r.ask), r.bid, r.ask,
          1.0 / std::max(r.ask - r.bid, spread_min)};
}
VolQuote mark_quote(const OptionVols& r, double years) {
  const double k = math::log_ratio(r.strike, r.forward);
  const double sd = r.mark * math::sqrt(years);
  return {k, r.mark, r.mark, r.mark, math::normal_pdf(0.5 * sd - k / sd)};
}

}  // namespace

QuoteChoice choose_quotes(std::span<const OptionVols> options, double years,
                          std::size_t strikes_min) {
  std::map<double, std::array<const OptionVols*, 2>> strikes;
  for (const OptionVols& o : options) strikes[o.strike][o.out_of_the_money ? 1 : 0] = &o;
  QuoteChoice out;
  std::vector<VolQuote> marks;
  for (const auto& [strike, pair] : strikes) {
    const OptionVols* own = pair[1] != nullptr ? pair[1] : pair[0];
    const OptionVols* quoted = two_sided(*own) || pair[0] == nullptr ? own : pair[0];
    if (two_sided(*quoted)) out.quotes.push_back(book_quote(*quoted));
    if (own->mark > 0) marks.push_back(mark_quote(*own, years));
  }
  out.firm = out.quotes.size() >= strikes_min;
  if (!out.firm) {
    // Beyond 8 deviations a mark says nothing that a price could hold.
    std::erase_if(marks, [](const VolQuote& q) { return q.weight < 1e-14; });
    out.quotes = std::move(marks);
  }
  return out;
}

}  // namespace gimbal::quant
