// Room: engine/wire, cold side, private to the room. A connected and (for TLS) verified stream with
// a deadline on every step; waits in poll(2) only. Used by the Connector and the HttpsClient.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "engine/wire/connector.hpp"

namespace gimbal {

using Deadline = std::chrono::steady_clock::time_point;

// Resolve, connect, handshake. nullptr with `failure` set.
std::unique_ptr<Established> open_stream(const std::shared_ptr<TlsContext>& context,
                                         const Endpoint& endpoint, Deadline deadline,
                                         ConnectFailure& failure);

enum class StreamStatus : std::uint8_t {
  ok,
  closed,  // the peer said so: close_notify, or the end of a plaintext stream
  cut,     // TCP ended under TLS without close_notify: what came may be truncated
  timed_out,
  failed,
};

// Encrypts and sends all of `data`; `error` says what went wrong.
StreamStatus send_all(Established& stream, std::span<const char> data, Deadline deadline,
                      std::string& error);
// Waits for at least one byte of plaintext and returns what is there, at most `into`.
StreamStatus receive_some(Established& stream, std::span<char> into, std::size_t& got,
                          Deadline deadline, std::string& error);

}  // namespace gimbal
