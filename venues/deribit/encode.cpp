// Commands -> request texts. Hot: fixed pieces are copied, numbers written exactly; no allocation.
#include "venues/deribit/cancel_encode.hpp"
#include "venues/deribit/gateway_state.hpp"
#include "venues/deribit/json_writer.hpp"
#include "venues/deribit/rules.hpp"

namespace gimbal::deribit {

namespace {

std::string_view tif_text(TimeInForce tif) noexcept {
  switch (tif) {
    case TimeInForce::good_til_cancelled: return R"(,"time_in_force":"good_til_cancelled")";
    case TimeInForce::immediate_or_cancel: return R"(,"time_in_force":"immediate_or_cancel")";
    case TimeInForce::fill_or_kill: return R"(,"time_in_force":"fill_or_kill")";
  }
  return R"(,"time_in_force":"immediate_or_cancel")";
}

// What both kinds of order end with; valid_until is never left out.
void tail(JsonWriter& w, Price price, ExchTime valid_until, std::uint8_t flags) noexcept {
  w.raw(R"(,"price":)").nano(price.nano);
  w.raw(R"(,"valid_until":)").integer(to_unix_ms(valid_until));
  if ((flags & order_flag::post_only) != 0) w.raw(R"(,"post_only":true,"reject_post_only":true)");
  if ((flags & order_flag::reduce_only) != 0) w.raw(R"(,"reduce_only":true)");
  w.raw("}}");
}

void write_own_label(JsonWriter& w, const GatewayConfig& config, OrderId order) noexcept {
  char label[label_text_max];
  w.raw({label, write_label(config.label_tag, order, config.tag_of(order), label)});
}

}  // namespace

RejectReason DeribitGateway::State::admit(InstrumentId instrument, Price price, Qty amount,
                                          ExchTime valid_until, RecvTime now) noexcept {
  if (!ready()) return RejectReason::not_connected;
  if (!instruments->contains(instrument) || symbols->name(instrument).empty() ||
      valid_until.unix_ns <= 0 ||
      check_order((*instruments)[instrument], price, amount) != RuleBreach::none) {
    return RejectReason::venue;
  }
  if (!budget->take(config.budget_session, RateUse::risk, now)) {
    ++counters.local_rate_refusals;
    return RejectReason::local_rate;
  }
  return RejectReason::none;
}

Encoded DeribitGateway::encode(const Approved<PlaceOrder>& approved, RecvTime now,
                               std::span<char> out) noexcept {
  State& s = *state_;
  const PlaceOrder& o = *approved;
  const RejectReason refused = s.admit(o.instrument, o.price, o.amount, o.valid_until, now);
  if (refused != RejectReason::none) return {0, refused};
  const std::int64_t id = s.take_id();
  JsonWriter w{out};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(id);
  w.raw(o.side == Side::buy ? R"(,"method":"private/buy","params":{"instrument_name":")"
                            : R"(,"method":"private/sell","params":{"instrument_name":")");
  w.plain(s.symbols->name(o.instrument)).raw(R"(","type":"limit","label":")");
  write_own_label(w, s.config, o.order);
  w.raw(R"(","amount":)").nano(o.amount.nano).raw(tif_text(o.tif));
  tail(w, o.price, o.valid_until, o.flags);
  if (w.size() == 0) return {0, RejectReason::venue};
  s.requests.put({id, o.order, o.instrument, OrderAction::place, false});
  return {w.size(), RejectReason::none};
}

void DeribitGateway::look_over(InstrumentId id) const noexcept {
  const State& s = *state_;
  bring_near(s.config);
  bring_near(&s.symbols, line_bytes);
  bring_near(&s.next_id, line_bytes);
  bring_near(*s.budget);
  s.requests.look_over(s.config.first_request_id + State::ids_of_session + s.next_id);
  if (s.instruments->contains(id)) bring_near((*s.instruments)[id]);
  const std::string_view name = s.symbols->name(id);
  bring_near(name.data(), name.size());
  bring_near(s.config.label_tag.data(), line_bytes);
}

Encoded DeribitGateway::encode(const Approved<ReplaceOrder>& approved, RecvTime now,
                               std::span<char> out) noexcept {
  State& s = *state_;
  const ReplaceOrder& o = *approved;
  const RejectReason refused = s.admit(o.instrument, o.price, o.amount, o.valid_until, now);
  if (refused != RejectReason::none) return {0, refused};
  const std::int64_t id = s.take_id();
  const std::string_view venue_id = s.refs.find(o.order);
  JsonWriter w{out};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(id);
  if (!venue_id.empty()) {
    w.raw(R"(,"method":"private/edit","params":{"order_id":")").plain(venue_id);
  } else {
    w.raw(R"(,"method":"private/edit_by_label","params":{"instrument_name":")");
    w.plain(s.symbols->name(o.instrument)).raw(R"(","label":")");
    write_own_label(w, s.config, o.order);
  }
  w.raw(R"(","amount":)").nano(o.amount.nano);
  tail(w, o.price, o.valid_until, o.flags);
  if (w.size() == 0) return {0, RejectReason::venue};
  s.requests.put({id, o.order, o.instrument, OrderAction::replace, false});
  return {w.size(), RejectReason::none};
}

