// A feed connection of the tester's bot.
#pragma once

#include <vector>

#include "engine/wire/reconnect.hpp"
#include "feeds/decoder.hpp"
#include "tests/simtest/bot.hpp"
#include "venues/deribit/login.hpp"

namespace gimbal::simtest {

struct Bot::FeedLane {
  using Feed = WithLogin<deribit::DeribitFeed, deribit::DeribitLogin>;

  FeedLane(Lane which, const Universe& universe, bool lists_change, deribit::LoginConfig login,
           std::uint64_t seed);

  Lane lane;
  Feed feed;
  std::vector<InstrumentId> books;
  ReconnectPolicy policy;
  EventBatch batch{8192};
  Outbox outbox{1u << 16, 128};
  bool up{false};
  RecvTime heard{};
  RecvTime due{};
  std::vector<InstrumentId> resyncs;
  std::uint64_t listings{0};  // messages that something is listed
};

}  // namespace gimbal::simtest
