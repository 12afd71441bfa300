// What a strategy may look at: const access to the engine's state of this event.
//
// Hot. Prices come as optionals that are empty unless their source is valid; a strategy cannot read
// a book that is stale, gapped or crossed. Everything here is valid for the call only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/core/engine_config.hpp"
#include "engine/core/order_book.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/portfolio.hpp"
#include "engine/core/risk/context.hpp"
#include "engine/core/risk/refusal.hpp"
#include "engine/core/risk/scenario_book.hpp"
#include "engine/core/risk/scenarios.hpp"
#include "engine/core/trace_sink.hpp"

namespace gimbal {

class EngineCore;

// Residual delta of an underlying in its numeraire, coins at 1e-9.
struct ResidualDelta {
  std::int64_t settled{0};   // positions only (plus equity under `usd`)
  std::int64_t expected{0};  // live orders counted as filled, unknown ones not
  DeltaRange unknown{};      // `expected` over every outcome of the unknown orders
  DeltaRange worst{};        // `settled` over every outcome of live and unknown orders
  std::size_t live{0};       // orders behind these numbers
  std::size_t unknown_orders{0};
};

class StrategyView {
 public:
  explicit StrategyView(const EngineCore& engine) noexcept : engine_{&engine} {}

  [[nodiscard]] RecvTime now() const noexcept;
  [[nodiscard]] const InstrumentTable& instruments() const noexcept;
  // Top of a valid book with both sides.
  [[nodiscard]] std::optional<Quote> quote(InstrumentId id) const noexcept;
  [[nodiscard]] std::optional<BookView> book(InstrumentId id) const noexcept;
  // Since the newest data of the instrument (book, quote or ticker); a century when there was none.
  [[nodiscard]] Nanos data_age(InstrumentId id) const noexcept;
  [[nodiscard]] std::optional<Price> mark(InstrumentId id) const noexcept;
  [[nodiscard]] std::optional<Price> index(UnderlyingId u) const noexcept;

  [[nodiscard]] Qty position(InstrumentId id) const noexcept;
  [[nodiscard]] const Exposure& exposure(InstrumentId id) const noexcept;
  [[nodiscard]] RiskNumbers risk(UnderlyingId u) const noexcept;
  [[nodiscard]] OptionMark option_mark(InstrumentId id) const noexcept;
  // Price the delta of a delta-one instrument is taken at; empty when unknown.
  [[nodiscard]] std::optional<double> delta_price(InstrumentId id) const noexcept;
  // Empty when the underlying's risk is incomplete, or under `usd` its equity is not known.
  [[nodiscard]] std::optional<ResidualDelta> residual(UnderlyingId u) const noexcept;
  [[nodiscard]] const UnderlyingSetup& setup(UnderlyingId u) const noexcept;
  [[nodiscard]] const MarginReport* margin(VenueId venue, Currency settlement) const noexcept;
  [[nodiscard]] AccountMargin margin_model(VenueId venue, Currency settlement) const noexcept;
  // When that report came; zero when there is none.
  [[nodiscard]] RecvTime margin_at(VenueId venue, Currency settlement) const noexcept;
  // Instruments with a position, in no order.
  [[nodiscard]] std::span<const InstrumentId> held() const noexcept;

  // [scenarios] on what is held of one underlying and settlement, orders left out. Empty: off, a
  // price is missing, or a row is older than row_age_max.
  [[nodiscard]] std::optional<ScenarioBook> scenarios(UnderlyingId u, bool inverse) const noexcept;
  // They are empty because the price has moved and not every row is priced anew yet.
  [[nodiscard]] bool scenarios_awaited(UnderlyingId u, bool inverse) const noexcept;
  // Adds to `profit` what so much more of an instrument would earn in each; false: not known.
  [[nodiscard]] bool add_scenario_profit(InstrumentId id, Qty signed_amount,
                                         ScenarioBook::Cells& profit) const noexcept;
  [[nodiscard]] const ScenarioConfig& scenario_config() const noexcept;
  // To the expiry, on the venue's clock; 0 for a perpetual, empty without a clock.
  [[nodiscard]] std::optional<double> years_left(InstrumentId id) const noexcept;

  [[nodiscard]] const Order* order(OrderId id) const noexcept;
  [[nodiscard]] std::size_t open_orders() const noexcept;
  [[nodiscard]] const Order& open_order(std::size_t n) const noexcept;

  // Strictest mode over the scopes of an order of this strategy on this instrument.
  [[nodiscard]] Mode mode(StrategyId strategy, InstrumentId id) const noexcept;
  // Nothing but exits and hedges passes on the instrument: a PAUSE of one of its scopes, or a risk
  // module that is late or denies growth. Modes are apart. True for an unknown instrument.
  [[nodiscard]] bool growth_blocked(StrategyId strategy, InstrumentId id) const noexcept;
  // The same without a tick that is over its budget: that one ends with the next in time.
  [[nodiscard]] bool growth_held(StrategyId strategy, InstrumentId id) const noexcept;
  // There is such a tick behind the present look.
  [[nodiscard]] bool tick_late(InstrumentId id) const noexcept;
  // Session ready, reconciled, clock known: an order could be sent.
  [[nodiscard]] bool venue_ready(VenueId venue) const noexcept;
  // Grows by one with every accepted arm: latches of a strategy reset when it changed.
  [[nodiscard]] std::uint64_t arm_generation() const noexcept;
  // The gate's last answer to this strategy, and how often it refused.
  [[nodiscard]] Refused last_refusal(StrategyId strategy) const noexcept;
  [[nodiscard]] std::uint64_t refusals_of(StrategyId strategy) const noexcept;
  // Of them, those of orders on one underlying.
  [[nodiscard]] std::uint64_t refusals_of(StrategyId strategy, UnderlyingId u) const noexcept;

  // Orders that the throttle of the venue would let through now: without room, ask later.
  [[nodiscard]] std::int64_t rate_room(VenueId venue) const noexcept;
  // What may still be asked for under the parent; its whole amount while it is not known.
  [[nodiscard]] Qty parent_left(StrategyId strategy, std::uint64_t parent,
                                Qty amount) const noexcept;
  // What the gate will hold a request against.
  [[nodiscard]] const RiskLimits& limits() const noexcept;

  void trace(TraceRecord record) const noexcept;

 private:
  const EngineCore* engine_;
};

}  // namespace gimbal
