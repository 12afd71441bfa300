// Terms of an option with a week to live.
#pragma once

#include "tests/support/option_book.hpp"

namespace gimbal::test {

inline OptionTerms week(double forward, double strike, double sigma,
                        OptionType type = OptionType::call) {
  return {type, forward, strike, 7.0 / 365, sigma, 0, 1};
}

}  // namespace gimbal::test
