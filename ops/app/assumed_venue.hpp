// A venue that never was: answers to orders that a what-if replay sends into recorded data.
// Room: ops/app. Cold.
//
// Assumptions, each said in the output of `gimbal replay --what-if`: an order arrives half a round
// trip after it was sent; it takes what the recorded book then shows inside its limit and takes
// nothing away from it; a resting order is filled whole, at its price, once the recorded book or a
// recorded trade goes through it; nothing is refused but post-only orders that would cross, and
// orders that came too late.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "engine/core/engine_core.hpp"

namespace gimbal {

class AssumedVenue {
 public:
  AssumedVenue(const EngineCore& core, Nanos round_trip)
      : core_{core}, half_{round_trip.count / 2} {}

  // What the engine asked for at `now`. Commands that concern no order are ignored.
  void command(const Command& command, RecvTime now);
  // After `event` was stepped: resting orders that the market went through are filled.
  void market(const Event& event);
  // The session is gone: what rests is cancelled, and nothing is said about it.
  void lose_session();
  // What rests now, as the reports of a complete picture.
  [[nodiscard]] std::vector<Event> picture(RecvTime now) const;

  // Earliest moment at which it does something; RecvTime max when never.
  [[nodiscard]] RecvTime due() const noexcept;
  // Does what is due at due(): events for the core with their receive time, in whole units.
  void run(std::vector<Event>& out);

 private:
  struct Working {
    PlaceOrder order{};
    Qty filled{};
    bool open{false};  // and then in open_
  };
  struct Arrival {
    CommandKind kind{CommandKind::none};
    PlaceOrder place{};
    ReplaceOrder replace{};
    CancelOrder cancel{};
    CancelAll cancel_all{};
    QueryOrder query{};
  };

  void arrive(const Arrival& a, RecvTime at);
  void place(const PlaceOrder& order, RecvTime at);
  void replace(const ReplaceOrder& change, RecvTime at);
  void cancel(OrderId id, RecvTime at);
  void look_up(const QueryOrder& query, RecvTime at);
  // Takes what the book shows inside the limit, up to the whole rest.
  void take(Working& w, RecvTime at);
  void end(Working& w, DoneReason reason, RecvTime at);
  void fill(Working& w, Qty amount, Price price, Liquidity liquidity, RecvTime at);
  [[nodiscard]] bool crosses(const PlaceOrder& o) const noexcept;
  [[nodiscard]] bool covered(Scope scope, const PlaceOrder& o) const noexcept;
  template <class Payload>
  void say(EventKind kind, const PlaceOrder& o, const Payload& payload, RecvTime at);
  [[nodiscard]] Event head(EventKind kind, const PlaceOrder& o, RecvTime at) const noexcept;

  const EngineCore& core_;
  Nanos half_;
  std::map<std::uint64_t, Working> orders_;  // by OrderId, ended ones included
  std::set<std::uint64_t> open_;
  std::multimap<std::int64_t, Arrival> arrivals_;         // at the venue
  std::multimap<std::int64_t, std::vector<Event>> news_;  // at the bot; a unit each
  std::uint64_t trades_{0};
};

}  // namespace gimbal
