// Where Deribit lives. Room: venues (cold). The simulated exchange's address comes from the config.
#pragma once

#include <cstdint>
#include <string_view>

namespace gimbal::deribit {

struct DeribitEnvironment {
  std::string_view host;
  std::uint16_t port{443};
  std::string_view path{"/ws/api/v2"};    // WebSocket
  std::string_view http_path{"/api/v2"};  // JSON-RPC over HTTPS: POST, or GET .../METHOD
  std::string_view ca{};                  // CA file; empty: the system's store
};

inline constexpr DeribitEnvironment live_environment{"www.deribit.com"};
inline constexpr DeribitEnvironment test_environment{"test.deribit.com"};

}  // namespace gimbal::deribit
