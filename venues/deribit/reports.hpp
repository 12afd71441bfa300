// Rows of private data -> events. Shared by the order session and the queries, so that a fill
// learnt by reconciliation is the same fill. Room: venues (hot).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "engine/core/event.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/payload.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"
#include "venues/deribit/private_reader.hpp"

namespace gimbal::deribit {

struct ReportContext {
  VenueId venue{};
  std::string_view label_tag;
  const SymbolTable* symbols{nullptr};
  RecvTime now{};
  std::uint8_t flags{0};  // event_flag::historical for queries
  EventBatch* batch{nullptr};
  std::size_t names_end{SIZE_MAX};  // ids from here on are not known yet

  // The invalid id when the name is not known.
  [[nodiscard]] InstrumentId find(std::string_view instrument) const noexcept {
    const InstrumentId id = symbols->find(instrument);
    return id.value < names_end ? id : InstrumentId{};
  }
};

enum class Reported : std::uint8_t {
  pushed,
  combo,  // the net row of a combo, or an order of one: counted from its legs
  unknown_instrument,
  full,  // the batch has no room
};

// Why an order is done, from its row; meaningless for open orders.
[[nodiscard]] DoneReason done_reason(const OrderRow& row) noexcept;

// "BTC-FS-25DEC26_20JUL26", "ETH_USDC-PS-15JUL26-1775_1700": a word of letters after the coin.
[[nodiscard]] bool is_combo_name(std::string_view instrument) noexcept;

[[nodiscard]] OrderId owner(const ReportContext& context, std::string_view label) noexcept;

[[nodiscard]] Reported report_ack(const ReportContext& c, const OrderRow& row) noexcept;
// Ack, done, or OrderReject{unclear} when the state is one that this code does not know.
[[nodiscard]] Reported report_state(const ReportContext& c, const OrderRow& row,
                                    OrderAction action) noexcept;
[[nodiscard]] Reported report_fill(const ReportContext& c, const UserTradeRow& row) noexcept;
// As report_fill. A trade that has no place among the instruments becomes a fill of none and of no
// order: it moved cash all the same. The net row of a combo too: what it paid may not be its legs'.
[[nodiscard]] Reported report_trade(const ReportContext& c, const UserTradeRow& row) noexcept;
[[nodiscard]] Reported report_position(const ReportContext& c, const PositionRow& row) noexcept;
[[nodiscard]] Reported report_margin(const ReportContext& c, const MarginRow& row) noexcept;
[[nodiscard]] Reported report_open_order(const ReportContext& c, const OrderRow& row) noexcept;

}  // namespace gimbal::deribit
