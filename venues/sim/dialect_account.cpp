// Positions, account summaries, margins.
#include <algorithm>
#include <cmath>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

void write_price(JsonText& json, Price p) { json.nano(p.nano == absent_nano ? 0 : p.nano); }

void write_map(MemberMarks& m, std::string_view name, std::string_view index, double value,
               int decimals) {
  JsonText& json = m.key(name);
  json.open_object();
  if (value != 0) json.member_real(index, value, decimals);
  json.close_object();
}

// Sums of an account's recorded holdings in one currency; zero without a replay.
struct RecordedSums {
  double value{0};
  double cost{0};
  double delta{0};
  double gamma{0};
  double vega{0};
  double theta{0};
};

RecordedSums recorded_sums(const ReplayMarket* replay, AccountId account, std::string_view name) {
  RecordedSums sums;
  if (replay == nullptr) return sums;
  for (const ReplayMarket::Holding& h : replay->holdings(account)) {
    if (h.option->currency != name) continue;
    sums.value += h.size * h.option->mark;
    sums.cost += h.size * h.average;
    sums.delta += h.size * h.option->delta;
    sums.gamma += h.size * h.option->gamma;
    sums.vega += h.size * h.option->vega;
    sums.theta += h.size * h.option->theta;
  }
  return sums;
}

}  // namespace

void DeribitDialect::Inside::write_position(JsonText& json, const Position& p) {
  const Listing& l = listing(p.instrument);
  const bool option = is_option(l.def.kind);
  json.open_object();
  MemberMarks m{json};
  write_price(m.key("average_price"), p.average);
  m.key("delta").real(p.delta, option ? 5 : 9);
  m.key("direction").text(p.size.nano == 0 ? "zero" : p.size.nano > 0 ? "buy" : "sell");
  if (option) {
    m.key("average_price_usd")
        .real(p.average.nano == absent_nano ? 0 : to_double(p.average) * to_double(p.index), 6);
    m.key("gamma").real(p.gamma, 5);
    m.key("vega").real(p.vega, 5);
    m.key("theta").real(p.theta, 5);
    m.key("floating_profit_loss_usd").real(to_double(p.floating) * to_double(p.index), 6);
  } else {
    m.key("estimated_liquidation_price").null();
    m.key("leverage").integer(l.max_leverage);
    m.key("realized_funding").nano(p.funding.nano);
    m.key("size_currency").real(p.size_currency, 9);
    m.key("interest_value").nano(0);
  }
  m.key("floating_profit_loss").nano(p.floating.nano);
  m.key("index_price").nano(p.index.nano);
  m.key("initial_margin").nano(p.initial_margin.nano);
  m.key("instrument_name").text(l.name);
  m.key("kind").text(option ? "option" : "future");
  m.key("maintenance_margin").nano(p.maintenance_margin.nano);
  m.key("mark_price").nano(p.mark.nano);
  m.key("open_orders_margin").nano(0);
  m.key("realized_profit_loss").nano(p.realized.nano);
  write_price(m.key("settlement_price"), p.settlement);
  m.key("size").nano(p.size.nano);
  m.key("total_profit_loss").nano(p.floating.nano);
  if (config.vary) m.rotate(draw() & 7);
  json.close_object();
}

void DeribitDialect::Inside::write_recorded_position(JsonText& json,
                                                     const ReplayMarket::Holding& h) {
  const ReplayOption& o = *h.option;
  json.open_object();
  json.member_real("average_price", h.average);
  json.member_real("delta", h.size * o.delta, 5);
  json.member("direction", h.size < 0 ? "sell" : h.size > 0 ? "buy" : "zero");
  json.member_real("gamma", h.size * o.gamma, 5);
  json.member_real("vega", h.size * o.vega, 5);
  json.member_real("theta", h.size * o.theta, 5);
  json.member_real("floating_profit_loss", h.size * (o.mark - h.average));
  json.member_real("index_price", o.index);
  json.member_nano("initial_margin", 0);
  json.member("instrument_name", o.name);
  json.member("kind", o.option ? "option" : "future");
  json.member_nano("maintenance_margin", 0);
  json.member_real("mark_price", o.mark);
  json.member_nano("realized_profit_loss", 0);
  json.member_real("settlement_price", o.mark);
  json.member_real("size", h.size);
  json.member_real("total_profit_loss", h.size * (o.mark - h.average));
  json.close_object();
}

