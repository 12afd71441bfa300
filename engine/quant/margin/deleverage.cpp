#include "engine/quant/margin/deleverage.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/math.hpp"
#include "engine/quant/linear_program.hpp"
#include "engine/quant/margin/scenario_account.hpp"

namespace gimbal::quant {

namespace {

constexpr int rounds_max = 12;  // of asking for more
constexpr double slices = 8;    // of one leg, to put the steps in order
constexpr double slices_of_many = 3;
constexpr std::size_t many_legs = 64;
constexpr double rounding = 1e-12;  // of the equity
// Of the search for whole lots: it ends this close to the best, or after so much work.
constexpr double good_enough = 0.002;
constexpr std::size_t search_work = 4'000'000;
constexpr std::size_t ranges_min = 10;
constexpr std::size_t ranges_max = 5000;

double most_of(const ScenarioAccount& a, std::size_t i) {
  const double held = math::abs(a.held(i));
  return a.lot(i) > 0 ? std::floor(held / a.lot(i) * (1 + 1e-12)) * a.lot(i) : held;
}

// Of one lot each; every one looks at all legs.
std::size_t lot_steps_max(const ScenarioAccount& a) {
  return std::clamp<std::size_t>(search_work / (a.legs() * a.legs() + 1), 4, 1000);
}

bool enough(const ScenarioAccount& a, const std::vector<double>& closed) {
  return a.missing(closed) <= 2 * rounding * a.scale();
}

// Takes back whole lots, the dearest first, as long as the rest is enough.
void take_back(const ScenarioAccount& a, std::vector<double>& closed) {
  bool again = true;
  for (std::size_t left = lot_steps_max(a); again && left > 0; --left) {
    again = false;
    std::size_t best = a.legs();
    double saved = 0;
    for (std::size_t i = 0; i < a.legs(); ++i) {
      const double lot = a.lot(i);
      if (!(lot > 0) || closed[i] < 0.5 * lot || lot * a.unit_cost(i) <= saved) continue;
      closed[i] -= lot;
      if (enough(a, closed)) {
        best = i;
        saved = lot * a.unit_cost(i);
      }
      closed[i] += lot;
    }
    if (best < a.legs()) {
      closed[best] = std::max(closed[best] - a.lot(best), 0.0);
      again = true;
    }
  }
}

bool has_room(const ScenarioAccount& a, const std::vector<double>& closed, std::size_t i) {
  return a.lot(i) > 0 && a.unit_cost(i) > 0 && closed[i] + 0.5 * a.lot(i) <= most_of(a, i);
}

// One lot of whatever helps most, again and again; false where nothing does.
bool fill_up(const ScenarioAccount& a, std::vector<double>& closed) {
  for (std::size_t left = lot_steps_max(a); !enough(a, closed); --left) {
    if (left == 0) return false;
    std::size_t best = a.legs();
    double least = a.missing(closed);
    for (std::size_t i = 0; i < a.legs(); ++i) {
      if (!has_room(a, closed, i)) continue;
      closed[i] += a.lot(i);
      const double missing = a.missing(closed);
      closed[i] -= a.lot(i);
      if (missing >= least) continue;
      least = missing;
      best = i;
    }
    if (best == a.legs()) return false;
    closed[best] += a.lot(best);
  }
  return true;
}

// What may be closed of each leg, at least and at most.
struct Range {
  std::vector<double> low, high;
  double more{0};  // asked for on top of what is linear
};

// The cheapest amounts in a range, lots or none; empty where there are none.
class Relaxed {
 public:
  explicit Relaxed(const ScenarioAccount& a) : a_{a} {
    for (std::size_t i = 0; i < a.legs(); ++i) {
      if (a.unit_cost(i) > 0 && most_of(a, i) > 0) open_.push_back(i);
    }
    demands_ = a.demands(open_, 0);
  }
  [[nodiscard]] std::vector<double> at(const Range& r) const {
    std::vector<double> cost;
    for (const std::size_t i : open_) {
      cost.push_back(a_.unit_cost(i) * (r.high[i] - r.low[i]) / a_.scale());
    }
    std::vector<Demand> demands = demands_;
    for (Demand& d : demands) {
      d.least += r.more / a_.scale();
      for (std::size_t k = 0; k < open_.size(); ++k) {
        const double whole = math::abs(a_.held(open_[k]));
        d.least -= d.share[k] * r.low[open_[k]] / whole;
        d.share[k] *= (r.high[open_[k]] - r.low[open_[k]]) / whole;
      }
    }
    const auto shares = cheapest(cost, demands);
    if (!shares) return {};
    std::vector<double> closed(a_.legs());
    for (std::size_t k = 0; k < open_.size(); ++k) {
      const std::size_t i = open_[k];
      closed[i] = r.low[i] + (*shares)[k] * (r.high[i] - r.low[i]);
    }
    return closed;
  }
  // Numbers in one program.
  [[nodiscard]] std::size_t size() const {
    return (demands_.size() + open_.size()) * (open_.size() + 1);
  }

