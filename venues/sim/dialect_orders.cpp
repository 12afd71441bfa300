// Placing, editing and cancelling: requests to the exchange's order calls and back.
#include <algorithm>
#include <cmath>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

constexpr std::size_t label_max = 64;

// A number of the request at 1e-9; nothing when it is absent, fails the call when it does not fit.
bool nano_param(Call& call, std::string_view name, std::int64_t& out, bool& present) {
  present = call.params->has(name);
  if (!present) return true;
  const auto value = call.params->number(name);
  if (!value || !decision_nano(*value, out)) {
    call.invalid(name, "must be a number in range");
    return false;
  }
  return true;
}

// `amount`, or `contracts` times the contract size; both when they agree.
bool amount_param(Call& call, const Listing& listing, Qty& out, bool required) {
  std::int64_t amount = 0;
  std::int64_t contracts = 0;
  bool has_amount = false;
  bool has_contracts = false;
  if (!nano_param(call, "amount", amount, has_amount)) return false;
  if (!nano_param(call, "contracts", contracts, has_contracts)) return false;
  if (has_contracts) {
    const i128 product = static_cast<i128>(contracts) * listing.def.contract_size.nano;
    const i128 size = divide(product, nano_per_unit, Rounding::nearest);
    if (!fits_int64(size) || (has_amount && static_cast<std::int64_t>(size) != amount)) {
      call.fail(code::invalid_amount);
      return false;
    }
    amount = static_cast<std::int64_t>(size);
  }
  if (!has_amount && !has_contracts && required) {
    call.invalid("amount", "value required");
    return false;
  }
  out = {amount};
  return true;
}

bool tif_of(std::string_view text, TimeInForce& tif) {
  if (text == "good_til_cancelled" || text == "good_til_day") {
    tif = TimeInForce::good_til_cancelled;
  } else if (text == "immediate_or_cancel") {
    tif = TimeInForce::immediate_or_cancel;
  } else if (text == "fill_or_kill") {
    tif = TimeInForce::fill_or_kill;
  } else {
    return false;
  }
  return true;
}

std::string_view tif_text(TimeInForce tif) {
  switch (tif) {
    case TimeInForce::good_til_cancelled: return "good_til_cancelled";
    case TimeInForce::immediate_or_cancel: return "immediate_or_cancel";
    case TimeInForce::fill_or_kill: return "fill_or_kill";
  }
  return "good_til_cancelled";
}

std::string_view state_text(OrderState s) {
  switch (s) {
    case OrderState::open: return "open";
    case OrderState::filled: return "filled";
    case OrderState::rejected: return "rejected";
    case OrderState::cancelled: return "cancelled";
  }
  return "open";
}

bool flag_param(const Call& call, std::string_view name) {
  return call.params->flag(name).value_or(false);
}

ExchTime valid_until(const Call& call) {
  const auto ms = call.params->integer("valid_until");
  return ms && *ms > 0 && *ms < 9'000'000'000'000 ? from_unix_ms(*ms) : ExchTime{};
}

}  // namespace

bool DeribitDialect::Inside::order_request_faulted(Call& call) {
  if (call.session == nullptr) return false;
  switch (faults.request(call.session->id, call.session->requests)) {
    case RequestFault::none: return false;
    case RequestFault::reject:
      call.fail(faults.config().reject_code);
      ++stats.order_rejects;
      ++stats.frames_faulted;
      return true;
    case RequestFault::throttle:
      call.fail(code::too_many_requests);
      call.terminate = true;
      ++stats.frames_faulted;
      return true;
    case RequestFault::ack_lost:
      call.silent = true;
      ++stats.frames_faulted;
      return false;
  }
  return false;
}