void DeribitDialect::Inside::write_empty_position(JsonText& json, InstrumentIndex i) {
  Position none;
  none.instrument = i;
  none.average = {0};
  none.mark = exchange.mark_price(i);
  none.index = exchange.index_price(listing(i).product);
  write_position(json, none);
}

void DeribitDialect::Inside::get_positions(Call& call) {
  const std::string_view currency_name = call.params->text("currency").value_or("any");
  const std::string_view kind = call.params->text("kind").value_or("any");
  const auto kind_fits = [kind](bool option) {
    return kind == "any" || kind == (option ? "option" : "future");
  };
  JsonText json = writer(call.result);
  json.open_array();
  for (const Position& p : exchange.positions(call.grant.account)) {
    const Listing& l = listing(p.instrument);
    const bool wanted = currency_name == "any" || currency_name == l.def.settlement.text();
    if (wanted && kind_fits(is_option(l.def.kind))) write_position(json, p);
  }
  if (replay != nullptr) {
    for (const ReplayMarket::Holding& h : replay->holdings(call.grant.account)) {
      const bool wanted = currency_name == "any" || currency_name == h.option->currency;
      if (wanted && kind_fits(h.option->option)) write_recorded_position(json, h);
    }
  }
  json.close_array();
}

void DeribitDialect::Inside::get_position(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  JsonText json = writer(call.result);
  Position p = exchange.position(call.grant.account, i);
  if (p.instrument == no_instrument || p.size.nano == 0) return write_empty_position(json, i);
  write_position(json, p);
}

void DeribitDialect::Inside::write_summary_members(MemberMarks& m, AccountId account,
                                                   Currency currency_id) {
  const Summary s = exchange.summary(account, currency_id);
  const RecordedSums r = recorded_sums(replay, account, currency_id.text());
  std::string index = "btc_usd";
  for (const ProductConfig& product : exchange.config().products) {
    if (product.settlement == currency_id.text()) {
      index = product.index_name;
      break;
    }
  }
  const double options_delta = s.options_delta + r.delta;
  const double delta_total = s.delta_total + r.delta - r.value;
  m.key("currency").text(currency_id.text());
  m.key("balance").nano(s.balance.nano);
  m.key("equity").real(to_double(s.equity) + r.value);
  m.key("margin_balance").nano(s.margin_balance.nano);
  m.key("available_funds").nano(s.available_funds.nano);
  m.key("available_withdrawal_funds").nano(s.available_withdrawal_funds.nano);
  m.key("initial_margin").nano(s.initial_margin.nano);
  m.key("maintenance_margin").nano(s.maintenance_margin.nano);
  m.key("projected_initial_margin").nano(s.projected_initial_margin.nano);
  m.key("projected_maintenance_margin").nano(s.projected_maintenance_margin.nano);
  m.key("delta_total").real(delta_total, 8);
  m.key("projected_delta_total").real(s.projected_delta_total + r.delta, 8);
  write_map(m, "delta_total_map", index, delta_total, 9);
  m.key("options_delta").real(options_delta, 5);
  m.key("options_gamma").real(s.options_gamma + r.gamma, 5);
  m.key("options_vega").real(s.options_vega + r.vega, 5);
  m.key("options_theta").real(s.options_theta + r.theta, 5);
  write_map(m, "options_gamma_map", index, s.options_gamma + r.gamma, 5);
  write_map(m, "options_vega_map", index, s.options_vega + r.vega, 5);
  write_map(m, "options_theta_map", index, s.options_theta + r.theta, 5);
  m.key("options_value").real(to_double(s.options_value) + r.value);
  m.key("options_pl").real(to_double(s.options_pl) + r.value - r.cost);
  m.key("options_session_upl").real(to_double(s.options_pl) + r.value - r.cost);
  m.key("options_session_rpl").nano(0);
  m.key("futures_pl").nano((s.futures_session_upl + s.futures_session_rpl).nano);
  m.key("futures_session_upl").nano(s.futures_session_upl.nano);
  m.key("futures_session_rpl").nano(s.futures_session_rpl.nano);
  m.key("total_pl").real(to_double(s.total_pl) + r.value - r.cost);
  m.key("session_upl").nano(s.session_upl.nano);
  m.key("session_rpl").nano(s.session_rpl.nano);
  m.key("estimated_liquidation_ratio").nano(0);
  m.key("estimated_liquidation_ratio_map").raw("{}");
  m.key("fee_balance").nano(0);
  m.key("spot_reserve").nano(0);
  m.key("additional_reserve").nano(0);
  m.key("locked_balance").nano(0);
  m.key("margin_model").text(s.portfolio_margin ? "segregated_pm" : "segregated_sm");
  m.key("portfolio_margining_enabled").boolean(s.portfolio_margin);
  m.key("cross_collateral_enabled").boolean(false);
}

