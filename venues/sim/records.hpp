// Room venues/sim. The nouns of the simulated exchange: what its calls take and give.
//
// Money, prices and amounts are the integers of engine/core/units.hpp; an absent price is
// absent_nano. Amounts are in the venue's `amount` unit (USD for inverse futures, coins otherwise).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal::sim {

using InstrumentIndex = std::uint32_t;  // dense, append-only, valid for the exchange's life
using AccountId = std::uint32_t;        // dense; 0 and 1 are the house (maker, noise taker)
using ConnectionId = std::uint64_t;     // 0: none
using OrderNo = std::uint64_t;          // > 0, of user orders, ascending over the whole exchange
using TradeNo = std::uint64_t;          // > 0, ascending over the whole exchange
inline constexpr InstrumentIndex no_instrument = 0xFFFFFFFFu;
inline constexpr AccountId no_account = 0xFFFFFFFFu;

// The venue's error numbers that this exchange uses. 0 is success.
namespace code {
inline constexpr int ok = 0;
inline constexpr int qty_too_low = 10002;
inline constexpr int order_overlap = 10003;
inline constexpr int order_not_found = 10004;
inline constexpr int price_too_low = 10005;
inline constexpr int price_too_high = 10007;
inline constexpr int not_enough_funds = 10009;
inline constexpr int book_closed = 10012;
inline constexpr int locked_by_admin = 10019;
inline constexpr int invalid_instrument = 10020;
inline constexpr int invalid_amount = 10021;
inline constexpr int invalid_price = 10023;
inline constexpr int too_many_requests = 10028;
inline constexpr int not_owner_of_order = 10029;
inline constexpr int invalid_arguments_for_instrument = 10031;
inline constexpr int settlement_in_progress = 10041;
inline constexpr int price_wrong_tick = 10043;
inline constexpr int can_not_cancel_liquidation = 10045;
inline constexpr int other_reject = 11030;  // reduce_only that would not reduce
inline constexpr int not_open_order = 11044;
inline constexpr int system_maintenance = 11051;
inline constexpr int post_only_reject = 11054;
inline constexpr int post_only_not_allowed = 11055;  // with IOC, FOK or market
inline constexpr int account_locked = 11098;         // being liquidated
inline constexpr int invalid_credentials = 13004;
inline constexpr int unauthorized = 13009;
inline constexpr int non_unique_order_label = 13032;
inline constexpr int cod_not_enabled = 13042;
inline constexpr int timed_out = 13888;
}  // namespace code
// The venue's message for a code ("post_only_reject"); "error" when unknown.
std::string_view message_of(int venue_code) noexcept;

enum class ListingState : std::uint8_t { created, started, settled, closed };
enum class Period : std::uint8_t { perpetual, day, week, month, quarter };

// One listed instrument. `def` holds kind, ticks, lot, fees (Instrument's units), strike and
// expiry; def.id is not used here and def.venue is 0.
struct Listing {
  InstrumentIndex index{no_instrument};
  std::uint64_t venue_number{0};  // Deribit's instrument_id
  std::string name;               // "BTC-25DEC26-100000-C"
  std::uint32_t product{0};       // index in SimConfig::products
  std::string base;               // "BTC"
  std::string quote;              // inverse: futures "USD", options the coin; linear "USDC"
  std::string counter;            // "USD" or "USDC"
  std::string index_name;         // "btc_usd"
  std::string underlying_index;   // options: dated future's name, or SYN.BTC-..; else empty
  Period period{Period::perpetual};
  ExchTime created{};
  ListingState state{ListingState::created};
  bool active{true};
  std::uint32_t max_leverage{50};
  Instrument def{};
};

enum class OrderType : std::uint8_t { limit, market };
enum class OrderState : std::uint8_t { open, filled, rejected, cancelled };
enum class CancelReason : std::uint8_t {
  none,
  user_request,
  autoliquidation,
  cancel_on_disconnect,
  edit_post_only_reject,
  settlement,
  self_trade,
  remainder,    // the rest of an IOC, FOK or market order
  reduce_only,  // resting reduce_only order whose position went away
};
std::string_view text_of(CancelReason reason) noexcept;  // the venue's word; "" for none, remainder

