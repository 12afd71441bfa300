// Room venues/sim. A seeded exchange: deterministic, clock-free, no I/O, no text protocol.
//
// The same config and the same sequence of calls give the same outputs, to the bit, in every build:
// random numbers, exp and log are our own and no standard distribution is used. Time is an argument
// of advance(); nothing here reads a clock. Not thread safe. Cold: it allocates.
//
// Order of outputs of one call that matches: per fill on_trade, then on_user_trade (maker, then
// taker); then on_user_order for each user order that changed (makers first); one on_book_change;
// on_ticker when the top moved; on_user_portfolio for each touched account. change_id is one
// counter over all instruments, so an instrument's chain jumps.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "venues/sim/config.hpp"
#include "venues/sim/history.hpp"
#include "venues/sim/records.hpp"

namespace gimbal::sim {

// Receives outputs while a call runs. It must not call the exchange's mutating functions; queries
// are fine. References live for the call only.
class Observer {
 public:
  virtual ~Observer() = default;
  // Asked before the work of building an output; answer false when nobody listens.
  virtual bool wants_book(InstrumentIndex) { return true; }
  virtual bool wants_ticker(InstrumentIndex) { return true; }

  virtual void on_book_change(InstrumentIndex, std::uint64_t /*change_id*/,
                              std::uint64_t /*prev_change_id*/, std::span<const LevelChange>) {}
  virtual void on_trade(const PublicTrade&) {}
  virtual void on_ticker(const TickerInfo&) {}
  virtual void on_index(std::uint32_t /*product*/, Price) {}
  virtual void on_user_order(const OrderInfo&) {}
  virtual void on_user_trade(const UserTrade&) {}
  virtual void on_user_portfolio(AccountId, Currency) {}
  virtual void on_instrument_state(InstrumentIndex, ListingState) {}
  virtual void on_ticks_change(InstrumentIndex) {}
  virtual void on_platform_state(bool /*maintenance*/) {}
  // An account was put under liquidation, left it, or went bankrupt (insurance paid).
  virtual void on_liquidation(AccountId, bool /*active*/, bool /*bankrupt*/) {}
};

class SimExchange {
 public:
  // Throws std::invalid_argument naming the config member that makes no sense.
  explicit SimExchange(SimConfig config);
  ~SimExchange();
  SimExchange(const SimExchange&) = delete;
  SimExchange& operator=(const SimExchange&) = delete;
  SimExchange(SimExchange&&) = delete;
  SimExchange& operator=(SimExchange&&) = delete;

  // --- time --------------------------------------------------------------------------------
  [[nodiscard]] ExchTime now() const noexcept;
  // Runs every internal event up to and including `to`, then sets now. Earlier than now: no-op.
  void advance(ExchTime to, Observer& out);

  // --- accounts and connections ---------------------------------------------------------------
  AccountId add_account(std::string_view client_id, std::string_view secret);
  [[nodiscard]] const Credential* credential(std::string_view client_id) const noexcept;
  [[nodiscard]] std::size_t account_count() const noexcept;
  // Adds cash; negative withdraws without a check. Counts as a deposit in the ledger.
  void deposit(AccountId account, Currency currency, Money amount);
  // Books a position against the house without fee or trade print: futures at `price`; for options
  // the premium is not charged (the account is taken to have it in its balance).
  void endow(AccountId account, std::span<const InitialPosition> positions);

  ConnectionId open_connection();
  // Binds a connection to an account; applies account-scope cancel-on-disconnect. False: unknown.
  bool bind(ConnectionId connection, AccountId account);
  // Logout (graceful) never cancels; otherwise orders of this connection go if its COD is on.
  void close_connection(ConnectionId connection, bool logout, Observer& out);
  // Returns a venue code. Account scope also makes every later connection of the account start on.
  int set_cod(ConnectionId connection, CodScope scope, bool enabled);
  [[nodiscard]] bool cod_enabled(ConnectionId connection) const noexcept;
  [[nodiscard]] CodScope cod_scope(ConnectionId connection) const noexcept;

  // Takes one credit for a request that is not an order call (those take their own). False: run
  // dry; answer 10028 and terminate the session.
  [[nodiscard]] bool take_credit(AccountId account, RequestClass kind);

  // --- orders: each takes a credit, and answers with a venue code -------------------------------
  OrderResult submit(AccountId account, ConnectionId connection, const NewOrder& order,
                     Observer& out);
  OrderResult edit(AccountId account, const EditOrder& change, Observer& out);
  OrderResult cancel(AccountId account, OrderNo order, Observer& out);
  CancelAllResult cancel_all(AccountId account, const CancelAllFilter& filter, Observer& out);

  // --- queries: no credit, no effect -------------------------------------------------------------
  [[nodiscard]] const SimConfig& config() const noexcept;
  [[nodiscard]] std::span<const Listing> instruments() const noexcept;
  [[nodiscard]] InstrumentIndex find(std::string_view name) const noexcept;
  // Best first; at most `depth` levels (0: all), appended to `levels`.
  void levels(InstrumentIndex instrument, Side side, std::size_t depth,
              std::vector<Level>& levels) const;
  [[nodiscard]] std::uint64_t change_id(InstrumentIndex instrument) const noexcept;
  // Time of the last book change.
  [[nodiscard]] ExchTime book_time(InstrumentIndex instrument) const noexcept;
  [[nodiscard]] TickerInfo ticker(InstrumentIndex instrument) const;
  [[nodiscard]] Price index_price(std::uint32_t product) const noexcept;
  [[nodiscard]] Price mark_price(InstrumentIndex instrument) const noexcept;
  // Most recent last; at most the last 1000 per instrument are kept.
  [[nodiscard]] std::vector<PublicTrade> last_trades(InstrumentIndex instrument,
                                                     std::size_t count) const;

