// The venues that can be named in a config, one line each. Adding a venue adds its two headers and
// its line.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "feeds/deribit/decoder.hpp"
#include "venues/deribit/gateway.hpp"
#include "venues/deribit/login.hpp"
#include "venues/deribit/queries.hpp"

namespace gimbal {

struct DeribitVenue {
  static constexpr std::string_view name = "deribit";
  using Feed = deribit::DeribitFeed;
  using Login = deribit::DeribitLogin;
  using Gateway = deribit::DeribitGateway;
  using Queries = deribit::QueryParser;
};

template <class... Venue>
struct VenueList {
  static constexpr std::array<std::string_view, sizeof...(Venue)> names{Venue::name...};
};

using Venues = VenueList<DeribitVenue>;

}  // namespace gimbal
