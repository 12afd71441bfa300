// Journal records as text: JSON lines and CSV, for `gimbal journal dump`. Room: ops/app. Cold.
#pragma once

#include <string>
#include <string_view>

#include "engine/runtime/journal.hpp"
#include "ops/app/decode_lines.hpp"

namespace gimbal {

class JournalLines {
 public:
  explicit JournalLines(const deribit::SymbolTable& symbols) : lines_{symbols} {}

  // One flat JSON object; empty for the earlier records of a unit of several.
  [[nodiscard]] std::string json(const JournalRecord& record);
  // A line of json() as a CSV row.
  [[nodiscard]] static std::string to_csv(const std::string& line);
  static constexpr std::string_view csv_header =
      "seq,recv_ns,exch_ns,queue_ns,event,instrument,side,price,qty,order,trade,filled,fee,reason,"
      "detail";

 private:
  [[nodiscard]] std::string event(const Event& event);
  [[nodiscard]] std::string details(const Event& event);

  EventLines lines_;
  PartsBuffer<OperatorCommand> operator_;
  PartsBuffer<OpenOrderReport> open_order_;
  PartsBuffer<OrderCarry> order_carry_;
};

// A frame of the second stream as one flat JSON object.
[[nodiscard]] std::string frame_line(const JournalRecord& record);

}  // namespace gimbal
