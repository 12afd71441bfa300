// Room: engine/wire, cold side, private to the room. Writing request heads without letting a header
// value start a second request, and quoting a peer's text in an error without its control bytes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "engine/wire/connector.hpp"

namespace gimbal {

inline bool visible(char c) noexcept { return c > ' ' && c != 0x7F; }

inline bool clean_target(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), visible);
}

inline bool clean_value(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == ' ' || c == '\t' || visible(c); });
}

inline bool clean_name(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return visible(c) && std::string_view{"()<>@,;:\\\"/[]?={}"}.find(c) == std::string_view::npos;
  });
}

inline std::string printable(std::string_view text) {
  constexpr std::size_t shown_max = 80;
  std::string out{text.substr(0, shown_max)};
  for (char& c : out) {
    if (c != ' ' && !visible(c)) c = '?';
  }
  return out;
}

inline std::string host_field(const Endpoint& endpoint) {
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  std::string out = v6 ? "[" + endpoint.host + "]" : endpoint.host;
  const std::uint16_t usual = endpoint.transport == Transport::tls ? 443 : 80;
  if (endpoint.port != usual) out += ":" + std::to_string(endpoint.port);
  return out;
}

inline bool append_headers(const HttpHeaders& headers, std::string& out, std::string& error) {
  for (const auto& [name, value] : headers) {
    if (!clean_name(name) || !clean_value(value)) {
      error = "header '" + printable(name) + "' has a name or value with forbidden characters";
      return false;
    }
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
  return true;
}

}  // namespace gimbal
