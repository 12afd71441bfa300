// Everything a check may look at besides the order: integers and flags, gathered by the engine at
// the moment of the decision, so that each check is a pure function.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/core/instrument.hpp"
#include "engine/core/modes.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/risk/envelope.hpp"
#include "engine/core/risk/greek_kind.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

// A closed interval of coins at 1e-9.
struct DeltaRange {
  std::int64_t low{0};
  std::int64_t high{0};
  [[nodiscard]] constexpr std::int64_t worst() const noexcept {
    const std::int64_t below = low < 0 ? -low : low;
    const std::int64_t above = high < 0 ? -high : high;
    return below > above ? below : above;
  }
};

// What OptionSanity found impossible about an option; `none` when nothing is.
struct OptionVerdict {
  GreekKind insane{GreekKind::none};
  std::int64_t bound{0};
  std::int64_t value{0};
};

// The account's worst scenario, at 1e-9 of its settlement currency; losses are positive.
struct ScenarioFacts {
  bool known{false};
  std::int64_t loss_before{0};  // every open and unknown order filled where it hurts
  std::int64_t loss_after{0};   // and this one filled whole
  Money balance{};              // margin balance, as reported
};

struct GateContext {
  const Instrument* instrument{nullptr};
  RecvTime now{};
  ExchTime venue_now{};   // zero: the venue's clock is not known
  Mode mode{Mode::halt};  // strictest over the order's scopes
  bool gateway_ready{false};
  bool reconciled{false};
  bool growth_blocked{false};  // PAUSE: an input is invalid
  std::uint32_t late_ns{0};    // age of the tick behind the decision when it is over its budget
  Nanos late_max{};            // that budget
  bool intent_open{false};
  bool self_match{false};        // would meet an order of ours
  bool hedge_instrument{false};  // configured as the hedge of its underlying
  Price mark{};                  // zero: none
  Price index{};                 // zero: none
  Nanos mark_age{};              // since the venue's mark of the instrument
  Nanos quote_age{};             // since the newest of its book, quote or ticker
  Nanos index_age{};
  Qty position{};
  Exposure exposure{};
  // Underlying: worst case over every outcome of open and unknown orders, the new one not included.
  bool delta_known{false};
  DeltaRange delta{};
  std::int64_t order_delta{0};  // signed coins at 1e-9 if the order fills whole
  std::int64_t gamma_usd{0};    // USD at 1e-9 per 1% move: current, and the order's share
  std::int64_t order_gamma_usd{0};
  std::int64_t vega_usd{0};
  std::int64_t order_vega_usd{0};
  DeltaRange gamma_open{};  // what open and unknown orders may add, both ways
  DeltaRange vega_open{};
  bool greeks_stale{false};       // older than their limit: the worse of once and twice counts
  std::int64_t options_delta{0};  // the options' share of `delta`
  std::int64_t gross_delta{0};    // coins at 1e-9: absolute deltas held, open and unknown orders
  ScenarioFacts scenario{};       // while its limit is set
  OptionVerdict option{};         // of the instrument, when it is an option
  std::size_t open_orders{0};
  std::size_t open_orders_table_max{open_orders_max};
  Money open_usd{};  // reserved by open and unknown orders
  Money venue_open_usd{};
  std::uint64_t intent{0};
  StrategyId strategy{};
  bool has_parent{false};
  Qty parent_amount{};
  Qty parent_used{};         // children: filled, live and unknown
  bool modules_late{false};  // a risk module is late, dead or invalid
  EnvelopeCap envelope{};    // of all risk modules, on the instrument
};

// The order as the checks see it. For a replace: the new price and what would be open beyond what
// is counted already (`added`), never negative.
struct OrderFacts {
  InstrumentId instrument{};
  Side side{Side::buy};
  TimeInForce tif{TimeInForce::immediate_or_cancel};
  Price price{};
  Qty amount{};  // total
  Qty added{};   // growth of the worst case
  bool replace{false};
  bool aggressive{true};  // may take: not post-only
};

}  // namespace gimbal
