// A Deribit gateway with short ways to its texts and events.
#pragma once

#include "tests/venues/deribit_gateway_rig.hpp"

namespace gimbal::test {

struct DeribitGateway : testing::Test, DeribitGatewayRig {
  OrderId order = make_order_id(7, StrategyId{1}, 42);
  std::array<char, encoded_order_max> bytes{};

  template <class Payload>
  std::vector<Payload> found(EventKind kind) {
    std::vector<Payload> out;
    PartsBuffer<Payload> parts;
    for (const Event& e : batch.committed()) {
      if (e.kind() == kind && parts.add(e)) out.push_back(parts.value());
    }
    return out;
  }
  std::vector<EventKind> kinds() {
    std::vector<EventKind> out;
    for (const Event& e : batch.committed()) {
      if (e.last_part()) out.push_back(e.kind());
    }
    return out;
  }
  std::string encoded(const Encoded& e) {
    EXPECT_TRUE(e.ok());
    return {bytes.data(), e.bytes};
  }
  std::string placed(std::uint8_t flags = 0) {
    return encoded(gateway().encode(place(order, usd(50000.5), amount(120), flags), now, bytes));
  }
};

}  // namespace gimbal::test