Encoded DeribitGateway::encode(const CancelOrder& cancel, RecvTime now,
                               std::span<char> out) noexcept {
  State& s = *state_;
  // A session that is logged in may cancel although its set-up is not complete.
  if (!s.open || (s.done_steps & State::step_login) == 0) return {0, RejectReason::not_connected};
  if (!s.budget->take(s.config.budget_session, RateUse::cancel, now)) {
    ++s.counters.local_rate_refusals;
    return {0, RejectReason::local_rate};
  }
  const std::int64_t id = s.take_id();
  const std::string_view venue_id = s.refs.find(cancel.order);
  std::size_t bytes = 0;
  if (!venue_id.empty()) {
    bytes = encode_cancel(id, venue_id, out);
  } else {
    char label[label_text_max];
    // The venue compares the whole label, and an adopted order's was written under its own config.
    const std::uint32_t hash = cancel.adopted ? cancel.label_hash : s.config.tag_of(cancel.order);
    const std::size_t n = write_label(s.config.label_tag, cancel.order, hash, label);
    bytes = encode_cancel_by_label(id, {label, n}, out);
  }
  if (bytes == 0) return {0, RejectReason::venue};
  s.requests.put({id, cancel.order, cancel.instrument, OrderAction::cancel, false});
  return {bytes, RejectReason::none};
}

bool DeribitGateway::encode(const CancelAll& cancel, RecvTime, Outbox& outbox) noexcept {
  State& s = *state_;
  if (!s.config.own_account || !s.open || (s.done_steps & State::step_login) == 0) return false;
  std::array<char, 512> text{};
  const auto send = [&](std::size_t bytes, std::int64_t id) noexcept {
    if (bytes == 0 || !outbox.push({text.data(), bytes})) return false;
    s.requests.put({id, {}, {}, OrderAction::cancel, true});
    return true;
  };
  const std::int64_t id = s.take_id();
  switch (cancel.scope.level) {
    case ScopeLevel::global:
    case ScopeLevel::venue:
    case ScopeLevel::account: return send(encode_cancel_all(id, true, text), id);
    case ScopeLevel::instrument: {
      const InstrumentId instrument{cancel.scope.id};
      return send(encode_cancel_all_by_instrument(id, s.symbols->name(instrument), text), id);
    }
    case ScopeLevel::underlying:
      return s.cancel_underlying({static_cast<std::uint8_t>(cancel.scope.id)}, outbox, text);
    case ScopeLevel::strategy: break;
  }
  return false;
}

// Its coin's books, and the pairs that settle in something else.
bool DeribitGateway::State::cancel_underlying(UnderlyingId underlying, Outbox& outbox,
                                              std::span<char> out) noexcept {
  const std::string_view coin = underlyings->name(underlying);
  if (coin.empty()) return false;
  std::array<Currency, 8> settled{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < instruments->size(); ++i) {
    const Instrument& instrument = (*instruments)[{static_cast<std::uint16_t>(i)}];
    if (instrument.underlying != underlying) continue;
    std::size_t known = 0;
    while (known < count && settled[known] != instrument.settlement) ++known;
    if (known == count && count < settled.size()) settled[count++] = instrument.settlement;
  }
  bool all_sent = count > 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t id = take_id();
    std::size_t bytes = 0;
    if (settled[i].text() == coin) {
      bytes = encode_cancel_all_by_currency(id, coin, out);
    } else {
      char pair[24];
      JsonWriter w{pair};
      w.raw(coin).raw("_").raw(settled[i].text());
      for (std::size_t k = 0; k < w.size(); ++k) {
        if (pair[k] >= 'A' && pair[k] <= 'Z') pair[k] = static_cast<char>(pair[k] - 'A' + 'a');
      }
      bytes = encode_cancel_all_by_currency_pair(id, w.view(), out);
    }
    if (bytes == 0 || !outbox.push({out.data(), bytes})) {
      all_sent = false;
      continue;
    }
    requests.put({id, {}, {}, OrderAction::cancel, true});
  }
  return all_sent;
}

}  // namespace gimbal::deribit
