// Rows -> events: see reports.hpp.
#include "venues/deribit/reports.hpp"

#include "venues/deribit/labels.hpp"

namespace gimbal::deribit {

namespace {

template <class Payload>
Reported put(const ReportContext& c, EventKind kind, InstrumentId instrument, ExchTime at,
             const Payload& payload) noexcept {
  Event* out = c.batch->extend(parts_of<Payload>);
  if (out == nullptr) return Reported::full;
  Event head;
  head.set_kind(kind);
  head.add_flag(c.flags);
  head.venue = c.venue;
  head.instrument = instrument;
  head.recv = c.now;
  head.exch = at;
  write_parts(head, payload, out);
  return Reported::pushed;
}

Reported missing(std::string_view instrument) noexcept {
  return is_combo_name(instrument) ? Reported::combo : Reported::unknown_instrument;
}

Reported report_done(const ReportContext& c, const OrderRow& row, InstrumentId id) noexcept {
  OrderDone done;
  done.order = owner(c, row.label);
  done.filled = row.filled;
  done.reason = done_reason(row);
  return put(c, EventKind::order_done, id, row.updated, done);
}

}  // namespace

DoneReason done_reason(const OrderRow& row) noexcept {
  if (row.state == OrderState::filled) return DoneReason::filled;
  if (row.cancel_reason == "cancel_on_disconnect") return DoneReason::cancelled_on_disconnect;
  if (row.cancel_reason.empty() || row.cancel_reason == "user_request") {
    return row.immediate ? DoneReason::ioc_remainder : DoneReason::cancelled_by_us;
  }
  return DoneReason::cancelled_by_venue;
}

bool is_combo_name(std::string_view instrument) noexcept {
  const std::size_t dash = instrument.find('-');
  if (dash == std::string_view::npos || dash + 1 >= instrument.size()) return false;
  const std::string_view rest = instrument.substr(dash + 1);
  const char first = rest.front();
  return first >= 'A' && first <= 'Z' && rest.find('-') != std::string_view::npos;
}

OrderId owner(const ReportContext& context, std::string_view label) noexcept {
  return parse_label(context.label_tag, label).order;
}

Reported report_ack(const ReportContext& c, const OrderRow& row) noexcept {
  const InstrumentId id = c.find(row.instrument);
  if (!id.valid()) return missing(row.instrument);
  OrderAck ack;
  ack.order = owner(c, row.label);
  ack.price = row.price;
  ack.amount = row.amount;
  ack.filled = row.filled;
  return put(c, EventKind::order_ack, id, row.updated, ack);
}

Reported report_state(const ReportContext& c, const OrderRow& row, OrderAction action) noexcept {
  const InstrumentId id = c.find(row.instrument);
  if (!id.valid()) return missing(row.instrument);
  switch (row.state) {
    case OrderState::open:
    case OrderState::untriggered: return report_ack(c, row);
    case OrderState::filled:
    case OrderState::cancelled: return report_done(c, row, id);
    case OrderState::rejected:
    case OrderState::unknown: break;
  }
  OrderReject reject;
  reject.order = owner(c, row.label);
  reject.reason = row.state == OrderState::rejected ? RejectReason::venue : RejectReason::unclear;
  reject.action = action;
  return put(c, EventKind::order_reject, id, row.updated, reject);
}

Reported report_fill(const ReportContext& c, const UserTradeRow& row) noexcept {
  const bool net_row = !row.combo_trade_id.empty() && row.combo_trade_id == row.trade_id;
  const bool own_name = !row.combo_id.empty() && row.combo_id == row.instrument;
  if (net_row || own_name) return Reported::combo;
  const InstrumentId id = c.find(row.instrument);
  if (!id.valid()) return missing(row.instrument);
  Fill fill = row.fill;
  fill.order = owner(c, row.label);
  fill.trade = trade_id(row.trade_id);
  return put(c, EventKind::fill, id, row.time, fill);
}

Reported report_trade(const ReportContext& c, const UserTradeRow& row) noexcept {
  const Reported placed = report_fill(c, row);
  if (placed != Reported::combo && placed != Reported::unknown_instrument) return placed;
  Fill fill = row.fill;
  fill.trade = trade_id(row.trade_id);
  // A spot trade ("BTC_USDC") moves two currencies, whichever its fee is of.
  if (row.instrument.find('-') == std::string_view::npos) fill.fee_currency = {};
  const Reported told = put(c, EventKind::fill, {}, row.time, fill);
  return told == Reported::full ? told : placed;
}

Reported report_position(const ReportContext& c, const PositionRow& row) noexcept {
  const InstrumentId id = c.find(row.instrument);
  if (!id.valid()) return missing(row.instrument);
  return put(c, EventKind::position_report, id, {}, row.report);
}

Reported report_margin(const ReportContext& c, const MarginRow& row) noexcept {
  ReportContext told = c;
  told.flags = static_cast<std::uint8_t>(c.flags | flag_of(row.model));
  return put(told, EventKind::margin_report, {}, {}, row.report);
}

Reported report_open_order(const ReportContext& c, const OrderRow& row) noexcept {
  const InstrumentId id = c.find(row.instrument);
  if (!id.valid()) return missing(row.instrument);
  OpenOrderReport report;
  report.order = owner(c, row.label);
  report.label_hash = parse_label(c.label_tag, row.label).config_hash;
  report.price = row.price;
  report.amount = row.amount;
  report.filled = row.filled;
  report.venue_ref = text_hash(row.order_id);
  report.created = row.created;
  report.side = row.side;
  report.reduce_only = row.reduce_only ? 1 : 0;
  report.post_only = row.post_only ? 1 : 0;
  return put(c, EventKind::open_order_report, id, row.updated, report);
}

}  // namespace gimbal::deribit
