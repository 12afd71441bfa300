// Books and tickers in the form that Deribit writes, read in one pass without the JSON parser.
// Room: feeds (hot).
//
// The form: members of the envelope in their usual order, no white space, no escapes, only ASCII,
// no container inside the data but `bids`, `asks` and flat objects. Whatever it takes the parser
// takes too, with the same result; what it does not take is left to the parser, which says why a
// frame is wrong.
#pragma once

#include "feeds/deribit/reader.hpp"

namespace gimbal::deribit {

// True: `out`, cleared before, is what the parser would have given. False: nothing can be said;
// `out` has to be cleared again. Reads up to frame_padding bytes behind the text, as the parser.
[[nodiscard]] bool read_usual_form(const Frame& frame, const SymbolTable& symbols,
                                   FrameReader::Channels& channels, PublicFrame& out) noexcept;

// From the wire's conventions to ours. The wire writes an empty side, and the volatility of one, as
// 0, and volatilities in percent.
inline void settle_ticker(Ticker& t) noexcept {
  constexpr std::int64_t nano_percent = 100;
  if (t.best_bid.nano == 0) t.best_bid.nano = absent_nano;
  if (t.best_ask.nano == 0) t.best_ask.nano = absent_nano;
  for (std::int64_t* iv : {&t.mark_iv_nano, &t.bid_iv_nano, &t.ask_iv_nano}) {
    if (*iv == 0) *iv = absent_nano;
    if (*iv != absent_nano) *iv /= nano_percent;
  }
}

}  // namespace gimbal::deribit
