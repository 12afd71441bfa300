// Deribit's JSON-RPC dialect spoken by the simulated exchange: request text in, reply and
// notification texts out, no socket. The bytes door of tests and in-process benches, and what the
// server carries over TLS.
//
// Faithful where a connector can be hurt: id types are echoed, unknown channels are left out of a
// subscription's answer without an error, snapshots follow the reply at once, each interval of a
// book has its own change_id chain with prev_change_id as the last member, member order and number
// spelling vary with the seed, and a fill comes both in the order's reply and as notifications, in
// either order. Deterministic: the same config, exchange and calls give the same texts.
// Cold: it allocates. Not thread safe.
//
// In process:
//   DeribitDialect venue{exchange, {}};
//   const ConnectionId c = venue.connect();
//   venue.receive(c, R"({"jsonrpc":"2.0","id":1,"method":"public/test","params":{}})");
//   std::string frame;
//   while (venue.pop(c, frame)) client.on_frame(frame);
//   venue.advance(venue.now() + milliseconds(1));
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.hpp"
#include "venues/sim/exchange.hpp"
#include "venues/sim/faults.hpp"
#include "venues/sim/records.hpp"
#include "venues/sim/replay_market.hpp"

namespace gimbal::sim {

struct DialectConfig {
  std::uint64_t seed{1};
  bool testnet{true};
  std::int64_t token_life_s{31'536'000};   // expires_in of a login
  bool vary{true};                         // member order and number spelling; false: constant
  std::size_t queue_bytes_max{16u << 20};  // of one connection, then it is overflowed
  FaultConfig faults{};
  // Further keys of accounts that the exchange already has (a guardian's own key, say).
  std::vector<Credential> extra_keys;
};

struct DialectStats {
  std::uint64_t connections{0};
  std::uint64_t frames_in{0};
  std::uint64_t frames_out{0};  // handed out by pop
  std::uint64_t replies{0};
  std::uint64_t error_replies{0};
  std::uint64_t notifications{0};      // queued
  std::uint64_t rate_limit_errors{0};  // 10028
  std::uint64_t orders{0};             // buy, sell and close_position accepted
  std::uint64_t edits{0};
  std::uint64_t order_rejects{0};
  std::uint64_t fills{0};             // rows of user accounts
  std::uint64_t heartbeat_closes{0};  // test_request not answered
  std::uint64_t frames_faulted{0};    // dropped, duplicated, damaged or held by the fault schedule
};

// A request over HTTPS. `authorization` is the header's value, empty when absent.
struct HttpCall {
  std::string_view verb;
  std::string_view target;
  std::string_view authorization;
  std::string_view body;
};
struct HttpAnswer {
  int status{200};
  std::string body;
  bool close{false};  // end the connection after this answer
};

class DeribitDialect {
 public:
  // `exchange` must outlive the dialect. `replay` may be null; when given it must outlive it too.
  DeribitDialect(SimExchange& exchange, const DialectConfig& config,
                 ReplayMarket* replay = nullptr);
  ~DeribitDialect();
  DeribitDialect(const DeribitDialect&) = delete;
  DeribitDialect& operator=(const DeribitDialect&) = delete;

  [[nodiscard]] ExchTime now() const noexcept;
  // Moves exchange time; market data, batched channels, heartbeats and time-outs happen on the way.
  void advance(ExchTime to);

  [[nodiscard]] ConnectionId connect();
  // One text frame from the client. The answer and what it caused are in the queue afterwards.
  void receive(ConnectionId connection, std::string_view text);
  // The transport is gone: cancel-on-disconnect applies, the id is dead.
  void disconnected(ConnectionId connection);

  // The next frame whose time has come, in order; false when there is none.
  [[nodiscard]] bool pop(ConnectionId connection, std::string& frame);
  // True when the venue ends this connection and every frame before that was popped.
  [[nodiscard]] bool closing(ConnectionId connection) const noexcept;
  // True when the client read so slowly that its queue is over the limit.
  [[nodiscard]] bool overflowed(ConnectionId connection) const noexcept;

  [[nodiscard]] HttpAnswer http(const HttpCall& call);

  // Ends every connection as an outage would.
  void drop_all_connections();
  // The connections of now bring no market data any more; replies, heartbeats and account rows go
  // on. Later ones are well.
  void mute_connections();
  void set_maintenance(bool on);
  void shock(std::string_view coin, double log_return);
  // The exchange's calls of the same names, told to whoever listens. Deribit has no message for a
  // change of ticks: clients find it in the list.
  void set_ticks(InstrumentIndex instrument, const TickSchedule& ticks);
  void set_terms(InstrumentIndex instrument, const TickSchedule& ticks, Qty lot);
  bool void_trade(std::size_t row);
  Qty deleverage(AccountId account, InstrumentIndex instrument, Qty amount);
  std::size_t list_expiry(std::uint32_t product, ExchTime expiry, Period period);
  std::size_t settle_expiry(std::uint32_t product, ExchTime expiry);

  [[nodiscard]] const DialectStats& stats() const noexcept;
  [[nodiscard]] SimExchange& exchange() noexcept;

  struct Inside;  // dialect_state.hpp; of no use to callers

 private:
  std::unique_ptr<Inside> inside_;
};

}  // namespace gimbal::sim
