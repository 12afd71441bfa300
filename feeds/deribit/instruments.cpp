// Instrument lists and names: see instruments.hpp. Cold: allocates.
#include <simdjson.h>

#include "feeds/deribit/instruments.hpp"

#include <array>
#include <charconv>

#include "feeds/deribit/fields.hpp"

namespace gimbal::deribit {

namespace {

using simdjson::ondemand::value;

// One row as the venue wrote it, before it is judged.
struct RawRow {
  std::string_view name, kind, type, base, quote, settlement, period, option, index, state;
  std::int64_t strike{0}, tick{0}, contract{0}, amount_min{0}, maker{0}, taker{0}, expiry_ms{0};
  TickSchedule ticks{};
  bool active{true};
  bool too_many_steps{false};
  std::string_view bad_member{};
};

bool read_steps(value& v, RawRow& row) noexcept {
  return read_array(v, [&](value& item) noexcept {
    TickStep step;
    SeenKeys seen;
    const bool read = read_object(item, seen, [&](Key key, value& m) noexcept {
      if (key == Key::above_price) return read_exact(m, step.above.nano);
      if (key == Key::tick_size) return read_exact(m, step.tick.nano);
      return skip(m);
    });
    if (!read || !seen.has(Key::above_price) || !seen.has(Key::tick_size)) return false;
    if (row.ticks.count == TickSchedule::steps_max) {
      row.too_many_steps = true;
      return true;
    }
    row.ticks.steps[row.ticks.count++] = step;
    return true;
  });
}

bool text_or_null(value& v, std::string_view& out) noexcept {
  return is_null(v) || read_text(v, out);
}

bool row_member(Key key, value& m, RawRow& row) noexcept {
  switch (key) {
    case Key::instrument_name: return read_text(m, row.name);
    case Key::kind: return read_text(m, row.kind);
    case Key::instrument_type: return text_or_null(m, row.type);
    case Key::base_currency: return read_text(m, row.base);
    case Key::quote_currency: return read_text(m, row.quote);
    case Key::settlement_currency: return text_or_null(m, row.settlement);
    case Key::settlement_period: return text_or_null(m, row.period);
    case Key::option_type: return text_or_null(m, row.option);
    case Key::price_index: return text_or_null(m, row.index);
    case Key::state: return text_or_null(m, row.state);
    case Key::strike: return read_exact_or_null(m, row.strike);
    case Key::tick_size: return read_exact(m, row.ticks.base.nano);
    case Key::tick_size_steps: return is_null(m) || read_steps(m, row);
    case Key::contract_size: return read_exact(m, row.contract);
    case Key::min_trade_amount: return read_exact(m, row.amount_min);
    case Key::maker_commission: return read_rounded(m, row.maker);
    case Key::taker_commission: return read_rounded(m, row.taker);
    case Key::expiration_timestamp: return is_null(m) || read_integer(m, row.expiry_ms);
    case Key::is_active: return read_bool(m, row.active);
    default: return skip(m);
  }
}

bool live_state(const RawRow& row) noexcept {
  return row.active && (row.state.empty() || row.state == "open" || row.state == "started" ||
                        row.state == "created");
}

bool inverse(const RawRow& row) noexcept {
  if (!row.type.empty()) return row.type == "reversed";
  return row.name.substr(0, row.name.find('-')).find('_') == std::string_view::npos;
}

InstrumentKind kind_of(bool is_option, bool is_inverse, bool perpetual) noexcept {
  if (is_option) return is_inverse ? InstrumentKind::inverse_option : InstrumentKind::linear_option;
  if (perpetual) {
    return is_inverse ? InstrumentKind::inverse_perpetual : InstrumentKind::linear_perpetual;
  }
  return is_inverse ? InstrumentKind::inverse_future : InstrumentKind::linear_future;
}

// Judges a row; the reason when it does not fit, empty when `out` is filled.
std::string convert(const RawRow& row, InstrumentRow& out) {
  if (row.name.empty() || row.name.size() > symbol_text_max)
    return "instrument_name is missing or too long";
  if (!row.type.empty() && row.type != "reversed" && row.type != "linear") {
    return "instrument_type '" + std::string{row.type} + "' is unknown";
  }
  if (row.base.empty() || row.base.size() > 8) return "base_currency is missing or too long";
  const bool option = row.kind == "option";
  const bool inv = inverse(row);
  Instrument& d = out.definition;
  out.name = row.name;
  out.underlying = row.base;
  out.price_index = row.index;
  d.kind = kind_of(option, inv, row.period == "perpetual");
  d.state = InstrumentState::open;
  const std::string_view settlement =
      !row.settlement.empty() ? row.settlement : (inv ? row.base : row.quote);
  if (settlement.empty() || settlement.size() > 8)
    return "settlement_currency is missing or too long";
  d.settlement = currency(settlement);
  if (option) {
    if (row.option != "call" && row.option != "put") return "option_type is neither call nor put";
    if (row.strike <= 0) return "strike is missing or not positive";
    d.option = row.option == "call" ? OptionType::call : OptionType::put;
    d.strike = Price{row.strike};
  }
  if (!is_perpetual(d.kind)) {
    if (row.expiry_ms <= 0 || row.expiry_ms > unix_ms_max)
      return "expiration_timestamp is missing or out of range";
    d.expiry = from_unix_ms(row.expiry_ms);
  }
  if (row.too_many_steps) return "tick_size_steps has more steps than supported";
  d.ticks = row.ticks;
  d.lot = d.amount_min = Qty{row.amount_min};
  d.contract_size = Qty{row.contract > 0 ? row.contract : row.amount_min};
  d.maker_fee_nano = row.maker;
  d.taker_fee_nano = row.taker;
  Instrument judged = d;
  judged.underlying = UnderlyingId{0};  // given at installation
  if (!InstrumentTable::acceptable(judged))
    return "tick_size, its steps or min_trade_amount is not positive or not ascending";
  return {};
}

void take_row(value& v, InstrumentList& list) {
  RawRow row;
  SeenKeys seen;
  const bool read = read_object(v, seen, [&](Key key, value& m) noexcept {
    if (row_member(key, m, row)) return true;
    row.bad_member = key_detail::names[static_cast<std::size_t>(key)];
    return false;
  });
  const std::string name =
      row.name.empty() ? "row " + std::to_string(list.rows.size() + 1) : std::string{row.name};
  if (!read) {
    list.refused.push_back(name + ": member " +
                           (row.bad_member.empty() ? "(structure)" : std::string{row.bad_member}) +
                           " has the wrong type or does not fit 1e-9");
    return;
  }
  if (row.kind == "spot") {
    ++list.spot;
  } else if (row.kind == "future_combo" || row.kind == "option_combo") {
    ++list.combos;
  } else if (row.kind != "future" && row.kind != "option") {
    list.refused.push_back(name + ": kind '" + std::string{row.kind} + "' is unknown");
  } else if (!live_state(row)) {
    ++list.inactive;
  } else {
    InstrumentRow out;
    if (const std::string why = convert(row, out); why.empty()) {
      list.rows.push_back(std::move(out));
    } else {
      list.refused.push_back(name + ": " + why);
    }
  }
}

bool take_rows(value& v, InstrumentList& list) {
  if (is_object(v)) {
    take_row(v, list);
    return true;
  }
  if (!is_array(v)) return false;
  auto array = v.get_array();
  if (array.error() != simdjson::SUCCESS) return false;
  for (auto item : array.value_unsafe()) {
    if (item.error() != simdjson::SUCCESS) return false;
    take_row(item.value_unsafe(), list);
  }
  return true;
}

// "25MAR23", "5JUN20" -> 08:00 UTC of that day.
bool parse_expiry(std::string_view text, ExchTime& out) noexcept {
  static constexpr std::array<std::string_view, 12> months{
      "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
  if (text.size() != 6 && text.size() != 7) return false;
  const std::size_t digits = text.size() - 5;
  int day = 0;
  int year = 0;
  const char* const data = text.data();
  if (std::from_chars(data, data + digits, day).ptr != data + digits) return false;
  if (std::from_chars(data + digits + 3, data + text.size(), year).ptr != data + text.size()) {
    return false;
  }
  std::size_t month = 0;
  while (month < months.size() && months[month] != text.substr(digits, 3)) ++month;
  if (month == months.size() || day < 1 || day > 31 || year < 0) return false;
  // Days since 1970 of the civil date, with March as the first month of the year.
  const int y = 2000 + year - (month < 2 ? 1 : 0);
  const int shifted = (static_cast<int>(month) + 10) % 12;
  const int era_year = y % 400;
  const int day_of_year = (153 * shifted + 2) / 5 + day - 1;
  const std::int64_t days = static_cast<std::int64_t>(y / 400) * 146097 +
                            (era_year * 365 + era_year / 4 - era_year / 100 + day_of_year) - 719468;
  out = ExchTime{(days * 86400 + 8 * 3600) * nano_per_unit};
  return true;
}

// Strike with 'd' as its decimal point.
bool parse_strike(std::string_view text, Price& out) {
  std::string plain{text};
  for (char& c : plain) {
    if (c == 'd') c = '.';
  }
  return parse_nano(plain, out.nano) == DecimalStatus::ok && out.nano > 0;
}

}  // namespace

InstrumentList parse_instruments(const Frame& frame) {
  InstrumentList list;
  simdjson::ondemand::parser parser;
  auto parsed = parser.iterate(frame.data, frame.size, frame.capacity);
  if (parsed.error() != simdjson::SUCCESS) {
    list.error = "instrument list: not JSON, not UTF-8 or without padding";
    return list;
  }
  auto& document = parsed.value_unsafe();
  simdjson::ondemand::json_type type{};
  bool read = document.type().get(type) == simdjson::SUCCESS;
  bool found = false;
  if (read && type == simdjson::ondemand::json_type::array) {
    simdjson::ondemand::array array;
    read = document.get_array().get(array) == simdjson::SUCCESS;
    if (read) {
      for (auto item : array) {
        if (item.error() != simdjson::SUCCESS) {
          read = false;
          break;
        }
        take_row(item.value_unsafe(), list);
      }
    }
    found = true;
  } else if (read && type == simdjson::ondemand::json_type::object) {
    simdjson::ondemand::object object;
    SeenKeys seen;
    read = document.get_object().get(object) == simdjson::SUCCESS &&
           each_member(object, seen, [&](Key key, value& m) noexcept {
             if (key != Key::result) return skip(m);
             found = true;
             return take_rows(m, list);
           });
  }
  if (!read || !found) {
    list = InstrumentList{};
    list.error = read ? "instrument list: no result array (an error reply?)"
                      : "instrument list: not well formed";
  }
  return list;
}

InstrumentList parse_instruments(std::string_view text) {
  std::vector<char> bytes(text.size() + frame_padding, '\0');
  std::copy(text.begin(), text.end(), bytes.begin());
  return parse_instruments(Frame{bytes.data(), text.size(), bytes.size()});
}

bool instrument_from_name(std::string_view name, InstrumentRow& out) {
  if (name.empty() || name.size() > symbol_text_max) return false;
  std::array<std::string_view, 4> part{};
  std::size_t count = 0;
  for (std::string_view rest = name; count < part.size();) {
    const std::size_t dash = rest.find('-');
    part[count++] = rest.substr(0, dash);
    if (dash == std::string_view::npos) break;
    if (count == part.size()) return false;
    rest.remove_prefix(dash + 1);
  }
  const std::size_t underscore = part[0].find('_');
  const std::string_view coin = part[0].substr(0, underscore);
  const bool inv = underscore == std::string_view::npos;
  const std::string_view quote = inv ? coin : part[0].substr(underscore + 1);
  if (coin.empty() || coin.size() > 8 || quote.empty() || quote.size() > 8) return false;
  const bool option = count == 4 && (part[3] == "C" || part[3] == "P");
  const bool perpetual = count == 2 && part[1] == "PERPETUAL";
  if (!option && count != 2) return false;
  out = InstrumentRow{};
  Instrument& d = out.definition;
  if (!perpetual && !parse_expiry(part[1], d.expiry)) return false;
  if (option && !parse_strike(part[2], d.strike)) return false;
  out.name = name;
  out.underlying = coin;
  d.kind = kind_of(option, inv, perpetual);
  if (option) d.option = part[3] == "C" ? OptionType::call : OptionType::put;
  d.state = InstrumentState::open;
  d.settlement = currency(quote);
  d.ticks.base = Price{1};
  d.lot = d.amount_min = d.contract_size = Qty{1};
  return true;
}

UnderlyingId UnderlyingNames::id(std::string_view coin) {
  if (const UnderlyingId known = find(coin); known.valid()) return known;
  if (names_.size() == underlyings_max || coin.empty()) return {};
  names_.emplace_back(coin);
  return {static_cast<std::uint8_t>(names_.size() - 1)};
}

UnderlyingId UnderlyingNames::find(std::string_view coin) const noexcept {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (names_[i] == coin) return {static_cast<std::uint8_t>(i)};
  }
  return {};
}

std::string_view UnderlyingNames::name(UnderlyingId id) const noexcept {
  return id.value < names_.size() ? std::string_view{names_[id.value]} : std::string_view{};
}

InstrumentId install(const InstrumentRow& row, VenueId venue, UnderlyingNames& underlyings,
                     InstrumentTable& table, SymbolTable& symbols, std::string& why) {
  if (symbols.find(row.name).valid()) {
    why = row.name + ": already in the table";
    return {};
  }
  Instrument instrument = row.definition;
  instrument.venue = venue;
  instrument.underlying = underlyings.id(row.underlying);
  if (!instrument.underlying.valid()) {
    why = row.name + ": more underlyings than " + std::to_string(underlyings_max);
    return {};
  }
  const InstrumentId id = table.add(instrument);
  if (!id.valid()) {
    why = row.name + ": the instrument table is full or refuses the definition";
    return {};
  }
  if (!symbols.add(row.name, id)) {
    why = row.name + ": the symbol table refuses the name";
    return {};
  }
  return id;
}

}  // namespace gimbal::deribit
