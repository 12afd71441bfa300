#include "engine/core/risk/gate.hpp"

#include "engine/core/risk/delta_limit.hpp"
#include "engine/core/risk/expiry_window.hpp"
#include "engine/core/risk/freshness.hpp"
#include "engine/core/risk/gamma_limit.hpp"
#include "engine/core/risk/gross_delta.hpp"
#include "engine/core/risk/instrument_rules.hpp"
#include "engine/core/risk/module_envelope.hpp"
#include "engine/core/risk/open_orders.hpp"
#include "engine/core/risk/open_value.hpp"
#include "engine/core/risk/option_sanity.hpp"
#include "engine/core/risk/order_size.hpp"
#include "engine/core/risk/parent_amount.hpp"
#include "engine/core/risk/permission.hpp"
#include "engine/core/risk/position_limit.hpp"
#include "engine/core/risk/price_collar.hpp"
#include "engine/core/risk/reduce_rule.hpp"
#include "engine/core/risk/scenario_loss.hpp"

namespace gimbal {
namespace {

// The name of a type as both compilers spell it in the function's own name.
template <class Check>
constexpr std::string_view name_of() noexcept {
  constexpr std::string_view whole = __PRETTY_FUNCTION__;
  constexpr std::string_view key = "Check = ";
  constexpr std::size_t from = whole.find(key) + key.size();
  constexpr std::string_view name = whole.substr(from, whole.find_first_of(";]", from) - from);
  constexpr std::size_t room = name.rfind(':');
  return room == std::string_view::npos ? name : name.substr(room + 1);
}

template <class... Checks>
struct CheckList {
  // The first refusal wins.
  static Refused first_refusal(const OrderFacts& o, const GateContext& c,
                               const RiskLimits& l) noexcept {
    Refused answer;
    static_cast<void>(((answer = Checks::check(o, c, l), answer.reason == Refusal::none) && ...));
    return answer;
  }
  static std::size_t verdicts(const OrderFacts& o, const GateContext& c, const RiskLimits& l,
                              std::span<CheckVerdict> out) noexcept {
    std::size_t n = 0;
    ((n < out.size() ? static_cast<void>(out[n++] = {name_of<Checks>(), Checks::check(o, c, l)})
                     : static_cast<void>(0)),
     ...);
    return n;
  }
};

// The pure checks, in order. Adding one is adding its name. What nothing may grow for comes before
// the limits on growth: a refusal of theirs blames the strategy (S-01) or trips.
using PureChecks =
    CheckList<Permission, InstrumentRules, ExpiryWindow, Freshness, OptionSanity, OrderSize,
              ParentAmount, PriceCollar, ReduceRule, ModuleEnvelope, OpenValue, PositionLimit,
              DeltaLimit, GrossDelta, GammaLimit, ScenarioLoss, OpenOrders>;

bool takes(std::uint8_t flags) noexcept { return (flags & order_flag::post_only) == 0; }

}  // namespace

std::size_t pure_verdicts(const OrderFacts& order, const GateContext& context,
                          const RiskLimits& limits, std::span<CheckVerdict> out) noexcept {
  return PureChecks::verdicts(order, context, limits, out);
}

RiskGate::RiskGate(const RiskLimits& limits, std::size_t instruments)
    : limits_{limits}, duplicates_{limits}, drift_{instruments} {
  rates_.fill(OrderRate{limits});
}

void RiskGate::set_limits(const RiskLimits& limits) noexcept {
  if (limits.price_drift_window != limits_.price_drift_window) drift_.forget();
  limits_ = limits;
  for (OrderRate& r : rates_) r.configure(limits);
  ++epoch_;
}

bool RiskGate::tighten(Scope scope, Mode mode) noexcept {
  if (!modes_.tighten(scope, mode)) return false;
  ++epoch_;
  return true;
}

Refused RiskGate::refuse(Refused reason) noexcept {
  ++counts_[static_cast<std::size_t>(reason.reason)];
  return reason;
}

std::uint64_t RiskGate::refused_total() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t n : counts_) sum += n;
  return sum;
}

Refused RiskGate::check(const OrderFacts& order, const GateContext& context) noexcept {
  Refused answer = PureChecks::first_refusal(order, context, limits_);
  if (answer.reason != Refusal::none) return answer;
  answer = drift_.check(order, context, limits_);
  if (answer.reason != Refusal::none) return answer;
  if (context.self_match) return {Refusal::self_match, 0, 1};
  if (!order.replace) {
    answer = duplicates_.check(order, context, limits_);
    if (answer.reason != Refusal::none) return answer;
  }
  // The rate comes last: a refused order costs no token.
  return rate(context.instrument->venue).check(context.now);
}

GateAnswer<PlaceOrder> RiskGate::approve(const PlaceOrder& order,
                                         const GateContext& context) noexcept {
  const OrderFacts facts{order.instrument, order.side,   order.tif, order.price,
                         order.amount,     order.amount, false,     takes(order.flags)};
  duplicates_.foresee(facts, context);
  const Refused answer = check(facts, context);
  if (answer.reason != Refusal::none) return refuse(answer);
  rate(context.instrument->venue).take();
  duplicates_.remember(facts, context, limits_);
  drift_.remember(facts, context.now, limits_);
  ++approved_;
  PlaceOrder passed = order;
  if (context.mode == Mode::reduce) passed.flags |= order_flag::reduces;
  return Approved<PlaceOrder>{passed, epoch_, context.now + limits_.approval_ttl};
}

GateAnswer<ReplaceOrder> RiskGate::approve(const ReplaceOrder& order, const Order& current,
                                           const GateContext& context) noexcept {
  if (current.state != OrderState::live) {
    return refuse({Refusal::order_state, static_cast<std::int64_t>(OrderState::live),
                   static_cast<std::int64_t>(current.state)});
  }
  if (order.amount <= current.filled) {
    return refuse({Refusal::malformed, current.filled.nano, order.amount.nano});
  }
  const Qty grown = order.amount - current.amount;
  const OrderFacts facts{order.instrument,
                         current.side,
                         current.tif,
                         order.price,
                         order.amount,
                         grown.nano > 0 ? grown : Qty{},
                         true,
                         takes(current.flags)};
  const Refused answer = check(facts, context);
  if (answer.reason != Refusal::none) return refuse(answer);
  rate(context.instrument->venue).take();
  drift_.remember(facts, context.now, limits_);
  ++approved_;
  ReplaceOrder passed = order;
  if (context.mode == Mode::reduce) passed.flags |= order_flag::reduces;
  return Approved<ReplaceOrder>{passed, epoch_, context.now + limits_.approval_ttl};
}

}  // namespace gimbal
