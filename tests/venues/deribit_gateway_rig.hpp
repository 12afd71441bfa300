// A Deribit gateway with a perpetual and an option, and the venue's side of its conversation.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <variant>

#include "engine/core/risk/gate.hpp"
#include "feeds/decimal.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/shared_data.hpp"
#include "venues/deribit/gateway.hpp"

namespace gimbal::test {

class PaddedText {
 public:
  explicit PaddedText(std::string_view text)
      : bytes_(text.begin(), text.end()), size_{text.size()} {
    bytes_.resize(size_ + frame_padding, '\0');
  }
  [[nodiscard]] Frame frame() noexcept { return {bytes_.data(), size_, bytes_.size()}; }

 private:
  std::vector<char> bytes_;
  std::size_t size_;
};

inline std::string venue_fixture(const std::string& name) {
  std::ifstream in{fixture_path("deribit/" + name)};
  EXPECT_TRUE(in.is_open()) << "fixture " << name << " is missing";
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct DeribitGatewayRig {
  deribit::SymbolTable symbols{16};
  InstrumentTable table{16};
  deribit::UnderlyingNames coins;
  deribit::RateBudget budget{{30, 100, 700, 200}};
  InstrumentId instrument{}, option{}, linear{};
  EventBatch batch{4096};
  Outbox outbox;
  RecvTime now{seconds(1000).count};
  deribit::GatewayConfig config;
  std::unique_ptr<deribit::DeribitGateway> made;
  std::uint64_t connections{0};

  DeribitGatewayRig() {
    Instrument perp = perpetual_definition();
    perp.underlying = coins.id("BTC");
    instrument = table.add(perp);
    Instrument call = option_definition();
    call.underlying = perp.underlying;
    option = table.add(call);
    Instrument usdc = perp;
    usdc.kind = InstrumentKind::linear_perpetual;
    usdc.settlement = currency("USDC");
    linear = table.add(usdc);
    EXPECT_TRUE(symbols.add("BTC-PERPETUAL", instrument));
    EXPECT_TRUE(symbols.add("BTC-25DEC26-50000-C", option));
    EXPECT_TRUE(symbols.add("BTC_USDC-PERPETUAL", linear));
    EXPECT_TRUE(budget.set_quota(0, 1000));
    config.venue = VenueId{2};
    config.label_tag = "t1";
    config.config_hash = 0xABCD1234;
    config.own_account = true;
    config.login.client_id = "id";
    config.login.client_secret = "secret";
    config.login.grant = deribit::GrantType::client_credentials;
    config.login.required_scope = "trade:read_write";
  }
  deribit::DeribitGateway& gateway() {
    if (!made) {
      made = std::make_unique<deribit::DeribitGateway>(config, symbols, table, coins, budget);
    }
    return *made;
  }
  DecodeStatus take(std::string_view text) {
    batch.clear();
    PaddedText bytes{text};
    return gateway().on_frame(bytes.frame(), now, batch, outbox);
  }
  // The subscription's answer: all that was asked for.
  void take_channels() {
    (void)take(
        R"({"jsonrpc":"2.0","id":4,"result":["user.portfolio.ANY","user.trades.any.any.raw",)"
        R"("user.orders.any.any.raw"]})");
  }
  void log_in() {
    outbox.clear();
    gateway().on_open(now, ++connections, batch, outbox);
    const std::string asked{outbox[0]};
    (void)take(R"({"jsonrpc":"2.0","id":)" + id_of(asked) +
               R"(,"result":{"access_token":"A","expires_in":900,"refresh_token":"R",)"
               R"("scope":"connection trade:read_write","token_type":"bearer"}})");
  }
  void connect(bool cod = true) {
    log_in();
    (void)take(R"({"jsonrpc":"2.0","id":1,"result":"ok"})");
    take_channels();
    (void)take(R"({"jsonrpc":"2.0","id":2,"result":"ok"})");
    (void)take(std::string{R"({"jsonrpc":"2.0","id":3,"result":{"scope":"connection","enabled":)"} +
               (cod ? "true" : "false") + "}}");
    outbox.clear();
  }
  void connect_without_cod() { connect(false); }

  static std::string id_of(std::string_view request) {
    const std::size_t at = request.find("\"id\":") + 5;
    return std::string{request.substr(at, request.find(',', at) - at)};
  }
  std::string label(OrderId order) const {
    char text[deribit::label_text_max];
    return {text, deribit::write_label(config.label_tag, order, config.config_hash, text)};
  }
  static std::string decimal(std::int64_t nano) {
    char text[decimal_text_max];
    return {text, write_nano(nano, text)};
  }
  std::string order_text(OrderId order, Price price, Qty amount, Qty filled,
                         std::string_view state = "open", std::string_view more = "") const {
    return R"({"order_id":"5550001","label":")" + label(order) +
           R"(","instrument_name":"BTC-PERPETUAL","direction":"buy","price":)" +
           decimal(price.nano) + R"(,"amount":)" + decimal(amount.nano) + R"(,"filled_amount":)" +
           decimal(filled.nano) + R"(,"order_state":")" + std::string{state} +
           R"(","time_in_force":"good_til_cancelled","order_type":"limit",)"
           R"("last_update_timestamp":1700000000100)" +
           std::string{more} + "}";
  }
  static std::string notice(std::string_view channel, std::string_view data) {
    return R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")" +
           std::string{channel} + R"(","data":)" + std::string{data} + "}}";
  }
  std::string ack(OrderId order, Price price, Qty amount, Qty filled) const {
    return notice("user.orders.any.any.raw", order_text(order, price, amount, filled));
  }
  static std::string trade_text(std::string_view trade, std::string_view label_text, Price price,
                                Qty amount, std::string_view more = "") {
    return R"({"trade_id":")" + std::string{trade} +
           R"(","trade_seq":7,"timestamp":1700000000200,"label":")" + std::string{label_text} +
           R"(","instrument_name":"BTC-PERPETUAL","direction":"buy","price":)" +
           decimal(price.nano) + R"(,"amount":)" + decimal(amount.nano) +
           R"(,"fee":-2.5e-7,"fee_currency":"BTC","liquidity":"M","state":"filled",)"
           R"("order_id":"5550001","profit_loss":null,"index_price":50001.5,)"
           R"("mark_price":50000.25,"matching_id":null)" +
           std::string{more} + "}";
  }
  std::string fill_notice(OrderId order, std::string_view trade, Price price, Qty amount) const {
    return notice("user.trades.any.any.raw",
                  "[" + trade_text(trade, label(order), price, amount) + "]");
  }
  static std::string foreign_fill(std::string_view trade, Price price, Qty amount) {
    return notice("user.trades.any.any.raw",
                  "[" + trade_text(trade, "somebody else", price, amount) + "]");
  }
  static std::string error(std::string_view request, int code) {
    return R"({"jsonrpc":"2.0","id":)" + id_of(request) + R"(,"error":{"code":)" +
           std::to_string(code) + R"(,"message":"m","data":null}})";
  }
  static std::string reject(std::string_view request) { return error(request, 10009); }
  static std::string throttle(std::string_view request) { return error(request, 10028); }
  static std::string nonsense(std::string_view request) { return error(request, 77777); }

  GateContext context(InstrumentId id) const {
    GateContext c;
    c.instrument = &table[id];
    c.now = now;
    c.venue_now = ExchTime{1};
    c.mode = Mode::active;
    c.gateway_ready = c.reconciled = c.delta_known = true;
    c.mark = c.index = usd(50000);
    c.strategy = StrategyId{1};
    return c;
  }
  Approved<PlaceOrder> place(OrderId order, Price price, Qty size, std::uint8_t flags) const {
    PlaceOrder p;
    p.order = order;
    p.price = price;
    p.amount = size;
    p.valid_until = from_unix_ms(1700000000500);
    p.instrument = instrument;
    p.venue = config.venue;
    p.flags = flags;
    return approve(p);
  }
  Approved<PlaceOrder> approve(const PlaceOrder& p) const {
    RiskGate gate{wide_limits()};
    auto answer = gate.approve(p, context(p.instrument));
    EXPECT_EQ(answer.index(), 0U) << "the gate refused the test's order";
    return std::move(std::get<0>(answer));
  }
  Approved<ReplaceOrder> approve(const ReplaceOrder& r, const Order& current) const {
    RiskGate gate{wide_limits()};
    auto answer = gate.approve(r, current, context(r.instrument));
    EXPECT_EQ(answer.index(), 0U) << "the gate refused the test's replacement";
    return std::move(std::get<0>(answer));
  }
};

}  // namespace gimbal::test
