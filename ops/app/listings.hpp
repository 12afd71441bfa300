// What has changed between the instruments that the bot knows and the venue's newest list: new
// ones within the budget of each [[underlying]], other terms, ended ones. A pure comparison; the
// bot carries the steps out (bot_listings.cpp). Room: ops/app. Cold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/time.hpp"
#include "feeds/deribit/instruments.hpp"
#include "ops/app/config.hpp"
#include "ops/app/instrument_picture.hpp"
#include "ops/app/universe.hpp"

namespace gimbal {

enum class ListingStep : std::uint8_t {
  listed,     // new: adopt, then subscribe
  redefined,  // invalidate, then adopt
  closed,     // no longer listed before its expiry: invalidate
  settled,    // no longer listed after its expiry
};

struct ListingChange {
  ListingStep step{ListingStep::listed};
  InstrumentId instrument{};   // not of `listed`
  std::size_t member{0};       // listed: index of its [[underlying]]
  deribit::InstrumentRow row;  // listed and redefined
};

struct ListingCounters {
  std::uint64_t refreshes{0};
  std::uint64_t listed{0};
  std::uint64_t redefined{0};
  std::uint64_t closed{0};
  std::uint64_t settled{0};
  std::uint64_t over_budget{0};  // new rows of the newest list that option_instruments_max left out
};

class Listings {
 public:
  // The feed told the core that the instrument is closed; it is open again when a list that was
  // begun after `at` shows it. Ended ones are marked in the universe's table instead.
  void suspect(InstrumentId id, RecvTime at);

  // New options come nearest expiry first. Settled instruments are left alone for good.
  [[nodiscard]] std::vector<ListingChange> compare(const std::vector<UnderlyingConfig>& config,
                                                   const Universe& universe, ExchTime now,
                                                   const InstrumentPicture& picture);
  [[nodiscard]] ListingCounters& counters() noexcept { return counters_; }

 private:
  struct Suspect {
    InstrumentId id{};
    RecvTime at{};
  };
  void compare_known(InstrumentId id, const deribit::InstrumentRow& row, const Universe& universe,
                     RecvTime begun, std::vector<ListingChange>& out);
  void add_new(std::size_t member, const UnderlyingConfig& config, const Universe& universe,
               std::vector<const deribit::InstrumentRow*> rows, std::vector<ListingChange>& out);

  std::vector<Suspect> suspects_;
  ListingCounters counters_{};
};

}  // namespace gimbal
