// Our account at Deribit: login, orders out, orders and fills in. Room: venues (hot). Source:
// Deribit API v2 (JSON-RPC over WebSocket), private methods and user.* channels.
//
// Promises
// - Only Approved orders can be encoded. Every order carries valid_until and a label; post-only
//   always comes with reject_post_only; there is no market order.
// - GatewayStatus{ready} only after auth with the scopes asked for, heartbeat set, cancel on
//   disconnect switched on AND read back as on, and every private channel accepted.
// - A fill is reported by the reply and by the notification; both become Fill events, the core
//   de-duplicates by TradeId. Fills of a combo are counted from its legs only. Orders and fills
//   whose label is not ours have an invalid OrderId.
// - An answer that proves nothing (unknown code, unknown order_state, unreadable reply) becomes
//   OrderReject{unclear}, never silence and never an exception.
// - encode() allocates nothing; a dry rate budget refuses new orders locally, cancels draw on the
//   reserve. Refused means provably not sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/command.hpp"
#include "engine/core/config_tags.hpp"
#include "engine/core/event.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "feeds/deribit/instruments.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"
#include "venues/deribit/labels.hpp"
#include "venues/deribit/login.hpp"
#include "venues/deribit/rate_budget.hpp"
#include "venues/gateway.hpp"

namespace gimbal::deribit {

struct GatewayConfig {
  VenueId venue{};
  std::string label_tag;            // [a-z0-9]{0,16}: tells bots that share an account apart
  std::uint32_t config_hash{0};     // first 4 bytes of the config's SHA-256
  const ConfigTags* tags{nullptr};  // those of every order, when a config may be reloaded
  std::uint32_t boot_epoch{0};
  bool own_account{false};        // required in the app's config; false: no mass cancel
  std::size_t budget_session{0};  // this session's slot in the RateBudget
  std::uint32_t heartbeat_s{10};
  Nanos answer_timeout{seconds(5)};  // for each step of the session's set-up
  std::size_t frame_max{std::size_t{1} << 20};
  std::int64_t first_request_id{1};
  LoginConfig login;

  [[nodiscard]] std::uint32_t tag_of(OrderId order) const noexcept {
    return tags == nullptr ? config_hash : tags->of(order);
  }
};

struct GatewayCounters {
  std::uint64_t frames{0};
  std::uint64_t malformed{0};
  std::uint64_t ignored{0};
  std::uint64_t foreign_orders{0};
  std::uint64_t combo_rows{0};  // net rows of combos, not counted as fills
  std::uint64_t unknown_replies{0};
  std::uint64_t unknown_enums{0};
  std::uint64_t unknown_instruments{0};
  std::uint64_t local_rate_refusals{0};
};

class DeribitGateway {
 public:
  // `symbols`, `instruments`, `underlyings` and `budget` must outlive the gateway.
  DeribitGateway(GatewayConfig config, const SymbolTable& symbols,
                 const InstrumentTable& instruments, const UnderlyingNames& underlyings,
                 RateBudget& budget);
  DeribitGateway(DeribitGateway&&) noexcept;
  DeribitGateway& operator=(DeribitGateway&&) noexcept;
  ~DeribitGateway();

  void on_open(RecvTime now, std::uint64_t generation, EventBatch& batch, Outbox& outbox);
  DecodeStatus on_frame(const Frame& frame, RecvTime recv, EventBatch& batch, Outbox& outbox);
  void on_close(RecvTime now, EventBatch& batch);
  void on_timer(RecvTime now, EventBatch& batch, Outbox& outbox);

  // Of what `symbols` got while running, ids from `end` on are not known yet: rows of them are of
  // unknown instruments. Until the first call everything is known.
  void know(std::size_t end) noexcept;

  // `out` needs encoded_order_max bytes.
  [[nodiscard]] Encoded encode(const Approved<PlaceOrder>& order, RecvTime now,
                               std::span<char> out) noexcept;
  [[nodiscard]] Encoded encode(const Approved<ReplaceOrder>& order, RecvTime now,
                               std::span<char> out) noexcept;
  // By the venue's order id when it is known, by label otherwise.
  [[nodiscard]] Encoded encode(const CancelOrder& cancel, RecvTime now,
                               std::span<char> out) noexcept;
  // Mass cancel of a scope; own_account only. Strategy scopes have no mass cancel at this venue:
  // false, the core cancels order by order.
  [[nodiscard]] bool encode(const CancelAll& cancel, RecvTime now, Outbox& outbox) noexcept;

  // What the next order of the instrument needs: bring_near.hpp.
  void look_over(InstrumentId id) const noexcept;

  [[nodiscard]] bool ready() const noexcept;
  // Heartbeats would keep a session for ever whose set-up failed.
  [[nodiscard]] bool lost(RecvTime now) const noexcept;
  // What stands between this session and `ready`, in words; empty when ready.
  [[nodiscard]] std::string_view waiting_for() const noexcept;
  [[nodiscard]] const GatewayCounters& counters() const noexcept;
  [[nodiscard]] std::string_view access_token() const noexcept;
  // The venue's own id of an order, while it is known.
  [[nodiscard]] std::string_view venue_order_id(OrderId order) const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};
static_assert(OrderGateway<DeribitGateway>);

}  // namespace gimbal::deribit
