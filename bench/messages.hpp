// One message of each kind as Deribit sends it, for the decoding benches.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

#include "feeds/frame.hpp"

namespace gimbal::bench {

inline std::string levels_text(const char* action, int levels, int step) {
  std::string side;
  for (int i = 0; i < levels; ++i) {
    if (i > 0) side += ',';
    side += "[\"" + std::string{action} + "\"," + std::to_string(50000 + step * (i + 1)) +
            ".5,60000.0]";
  }
  return side;
}

// `levels` on the bid side and as many on the ask side.
inline std::string book_text(const char* type, std::uint64_t id, std::uint64_t before, int levels) {
  std::string t =
      R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.raw",)"
      R"("data":{"timestamp":1789344931639,"type":")";
  t += type;
  t += R"(","change_id":)" + std::to_string(id) + R"(,"instrument_name":"BTC-PERPETUAL","bids":[)" +
       levels_text("new", levels, -1) + R"(],"asks":[)" + levels_text("new", levels, 1) + "]";
  if (before != 0) t += R"(,"prev_change_id":)" + std::to_string(before);
  return t + "}}}";
}

inline constexpr const char* ticker_text =
    R"({"jsonrpc":"2.0","method":"subscription","params":)"
    R"({"channel":"ticker.BTC-25DEC26-76000-C.100ms",)"
    R"("data":{"timestamp":1790755217219,"state":"open","stats":{"high":null,"low":null,)"
    R"("price_change":null,"volume":0.0,"volume_usd":0.0},"greeks":{"delta":0.74092,)"
    R"("gamma":2.0e-5,)"
    R"("vega":132.3649,"theta":-29.43212,"rho":121.30652},"index_price":83250.78,)"
    R"("instrument_name":"BTC-25DEC26-76000-C","last_price":0.133,"settlement_price":0.12972783,)"
    R"("min_price":0.0945,"max_price":0.1705,"open_interest":480.6,"mark_price":0.1296,)"
    R"("interest_rate":0.0,"estimated_delivery_price":83250.78,"best_ask_price":0.133,)"
    R"("best_bid_price":0.0,"mark_iv":38.25,"bid_iv":0.0,"ask_iv":40.38,)"
    R"("underlying_price":84222.23,"underlying_index":"BTC-25DEC26","best_ask_amount":29.3,)"
    R"("best_bid_amount":0.0}}})";

inline std::string trades_text(int trades) {
  std::string t = R"({"jsonrpc":"2.0","method":"subscription","params":)"
                  R"({"channel":"trades.BTC-PERPETUAL.100ms",)"
                  R"("data":[)";
  for (int i = 0; i < trades; ++i) {
    if (i > 0) t += ',';
    t += R"({"timestamp":1789344933994,"price":76917.5,"amount":8450.0,"direction":"buy",)"
         R"("index_price":76906.67,"instrument_name":"BTC-PERPETUAL","trade_seq":)" +
         std::to_string(140284854 + i) +
         R"(,"mark_price":76917.12,"tick_direction":0,"trade_id":")" +
         std::to_string(267258393 + i) + R"(","contracts":845.0})";
  }
  return t + "]}}";
}

inline constexpr const char* order_text =
    R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.orders.any.any.raw",)"
    R"("data":{"order_id":"5550001","label":"gt1-000007010000002a-abcd1234",)"
    R"("instrument_name":"BTC-PERPETUAL","direction":"buy","price":50000.5,"amount":120.0,)"
    R"("filled_amount":0.0,"order_state":"open","time_in_force":"good_til_cancelled",)"
    R"("order_type":"limit","creation_timestamp":1700000000000,"reduce_only":false,)"
    R"("post_only":false,"average_price":0.0,"last_update_timestamp":1700000000100}}})";

inline constexpr const char* fill_text =
    R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.trades.any.any.raw",)"
    R"("data":[{"trade_id":"267258393","trade_seq":7,"timestamp":1700000000200,)"
    R"("label":"gt1-000007010000002a-abcd1234","instrument_name":"BTC-PERPETUAL",)"
    R"("direction":"buy","price":50000.5,"amount":120.0,"fee":-2.5e-7,"fee_currency":"BTC",)"
    R"("liquidity":"M","state":"filled","order_id":"5550001","profit_loss":null,)"
    R"("index_price":50001.5,"mark_price":50000.25,"matching_id":null}]}})";

// A message in a buffer with the padding that decoders may read.
class Text {
 public:
  explicit Text(std::string_view text) : bytes_(text.begin(), text.end()), size_{text.size()} {
    bytes_.resize(size_ + frame_padding, '\0');
  }
  [[nodiscard]] Frame frame() noexcept { return {bytes_.data(), size_, bytes_.size()}; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  // Overwrites ten digits behind `key`.
  void number(std::string_view key, std::uint64_t value) noexcept {
    const std::size_t at = view().find(key) + key.size();
    (void)std::to_chars(bytes_.data() + at, bytes_.data() + at + 10, value);
  }

 private:
  std::vector<char> bytes_;
  std::size_t size_;
};

}  // namespace gimbal::bench
