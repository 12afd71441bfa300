// A risk module's side block, whatever its bytes are: never believed longer than the config says,
// never a cap from a block that was refused.
#include <cstdlib>

#include "engine/core/risk/envelope_book.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace gimbal;
  static const InstrumentTable table{8};
  static const Portfolio portfolio{table, PortfolioConfig{}, scalar_pricing()};
  ModuleSetups modules;
  modules[0] = {true, true, milliseconds(500)};
  EnvelopeBook book{modules, 8};
  const RecvTime now{1'000'000'000};
  (void)book.take({reinterpret_cast<const std::byte*>(data), size}, now, portfolio, 4);
  const ModuleSeat& seat = book.seats()[0];
  if (seat.until > now + milliseconds(500)) std::abort();
  if (seat.taken == 0 && book.cap(InstrumentId{0}) != EnvelopeCap{}) std::abort();
  if (seat.taken == 0 && !book.late(now)) std::abort();
  return 0;
}
