// Inside of the Deribit dialect, shared by its translation units only: connections, channels, the
// table of methods. Cold.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "venues/sim/dialect_deribit.hpp"
#include "venues/sim/json_text.hpp"
#include "venues/sim/request.hpp"

namespace gimbal::sim {

inline constexpr std::size_t request_bytes_max = 32 * 1024;
inline constexpr std::size_t channels_per_connection_max = 4096;

// Error numbers of the dialect itself; those of the exchange are in records.hpp.
namespace code {
inline constexpr int parse_error = -32700;
inline constexpr int invalid_request = -32600;
inline constexpr int method_not_found = -32601;
inline constexpr int invalid_params = -32602;
inline constexpr int missing_params = -32000;
inline constexpr int must_be_websocket = 10030;
inline constexpr int test_exception = 11050;
inline constexpr int not_found = 13020;
inline constexpr int forbidden = 13021;
inline constexpr int raw_needs_auth = 13778;
}  // namespace code

enum class Access : std::uint8_t { open, account_read, trade_read, trade_write };

// What a login may do.
struct Grant {
  AccountId account{no_account};
  bool account_read{false};
  bool trade_read{false};
  bool trade_write{false};
  std::string scope;  // as answered
  [[nodiscard]] bool allows(Access access) const noexcept;
};

struct Token {
  Grant grant;
  ConnectionId connection{0};  // 0: a session token, valid everywhere
  ExchTime expires{};
  bool refresh{false};
};

enum class ChannelKind : std::uint8_t {
  book,
  grouped_book,
  quote,
  ticker,
  incremental_ticker,
  trades,
  chart,
  price_index,
  mark_prices,
  perpetual,
  instrument_state,
  platform_state,
  user_orders,
  user_trades,
  user_changes,
  user_portfolio,
  silent
};
enum class Interval : std::uint8_t { raw, ms100, agg2 };

struct ChannelSpec {
  std::string name;  // as answered
  ChannelKind kind{ChannelKind::silent};
  Interval interval{Interval::raw};
  InstrumentIndex instrument{no_instrument};
  std::string recorded;  // name of a recorded instrument, in place of `instrument`
  bool futures{true};    // kinds of the wildcard channels
  bool options{true};
  std::string currency;  // "any" or upper case
  std::uint32_t product{0};
  double group{0};  // grouped book: price step, 0 for none
  std::size_t depth{0};
  Nanos candle{};  // chart: width
  bool is_private{false};
  bool needs_login{false};  // raw
};

struct Session;

// One channel with at least one subscriber. Private channels exist once per account.
struct Channel {
  ChannelSpec spec;
  AccountId account{no_account};
  std::vector<Session*> subscribers;
  std::uint64_t last_id{0};      // change_id last sent on this channel
  std::vector<Level> sent_bids;  // batched books: what the subscribers have
  std::vector<Level> sent_asks;
  ExchTime sent_at{};
  bool dirty{false};
  std::string batch;  // rows waiting for the next flush, comma separated
  std::map<InstrumentIndex, std::pair<std::string, std::string>> changes;  // orders, trades
  TickerInfo last_ticker{};
  bool ticker_sent{false};
};

struct QueuedFrame {
  std::string text;
  ExchTime due{};
};

struct Session {
  ConnectionId id{0};
  Grant grant;  // account is no_account before the login
  ExchTime login_expires{};
  std::map<std::string, Channel*, std::less<>> channels;
  std::map<std::string, std::string, std::less<>> labels;  // of private subscriptions
  std::deque<QueuedFrame> queue;
  std::size_t queue_bytes{0};
  ExchTime last_due{};
  bool held{false};  // the next frame waits behind its successor
  std::string held_frame;
  bool muted{false};  // no market data on this connection any more
  bool closing{false};
  bool overflowed{false};
  bool logged_out{false};
  std::int64_t heartbeat_s{0};
  ExchTime next_heartbeat{};
  bool test_pending{false};
  std::uint64_t frames{0};  // ordinals of the fault schedule
  std::uint64_t requests{0};
};

// One request being answered.
struct Call {
  Session* session{nullptr};  // null over HTTP
  Grant grant;
  const Params* params{nullptr};
  std::string result;  // JSON value
  int error{0};
  std::string message;
  std::string data;  // JSON value of error.data, empty when absent
  bool terminate{false};
  bool silent{false};               // no reply (logout)
  std::vector<Channel*> snapshots;  // to be sent after the reply

