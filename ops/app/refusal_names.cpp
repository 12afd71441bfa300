#include "ops/app/refusal_names.hpp"

namespace gimbal {

// A switch without default: the compiler names an enumerator that is missing here.
std::string_view name_of(Refusal reason) noexcept {
  switch (reason) {
    case Refusal::none: return "none";
    case Refusal::malformed: return "malformed";
    case Refusal::halted: return "halted";
    case Refusal::paused: return "paused";
    case Refusal::not_reconciled: return "not_reconciled";
    case Refusal::gateway_down: return "gateway_down";
    case Refusal::clock_unknown: return "clock_unknown";
    case Refusal::instrument_closed: return "instrument_closed";
    case Refusal::off_tick: return "off_tick";
    case Refusal::off_lot: return "off_lot";
    case Refusal::order_lots: return "order_lots";
    case Refusal::order_usd: return "order_usd";
    case Refusal::open_usd: return "open_usd";
    case Refusal::venue_open_usd: return "venue_open_usd";
    case Refusal::price_collar: return "price_collar";
    case Refusal::mark_stale: return "mark_stale";
    case Refusal::index_stale: return "index_stale";
    case Refusal::position_limit: return "position_limit";
    case Refusal::delta_limit: return "delta_limit";
    case Refusal::delta_unknown: return "delta_unknown";
    case Refusal::gamma_limit: return "gamma_limit";
    case Refusal::vega_limit: return "vega_limit";
    case Refusal::open_orders: return "open_orders";
    case Refusal::order_rate: return "order_rate";
    case Refusal::duplicate: return "duplicate";
    case Refusal::intent_open: return "intent_open";
    case Refusal::reduce_rule: return "reduce_rule";
    case Refusal::self_match: return "self_match";
    case Refusal::market_order: return "market_order";
    case Refusal::overflow: return "overflow";
    case Refusal::order_state: return "order_state";
    case Refusal::table_full: return "table_full";
    case Refusal::no_owner: return "no_owner";
    case Refusal::duplicate_room: return "duplicate_room";
    case Refusal::price_drift: return "price_drift";
    case Refusal::gross_delta_limit: return "gross_delta_limit";
    case Refusal::option_insane: return "option_insane";
    case Refusal::expiry_window: return "expiry_window";
    case Refusal::parent_amount: return "parent_amount";
    case Refusal::module_late: return "module_late";
    case Refusal::module_veto: return "module_veto";
    case Refusal::module_limit: return "module_limit";
    case Refusal::scenario_loss: return "scenario_loss";
    case Refusal::scenario_unknown: return "scenario_unknown";
    case Refusal::tick_late: return "tick_late";
  }
  return "unknown";
}

}  // namespace gimbal
