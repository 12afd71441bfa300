// A book of options and futures for tests of the portfolio: short ways to define, mark and trade.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>

#include "engine/core/instrument.hpp"
#include "engine/core/portfolio.hpp"

namespace gimbal::test {

inline constexpr ExchTime start{1'800'000'000'000'000'000};
inline constexpr Nanos hour = seconds(3600);
inline constexpr Nanos day = seconds(86400);
inline constexpr UnderlyingId btc{0};
inline constexpr UnderlyingId eth{1};

inline Price price(double v) { return Price{static_cast<std::int64_t>(std::llround(v * 1e9))}; }
inline Qty qty(double v) { return Qty{static_cast<std::int64_t>(std::llround(v * 1e9))}; }
inline std::int64_t iv(double v) { return static_cast<std::int64_t>(std::llround(v * 1e9)); }

inline Instrument make(InstrumentKind kind, UnderlyingId u, ExchTime expiry = {}, double strike = 0,
                       OptionType type = OptionType::none) {
  Instrument i;
  i.kind = kind;
  i.underlying = u;
  i.expiry = expiry;
  i.option = type;
  i.strike = price(strike);
  i.ticks.base = Price{100'000};
  i.lot = Qty{100'000'000};
  i.amount_min = i.lot;
  i.contract_size = i.lot;
  return i;
}

template <class P>
struct Book {
  InstrumentTable table{4096};
  std::unique_ptr<P> portfolio;
  RecvTime now{seconds(1).count};
  ExchTime venue{start};

  explicit Book(const PortfolioConfig& config = {}) {
    portfolio = std::make_unique<P>(table, config);
    portfolio->on_clock(now, venue);
  }
  InstrumentId add(const Instrument& i) {
    const InstrumentId id = table.add(i);
    EXPECT_TRUE(id.valid());
    portfolio->list(id);
    return id;
  }
  InstrumentId option(double strike, OptionType type = OptionType::call,
                      InstrumentKind kind = InstrumentKind::inverse_option, Nanos life = day * 7) {
    return add(make(kind, btc, start + life, strike, type));
  }
  InstrumentId perpetual(InstrumentKind kind = InstrumentKind::inverse_perpetual) {
    return add(make(kind, btc));
  }
  void ticker(InstrumentId id, double sigma, double underlying) {
    portfolio->on_option_ticker(id, iv(sigma), price(underlying), Price{INT64_MIN}, venue, now);
  }
  void mid(double p) { portfolio->on_perpetual_mid(btc, price(p), venue, now); }
  void advance(Nanos d) {
    now = now + d;
    venue = venue + d;
    portfolio->on_clock(now, venue);
  }
  RiskNumbers risk() const { return portfolio->risk(btc); }
};

}  // namespace gimbal::test
