// Private frames and query replies as plain data, checked before any state is touched. Room: venues
// (hot on the order session, cold on queries). The JSON parser stays behind `State`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "feeds/frame.hpp"
#include "venues/deribit/rate_budget.hpp"

namespace gimbal::deribit {

enum class OrderState : std::uint8_t { unknown, open, filled, rejected, cancelled, untriggered };

// Views point into the frame (or the parser's buffer) until the next read.
struct OrderRow {
  std::string_view order_id, label, instrument, cancel_reason;
  ExchTime updated{}, created{};
  Price price{absent_nano};  // absent: "market_price" of an untriggered trigger
  Price average{absent_nano};
  Qty amount{};
  Qty filled{};
  OrderState state{OrderState::unknown};
  Side side{Side::buy};
  bool side_known{false};
  bool immediate{false};  // immediate_or_cancel or fill_or_kill
  bool post_only{false};
  bool reduce_only{false};
  bool liquidation{false};
};

struct UserTradeRow {
  std::string_view trade_id, label, instrument, combo_id, combo_trade_id;
  ExchTime time{};
  Fill fill{};  // order and trade not set
  bool liquidity_known{true};
};

struct PositionRow {
  std::string_view instrument;
  PositionReport report{};
};

struct MarginRow {
  MarginReport report{};
  AccountMargin model{AccountMargin::unknown};
};

enum class PrivateShape : std::uint8_t {
  malformed,
  reply,
  error,
  subscription,
  heartbeat,
  test_request,
  other
};
enum class PrivateChannel : std::uint8_t { other, orders, trades, changes, portfolio };

// What a reply's result objects are; the session's own replies are orders.
enum class ReplyMode : std::uint8_t { orders, positions, account };

struct PrivateFrame {
  PrivateShape shape{PrivateShape::malformed};
  std::string_view reason{};
  std::string_view channel_name{};
  PrivateChannel channel{PrivateChannel::other};
  std::int64_t id{-1};
  std::int32_t error_code{0};
  std::int64_t us_out{0};  // 0: not given
  std::vector<std::string_view> names;
  std::vector<OrderRow> orders;
  std::vector<UserTradeRow> trades;
  std::vector<PositionRow> positions;
  std::vector<MarginRow> margins;
  std::size_t partial_errors{0};  // detailed mass cancels: entries that hold an error
  bool result_is_number{false};
  std::int64_t result_number{0};
  bool result_ok_text{false};
  bool result_is_array{false};
  std::size_t result_items{0};  // of that array, whatever they are
  bool trades_said{false};      // the result has an array of trades, which may be empty
  bool has_more_said{false};
  bool enabled_said{false};  // cancel on disconnect
  bool enabled{false};
  bool has_more{false};
  bool too_many_orders{false};  // malformed for that: more than rows_max
  std::int64_t account_id{0};   // of an account summary; 0: not given
  bool limits_said{false};
  RateLimits limits{};  // matching-engine figures
};

class PrivateReader {
 public:
  static constexpr std::size_t rows_max = 8192;

  explicit PrivateReader(std::size_t frame_max, std::size_t rows_reserved = 1024);
  ~PrivateReader();
  PrivateReader(const PrivateReader&) = delete;
  PrivateReader& operator=(const PrivateReader&) = delete;

  [[nodiscard]] const PrivateFrame& read(const Frame& frame,
                                         ReplyMode mode = ReplyMode::orders) noexcept;
  // What the last read gave.
  [[nodiscard]] const PrivateFrame& last() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gimbal::deribit
