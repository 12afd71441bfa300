#include "ops/app/flatten_text.hpp"

#include "ops/app/json_writer.hpp"

namespace gimbal {

std::string_view name_of(FlattenPhase phase) noexcept {
  switch (phase) {
    case FlattenPhase::none: return "none";
    case FlattenPhase::cancelling: return "cancelling";
    case FlattenPhase::settling: return "settling";
    case FlattenPhase::closing: return "closing";
    case FlattenPhase::verifying: return "verifying";
    case FlattenPhase::ended: return "ended";
  }
  return "none";
}

std::string_view name_of(FlattenEnd end) noexcept {
  switch (end) {
    case FlattenEnd::none: return "none";
    case FlattenEnd::flat: return "flat";
    case FlattenEnd::left_over: return "left_over";
    case FlattenEnd::unknown_orders: return "unknown_orders";
    case FlattenEnd::max_loss: return "max_loss";
    case FlattenEnd::by_operator: return "by_operator";
    case FlattenEnd::scope_stopped: return "scope_stopped";
    case FlattenEnd::gate_closed: return "gate_closed";
    case FlattenEnd::no_picture: return "no_picture";
  }
  return "none";
}

std::string_view name_of(FlattenWhy why) noexcept {
  switch (why) {
    case FlattenWhy::none: return "none";
    case FlattenWhy::not_selected: return "not_selected";
    case FlattenWhy::no_book: return "no_book";
    case FlattenWhy::no_bid: return "nothing_inside_collar";
    case FlattenWhy::below_minimum: return "below_minimum";
    case FlattenWhy::paused: return "paused";
    case FlattenWhy::scope_stopped: return "scope_stopped";
    case FlattenWhy::refused: return "refused";
    case FlattenWhy::rejected: return "rejected";
    case FlattenWhy::unknown_order: return "unknown_order";
  }
  return "none";
}

void put_flatten(JsonWriter& w, const FlattenReport& r) {
  w.begin_object("flatten").integer("command", r.command).text("scope", r.scope);
  w.text("phase", r.phase).text("end", r.end);
  w.boolean("options", r.options).boolean("hedge_only", r.hedge_only);
  w.integer("orders", r.orders).integer("fills", r.fills);
  w.integer("held", r.held).integer("unknown", r.unknown);
  w.decimal("cost_usd", r.cost.nano).decimal("max_loss_usd", r.max_loss.nano);
  w.integer("elapsed_ns", r.elapsed_ns).boolean("verified", r.verified);
  w.begin_array("left");
  for (const FlattenPosition& p : r.positions) {
    w.begin_object().text("instrument", p.instrument).decimal("amount", p.amount.nano);
    w.text("why", p.why).text("refusal", p.refusal).end_object();
  }
  w.end_array().end_object();
}

}  // namespace gimbal
