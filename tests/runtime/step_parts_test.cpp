// A core that decides in two parts, as Engine does: what the first asks for is with the sink before
// the second is computed, and both are journalled and counted as one step.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/runtime/sequencer.hpp"
#include "tests/runtime/journal_builder.hpp"

namespace gimbal {
namespace {

using PartsLog = std::vector<std::string>;

Command cancel_numbered(std::uint64_t n) {
  return Command{CancelOrder{OrderId{n}, InstrumentId{}, VenueId{}}};
}

struct TwoPartCore {
  PartsLog* log;
  void step(const Event&, Commands& out) noexcept {
    log->push_back("first");
    (void)out.push(cancel_numbered(1));
  }
  void rest(Commands& out) noexcept {
    log->push_back("rest after " + std::to_string(out.size()));
    (void)out.push(cancel_numbered(2));
  }
};

struct NotingSink {
  PartsLog* log;
  void command(Command&& c) noexcept {
    const Command taken{std::move(c)};
    log->push_back("out " + std::to_string(taken.cancel().order.value));
  }
  void fault(SequencerFault) noexcept {}
};

struct NotingJournal {
  PartsLog* log;
  bool append(const Event*, std::size_t) noexcept {
    log->push_back("journal");
    return true;
  }
  bool append_side_block(const SideBlockRef&) noexcept { return true; }
  bool append_digest(const DigestRecord&) noexcept { return true; }
};

struct StillClock {
  [[nodiscard]] RecvTime now() const noexcept { return RecvTime{1000}; }
};

TEST(StepParts, CommandsOfTheFirstLeaveBeforeTheRestIsComputed) {
  PartsLog log;
  TwoPartCore core{&log};
  NotingSink sink{&log};
  NotingJournal journal{&log};
  const StillClock clock;
  Counters counters{"parts"};
  Sequencer<TwoPartCore, NotingSink, NotingJournal, StillClock> sequencer{
      SequencerConfig{}, core, sink, journal, clock, counters, nullptr};
  sequencer.submit(test::trade_event(0, 1));
  EXPECT_EQ(log, (PartsLog{"journal", "first", "out 1", "rest after 1", "out 2"}));
}

}  // namespace
}  // namespace gimbal