  [[nodiscard]] bool failed() const noexcept { return error != 0; }
  void fail(int venue_code);
  void fail(int venue_code, std::string text) {
    fail(venue_code);
    message = std::move(text);
  }
  void invalid(std::string_view param, std::string_view reason);
  void ok() { result = "\"ok\""; }
};

struct Method;

struct DeribitDialect::Inside final : Observer {
  Inside(SimExchange& e, const DialectConfig& c, ReplayMarket* r);

  // --- dialect_deribit.cpp: envelope, queues, time
  void handle(Session& session, std::string_view text);
  [[nodiscard]] HttpAnswer handle_http(const HttpCall& call);
  void dispatch(Call& call, std::string_view method);
  [[nodiscard]] std::string envelope(const Request& request, const Call& call, ExchTime in);
  void enqueue(Session& session, FrameKind kind, std::string text);
  void queue_frame(Session& session, std::string text, Nanos latency);
  void advance(ExchTime to);
  void heartbeats();
  [[nodiscard]] std::uint64_t draw();  // seeded; for member order, spelling and reply order
  [[nodiscard]] JsonText writer(std::string& out);
  [[nodiscard]] Session* session(ConnectionId id) noexcept;
  void close_session(Session& session, bool graceful);
  [[nodiscard]] const Grant* token_grant(std::string_view token, const Session* on) const;
  void authorize_header(std::string_view header, const HttpCall& http, Call& call);

  // --- dialect_session.cpp
  void auth(Call&);
  [[nodiscard]] const Credential* credential(std::string_view client_id) const noexcept;
  void issue(Call&, Grant grant, bool session_scope, std::int64_t life);
  void hello(Call&);
  void test(Call&);
  void get_time(Call&);
  void set_heartbeat(Call&);
  void disable_heartbeat(Call&);
  void logout(Call&);
  void enable_cod(Call&);
  void disable_cod(Call&);
  void get_cod(Call&);
  void set_cod(Call&, bool on);

  // --- dialect_market.cpp
  void get_instruments(Call&);
  void get_instrument(Call&);
  void ticker(Call&);
  void get_order_book(Call&);
  void get_index_price(Call&);
  void get_index_price_names(Call&);
  void get_currencies(Call&);
  void get_last_trades(Call&);
  void status(Call&);
  void write_instrument(JsonText&, const Listing&);
  void write_recorded_instrument(JsonText&, const ReplayOption&);
  void write_ticker_members(MemberMarks&, const TickerInfo&);
  void write_public_trade(JsonText&, const PublicTrade&);
  void write_trade_members(MemberMarks&, const PublicTrade&);

  // --- dialect_summary.cpp
  void get_book_summary_by_currency(Call&);
  void get_book_summary_by_instrument(Call&);
  void get_chart_data(Call&);
  void get_funding_rate_value(Call&);
  void get_funding_rate_history(Call&);
  void get_last_trades_by_time(Call&);
  void get_last_trades_by_currency(Call&);
  void get_last_settlements_by_instrument(Call&);
  void get_last_settlements_by_currency(Call&);
  void get_settlement_history_by_instrument(Call&);
  void get_settlement_history_by_currency(Call&);
  void get_delivery_prices(Call&);
  void write_book_summary(JsonText&, const Listing&);
  void write_trades(Call&, std::vector<PublicTrade> rows);
  void write_settlements(Call&, AccountId, const std::string& currency, InstrumentIndex);
  // As instrument_of, of a perpetual.
  [[nodiscard]] InstrumentIndex perpetual_of(Call&);

