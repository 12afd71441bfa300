// Envelopes of risk modules as the bodies of side blocks.
#pragma once

#include <cstddef>
#include <cstring>
#include <vector>

#include "engine/core/risk/envelope.hpp"
#include "tests/support/engine_world.hpp"

namespace gimbal::test {

inline std::vector<std::byte> bytes_of(EnvelopeHead head, const std::vector<EnvelopeRow>& rows) {
  head.rows = static_cast<std::uint16_t>(rows.size());
  std::vector<std::byte> bytes(sizeof head + rows.size() * sizeof(EnvelopeRow));
  std::memcpy(bytes.data(), &head, sizeof head);
  if (!rows.empty()) {
    std::memcpy(bytes.data() + sizeof head, rows.data(), rows.size() * sizeof(EnvelopeRow));
  }
  return bytes;
}

inline EnvelopeRow row(InstrumentId id, double buy, double sell, std::uint8_t veto = 0) {
  EnvelopeRow r;
  r.instrument = id;
  r.veto = veto;
  if (buy >= 0) r.buy_max = amount(buy);
  if (sell >= 0) r.sell_max = amount(sell);
  return r;
}

}  // namespace gimbal::test
