#include "ops/app/listen_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>

namespace gimbal {

bool make_address(const ListenAddress& from, sockaddr_storage& out, socklen_t& size) {
  auto* four = reinterpret_cast<sockaddr_in*>(&out);
  if (::inet_pton(AF_INET, from.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(from.port);
    size = sizeof *four;
    return true;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&out);
  if (::inet_pton(AF_INET6, from.host.c_str(), &six->sin6_addr) != 1) return false;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(from.port);
  size = sizeof *six;
  return true;
}

bool ListenAddress::loopback() const noexcept {
  return host == "::1" || host.rfind("127.", 0) == 0;
}

bool parse_listen(std::string_view text, ListenAddress& out) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc{} || end != port.data() + port.size()) return false;
  out.host = host;
  sockaddr_storage address{};
  socklen_t size = 0;
  return make_address(out, address, size);
}

}  // namespace gimbal
