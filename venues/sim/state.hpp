// Room venues/sim, internal: the exchange's whole state and its steps, shared by its .cpp files.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "venues/sim/account.hpp"
#include "venues/sim/exchange.hpp"
#include "venues/sim/history.hpp"
#include "venues/sim/listing.hpp"
#include "venues/sim/margin.hpp"
#include "venues/sim/matcher.hpp"
#include "venues/sim/numeric.hpp"

namespace gimbal::sim {

inline constexpr AccountId house_maker = 0;
inline constexpr AccountId house_taker = 1;
inline constexpr AccountId first_user = 2;
inline constexpr std::size_t kept_trades_max = 1000;
inline constexpr std::size_t kept_settlements_max = 10'000;
inline constexpr double ns_per_year = 365.0 * 86'400e9;

// A leaky bucket measured in time: a request costs 1/rate, the bucket holds burst/rate.
class CreditBucket {
 public:
  CreditBucket() = default;
  CreditBucket(double per_s, double burst) noexcept
      : cost_ns_{static_cast<std::int64_t>(1e9 / per_s)},
        capacity_ns_{static_cast<std::int64_t>(1e9 / per_s * burst)},
        level_ns_{capacity_ns_} {}
  bool take(ExchTime now) noexcept {
    level_ns_ = std::min(capacity_ns_, level_ns_ + (now - at_).count);
    at_ = now;
    if (level_ns_ < cost_ns_) return false;
    level_ns_ -= cost_ns_;
    return true;
  }
  void start(ExchTime now) noexcept { at_ = now; }

 private:
  std::int64_t cost_ns_{0};
  std::int64_t capacity_ns_{0};
  std::int64_t level_ns_{0};
  ExchTime at_{};
};

struct CoinState {
  CoinConfig config;
  double price{0};
  double log_vol{0};
};

struct ProductState {
  std::size_t coin{0};
  std::size_t currency{0};  // index in State::currencies
  Price index{};
  double basis{0};   // of the perpetual over the index
  i128 averaged{0};  // sum of index samples in the delivery window, nano
  std::int64_t samples{0};
};

struct Top {
  Price bid{absent_nano};
  Price ask{absent_nano};
  Qty bid_amount{};
  Qty ask_amount{};
  friend bool operator==(const Top&, const Top&) = default;
};

struct Market {
  Book book;
  std::uint64_t change_id{0};
  ExchTime book_time{};
  Top top{};
  std::array<std::vector<Book::Handle>, 2> ladder;
  double quoted_value{0};  // mark or forward when last quoted
  double quoted_vol{0};
  ExchTime next_quote{};
  ExchTime next_ticker{};
  Price mark{};
  ExchTime mark_time{};
  double forward{0};  // options: published underlying_price
  double vol{0};      // options: published mark_iv as a fraction
  double years{0};    // options: to expiry at mark_time
  Greeks greeks{};    // options: of the mark, outside the delivery window
  Price settlement{absent_nano};
  Price delivery{absent_nano};
  Price last{absent_nano};
  Price high{absent_nano};
  Price low{absent_nano};
  Price first{absent_nano};
  TickDirection tick{TickDirection::plus};
  Qty volume{};
  double volume_usd{0};
  std::int64_t gross{0};  // sum of |position|: twice the open interest
  std::uint64_t trade_seq{0};
  std::deque<PublicTrade> trades;
  i128 funding_sum{0};  // per unit of amount, at funding_scale
  double funding{0};
  double funding_8h{0};
  double interest{0};
  CandleSeries candles;
  FundingSeries funding_paid;  // perpetuals
};

struct OrderRecord {
  OrderInfo info;
  Book::Slot slot{Book::none};  // while resting
};

struct Account {
  Credential credential;
  std::vector<Holding> holdings;        // by instrument
  std::vector<InstrumentIndex> active;  // instruments ever touched, ascending
  std::vector<Cash> cash;               // by currency
  std::array<CreditBucket, 4> buckets;  // by RequestClass
  std::set<OrderNo> open;
  std::vector<OrderNo> closed;  // in order of closing
  std::vector<std::size_t> trades;
  std::unordered_map<std::string, std::vector<OrderNo>> labels;
  bool cod_by_default{false};
  bool liquidating{false};           // in any currency
  std::vector<char> liquidating_in;  // by currency
  bool bankrupt{false};
};

struct Connection {
  AccountId account{no_account};
  bool cod{false};
  CodScope scope{CodScope::connection};
  bool open{true};
};

// What one call touched, so that its outputs leave in the documented order.
struct Action {
  InstrumentIndex instrument{no_instrument};
  Observer& out;
  OrderResult* result{nullptr};
  std::vector<OrderNo> orders;
  std::vector<AccountId> accounts;
  void touch_order(OrderNo n);
  void touch_account(AccountId a);
};

struct TakerOrder {
  AccountId account{no_account};
  OrderNo order{0};  // 0: house
  Side side{Side::buy};
  Price limit{};
  Qty amount{};
  bool liquidation{false};
};

// All of one account's requirement in one currency, nano, rounded up.
struct AccountMargin {
  i128 initial{0};  // open orders included
  i128 initial_positions{0};
  i128 maintenance{0};
};

struct SimExchange::State {
  explicit State(SimConfig c);