struct NewOrder {
  InstrumentIndex instrument{no_instrument};
  Side side{Side::buy};
  OrderType type{OrderType::limit};
  TimeInForce tif{TimeInForce::good_til_cancelled};
  Qty amount{};
  Price price{};                 // ignored for market orders
  bool post_only{false};         // moved to just inside the spread when it would cross ...
  bool reject_post_only{false};  // ... or refused (11054)
  bool reduce_only{false};
  ExchTime valid_until{};    // zero: none
  std::string_view label{};  // at most 64 characters, copied
};

struct EditOrder {
  OrderNo order{0};
  Qty amount{};  // new total, filled included
  Price price{};
  bool post_only{false};
  bool reject_post_only{false};
  bool reduce_only{false};
  ExchTime valid_until{};
};

// A user order over its whole life. Kept for the life of the exchange.
struct OrderInfo {
  OrderNo number{0};
  AccountId account{no_account};
  ConnectionId connection{0};
  InstrumentIndex instrument{no_instrument};
  Side side{Side::buy};
  OrderType type{OrderType::limit};
  TimeInForce tif{TimeInForce::good_til_cancelled};
  OrderState state{OrderState::open};
  CancelReason cancel_reason{CancelReason::none};
  bool post_only{false};
  bool reject_post_only{false};
  bool reduce_only{false};
  bool replaced{false};  // edited at least once
  bool liquidation{false};
  Price price{};  // market orders: the protective bound
  Qty amount{};   // total
  Qty filled{};
  i128 filled_cost{0};  // sum of price x amount at 1e-18
  ExchTime created{};
  ExchTime updated{};
  std::string label;
  // Average fill price; zero price before the first fill. Rounded to nearest 1e-9.
  [[nodiscard]] Price average() const noexcept;
};

enum class TickDirection : std::uint8_t { plus = 0, zero_plus = 1, minus = 2, zero_minus = 3 };
enum class LiquidationSide : std::uint8_t { none, maker, taker, both };

struct PublicTrade {
  TradeNo number{0};
  std::uint64_t seq{0};  // per instrument, +1 each
  InstrumentIndex instrument{no_instrument};
  ExchTime time{};
  Price price{};
  Qty amount{};
  Side taker{Side::buy};
  TickDirection tick{TickDirection::plus};
  LiquidationSide liquidation{LiquidationSide::none};
  Price index{};
  Price mark{};
  double iv_percent{0};  // options: of the price, 2 decimals; 0 when none
};

struct UserTrade {
  PublicTrade trade{};
  AccountId account{no_account};
  OrderNo order{0};
  Side side{Side::buy};
  Liquidity liquidity{Liquidity::taker};
  OrderState state{OrderState::open};  // of the order after this trade
  OrderType type{OrderType::limit};
  bool post_only{false};
  bool reduce_only{false};
  Money fee{};                    // positive is paid
  Money profit{};                 // realised by this trade
  Currency currency{};            // of fee and profit
  Price underlying{absent_nano};  // options
  bool voided{false};             // taken back: no list shows it any more
  std::string label;
};

enum class LevelAction : std::uint8_t { add, change, remove };
struct LevelChange {
  Side side{Side::buy};  // buy: bids
  LevelAction action{LevelAction::add};
  Price price{};
  Qty amount{};  // new total; zero for remove
};
struct Level {
  Price price{};
  Qty amount{};
};

struct Greeks {  // 5 decimals, USD per point/day/percent
  double delta{0};
  double gamma{0};
  double vega{0};
  double theta{0};
  double rho{0};
};

struct TickerInfo {
  InstrumentIndex instrument{no_instrument};
  ExchTime time{};
  bool open{true};
  Price mark{};
  Price index{};
  Price last{absent_nano};
  Price settlement{absent_nano};
  Price min_price{};
  Price max_price{};
  Price best_bid{absent_nano};
  Price best_ask{absent_nano};
  Qty best_bid_amount{};
  Qty best_ask_amount{};
  Qty open_interest{};
  Price estimated_delivery{};
  Price delivery{absent_nano};  // settled instruments
  Price high{absent_nano};      // since start, at most the last day
  Price low{absent_nano};
  double price_change_percent{0};
  Qty volume{};
  Money volume_usd{};
  double current_funding{0};  // perpetuals: fraction per 8 h
  double funding_8h{0};       // paid over the last 8 h
  double interest_value{0};
  Greeks greeks{};    // options
  double mark_iv{0};  // percent, 2 decimals
  double bid_iv{0};
  double ask_iv{0};
  Price underlying{absent_nano};
};

