#include "ops/app/order_story.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/core/risk/gate.hpp"
#include "engine/runtime/trace.hpp"
#include "feeds/decimal.hpp"
#include "ops/app/gate_numbers.hpp"
#include "ops/app/journal_lines.hpp"
#include "ops/app/json_writer.hpp"
#include "ops/app/session_setup.hpp"
#include "ops/app/vol_models.hpp"

namespace gimbal {
namespace {

constexpr std::size_t led_to_it_max = 6;  // events shown before the decision

std::string decimal(std::int64_t nano) {
  if (nano == absent_nano) return "none";
  std::array<char, decimal_text_max> digits{};
  return {digits.data(), write_nano(nano, digits)};
}

std::string price_or_none(Price p) { return p.nano == 0 ? "none" : decimal(p.nano); }

const char* state_text(OrderState s) {
  static constexpr std::array<const char*, order_states> names{
      "sent", "working", "replacing", "cancelling", "unknown", "filled", "cancelled", "rejected"};
  return names[static_cast<std::size_t>(s)];
}

// The venue's own id names the order from its first answer on: the member of the object that has
// the label, one text may speak of several orders. Empty: there is none.
std::string order_id_beside(std::string_view text, std::string_view label) {
  static constexpr std::string_view key = "\"order_id\":\"";
  const std::size_t named = text.find(label);
  if (named == std::string_view::npos) return {};
  const std::size_t open = text.rfind('{', named);
  const std::size_t close = text.find('}', named);
  const std::size_t at = text.find(key, open == std::string_view::npos ? 0 : open);
  if (at == std::string_view::npos || at >= close) return {};
  const std::size_t end = text.find('"', at + key.size());
  if (end == std::string_view::npos) return {};
  return std::string{text.substr(at, end + 1 - at)};
}

// The order an event of the private stream is about; invalid for the rest.
OrderId order_of(const Event& e) {
  switch (e.kind()) {
    case EventKind::order_ack: return e.as<OrderAck>().order;
    case EventKind::order_reject: return e.as<OrderReject>().order;
    case EventKind::order_done: return e.as<OrderDone>().order;
    case EventKind::order_sent: return e.as<OrderSent>().order;
    case EventKind::order_lookup: return e.as<OrderLookup>().order;
    case EventKind::fill:
    case EventKind::open_order_report: {
      OrderId id;  // the first member of both
      if (e.part_index() == 1) std::memcpy(&id, e.payload, sizeof id);
      return id;
    }
    default: return {};
  }
}

}  // namespace

OrderStory::OrderStory(JournalOrigin& origin, CoreReplay& core, OrderId order)
    : origin_{origin}, core_{core}, id_{order} {
  core_.on_step([this](const Event& e, const Commands& c) { step(e, c); });
  wire_keys_.push_back(fmt::format("-{:016x}-", order.value));
}

bool OrderStory::concerns(const Event& event) const {
  const Event& first = recent_[(recent_count_ - event.part_index()) % recent_.size()];
  return order_of(first) == id_;
}

// The line of the unit whose last part is `last`; its other parts are the newest kept events.
std::string OrderStory::unit_line(const Event& last) const {
  JournalLines lines{origin_.universe.symbols()};
  JournalRecord record;
  record.type = RecordType::event;
  std::string out;
  for (std::size_t back = last.part_count(); back > 0; --back) {
    record.event = recent_[(recent_count_ - back) % recent_.size()];
    out = lines.json(record);
  }
  return out;
}

void OrderStory::step(const Event& event, const Commands& commands) {
  recent_[recent_count_++ % recent_.size()] = event;
  if (event.kind() == EventKind::side_block) {
    const auto ref = event.as<SideBlockRef>();
    if (ref.kind == SideBlockKind::instrument) learn_names(core_.block(ref), origin_);
  }
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Command& c = commands[i];
    if (c.kind() == CommandKind::place && c.place()->order == id_) decided(event, *c.place());
  }
  if (found_ && event.last_part() && concerns(event)) {
    after_.push_back({event.now().mono_ns, event.seq().value, unit_line(event)});
    keep_last_gate(event);
  }
  keep_traces(event.seq().value);
  if (found_) keep_gap();
}

