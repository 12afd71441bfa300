// Room venues/sim. A seeded schedule of trouble for a link: every decision is a pure function of
// (seed, stream, ordinal), so a dialect or a door applies it with no state but a counter.
#pragma once

#include <cstdint>

#include "engine/core/time.hpp"

namespace gimbal::sim {

// Probabilities are per frame (or per order request), 0 to 1.
struct FaultConfig {
  std::uint64_t seed{1};
  Nanos latency{0};        // added to each outgoing frame
  Nanos jitter{0};         // uniform extra, 0 to jitter
  double drop{0};          // the frame never leaves
  double duplicate{0};     // it is sent twice
  double gap{0};           // a book change is swallowed: the chain breaks
  double reorder{0};       // it is held back behind its successor
  double malformed{0};     // its text is cut or garbled
  double disconnect{0};    // the connection is cut instead
  double reject{0};        // an order request is refused with reject_code
  int reject_code{10040};  // retry
  double throttle{0};      // an order request is answered 10028
  double ack_lost{0};      // the order is taken, its reply is not sent
  double fill_lost{0};     // a user trade notification is not sent
};

enum class FrameKind : std::uint8_t { reply, book, market, user };
enum class FrameFault : std::uint8_t { none, drop, duplicate, gap, reorder, malformed, disconnect };
enum class RequestFault : std::uint8_t { none, reject, throttle, ack_lost };

class FaultSchedule {
 public:
  // Throws std::invalid_argument naming the probability that is outside 0..1.
  explicit FaultSchedule(const FaultConfig& config);
  [[nodiscard]] const FaultConfig& config() const noexcept { return config_; }

  // `stream` tells connections (or directions) apart; `ordinal` counts their frames.
  [[nodiscard]] FrameFault frame(FrameKind kind, std::uint64_t stream,
                                 std::uint64_t ordinal) const noexcept;
  [[nodiscard]] RequestFault request(std::uint64_t stream, std::uint64_t ordinal) const noexcept;
  [[nodiscard]] bool fill_lost(std::uint64_t stream, std::uint64_t ordinal) const noexcept;
  [[nodiscard]] Nanos latency(std::uint64_t stream, std::uint64_t ordinal) const noexcept;
  // Where to damage a frame of `size` bytes: a position below size (0 when size is 0).
  [[nodiscard]] std::uint64_t damage_at(std::uint64_t stream, std::uint64_t ordinal,
                                        std::uint64_t size) const noexcept;

 private:
  FaultConfig config_;
};

}  // namespace gimbal::sim
