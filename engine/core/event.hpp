// The one input record of the core: 64 bytes, 32 of head and 32 of payload.
//
// Packing (decisions/0001): word 0 holds the sequence number (48 bits), the kind (8) and the flags
// (8); then receive time, exchange time, queue_ns (32), instrument (16), venue (8), part (8).
// A payload over 32 bytes travels as 2-4 consecutive records with the same head but `part`, queued
// and journalled as one unit and applied on the last; what does not fit that is a side block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "engine/core/time.hpp"

namespace gimbal {

inline constexpr std::size_t cache_line_bytes = 64;
inline constexpr std::size_t payload_bytes = 32;
inline constexpr std::size_t event_parts_max = 4;

// Numbers are part of the journal format: append, never reorder.
enum class EventKind : std::uint8_t {
  none = 0,
  boot = 1,
  book_delta = 2,
  book_reset = 3,
  trade = 4,
  ticker = 5,  // 3 parts
  index_price = 6,
  order_ack = 7,
  order_reject = 8,
  fill = 9,  // 3 parts
  order_done = 10,
  position_report = 11,
  margin_report = 12,  // 3 parts
  feed_status = 13,
  gateway_status = 14,
  timer = 15,
  operator_command = 16,  // 2 parts
  config_change = 17,
  instrument_change = 18,
  side_block = 19,
  venue_clock = 20,
  open_order_report = 21,  // 2 parts
  reconcile_mark = 22,
  order_lookup = 23,
  order_sent = 24,
  guardian_status = 25,
  day_carry = 26,
  order_carry = 27,  // 4 parts
};
inline constexpr std::size_t event_kinds = 28;

namespace event_flag {
inline constexpr std::uint8_t last_in_packet = 1;  // the frame ends here: strategies are woken
inline constexpr std::uint8_t kernel_time = 2;     // recv is the kernel's stamp, not ours
inline constexpr std::uint8_t snapshot = 4;        // part of a full picture
inline constexpr std::uint8_t historical = 8;      // learnt by reconciliation, not live
inline constexpr std::uint8_t warm = 16;           // keep-warm traffic: never reaches the core
// Of a margin report: what the venue asks the account by. Neither: it did not say.
inline constexpr std::uint8_t standard_margin = 32;
inline constexpr std::uint8_t portfolio_margin = 64;
}  // namespace event_flag

struct alignas(cache_line_bytes) Event {
  std::uint64_t seq_kind_flags{0};
  RecvTime recv{};
  ExchTime exch{};
  std::uint32_t queue_ns{0};  // time between recv and step, saturating
  InstrumentId instrument{};
  VenueId venue{};
  std::uint8_t part{0x11};  // low nibble: this part (1-based), high nibble: number of parts
  alignas(8) std::byte payload[payload_bytes]{};

  static constexpr std::uint64_t seq_mask = (1ULL << 48) - 1;

  [[nodiscard]] constexpr Seq seq() const noexcept { return {seq_kind_flags & seq_mask}; }
  [[nodiscard]] constexpr EventKind kind() const noexcept {
    return static_cast<EventKind>(static_cast<std::uint8_t>(seq_kind_flags >> 48));
  }
  [[nodiscard]] constexpr std::uint8_t flags() const noexcept {
    return static_cast<std::uint8_t>(seq_kind_flags >> 56);
  }
  [[nodiscard]] constexpr bool has(std::uint8_t flag) const noexcept {
    return (flags() & flag) != 0;
  }
  constexpr void set_seq(Seq s) noexcept {
    seq_kind_flags = (seq_kind_flags & ~seq_mask) | (s.value & seq_mask);
  }
  constexpr void set_kind(EventKind k) noexcept {
    seq_kind_flags = (seq_kind_flags & ~(0xFFULL << 48)) |
                     (static_cast<std::uint64_t>(static_cast<std::uint8_t>(k)) << 48);
  }
  constexpr void add_flag(std::uint8_t flag) noexcept {
    seq_kind_flags |= static_cast<std::uint64_t>(flag) << 56;
  }
  [[nodiscard]] constexpr std::uint8_t part_index() const noexcept { return part & 0x0F; }
  [[nodiscard]] constexpr std::uint8_t part_count() const noexcept { return part >> 4; }
  [[nodiscard]] constexpr bool last_part() const noexcept { return part_index() == part_count(); }

  // The core's now: receive time plus time spent queued.
  [[nodiscard]] constexpr RecvTime now() const noexcept {
    return recv + Nanos{static_cast<std::int64_t>(queue_ns)};
  }

  template <class Payload>
  [[nodiscard]] Payload as() const noexcept {
    static_assert(sizeof(Payload) == payload_bytes && std::is_trivially_copyable_v<Payload>);
    Payload p;
    std::memcpy(&p, payload, payload_bytes);
    return p;
  }
  template <class Payload>
  void put(const Payload& p) noexcept {
    static_assert(sizeof(Payload) == payload_bytes && std::is_trivially_copyable_v<Payload>);
    std::memcpy(payload, &p, payload_bytes);
  }
};
static_assert(sizeof(Event) == cache_line_bytes && alignof(Event) == cache_line_bytes);
static_assert(std::is_trivially_copyable_v<Event>);

// Number of records a payload type needs.
template <class Payload>
inline constexpr std::size_t parts_of = sizeof(Payload) / payload_bytes;

// Writes `payload` as parts_of<Payload> records with the head of `head` into `out`; gives the
// count.
template <class Payload>
std::size_t write_parts(const Event& head, const Payload& payload, Event* out) noexcept {
  constexpr std::size_t parts = parts_of<Payload>;
  static_assert(sizeof(Payload) % payload_bytes == 0 && parts >= 1 && parts <= event_parts_max);
  static_assert(std::is_trivially_copyable_v<Payload>);
  const auto* bytes = reinterpret_cast<const std::byte*>(&payload);
  for (std::size_t i = 0; i < parts; ++i) {
    out[i] = head;
    out[i].part = static_cast<std::uint8_t>((parts << 4) | (i + 1));
    std::memcpy(out[i].payload, bytes + i * payload_bytes, payload_bytes);
  }
  return parts;
}

// Collects the parts of one payload; complete after the last one. Wrong order starts over.
template <class Payload>
class PartsBuffer {
 public:
  // True when `event` completed the payload.
  bool add(const Event& event) noexcept {
    constexpr std::size_t parts = parts_of<Payload>;
    if (event.part_count() != parts || event.part_index() != next_) {
      next_ = 1;
      if (event.part_count() != parts || event.part_index() != 1) return false;
    }
    std::memcpy(reinterpret_cast<std::byte*>(&value_) + (next_ - 1) * payload_bytes, event.payload,
                payload_bytes);
    next_ = static_cast<std::uint8_t>(next_ + 1);
    if (next_ <= parts) return false;
    next_ = 1;
    return true;
  }
  [[nodiscard]] const Payload& value() const noexcept { return value_; }

 private:
  Payload value_{};
  std::uint8_t next_{1};
};

}  // namespace gimbal
