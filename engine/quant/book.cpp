#include "engine/quant/book.hpp"

#include "engine/core/pricing.hpp"

namespace gimbal::quant {

namespace {

OptionTerms terms_of(const Leg& leg) noexcept {
  OptionTerms t;
  t.type = leg.type;
  t.forward = leg.forward;
  t.strike = leg.strike;
  t.years = leg.years;
  t.sigma = leg.sigma;
  return t;
}

}  // namespace

Leg shifted(const Leg& leg, const Shock& shock) noexcept {
  Leg out = leg;
  out.forward *= 1.0 + shock.move;
  out.sigma *= 1.0 + shock.vol;
  if (leg.years > 0) out.years -= shock.years;
  return out;
}

double unit_value(const Leg& option, Settlement s) noexcept {
  const OptionTerms t = terms_of(option);
  return s == Settlement::coin ? price_inverse(t).value : price_linear(t).price;
}

double profit(const Leg& before, const Leg& after, Settlement s) noexcept {
  if (before.kind == LegKind::option) {
    return before.amount * (unit_value(after, s) - unit_value(before, s));
  }
  const double difference = after.forward - before.forward;
  return s == Settlement::quote ? before.amount * difference
                                : before.amount * (difference / before.forward / after.forward);
}

double profit(const Book& book, const Shock& shock) noexcept {
  double sum = 0;
  for (const Leg& leg : book.legs) sum += profit(leg, shifted(leg, shock), book.settlement);
  return sum;
}

Book shifted(const Book& book, const Shock& shock) {
  Book out = book;
  out.index *= 1.0 + shock.move;
  out.equity += profit(book, shock);
  for (Leg& leg : out.legs) leg = shifted(leg, shock);
  return out;
}

LegGreeks greeks(const Leg& leg, Settlement s) noexcept {
  if (leg.kind == LegKind::future) {
    if (s == Settlement::quote) return {leg.amount, 0, 0, 0};
    const double coins = leg.amount / leg.forward;
    return {coins, -coins / leg.forward, 0, 0};
  }
  if (s == Settlement::coin) {
    const InverseGreeks g = price_inverse(terms_of(leg));
    return {leg.amount * g.delta_net, leg.amount * g.gamma_net, leg.amount * g.vega,
            leg.amount * g.theta};
  }
  const LinearGreeks g = price_linear(terms_of(leg));
  return {leg.amount * g.delta, leg.amount * g.gamma, leg.amount * g.vega, leg.amount * g.theta};
}

LegGreeks greeks(const Book& book) noexcept {
  LegGreeks sum;
  for (const Leg& leg : book.legs) {
    const LegGreeks g = greeks(leg, book.settlement);
    sum.delta += g.delta;
    sum.gamma += g.gamma;
    sum.vega += g.vega;
    sum.theta += g.theta;
  }
  return sum;
}

}  // namespace gimbal::quant
