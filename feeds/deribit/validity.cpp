// Which channels may be used, and what the core is told of it: the cold half of DeribitFeed.
#include "feeds/deribit/feed_state.hpp"

namespace gimbal::deribit {

void DeribitFeed::State::status(InstrumentId id, FeedState state, FeedReason reason,
                                const FeedCall& call, std::uint64_t expected,
                                std::uint64_t found) noexcept {
  if (call.batch == nullptr) return;
  FeedStatus s;
  s.state = state;
  s.reason = reason;
  s.expected = expected;
  s.found = found;
  s.generation = generation;
  (void)call.batch->push(make_event(EventKind::feed_status, config.venue, id, call.now, {}, s));
}

void DeribitFeed::State::mark_bad(Channel& channel) noexcept {
  channel.has_snapshot = false;
  if (channel.bad) return;
  channel.bad = true;
  if (channel.instrument.valid()) ++bad_channels[channel.instrument.value];
}

void DeribitFeed::State::mark_all_bad() noexcept {
  for (Channel& channel : table.all()) {
    if (channel.instrument.valid()) mark_bad(channel);
  }
}

void DeribitFeed::State::lose(Channel& channel, FeedReason reason, const FeedCall& call,
                              std::uint64_t expected, std::uint64_t found) noexcept {
  mark_bad(channel);
  if (!channel.instrument.valid()) mark_all_bad();
  status(channel.instrument, FeedState::invalid, reason, call, expected, found);
}

void DeribitFeed::State::recover(Channel& channel, const FeedCall& call) noexcept {
  if (!channel.bad) return;
  channel.bad = false;
  const FeedReason reason = channel.was_valid ? FeedReason::resynced : FeedReason::connected;
  channel.was_valid = true;
  if (!channel.instrument.valid()) return;
  if (--bad_channels[channel.instrument.value] == 0) {
    status(channel.instrument, FeedState::valid, reason, call);
  }
}

}  // namespace gimbal::deribit
