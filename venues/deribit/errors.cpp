// Error table: see errors.hpp.
#include "venues/deribit/errors.hpp"

#include <algorithm>
#include <array>

namespace gimbal::deribit {

namespace {

using enum ErrorClass;
using enum RejectReason;

constexpr ErrorInfo unlisted{0, unknown, unclear, "unlisted"};

// Ascending by code. `wrong_terms` where price or amount are off the venue's grid; `unclear` where
// the message does not prove that nothing is working.
constexpr std::array error_rows{
    ErrorInfo{-32700, terminal, venue, "parse_error"},
    ErrorInfo{-32602, terminal, venue, "invalid_params"},
    ErrorInfo{-32601, terminal, venue, "method_not_found"},
    ErrorInfo{-32600, terminal, venue, "request_entity_too_large"},
    ErrorInfo{-32000, terminal, venue, "missing_params"},
    ErrorInfo{10000, terminal, venue, "authorization_required"},
    ErrorInfo{10001, unknown, unclear, "error"},
    ErrorInfo{10002, terminal, venue, "qty_too_low"},
    ErrorInfo{10003, terminal, venue, "order_overlap"},
    ErrorInfo{10004, terminal, venue, "order_not_found"},
    ErrorInfo{10005, terminal, venue, "price_too_low"},
    ErrorInfo{10006, terminal, venue, "price_too_low4idx"},
    ErrorInfo{10007, terminal, venue, "price_too_high"},
    ErrorInfo{10009, terminal, venue, "not_enough_funds"},
    ErrorInfo{10010, terminal, venue, "already_closed"},
    ErrorInfo{10011, terminal, venue, "price_not_allowed"},
    ErrorInfo{10012, terminal, venue, "book_closed"},
    ErrorInfo{10013, terminal, venue, "pme_max_total_open_orders"},
    ErrorInfo{10014, terminal, venue, "pme_max_future_open_orders"},
    ErrorInfo{10015, terminal, venue, "pme_max_option_open_orders"},
    ErrorInfo{10016, terminal, venue, "pme_max_future_open_orders_size"},
    ErrorInfo{10017, terminal, venue, "pme_max_option_open_orders_size"},
    ErrorInfo{10018, terminal, venue, "non_pme_max_future_position_size"},
    ErrorInfo{10019, terminal, venue, "locked_by_admin"},
    ErrorInfo{10020, terminal, venue, "invalid_or_unsupported_instrument"},
    ErrorInfo{10021, terminal, venue, "invalid_amount"},
    ErrorInfo{10023, terminal, venue, "invalid_price"},
    ErrorInfo{10024, terminal, venue, "invalid_max_show"},
    ErrorInfo{10025, terminal, venue, "invalid_order_id"},
    ErrorInfo{10026, terminal, wrong_terms, "price_precision_exceeded"},
    ErrorInfo{10027, terminal, wrong_terms, "non_integer_contract_amount"},
    ErrorInfo{10028, retryable, throttled, "too_many_requests"},
    ErrorInfo{10029, terminal, venue, "not_owner_of_order"},
    ErrorInfo{10030, terminal, venue, "must_be_websocket_request"},
    ErrorInfo{10031, terminal, venue, "invalid_args_for_instrument"},
    ErrorInfo{10032, terminal, venue, "whole_cost_too_low"},
    ErrorInfo{10034, terminal, venue, "trigger_price_too_high"},
    ErrorInfo{10035, terminal, venue, "trigger_price_too_low"},
    ErrorInfo{10036, terminal, venue, "invalid_max_show_amount"},
    ErrorInfo{10037, terminal, venue, "non_pme_total_short_options_positions_size"},
    ErrorInfo{10038, terminal, venue, "pme_max_risk_reducing_orders"},
    ErrorInfo{10039, terminal, venue, "not_enough_funds_in_currency"},
    ErrorInfo{10040, retryable, venue, "retry"},
    ErrorInfo{10041, retryable, venue, "settlement_in_progress"},
    ErrorInfo{10043, terminal, wrong_terms, "price_wrong_tick"},
    ErrorInfo{10044, terminal, venue, "trigger_price_wrong_tick"},
    ErrorInfo{10045, terminal, venue, "can_not_cancel_liquidation_order"},
    ErrorInfo{10046, terminal, venue, "can_not_edit_liquidation_order"},
    ErrorInfo{10047, retryable, throttled, "matching_engine_queue_full"},
    ErrorInfo{10048, retryable, venue, "not_on_this_server"},
    ErrorInfo{10049, terminal, venue, "cancel_on_disconnect_failed"},
    ErrorInfo{10066, retryable, throttled, "too_many_concurrent_requests"},
    ErrorInfo{11008, terminal, venue, "already_filled"},
    ErrorInfo{11021, terminal, venue, "post_only_price_modification_not_possible"},
    ErrorInfo{11029, terminal, venue, "invalid_arguments"},
    ErrorInfo{11030, terminal, venue, "other_reject"},
    ErrorInfo{11031, unknown, unclear, "other_error"},
    ErrorInfo{11035, terminal, venue, "no_more_triggers"},
    ErrorInfo{11036, terminal, venue, "invalid_trigger_price"},
    ErrorInfo{11037, terminal, venue, "outdated_instrument_for_IV_order"},
    ErrorInfo{11038, terminal, venue, "no_adv_for_futures"},
    ErrorInfo{11039, terminal, venue, "no_adv_postonly"},
    ErrorInfo{11041, terminal, venue, "not_adv_order"},
    ErrorInfo{11042, terminal, venue, "permission_denied"},
    ErrorInfo{11043, terminal, venue, "bad_argument"},
    ErrorInfo{11044, terminal, venue, "not_open_order"},
    ErrorInfo{11046, terminal, venue, "outdated_instrument"},
    ErrorInfo{11047, terminal, venue, "unsupported_arg_combination"},
    ErrorInfo{11048, terminal, venue, "wrong_max_show_for_option"},
    ErrorInfo{11049, terminal, venue, "bad_arguments"},
    ErrorInfo{11050, terminal, venue, "bad_request"},
    ErrorInfo{11051, retryable, venue, "system_maintenance"},
    ErrorInfo{11052, retryable, venue, "subscribe_error_unsubscribed"},
    ErrorInfo{11054, terminal, venue, "post_only_reject"},
    ErrorInfo{11055, terminal, venue, "post_only_not_allowed"},
    ErrorInfo{11056, retryable, venue, "unauthenticated_public_requests_temporarily_disabled"},
    ErrorInfo{11094, unknown, unclear, "internal_server_error"},
    ErrorInfo{11098, terminal, venue, "account_locked"},
    ErrorInfo{12998, terminal, venue, "security_key_authorization_over_limit"},
    ErrorInfo{13004, terminal, venue, "invalid_credentials"},
    ErrorInfo{13008, unknown, unclear, "request_failed"},
    ErrorInfo{13009, terminal, venue, "unauthorized"},
    ErrorInfo{13010, terminal, venue, "value_required"},
    ErrorInfo{13019, terminal, venue, "orderbook_closed"},
    ErrorInfo{13020, terminal, venue, "not_found"},
    ErrorInfo{13021, terminal, venue, "forbidden"},
    ErrorInfo{13025, terminal, venue, "method_switched_off_by_admin"},
    ErrorInfo{13028, unknown, unclear, "temporarily_unavailable"},
    ErrorInfo{13030, terminal, venue, "mmp_trigger"},
    ErrorInfo{13031, terminal, venue, "verification_required"},
    ErrorInfo{13032, terminal, venue, "non_unique_order_label"},
    ErrorInfo{13035, terminal, venue, "active_combo_limit_reached"},
    ErrorInfo{13036, terminal, venue, "unavailable_for_combo_books"},
    ErrorInfo{13040, terminal, venue, "mmp_required"},
    ErrorInfo{13042, terminal, venue, "cod_not_enabled"},
    ErrorInfo{13043, terminal, venue, "quotes_frozen"},
    ErrorInfo{13403, terminal, venue, "scope_exceeded"},
    ErrorInfo{13503, unknown, unclear, "unavailable"},
    ErrorInfo{13666, unknown, unclear, "request_cancelled_by_user"},
    ErrorInfo{13668, terminal, venue, "security_key_authorization_error"},
    ErrorInfo{13777, unknown, unclear, "replaced"},
    ErrorInfo{13778, terminal, venue, "raw_subscriptions_not_available_for_unauthorized"},
    ErrorInfo{13888, retryable, expired, "timed_out"},
    ErrorInfo{13902, terminal, venue, "mass_quotes_disabled"},
    ErrorInfo{13903, terminal, venue, "too_many_quotes"},
};

constexpr bool ascending() noexcept {
  for (std::size_t i = 1; i < error_rows.size(); ++i) {
    if (error_rows[i - 1].code >= error_rows[i].code) return false;
  }
  return true;
}
static_assert(ascending());

}  // namespace

const ErrorInfo& error_info(std::int32_t code) noexcept {
  const auto* const at =
      std::lower_bound(error_rows.begin(), error_rows.end(), code,
                       [](const ErrorInfo& e, std::int32_t c) noexcept { return e.code < c; });
  return at != error_rows.end() && at->code == code ? *at : unlisted;
}

RejectReason reject_reason(std::int32_t code, OrderAction action) noexcept {
  const bool amount =
      code == error_qty_too_low || code == error_invalid_amount || code == error_non_integer_amount;
  return amount && action == OrderAction::place ? wrong_amount : error_info(code).reason;
}

std::span<const ErrorInfo> error_table() noexcept { return error_rows; }

}  // namespace gimbal::deribit
