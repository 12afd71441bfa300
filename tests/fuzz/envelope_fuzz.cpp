// A risk module's side blocks, whatever their bytes are: never believed longer than the config
// says, never a cap from a block that was refused, never more than a row says.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "engine/core/risk/envelope_book.hpp"

namespace {

using namespace gimbal;

constexpr std::size_t instruments = 4;

struct Run {
  InstrumentTable table{8};
  Portfolio portfolio{table, PortfolioConfig{}, scalar_pricing()};
  ModuleSetups modules{{{true, true, milliseconds(500)}, {true, false, milliseconds(500)}}};
  EnvelopeBook book{modules, 8};
  RecvTime now{1'000'000'000};

  // What the book was told before stays when a block is refused.
  void take(std::span<const std::byte> block) {
    const auto before = book.seats();
    std::array<EnvelopeCap, instruments> caps;
    for (std::uint16_t i = 0; i < instruments; ++i) caps[i] = book.cap(InstrumentId{i});
    (void)book.take(block, now, portfolio, instruments);
    std::uint64_t taken = 0;
    for (std::size_t m = 0; m < book.size(); ++m) {
      const ModuleSeat& seat = book.seats()[m];
      if (seat.until > now + milliseconds(500)) std::abort();
      if (seat.refused != before[m].refused && !book.late(now)) std::abort();
      taken += seat.taken - before[m].taken;
    }
    if (book.seats()[0].taken == 0 && !book.late(now)) std::abort();
    if (taken != 0) return hold(block);
    for (std::uint16_t i = 0; i < instruments; ++i) {
      if (book.cap(InstrumentId{i}) != caps[i]) std::abort();
    }
  }
  // Every position is zero.
  void hold(std::span<const std::byte> block) const {
    for (std::size_t at = sizeof(EnvelopeHead); at < block.size(); at += sizeof(EnvelopeRow)) {
      EnvelopeRow row;
      std::memcpy(static_cast<void*>(&row), block.data() + at, sizeof row);
      const EnvelopeCap& cap = book.cap(row.instrument);
      if (cap.ceiling > row.buy_max.nano || (row.veto & ~cap.veto) != 0) std::abort();
      if (row.sell_max != no_opinion && cap.floor < -row.sell_max.nano) std::abort();
    }
  }
};

}  // namespace

// Blocks one after the other, each behind a byte that says how long it is (in 8 bytes) and one that
// moves the clock and a position.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  Run run;
  std::uint64_t seq = 0;
  while (size >= 2) {
    const std::size_t length = std::min<std::size_t>(data[0] * std::size_t{8}, size - 2);
    const unsigned step = data[1];
    run.now = run.now + milliseconds(step);
    const Qty before{static_cast<std::int64_t>(step) * 1'000'000'000 - 100'000'000'000};
    run.book.moved(InstrumentId{static_cast<std::uint16_t>(step % 6)}, ++seq, before);
    run.take({reinterpret_cast<const std::byte*>(data + 2), length});
    data += 2 + length;
    size -= 2 + length;
  }
  return 0;
}
