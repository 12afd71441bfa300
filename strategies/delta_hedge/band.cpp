// The gamma and cost based half-band, without libm. Room: strategies (hot).
#include <bit>

#include "strategies/delta_hedge/delta_hedge.hpp"

namespace gimbal {

double cube_root(double x) noexcept {
  if (!(x > 0)) return 0;
  // A third of the exponent, then Newton: each step doubles the right digits.
  const auto bits = std::bit_cast<std::uint64_t>(x);
  double y = std::bit_cast<double>(bits / 3 + 0x2A9F789300000000ULL);
  for (int step = 0; step < 6; ++step) y = (2.0 * y + x / (y * y)) / 3.0;
  return y;
}

double whalley_wilmott_band(double cost, double price, double gamma, double aversion) noexcept {
  if (!(cost > 0) || !(price > 0) || !(aversion > 0)) return 0;
  return cube_root(1.5 * cost * price * gamma * gamma / aversion);
}

}  // namespace gimbal
