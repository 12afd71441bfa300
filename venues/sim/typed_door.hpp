// Room venues/sim. The typed door: core Commands in, core Events out, no text, no socket, no clock.
//
// It stands for feed, gateway and network of one account session, with virtual latency both ways
// and the fault schedule, so that a property test drives the real core at full speed.
// Deterministic: the same exchange, config and calls give the same events. Pull model: next() runs
// the exchange only as far as the next event needs, so an order sent while handling an event at r
// arrives at r + to_venue.
//
// Losses: an ack_lost request is executed but not answered; a fill_lost trade is not told (both
// come back through reconcile and query). A lost book packet becomes FeedStatus{invalid,
// sequence_gap} and silence on that book until Resync, as the real decoder does. 10028 ends the
// session: GatewayStatus down (cancel-on-disconnect runs at the venue), and ready again with the
// next generation later. Fills can come before the ack, as at the venue.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "venues/sim/exchange.hpp"
#include "venues/sim/faults.hpp"

namespace gimbal::sim {

struct DoorConfig {
  VenueId venue{};
  AccountId account{no_account};
  Nanos to_venue{microseconds(300)};   // command to exchange
  Nanos to_client{microseconds(300)};  // output to event; FaultConfig adds latency and jitter
  Nanos reconnect{seconds(1)};         // down to ready after a lost session
  RecvTime epoch{1'000'000'000'000};   // our clock at the exchange's now when the door opens
  bool option_books{false};            // books of options (their tickers come anyway)
  bool cancel_on_disconnect{true};
  FaultConfig faults{};
};

struct DoorCounters {
  std::uint64_t events{0};
  std::uint64_t commands{0};
  std::uint64_t acks_lost{0};
  std::uint64_t fills_lost{0};
  std::uint64_t gaps{0};
  std::uint64_t sessions_lost{0};
};

// The door labels orders with 16 hexadecimal digits; an invalid id for any other label.
[[nodiscard]] OrderId order_of(std::string_view label) noexcept;

class TypedDoor final : private Observer {
 public:
  // Adds every listed instrument to `table`; both must outlive the door. Throws
  // std::invalid_argument when the account is unknown, a fault is out of range or the table full.
  TypedDoor(SimExchange& exchange, InstrumentTable& table, const DoorConfig& config);

  // Opens the session: VenueClock, GatewayStatus{ready}, FeedStatus{valid}, book snapshots,
  // tickers, margin reports. Reconciliation is asked for by the core.
  void connect();
  // Cuts the session now; it comes back by itself after `reconnect`.
  void disconnect();

  // Scripted events of the exchange, with their market data told as any other.
  void shock(std::string_view coin, double log_return) { exchange_.shock(coin, log_return, *this); }
  void shock_volatility(std::string_view coin, double factor) {
    exchange_.shock_volatility(coin, factor, *this);
  }
  void shift_premium(std::uint32_t product, double fraction) {
    exchange_.shift_premium(product, fraction, *this);
  }

  // Hands over a command at our time `now` (not before the last event's).
  void send(const Command& command, RecvTime now);
  // The same without a gate's approval, for tests that have no engine.
  void send(const PlaceOrder& order, RecvTime now);
  void send(const ReplaceOrder& order, RecvTime now);

  // The next event with recv <= until; false when there is none, and then now() is `until`.
  [[nodiscard]] bool next(RecvTime until, Event& out);

  [[nodiscard]] RecvTime now() const noexcept { return now_; }
  [[nodiscard]] RecvTime to_recv(ExchTime t) const noexcept {
    return config_.epoch + (t - opened_);
  }
  [[nodiscard]] ExchTime to_exch(RecvTime t) const noexcept {
    return opened_ + (t - config_.epoch);
  }
  [[nodiscard]] const DoorCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] InstrumentIndex index_of(InstrumentId id) const noexcept;
  [[nodiscard]] InstrumentId id_of(InstrumentIndex index) const noexcept;

 private:
  using Request =
      std::variant<PlaceOrder, ReplaceOrder, CancelOrder, CancelAll, Resync, Reconcile, QueryOrder>;
  struct Arrival {
    RecvTime at{};
    Request request;
  };
  struct Pending {
    RecvTime at{};
    Event event;
  };
  struct Feed {
    bool broken{false};
    std::uint64_t change_id{0};
  };

  // Observer: door_events.cpp
  bool wants_book(InstrumentIndex i) override;
  void on_book_change(InstrumentIndex i, std::uint64_t change_id, std::uint64_t prev_change_id,
                      std::span<const LevelChange> changes) override;
  void on_trade(const PublicTrade& t) override;
  void on_ticker(const TickerInfo& t) override;
  void on_index(std::uint32_t product, Price price) override;
  void on_user_order(const OrderInfo& o) override;
  void on_user_trade(const UserTrade& t) override;
  void on_user_portfolio(AccountId account, Currency currency) override;
  void on_instrument_state(InstrumentIndex i, ListingState state) override;
  void on_ticks_change(InstrumentIndex i) override;

  void snapshot(InstrumentIndex i, FeedReason reason);
  void session_up();
  void session_down(int venue_code);
  void venue_clock();
  void margin_report(Currency currency, std::uint8_t flags);
  void position_report(InstrumentIndex i, std::uint8_t flags);
  void send_fill(const UserTrade& t, std::uint8_t flags);
  void reject(OrderId order, InstrumentId instrument, OrderAction action, const OrderResult& r);

  // Requests as they reach the exchange
  void arrive(const Request& request);
  void handle(const PlaceOrder& c);
  void handle(const ReplaceOrder& c);
  void handle(const CancelOrder& c);
  void handle(const CancelAll& c);
  void handle(const Resync& c);
  void handle(const Reconcile& c);
  void handle(const QueryOrder& c);
  bool refuse_by_fault(OrderId order, InstrumentId instrument, OrderAction action);
  [[nodiscard]] OrderNo number_of(OrderId order) const;

  // Queues
  enum class Lane : std::uint8_t { market, user };
  [[nodiscard]] RecvTime delivery(Lane lane);
  template <class Payload>
  void put(Lane lane, EventKind kind, InstrumentId instrument, const Payload& payload,
           std::uint8_t flags);
  void take(const Request& request, RecvTime now);
  void put_sent(OrderId order, OrderAction action, InstrumentId instrument);
  void put_local(RecvTime at, const Event& event);
  [[nodiscard]] bool pop(RecvTime until, Event& out);
  [[nodiscard]] RecvTime first_due() const noexcept;

  SimExchange& exchange_;
  InstrumentTable& table_;
  DoorConfig config_;
  FaultSchedule faults_;
  ExchTime opened_{};
  RecvTime now_{};
  ConnectionId connection_{0};
  std::uint64_t generation_{0};
  bool up_{false};
  RecvTime up_again_{INT64_MAX};
  std::vector<InstrumentId> ids_;         // by exchange index
  std::vector<InstrumentIndex> indices_;  // by id
  std::vector<Feed> feeds_;               // by exchange index
  std::deque<Arrival> arrivals_;
  std::deque<Pending> lanes_[2];
  std::multimap<std::int64_t, Event> local_;  // OrderSent and timers, by our time
  int mid_packet_{-1};                        // lane whose packet is half delivered
  bool mute_acks_{false};                     // the running request's answer is lost
  OrderId answering_{};                       // the order of the running request
  std::uint64_t frame_ordinal_{0};
  std::uint64_t request_ordinal_{0};
  std::uint64_t fill_ordinal_{0};
  DoorCounters counters_{};
};

}  // namespace gimbal::sim
