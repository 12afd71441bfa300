// Public market data over requests: instruments, tickers, books, trades, indices.
#include <algorithm>
#include <cmath>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t perpetual_expiry_ms = 32'503'708'800'000;
constexpr std::size_t trades_max = 1000;

std::string_view period_text(Period p) {
  switch (p) {
    case Period::perpetual: return "perpetual";
    case Period::day: return "day";
    case Period::week: return "week";
    case Period::month:
    case Period::quarter: return "month";
  }
  return "day";
}

std::string_view settlement_of(const Listing& l) { return l.def.settlement.text(); }

void write_tick_steps(JsonText& json, const TickSchedule& ticks) {
  json.key("tick_size_steps").open_array();
  for (std::size_t i = 0; i < ticks.count; ++i) {
    json.open_object();
    json.member_nano("above_price", ticks.steps[i].above.nano);
    json.member_nano("tick_size", ticks.steps[i].tick.nano);
    json.close_object();
  }
  json.close_array();
}

void write_price_or_zero(JsonText& json, Price p) { json.nano(p.nano == absent_nano ? 0 : p.nano); }

void write_price_or_null(JsonText& json, Price p) {
  if (p.nano == absent_nano) return json.null();
  json.nano(p.nano);
}

void write_levels(JsonText& json, std::string_view name, const std::vector<Level>& levels) {
  json.key(name).open_array();
  for (const Level& level : levels) {
    json.open_array();
    json.nano(level.price.nano);
    json.nano(level.amount.nano);
    json.close_array();
  }
  json.close_array();
}

bool kind_matches(std::string_view kind, bool option) {
  return kind == "any" || kind == (option ? "option" : "future");
}

}  // namespace

InstrumentIndex DeribitDialect::Inside::instrument_of(Call& call) {
  const auto name = call.params->text("instrument_name");
  if (!name) {
    call.invalid("instrument_name", "value required");
    return no_instrument;
  }
  const InstrumentIndex found = exchange.find(*name);
  if (found == no_instrument) {
    const bool shaped = name->find('-') != std::string_view::npos;
    if (shaped) call.fail(code::not_found);
    if (!shaped) call.invalid("instrument_name", "wrong format");
  }
  return found;
}

