// Notifications about accounts: orders, trades, both with positions, and the portfolio.
#include <algorithm>
#include <array>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {
namespace {

void append_row(std::string& list, std::string_view row) {
  if (!list.empty()) list += ',';
  list += row;
}

bool is_user_kind(ChannelKind kind) {
  return kind == ChannelKind::user_orders || kind == ChannelKind::user_trades ||
         kind == ChannelKind::user_changes;
}

}  // namespace

void DeribitDialect::Inside::on_user_order(const OrderInfo& order) { user_orders.push_back(order); }

void DeribitDialect::Inside::on_user_trade(const UserTrade& trade) {
  ++stats.fills;
  user_trades.push_back(trade);
}

void DeribitDialect::Inside::on_user_portfolio(AccountId account, Currency c) {
  portfolios.insert({account, c});
}

void DeribitDialect::Inside::settle() {
  if (!user_orders.empty() || !user_trades.empty()) {
    static constexpr std::array<std::array<ChannelKind, 3>, 3> orders_of_kinds{{
        {ChannelKind::user_orders, ChannelKind::user_trades, ChannelKind::user_changes},
        {ChannelKind::user_trades, ChannelKind::user_changes, ChannelKind::user_orders},
        {ChannelKind::user_changes, ChannelKind::user_orders, ChannelKind::user_trades},
    }};
    const auto& sequence = orders_of_kinds[config.vary ? draw() % orders_of_kinds.size() : 0];
    for (const ChannelKind kind : sequence) {
      for (Channel* channel : wildcard) {
        if (channel->spec.kind != kind || !is_user_kind(kind)) continue;
        if (channel->spec.interval == Interval::raw)
          publish_user_rows(*channel);
        else
          batch_user_rows(*channel);
      }
    }
    user_orders.clear();
    user_trades.clear();
  }
  if (portfolios.empty()) return;
  const auto touched = std::exchange(portfolios, {});
  for (Channel* channel : wildcard) {
    if (channel->spec.kind != ChannelKind::user_portfolio) continue;
    const bool hit = std::any_of(touched.begin(), touched.end(), [&](const auto& pair) {
      return pair.first == channel->account &&
             (channel->spec.currency == "any" || channel->spec.currency == pair.second.text());
    });
    if (hit) publish_portfolio(*channel, nullptr);
  }
}

void DeribitDialect::Inside::batch_user_rows(Channel& channel) {
  const ChannelKind kind = channel.spec.kind;
  if (kind != ChannelKind::user_trades) {
    for (const OrderInfo& order : user_orders) {
      if (order.account != channel.account || !matches(channel.spec, order.instrument)) continue;
      std::string row;
      JsonText json = writer(row);
      write_order(json, order);
      append_row(kind == ChannelKind::user_orders ? channel.batch
                                                  : channel.changes[order.instrument].first,
                 row);
    }
  }
  if (kind == ChannelKind::user_orders) return;
  for (const UserTrade& trade : user_trades) {
    const InstrumentIndex i = trade.trade.instrument;
    if (trade.account != channel.account || !matches(channel.spec, i)) continue;
    if (faults.fill_lost(channel.account, user_frames++)) {
      ++stats.frames_faulted;
      continue;
    }
    std::string row;
    JsonText json = writer(row);
    write_user_trade(json, trade);
    append_row(kind == ChannelKind::user_trades ? channel.batch : channel.changes[i].second, row);
  }
}

void DeribitDialect::Inside::publish_user_rows(Channel& channel) {
  if (channel.spec.kind != ChannelKind::user_orders) {
    batch_user_rows(channel);
    return flush_user_batch(channel);
  }
  for (const OrderInfo& order : user_orders) {
    if (order.account != channel.account || !matches(channel.spec, order.instrument)) continue;
    std::string row;  // the raw channel carries one object, the batched ones an array
    JsonText json = writer(row);
    write_order(json, order);
    publish(channel, FrameKind::user, row);
  }
}

void DeribitDialect::Inside::flush_user_batch(Channel& channel) {
  if (!channel.batch.empty()) {
    publish(channel, FrameKind::user, '[' + std::exchange(channel.batch, {}) + ']');
  }
  for (const auto& [instrument, rows] : std::exchange(channel.changes, {})) {
    publish_changes(channel, instrument, rows.first, rows.second);
  }
}

void DeribitDialect::Inside::publish_changes(Channel& channel, InstrumentIndex i,
                                             std::string_view orders, std::string_view trades) {
  std::string data;
  JsonText json = writer(data);
  json.open_object();
  MemberMarks m{json};
  m.key("instrument_name").text(listing(i).name);
  m.key("orders").raw('[' + std::string{orders} + ']');
  m.key("trades").raw('[' + std::string{trades} + ']');
  m.key("positions").open_array();
  const Position held = exchange.position(channel.account, i);
  if (held.instrument == no_instrument || held.size.nano == 0)
    write_empty_position(json, i);
  else
    write_position(json, held);
  json.close_array();
  if (config.vary) m.rotate(draw() & 3);
  json.close_object();
  publish(channel, FrameKind::user, data);
}

void DeribitDialect::Inside::publish_portfolio(Channel& channel, Session* only) {
  for (const Currency c : exchange.currencies()) {
    if (channel.spec.currency != "any" && channel.spec.currency != c.text()) continue;
    std::string data;
    JsonText json = writer(data);
    json.open_object();
    MemberMarks m{json};
    write_summary_members(m, channel.account, c);
    if (config.vary) m.rotate(draw() & 31);
    json.close_object();
    if (only != nullptr)
      send(*only, channel, FrameKind::user, data);
    else
      publish(channel, FrameKind::user, data);
  }
}

}  // namespace gimbal::sim
