// Hostile bytes into the Deribit gateway, its login and its query parsers: no crash, nothing left
// staged, and a refused frame is never silent.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "venues/deribit/gateway.hpp"
#include "venues/deribit/queries.hpp"

namespace {

using namespace gimbal;  // a program of one page

struct World {
  deribit::SymbolTable symbols{8};
  InstrumentTable table{8};
  deribit::UnderlyingNames coins;
  deribit::RateBudget budget;
  std::unique_ptr<deribit::DeribitGateway> gateway;
  std::unique_ptr<deribit::QueryParser> queries;
  EventBatch batch{4096};
  Outbox outbox;

  World() {
    if (!symbols.add("BTC-PERPETUAL", InstrumentId{0})) std::abort();
    deribit::GatewayConfig config;
    config.frame_max = 1 << 16;
    config.login.client_id = "id";
    config.login.client_secret = "secret";
    config.login.grant = deribit::GrantType::client_credentials;
    gateway = std::make_unique<deribit::DeribitGateway>(config, symbols, table, coins, budget);
    queries = std::make_unique<deribit::QueryParser>(deribit::QueryContext{VenueId{}, "", &symbols},
                                                     std::size_t{1} << 16);
    gateway->on_open(RecvTime{1}, 1, batch, outbox);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World w;
  if (size == 0) return 0;
  std::vector<char> bytes(data + 1, data + size);
  bytes.resize(size - 1 + frame_padding);
  const Frame frame{bytes.data(), size - 1, bytes.size()};
  w.batch.clear();
  w.outbox.clear();
  const RecvTime now{seconds(1).count};
  const DecodeStatus status = w.gateway->on_frame(frame, now, w.batch, w.outbox);
  if (w.batch.staged() != w.batch.committed().size()) std::abort();
  if (status == DecodeStatus::malformed && w.batch.committed().empty()) std::abort();
  w.batch.clear();
  deribit::RateLimits limits;
  bool enabled = false;
  ExchTime time{};
  switch (data[0] % 6) {
    case 0: (void)w.queries->open_orders(frame, now, w.batch); break;
    case 1: (void)w.queries->positions(frame, now, w.batch); break;
    case 2: (void)w.queries->account(frame, now, w.batch, &limits); break;
    case 3: (void)w.queries->user_trades(frame, now, w.batch); break;
    case 4: (void)w.queries->cancel_on_disconnect(frame, enabled); break;
    default: (void)w.queries->time(frame, time); break;
  }
  return 0;
}