void DeribitDialect::Inside::write_instrument(JsonText& json, const Listing& l) {
  const Instrument& def = l.def;
  const bool option = is_option(def.kind);
  json.open_object();
  MemberMarks m{json};
  m.key("instrument_name").text(l.name);
  m.key("instrument_id").integer(static_cast<std::int64_t>(l.venue_number));
  m.key("kind").text(option ? "option" : "future");
  m.key("instrument_type").text(is_inverse(def.kind) ? "reversed" : "linear");
  m.key("base_currency").text(l.base);
  m.key("quote_currency").text(l.quote);
  m.key("counter_currency").text(l.counter);
  m.key("settlement_currency").text(settlement_of(l));
  m.key("settlement_period").text(period_text(l.period));
  m.key("price_index").text(l.index_name);
  m.key("is_active").boolean(l.active);
  m.key("state").text(l.active ? "open" : "closed");
  m.key("tick_size").nano(def.ticks.base.nano);
  write_tick_steps(json, def.ticks);
  m.key("contract_size").nano(def.contract_size.nano);
  m.key("min_trade_amount").nano(def.amount_min.nano);
  m.key("maker_commission").nano(def.maker_fee_nano);
  m.key("taker_commission").nano(def.taker_fee_nano);
  m.key("block_trade_commission").nano(def.taker_fee_nano / 2);
  m.key("block_trade_min_trade_amount").integer(option ? 25 : 200'000);
  m.key("block_trade_tick_size").nano(option ? 100'000 : 10'000'000);
  m.key("creation_timestamp").integer(to_unix_ms(l.created));
  m.key("expiration_timestamp")
      .integer(is_perpetual(def.kind) ? perpetual_expiry_ms : to_unix_ms(def.expiry));
  m.key("underlying_type").text("crypto");
  if (option) {
    m.key("option_type").text(def.option == OptionType::call ? "call" : "put");
    m.key("strike").nano(def.strike.nano);
  } else {
    m.key("future_type").text(is_inverse(def.kind) ? "reversed" : "linear");
    m.key("max_leverage").integer(l.max_leverage);
    m.key("max_non_default_leverage").integer(5);
    m.key("max_liquidation_commission").nano(7'500'000);
  }
  if (config.vary) m.rotate(draw() & 7);
  json.close_object();
}

void DeribitDialect::Inside::write_recorded_instrument(JsonText& json, const ReplayOption& o) {
  const bool perpetual = !o.option && o.expiry.unix_ns == 0;
  json.open_object();
  json.member("instrument_name", o.name);
  json.member_int("instrument_id", 900'000 + (&o - replay->instruments().data()));
  json.member("kind", o.option ? "option" : "future");
  json.member("instrument_type", "reversed");
  json.member("base_currency", o.currency);
  json.member("quote_currency", o.option ? std::string_view{o.currency} : "USD");
  json.member("counter_currency", "USD");
  json.member("settlement_currency", o.currency);
  json.member("settlement_period", perpetual ? "perpetual" : "month");
  json.member("price_index", o.currency == "ETH" ? "eth_usd" : "btc_usd");
  json.member_bool("is_active", true);
  json.member("state", "open");
  json.member_real("tick_size", o.option ? 0.0001 : 0.5);
  json.key("tick_size_steps")
      .raw(o.option ? R"([{"above_price":0.005,"tick_size":0.0005}])" : "[]");
  json.member_real("contract_size", o.option ? 1 : 10);
  json.member_real("min_trade_amount", o.option ? 0.1 : 10);
  json.member_real("maker_commission", o.option ? 0.0003 : 0);
  json.member_real("taker_commission", o.option ? 0.0003 : 0.0005);
  json.member_int("creation_timestamp", to_unix_ms(replay->first()) - 86'400'000);
  json.member_int("expiration_timestamp", perpetual ? perpetual_expiry_ms : to_unix_ms(o.expiry));
  if (o.option) {
    json.member("option_type", o.call ? "call" : "put");
    json.member_real("strike", o.strike);
  }
  json.close_object();
}

void DeribitDialect::Inside::get_instruments(Call& call) {
  const Params& p = *call.params;
  const std::string_view currency = p.text("currency").value_or("any");
  const std::string_view kind = p.text("kind").value_or("any");
  static constexpr std::array<std::string_view, 7> kinds{
      "any", "future", "option", "spot", "future_combo", "option_combo", "combo"};
  if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
    return call.invalid("kind", "invalid value");
  }
  static constexpr std::array<std::string_view, 6> currencies{"any",  "BTC",  "ETH",
                                                              "USDC", "USDT", "EURR"};
  if (std::find(currencies.begin(), currencies.end(), currency) == currencies.end()) {
    return call.invalid("currency", "invalid value");
  }
  const bool expired = p.flag("expired").value_or(false);
  JsonText json = writer(call.result);
  json.open_array();
  for (const Listing& l : exchange.instruments()) {
    const bool gone = l.state == ListingState::settled || l.state == ListingState::closed;
    if (gone != expired || !kind_matches(kind, is_option(l.def.kind))) continue;
    if (recorded(l.name) != nullptr) continue;
    if (currency == "any" || currency == settlement_of(l)) write_instrument(json, l);
  }
  if (replay != nullptr && !expired) {
    for (const ReplayOption& o : replay->instruments()) {
      if (recorded(o.name) == nullptr || !kind_matches(kind, o.option)) continue;
      if (currency == "any" || currency == o.currency) write_recorded_instrument(json, o);
    }
  }
  json.close_array();
}

void DeribitDialect::Inside::get_instrument(Call& call) {
  const ReplayOption* found = recorded(call.params->text("instrument_name").value_or(""));
  JsonText json = writer(call.result);
  if (found != nullptr) return write_recorded_instrument(json, *found);
  const InstrumentIndex i = instrument_of(call);
  if (i != no_instrument) write_instrument(json, listing(i));
}

void DeribitDialect::Inside::write_ticker_members(MemberMarks& m, const TickerInfo& t) {
  const Listing& l = listing(t.instrument);
  JsonText& json = m.key("timestamp");
  json.integer(to_unix_ms(t.time));
  m.key("state").text(t.open ? "open" : "closed");
  m.key("stats").open_object();
  write_price_or_null(json.key("high"), t.high);
  write_price_or_null(json.key("low"), t.low);
  if (t.high.nano == absent_nano)
    json.member_null("price_change");
  else
    json.member_real("price_change", t.price_change_percent, 4);
  json.member_nano("volume", t.volume.nano);
  json.member_nano("volume_usd", t.volume_usd.nano);
  json.close_object();
  if (is_option(l.def.kind)) {
    m.key("greeks").open_object();
    json.member_real("delta", t.greeks.delta, 5);
    json.member_real("gamma", t.greeks.gamma, 5);
    json.member_real("vega", t.greeks.vega, 5);
    json.member_real("theta", t.greeks.theta, 5);
    json.member_real("rho", t.greeks.rho, 5);
    json.close_object();
  }
  m.key("index_price").nano(t.index.nano);
  m.key("instrument_name").text(l.name);
  write_price_or_null(m.key("last_price"), t.last);
  write_price_or_null(m.key("settlement_price"), t.settlement);
  m.key("min_price").nano(t.min_price.nano);
  m.key("max_price").nano(t.max_price.nano);
  m.key("open_interest").nano(t.open_interest.nano);
  m.key("mark_price").nano(t.mark.nano);
  if (t.delivery.nano != absent_nano) {
    m.key("delivery_price").nano(t.delivery.nano);
    m.key("estimated_delivery_price").text("expired");
  } else {
    m.key("estimated_delivery_price").nano(t.estimated_delivery.nano);
  }
  if (is_perpetual(l.def.kind)) {
    m.key("interest_value").real(t.interest_value, 9);
    m.key("current_funding").real(t.current_funding, 8);
    m.key("funding_8h").real(t.funding_8h, 8);
  }
  if (is_option(l.def.kind)) {
    m.key("mark_iv").real(t.mark_iv, 2);
    m.key("bid_iv").real(t.bid_iv, 2);
    m.key("ask_iv").real(t.ask_iv, 2);
    if (t.underlying.nano != absent_nano) m.key("underlying_price").nano(t.underlying.nano);
    m.key("underlying_index").text(l.underlying_index.empty() ? "index_price" : l.underlying_index);
    m.key("interest_rate").nano(0);
  }
  write_price_or_zero(m.key("best_bid_price"), t.best_bid);
  m.key("best_bid_amount").nano(t.best_bid_amount.nano);
  write_price_or_zero(m.key("best_ask_price"), t.best_ask);
  m.key("best_ask_amount").nano(t.best_ask_amount.nano);
}

void DeribitDialect::Inside::ticker(Call& call) {
  const ReplayOption* found = recorded(call.params->text("instrument_name").value_or(""));
  if (found != nullptr && !found->ticker.empty()) {
    call.result = found->ticker;
    return;
  }
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  JsonText json = writer(call.result);
  json.open_object();
  MemberMarks m{json};
  write_ticker_members(m, exchange.ticker(i));
  if (config.vary) m.rotate(draw() & 15);
  json.close_object();
}

void DeribitDialect::Inside::get_order_book(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  const std::int64_t depth = call.params->integer("depth").value_or(5);
  if (depth < 1 || depth > 10'000) return call.invalid("depth", "invalid value");
  JsonText json = writer(call.result);
  json.open_object();
  MemberMarks m{json};
  write_ticker_members(m, exchange.ticker(i));
  m.key("change_id").integer(static_cast<std::int64_t>(exchange.change_id(i)));
  std::vector<Level> levels;
  exchange.levels(i, Side::buy, static_cast<std::size_t>(depth), levels);
  write_levels(json, "bids", levels);
  levels.clear();
  exchange.levels(i, Side::sell, static_cast<std::size_t>(depth), levels);
  write_levels(json, "asks", levels);
  json.close_object();
}

void DeribitDialect::Inside::get_index_price(Call& call) {
  const auto name = call.params->text("index_name");
  if (!name) return call.invalid("index_name", "value required");
  const auto& products = exchange.config().products;
  for (std::uint32_t i = 0; i < products.size(); ++i) {
    if (products[i].index_name != *name) continue;
    JsonText json = writer(call.result);
    json.open_object();
    json.member_nano("index_price", exchange.index_price(i).nano);
    json.member_nano("estimated_delivery_price", exchange.index_price(i).nano);
    return json.close_object();
  }
  call.invalid("index_name", "invalid value");
}

void DeribitDialect::Inside::get_index_price_names(Call& call) {
  JsonText json{call.result};
  json.open_array();
  for (const ProductConfig& product : exchange.config().products) json.text(product.index_name);
  json.close_array();
}

void DeribitDialect::Inside::get_currencies(Call& call) {
  JsonText json{call.result};
  json.open_array();
  for (const Currency c : exchange.currencies()) {
    json.open_object();
    json.member("currency", c.text());
    json.member("currency_long", c.text());
    json.member("coin_type", c.text());
    json.member_int("fee_precision", 8);
    json.member_int("min_confirmations", 1);
    json.member_real("min_withdrawal_fee", 0.0001);
    json.member_real("withdrawal_fee", 0.0001);
    json.key("withdrawal_priorities").raw("[]");
    json.member_bool("in_cross_collateral_pool", false);
    json.close_object();
  }
  json.close_array();
}

void DeribitDialect::Inside::write_trade_members(MemberMarks& m, const PublicTrade& t) {
  const Listing& l = listing(t.instrument);
  m.key("trade_seq").integer(static_cast<std::int64_t>(t.seq));
  m.key("trade_id").text(trade_name(t));
  m.key("timestamp").integer(to_unix_ms(t.time));
  m.key("tick_direction").integer(static_cast<std::int64_t>(t.tick));
  m.key("price").nano(t.price.nano);
  m.key("mark_price").nano(t.mark.nano);
  m.key("index_price").nano(t.index.nano);
  m.key("instrument_name").text(l.name);
  m.key("amount").nano(t.amount.nano);
  const double contract = to_double(l.def.contract_size);
  m.key("contracts").real(contract > 0 ? to_double(t.amount) / contract : to_double(t.amount), 4);
  if (is_option(l.def.kind)) m.key("iv").real(t.iv_percent, 2);
  if (t.liquidation != LiquidationSide::none) {
    m.key("liquidation")
        .text(t.liquidation == LiquidationSide::maker   ? "M"
              : t.liquidation == LiquidationSide::taker ? "T"
                                                        : "MT");
  }
}

void DeribitDialect::Inside::write_public_trade(JsonText& json, const PublicTrade& t) {
  json.open_object();
  MemberMarks m{json};
  write_trade_members(m, t);
  m.key("direction").text(t.taker == Side::buy ? "buy" : "sell");
  // A match number beyond 2^53, as recent messages carry.
  m.key("starbase_match_id").integer(225'046'781'000'000'000 + static_cast<std::int64_t>(t.number));
  m.key("starbase_timestamp").integer(t.time.unix_ns);
  if (config.vary) m.rotate(draw() & 7);
  json.close_object();
}

void DeribitDialect::Inside::get_last_trades(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  const std::int64_t count = call.params->integer("count").value_or(10);
  if (count < 1 || count > static_cast<std::int64_t>(trades_max)) {
    return call.invalid("count", "invalid value");
  }
  const auto rows = exchange.last_trades(i, static_cast<std::size_t>(count) + 1);
  const bool more = rows.size() > static_cast<std::size_t>(count);
  JsonText json = writer(call.result);
  json.open_object();
  json.key("trades").open_array();
  std::size_t written = 0;
  for (auto t = rows.rbegin(); t != rows.rend() && written < static_cast<std::size_t>(count); ++t) {
    write_public_trade(json, *t);
    ++written;
  }
  json.close_array();
  json.member_bool("has_more", more);
  json.close_object();
}

void DeribitDialect::Inside::status(Call& call) {
  JsonText json{call.result};
  json.open_object();
  json.member_bool("locked", exchange.maintenance());
  json.key("locked_currencies").open_array();
  if (exchange.maintenance()) {
    for (const Currency c : exchange.currencies()) json.text(c.text());
  }
  json.close_array();
  json.close_object();
}

// --- names ------------------------------------------------------------------------------------

std::string DeribitDialect::Inside::order_name(const OrderInfo& order) const {
  const std::string_view currency = settlement_of(listing(order.instrument));
  const std::string number = std::to_string(order.number);
  return currency == "BTC" ? number : std::string{currency} + '-' + number;
}

std::string DeribitDialect::Inside::trade_name(const PublicTrade& trade) const {
  const std::string_view currency = settlement_of(listing(trade.instrument));
  const std::string number = std::to_string(trade.number);
  return currency == "BTC" ? number : std::string{currency} + '-' + number;
}

OrderNo DeribitDialect::Inside::order_number(std::string_view name) noexcept {
  const std::size_t dash = name.rfind('-');
  if (dash != std::string_view::npos) name.remove_prefix(dash + 1);
  if (name.empty() || name.size() > 18) return 0;
  OrderNo number = 0;
  for (const char c : name) {
    if (c < '0' || c > '9') return 0;
    number = number * 10 + static_cast<OrderNo>(c - '0');
  }
  return number;
}

}  // namespace gimbal::sim
