// Modes, commands, order states. See checker.hpp.
#include "tests/simtest/checker.hpp"

#include <algorithm>
#include <utility>

#include "tests/simtest/setup.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal::simtest {

void Checker::fail(std::string_view invariant, std::string text) {
  if (!violation_.invariant.empty()) return;
  violation_.invariant = invariant;
  violation_.text = std::move(text);
}

void Checker::begin_boot(BootView view) {
  boot_ = std::move(view);
  for (const auto& [value, note] : orders_) {
    if (note.written) earlier_.push_back(OrderId{value});
  }
  std::erase_if(earlier_, [&](OrderId id) { return !may_live(label_of(id)); });
  orders_.clear();
  placings_.clear();
  changes_.clear();
  carried_.clear();
  modes_.clear();
  carry_latches();
  tighten(Scope{}, Mode::halt);
  armed_once_ = false;
  operator_seq_ = 0;
  reconciled_at_ = RecvTime{};
  gateway_ = GatewayState::down;
  session_ = {};
  refused_before_ = 0;
  trades_.clear();
  boot_row_ = venue_.exchange.user_trade_count();
  learn_trades();
  back_before_ = cash_back();
  ends_before_ = venue_.held_ends();
  fill_parts_ = {};
  operator_parts_ = {};
  position_.assign(boot_.names.size(), 0);
  reported_.assign(boot_.names.size(), 0);
  data_.assign(boot_.names.size(), Data{});
  book_.clear();
}

// Instruments have other numbers in this boot; what has ended needs no latch.
void Checker::carry_latches() {
  const auto before = std::exchange(latches_, {});
  earlier_latches_.clear();
  for (const auto& [key, latch] : before) {
    auto now = key;
    if (!latch.name.empty()) {
      const auto at = std::find(boot_.names.begin(), boot_.names.end(), latch.name);
      if (at == boot_.names.end()) continue;
      now.second = static_cast<int>(at - boot_.names.begin());
    }
    latches_[now] = latch;
    earlier_latches_[now] = latch.mode;
  }
}

void Checker::listed_too(const std::string& name) {
  boot_.names.push_back(name);
  boot_.index_of.push_back(venue_.exchange.find(name));
  position_.push_back(0);
  reported_.push_back(0);
  data_.emplace_back();
}

std::string Checker::label_of(OrderId id) const {
  char text[deribit::label_text_max];
  return {text, deribit::write_label(label_tag, id, label_config_hash, text)};
}

// --- modes
// ----------------------------------------------------------------------------------------

void Checker::tighten(Scope scope, Mode mode) {
  Mode& at = modes_[key_of(scope)];
  at = stricter(at, mode);
}

Mode Checker::mode_of(StrategyId strategy, InstrumentId id) const {
  const Instrument& i = boot_.core->instruments()[id];
  const std::array<Scope, 6> scopes{{{ScopeLevel::global, 0},
                                     {ScopeLevel::venue, i.venue.value},
                                     {ScopeLevel::account, i.venue.value},
                                     {ScopeLevel::strategy, strategy.value},
                                     {ScopeLevel::underlying, i.underlying.value},
                                     {ScopeLevel::instrument, id.value}}};
  Mode mode = Mode::active;
  for (const Scope& s : scopes) {
    const auto at = modes_.find(key_of(s));
    if (at != modes_.end()) mode = stricter(mode, at->second);
  }
  return mode;
}

void Checker::note_modes(const Event& event, const Commands& out) {
  if (operator_complete_) {
    const OperatorCommand& c = operator_parts_.value();
    const bool monitor = c.source == OperatorSource::monitor;
    if (c.action == OperatorAction::kill) tighten(c.scope, c.mode);
    if (c.action == OperatorAction::pause && !monitor) tighten(c.scope, Mode::halt);
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i].kind() != CommandKind::raise) continue;
    const Trip& t = out[i].raise();
    if (t.mode > Mode::active) tighten(t.scope, t.mode);
  }
  if (event.kind() == EventKind::gateway_status) {
    gateway_ = event.as<GatewayStatus>().state;
    reconciled_at_ = RecvTime{};
  }
  if (event.kind() == EventKind::reconcile_mark &&
      event.as<ReconcileMark>().phase == ReconcilePhase::complete) {
    reconciled_at_ = event.now();
  }
  const OperatorAnswer& answer = boot_.core->last_operator();
  if (answer.seq == operator_seq_) return;
  operator_seq_ = answer.seq;
  const bool loosens =
      answer.action == OperatorAction::arm || answer.action == OperatorAction::resume;
  if (!loosens || answer.result != OperatorResult::accepted) return;
  modes_[key_of(answer.scope)] = answer.mode;
  latches_.erase(key_of(answer.scope));
  earlier_latches_.erase(key_of(answer.scope));
  armed_once_ = true;
  check_latches();
  const bool fresh = event.now() - reconciled_at_ <= boot_.core->setup().engine.reconcile_age_max;
  if (!fresh || gateway_ != GatewayState::ready) {
    fail("I15", "armed without a session that is ready and reconciled");
  }
  if (answer.mode != Mode::active && answer.mode != Mode::reduce) {
    fail("I15", "an accepted arm left the scope closed");
  }
}

// Nothing trades before an arm: by then the latches of the boots before are held.
void Checker::check_latches() {
  for (const auto& [key, mode] : earlier_latches_) {
    const Scope scope{static_cast<ScopeLevel>(key.first), static_cast<std::uint16_t>(key.second)};
    if (boot_.core->gate().modes().at(scope) >= std::min(mode, Mode::halt)) continue;
    fail("I15", "what an earlier boot latched is open and nobody armed it");
  }
}