  // exchange.cpp: construction, time, outputs
  void make_market();
  InstrumentIndex list(Listing l, Observer& out);
  void advance(ExchTime to, Observer& out);
  void step(Observer& out);
  void hash(std::uint64_t word) noexcept { trace = mix64(trace ^ word); }
  void flush_book(InstrumentIndex i, Observer& out);
  void finish(Action& a);
  void emit_ticker(InstrumentIndex i, Observer& out);

  // market.cpp: prices
  void walk();
  void accrue_funding();
  void mark_all_futures();
  void mark_option(InstrumentIndex i);
  double smile(const CoinState& c, double forward, double strike, double years) const noexcept;
  double forward_of(const Listing& l) const noexcept;
  [[nodiscard]] double window_left(const Listing& l) const noexcept;  // 1 before, to 0 at expiry
  void sample_delivery();
  Price delivery_price(std::size_t product) const noexcept;
  [[nodiscard]] Greeks greeks(InstrumentIndex i) const;  // decayed, not rounded
  [[nodiscard]] TickerInfo ticker(InstrumentIndex i) const;
  void bounds(InstrumentIndex i, Price& low, Price& high) const noexcept;

  // quotes.cpp: the house
  void quote(Observer& out);
  void requote(Observer& out);
  void quote_future(InstrumentIndex i, Observer& out);
  void quote_option(InstrumentIndex i, Observer& out);
  // Makes the house's orders of an instrument those of `want`.
  void sync_ladder(InstrumentIndex i, Observer& out);
  void noise(Observer& out);

  // fills.cpp: matching and booking
  Qty sweep(Action& a, const TakerOrder& taker);
  void fill(Action& a, const TakerOrder& taker, Book::Slot maker, Qty amount);
  [[nodiscard]] PublicTrade new_trade(InstrumentIndex i, Side taker, Price price, Qty amount);
  void advance_order(OrderNo n, Price price, Qty amount);
  void print_trade(Action& a, PublicTrade t);
  void book_trade(AccountId account, InstrumentIndex i, std::int64_t amount, std::int64_t price,
                  Liquidity side, i128& fee, i128& profit);
  // As if that had not been booked.
  void unbook_trade(AccountId account, InstrumentIndex i, std::int64_t amount, std::int64_t price,
                    i128 fee);
  void user_row(Action& a, const PublicTrade& t, OrderNo order, Liquidity side, i128 fee,
                i128 profit);
  void trim_reduce_only(Action& a, AccountId account);
  Holding& holding(AccountId account, InstrumentIndex i);
  [[nodiscard]] const Holding* find_holding(AccountId account, InstrumentIndex i) const noexcept;
  void book_funding(AccountId account, InstrumentIndex i);
  [[nodiscard]] i128 pending_funding(const Holding& h, InstrumentIndex i) const noexcept;

  // orders.cpp: the order calls
  int admit(AccountId account, RequestClass kind, bool& terminate);
  int check_new(AccountId account, NewOrder& o, Price& limit_shown);
  int check_amount(const Listing& l, Qty amount) const noexcept;
  int clamp_price(InstrumentIndex i, Side side, Price& price, Price& limit_shown) const noexcept;
  bool reduce_amount(AccountId account, InstrumentIndex i, Side side, Qty& amount) const noexcept;
  bool meets_own(AccountId account, InstrumentIndex i, Side side, Price limit, Qty amount) const;
  Qty available(InstrumentIndex i, Side side, Price limit) const;
  int post_only_price(InstrumentIndex i, Side side, bool reject, Price& price) const;
  bool affordable(AccountId account, InstrumentIndex i, Side side, Price price, Qty amount);
  OrderRecord& new_record(AccountId account, ConnectionId connection, const NewOrder& o);
  OrderResult submit(AccountId account, ConnectionId connection, NewOrder o, Observer& out);
  void execute(Action& a, OrderRecord& r, Qty amount);
  void rest(OrderRecord& r, Qty amount);
  void unrest(OrderRecord& r);
  void close_order(Action& a, OrderRecord& r, OrderState state, CancelReason reason);
  int check_edit(AccountId account, const EditOrder& e, Price& price, OrderResult& result);
  OrderResult edit(AccountId account, const EditOrder& e, Observer& out);
  void replace(Action& a, OrderRecord& r, const EditOrder& e, Price price);
  OrderResult cancel(AccountId account, OrderNo n, Observer& out);
  CancelAllResult cancel_all(AccountId account, const CancelAllFilter& f, Observer& out);
  void cancel_one(OrderNo n, CancelReason reason, Observer& out);
  OrderRecord* record(OrderNo n) noexcept {
    return n > 0 && n <= orders.size() ? &orders[n - 1] : nullptr;
  }

