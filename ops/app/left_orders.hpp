// What the boots before left of orders that may still live: the newest snapshot in
// STATE_DIR/orders, what its boot's journal has behind it, and the whole journals of later boots
// that could not keep their orders. Room: ops/app. Cold.
//
// A file or a journal that cannot be used never keeps the bot down and is no reason to refuse an
// arm: then the venue's picture alone says what there is, and `trouble` says so.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/runtime/journal_tail.hpp"
#include "engine/runtime/order_log.hpp"

namespace gimbal {

class GatePage;

struct LeftOrders {
  std::uint32_t epoch{0};        // of the boot that wrote the snapshot; 0: nothing was found
  std::size_t snapshot{0};       // orders in it
  std::uint64_t events{0};       // of the journals behind it
  std::uint64_t gaps{0};         // events that those lost on their way
  std::uint64_t searched{0};     // bytes that were read to come to the snapshot's place
  std::uint64_t later_boots{0};  // read behind the snapshot's own
  std::vector<KeptOrder> orders{};
  std::vector<std::string> names{};  // by the numbers in `orders`
  std::string trouble{};             // why less is known than there was, all reasons
};

struct LeftPlaces {
  std::string orders;      // the file
  std::string account;     // whose it has to be
  std::string journal;     // the directory
  std::uint32_t epoch{0};  // of the boot that reads: only earlier ones count
};

// Never fails.
[[nodiscard]] LeftOrders read_left_orders(const LeftPlaces& places, const TailLimits& limits);

// The guardian cancels what may live, too: an order is listed for it when the core took `unit`, its
// order_carry, and not when it was refused. False when the list has no slot.
bool list_carried(GatePage& gate, const OrderTable& orders, std::span<const Event> unit);

}  // namespace gimbal
