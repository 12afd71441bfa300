#include "venues/sim/listing.hpp"

#include <array>
#include <cstdio>

#include "venues/sim/numeric.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t day_ns = 86'400'000'000'000;
constexpr std::int64_t settle_ns = day_ns / 3;  // 08:00 UTC

struct Date {
  std::int64_t year{0};
  int month{0};
  int day{0};
};

// Days since 1970-01-01 to the proleptic Gregorian calendar, by 400-year eras starting in March.
Date date_of(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = days / 146'097;
  const std::int64_t doe = days - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const int day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

bool friday(std::int64_t day) noexcept { return day % 7 == 1; }  // 1970-01-01 was a Thursday
bool last_friday(std::int64_t day) noexcept {
  return friday(day) && date_of(day).month != date_of(day + 7).month;
}
bool quarter_end(std::int64_t day) noexcept {
  return last_friday(day) && date_of(day).month % 3 == 0;
}

Price price_of(double value) noexcept { return Price{to_nano(value)}; }

Listing base_listing(const ListingContext& c) {
  Listing l;
  l.product = c.product_index;
  l.base = c.product.coin;
  l.counter = c.product.linear ? c.product.settlement : "USD";
  l.index_name = c.product.index_name;
  l.created = c.now;
  l.def.underlying = c.underlying;
  l.def.settlement = currency(c.product.settlement);
  l.def.state = InstrumentState::open;
  return l;
}

void delta_one(Listing& l, const ProductConfig& p, double tick) {
  l.quote = p.linear ? p.settlement : "USD";
  l.def.ticks.base = price_of(tick);
  l.def.lot = l.def.amount_min = l.def.contract_size = Qty{to_nano(p.contract_usd)};
  l.def.taker_fee_nano = 500'000;
}

std::string strike_text(double strike) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4f", strike);
  std::string s{text.data()};
  while (s.back() == '0') s.pop_back();
  if (s.back() == '.') s.pop_back();
  for (char& c : s) {
    if (c == '.') c = 'd';
  }
  return s;
}

}  // namespace

ExchTime next_settlement(ExchTime now) noexcept {
  const std::int64_t shifted = now.unix_ns - settle_ns;
  const std::int64_t day = shifted / day_ns - (shifted % day_ns < 0 ? 1 : 0);
  return ExchTime{(day + 1) * day_ns + settle_ns};
}

std::vector<CalendarEntry> expiry_calendar(ExchTime now, std::uint32_t count) {
  std::vector<CalendarEntry> list;
  list.reserve(4);
  std::int64_t day = next_settlement(now).unix_ns / day_ns;
  const auto take = [&](Period period, bool (*fits)(std::int64_t)) {
    if (list.size() == count) return;
    while (!fits(day)) ++day;
    list.push_back({ExchTime{day * day_ns + settle_ns}, period});
    ++day;
  };
  take(Period::day, [](std::int64_t) { return true; });
  take(Period::week, friday);
  take(Period::month, last_friday);
  take(Period::quarter, quarter_end);
  return list;
}

std::string date_code(ExchTime at) {
  constexpr std::array<const char*, 12> months{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                               "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  const Date d = date_of(at.unix_ns / day_ns);
  std::string year = std::to_string(d.year % 100);
  if (year.size() < 2) year.insert(year.begin(), '0');
  return std::to_string(d.day) + months[static_cast<std::size_t>(d.month - 1)] + year;
}

std::string iso_date(ExchTime at) {
  const Date d = date_of(at.unix_ns / day_ns);
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return std::to_string(d.year) + '-' + two(d.month) + '-' + two(d.day);
}

Listing perpetual_listing(const ListingContext& c) {
  Listing l = base_listing(c);
  l.name = c.product.prefix + "-PERPETUAL";
  l.def.kind =
      c.product.linear ? InstrumentKind::linear_perpetual : InstrumentKind::inverse_perpetual;
  delta_one(l, c.product, c.product.perpetual_tick);
  return l;
}

Listing future_listing(const ListingContext& c, const CalendarEntry& expiry) {
  Listing l = base_listing(c);
  l.name = c.product.prefix + "-" + date_code(expiry.at);
  l.period = expiry.period;
  l.def.kind = c.product.linear ? InstrumentKind::linear_future : InstrumentKind::inverse_future;
  l.def.expiry = expiry.at;
  delta_one(l, c.product, c.product.perpetual_tick * 5);
  if (expiry.period == Period::week) l.def.maker_fee_nano = -100'000;
  return l;
}

Listing option_listing(const ListingContext& c, const CalendarEntry& expiry, double strike,
                       OptionType type) {
  Listing l = base_listing(c);
  const ProductConfig& p = c.product;
  l.name = p.prefix + "-" + date_code(expiry.at) + "-" + strike_text(strike) +
           (type == OptionType::call ? "-C" : "-P");
  l.quote = p.settlement;
  l.period = expiry.period;
  l.max_leverage = 10;
  l.def.kind = p.linear ? InstrumentKind::linear_option : InstrumentKind::inverse_option;
  l.def.option = type;
  l.def.strike = price_of(strike);
  l.def.expiry = expiry.at;
  if (p.linear) {
    l.underlying_index = "index_price";
    l.def.ticks.base = price_of(1);
    l.def.ticks.steps[0] = {price_of(100), price_of(5)};
  } else {
    const bool listed = p.futures && expiry.period != Period::day;
    l.underlying_index = (listed ? "" : "SYN.") + p.prefix + "-" + date_code(expiry.at);
    l.def.ticks.base = price_of(0.0001);
    l.def.ticks.steps[0] = {price_of(0.005), price_of(0.0005)};
  }
  l.def.ticks.count = 1;
  l.def.lot = l.def.amount_min = Qty{to_nano(p.option_min)};
  l.def.contract_size = Qty{p.linear ? to_nano(p.option_min) : nano_per_unit};
  l.def.maker_fee_nano = l.def.taker_fee_nano = 300'000;
  return l;
}

std::vector<double> strike_ladder(double forward, double vol, double years, std::uint32_t count) {
  const double half = count > 1 ? static_cast<double>(count - 1) / 2 : 1;
  double want = forward * vol * sqrt_of(years) * 2.5 / half;
  if (want < forward * 0.0025) want = forward * 0.0025;
  double step = 1e-4;
  constexpr std::array<double, 3> growth{2, 2.5, 2};  // 1, 2, 5, 10, ..
  for (std::size_t i = 0; step < want * 0.8; i = (i + 1) % growth.size()) step *= growth[i];
  const auto middle = static_cast<std::int64_t>(forward / step + 0.5);
  std::vector<double> strikes;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(count); ++i) {
    const std::int64_t n = middle + i - static_cast<std::int64_t>(count / 2);
    if (n > 0) strikes.push_back(round_to(static_cast<double>(n) * step, 4));
  }
  return strikes;
}

}  // namespace gimbal::sim
