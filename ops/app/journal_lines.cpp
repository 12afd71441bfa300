#include "ops/app/journal_lines.hpp"

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

namespace gimbal {
namespace {

std::string hex16(std::uint64_t value) {
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(value));
  return digits.data();
}

std::string_view action_text(OperatorAction a) {
  static constexpr std::array<std::string_view, 7> names{"kill", "arm",     "pause",       "resume",
                                                         "ack",  "flatten", "stop_flatten"};
  const auto i = static_cast<std::size_t>(a);
  return i < names.size() ? names[i] : "other";
}

std::string_view source_text(OperatorSource s) {
  static constexpr std::array<std::string_view, 6> names{"human",  "guardian", "monitor",
                                                         "signal", "sentinel", "stop_page"};
  const auto i = static_cast<std::size_t>(s);
  return i < names.size() ? names[i] : "other";
}

std::string_view mode_text(Mode m) {
  static constexpr std::array<std::string_view, 5> names{"active", "reduce", "halt", "cancel",
                                                         "lock"};
  const auto i = static_cast<std::size_t>(m);
  return i < names.size() ? names[i] : "other";
}

std::string_view gateway_text(GatewayState s) {
  static constexpr std::array<std::string_view, 4> names{"down", "connecting", "authenticated",
                                                         "ready"};
  const auto i = static_cast<std::size_t>(s);
  return i < names.size() ? names[i] : "other";
}

std::string_view sent_text(OrderAction a) {
  static constexpr std::array<std::string_view, 3> names{"place", "replace", "cancel"};
  const auto i = static_cast<std::size_t>(a);
  return i < names.size() ? names[i] : "other";
}

std::string_view outcome_text(LookupOutcome o) {
  static constexpr std::array<std::string_view, 6> names{"open",     "filled", "cancelled",
                                                         "rejected", "absent", "unproven"};
  const auto i = static_cast<std::size_t>(o);
  return i < names.size() ? names[i] : "other";
}

std::string scope_text(Scope s) {
  static constexpr std::array<std::string_view, 6> names{"global",   "venue",      "account",
                                                         "strategy", "underlying", "instrument"};
  const auto i = static_cast<std::size_t>(s.level);
  return std::string{i < names.size() ? names[i] : "other"} + ":" + std::to_string(s.id);
}

void operator_command(const OperatorCommand& c, FlatJson& json) {
  json.number("command", c.command_id).text("action", action_text(c.action));
  json.text("mode", mode_text(c.mode)).text("scope", scope_text(c.scope));
  json.text("source", source_text(c.source)).number("uid", c.uid).number("pid", c.pid);
}

void day_carry(const DayCarry& c, FlatJson& json) {
  static constexpr std::array<std::string_view, 5> names{"none", "day", "profit", "ratio",
                                                         "holding"};
  const auto i = static_cast<std::size_t>(c.item);
  json.text("item", i < names.size() ? names[i] : "other").number("subject", c.subject);
  json.number("group", c.group).raw("a", std::to_string(c.a)).raw("b", std::to_string(c.b));
  json.raw("c", std::to_string(c.c));
}

void order_carry(const OrderCarry& c, FlatJson& json) {
  json.text("order", hex16(c.order.value)).decimal("price", c.price.nano);
  json.decimal("qty", c.amount.nano).decimal("filled", c.filled.nano);
  json.text("side", c.side == Side::buy ? "buy" : "sell").number("confirmed", c.confirmed);
  if (c.new_amount.nano > 0) {
    json.decimal("new_price", c.new_price.nano).decimal("new_qty", c.new_amount.nano);
  }
  if (c.decision.nano > 0) json.decimal("decision", c.decision.nano);
}

void open_order(const OpenOrderReport& o, FlatJson& json) {
  json.text("order", hex16(o.order.value)).decimal("price", o.price.nano);
  json.decimal("qty", o.amount.nano).decimal("filled", o.filled.nano);
  json.text("side", o.side == Side::buy ? "buy" : "sell");
}

// Flat JSON text as written by FlatJson, back into keys and values (strings without their quotes).
std::vector<std::pair<std::string, std::string>> fields_of(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> out;
  std::size_t at = 1;
  const auto quoted = [&] {
    std::string text;
    for (++at; at < json.size() && json[at] != '"'; ++at) {
      if (json[at] == '\\' && at + 1 < json.size()) ++at;
      text += json[at];
    }
    ++at;
    return text;
  };
  while (at < json.size() && json[at] == '"') {
    std::string key = quoted();
    ++at;  // the colon
    std::string value;
    if (at < json.size() && json[at] == '"') {
      value = quoted();
    } else {
      while (at < json.size() && json[at] != ',' && json[at] != '}') value += json[at++];
    }
    out.emplace_back(std::move(key), std::move(value));
    ++at;  // comma or the end
  }
  return out;
}

std::string csv_cell(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

// What the lines of `gimbal decode` do not have: events that are not of a feed.
std::string JournalLines::details(const Event& event) {
  FlatJson json;
  switch (event.kind()) {
    case EventKind::boot: {
      const auto b = event.as<Boot>();
      json.number("epoch", b.epoch).text("build", hex16(b.build_hash));
      json.text("config", hex16(b.config_hash));
      break;
    }
    case EventKind::gateway_status: {
      const auto g = event.as<GatewayStatus>();
      json.text("state", gateway_text(g.state));
      json.raw("cancel_on_disconnect", g.cancel_on_disconnect != 0 ? "true" : "false");
      json.number("generation", g.generation).raw("code", std::to_string(g.venue_code));
      break;
    }
    case EventKind::timer: json.number("timer", event.as<TimerFired>().timer); break;
    case EventKind::operator_command:
      if (!operator_.add(event)) return {};
      operator_command(operator_.value(), json);
      break;
    case EventKind::open_order_report:
      if (!open_order_.add(event)) return {};
      open_order(open_order_.value(), json);
      break;
    case EventKind::order_carry:
      if (!order_carry_.add(event)) return {};
      order_carry(order_carry_.value(), json);
      break;
    case EventKind::config_change:
    case EventKind::side_block: {
      const auto b = event.as<SideBlockRef>();
      json.number("block", static_cast<std::uint64_t>(b.kind)).number("bytes", b.bytes);
      break;
    }
    case EventKind::venue_clock: {
      const auto c = event.as<VenueClock>();
      json.raw("offset_ns", std::to_string(c.offset_ns));
      json.raw("uncertainty_ns", std::to_string(c.uncertainty_ns));
      break;
    }
    case EventKind::reconcile_mark: {
      const auto m = event.as<ReconcileMark>();
      json.number("phase", static_cast<std::uint64_t>(m.phase)).number("orders", m.open_orders);
      json.number("positions", m.positions).number("trades", m.trades);
      break;
    }
    case EventKind::order_lookup: {
      const auto l = event.as<OrderLookup>();
      json.text("order", hex16(l.order.value)).text("reason", outcome_text(l.outcome));
      json.decimal("filled", l.filled.nano).decimal("price", l.price.nano);
      break;
    }
    case EventKind::order_sent: {
      const auto s = event.as<OrderSent>();
      json.text("order", hex16(s.order.value)).text("action", sent_text(s.action));
      if (s.amount.nano > 0) {
        json.decimal("price", s.price.nano).decimal("qty", s.amount.nano);
        json.raw("valid_until_ms", std::to_string(to_unix_ms(event.exch)));
      }
      break;
    }
    case EventKind::day_carry: day_carry(event.as<DayCarry>(), json); break;
    default: break;
  }
  return json.done();
}

std::string JournalLines::event(const Event& e) {
  const std::string more = details(e);
  const std::string line = lines_.line(e);
  if (more.empty() || line.empty()) return {};
  FlatJson head;
  head.number("seq", e.seq().value).raw("recv_ns", std::to_string(e.recv.mono_ns));
  head.raw("exch_ns", std::to_string(e.exch.unix_ns)).number("queue_ns", e.queue_ns);
  std::string out = head.done();
  const auto join = [&out](const std::string& object) {
    if (object.size() <= 2) return;
    out.back() = ',';
    out += object.substr(1);
  };
  join(line);
  join(more);
  return out;
}

std::string JournalLines::json(const JournalRecord& record) {
  FlatJson json;
  switch (record.type) {
    case RecordType::event: return event(record.event);
    case RecordType::side_block:
      json.text("record", "side_block")
          .number("block", static_cast<std::uint64_t>(record.block.kind));
      json.number("slot", record.block.slot).number("generation", record.block.generation);
      return json.number("bytes", record.bytes.size()).done();
    case RecordType::digest:
      json.text("record", "digest").number("seq", record.digest.seq);
      return json.text("digest", hex16(record.digest.digest))
          .number("commands", record.digest.commands)
          .done();
    case RecordType::gap:
      json.text("record", "gap").number("seq", record.gap.first_seq);
      return json.number("records", record.gap.records).done();
    default: return {};
  }
}

std::string JournalLines::to_csv(const std::string& line) {
  static constexpr std::array<std::string_view, 14> columns{
      "seq",   "recv_ns", "exch_ns", "queue_ns", "event",  "instrument", "side",
      "price", "qty",     "order",   "trade",    "filled", "fee",        "reason"};
  std::array<std::string, columns.size()> cells{};
  FlatJson rest;
  for (const auto& [key, value] : fields_of(line)) {
    std::size_t column = 0;
    const std::string_view name = key == "record" ? std::string_view{"event"} : key;
    while (column < columns.size() && columns[column] != name) ++column;
    if (column < columns.size()) {
      cells[column] = value == "null" ? std::string{} : value;
    } else {
      rest.text(key, value);
    }
  }
  std::string row;
  for (const std::string& cell : cells) row += csv_cell(cell) + ",";
  return row + csv_cell(rest.done());
}

std::string frame_line(const JournalRecord& record) {
  static constexpr std::array<std::string_view, 12> kinds{
      "none",   "text_in", "text_out", "opened",    "ended", "timer",
      "resync", "listed",  "retired",  "conflated", "named", "terms"};
  FlatJson json;
  if (record.type == RecordType::gap) {
    return json.text("record", "gap").number("records", record.gap.records).done();
  }
  if (record.type != RecordType::frame) return {};
  const FrameRecord& f = record.frame;
  const auto kind = static_cast<std::size_t>(f.kind);
  json.raw("recv_ns", std::to_string(f.recv_mono_ns)).number("seq", f.seq).number("slot", f.slot);
  json.text("kind", kind < kinds.size() ? kinds[kind] : "other");
  const bool of_one = f.kind >= FrameKind::resync && f.kind <= FrameKind::retired;
  const bool names_one = f.kind == FrameKind::named && !record.bytes.empty();
  if (of_one || names_one || f.kind == FrameKind::terms) json.number("instrument", f.detail);
  if ((f.flags & frame_flag::redacted) != 0) json.raw("redacted", "true");
  if (f.kind == FrameKind::text_in || f.kind == FrameKind::text_out || names_one) {
    json.text("text", {reinterpret_cast<const char*>(record.bytes.data()), record.bytes.size()});
  }
  return json.done();
}

}  // namespace gimbal
