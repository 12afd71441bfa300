// Fills and positions against the venue's own rows. See checker.hpp.
#include "tests/simtest/checker.hpp"

#include <algorithm>

#include "tests/simtest/setup.hpp"

namespace gimbal::simtest {

void Checker::learn_trades() {
  const std::size_t rows = venue_.exchange.user_trade_count();
  for (; truth_rows_ < rows; ++truth_rows_) {
    const sim::UserTrade& t = venue_.exchange.user_trade(truth_rows_);
    if (t.account == venue_.account) {
      truth_[trade_id(std::to_string(t.trade.number))] = truth_rows_;
    }
  }
}

void Checker::check_against_trade(const Fill& fill, InstrumentId id) {
  const auto at = truth_.find(fill.trade);
  if (at == truth_.end()) return fail("I1", "a fill of a trade that the venue never made");
  const sim::UserTrade& t = venue_.exchange.user_trade(at->second);
  if (t.trade.instrument != boot_.index_of[id.value] || t.trade.amount != fill.amount ||
      t.side != fill.side || t.trade.price != fill.price) {
    fail("I1", "trade " + std::to_string(t.trade.number) + " was changed on its way");
  }
  const bool venue_made = venue_.exchange.order(t.order)->liquidation;
  if (venue_made != (fill.kind != FillKind::normal) || (venue_made && fill.order.valid())) {
    fail("I1", "trade " + std::to_string(t.trade.number) +
                   (venue_made ? " was made by the venue and told as one of an order"
                               : " of an order was told as one that the venue made"));
  }
  if (t.fee != fill.fee) {
    fail("I20", "trade " + std::to_string(t.trade.number) + ": fee " +
                    std::to_string(fill.fee.nano) + ", venue charged " +
                    std::to_string(t.fee.nano));
  }
}

void Checker::note_fill(const Event& event) {
  if (!fill_complete_) return;
  const Fill& fill = fill_parts_.value();
  if (!fill.trade.valid() || event.instrument.value >= position_.size()) return;
  if (!trades_.insert(fill.trade).second) return;
  ++fills_;
  check_against_trade(fill, event.instrument);
  position_[event.instrument.value] += signed_qty(fill.side, fill.amount).nano;
  const auto order = orders_.find(fill.order.value);
  if (order != orders_.end()) order->second.filled += fill.amount.nano;
}

void Checker::note_reports(const Event& event) {
  if (event.kind() == EventKind::reconcile_mark &&
      event.as<ReconcileMark>().phase == ReconcilePhase::begin) {
    reported_.assign(reported_.size(), 0);
  }
  if (event.kind() == EventKind::position_report && event.instrument.value < reported_.size()) {
    reported_[event.instrument.value] = event.as<PositionReport>().amount.nano;
  }
}

// A position moves by distinct fills, or to what a complete picture of the venue says.
void Checker::check_positions(const Event& event) {
  const bool picture = event.kind() == EventKind::reconcile_mark &&
                       event.as<ReconcileMark>().phase == ReconcilePhase::complete;
  for (std::size_t i = 0; i < position_.size(); ++i) {
    const std::int64_t held =
        boot_.core->portfolio().position(InstrumentId{static_cast<std::uint16_t>(i)}).nano;
    if (held == position_[i]) continue;
    const bool ends = event.kind() == EventKind::instrument_change && event.instrument.value == i &&
                      event.as<InstrumentChange>().change == InstrumentChangeKind::settle;
    // What has ended holds nothing, whatever an older picture says.
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    const bool over = boot_.core->instruments()[id].state == InstrumentState::settled;
    const std::int64_t theirs = over ? 0 : reported_[i];
    if ((picture && held == theirs) || (ends && held == 0)) {
      position_[i] = held;
      continue;
    }
    fail("I2", boot_.names[i] + ": position " + std::to_string(held) + ", fills say " +
                   std::to_string(position_[i]));
    position_[i] = held;
  }
}

// Profits are made of the position that the account has: of no fill besides, and of none twice.
void Checker::check_profits() {
  for (std::size_t i = 0; i < boot_.names.size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    std::int64_t held = 0;
    for (std::size_t owner = 0; owner < ProfitLedger::owners_max; ++owner) {
      held += boot_.core->profits().held(id, owner).nano;
    }
    const std::int64_t position = boot_.core->portfolio().position(id).nano;
    if (held == position) continue;
    fail("I20", boot_.names[i] + ": profits are of " + std::to_string(held) + ", the position is " +
                    std::to_string(position));
  }
}

// Trades whose cash the venue gave back: the fee, and of an option what was paid for it.
std::uint64_t Checker::cash_back() const {
  const auto moved = [&](const auto& one) {
    const sim::UserTrade& t = venue_.exchange.user_trade(one.second);
    const bool option = is_option(venue_.exchange.instruments()[t.trade.instrument].def.kind);
    return t.voided && (option || t.fee.nano != 0);
  };
  return static_cast<std::uint64_t>(std::count_if(truth_.begin(), truth_.end(), moved));
}

std::string Checker::untold_trade() const {
  for (const auto& [id, row] : truth_) {
    const sim::UserTrade& t = venue_.exchange.user_trade(row);
    if (row < boot_row_ || trades_.count(id) > 0 || t.voided) continue;
    return "trade " + std::to_string(t.trade.number) + " of this boot never reached the core";
  }
  return {};
}

void Checker::settle_accounts() {
  learn_trades();
  if (const std::string untold = untold_trade(); !untold.empty()) {
    return fail("I20", untold + ": its fee and cash are missing");
  }
  check_profits();
  const sim::Ledger l = venue_.exchange.ledger(currency("BTC"));
  if (l.deposits != l.accounts + l.fees + l.insurance + l.rounding) {
    fail("I20", "the venue's own ledger does not balance");
  }
  // What the venue gave back moved no cash of the core: that is a difference, once each, and
  // nothing else is but what a delivery paid at no settlement time. Before this boot it was in the
  // balance that the core began with.
  const std::uint64_t ends = venue_.held_ends() - ends_before_;
  if (boot_.core->counters().cash_alarms > cash_back() - back_before_ + ends) {
    fail("I20", "the cash of the core and the venue's balance differed");
  }
}

std::string Checker::unrest() const {
  const EngineCore& core = *boot_.core;
  if (gateway_ != GatewayState::ready) return "the private session is not ready";
  if (!core.venue_ready(VenueId{0})) return "the venue is not reconciled";
  if (core.orders().unknown_count() > 0) return "an order is in doubt";
  if (core.orders().owed_count() > 0) return "an ended order still owes a fill";
  for (std::size_t i = 0; i < boot_.names.size(); ++i) {
    const InstrumentId id{static_cast<std::uint16_t>(i)};
    const std::int64_t theirs = venue_.exchange.held(venue_.account, boot_.index_of[i]).nano;
    const std::int64_t held = core.portfolio().position(id).nano;
    if (held != theirs) {
      return boot_.names[i] + ": position " + std::to_string(held) + ", venue " +
             std::to_string(theirs);
    }
    if (!venue_.exchange.instruments()[boot_.index_of[i]].active) {
      if (core.instruments()[id].state != InstrumentState::open) continue;
      return boot_.names[i] + ": has ended and is open here";
    }
    if (core.book(id) == nullptr || !core.book(id)->view()) {
      return boot_.names[i] + ": no valid book";
    }
  }
  for (const auto& [value, note] : orders_) {
    const Order* order = core.orders().find(OrderId{value});
    const bool believed = order != nullptr && order->open();
    if (!note.written || believed == may_live(label_of(OrderId{value}))) continue;
    return "order " + std::to_string(value) + (believed ? " believed open" : " open at the venue");
  }
  return untold_trade();
}

}  // namespace gimbal::simtest