void DeribitDialect::Inside::write_order(JsonText& json, const OrderInfo& o) {
  const Listing& l = listing(o.instrument);
  const double contract = to_double(l.def.contract_size);
  json.open_object();
  MemberMarks m{json};
  m.key("time_in_force").text(tif_text(o.tif));
  m.key("reduce_only").boolean(o.reduce_only);
  m.key("price").nano(o.price.nano == absent_nano ? 0 : o.price.nano);
  m.key("post_only").boolean(o.post_only);
  m.key("reject_post_only").boolean(o.reject_post_only);
  m.key("order_type").text(o.type == OrderType::market ? "market" : "limit");
  m.key("order_state").text(state_text(o.state));
  m.key("order_id").text(order_name(o));
  m.key("max_show").nano(o.amount.nano);
  m.key("last_update_timestamp").integer(to_unix_ms(o.updated));
  m.key("label").text(o.label);
  m.key("is_rebalance").boolean(false);
  m.key("is_liquidation").boolean(o.liquidation);
  m.key("instrument_name").text(l.name);
  m.key("filled_amount").nano(o.filled.nano);
  m.key("direction").text(o.side == Side::buy ? "buy" : "sell");
  m.key("creation_timestamp").integer(to_unix_ms(o.created));
  m.key("average_price").nano(o.average().nano);
  m.key("api").boolean(true);
  m.key("web").boolean(false);
  m.key("mmp").boolean(false);
  m.key("risk_reducing").boolean(false);
  m.key("replaced").boolean(o.replaced);
  m.key("user_id").integer(80'000 + static_cast<std::int64_t>(o.account));
  m.key("amount").nano(o.amount.nano);
  m.key("contracts").real(contract > 0 ? to_double(o.amount) / contract : 0, 4);
  if (const std::string_view why = text_of(o.cancel_reason); !why.empty()) {
    m.key("cancel_reason").text(why);
  }
  if (config.vary) m.rotate(draw() & 31);
  json.close_object();
}

void DeribitDialect::Inside::finish_order(Call& call, const OrderResult& done, bool placed) {
  if (!done.ok()) {
    call.fail(done.error);
    if (done.limit.nano != absent_nano) {
      std::string bound;
      JsonText{bound, NumberStyle::fixed}.nano(done.limit.nano);
      call.message += ' ' + bound;
    }
    call.terminate = done.terminate_session || call.error == code::too_many_requests;
    ++stats.order_rejects;
    return;
  }
  ++(placed ? stats.orders : stats.edits);
  JsonText json = writer(call.result);
  json.open_object();
  const bool trades_first = config.vary && (draw() & 1) != 0;
  const auto trades = [&] {
    json.key("trades").open_array();
    for (const std::size_t i : done.trades) write_user_trade(json, exchange.user_trade(i));
    json.close_array();
  };
  if (trades_first) trades();
  json.key("order");
  if (const OrderInfo* order = exchange.order(done.order))
    write_order(json, *order);
  else
    json.null();
  if (!trades_first) trades();
  json.close_object();
}

void DeribitDialect::Inside::place(Call& call, Side side) {
  const Params& p = *call.params;
  NewOrder order;
  order.instrument = instrument_of(call);
  if (order.instrument == no_instrument) return;
  order.side = side;
  if (!amount_param(call, listing(order.instrument), order.amount, true)) return;
  const std::string_view type = p.text("type").value_or("limit");
  if (type != "limit" && type != "market") {
    return call.invalid("type", "this venue takes limit and market");
  }
  order.type = type == "market" ? OrderType::market : OrderType::limit;
  std::int64_t price = 0;
  bool has_price = false;
  if (!nano_param(call, "price", price, has_price)) return;
  if (order.type == OrderType::limit && !has_price) return call.invalid("price", "value required");
  order.price = {price};
  if (!tif_of(p.text("time_in_force").value_or("good_til_cancelled"), order.tif)) {
    return call.invalid("time_in_force", "invalid value");
  }
  const std::string_view label = p.text("label").value_or("");
  if (label.size() > label_max) return call.invalid("label", "too long");
  order.label = label;
  order.post_only = flag_param(call, "post_only");
  order.reject_post_only = flag_param(call, "reject_post_only");
  order.reduce_only = flag_param(call, "reduce_only");
  order.valid_until = valid_until(call);
  submit(call, order);
}

void DeribitDialect::Inside::submit(Call& call, const NewOrder& order) {
  const ConnectionId connection = call.session != nullptr ? call.session->id : 0;
  finish_order(call, exchange.submit(call.grant.account, connection, order, *this), true);
}

void DeribitDialect::Inside::edit(Call& call) {
  const auto id = call.params->text("order_id");
  if (!id) return call.invalid("order_id", "value required");
  edit_order(call, order_number(*id));
}

void DeribitDialect::Inside::edit_by_label(Call& call) {
  const auto label = call.params->text("label");
  if (!label) return call.invalid("label", "value required");
  const InstrumentIndex instrument = instrument_of(call);
  if (instrument == no_instrument) return;
  OrderNo found = 0;
  for (const OrderNo number : exchange.orders_by_label(call.grant.account, *label)) {
    const OrderInfo* order = exchange.order(number);
    if (order == nullptr || order->state != OrderState::open) continue;
    if (order->instrument != instrument) continue;
    if (found != 0) return call.fail(code::non_unique_order_label);
    found = number;
  }
  edit_order(call, found);
}

void DeribitDialect::Inside::edit_order(Call& call, OrderNo number) {
  const OrderInfo* order = exchange.order(number);
  if (order == nullptr) return call.fail(code::order_not_found);
  if (order->account != call.grant.account) return call.fail(code::not_owner_of_order);
  EditOrder change;
  change.order = number;
  change.amount = order->amount;
  change.price = order->price;
  change.reduce_only = call.params->flag("reduce_only").value_or(order->reduce_only);
  change.post_only = call.params->flag("post_only").value_or(order->post_only);
  change.reject_post_only = call.params->flag("reject_post_only").value_or(order->reject_post_only);
  change.valid_until = valid_until(call);
  Qty amount{};
  if (!amount_param(call, listing(order->instrument), amount, false)) return;
  if (amount.nano != 0 || call.params->has("amount")) change.amount = amount;
  std::int64_t price = 0;
  bool has_price = false;
  if (!nano_param(call, "price", price, has_price)) return;
  if (has_price) change.price = {price};
  finish_order(call, exchange.edit(call.grant.account, change, *this), false);
}

void DeribitDialect::Inside::cancel(Call& call) {
  const auto id = call.params->text("order_id");
  if (!id) return call.invalid("order_id", "value required");
  const OrderResult done = exchange.cancel(call.grant.account, order_number(*id), *this);
  if (!done.ok()) {
    call.fail(done.error);
    call.terminate = done.terminate_session;
    return;
  }
  JsonText json = writer(call.result);
  if (const OrderInfo* order = exchange.order(order_number(*id))) write_order(json, *order);
}

// --- cancel_all and its variants ----------------------------------------------------------------

void DeribitDialect::Inside::cancel_matching(Call& call,
                                             const std::vector<CancelAllFilter>& filters) {
  std::vector<OrderNo> cancelled;
  for (const CancelAllFilter& filter : filters) {
    const CancelAllResult done = exchange.cancel_all(call.grant.account, filter, *this);
    if (done.error != code::ok) {
      call.fail(done.error);
      call.terminate = done.terminate_session;
      return;
    }
    cancelled.insert(cancelled.end(), done.cancelled.begin(), done.cancelled.end());
  }
  JsonText json = writer(call.result);
  if (!flag_param(call, "detailed"))
    return json.integer(static_cast<std::int64_t>(cancelled.size()));
  std::map<InstrumentIndex, std::vector<OrderNo>> grouped;
  for (const OrderNo number : cancelled) {
    if (const OrderInfo* order = exchange.order(number))
      grouped[order->instrument].push_back(number);
  }
  json.open_array();
  for (const auto& [instrument, numbers] : grouped) {
    const Listing& l = listing(instrument);
    json.open_object();
    json.member("currency", l.def.settlement.text());
    json.member("type", "limit");
    json.member("instrument_name", l.name);
    json.key("result").open_array();
    for (const OrderNo number : numbers) write_order(json, *exchange.order(number));
    json.close_array();
    json.close_object();
  }
  json.close_array();
}

void DeribitDialect::Inside::cancel_all(Call& call) { cancel_matching(call, {CancelAllFilter{}}); }

namespace {

void kind_filter(Call& call, CancelAllFilter& filter) {
  const std::string_view kind = call.params->text("kind").value_or("any");
  filter.futures = kind == "any" || kind == "future" || kind == "future_combo";
  filter.options = kind == "any" || kind == "option" || kind == "option_combo";
}

// Trigger orders do not exist here, so asking for them alone cancels nothing.
bool only_triggers(const Call& call) {
  const std::string_view type = call.params->text("type").value_or("all");
  return type != "all" && type != "limit";
}

}  // namespace

void DeribitDialect::Inside::cancel_all_by_currency(Call& call) {
  const auto currency_name = call.params->text("currency");
  if (!currency_name) return call.invalid("currency", "value required");
  if (only_triggers(call)) return cancel_matching(call, {});
  CancelAllFilter filter;
  filter.settlement = currency(*currency_name);
  kind_filter(call, filter);
  cancel_matching(call, {filter});
}

void DeribitDialect::Inside::cancel_all_by_currency_pair(Call& call) {
  const auto pair = call.params->text("currency_pair");
  if (!pair) return call.invalid("currency_pair", "value required");
  if (only_triggers(call)) return cancel_matching(call, {});
  std::vector<CancelAllFilter> filters;
  std::set<InstrumentIndex> seen;
  for (const OrderNo number : exchange.open_orders(call.grant.account)) {
    const OrderInfo* order = exchange.order(number);
    if (order == nullptr || listing(order->instrument).index_name != *pair) continue;
    if (!seen.insert(order->instrument).second) continue;
    CancelAllFilter filter;
    filter.instrument = order->instrument;
    kind_filter(call, filter);
    filters.push_back(filter);
  }
  cancel_matching(call, filters);
}

void DeribitDialect::Inside::cancel_all_by_instrument(Call& call) {
  CancelAllFilter filter;
  filter.instrument = instrument_of(call);
  if (filter.instrument == no_instrument) return;
  if (only_triggers(call)) return cancel_matching(call, {});
  cancel_matching(call, {filter});
}

void DeribitDialect::Inside::cancel_all_by_kind(Call& call) {
  if (only_triggers(call)) return cancel_matching(call, {});
  std::vector<CancelAllFilter> filters;
  for (const std::string& name : call.params->texts("currency")) {
    CancelAllFilter filter;
    if (name != "any") filter.settlement = currency(name);
    kind_filter(call, filter);
    filters.push_back(filter);
  }
  if (filters.empty()) return call.invalid("currency", "value required");
  cancel_matching(call, filters);
}

void DeribitDialect::Inside::cancel_by_label(Call& call) {
  const auto label = call.params->text("label");
  if (!label || label->empty()) return call.invalid("label", "value required");
  CancelAllFilter filter;
  filter.label = *label;
  if (const auto name = call.params->text("currency")) filter.settlement = currency(*name);
  cancel_matching(call, {filter});
}

void DeribitDialect::Inside::close_position(Call& call) {
  NewOrder order;
  order.instrument = instrument_of(call);
  if (order.instrument == no_instrument) return;
  const Position held = exchange.position(call.grant.account, order.instrument);
  if (held.size.nano == 0) return call.fail(10010, "already_closed");
  const std::string_view type = call.params->text("type").value_or("");
  if (type != "limit" && type != "market") return call.invalid("type", "invalid value");
  order.type = type == "market" ? OrderType::market : OrderType::limit;
  std::int64_t price = 0;
  bool has_price = false;
  if (!nano_param(call, "price", price, has_price)) return;
  if (order.type == OrderType::limit && !has_price) return call.invalid("price", "value required");
  order.price = {price};
  order.side = opposite(side_of(held.size));
  order.amount = abs(held.size);
  order.reduce_only = true;
  submit(call, order);
}

}  // namespace gimbal::sim