  // --- dialect_orders.cpp
  void buy(Call& c) { place(c, Side::buy); }
  void sell(Call& c) { place(c, Side::sell); }
  void place(Call&, Side);
  void submit(Call&, const NewOrder&);
  void edit(Call&);
  void edit_by_label(Call&);
  void edit_order(Call&, OrderNo);
  void cancel(Call&);
  void cancel_all(Call&);
  void cancel_all_by_currency(Call&);
  void cancel_all_by_currency_pair(Call&);
  void cancel_all_by_instrument(Call&);
  void cancel_all_by_kind(Call&);
  void cancel_by_label(Call&);
  void cancel_matching(Call&, const std::vector<CancelAllFilter>&);
  void close_position(Call&);
  void finish_order(Call&, const OrderResult&, bool placed);
  void write_order(JsonText&, const OrderInfo&);
  [[nodiscard]] bool order_request_faulted(Call&);

  // --- dialect_history.cpp
  void get_order_state(Call&);
  void get_order_state_by_label(Call&);
  void get_open_orders(Call&);
  void get_order_history(Call&);
  void get_user_trades(Call&);
  void get_user_trades_by_order(Call&);
  void write_user_trade(JsonText&, const UserTrade&);

  // --- dialect_account.cpp
  void get_positions(Call&);
  void get_position(Call&);
  void get_account_summary(Call&);
  void get_account_summaries(Call&);
  void get_margins(Call&);
  void get_mmp_config(Call&);
  void write_position(JsonText&, const Position&);
  void write_recorded_position(JsonText&, const ReplayMarket::Holding&);
  void write_summary_members(MemberMarks&, AccountId, Currency);
  void write_empty_position(JsonText&, InstrumentIndex);

  // --- dialect_channels.cpp: subscriptions
  void subscribe_public(Call& c) { subscribe(c, false); }
  void subscribe_private(Call& c) { subscribe(c, true); }
  void subscribe(Call&, bool is_private);
  void unsubscribe(Call&);
  void unsubscribe_all_public(Call& c) { unsubscribe_all(c, false); }
  void unsubscribe_all_private(Call& c) { unsubscribe_all(c, true); }
  void unsubscribe_all(Call&, bool is_private);
  [[nodiscard]] bool parse_channel(std::string_view text, ChannelSpec& spec) const;
  [[nodiscard]] bool parse_user_channel(const std::vector<std::string_view>& parts,
                                        ChannelSpec& spec) const;
  [[nodiscard]] bool parse_market_channel(const std::vector<std::string_view>& parts,
                                          ChannelSpec& spec) const;
  [[nodiscard]] bool instrument_spec(std::string_view name, ChannelSpec& spec) const;
  // A recorded instrument that stands in place of the exchange's, if any.
  [[nodiscard]] const ReplayOption* recorded(std::string_view name) const;
  Channel& open_channel(const ChannelSpec& spec, AccountId account);
  void leave(Session& session, Channel& channel);
  void listeners(const ChannelSpec& spec, int change);
  void send_snapshot(Session& session, Channel& channel);
  void join_book(Session& session, Channel& channel);

  // --- dialect_notify.cpp: notifications of market data
  bool wants_book(InstrumentIndex i) override {
    return i < book_listeners.size() && book_listeners[i] > 0;
  }
  bool wants_ticker(InstrumentIndex i) override {
    return i < ticker_listeners.size() && ticker_listeners[i] > 0;
  }
  void on_book_change(InstrumentIndex, std::uint64_t, std::uint64_t,
                      std::span<const LevelChange>) override;
  void on_trade(const PublicTrade&) override;
  void on_ticker(const TickerInfo&) override;
  void on_index(std::uint32_t product, Price) override;
  void on_instrument_state(InstrumentIndex, ListingState) override;
  void on_platform_state(bool maintenance) override;