  [[nodiscard]] const CandleSeries& candles(InstrumentIndex instrument) const noexcept;
  // Empty of anything but a perpetual.
  [[nodiscard]] const FundingSeries& funding(InstrumentIndex instrument) const noexcept;

  [[nodiscard]] const OrderInfo* order(OrderNo number) const noexcept;
  // Orders of an account by label, oldest first, in any state.
  [[nodiscard]] std::vector<OrderNo> orders_by_label(AccountId account,
                                                     std::string_view label) const;
  [[nodiscard]] std::vector<OrderNo> open_orders(AccountId account) const;  // ascending
  // All orders of an account that left the book, newest first, at most `count`.
  [[nodiscard]] std::vector<OrderNo> order_history(AccountId account, std::size_t count) const;
  // One user trade by its index; trade_count() grows by one for each row of any user account.
  [[nodiscard]] std::size_t user_trade_count() const noexcept;
  [[nodiscard]] const UserTrade& user_trade(std::size_t index) const noexcept;
  // Indices of an account's rows with trade number > `after`, oldest first; none that was voided.
  [[nodiscard]] std::vector<std::size_t> user_trades(AccountId account, TradeNo after) const;

  [[nodiscard]] std::vector<Position> positions(AccountId account) const;  // by instrument index
  [[nodiscard]] Position position(AccountId account, InstrumentIndex instrument) const;
  // Its signed size alone, which costs no pricing.
  [[nodiscard]] Qty held(AccountId account, InstrumentIndex instrument) const noexcept;
  [[nodiscard]] Summary summary(AccountId account, Currency currency) const;
  [[nodiscard]] std::vector<Currency> currencies() const;  // settlement currencies, config order
  [[nodiscard]] Ledger ledger(Currency currency) const;
  // Oldest first; the last 10,000 are kept.
  [[nodiscard]] const std::deque<SettlementRow>& settlements() const noexcept;
  [[nodiscard]] bool under_liquidation(AccountId account) const noexcept;
  [[nodiscard]] bool bankrupt(AccountId account) const noexcept;
  // Margin (initial, signed sides) that `amount` at `price` would need on its own (get_margins).
  [[nodiscard]] Money margin_of(InstrumentIndex instrument, Side side, Qty amount,
                                Price price) const;
  [[nodiscard]] bool maintenance() const noexcept;
  [[nodiscard]] bool settling() const noexcept;  // inside the pause: order calls answer 10041
  // A digest of every book change, trade, user row, index and state so far (tickers excluded, so
  // that it does not depend on what observers want).
  [[nodiscard]] std::uint64_t trace_hash() const noexcept;

  // --- scripted events --------------------------------------------------------------------------
  void set_maintenance(bool on, Observer& out);  // orders answer 11051 while on
  void set_ticks(InstrumentIndex instrument, const TickSchedule& ticks, Observer& out);
  // The same with another lot, which is the smallest amount too. Orders off either grid leave.
  void set_terms(InstrumentIndex instrument, const TickSchedule& ticks, Qty lot, Observer& out);
  // Lists options (and a dated future, if the product has them and the period is not a day) for an
  // expiry; gives the number of new instruments, 0 when it has options already, has passed, or is
  // not at 08:00 UTC.
  std::size_t list_expiry(std::uint32_t product, ExchTime expiry, Period period, Observer& out);
  // Delivers every instrument of an expiry now, at what its delivery price would be: positions are
  // paid out and end, orders go. Gives the number of instruments; the calendar stays as it is.
  std::size_t settle_expiry(std::uint32_t product, ExchTime expiry, Observer& out);
  // Marks every held option at this moment's forward, so that an equity sampled now is of one
  // instant; between their own times the options' marks lag the perpetual's.
  void mark_now();
  // Closes up to `amount` of a position against its holder's will, at the mark and with no order of
  // its own: told as the fill of a liquidation order. Gives what was closed, in whole lots.
  Qty deleverage(AccountId account, InstrumentIndex instrument, Qty amount, Observer& out);
  // Takes a trade back, by a row of its: positions, profits and fees of both sides are as if it had
  // not been; its orders stay as they are. No message says so. False when it was taken back
  // before, or its instrument has ended.
  bool void_trade(std::size_t row, Observer& out);
  // Moves a coin's price by a log return at once (index, marks and quotes follow).
  void shock(std::string_view coin, double log_return, Observer& out);
  // Multiplies a coin's volatility at once; it reverts as the walk does. Within e^-1.4 .. e^1.4 of
  // its long-run level.
  void shock_volatility(std::string_view coin, double factor, Observer& out);
  // Adds to the premium of a product's perpetual over its index (a fraction); it decays over 300 s.
  void shift_premium(std::uint32_t product, double fraction, Observer& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gimbal::sim
