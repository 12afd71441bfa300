// What became of orders: states, open orders, history, and the account's trades.
#include <algorithm>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t rows_max = 1000;

// The filters that the history methods share. Empty or zero members match everything.
struct RowFilter {
  std::string currency;
  std::string kind{"any"};
  InstrumentIndex instrument{no_instrument};

  [[nodiscard]] bool matches(const Listing& l) const {
    if (instrument != no_instrument && l.index != instrument) return false;
    if (!currency.empty() && currency != "any" && currency != l.def.settlement.text()) return false;
    return kind == "any" || kind == (is_option(l.def.kind) ? "option" : "future");
  }
};

bool read_count(Call& call, std::size_t& count, std::int64_t standard) {
  const std::int64_t asked = call.params->integer("count").value_or(standard);
  if (asked < 1 || asked > rows_max) {
    call.invalid("count", "invalid value");
    return false;
  }
  count = static_cast<std::size_t>(asked);
  return true;
}

}  // namespace

void DeribitDialect::Inside::get_order_state(Call& call) {
  const auto id = call.params->text("order_id");
  if (!id) return call.invalid("order_id", "value required");
  const OrderInfo* order = exchange.order(order_number(*id));
  if (order == nullptr) return call.fail(code::order_not_found);
  if (order->account != call.grant.account) return call.fail(code::not_owner_of_order);
  JsonText json = writer(call.result);
  write_order(json, *order);
}

void DeribitDialect::Inside::get_order_state_by_label(Call& call) {
  const auto label = call.params->text("label");
  if (!label) return call.invalid("label", "value required");
  const std::string_view currency_name = call.params->text("currency").value_or("any");
  JsonText json = writer(call.result);
  json.open_array();
  for (const OrderNo number : exchange.orders_by_label(call.grant.account, *label)) {
    const OrderInfo* order = exchange.order(number);
    const auto settled_in = listing(order->instrument).def.settlement;
    if (currency_name == "any" || currency_name == settled_in.text()) write_order(json, *order);
  }
  json.close_array();
}

void DeribitDialect::Inside::get_open_orders(Call& call) {
  RowFilter filter;
  filter.currency = call.params->text("currency").value_or("any");
  filter.kind = call.params->text("kind").value_or("any");
  if (call.params->has("instrument_name")) {
    filter.instrument = instrument_of(call);
    if (call.failed()) return;
  }
  const auto label = call.params->text("label");
  const std::string_view type = call.params->text("type").value_or("all");
  JsonText json = writer(call.result);
  json.open_array();
  for (const OrderNo number : exchange.open_orders(call.grant.account)) {
    const OrderInfo* order = exchange.order(number);
    if (order == nullptr || !filter.matches(listing(order->instrument))) continue;
    if (label && order->label != *label) continue;
    if (type == "all" || type == "limit") write_order(json, *order);
  }
  json.close_array();
}

void DeribitDialect::Inside::get_order_history(Call& call) {
  RowFilter filter;
  filter.currency = call.params->text("currency").value_or("any");
  filter.kind = call.params->text("kind").value_or("any");
  if (call.params->has("instrument_name")) {
    filter.instrument = instrument_of(call);
    if (call.failed()) return;
  }
  std::size_t count = 0;
  if (!read_count(call, count, 20)) return;
  std::size_t skip = static_cast<std::size_t>(
      std::clamp<std::int64_t>(call.params->integer("offset").value_or(0), 0, 1'000'000));
  const bool unfilled = call.params->flag("include_unfilled").value_or(false);
  JsonText json = writer(call.result);
  json.open_array();
  for (const OrderNo number : exchange.order_history(call.grant.account, 1'000'000)) {
    const OrderInfo* order = exchange.order(number);
    if (order == nullptr || !filter.matches(listing(order->instrument))) continue;
    if (!unfilled && order->filled.nano == 0) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (count-- == 0) break;
    write_order(json, *order);
  }
  json.close_array();
}

