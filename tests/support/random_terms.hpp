// Random option terms, the same everywhere.
#pragma once

#include <cstdint>

#include "engine/core/pricing.hpp"

namespace gimbal::test {

// A generator with the same numbers everywhere.
class Numbers {
 public:
  double uniform(double low, double high) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return low + (high - low) * static_cast<double>(state_ >> 11) * 0x1p-53;
  }

 private:
  std::uint64_t state_{0x9e3779b97f4a7c15ULL};
};

inline OptionTerms random_terms(Numbers& n) {
  OptionTerms t;
  t.type = n.uniform(0, 1) < 0.5 ? OptionType::call : OptionType::put;
  t.forward = n.uniform(1000, 100000);
  t.years = n.uniform(0.0005, 1.5);
  t.sigma = n.uniform(0.1, 2.0);
  t.strike = t.forward * n.uniform(0.5, 1.8);
  return t;
}

inline OptionTerms other_type(OptionTerms t) {
  t.type = t.type == OptionType::call ? OptionType::put : OptionType::call;
  return t;
}

}  // namespace gimbal::test
