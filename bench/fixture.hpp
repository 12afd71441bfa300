// What the benches of the bytes door share: an instrument, limits that let everything pass, and the
// answers that take a gateway through its login.
#pragma once

#include <string>
#include <string_view>

#include "engine/core/instrument.hpp"
#include "engine/core/risk/limits.hpp"
#include "venues/deribit/gateway.hpp"

namespace gimbal::bench {

inline Instrument instrument(InstrumentKind kind) {
  Instrument i;
  i.kind = kind;
  i.state = InstrumentState::open;
  i.settlement = currency("BTC");
  i.ticks.base = Price{nano_per_unit / 2};
  i.lot = i.amount_min = i.contract_size = Qty{10 * nano_per_unit};
  return i;
}

inline RiskLimits wide_limits() {
  RiskLimits l;
  l.max_order_usd = l.max_open_usd = l.max_venue_open_usd = l.max_delta_usd =
      Money{8'000'000'000 * nano_per_unit};
  l.max_gamma_usd = l.max_vega_usd = l.max_gross_delta_usd = l.max_order_usd;
  l.max_order_lots = l.max_position_lots = 900'000'000;
  l.collar_bps = 1000;
  l.price_drift_bps = 1'000'000;
  l.denials_1s_max = l.denials_60s_max = 64;
  l.greeks_age_max = seconds(3600);
  l.order_rate_per_s = l.order_burst = 1'000'000;
  l.cancel_reserve = 0;
  l.mark_age_max = l.quote_age_max = l.index_age_max = l.approval_ttl = seconds(3600);
  return l;
}

inline deribit::GatewayConfig gateway_config() {
  deribit::GatewayConfig c;
  c.label_tag = "bench";
  c.own_account = true;
  c.login.client_id = "id";
  c.login.client_secret = "secret";
  c.login.grant = deribit::GrantType::client_credentials;
  return c;
}

// `answer(text)` hands one message to the gateway; `asked` is its login request.
template <class Answer>
void log_in(std::string_view asked, Answer&& answer) {
  const std::size_t at = asked.find("\"id\":") + 5;
  const std::string id{asked.substr(at, asked.find(',', at) - at)};
  const auto reply = [&](const std::string& members) {
    answer(R"({"jsonrpc":"2.0",)" + members + "}");
  };
  reply(R"("id":)" + id +
        R"(,"result":{"access_token":"A","expires_in":900000,"refresh_token":"R",)"
        R"("scope":"connection trade:read_write","token_type":"bearer"})");
  reply(R"("id":1,"result":"ok")");
  reply(R"("id":4,"result":["user.portfolio.ANY","user.trades.any.any.raw",)"
        R"("user.orders.any.any.raw"])");
  reply(R"("id":2,"result":"ok")");
  reply(R"("id":3,"result":{"scope":"connection","enabled":true})");
}

}  // namespace gimbal::bench