  // risk.cpp: margin, liquidation, settlement
  [[nodiscard]] Requirement requirement(InstrumentIndex i, double size) const noexcept;
  [[nodiscard]] double initial_with_orders(InstrumentIndex i, const Holding& h) const noexcept;
  [[nodiscard]] AccountMargin margin(AccountId account, std::size_t ccy) const;
  [[nodiscard]] bool coin_settled(AccountId account, std::size_t ccy) const noexcept;
  [[nodiscard]] Requirement portfolio_requirement(AccountId account, std::size_t ccy) const;
  [[nodiscard]] i128 margin_balance(AccountId account, std::size_t ccy) const;
  [[nodiscard]] i128 upl(const Holding& h, InstrumentIndex i) const noexcept;
  void check_margins(Observer& out);
  void liquidate(AccountId account, std::size_t ccy, Observer& out);
  bool liquidation_slice(AccountId account, std::size_t ccy, Observer& out);
  void settle(Observer& out);
  void deliver(InstrumentIndex i, Observer& out);
  void settle_session(Observer& out);
  void note_settlement(SettlementRow row);
  void list_calendar(std::uint32_t product, Observer& out);
  std::size_t list_expiry(std::uint32_t product, const CalendarEntry& e, Observer& out);

  // queries.cpp
  [[nodiscard]] Position position(AccountId account, InstrumentIndex i) const;
  [[nodiscard]] Summary summary(AccountId account, std::size_t ccy) const;
  [[nodiscard]] std::size_t currency_index(Currency c) const noexcept;  // size when unknown

  [[nodiscard]] const ProductState& product_of(const Listing& l) const noexcept {
    return products[l.product];
  }
  [[nodiscard]] std::size_t currency_of(InstrumentIndex i) const noexcept {
    return products[listings[i].product].currency;
  }
  [[nodiscard]] double index_of(InstrumentIndex i) const noexcept {
    return to_double(products[listings[i].product].index);
  }
  [[nodiscard]] bool trading(InstrumentIndex i) const noexcept { return listings[i].active; }

  SimConfig config;
  ExchTime now{};
  ExchTime next_step{};
  ExchTime settlement_at{};
  ExchTime pause_until{};
  ExchTime next_index{};
  ExchTime next_margin{};
  bool maintenance{false};
  Rng walk_rng;
  Rng quote_rng;
  Rng noise_rng;
  std::vector<CoinState> coins;
  std::vector<ProductState> products;
  std::vector<Currency> currencies;
  std::vector<Ledger> ledgers;  // deposits, fees, insurance, rounding; by currency
  std::vector<Listing> listings;
  std::deque<Market> markets;  // by instrument; addresses stay
  std::unordered_map<std::string, InstrumentIndex> names;
  std::vector<InstrumentIndex> perpetuals;
  std::deque<Account> accounts;
  std::map<std::string, AccountId, std::less<>> clients;
  std::vector<Connection> connections;  // id - 1
  std::deque<OrderRecord> orders;       // number - 1
  std::deque<UserTrade> user_trades;
  std::deque<SettlementRow> settlements;
  std::uint64_t change_counter{0};
  TradeNo trade_counter{0};
  std::uint64_t trace{0};
  std::vector<LevelChange> changes;          // scratch
  std::array<std::vector<Level>, 2> want;    // scratch: bids, asks that the house will quote
  std::array<std::vector<char>, 2> present;  // scratch: which of them rest already
};

// Scale of Market::funding_sum: payments per unit of amount are tiny for inverse contracts.
constexpr i128 funding_scale(const Instrument& def) noexcept {
  constexpr i128 giga = 1'000'000'000;
  return is_inverse(def.kind) ? giga * giga * 1'000'000 : giga * 1'000'000;
}

}  // namespace gimbal::sim
