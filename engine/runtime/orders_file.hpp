// The orders of a boot that may still live (order_log.hpp) in the state directory, with the place
// in the journal up to which it is true: the boot after reads the journal from there on.
// The place is an event's number and, so that nothing before it has to be read, a segment's number
// and an offset. Instruments are kept by name beside the numbers that the journal uses. Cold.
//
// Layout, little endian: magic (8), format version (4), the record, CRC-32C of all before it (4).
// Written as a whole through replace_file: a cut at any byte leaves the old or the new content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/runtime/journal_place.hpp"
#include "engine/runtime/order_log.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

inline constexpr std::uint32_t orders_file_version = 3;
// 1 has no `place`, 2 no time of an order's terms; both are read.
inline constexpr std::uint32_t orders_file_version_min = 1;
inline constexpr std::size_t orders_name_max = 100;     // bytes of a name
inline constexpr std::size_t orders_names_max = 65535;  // instruments

struct OrdersRecord {
  std::string account;             // whose orders they are
  std::uint32_t epoch{0};          // boot that wrote them
  std::uint32_t tag{0};            // config hash in that boot's labels
  Seq seq{};                       // of the journal's last event that is in them
  JournalPlace place{};            // behind that event, where it is known
  std::vector<std::string> names;  // of the instruments, by the journal's numbers
  std::vector<KeptOrder> orders;
};

enum class OrdersFileKind : std::uint8_t {
  missing,   // none was written, or somebody removed it
  sound,     // `record` holds
  unusable,  // `error` says why
};

struct OrdersFileContent {
  OrdersFileKind kind{OrdersFileKind::missing};
  OrdersRecord record{};
  std::string error{};
};

[[nodiscard]] std::string encode_orders(const OrdersRecord& record);
// Anything but exactly what encode_orders makes is unusable.
[[nodiscard]] OrdersFileContent parse_orders(const std::string& bytes);

// Never fails: see OrdersFileKind. Errors name the file.
[[nodiscard]] OrdersFileContent load_orders(const std::string& path);

}  // namespace gimbal
