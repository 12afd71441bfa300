#include "ops/app/gate_numbers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/core/risk/price_collar.hpp"
#include "engine/core/risk/scenario_loss.hpp"
#include "feeds/decimal.hpp"

namespace gimbal {
namespace {

std::string decimal(std::int64_t nano) {
  std::array<char, decimal_text_max> digits{};
  return {digits.data(), write_nano(nano, digits)};
}

double ms(Nanos n) { return static_cast<double>(n.count) * 1e-6; }

double usd_of(const OrderFacts& o, const GateContext& c, Qty amount) {
  Money value;
  if (!c.instrument->exposure_usd(o.price, amount, c.index, value)) return NAN;
  return to_double(value);
}

double lots(Qty amount, const Instrument& i) {
  return static_cast<double>(amount.nano) / static_cast<double>(i.lot.nano);
}

double worst_lots(const OrderFacts& o, const GateContext& c) {
  const bool buy = o.side == Side::buy;
  const Qty held = buy ? c.position : -c.position;
  const Qty open = buy ? c.exposure.worst_buy() : c.exposure.worst_sell();
  return std::max(0.0, lots(held + open + o.added, *c.instrument));
}

double worst_delta_usd(const GateContext& c) {
  const double pushed = c.order_delta >= 0 ? static_cast<double>(c.delta.high + c.order_delta)
                                           : static_cast<double>(c.delta.low + c.order_delta);
  return std::abs(pushed) * 1e-9 * to_double(c.index);
}

double nano(std::int64_t value) { return static_cast<double>(value) * 1e-9; }

// With whatever open and unknown orders may add, the worse way.
double worst_nano(std::int64_t value, const DeltaRange& open) {
  return std::max(std::abs(nano(value) + nano(open.low)), std::abs(nano(value) + nano(open.high)));
}

const char* mode_text(Mode m) {
  switch (m) {
    case Mode::active: return "active";
    case Mode::reduce: return "reduce";
    case Mode::halt: return "halt";
    case Mode::cancel: return "cancel";
    case Mode::lock: return "lock";
  }
  return "lock";
}

std::string use_text(const LimitUse& u) {
  if (u.limit == 0) return fmt::format("{} {:.2f} {} (no limit)", u.name, u.used, u.unit);
  return fmt::format("{} {:.2f} of {:.2f} {}", u.name, u.used, u.limit, u.unit);
}

}  // namespace

std::array<LimitUse, limit_uses> limits_used(const OrderFacts& o, const GateContext& c,
                                             const RiskLimits& l) {
  const double added = usd_of(o, c, o.added);
  return {
      {{"order", "USD", usd_of(o, c, o.amount), to_double(l.max_order_usd)},
       {"order", "lots", lots(o.amount, *c.instrument), static_cast<double>(l.max_order_lots)},
       {"open orders", "USD", to_double(c.open_usd) + added, to_double(l.max_open_usd)},
       {"open orders of the venue", "USD", to_double(c.venue_open_usd) + added,
        to_double(l.max_venue_open_usd)},
       {"position, worst case", "lots", worst_lots(o, c), static_cast<double>(l.max_position_lots)},
       {"delta, worst case", "USD", worst_delta_usd(c), to_double(l.max_delta_usd)},
       {"gamma", "USD per 1%", worst_nano(c.gamma_usd + c.order_gamma_usd, c.gamma_open),
        to_double(l.max_gamma_usd)},
       {"vega", "USD per point", worst_nano(c.vega_usd + c.order_vega_usd, c.vega_open),
        to_double(l.max_vega_usd)},
       {"open orders", "orders", static_cast<double>(c.open_orders + (o.replace ? 0 : 1)),
        static_cast<double>(l.max_open_orders)}}};
}

namespace {

std::string option_numbers(std::string_view check, const GateContext& c, const RiskLimits& l) {
  if (check == "ExpiryWindow") {
    const auto s = [](Nanos n) { return static_cast<double>(n.count) * 1e-9; };
    return fmt::format("{:.0f} s to settlement, window {:.0f} s{}",
                       s(c.instrument->expiry - c.venue_now), s(l.expiry_window),
                       l.expiry_mode ? ", expiry mode is on" : "");
  }
  if (c.option.insane == GreekKind::none) return "price, volatility and Greeks are in bounds";
  return fmt::format("number {} is {}, bound {}", static_cast<int>(c.option.insane),
                     decimal(c.option.value), decimal(c.option.bound));
}

}  // namespace

std::string numbers_of(std::string_view check, const OrderFacts& o, const GateContext& c,
                       const RiskLimits& l) {
  const Instrument& i = *c.instrument;
  const auto uses = limits_used(o, c, l);
  if (check == "Permission") {
    return fmt::format("mode {}, session {}, {}", mode_text(c.mode),
                       c.gateway_ready ? "ready" : "not ready",
                       c.reconciled ? "reconciled" : "not reconciled");
  }
  if (check == "InstrumentRules") {
    return fmt::format("price {} on tick {}, amount {} of lot {}, minimum {}",
                       decimal(o.price.nano), decimal(i.ticks.tick_at(o.price).nano),
                       decimal(o.amount.nano), decimal(i.lot.nano), decimal(i.amount_min.nano));
  }
  if (check == "Freshness") {
    const Nanos quote_max = is_option(i.kind) ? l.mark_age_max : l.quote_age_max;
    return fmt::format(
        "mark {:.3f} of {:.0f} ms, quote {:.3f} of {:.0f} ms, index {:.3f} of {:.0f} ms",
        ms(c.mark_age), ms(l.mark_age_max), ms(c.quote_age), ms(quote_max), ms(c.index_age),
        ms(l.index_age_max));
  }
  if (check == "ExpiryWindow" || check == "OptionSanity") {
    return is_option(i.kind) ? option_numbers(check, c, l) : "no option";
  }
  if (check == "OrderSize") return use_text(uses[0]) + ", " + use_text(uses[1]);
  if (check == "OpenValue") return use_text(uses[2]) + ", " + use_text(uses[3]);
  if (check == "PriceCollar") {
    const double width = static_cast<double>(PriceCollar::width(i, c.mark, l)) * 1e-9;
    return fmt::format("price {} is {:+.9g} from the mark {}, allowed {:.9g}",
                       decimal(o.price.nano), nano(o.price.nano - c.mark.nano),
                       decimal(c.mark.nano), width);
  }
  if (check == "PositionLimit") return use_text(uses[4]);
  if (check == "DeltaLimit") return use_text(uses[5]);
  if (check == "GammaLimit") return use_text(uses[6]) + ", " + use_text(uses[7]);
  if (check == "ScenarioLoss") {
    if (l.max_scenario_loss_bps == 0) return "no limit";
    if (!c.scenario.known) return "numbers missing or too old";
    return fmt::format("worst scenario {} before, {} after, of {}", decimal(c.scenario.loss_before),
                       decimal(c.scenario.loss_after), decimal(ScenarioLoss::limit(c, l)));
  }
  if (check == "OpenOrders") return use_text(uses[8]);
  if (check == "GrossDelta") return fmt::format("{:.6f} coins gross", nano(c.gross_delta));
  if (check == "ParentAmount") {
    if (!c.has_parent) return "no parent order";
    return fmt::format("{} of the parent's {} used", decimal(c.parent_used.nano),
                       decimal(c.parent_amount.nano));
  }
  if (check == "ModuleEnvelope") {
    const EnvelopeCap& cap = c.envelope;
    if (!c.modules_late && cap == EnvelopeCap{}) return "no module objects";
    const auto bound = [](std::int64_t n, std::int64_t none) {
      return n == none ? std::string{"open"} : decimal(n);
    };
    return fmt::format("{}position from {} to {}, veto bits {}",
                       c.modules_late ? "a module is late, " : "", bound(cap.floor, INT64_MIN),
                       bound(cap.ceiling, INT64_MAX), cap.veto);
  }
  if (check == "ReduceRule") {
    return c.mode == Mode::reduce ? "the order must reduce" : "not in reduce";
  }
  return {};
}

}  // namespace gimbal
