// Reads public/get_instruments into Instrument definitions and names. Room: feeds (cold, start and
// list refresh). Source: Deribit API v2, get_instruments.
//
// Futures, perpetuals and options, inverse and linear, are taken; spot and combos are counted and
// skipped; a row that does not fit (off-scale tick, unknown settlement, missing member) is refused
// with a message that names the instrument, the member and the reason, and the rest is still read.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/instrument.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"

namespace gimbal::deribit {

// A definition before it has ids. `underlying` is the coin whose moves it follows ("BTC" for both
// BTC-PERPETUAL and BTC_USDC-PERPETUAL).
struct InstrumentRow {
  std::string name;
  std::string underlying;
  std::string price_index;  // "btc_usd"
  Instrument definition{};  // id, venue, underlying and expiry_id not set
};

struct InstrumentList {
  std::vector<InstrumentRow> rows;
  std::vector<std::string> refused;  // one sentence each
  std::size_t spot{0};
  std::size_t combos{0};
  std::size_t inactive{0};  // is_active false or a state other than open/started/created
  std::string error;        // the reply as a whole could not be read; rows is empty
};

// `frame` is the whole reply, its result array, or one get_instrument reply.
[[nodiscard]] InstrumentList parse_instruments(const Frame& frame);
[[nodiscard]] InstrumentList parse_instruments(std::string_view text);

// Kind, strike and expiry from a name ("BTC-25MAR23-420-C", "XRP_USDC-30JUN23-0d625-C",
// "BTC-PERPETUAL"); false for combos, spot pairs and names that follow no known form. Ticks, lot
// and fees stay at the smallest positive value. For tools that have no instrument list.
[[nodiscard]] bool instrument_from_name(std::string_view name, InstrumentRow& out);

// Gives ids to underlyings by name, in order of first use.
class UnderlyingNames {
 public:
  // Existing or next free id; invalid when `underlyings_max` are taken.
  [[nodiscard]] UnderlyingId id(std::string_view coin);
  [[nodiscard]] UnderlyingId find(std::string_view coin) const noexcept;
  [[nodiscard]] std::string_view name(UnderlyingId id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }

 private:
  std::vector<std::string> names_;
};

// Adds a row to the table and the symbols; the invalid id (and a reason in `why`) when refused.
InstrumentId install(const InstrumentRow& row, VenueId venue, UnderlyingNames& underlyings,
                     InstrumentTable& table, SymbolTable& symbols, std::string& why);

}  // namespace gimbal::deribit
