#include "tests/simtest/story.hpp"

#include <array>
#include <string_view>
#include <utility>

#include "engine/core/payload.hpp"

namespace gimbal::simtest {
namespace {

std::string n(std::int64_t value) { return ' ' + std::to_string(value); }
std::string n(std::uint64_t value) { return ' ' + std::to_string(value); }
template <class E>
std::string code(E value) {
  return ' ' + std::to_string(static_cast<int>(value));
}

std::string words(const Event& e) {
  switch (e.kind()) {
    case EventKind::order_ack: {
      const auto a = e.as<OrderAck>();
      return "ack order" + n(a.order.value) + " amount" + n(a.amount.nano) + " filled" +
             n(a.filled.nano);
    }
    case EventKind::order_reject: {
      const auto r = e.as<OrderReject>();
      return "reject order" + n(r.order.value) + " reason" + code(r.reason) + " action" +
             code(r.action) + " code" + n(std::int64_t{r.venue_code});
    }
    case EventKind::order_done: {
      const auto d = e.as<OrderDone>();
      return "done order" + n(d.order.value) + " filled" + n(d.filled.nano) + " reason" +
             code(d.reason);
    }
    case EventKind::order_sent: return "sent order" + n(e.as<OrderSent>().order.value);
    case EventKind::order_lookup: {
      const auto l = e.as<OrderLookup>();
      return "lookup order" + n(l.order.value) + " outcome" + code(l.outcome) + " filled" +
             n(l.filled.nano);
    }
    case EventKind::fill:
      return "fill part" + n(std::int64_t{e.part_index()}) +
             (e.part_index() == 1 ? " order" + n(e.as<std::array<std::uint64_t, 4>>()[0]) : "");
    case EventKind::feed_status: {
      const auto f = e.as<FeedStatus>();
      return "feed instrument" + n(std::int64_t{e.instrument.value}) + " state" + code(f.state) +
             " reason" + code(f.reason);
    }
    case EventKind::gateway_status:
      return "gateway" + code(e.as<GatewayStatus>().state) + " code" +
             n(std::int64_t{e.as<GatewayStatus>().venue_code});
    case EventKind::reconcile_mark: return "reconcile" + code(e.as<ReconcileMark>().phase);
    case EventKind::position_report:
      return "position instrument" + n(std::int64_t{e.instrument.value}) +
             n(e.as<PositionReport>().amount.nano);
    case EventKind::operator_command: return "operator part" + n(std::int64_t{e.part_index()});
    case EventKind::open_order_report:
      return "open order part" + n(std::int64_t{e.part_index()}) +
             n(e.as<std::array<std::uint64_t, 4>>()[0]);
    case EventKind::venue_clock: return "venue clock";
    case EventKind::instrument_change:
      return "change instrument" + n(std::int64_t{e.instrument.value}) +
             code(e.as<InstrumentChange>().change);
    case EventKind::boot: return "boot";
    default: return {};
  }
}

}  // namespace

void Story::add(RecvTime at, std::string line) {
  if (lines_ == 0) return;
  kept_.push_back(std::to_string(at.mono_ns / 1'000'000) + " ms  " + std::move(line));
  if (kept_.size() > lines_) kept_.pop_front();
}

void Story::event(const Event& e) {
  if (lines_ == 0) return;
  if (std::string line = words(e); !line.empty()) {
    add(e.now(), std::to_string(e.seq().value) + ' ' + line);
  }
}

void Story::command(RecvTime at, const Command& c) {
  if (lines_ == 0) return;
  switch (c.kind()) {
    case CommandKind::reconcile: return add(at, "  -> reconcile");
    case CommandKind::query_order:
      return add(at, "  -> look up order" + n(c.query_order().order.value));
    case CommandKind::resync:
      return add(at, "  -> resync" + n(std::int64_t{c.resync().instrument.value}));
    case CommandKind::raise:
      return add(at, "  -> trip" + code(c.raise().code) + " mode" + code(c.raise().mode) +
                         " scope" + code(c.raise().scope.level) +
                         n(std::int64_t{c.raise().scope.id}));
    default: return;
  }
}

std::string Story::text() const {
  std::string text;
  for (const std::string& line : kept_) text += line + '\n';
  return text;
}

}  // namespace gimbal::simtest