namespace {

void write_pool(JsonText& json, std::string_view name, double rate, double burst) {
  json.key(name).open_object();
  json.member_real("rate", rate, 1);
  json.member_real("burst", burst, 1);
  json.close_object();
}

void write_limits(JsonText& json, const RateConfig& rates) {
  json.key("limits").open_object();
  json.member_bool("limits_per_currency", false);
  write_pool(json, "non_matching_engine", rates.general_per_s, rates.general_burst);
  json.key("matching_engine").open_object();
  json.key("trading").open_object();
  write_pool(json, "total", rates.matching_per_s, rates.matching_burst);
  json.close_object();
  write_pool(json, "spot", rates.matching_per_s, rates.matching_burst);
  write_pool(json, "quotes", 500, 500);
  write_pool(json, "cancel_all", rates.cancel_all_per_s, rates.cancel_all_burst);
  json.close_object();
  json.close_object();
}

void write_user(JsonText& json, AccountId account) {
  json.member_int("id", 80'000 + static_cast<std::int64_t>(account));
  json.member("email", "user@example.com");
  json.member("system_name", "user_" + std::to_string(account));
  json.member("username", "user_" + std::to_string(account));
  json.member("type", "main");
  json.member_int("creation_timestamp", 1'687'352'432'143);
  json.member_null("referrer_id");
  json.member_bool("login_enabled", false);
  json.member_bool("security_keys_enabled", false);
  json.member_bool("mmp_enabled", false);
  json.member_bool("interuser_transfers_enabled", false);
  json.member_bool("block_rfq_self_match_prevention", true);
  json.member("self_trading_reject_mode", "reject_taker");
  json.member_bool("self_trading_extended_to_subaccounts", false);
}

}  // namespace

void DeribitDialect::Inside::get_account_summary(Call& call) {
  const auto name = call.params->text("currency");
  if (!name) return call.invalid("currency", "value required");
  const std::vector<Currency> known = exchange.currencies();
  if (std::find(known.begin(), known.end(), currency(*name)) == known.end()) {
    return call.invalid("currency", "invalid value");
  }
  JsonText json = writer(call.result);
  json.open_object();
  MemberMarks m{json};
  write_summary_members(m, call.grant.account, currency(*name));
  write_limits(json, exchange.config().rates);
  if (call.params->flag("extended").value_or(false)) write_user(json, call.grant.account);
  if (config.vary) m.rotate(draw() & 15);
  json.close_object();
}

void DeribitDialect::Inside::get_account_summaries(Call& call) {
  JsonText json = writer(call.result);
  json.open_object();
  if (call.params->flag("extended").value_or(false)) write_user(json, call.grant.account);
  json.key("summaries").open_array();
  for (const Currency c : exchange.currencies()) {
    json.open_object();
    MemberMarks m{json};
    write_summary_members(m, call.grant.account, c);
    write_limits(json, exchange.config().rates);
    json.close_object();
  }
  json.close_array();
  json.close_object();
}

void DeribitDialect::Inside::get_margins(Call& call) {
  const InstrumentIndex i = instrument_of(call);
  if (i == no_instrument) return;
  const auto amount = call.params->number("amount");
  const auto price = call.params->number("price");
  if (!amount) return call.invalid("amount", "value required");
  if (!price) return call.invalid("price", "value required");
  Qty size{};
  Price at{};
  if (!decision_nano(*amount, size.nano) || size.nano <= 0) {
    return call.invalid("amount", "invalid value");
  }
  if (!decision_nano(*price, at.nano) || at.nano <= 0) {
    return call.invalid("price", "invalid value");
  }
  const TickerInfo t = exchange.ticker(i);
  JsonText json = writer(call.result);
  json.open_object();
  json.member_nano("buy", exchange.margin_of(i, Side::buy, size, at).nano);
  json.member_nano("sell", exchange.margin_of(i, Side::sell, size, at).nano);
  json.member_nano("min_price", t.min_price.nano);
  json.member_nano("max_price", t.max_price.nano);
  json.close_object();
}

void DeribitDialect::Inside::get_mmp_config(Call& call) { call.result = "[]"; }

}  // namespace gimbal::sim
