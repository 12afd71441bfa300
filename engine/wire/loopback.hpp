// Room: engine/wire, cold side. Both ends of one connection inside this process: a socketpair(2),
// TLS 1.3 with a key and a certificate that live as long as the call. There is no address, neither
// to give nor to reach: what comes out cannot be connected to anything but itself. For traffic that
// must never leave the process (the rehearsals of ops/app), and for tests and benches.
#pragma once

#include <memory>
#include <string>

#include "engine/wire/connector.hpp"

namespace gimbal {

struct LoopbackPair {
  std::unique_ptr<Established> client;  // as the Connector makes it: Link::adopt takes it
  std::unique_ptr<Established>
      server;  // its peer; TLS server side, no WebSocket upgrade was spoken
};

// A connected pair, handshake done, chain and name verified by the client, both sockets
// non-blocking. Both pointers null with `error` set on failure. Blocks for the
// handshake only (about a millisecond of CPU; nobody else is waited for).
[[nodiscard]] LoopbackPair make_loopback_pair(std::string& error);

}  // namespace gimbal
