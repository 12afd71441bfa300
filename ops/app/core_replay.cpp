#include "ops/app/core_replay.hpp"

#include <cstring>

#include "engine/core/config_block.hpp"

namespace gimbal {
namespace {

bool from_feed(const Event& e) {
  switch (e.kind()) {
    case EventKind::book_delta:
    case EventKind::book_reset:
    case EventKind::trade:
    case EventKind::ticker:
    case EventKind::index_price:
    case EventKind::feed_status: return true;
    // The cold side's are of the list, which is in no frame.
    case EventKind::instrument_change:
      return e.as<InstrumentChange>().change != InstrumentChangeKind::adopt &&
             !e.has(event_flag::historical);
    default: return false;
  }
}

// Refused between the core and the wire: written by the session, not by the gateway.
bool local(const OrderReject& r) {
  return r.reason == RejectReason::last_gate || r.reason == RejectReason::local_rate ||
         r.reason == RejectReason::not_connected ||
         (r.reason == RejectReason::venue && r.venue_code == 0);
}

bool from_gateway(const Event& e) {
  if (e.has(event_flag::historical)) return false;  // the query session's
  switch (e.kind()) {
    case EventKind::order_ack:
    case EventKind::order_reject:
    case EventKind::fill:
    case EventKind::order_done:
    case EventKind::position_report:
    case EventKind::margin_report:
    case EventKind::gateway_status: return true;
    default: return false;
  }
}

}  // namespace

CoreReplay::CoreReplay(const JournalOrigin& origin, const JournalSegments& segments,
                       const ReplayOptions& options, bool watched, std::string& error) {
  StrategySet strategies;
  error = make_engine_setup(origin.loaded->config, origin.universe, setup_, strategies);
  if (!error.empty()) return;
  setup_.blocks = SideBlocks{&blocks_, &ReplayBlocks::find};
  if (watched) setup_.trace = &trace_;
  engine_ = std::make_unique<ReplayEngine>(setup_, origin.universe.table(), strategies);
  target_.step = [this](const Event& e, Commands& out) { engine_->step(e, out); };
  target_.stepped = [this](const Event& e, Commands& out) {
    if (look_) look_(e, out);
    if (keep_) keep(e, out);
  };
  target_.side_block = [this](const SideBlockRef& ref, std::span<const std::byte> bytes) {
    blocks_.add(ref, bytes);
  };
  reader_ = std::make_unique<JournalReader>(segments);
  run_ = std::make_unique<ReplayRun>(*reader_, target_, options);
}

bool CoreReplay::part(const Event& event) {
  if (!parted_.empty() || told_) return !parted_.empty();
  const char* why = nullptr;
  if (event.kind() == EventKind::config_change) why = "the configuration was reloaded";
  // A feed that hears of a closed instrument has the venue's time; without one its terms had
  // changed in the list: the builds that are meant here did not flag those.
  if (event.kind() == EventKind::instrument_change &&
      (event.as<InstrumentChange>().change != InstrumentChangeKind::invalidate ||
       event.exch == ExchTime{})) {
    why = "an instrument was listed, redefined or settled while running";
  }
  if (why == nullptr) return false;
  parted_ = std::string{why} + " (sequence " + std::to_string(event.seq().value) + ")";
  return true;
}

// A reload that the core refused changes no label; neither does one of limits alone.
void CoreReplay::keep_tag(const Event& event) {
  const std::uint64_t adopted = engine_->snapshot().counters.configs_adopted;
  if (adopted == configs_adopted_) return;
  configs_adopted_ = adopted;
  const auto ref = event.as<SideBlockRef>();
  const auto bytes = block(ref);
  ConfigBlock block;
  if (bytes.size() != sizeof block) return;
  std::memcpy(static_cast<void*>(&block), bytes.data(), sizeof block);
  kept_.tags.push(
      TagChange{block.first_order, static_cast<std::uint32_t>(block.config_hash >> 32)});
}

void CoreReplay::keep(const Event& event, Commands& out) {
  seq_ = event.seq().value;
  if (part(event)) return;
  if (event.kind() == EventKind::config_change) keep_tag(event);
  for (Command& c : out) {
    switch (c.kind()) {
      case CommandKind::place:
      case CommandKind::replace:
      case CommandKind::cancel:
      case CommandKind::cancel_all:
        kept_.outgoing.push(Outgoing{event.seq().value, std::move(c)});
        break;
      default: break;
    }
  }
  if (from_feed(event)) return kept_.feed_events.push(event);
  if (event.kind() == EventKind::order_sent) {
    const auto sent = event.as<OrderSent>();
    return kept_.fates.push(Fate{sent.order, sent.action, true});
  }
  if (!from_gateway(event)) return;
  if (event.kind() == EventKind::order_reject && local(event.as<OrderReject>())) {
    const auto reject = event.as<OrderReject>();
    return kept_.fates.push(Fate{reject.order, reject.action, false});
  }
  kept_.order_events.push(event);
}

}  // namespace gimbal
