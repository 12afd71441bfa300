// Listens for the bot's heartbeats on another host and says when they have stopped (controls,
// K-05). Room: ops/guardian. One thread; never blocks.
#pragma once

#include <cstdint>
#include <string>

#include "engine/core/time.hpp"
#include "engine/runtime/beat.hpp"
#include "engine/runtime/outcome.hpp"
#include "ops/app/off_host_beat.hpp"

namespace gimbal::guardian {

struct ListenerCounters {
  std::uint64_t valid{0};
  std::uint64_t forged{0};    // wrong size, MAC, version or account
  std::uint64_t replayed{0};  // authentic, but with another nonce or not newer
};

class BeatListener {
 public:
  static constexpr Nanos gap_max = milliseconds(50);

  struct Setup {
    std::string listen;  // "ADDRESS:PORT"
    Nanos miss{seconds(2)};
    std::uint64_t account{0};
  };

  BeatListener(Setup setup, Secret key) : setup_{std::move(setup)}, key_{std::move(key)} {}
  ~BeatListener();
  BeatListener(const BeatListener&) = delete;
  BeatListener& operator=(const BeatListener&) = delete;

  [[nodiscard]] Outcome open();
  // Takes what came and answers it. `ready`: this watcher could cancel now; `fires`: how often it
  // has fired, so that a bot that lives hears of it.
  void poll(RecvTime now, bool ready, std::uint64_t fires) noexcept;
  // One datagram, as poll() would take it; true when it counted. For tests.
  bool take(std::span<const std::uint8_t> bytes, RecvTime now) noexcept;
  // True once for each silence longer than `miss` of a bot that ran and did not leave in order.
  [[nodiscard]] bool take_silence(RecvTime now) noexcept;

  [[nodiscard]] bool watching() const noexcept { return watching_; }
  [[nodiscard]] Nanos silent() const noexcept { return silence_.silent(); }
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  // Low half of the venue's number of the bot's account; 0 while unknown.
  [[nodiscard]] std::uint32_t venue_account() const noexcept { return venue_account_; }
  [[nodiscard]] const ListenerCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
  [[nodiscard]] const BeatNonce& nonce() const noexcept { return nonce_; }

 private:
  Setup setup_;
  Secret key_;
  int fd_{-1};
  std::uint16_t port_{0};
  BeatNonce nonce_{};
  bool watching_{false};
  std::uint32_t epoch_{0};
  std::uint32_t venue_account_{0};
  std::uint64_t sequence_{0};
  std::uint64_t sent_{0};
  SilenceWatch silence_{gap_max};
  ListenerCounters counters_;
};

}  // namespace gimbal::guardian
