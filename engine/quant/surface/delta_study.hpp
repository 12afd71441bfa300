// Which delta would have hedged best: Black's, that of a smile which moves with the forward, or the
// minimum-variance one. Each is judged on price changes that it had not seen, step by step.
//
// Room: engine/quant, cold; no exception, no libm.
// Source: Hull & White (2017), Optimal delta hedging for options: the change that Black's delta
// leaves, dV - delta dF, is regressed on vega / sqrt(T) dF / F {1, delta, delta^2}. Here by least
// squares with forgetting, delta the call's for puts as well; the time value that passed is taken
// out of dV first. Judged is what would have been hedged, bounds included (smile_delta.hpp).
//
// Units: prices and forwards in quote currency, years, volatilities as fractions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/instrument.hpp"

namespace gimbal::quant {

// One option at one time; `slope` is d sigma / dk of the surface.
struct OptionMoment {
  std::uint32_t id{0};
  OptionType type{OptionType::call};
  double strike{0};
  double forward{0};
  double years{0};
  double sigma{0};
  double slope{0};
};

// Sums of squared errors over the same changes, older ones counting less.
struct DeltaScore {
  double black{0};
  double sticky_delta{0};
  double minimum_variance{0};
  std::uint64_t changes{0};  // options times steps, all of them
  std::uint64_t steps{0};    // judged
  // 1 - SSE / SSE of Black: above 0 it hedged better. 0 before anything was judged.
  [[nodiscard]] double gain_of(double sse) const noexcept {
    return black > 0 ? 1 - sse / black : 0;
  }
};

class DeltaStudy {
 public:
  // Everything older than `half_life` steps counts half.
  explicit DeltaStudy(double half_life_steps = 720) noexcept;

  // One step: the changes since the step before are judged with what was known then, and only then
  // learnt from. Left out: options with a delta outside 0.05 .. 0.95 or less than half a day to
  // live, two moments more than `apart_max_years` apart, a volatility that moved by more than half
  // its level between them (a glitched mark), and whatever is not finite.
  void observe(std::span<const OptionMoment> now, double apart_max_years = 1);
  [[nodiscard]] const DeltaScore& score() const noexcept { return score_; }
  // a, b, c as fitted so far.
  [[nodiscard]] const std::array<double, 3>& fitted() const noexcept { return fitted_; }
  // The same while they are worth it: once `steps_min` steps were judged, on at a gain out of
  // sample above `gain_on`, off below 0; else zeros. Coefficients out of bounds are not taken; for
  // `beyond_max` steps in a row they end the use, until they were inside for `steps_min` in a row.
  [[nodiscard]] std::array<double, 3> usable() const noexcept;
  static constexpr std::uint64_t steps_min = 60;
  static constexpr std::uint64_t beyond_max = 3;
  static constexpr double gain_on = 0.02;
  [[nodiscard]] static constexpr bool worth(bool used, double gain) noexcept {
    return used ? gain >= 0 : gain > gain_on;
  }

 private:
  struct Change {
    double left{0};    // what Black's delta did not explain
    double sticky{0};  // and what the smile's slope adds
    double moved{0};   // dF
    double x{0};       // vega / (F sqrt(T))
    double delta{0};   // the call's
  };
  [[nodiscard]] static bool change(const OptionMoment& from, const OptionMoment& to,
                                   Change& out) noexcept;
  void judge(const Change& c) noexcept;
  void learn(const Change& c) noexcept;
  void solve() noexcept;
  void take(const std::array<double, 3>& found) noexcept;

  double keep_;
  std::vector<OptionMoment> last_{};  // by id
  std::array<std::array<double, 3>, 3> normal_{};
  std::array<double, 3> right_{};
  std::array<double, 3> fitted_{};
  DeltaScore score_{};
  std::uint64_t learnt_{0};    // steps
  std::uint64_t beyond_{0};    // steps in a row out of bounds
  std::uint64_t distrust_{0};  // steps inside that are still owed
  bool used_{false};
};

}  // namespace gimbal::quant
