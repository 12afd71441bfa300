#include "venues/sim/dialect_methods.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "venues/sim/dialect_state.hpp"

namespace gimbal::sim {

namespace {

constexpr auto general = RequestClass::general;
constexpr auto matching = RequestClass::matching;
constexpr auto subscribes = RequestClass::subscribe;

using I = DeribitDialect::Inside;
constexpr Access open = Access::open;
constexpr Access account = Access::account_read;
constexpr Access orders = Access::trade_read;
constexpr Access trade = Access::trade_write;

std::span<const Method> session_and_market() noexcept {
  static const std::array methods{
      Method{"public/auth", open, general, true, &I::auth},
      Method{"public/hello", open, general, true, &I::hello},
      Method{"public/test", open, general, true, &I::test},
      Method{"public/get_time", open, general, true, &I::get_time},
      Method{"public/status", open, general, true, &I::status},
      Method{"public/set_heartbeat", open, general, true, &I::set_heartbeat},
      Method{"public/disable_heartbeat", open, general, true, &I::disable_heartbeat},
      Method{"public/subscribe", open, subscribes, true, &I::subscribe_public},
      Method{"public/unsubscribe", open, general, true, &I::unsubscribe},
      Method{"public/unsubscribe_all", open, general, true, &I::unsubscribe_all_public},
      Method{"private/subscribe", account, subscribes, true, &I::subscribe_private},
      Method{"private/unsubscribe", account, general, true, &I::unsubscribe},
      Method{"private/unsubscribe_all", account, general, true, &I::unsubscribe_all_private},
      Method{"public/get_instruments", open, general, true, &I::get_instruments},
      Method{"public/get_instrument", open, general, true, &I::get_instrument},
      Method{"public/ticker", open, general, true, &I::ticker},
      Method{"public/get_order_book", open, general, true, &I::get_order_book},
      Method{"public/get_index_price", open, general, true, &I::get_index_price},
      Method{"public/get_index_price_names", open, general, true, &I::get_index_price_names},
      Method{"public/get_currencies", open, general, true, &I::get_currencies},
      Method{"public/get_last_trades_by_instrument", open, general, true, &I::get_last_trades},
  };
  return methods;
}

std::span<const Method> summaries() noexcept {
  static const std::array methods{
      Method{"public/get_book_summary_by_currency", open, general, true,
             &I::get_book_summary_by_currency},
      Method{"public/get_book_summary_by_instrument", open, general, true,
             &I::get_book_summary_by_instrument},
      Method{"public/get_tradingview_chart_data", open, general, true, &I::get_chart_data},
      Method{"public/get_funding_rate_value", open, general, true, &I::get_funding_rate_value},
      Method{"public/get_funding_rate_history", open, general, true, &I::get_funding_rate_history},
      Method{"public/get_last_trades_by_instrument_and_time", open, general, true,
             &I::get_last_trades_by_time},
      Method{"public/get_last_trades_by_currency", open, general, true,
             &I::get_last_trades_by_currency},
      Method{"public/get_last_trades_by_currency_and_time", open, general, true,
             &I::get_last_trades_by_currency},
      Method{"public/get_last_settlements_by_instrument", open, general, true,
             &I::get_last_settlements_by_instrument},
      Method{"public/get_last_settlements_by_currency", open, general, true,
             &I::get_last_settlements_by_currency},
      Method{"public/get_delivery_prices", open, general, true, &I::get_delivery_prices},
      Method{"private/get_settlement_history_by_instrument", orders, general, true,
             &I::get_settlement_history_by_instrument},
      Method{"private/get_settlement_history_by_currency", orders, general, true,
             &I::get_settlement_history_by_currency},
  };
  return methods;
}

std::span<const Method> trading() noexcept {
  static const std::array methods{
      Method{"private/logout", account, general, true, &I::logout},
      Method{"private/enable_cancel_on_disconnect", account, general, true, &I::enable_cod},
      Method{"private/disable_cancel_on_disconnect", account, general, true, &I::disable_cod},
      Method{"private/get_cancel_on_disconnect", account, general, true, &I::get_cod},
      Method{"private/buy", trade, matching, false, &I::buy},
      Method{"private/sell", trade, matching, false, &I::sell},
      Method{"private/edit", trade, matching, false, &I::edit},
      Method{"private/edit_by_label", trade, matching, false, &I::edit_by_label},
      Method{"private/cancel", trade, matching, false, &I::cancel},
      Method{"private/cancel_all", trade, matching, false, &I::cancel_all},
      Method{"private/cancel_all_by_currency", trade, matching, false, &I::cancel_all_by_currency},
      Method{"private/cancel_all_by_currency_pair", trade, matching, false,
             &I::cancel_all_by_currency_pair},
      Method{"private/cancel_all_by_instrument", trade, matching, false,
             &I::cancel_all_by_instrument},
      Method{"private/cancel_all_by_kind_or_type", trade, matching, false, &I::cancel_all_by_kind},
      Method{"private/cancel_by_label", trade, matching, false, &I::cancel_by_label},
      Method{"private/close_position", trade, matching, false, &I::close_position},
  };
  return methods;
}

std::span<const Method> reading() noexcept {
  static const std::array methods{
      Method{"private/get_order_state", orders, general, true, &I::get_order_state},
      Method{"private/get_order_state_by_label", orders, general, true,
             &I::get_order_state_by_label},
      Method{"private/get_open_orders", orders, general, true, &I::get_open_orders},
      Method{"private/get_open_orders_by_currency", orders, general, true, &I::get_open_orders},
      Method{"private/get_open_orders_by_instrument", orders, general, true, &I::get_open_orders},
      Method{"private/get_open_orders_by_label", orders, general, true, &I::get_open_orders},
      Method{"private/get_order_history_by_currency", orders, general, true, &I::get_order_history},
      Method{"private/get_order_history_by_instrument", orders, general, true,
             &I::get_order_history},
      Method{"private/get_user_trades_by_currency", orders, general, true, &I::get_user_trades},
      Method{"private/get_user_trades_by_currency_and_time", orders, general, true,
             &I::get_user_trades},
      Method{"private/get_user_trades_by_instrument", orders, general, true, &I::get_user_trades},
      Method{"private/get_user_trades_by_instrument_and_time", orders, general, true,
             &I::get_user_trades},
      Method{"private/get_user_trades_by_order", orders, general, true,
             &I::get_user_trades_by_order},
      Method{"private/get_positions", account, general, true, &I::get_positions},
      Method{"private/get_position", account, general, true, &I::get_position},
      Method{"private/get_account_summary", account, general, true, &I::get_account_summary},
      Method{"private/get_account_summaries", account, general, true, &I::get_account_summaries},
      Method{"private/get_margins", account, general, true, &I::get_margins},
      Method{"private/get_mmp_config", account, general, true, &I::get_mmp_config},
  };
  return methods;
}

}  // namespace

const Method* find_method(std::string_view name) noexcept {
  for (const std::span<const Method> methods :
       {session_and_market(), summaries(), trading(), reading()}) {
    const auto at = std::find_if(methods.begin(), methods.end(),
                                 [name](const Method& m) { return m.name == name; });
    if (at != methods.end()) return &*at;
  }
  return nullptr;
}

}  // namespace gimbal::sim
