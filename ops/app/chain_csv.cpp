#include "ops/app/chain_csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "engine/core/math.hpp"
#include "engine/quant/implied_vol.hpp"

namespace gimbal {

namespace {

constexpr std::array<std::string_view, 14> own_names{"type",   "F",   "K",   "T",     "expiry",
                                                     "price",  "bid", "ask", "iv",    "bid_iv",
                                                     "ask_iv", "df",  "r",   "settle"};
enum Own : std::size_t {
  own_type,
  own_f,
  own_k,
  own_t,
  own_expiry,
  own_price,
  own_bid,
  own_ask,
  own_iv,
  own_bid_iv,
  own_ask_iv,
  own_df,
  own_r,
  own_settle
};
constexpr std::array<std::string_view, 8> snapshot_names{
    "instrument_name",  "option_type",        "strike",    "futures_price",
    "time_to_maturity", "implied_volatility", "bid_price", "ask_price"};
enum Snapshot : std::size_t {
  snap_name,
  snap_type,
  snap_k,
  snap_f,
  snap_t,
  snap_iv,
  snap_bid,
  snap_ask
};
constexpr std::array<std::string_view, 6> ticker_names{
    "instrument_name", "underlying_price", "timestamp", "mark_iv", "bid_iv", "ask_iv"};
enum Ticker : std::size_t { tick_name, tick_f, tick_time, tick_mark, tick_bid, tick_ask };

constexpr double year_ms = 31'536'000'000.0;

// Milliseconds since 1970 of 08:00 UTC on a day as 5JUN20; negative where it is none.
double expiry_ms(std::string_view day) {
  constexpr std::array<std::string_view, 12> months{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                    "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  const std::size_t letters = day.find_first_not_of("0123456789");
  if (letters == std::string_view::npos || letters == 0 || day.size() != letters + 5) return -1;
  const auto month = std::find(months.begin(), months.end(), day.substr(letters, 3));
  unsigned number = 0;
  int year = 0;
  const auto whole = [](std::string_view s, auto& v) {
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
    return error == std::errc{} && end == s.data() + s.size();
  };
  if (month == months.end() || !whole(day.substr(0, letters), number) ||
      !whole(day.substr(letters + 3), year)) {
    return -1;
  }
  const std::chrono::year_month_day date{
      std::chrono::year{2000 + year},
      std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
      std::chrono::day{number}};
  if (!date.ok()) return -1;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  return (static_cast<double>(days) * 24.0 + 8.0) * 3'600'000.0;
}

// The volatility of a price in the quote currency; 0 where it implies none.
double vol_of(const ChainRow& row, double discount, double price) {
  const quant::QuotedOption o{row.type, row.forward, row.strike, row.years, discount, price};
  if (!(price > 0) || !quant::solvable(o)) return 0;
  const quant::ImpliedVol v = quant::implied_vol(o);
  return v.status == quant::VolStatus::ok ? v.sigma : 0;
}

bool has_column(const CsvRecord& r, std::string_view name) {
  return std::any_of(r.cells.begin(), r.cells.end(),
                     [&](const CsvCell& c) { return trimmed(c.value) == name; });
}

}  // namespace

bool ChainReader::read_header(const CsvRecord& r) {
  if (has_column(r, snapshot_names[snap_t])) {
    form_ = Form::snapshot;
    in_ = std::make_unique<CsvInputs>(snapshot_names, 5, out_);
  } else if (has_column(r, ticker_names[tick_mark])) {
    form_ = Form::ticker;
    in_ = std::make_unique<CsvInputs>(ticker_names, 4, out_);
  } else {
    in_ = std::make_unique<CsvInputs>(own_names, 4, out_);
  }
  if (!in_->read_header(r)) return false;
  if (form_ != Form::own || in_->has(own_price) || in_->has(own_iv) ||
      (in_->has(own_bid) && in_->has(own_ask)) || (in_->has(own_bid_iv) && in_->has(own_ask_iv))) {
    return true;
  }
  return in_->refuse(r.line, "the header has none of price, iv, bid with ask, bid_iv with ask_iv");
}

void ChainReader::read_row(CsvRecord r) {
  ChainRow row;
  if (!in_->complete(r)) return;
  const bool good = form_ == Form::own        ? read_own(r, row)
                    : form_ == Form::snapshot ? read_snapshot(r, row)
                                              : read_ticker(r, row);
  if (!good) return;
  row.record = std::move(r);
  rows_.push_back(std::move(row));
}

bool ChainReader::read_own(const CsvRecord& r, ChainRow& row) {
  std::array<std::optional<double>, own_names.size()> v;
  bool good = read_type(r, own_type, row.type);
  for (const Own i : {own_f, own_k, own_t, own_df}) good = in_->positive(r, i, v[i]) && good;
  for (const Own i : {own_price, own_bid, own_ask, own_iv, own_bid_iv, own_ask_iv, own_r}) {
    good = in_->number(r, i, v[i]) && good;
  }
  const std::string settle = csv_lower(in_->cell(r, own_settle));
  if (!settle.empty() && settle != "linear" && settle != "inverse") {
    good = in_->refuse_cell(r, own_settle,
                            csv_shown(in_->cell(r, own_settle)) + " is neither linear nor inverse");
  }
  if (!good) return false;
  row.forward = *v[own_f];
  row.strike = *v[own_k];
  row.years = *v[own_t];
  row.expiry = in_->cell(r, in_->has(own_expiry) ? own_expiry : own_t);
  const bool inverse = settle == "inverse";
  const double discount =
      inverse ? 1 : v[own_df].value_or(math::exp(-v[own_r].value_or(0.0) * row.years));
  const double unit = inverse ? row.forward : 1;
  const auto vol = [&](Own given, Own price) {
    return v[given] ? *v[given] : vol_of(row, discount, v[price].value_or(0) * unit);
  };
  row.mark = vol(own_iv, own_price);
  row.bid = vol(own_bid_iv, own_bid);
  row.ask = vol(own_ask_iv, own_ask);
  return true;
}

bool ChainReader::read_snapshot(const CsvRecord& r, ChainRow& row) {
  std::array<std::optional<double>, snapshot_names.size()> v;
  bool good = read_name(r, snap_name, row);
  good = read_type(r, snap_type, row.type) && good;
  for (const Snapshot i : {snap_k, snap_f, snap_t}) good = in_->positive(r, i, v[i]) && good;
  for (const Snapshot i : {snap_iv, snap_bid, snap_ask}) good = in_->number(r, i, v[i]) && good;
  if (!good) return false;
  row.strike = *v[snap_k];
  row.forward = *v[snap_f];
  row.years = *v[snap_t];
  row.mark = v[snap_iv].value_or(0);
  // BTC-... is paid in coins, BTC_USDC-... in the quote currency.
  const double unit = in_->cell(r, snap_name).find('_') == std::string_view::npos ? row.forward : 1;
  row.bid = vol_of(row, 1, v[snap_bid].value_or(0) * unit);
  row.ask = vol_of(row, 1, v[snap_ask].value_or(0) * unit);
  return true;
}

bool ChainReader::read_ticker(const CsvRecord& r, ChainRow& row) {
  std::array<std::optional<double>, ticker_names.size()> v;
  bool good = read_name(r, tick_name, row);
  good = in_->positive(r, tick_f, v[tick_f]) && good;
  for (const Ticker i : {tick_time, tick_mark, tick_bid, tick_ask}) {
    good = in_->number(r, i, v[i]) && good;
  }
  if (!good) return false;
  row.forward = *v[tick_f];
  row.years = (row.years - *v[tick_time]) / year_ms;
  row.mark = v[tick_mark].value_or(0) / 100;
  row.bid = v[tick_bid].value_or(0) / 100;
  row.ask = v[tick_ask].value_or(0) / 100;
  return true;
}

// BTC-5JUN20-9250-C: expiry, strike, type; `years` is left as the expiry in ms.
bool ChainReader::read_name(const CsvRecord& r, std::size_t input, ChainRow& row) {
  const std::string_view name = in_->cell(r, input);
  const std::size_t a = name.find('-');
  const std::size_t b = a == name.npos ? a : name.find('-', a + 1);
  const std::size_t c = b == name.npos ? b : name.find('-', b + 1);
  const auto no_option = [&] {
    return in_->refuse_cell(r, input, csv_shown(name) + " is not an option as BTC-5JUN20-9250-C");
  };
  if (c == name.npos) return no_option();
  row.expiry = name.substr(0, b);
  row.years = expiry_ms(name.substr(a + 1, b - a - 1));
  std::string strike{name.substr(b + 1, c - b - 1)};
  std::replace(strike.begin(), strike.end(), 'd', '.');  // the venue writes 1.02 as 1d02
  const auto [end, error] =
      std::from_chars(strike.data(), strike.data() + strike.size(), row.strike);
  const std::string_view type = name.substr(c + 1);
  row.type = type == "P" ? OptionType::put : OptionType::call;
  if (row.years < 0 || error != std::errc{} || end != strike.data() + strike.size() ||
      !(row.strike > 0) || !math::finite(row.strike) || (type != "C" && type != "P")) {
    return no_option();
  }
  row.underlying = name.substr(0, a);
  return true;
}

bool ChainReader::read_type(const CsvRecord& r, std::size_t input, OptionType& type) {
  const std::string text = csv_lower(in_->cell(r, input));
  const bool call = text == "c" || text == "call";
  const bool put = text == "p" || text == "put";
  type = put ? OptionType::put : OptionType::call;
  return call || put ||
         in_->refuse_cell(r, input, csv_shown(in_->cell(r, input)) + " is neither C nor P");
}

}  // namespace gimbal