  void publish(Channel& channel, FrameKind kind, std::string_view data);
  void send(Session& session, const Channel& channel, FrameKind kind, std::string_view data);
  void current_levels(const Channel& channel, std::vector<Level>& bids, std::vector<Level>& asks,
                      ExchTime& at, std::uint64_t& id) const;
  void write_book_snapshot(Channel& channel, std::string& data);
  void write_book_change(Channel& channel, ExchTime at, std::uint64_t id,
                         std::span<const LevelChange> changes, std::string& data);
  void write_grouped_book(const Channel& channel, std::string& data);
  void write_ticker_channel(Channel& channel, std::string& data);
  void flush_book(Channel& channel);
  void flush_channel(Channel& channel);
  void flush_batches(Interval interval);
  void flush_incremental(Channel& channel);
  void send_mark_prices(Channel& channel);
  void send_candle(Channel& channel);
  // False for a name that is none of the venue's resolutions.
  [[nodiscard]] static bool candle_width(std::string_view resolution, Nanos& width) noexcept;
  void replay_due();
  void republish(const ReplayFrame& frame);
  [[nodiscard]] bool matches(const ChannelSpec& spec, InstrumentIndex i) const;

  // --- dialect_user.cpp: notifications about accounts
  void on_user_order(const OrderInfo&) override;
  void on_user_trade(const UserTrade&) override;
  void on_user_portfolio(AccountId, Currency) override;
  void settle();  // user rows gathered in one exchange call
  void publish_user_rows(Channel& channel);
  void batch_user_rows(Channel& channel);
  void flush_user_batch(Channel& channel);
  void publish_changes(Channel& channel, InstrumentIndex i, std::string_view orders,
                       std::string_view trades);
  void publish_portfolio(Channel& channel, Session* only);

  // --- names
  [[nodiscard]] std::string order_name(const OrderInfo&) const;
  [[nodiscard]] std::string trade_name(const PublicTrade&) const;
  [[nodiscard]] static OrderNo order_number(std::string_view name) noexcept;
  [[nodiscard]] const Listing& listing(InstrumentIndex i) const {
    return exchange.instruments()[i];
  }
  // The instrument of the request; fails the call when it is missing or unknown.
  [[nodiscard]] InstrumentIndex instrument_of(Call&);

  SimExchange& exchange;
  DialectConfig config;
  ReplayMarket* replay;
  FaultSchedule faults;
  DialectStats stats;
  RequestParser parser;
  Request request;
  std::uint64_t random_state;

  std::unordered_map<ConnectionId, std::unique_ptr<Session>> sessions;
  std::map<std::string, Token, std::less<>> tokens;
  std::map<std::string, std::unique_ptr<Channel>, std::less<>> channels;  // name#account
  std::vector<std::vector<Channel*>> by_instrument;  // book, quote, ticker, trades, perpetual
  std::vector<Channel*> wildcard;                    // channels of a kind or currency, user.*
  std::vector<int> book_listeners;
  std::vector<int> ticker_listeners;

  std::vector<OrderInfo> user_orders;  // gathered since the last settle
  std::vector<UserTrade> user_trades;
  std::set<std::pair<AccountId, Currency>> portfolios;
  ExchTime next_batch{};
  ExchTime next_second{};
  std::uint64_t recorded_id{1'000'000'000};  // change_id of recorded books
  std::uint64_t user_frames{0};              // ordinal of lost fills
};

// The table of methods: name, what it needs, which credit pool, what answers it.
struct Method {
  std::string_view name;
  Access access;
  RequestClass pool;
  bool takes_credit;  // false: the exchange's call takes its own
  void (DeribitDialect::Inside::*answer)(Call&);
};

}  // namespace gimbal::sim
