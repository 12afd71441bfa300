#include "engine/core/risk/envelope.hpp"

namespace gimbal {
namespace {

EnvelopeFault fault_of(const EnvelopeRow& row) noexcept {
  if ((row.veto & ~module_veto::known) != 0) return EnvelopeFault::veto;
  if (row.buy_max.nano < 0 || row.sell_max.nano < 0) return EnvelopeFault::amount;
  for (const std::uint8_t byte : row.reserved) {
    if (byte != 0) return EnvelopeFault::reserved;
  }
  return EnvelopeFault::none;
}

}  // namespace

EnvelopeFault fault_of(const EnvelopeHead& head, std::span<const EnvelopeRow> rows, RecvTime now,
                       RecvTime before, std::size_t instruments) noexcept {
  if (head.form != envelope_form) return EnvelopeFault::form;
  if (rows.size() > envelope_rows_max) return EnvelopeFault::rows;
  if (rows.size() != head.rows) return EnvelopeFault::size;
  if (head.made > now || head.made <= before) return EnvelopeFault::made;
  if (head.ttl.count <= 0) return EnvelopeFault::ttl;
  if (head.reserved != 0) return EnvelopeFault::reserved;
  if (const EnvelopeFault f = fault_of(head.others); f != EnvelopeFault::none) return f;
  for (std::size_t n = 0; n < rows.size(); ++n) {
    if (rows[n].instrument.value >= instruments) return EnvelopeFault::instrument;
    if (n > 0 && rows[n].instrument <= rows[n - 1].instrument) return EnvelopeFault::order;
    if (const EnvelopeFault f = fault_of(rows[n]); f != EnvelopeFault::none) return f;
  }
  return EnvelopeFault::none;
}

}  // namespace gimbal
