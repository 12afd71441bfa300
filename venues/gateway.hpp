// What a venue's gateway is: our account's bytes in, events out; commands in, bytes out. No socket,
// no clock. Room: venues (hot).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/time.hpp"
#include "feeds/frame.hpp"

namespace gimbal {

inline constexpr std::size_t encoded_order_max = 1024;  // bytes; room that every encode call needs

// One message ready to send, or why there is none. `refused` is then the reason to put in an
// OrderReject (local_rate, not_connected, or venue when the instrument or the text does not fit):
// provably nothing was sent.
struct Encoded {
  std::size_t bytes{0};
  RejectReason refused{RejectReason::none};
  [[nodiscard]] bool ok() const noexcept { return bytes != 0; }
};

template <class G>
concept OrderGateway = requires(G gateway, const Frame& frame, RecvTime now, EventBatch& batch,
                                Outbox& outbox, std::span<char> out,
                                const Approved<PlaceOrder>& place,
                                const Approved<ReplaceOrder>& replace, const CancelOrder& cancel,
                                const CancelAll& cancel_all, std::uint64_t generation) {
  // The private connection is up: login frames to the outbox, GatewayStatus{connecting}.
  { gateway.on_open(now, generation, batch, outbox) } -> std::same_as<void>;
  { gateway.on_frame(frame, now, batch, outbox) } -> std::same_as<DecodeStatus>;
  { gateway.on_close(now, batch) } -> std::same_as<void>;
  { gateway.on_timer(now, batch, outbox) } -> std::same_as<void>;
  { gateway.encode(place, now, out) } -> std::same_as<Encoded>;
  { gateway.encode(replace, now, out) } -> std::same_as<Encoded>;
  { gateway.encode(cancel, now, out) } -> std::same_as<Encoded>;
  // One mass cancel may need several messages; false when any of them could not be queued.
  { gateway.encode(cancel_all, now, outbox) } -> std::same_as<bool>;
  { gateway.ready() } -> std::same_as<bool>;
  // Open, logged in, and it will not become ready any more: the connection is to be made again.
  { gateway.lost(now) } -> std::same_as<bool>;
};

// The event for a command that encode refused.
inline Event refusal(const Encoded& encoded, OrderId order, OrderAction action, VenueId venue,
                     InstrumentId instrument, RecvTime now) noexcept {
  OrderReject reject;
  reject.order = order;
  reject.reason = encoded.refused;
  reject.action = action;
  Event e = make_event(EventKind::order_reject, venue, instrument, now, {}, reject);
  e.add_flag(event_flag::last_in_packet);
  return e;
}

}  // namespace gimbal
