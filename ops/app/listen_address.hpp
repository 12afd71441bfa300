// Where to listen, as the config names it. Room: ops/app. Cold.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace gimbal {

// "127.0.0.1:9464" or "[::1]:9464"; port 0 takes a free one. False when it is neither.
struct ListenAddress {
  std::string host;
  std::uint16_t port{0};
  [[nodiscard]] bool loopback() const noexcept;
};
[[nodiscard]] bool parse_listen(std::string_view text, ListenAddress& out);
// The address for bind(2); false when host is no IP literal.
[[nodiscard]] bool make_address(const ListenAddress& from, sockaddr_storage& out, socklen_t& size);

}  // namespace gimbal