void DeribitDialect::Inside::write_user_trade(JsonText& json, const UserTrade& t) {
  json.open_object();
  MemberMarks m{json};
  write_trade_members(m, t.trade);
  m.key("direction").text(t.side == Side::buy ? "buy" : "sell");
  const char* state = t.state == OrderState::open        ? "open"
                      : t.state == OrderState::filled    ? "filled"
                      : t.state == OrderState::cancelled ? "cancelled"
                                                         : "rejected";
  m.key("state").text(state);
  m.key("reduce_only").boolean(t.reduce_only);
  m.key("post_only").boolean(t.post_only);
  const OrderInfo* order = exchange.order(t.order);
  const bool liquidated = order != nullptr && order->liquidation;
  m.key("order_type")
      .text(liquidated                    ? "liquidation"
            : t.type == OrderType::market ? "market"
                                          : "limit");
  if (order != nullptr) m.key("order_id").text(order_name(*order));
  m.key("matching_id").null();
  m.key("liquidity").text(t.liquidity == Liquidity::maker ? "M" : "T");
  if (!t.label.empty()) m.key("label").text(t.label);
  m.key("fee_currency").text(t.currency.text());
  m.key("fee").nano(t.fee.nano);
  m.key("profit_loss").nano(t.profit.nano);
  if (t.underlying.nano != absent_nano) m.key("underlying_price").nano(t.underlying.nano);
  m.key("self_trade").boolean(false);
  m.key("risk_reducing").boolean(false);
  m.key("mmp").boolean(false);
  m.key("api").boolean(true);
  m.key("user_id").integer(80'000 + static_cast<std::int64_t>(t.account));
  if (config.vary) m.rotate(draw() & 15);
  json.close_object();
}

void DeribitDialect::Inside::get_user_trades(Call& call) {
  RowFilter filter;
  filter.currency = call.params->text("currency").value_or("any");
  filter.kind = call.params->text("kind").value_or("any");
  if (call.params->has("instrument_name")) {
    filter.instrument = instrument_of(call);
    if (call.failed()) return;
  }
  std::size_t count = 0;
  if (!read_count(call, count, 10)) return;
  const Params& p = *call.params;
  const std::int64_t from_ms = p.integer("start_timestamp").value_or(0);
  const std::int64_t to_ms = p.integer("end_timestamp").value_or(INT64_MAX);
  const OrderNo from_id = order_number(p.text("start_id").value_or(""));
  const OrderNo to_id = p.has("end_id") ? order_number(p.text("end_id").value_or("")) : ~OrderNo{0};
  const std::int64_t from_seq = p.integer("start_seq").value_or(0);
  const bool from_start = p.has("start_id") || p.has("start_timestamp") || p.has("start_seq");
  const bool ascending = p.text("sorting").value_or(from_start ? "asc" : "desc") == "asc";
  std::vector<std::size_t> rows;
  for (const std::size_t i : exchange.user_trades(call.grant.account, 0)) {
    const UserTrade& t = exchange.user_trade(i);
    const std::int64_t at = to_unix_ms(t.trade.time);
    if (!filter.matches(listing(t.trade.instrument)) || at < from_ms || at > to_ms) continue;
    if (t.trade.number < from_id || t.trade.number > to_id) continue;
    if (static_cast<std::int64_t>(t.trade.seq) >= from_seq) rows.push_back(i);
  }
  if (!ascending) std::reverse(rows.begin(), rows.end());
  const bool more = rows.size() > count;
  rows.resize(std::min(rows.size(), count));
  JsonText json = writer(call.result);
  json.open_object();
  json.key("trades").open_array();
  for (const std::size_t i : rows) write_user_trade(json, exchange.user_trade(i));
  json.close_array();
  json.member_bool("has_more", more);
  json.close_object();
}

void DeribitDialect::Inside::get_user_trades_by_order(Call& call) {
  const auto id = call.params->text("order_id");
  if (!id) return call.invalid("order_id", "value required");
  const OrderNo number = order_number(*id);
  JsonText json = writer(call.result);
  json.open_array();
  for (const std::size_t i : exchange.user_trades(call.grant.account, 0)) {
    if (exchange.user_trade(i).order == number) write_user_trade(json, exchange.user_trade(i));
  }
  json.close_array();
}

}  // namespace gimbal::sim