void OrderStory::decided(const Event& event, const PlaceOrder& order) {
  found_ = true;
  order_ = order;
  decided_ns_ = core_.engine().core().now().mono_ns;
  decided_seq_ = event.seq().value;
  if (const Order* kept = core_.engine().core().orders().find(id_)) {
    decision_ = kept->decision;
    decision_price_ = kept->decision_price;
  }
  JournalLines lines{origin_.universe.symbols()};
  JournalRecord record;
  record.type = RecordType::event;
  const std::size_t have = std::min(recent_count_, recent_.size());
  for (std::size_t i = recent_count_ - have; i < recent_count_; ++i) {
    record.event = recent_[i % recent_.size()];
    std::string line = lines.json(record);
    if (line.empty()) continue;
    before_.push_back({record.event.now().mono_ns, record.event.seq().value, std::move(line)});
  }
  if (before_.size() > led_to_it_max) {
    before_.erase(before_.begin(), before_.end() - led_to_it_max);
  }
  keep_view(order);
  keep_gates(order);
}

// Of the decision's own step everything, later what names the order.
void OrderStory::keep_traces(std::uint64_t seq) {
  TraceRecord r;
  while (core_.trace().take(r)) {
    if (!found_) continue;
    const bool ours = r.a == static_cast<std::int64_t>(id_.value);
    if (seq == decided_seq_ && (ours || r.strategy == id_.strategy())) {
      traces_.push_back({r.at.mono_ns, r.seq, to_json(r)});
    } else if (ours && r.id == TraceId::order_state) {
      after_.push_back(
          {r.at.mono_ns, r.seq,
           fmt::format(R"({{"state":"{}","was":"{}"}})", state_text(static_cast<OrderState>(r.c)),
                       state_text(static_cast<OrderState>(r.b)))});
      end_state_ = state_text(static_cast<OrderState>(r.c));
    }
    if (r.id == TraceId::hedge_decided && seq == decided_seq_) {
      saw("residual delta", decimal(r.a) + " coins");
      saw("half band", decimal(r.b) + " coins");
    }
    if (r.id == TraceId::liquidation_decided && seq == decided_seq_) {
      saw("margin health", decimal(r.a));
      saw("distance to liquidation", decimal(r.b) + " sigma");
    }
  }
}

void OrderStory::keep_view(const PlaceOrder& order) {
  const StrategyView view = core_.engine().core().view();
  const Instrument& i = view.instruments()[order.instrument];
  saw("book", fmt::format("{} x {} / {} x {}", decimal(decision_.book.bid.nano),
                          decimal(decision_.book.bid_amount.nano), decimal(decision_.book.ask.nano),
                          decimal(decision_.book.ask_amount.nano)));
  saw("decision price", price_or_none(decision_price_));
  saw("theoretical price", price_or_none(decision_.theoretical));
  saw("mark", price_or_none(view.mark(order.instrument).value_or(Price{})));
  saw("index", price_or_none(view.index(i.underlying).value_or(Price{})));
  saw("data age",
      fmt::format("{:.3f} ms", static_cast<double>(view.data_age(order.instrument).count) * 1e-6));
  saw("position", decimal(view.position(order.instrument).nano));
  const RiskNumbers risk = view.risk(i.underlying);
  saw("book delta", fmt::format("{:+.6f} coins", risk.delta_net.value));
  saw("book gamma", fmt::format("{:+.9f}", risk.gamma.value));
  saw("book vega", fmt::format("{:+.3f}", risk.vega.value));
  saw("options priced by", models_text(decision_.models));
  if (risk.surface_at != RecvTime{}) {
    saw("surface age",
        fmt::format("{:.3f} s", static_cast<double>((view.now() - risk.surface_at).count) * 1e-9));
    saw("sticky delta", fmt::format("{:+.6f} coins from Black's", risk.sticky_delta_shift));
    saw("minimum variance", fmt::format("{:+.6f} coins from Black's", risk.minimum_variance_shift));
  }
}

