// The orders file of the state directory, whatever its bytes are: what is taken is exactly what
// would be written again (of an older version: as what it says), and within the limits that the
// core relies on.
#include <cstdlib>
#include <string>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/orders_file.hpp"

namespace {

using namespace gimbal;

void judge(const std::string& bytes) {
  const OrdersFileContent found = parse_orders(bytes);
  if (found.kind == OrdersFileKind::missing) std::abort();
  if (found.kind == OrdersFileKind::unusable) {
    if (found.error.empty() || !found.record.orders.empty()) std::abort();
    return;
  }
  // Of an older version, what would be written is read as the same.
  const std::string again = encode_orders(found.record);
  const bool newest = bytes[8] == static_cast<char>(orders_file_version);
  if (newest && again != bytes) std::abort();
  if (encode_orders(parse_orders(again).record) != again) std::abort();
  if (found.record.orders.size() > kept_orders_max) std::abort();
  for (const KeptOrder& o : found.record.orders) {
    if (o.instrument.value >= found.record.names.size()) std::abort();
    if (o.trades.size() > kept_trades_max) std::abort();
  }
}

}  // namespace

// As it is, and under a checksum that holds.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string bytes{reinterpret_cast<const char*>(data), size};
  judge(bytes);
  const std::uint32_t crc = crc32c(bytes.data(), bytes.size());
  bytes.append(reinterpret_cast<const char*>(&crc), sizeof crc);
  judge(bytes);
  return 0;
}