 private:
  const ScenarioAccount& a_;
  std::vector<std::size_t> open_{};
  std::vector<Demand> demands_{};
};

Range whole_range(const ScenarioAccount& a) {
  Range r{std::vector<double>(a.legs()), std::vector<double>(a.legs()), 0};
  for (std::size_t i = 0; i < a.legs(); ++i) r.high[i] = a.unit_cost(i) > 0 ? most_of(a, i) : 0.0;
  return r;
}

// What is to be closed. Nothing: `none` says whether that is proven. The program as it is first
// asked leaves out none of the amounts that are enough, for its slope of the roll shock is a
// tangent of a convex one; what is asked for on top of it may.
struct Found {
  std::vector<double> closed{};
  bool none{false};
};

// Without regard to lots.
Found ideal(const ScenarioAccount& a, const Relaxed& relaxed) {
  Range all = whole_range(a);
  for (int round = 0; round < rounds_max; ++round) {
    std::vector<double> closed = relaxed.at(all);
    if (closed.empty()) return {{}, round == 0};
    const double missing = a.missing(closed);
    if (missing <= rounding * a.scale()) return {std::move(closed), false};
    all.more += 1.001 * missing;
  }
  return {};
}

// The leg that is furthest from whole lots; none: the count of them.
std::size_t between_lots(const ScenarioAccount& a, const std::vector<double>& closed) {
  std::size_t worst = a.legs();
  double most = 1e-6;
  for (std::size_t i = 0; i < a.legs(); ++i) {
    if (!(a.lot(i) > 0)) continue;
    const double lots = closed[i] / a.lot(i);
    const double off = math::abs(lots - std::round(lots));
    if (off <= most) continue;
    most = off;
    worst = i;
  }
  return worst;
}

std::vector<double> rounded_up(const ScenarioAccount& a, std::vector<double> closed) {
  for (std::size_t i = 0; i < a.legs(); ++i) {
    if (!(a.lot(i) > 0)) continue;
    const double lots = std::ceil(closed[i] / a.lot(i) - 1e-6);
    closed[i] = std::min(lots * a.lot(i), most_of(a, i));
  }
  return closed;
}

// Branch and bound (Land and Doig 1960): a range whose relaxed cost is not clearly below the best
// whole lots so far is left; else it is split at the leg furthest from whole lots. Every relaxed
// answer, rounded up, filled up and taken back, is a candidate, so an end by the limit has one too.
Found in_lots(const ScenarioAccount& a, const Relaxed& relaxed) {
  std::vector<double> best;
  bool proven = true;
  std::vector<Range> open{whole_range(a)};
  std::size_t left = std::clamp<std::size_t>(search_work / relaxed.size(), ranges_min, ranges_max);
  for (; left > 0 && !open.empty(); --left) {
    const Range r = std::move(open.back());
    open.pop_back();
    const std::vector<double> closed = relaxed.at(r);
    if (closed.empty()) {
      proven = proven && r.more <= 0;
      continue;
    }
    if (!best.empty() && a.cost(closed) > (1 - good_enough) * a.cost(best)) continue;
    std::vector<double> candidate = rounded_up(a, closed);
    if (fill_up(a, candidate)) {
      take_back(a, candidate);
      if (best.empty() || a.cost(candidate) < a.cost(best)) best = std::move(candidate);
    }
    const std::size_t i = between_lots(a, closed);
    if (i == a.legs()) {
      // Whole lots that are not enough by what is not linear.
      const double missing = a.missing(closed);
      if (missing > 2 * rounding * a.scale()) {
        open.push_back(r);
        open.back().more += 1.001 * missing;
      }
      continue;
    }
    const double below = std::floor(closed[i] / a.lot(i)) * a.lot(i);
    open.push_back(r);
    open.back().high[i] = below;
    open.push_back(r);
    open.back().low[i] = std::min(below + a.lot(i), r.high[i]);
  }
  return {std::move(best), proven && open.empty()};
}

// The planned amounts in small slices, each time the one that leaves the least to do; neighbours of
// one leg become one step.
std::vector<DeleverageStep> in_order(const ScenarioAccount& a, const std::vector<double>& closed) {
  std::vector<double> slice(a.legs());
  for (std::size_t i = 0; i < a.legs(); ++i) {
    slice[i] = closed[i] / (a.legs() > many_legs ? slices_of_many : slices);
    if (a.lot(i) > 0) slice[i] = std::max(std::round(slice[i] / a.lot(i)), 1.0) * a.lot(i);
  }
  std::vector<DeleverageStep> out;
  std::vector<double> done(a.legs());
  for (;;) {
    std::size_t best = a.legs();
    double least = std::numeric_limits<double>::infinity();
    double amount = 0;
    for (std::size_t i = 0; i < a.legs(); ++i) {
      double next = std::min(slice[i], closed[i] - done[i]);
      if (!(next > 1e-9 * closed[i])) continue;
      if (closed[i] - done[i] - next < 1e-6 * closed[i]) next = closed[i] - done[i];
      done[i] += next;
      const double missing = a.missing(done);
      done[i] -= next;
      if (missing >= least) continue;
      least = missing;
      best = i;
      amount = next;
    }
    if (best == a.legs()) return out;
    done[best] += amount;
    const double signed_amount = a.held(best) > 0 ? -amount : amount;
    if (out.empty() || out.back().leg != best) out.push_back({best});
    out.back().amount += signed_amount;
    out.back().cost += amount * a.unit_cost(best);
    out.back().maintenance = a.maintenance(done);
  }
}

}  // namespace

Deleverage deleverage(const Book& book, const PortfolioMarginParameters& p,
                      const DeleverageAsk& ask) {
  ScenarioAccount a{book, p, ask};
  const std::vector<double> nothing(a.legs());
  Deleverage out;
  out.equity = a.equity();
  out.maintenance = a.maintenance(nothing);
  a.note_maintenance(out.maintenance);
  if (a.missing(nothing) <= 0) return out;
  if (a.delta_shock(nothing) > 0) {
    out.result = DeleverageResult::delta_shocked;
    return out;
  }
  const Relaxed relaxed{a};
  const bool lots = std::any_of(ask.lot.begin(), ask.lot.end(), [](double l) { return l > 0; });
  const Found found = lots ? in_lots(a, relaxed) : ideal(a, relaxed);
  const std::vector<double>& closed = found.closed;
  if (closed.empty()) {
    out.result = found.none ? DeleverageResult::out_of_reach : DeleverageResult::not_found;
    return out;
  }
  out.result = DeleverageResult::reached;
  out.steps = in_order(a, closed);
  out.cost = a.cost(closed);
  out.equity = a.equity() - out.cost;
  out.maintenance = a.maintenance(closed);
  return out;
}

}  // namespace gimbal::quant
