#include "engine/core/command.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t bits(std::int64_t v) noexcept { return static_cast<std::uint64_t>(v); }

}  // namespace

void CommandDigest::add(const Command& c) noexcept {
  ++count_;
  mix(static_cast<std::uint64_t>(c.kind()));
  switch (c.kind()) {
    case CommandKind::none: return;
    case CommandKind::place: {
      const PlaceOrder& o = *c.place();
      mix(o.order.value);
      mix(bits(o.price.nano));
      mix(bits(o.amount.nano));
      mix(bits(o.valid_until.unix_ns));
      mix((static_cast<std::uint64_t>(o.instrument.value) << 32) |
          (static_cast<std::uint64_t>(o.venue.value) << 24) |
          (static_cast<std::uint64_t>(o.side) << 16) | (static_cast<std::uint64_t>(o.tif) << 8) |
          o.flags);
      return;
    }
    case CommandKind::replace: {
      const ReplaceOrder& o = *c.replace();
      mix(o.order.value);
      mix(bits(o.price.nano));
      mix(bits(o.amount.nano));
      mix(bits(o.valid_until.unix_ns));
      mix((static_cast<std::uint64_t>(o.instrument.value) << 16) | o.flags);
      return;
    }
    case CommandKind::cancel:
      mix(c.cancel().order.value);
      if (c.cancel().adopted) mix(c.cancel().label_hash);
      return;
    case CommandKind::cancel_all:
      mix((static_cast<std::uint64_t>(c.cancel_all().scope.level) << 32) |
          (static_cast<std::uint64_t>(c.cancel_all().scope.id) << 8) | c.cancel_all().venue.value);
      return;
    case CommandKind::arm_timer:
      mix(c.timer().timer);
      mix(bits(c.timer().due.mono_ns));
      return;
    case CommandKind::resync: mix(c.resync().instrument.value); return;
    case CommandKind::reconcile:
      mix(c.reconcile().generation);
      mix(c.reconcile().last_trade.high);
      mix(c.reconcile().last_trade.low);
      return;
    case CommandKind::query_order:
      mix(c.query_order().order.value);
      mix(bits(c.query_order().valid_until.unix_ns));
      return;
    case CommandKind::raise: {
      const Trip& t = c.raise();
      mix((static_cast<std::uint64_t>(t.code) << 48) | (static_cast<std::uint64_t>(t.mode) << 40) |
          (static_cast<std::uint64_t>(t.severity) << 32) | (t.latched ? 1ULL << 31 : 0) |
          (t.cancels ? 1ULL << 30 : 0) | (static_cast<std::uint64_t>(t.scope.level) << 16) |
          t.scope.id);
      mix((static_cast<std::uint64_t>(t.strategy.value) << 32) |
          (static_cast<std::uint64_t>(t.venue.value) << 16) | t.instrument.value);
      mix(bits(t.limit));
      mix(bits(t.actual));
      mix(bits(t.evidence));
      mix(bits(t.at.mono_ns));
      return;
    }
  }
}

}  // namespace gimbal
