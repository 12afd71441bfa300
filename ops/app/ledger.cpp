#include "ops/app/ledger.hpp"

namespace gimbal {

bool FillLedger::book(const Fill& fill, InstrumentId instrument) {
  if (!table_.contains(instrument)) return false;
  if (fill.trade.valid() && !seen_.insert(fill.trade).second) {
    ++duplicates_;
    return false;
  }
  const Instrument& i = table_[instrument];
  CostLine& line = lines_[std::string{i.settlement.text()}];
  ++line.fills;
  if (fill.fee.nano != absent_nano) line.fees += fill.fee;
  const Qty amount = signed_qty(fill.side, fill.amount);
  Money gain{};
  if (fill.mark.nano != absent_nano && i.profit(fill.price, fill.mark, amount, gain)) {
    line.against_mark += -gain;
  }
  Money usd{};
  const Price index = fill.index.nano != absent_nano ? fill.index : fill.price;
  if (i.notional_usd(fill.price, fill.amount, index, usd)) line.traded_usd += to_double(usd);
  return true;
}

}  // namespace gimbal