struct Position {
  InstrumentIndex instrument{no_instrument};
  Qty size{};  // signed
  Price average{absent_nano};
  Price mark{};
  Price index{};
  Price settlement{absent_nano};  // mark at the last settlement
  Money floating{};               // unrealised since entry or last settlement
  Money realized{};               // this session, funding included
  Money funding{};                // this session; positive is received
  double delta{0};                // coins; options: size x Black delta (decayed in the window)
  double gamma{0};
  double vega{0};
  double theta{0};
  double size_currency{0};  // futures: coins, signed
  Money initial_margin{};
  Money maintenance_margin{};
};

// One settlement currency of one account. These hold exactly:
//   margin_balance = balance + futures_session_upl + session_rpl
//   equity = margin_balance + options_value
//   available_funds = margin_balance - initial_margin
struct Summary {
  Currency currency{};
  bool portfolio_margin{false};  // else standard
  Money balance{};
  Money equity{};
  Money margin_balance{};
  Money available_funds{};
  Money available_withdrawal_funds{};  // balance - initial_margin, at least 0
  Money initial_margin{};              // open orders included
  Money maintenance_margin{};
  Money projected_initial_margin{};  // positions only
  Money projected_maintenance_margin{};
  Money options_value{};
  Money options_pl{};
  Money futures_session_upl{};
  Money futures_session_rpl{};  // funding included
  Money session_upl{};
  Money session_rpl{};  // = futures_session_rpl: option premium moves balance at once
  Money total_pl{};
  Money fees{};                     // paid since start
  double delta_total{0};            // net transaction delta, coins
  double projected_delta_total{0};  // futures positions in coins plus options' Black delta
  double options_delta{0};
  double options_gamma{0};
  double options_vega{0};
  double options_theta{0};
};

// Where a currency's money is: deposits = accounts + fees + insurance + rounding, exactly. The
// house is an account like the others.
struct Ledger {
  i128 deposits{0};   // nano, endowments included
  i128 accounts{0};   // balances + session_rpl - cost of open futures positions
  i128 fees{0};       // collected
  i128 insurance{0};  // negative: paid in for bankrupt accounts
  i128 rounding{0};   // funding, settlement and delivery residue
};

// What a daily settlement or a delivery did to one position. `account` no_account: the public row
// of the instrument, with its open interest as position.
struct SettlementRow {
  ExchTime time{};
  InstrumentIndex instrument{no_instrument};
  AccountId account{no_account};
  bool delivery{false};
  Qty position{};
  Price mark{};   // delivery: what one unit was worth
  Price index{};  // delivery: the delivery price
  Money profit{};
  Money session_profit{};
};

enum class RequestClass : std::uint8_t { matching, cancel_all, general, subscribe };

struct OrderResult {
  int error{code::ok};
  bool terminate_session{false};    // 10028: the venue closes the connection
  OrderNo order{0};                 // valid also for some refusals (edit_post_only_reject)
  Price limit{absent_nano};         // 10005, 10007: the bound, which the venue puts in its text
  std::vector<std::size_t> trades;  // indices for SimExchange::user_trade, in order of execution
  [[nodiscard]] bool ok() const noexcept { return error == code::ok; }
};

struct CancelAllFilter {  // empty members match everything
  Currency settlement{};  // settlement currency
  InstrumentIndex instrument{no_instrument};
  bool futures{true};  // kinds to include (perpetuals are futures)
  bool options{true};
  std::string_view label{};
};
struct CancelAllResult {
  int error{code::ok};
  bool terminate_session{false};
  std::vector<OrderNo> cancelled;
};

struct Credential {
  std::string client_id;
  std::string secret;
  AccountId account{no_account};
};

enum class CodScope : std::uint8_t { connection, account };

// What an account holds before the first tick.
struct InitialPosition {
  InstrumentIndex instrument{no_instrument};
  Qty size{};                // signed
  Price price{absent_nano};  // absent: the mark at the call
};

}  // namespace gimbal::sim