void OrderStory::keep_gates(const PlaceOrder& order) {
  const JudgedOrder& judged = core_.engine().core().last_judged();
  if (judged.order.order != order.order) return;
  const RiskLimits& limits = core_.engine().core().gate().limits();
  const OrderFacts facts = judged.facts();
  std::array<CheckVerdict, pure_checks_max> verdicts{};
  const std::size_t n = pure_verdicts(facts, judged.context, limits, verdicts);
  for (std::size_t k = 0; k < n; ++k) {
    const std::string name{verdicts[k].check};
    gates_.push_back({name, verdicts[k].answer.reason == Refusal::none,
                      numbers_of(name, facts, judged.context, limits)});
  }
  gates_.push_back({"PriceDrift", true,
                    fmt::format("for the worse by {} bp at most in {} s", limits.price_drift_bps,
                                limits.price_drift_window.count / 1'000'000'000)});
  gates_.push_back({"SelfMatch", !judged.context.self_match, "against our own resting orders"});
  gates_.push_back({"Duplicate", true, fmt::format("intent {:x}", judged.context.intent)});
  gates_.push_back(
      {"OrderRate", true,
       fmt::format("{} a second, burst {}, {} kept for cancels", limits.order_rate_per_s,
                   limits.order_burst, limits.cancel_reserve)});
}

// What stands between the core and the wire says of the placing: the last gate, the guardian's
// list, the venue's rate, the connection, the gateway's own look at tick and lot.
void OrderStory::keep_last_gate(const Event& event) {
  if (event.kind() == EventKind::order_sent) {
    const auto sent = event.as<OrderSent>();
    if (sent.action == OrderAction::place) gates_.push_back({"LastGate", true, "its bytes left"});
    return;
  }
  if (event.kind() != EventKind::order_reject) return;
  const auto reject = event.as<OrderReject>();
  if (reject.action != OrderAction::place) return;
  switch (reject.reason) {
    case RejectReason::last_gate:
      return gates_.push_back({"LastGate", false, "closed, or the approval was void"});
    case RejectReason::local_rate:
      return gates_.push_back({"VenueRate", false, "the venue's rate was used up"});
    case RejectReason::not_connected:
      return gates_.push_back({"Connection", false, "the order session was not ready"});
    case RejectReason::venue:
      if (reject.venue_code == 0) gates_.push_back({"Encoding", false, "off tick or lot"});
      return;
    default: return;
  }
}

void OrderStory::keep_gap() {
  const ExecutionGaps& gaps = core_.engine().core().gaps();
  for (; gap_fills_seen_ < gaps.fills(); ++gap_fills_seen_) {
    if (gaps.fill(gap_fills_seen_).order != id_) continue;
    fills_.push_back(gap_fills_seen_);
    gaps_.emplace_back();
  }
  for (std::size_t k = 0; k < fills_.size(); ++k) {
    if (gaps.fills() - fills_[k] <= gap_fills_kept) gaps_[k] = gaps.fill(fills_[k]);
  }
}

void OrderStory::frame(const FrameRecord& frame, std::string_view text) {
  if (frame.kind != FrameKind::text_in && frame.kind != FrameKind::text_out) return;
  if (frame.slot != order_slot) return;
  const bool ours = std::any_of(wire_keys_.begin(), wire_keys_.end(), [&](const std::string& key) {
    return text.find(key) != std::string_view::npos;
  });
  if (!ours) return;
  wires_.push_back({frame.recv_mono_ns, frame.kind == FrameKind::text_out, std::string{text}});
  if (wire_keys_.size() > 1) return;
  const std::string key = order_id_beside(text, wire_keys_[0]);
  if (!key.empty()) wire_keys_.push_back(key);
}

std::string OrderStory::since(std::int64_t at_ns) const {
  return fmt::format("{:+12.1f} us", static_cast<double>(at_ns - decided_ns_) * 1e-3);
}

std::string OrderStory::head_text() const {
  const std::size_t strategy = id_.strategy().value;
  return fmt::format(
      "order {:016x}: {} {} {} at {}, {}{}, by {}", id_.value,
      order_.side == Side::buy ? "buy" : "sell", decimal(order_.amount.nano),
      origin_.universe.symbols().name(order_.instrument), decimal(order_.price.nano),
      order_.tif == TimeInForce::immediate_or_cancel ? "immediate or cancel" : "good til cancelled",
      (order_.flags & order_flag::post_only) != 0 ? ", post only" : "",
      strategy < Strategies::names.size() ? Strategies::names[strategy]
                                          : std::string_view{"unknown"});
}

std::string OrderStory::gap_text() const {
  std::string out;
  for (const FillGap& g : gaps_) {
    out += fmt::format(
        "  filled {} at {}: decision {}, arrival {}, theoretical {}\n"
        "    shortfall {:+.4f} USD ({:+.4f} until it left), against theory {:+.4f}, fees {:+.4f}\n",
        decimal(g.amount.nano), decimal(g.price.nano), price_or_none(g.decision),
        price_or_none(g.arrival), price_or_none(g.theoretical), to_double(g.shortfall_usd),
        to_double(g.delay_usd), to_double(g.theory_usd), to_double(g.fee_usd));
    out += fmt::format("    1 s later {} ({:+.4f} USD), 60 s later {} ({:+.4f} USD)\n",
                       price_or_none(g.mark[0]), to_double(g.after_usd[0]),
                       price_or_none(g.mark[1]), to_double(g.after_usd[1]));
  }
  return out.empty() ? "  no fill\n" : out;
}

std::string OrderStory::text() const {
  std::string out = head_text() + fmt::format("\nended as {}\n\nwhat led to it\n", end_state_);
  for (const Line& l : before_) out += fmt::format("  {}  {}\n", since(l.at_ns), l.what);
  out += fmt::format("\ndecided at sequence {}; what the strategy saw\n", decided_seq_);
  for (const auto& [name, value] : seen_) out += fmt::format("  {:<18} {}\n", name, value);
  out += "\nits reasons\n";
  for (const Line& l : traces_) out += fmt::format("  {}  {}\n", since(l.at_ns), l.what);
  out += "\nthe gate\n";
  for (const Gate& g : gates_) {
    out += fmt::format("  {:<7} {:<16} {}\n", g.passed ? "passed" : "REFUSED", g.check, g.numbers);
  }
  out += "\non the wire\n";
  for (const Wire& w : wires_) {
    out += fmt::format("  {}  {} {}\n", since(w.at_ns), w.out ? "out" : "in ", w.text);
  }
  if (wires_.empty()) out += "  no frames are kept\n";
  out += "\nanswers and states\n";
  for (const Line& l : after_) out += fmt::format("  {}  {}\n", since(l.at_ns), l.what);
  return out + "\nexecution gap\n" + gap_text();
}

std::string OrderStory::gap_json() const {
  JsonWriter w;
  w.begin_array();
  for (const FillGap& g : gaps_) {
    w.begin_object().decimal("price", g.price.nano).decimal("amount", g.amount.nano);
    w.decimal("decision", g.decision.nano).decimal("arrival", g.arrival.nano);
    w.decimal("theoretical", g.theoretical.nano).decimal("shortfall_usd", g.shortfall_usd.nano);
    w.decimal("delay_usd", g.delay_usd.nano).decimal("theory_usd", g.theory_usd.nano);
    w.decimal("fee_usd", g.fee_usd.nano).decimal("mark_1s", g.mark[0].nano);
    w.decimal("after_1s_usd", g.after_usd[0].nano).decimal("mark_60s", g.mark[1].nano);
    w.decimal("after_60s_usd", g.after_usd[1].nano).end_object();
  }
  return w.end_array().take();
}

std::string OrderStory::json() const {
  JsonWriter w;
  w.begin_object().text("order", fmt::format("{:016x}", id_.value));
  w.text("summary", head_text()).text("state", end_state_).integer("decided_seq", decided_seq_);
  const auto lines = [&w](const char* name, const std::vector<Line>& all, std::int64_t from) {
    w.begin_array(name);
    for (const Line& l : all) {
      w.begin_object().integer("seq", l.seq).integer("since_ns", l.at_ns - from);
      w.raw("what", l.what.empty() ? "null" : l.what).end_object();
    }
    w.end_array();
  };
  lines("led_to_it", before_, decided_ns_);
  w.begin_object("saw");
  for (const auto& [name, value] : seen_) w.text(name, value);
  w.end_object().begin_array("gate");
  for (const Gate& g : gates_) {
    w.begin_object().text("check", g.check).boolean("passed", g.passed);
    w.text("numbers", g.numbers).end_object();
  }
  w.end_array();
  lines("traces", traces_, decided_ns_);
  w.begin_array("wire");
  for (const Wire& x : wires_) {
    w.begin_object().integer("since_ns", x.at_ns - decided_ns_).text("way", x.out ? "out" : "in");
    w.text("text", x.text).end_object();
  }
  w.end_array();
  lines("answers", after_, decided_ns_);
  return w.raw("execution_gap", gap_json()).end_object().take();
}

}  // namespace gimbal
