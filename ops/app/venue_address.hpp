// Where a configured account lives, and the tag its order labels carry. Room: ops/app. Cold.
#pragma once

#include <cctype>
#include <string>

#include "engine/wire/connector.hpp"
#include "ops/app/config.hpp"
#include "venues/deribit/labels.hpp"

namespace gimbal {

// The account's name as a label tag: its letters and digits, lower case, cut to the tag's length.
inline std::string tag_of(const std::string& account) {
  std::string tag;
  for (const char c : account) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 && tag.size() < deribit::label_tag_max) {
      tag += static_cast<char>(std::tolower(u));
    }
  }
  return tag;
}

// What an off-host heartbeat is about, the same on both hosts: "VENUE/ACCOUNT/ENVIRONMENT".
inline std::string account_text(const VenueConfig& v) {
  return v.name + "/" + v.account + "/" + std::to_string(static_cast<int>(v.environment));
}

inline Endpoint endpoint_of(const VenueConfig& venue, const std::string& path) {
  Endpoint e;
  e.host = venue.host;
  e.port = venue.port;
  e.path = path;
  e.headers = {{"User-Agent", "gimbal"}};
  return e;
}

}  // namespace gimbal
