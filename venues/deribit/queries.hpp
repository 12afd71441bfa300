// Questions asked on the separate query session (JSON-RPC over HTTPS or WebSocket) and the parsers
// of their answers. Room: venues (cold: reconciliation, look-ups, boot). Source: Deribit API v2.
//
// The app sends the text, hands the reply back, and pushes the committed events through the
// sequencer between its ReconcileMark events. A reply that cannot be read commits nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "feeds/deribit/symbols.hpp"
#include "feeds/frame.hpp"
#include "venues/deribit/rate_budget.hpp"

namespace gimbal::deribit {

struct PrivateFrame;

// Recent ones are kept for 30 minutes (orders) and 24 hours (trades); older ones are in lists of
// their own, without the recent ones.
enum class Records : std::uint8_t { recent, historical };
inline constexpr std::size_t records_count = 2;

// --- request texts (whole JSON-RPC objects; `access_token` is added when not empty)
// ---------------
struct QueryTexts {
  std::string access_token;

  [[nodiscard]] std::string get_time(std::int64_t id) const;
  [[nodiscard]] std::string get_instruments(std::int64_t id, std::string_view currency) const;
  [[nodiscard]] std::string get_instrument(std::int64_t id, std::string_view name) const;
  [[nodiscard]] std::string get_open_orders(std::int64_t id) const;
  [[nodiscard]] std::string get_positions(std::int64_t id) const;  // every currency
  [[nodiscard]] std::string get_account_summary(std::int64_t id, std::string_view currency) const;
  [[nodiscard]] std::string get_account_summaries(std::int64_t id) const;
  // Oldest first, at most `count` rows (venue maximum 1000); both ends inclusive, in ms.
  [[nodiscard]] std::string get_user_trades_by_time(std::int64_t id, std::string_view currency,
                                                    std::int64_t start_ms, std::int64_t end_ms,
                                                    unsigned count) const;
  // Newest first; otherwise the same.
  [[nodiscard]] std::string get_user_trades_back(std::int64_t id, std::string_view currency,
                                                 std::int64_t start_ms, std::int64_t end_ms,
                                                 unsigned count, Records records) const;
  // Trades with an id from `start_id` on; the next page starts at PageInfo::last_trade_id.
  [[nodiscard]] std::string get_user_trades_from(std::int64_t id, std::string_view currency,
                                                 std::string_view start_id, unsigned count) const;
  [[nodiscard]] std::string get_order_state_by_label(std::int64_t id, std::string_view currency,
                                                     std::string_view label) const;
  // Newest first, `offset` rows on (venue maximum 1000 rows).
  [[nodiscard]] std::string get_order_history(std::int64_t id, std::string_view currency,
                                              unsigned count, std::size_t offset,
                                              Records records) const;
  [[nodiscard]] std::string get_cancel_on_disconnect(std::int64_t id) const;
};

// A reply that lists more open orders is not read at all (QueryResult::too_many_orders).
inline constexpr std::size_t open_orders_reply_max = 8192;

struct QueryContext {
  VenueId venue{};
  std::string label_tag;
  const SymbolTable* symbols{nullptr};
};

struct QueryResult {
  bool ok{false};
  std::int32_t error_code{0};  // the venue's; 0 when the reply itself could not be read
  std::string error;           // in words, naming what and where
  ExchTime venue_time{};       // usOut of the envelope
  std::size_t rows{0};
  std::size_t skipped{0};       // instruments that are not in the table, combo rows
  std::size_t skipped_ours{0};  // open orders: those of them that carry our label
  std::uint64_t account_id{0};  // account summaries: the venue's number; 0: not given
  bool has_more{false};         // trades: another page exists
  bool too_many_orders{false};  // not ok for that: more orders than one reply is read with
  std::string last_trade_id;    // of the page, by the venue's order
  std::int64_t last_timestamp_ms{0};
};

class QueryParser {
 public:
  explicit QueryParser(QueryContext context, std::size_t frame_max = std::size_t{16} << 20);
  QueryParser(QueryParser&&) noexcept;
  QueryParser& operator=(QueryParser&&) noexcept;
  ~QueryParser();

  [[nodiscard]] QueryResult time(const Frame& reply, ExchTime& out);
  // OpenOrderReport each, foreign ones included (invalid OrderId).
  [[nodiscard]] QueryResult open_orders(const Frame& reply, RecvTime now, EventBatch& batch);
  [[nodiscard]] QueryResult positions(const Frame& reply, RecvTime now, EventBatch& batch);
  // MarginReport each: one for a summary, one per currency for summaries. `limits` is filled from
  // the matching-engine figures when the reply has them.
  [[nodiscard]] QueryResult account(const Frame& reply, RecvTime now, EventBatch& batch,
                                    RateLimits* limits = nullptr);
  // Fills flagged historical.
  [[nodiscard]] QueryResult user_trades(const Frame& reply, RecvTime now, EventBatch& batch);
  [[nodiscard]] QueryResult cancel_on_disconnect(const Frame& reply, bool& enabled);

 private:
  friend class OrderSearch;
  struct State;
  // The rows of a reply, until the next is read; nullptr when it is not a list of them: then it
  // says nothing, and above all not that there are none.
  [[nodiscard]] const PrivateFrame* orders(const Frame& reply, std::string_view what,
                                           QueryResult& out);
  [[nodiscard]] const PrivateFrame* trades(const Frame& reply, QueryResult& out);
  [[nodiscard]] std::string_view label_tag() const noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace gimbal::deribit
