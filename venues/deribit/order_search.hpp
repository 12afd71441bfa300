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

// A shorter page of the history is its last: the venue's own count is not below this.
inline constexpr std::size_t history_count_min = 20;
// The venue keeps recent orders for 30 minutes and recent trades for 24 hours, and older ones in
// lists of their own: what was sent before this is asked for in both.
inline constexpr Nanos recent_orders_kept = seconds(25 * 60);
inline constexpr Nanos recent_trades_kept = seconds(23 * 3600);
inline constexpr Nanos search_margin = seconds(60);  // clocks, and what was on its way

// `outcome` is `absent` only when open orders, the history and the trades of every currency
// answered at a venue time (usOut) later than valid_until, reach back behind the sending, and none
// showed the label. An answer by label without a row stands for the recent history, not for trades.
class OrderSearch {
 public:
  OrderSearch(QueryParser& parser, std::span<const QueryOrder> orders, std::size_t currencies);

  QueryResult open_orders(const Frame& reply);
  QueryResult order_history(const Frame& reply, std::size_t currency, Records records);
  // Of the span that begins at trades_since().
  QueryResult user_trades(const Frame& reply, std::size_t currency, Records records);
  QueryResult state_by_label(const Frame& reply, std::size_t order, std::size_t currency);

  // Whether a further page could still tell something.
  [[nodiscard]] bool wants_history(std::size_t currency, Records records) const noexcept;
  [[nodiscard]] bool wants_trades(std::size_t currency, Records records) const noexcept;
  [[nodiscard]] ExchTime trades_since() const noexcept { return trades_since_; }
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
    void note(ExchTime answered) noexcept { as_of = answered < as_of ? answered : as_of; }
  };
  using Reaches = std::array<std::vector<Reach>, records_count>;  // by currency

  [[nodiscard]] Sought* find(std::string_view label);
  [[nodiscard]] std::size_t note_rows(const PrivateFrame& frame, bool open);
  static void see(Sought& s, LookupOutcome outcome, Qty filled, Price price) noexcept;
  [[nodiscard]] static bool decided(const Sought& s) noexcept {
    return s.row && s.best.outcome != LookupOutcome::unproven;
  }
  [[nodiscard]] bool gone(const Sought& s) const noexcept;
  [[nodiscard]] bool older(const Sought& s, Nanos kept) const noexcept;
  [[nodiscard]] bool wants(const Reaches& lists, std::size_t currency, Records records, Nanos kept,
                           Nanos margin) const noexcept;
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
