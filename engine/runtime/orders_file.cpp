#include "engine/runtime/orders_file.hpp"

#include <limits>
#include <string_view>

#include "engine/runtime/crc32c.hpp"
#include "engine/runtime/latch.hpp"
#include "engine/runtime/packed_bytes.hpp"

namespace gimbal {
namespace {

constexpr std::uint64_t orders_magic = 0x3130524F4442474DULL;  // "MGBDOR01"

void put_text(std::string& out, const std::string& text) {
  const std::string kept = text.substr(0, orders_name_max);
  put_bytes(out, static_cast<std::uint8_t>(kept.size()));
  out += kept;
}

bool get_text(std::string_view& in, std::string& text) {
  std::uint8_t bytes = 0;
  if (!get_bytes(in, bytes) || bytes > orders_name_max || bytes > in.size()) return false;
  text.assign(in.substr(0, bytes));
  in.remove_prefix(bytes);
  return true;
}

bool get_order(std::string_view& in, std::size_t names, std::uint32_t version, KeptOrder& o) {
  std::uint16_t trades = 0;
  if (!get_bytes(in, o.instrument) || !get_bytes(in, o.terms)) return false;
  // Not told before version 3: then no acknowledgement changes the terms, the larger amount holds.
  o.updated = ExchTime{std::numeric_limits<std::int64_t>::max()};
  if (version > 2 && !get_bytes(in, o.updated)) return false;
  if (!get_bytes(in, trades)) return false;
  if (o.instrument.value >= names || !o.terms.order.valid() || trades > kept_trades_max) {
    return false;
  }
  o.trades.resize(trades);
  for (TradeId& t : o.trades) {
    if (!get_bytes(in, t)) return false;
  }
  return true;
}

bool get_orders(std::string_view& in, std::uint32_t version, OrdersRecord& r) {
  std::uint32_t names = 0, orders = 0;
  if (!get_text(in, r.account) || !get_bytes(in, r.epoch) || !get_bytes(in, r.tag) ||
      !get_bytes(in, r.seq)) {
    return false;
  }
  if (version > 1 && (!get_bytes(in, r.place.segment) || !get_bytes(in, r.place.offset))) {
    return false;
  }
  if (!get_bytes(in, names) || names > orders_names_max) return false;
  for (std::uint32_t n = 0; n < names; ++n) {
    if (!get_text(in, r.names.emplace_back())) return false;
  }
  if (!get_bytes(in, orders) || orders > kept_orders_max) return false;
  for (std::uint32_t n = 0; n < orders; ++n) {
    if (!get_order(in, names, version, r.orders.emplace_back())) return false;
  }
  return true;
}

OrdersFileContent not_usable(std::string why) {
  return OrdersFileContent{OrdersFileKind::unusable, {}, std::move(why)};
}

}  // namespace

std::string encode_orders(const OrdersRecord& r) {
  std::string out;
  put_bytes(out, orders_magic);
  put_bytes(out, orders_file_version);
  put_text(out, r.account);
  put_bytes(out, r.epoch);
  put_bytes(out, r.tag);
  put_bytes(out, r.seq);
  put_bytes(out, r.place.segment);
  put_bytes(out, r.place.offset);
  put_bytes(out, static_cast<std::uint32_t>(r.names.size()));
  for (const std::string& name : r.names) put_text(out, name);
  put_bytes(out, static_cast<std::uint32_t>(r.orders.size()));
  for (const KeptOrder& o : r.orders) {
    put_bytes(out, o.instrument);
    put_bytes(out, o.terms);
    put_bytes(out, o.updated);
    put_bytes(out, static_cast<std::uint16_t>(o.trades.size()));
    for (const TradeId& t : o.trades) put_bytes(out, t);
  }
  put_bytes(out, crc32c(out.data(), out.size()));
  return out;
}

OrdersFileContent parse_orders(const std::string& bytes) {
  std::uint64_t magic = 0;
  std::uint32_t version = 0, crc = 0;
  if (bytes.size() < sizeof magic + sizeof version + sizeof crc) return not_usable("it is cut");
  const std::size_t body = bytes.size() - sizeof crc;
  std::string_view tail = std::string_view{bytes}.substr(body);
  if (!get_bytes(tail, crc) || crc != crc32c(bytes.data(), body)) {
    return not_usable("its checksum differs");
  }
  std::string_view in = std::string_view{bytes}.substr(0, body);
  if (!get_bytes(in, magic) || magic != orders_magic) return not_usable("it holds something else");
  if (!get_bytes(in, version) || version < orders_file_version_min ||
      version > orders_file_version) {
    return not_usable("its format version is " + std::to_string(version) + ", this build reads " +
                      std::to_string(orders_file_version_min) + " to " +
                      std::to_string(orders_file_version));
  }
  OrdersFileContent content;
  content.kind = OrdersFileKind::sound;
  if (!get_orders(in, version, content.record)) return not_usable("its content makes no sense");
  if (!in.empty()) return not_usable("it has bytes too many");
  return content;
}

OrdersFileContent load_orders(const std::string& path) {
  std::string bytes;
  bool missing = false;
  if (const Outcome read = read_small_file(path, bytes, missing); !read) {
    return missing ? OrdersFileContent{} : not_usable(read.error());
  }
  OrdersFileContent content = parse_orders(bytes);
  if (content.kind == OrdersFileKind::unusable) content.error = path + ": " + content.error;
  return content;
}

}  // namespace gimbal