// --- around a step
// --------------------------------------------------------------------------------

void Checker::before(const Event& event) {
  ++events_;
  fill_complete_ = event.kind() == EventKind::fill && fill_parts_.add(event);
  operator_complete_ = event.kind() == EventKind::operator_command && operator_parts_.add(event);
  OrderId id{};
  switch (event.kind()) {
    case EventKind::order_sent: id = event.as<OrderSent>().order; break;
    case EventKind::order_ack: id = event.as<OrderAck>().order; break;
    case EventKind::order_reject: id = event.as<OrderReject>().order; break;
    case EventKind::order_done: id = event.as<OrderDone>().order; break;
    case EventKind::order_lookup: id = event.as<OrderLookup>().order; break;
    default: break;
  }
  const Order* order = boot_.core->orders().find(id);
  OrderEvent what{};
  if (classify(event, order, venue_.exchange.now(), what)) coverage_.visit(order->state, what);
  if (!fill_complete_) return;
  const Fill& fill = fill_parts_.value();
  order = boot_.core->orders().find(fill.order);
  const bool again =
      !fill.trade.valid() || trades_.count(fill.trade) > 0;  // is of no order any more
  if (order == nullptr || again) return;
  const bool last = order->filled + fill.amount >= order->amount;
  coverage_.visit(order->state, last ? OrderEvent::fill_last : OrderEvent::fill_part);
}

void Checker::after(const Event& event, const Commands& out, std::uint64_t requests,
                    std::uint64_t allocations) {
  if (allocations > 0) { fail("I17", std::to_string(allocations) + " allocations in one step"); }
  if (out.refused() > 0) fail("I17", "a step had more commands than its list holds");
  learn_trades();
  note_market(event);
  note_modes(event, out);
  note_fill(event);
  note_reports(event);
  check_positions(event);
  check_session(event, out);
  note_commands(event, out);
  check_orders(event);
  if (!carried_.empty()) check_carried();
  std::uint64_t changes = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    changes += out[i].kind() == CommandKind::place || out[i].kind() == CommandKind::replace;
  }
  const std::uint64_t refused = boot_.core->gate().refused_total();
  if (requests != changes + (refused - refused_before_)) {
    fail("I19", std::to_string(requests) + " requests, " + std::to_string(changes) + " orders, " +
                    std::to_string(refused - refused_before_) + " coded denials");
  }
  refused_before_ = refused;
  const bool market = event.kind() == EventKind::book_delta ||
                      event.kind() == EventKind::book_reset || event.kind() == EventKind::ticker ||
                      event.kind() == EventKind::trade || event.kind() == EventKind::timer ||
                      event.kind() == EventKind::index_price;
  if ((!market || changes > 0) && !boot_.core->orders().consistent(boot_.names.size())) {
    fail("I4", "the order table's sums are wrong");
  }
}

void Checker::note_commands(const Event& event, const Commands& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Command& c = out[i];
    if (c.kind() == CommandKind::place) {
      note_placing(*c.place());
      check_decision(*c.place());
    } else if (c.kind() == CommandKind::replace) {
      note_change(event, *c.replace());
    } else if (c.kind() == CommandKind::cancel) {
      const auto at = orders_.find(c.cancel().order.value);
      if (at == orders_.end()) continue;
      note_asked(event, c.cancel().order, at->second.state, OrderEvent::ask_cancel);
    }
  }
  if (!wanted_.empty()) wanted_.clear();
}

// --- orders
// ---------------------------------------------------------------------------------------

// Whether the venue has it open, or may still take it.
bool Checker::may_live(std::string_view label) const {
  for (const sim::OrderNo n : venue_.exchange.orders_by_label(venue_.account, label)) {
    if (venue_.exchange.order(n)->state == sim::OrderState::open) return true;
  }
  bool coming = false;
  const std::int64_t now_ms = to_unix_ms(venue_.exchange.now());
  network_.each_request([&](const std::string& text) {
    if (ask_of(text) != Ask::place || member_text(text, "label") != label) return;
    coming = coming || member_integer(text, "valid_until") >= now_ms;
  });
  return coming;
}

void Checker::check_ended(OrderId id, const Note& note, OrderState state) {
  if (note.written && may_live(label_of(id))) {
    fail("I6", "order " + std::to_string(id.value) + " ended as " +
                   std::to_string(static_cast<int>(state)) + " while the venue may work it");
  }
}

void Checker::check_orders(const Event& event) {
  for (auto& [value, note] : orders_) {
    const Order* order = boot_.core->orders().find(OrderId{value});
    if (order == nullptr) continue;  // forgotten long after its end
    if (order->filled.nano != note.filled) {
      fail("I1", "order " + std::to_string(value) + " filled " +
                     std::to_string(order->filled.nano) + ", distinct trades say " +
                     std::to_string(note.filled));
    }
    if (note.filled > note.approved) {
      fail("I1", "order " + std::to_string(value) + " filled beyond its amount");
    }
    if (order->open()) check_worst(*order, note);
    if (order->state == note.state) continue;
    const OrderState was = std::exchange(note.state, order->state);
    if (order->state == OrderState::unknown && event.kind() != EventKind::order_reject) {
      coverage_.visit(was, OrderEvent::doubt);
    }
    if (!ended(was) && ended(order->state)) check_ended(order->id, note, order->state);
    if (ended(was) && !(was == OrderState::cancelled && order->state == OrderState::filled) &&
        !may_live(label_of(order->id))) {
      fail("I6", "order " + std::to_string(value) + " came back from its end");
    }
  }
}

}  // namespace gimbal::simtest
