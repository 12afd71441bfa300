// What became of orders in doubt (controls R-01): several by the same answers, each read once.
// Room: venues (cold: look-ups). Source: Deribit API v2.
//
// Feed it open orders first, then pages of order history and user trades, newest first, of every
// currency the account trades in, then what is asked by label. An order leaves the open ones for
// the history and never comes back: asked in this order, none is missed between two answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "venues/deribit/queries.hpp"

namespace gimbal::deribit {

struct UserTradeRow;

// A shorter page of the history is its last: the venue's own count is not below this.
inline constexpr std::size_t history_count_min = 20;
// The venue keeps recent orders for 30 minutes and recent trades for 24 hours, and older ones in
// lists of their own: what was sent before this is asked for in both.
inline constexpr Nanos recent_orders_kept = seconds(25 * 60);
inline constexpr Nanos recent_trades_kept = seconds(23 * 3600);
inline constexpr Nanos search_margin = seconds(60);  // clocks, and what was on its way
// `sent` is our estimate of the venue's clock: our own row may stand a little behind it.
inline constexpr Nanos history_margin = seconds(2);
// Rows of several matching engines: so much may one be newer than a row above it.
inline constexpr Nanos history_disorder_max = seconds(1);

// The trades that were asked for, in ms. The venue does not say whether `until` is one of them.
struct TradesSpan {
  std::int64_t since_ms{0};
  std::int64_t until_ms{0};
};

// `outcome` is `absent` only when open orders, the history and the trades of every currency
// answered at a venue time (usOut) later than valid_until, reach back behind the sending, and none
// showed the label. An answer by label without a row stands for the recent history, not for trades.
class OrderSearch {
 public:
  OrderSearch(QueryParser& parser, std::span<const QueryOrder> orders, std::size_t currencies);

  QueryResult open_orders(const Frame& reply);
  QueryResult order_history(const Frame& reply, std::size_t currency, Records records);
  // Each further page up to what the one before reached.
  QueryResult user_trades(const Frame& reply, std::size_t currency, Records records,
                          TradesSpan asked);
  QueryResult state_by_label(const Frame& reply, std::size_t order, std::size_t currency);

  // Whether a further page could still tell something.
  [[nodiscard]] bool wants_history(std::size_t currency, Records records) const noexcept;
  [[nodiscard]] bool wants_trades(std::size_t currency, Records records) const noexcept;
  // Where to begin: a venue that is asked for recent trades of a time before it keeps any may
  // answer with none at all.
  [[nodiscard]] ExchTime trades_since(Records records) const noexcept;
  // Venue time of the newest answer; zero before the first.
  [[nodiscard]] ExchTime newest() const noexcept { return newest_; }
  // Whether the lists leave this one open, although they were asked late enough to know it.
  [[nodiscard]] bool left_open(std::size_t order) const noexcept;
  // Config hash in its label, where a row showed it.
  [[nodiscard]] std::optional<std::uint32_t> label_hash(std::size_t order) const noexcept {
    return orders_[order].label_hash;
  }

  [[nodiscard]] std::size_t size() const noexcept { return orders_.size(); }
  [[nodiscard]] OrderLookup result(std::size_t order) const noexcept;
  [[nodiscard]] Event event(std::size_t order, RecvTime now) const noexcept;

 private:
  static constexpr ExchTime never{std::numeric_limits<std::int64_t>::max()};
  struct Sought {
    QueryOrder order{};
    OrderLookup best{};
    bool row{false};     // an order row showed it
    bool open{false};    // one of them among the open orders
    Qty traded{};        // by distinct trades
    bool rested{false};  // after the newest of them
    std::vector<std::uint64_t> trades;
    std::optional<std::uint32_t> label_hash;
    std::vector<bool> no_label;  // by currency: asked by label, and there is none
  };
  // How far a list was read: all that happened since `from` is in it.
  struct Reach {
    ExchTime from{never};
    ExchTime as_of{never};  // the earliest answer
    // A page did not come newest first, or did not join the one before: what is missing is not
    // known.
    bool broken{false};
    [[nodiscard]] bool covers(ExchTime since, ExchTime valid_until) const noexcept {
      return !broken && from <= since && as_of > valid_until;
    }
    void note(ExchTime answered) noexcept { as_of = answered < as_of ? answered : as_of; }
  };
  using Reaches = std::array<std::vector<Reach>, records_count>;  // by currency

  [[nodiscard]] Sought* find(std::string_view label);
  [[nodiscard]] std::size_t note_rows(const PrivateFrame& frame, bool open);
  void note_trade(const UserTradeRow& row);
  static void see(Sought& s, LookupOutcome outcome, Qty filled, Price price) noexcept;
  [[nodiscard]] static bool decided(const Sought& s) noexcept {
    return s.row && s.best.outcome != LookupOutcome::unproven;
  }
  [[nodiscard]] bool gone(const Sought& s) const noexcept;
  [[nodiscard]] bool older(const Sought& s, Nanos kept) const noexcept;
  // Since when a list must be read for this one.
  [[nodiscard]] ExchTime history_from(const Sought& s) const noexcept;
  [[nodiscard]] ExchTime trades_from(const Sought& s, Records records) const noexcept;
  [[nodiscard]] bool history_covers(const Sought& s) const noexcept;
  [[nodiscard]] bool trades_cover(const Sought& s) const noexcept;

  QueryParser* parser_;
  std::vector<Sought> orders_;
  std::unordered_map<std::uint64_t, std::size_t> by_id_;
  Reaches history_;
  Reaches trades_;
  ExchTime trades_since_{never};
  ExchTime open_as_of_{};  // zero: not answered
  ExchTime newest_{};      // venue time of the newest answer
};

}  // namespace gimbal::deribit
