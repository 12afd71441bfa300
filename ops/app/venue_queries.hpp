// The query session of one venue account: JSON-RPC over HTTPS on the cold side. It lists
// instruments at start, reconciles after every private connection, looks up orders in doubt and
// proves an empty book after a kill. Answers become events that go through the sequencer; nothing
// here touches the core. Room: ops/app. Cold; every call is bounded by a deadline.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/wire/http.hpp"
#include "feeds/deribit/instruments.hpp"
#include "ops/app/query_transport.hpp"
#include "venues/deribit/login.hpp"
#include "venues/deribit/queries.hpp"

namespace gimbal::deribit {
class OrderSearch;
}

namespace gimbal {

struct QuerySetup {
  VenueId venue{};
  std::shared_ptr<QueryTransport> transport;
  std::string target{"/api/v2"};  // of JSON-RPC
  deribit::LoginConfig login;
  std::string label_tag;
  std::vector<std::string> currencies;    // settlement currencies that the account trades in
  std::chrono::milliseconds limit{3000};  // of one call
  double rate_per_s{20};                  // of calls; a burst may go ahead of it
  double burst{100};
  const deribit::SymbolTable* symbols{nullptr};
  // A simulated venue may play at a date of its own: a gap of more than an hour is no fault then.
  bool simulated{false};
  std::size_t batch_events{65536};  // of one kind in a picture
  // Config hash in the label of an order; nothing: not known. Empty: none is.
  std::function<std::optional<std::uint32_t>(OrderId)> label_hash;
};

// Where finished units go: whole, in order. False when the ring was full.
using PushUnits = std::function<bool(std::span<const Event>)>;

class VenueQueries {
 public:
  explicit VenueQueries(QuerySetup setup);
  VenueQueries(const VenueQueries&) = delete;
  VenueQueries& operator=(const VenueQueries&) = delete;

  // Each gives an empty text on success, otherwise what failed, where and what the venue said.
  [[nodiscard]] std::string login();
  [[nodiscard]] std::string instruments(const std::string& currency, deribit::InstrumentList& out);
  [[nodiscard]] std::string instrument(const std::string& name, deribit::InstrumentList& out);
  // Venue wall clock against our monotonic clock, from the fastest of `samples` round trips.
  [[nodiscard]] std::string venue_clock(int samples, VenueClock& out);
  // begin, then fills since the last reconciliation, open orders, positions and margin, then
  // complete; or begin, failed. The picture is taken again while trades arrive during it.
  [[nodiscard]] std::string reconcile(const Reconcile& command, const PushUnits& push);
  // One OrderLookup event an order; unproven when the venue did not answer in time or too early.
  // All of them by the same lists, after a restart a thousand may be in doubt at once; what those
  // leave open is asked by label, a few in each look-up.
  [[nodiscard]] std::string look_up(std::span<const QueryOrder> orders, const PushUnits& push);
  [[nodiscard]] std::string look_up(const QueryOrder& order, const PushUnits& push) {
    return look_up(std::span<const QueryOrder>{&order, 1}, push);
  }
  // A look-up reads no further page while this holds: a kill waits for its count.
  void give_way_when(std::function<bool()> count_waits) { count_waits_ = std::move(count_waits); }
  // Nor while this holds, but for the first page of each list and one order by its label: without
  // those nothing is ever proven on an account that takes one picture after the other.
  void give_way_to_pictures_when(std::function<bool()> picture_waits) {
    picture_waits_ = std::move(picture_waits);
  }
  // After this it goes no further either.
  static constexpr Nanos look_up_time_max = seconds(2);
  // Orders resting at the venue: ours by label, and all, those of combos and of instruments that
  // are not subscribed included.
  struct OpenCount {
    std::size_t ours{0};
    std::size_t all{0};
  };
  [[nodiscard]] std::string count_open(OpenCount& out);
  // Any thread: the venue's number of this account, from the first picture on; 0 before.
  [[nodiscard]] std::uint64_t account_id() const noexcept {
    return account_id_.load(std::memory_order_acquire);
  }
  // Any thread: replies that listed more open orders than one is read with. Such a reply is no
  // picture, no look-up and no count: what it lists stays as it was.
  [[nodiscard]] std::uint64_t lists_unread() const noexcept {
    return lists_unread_.load(std::memory_order_relaxed);
  }
  static constexpr std::size_t orders_max = deribit::open_orders_reply_max;

 private:
  struct Reply {
    std::vector<char> bytes;  // with padding
    Frame frame{};
    std::string error;
    RecvTime sent{};
    RecvTime received{};
  };
  struct Picture;

  Reply call(const std::string& request);
  void wait_for_credit();
  deribit::QueryResult noted(deribit::QueryResult result, const Reply& reply);
  void note_stamp(ExchTime stamp, RecvTime received);
  // The venue's time by the stamp of its newest reply and our monotonic clock since then; asked for
  // when no reply had one. Empty text on success. Spans of trades end by it: the host's wall clock
  // may be off by hours, and jump.
  [[nodiscard]] std::string venue_now(ExchTime& out);
  // venue_look_ups.cpp
  void note_shown(std::span<const Event> orders);
  [[nodiscard]] std::optional<std::uint32_t> label_hash(OrderId order) const;
  [[nodiscard]] bool gives_way(bool first) const;
  std::string search_group(std::span<const QueryOrder> orders, const PushUnits& push);
  std::string search_history(deribit::OrderSearch& search, std::size_t currency,
                             deribit::Records records);
  std::string search_trades(deribit::OrderSearch& search, std::size_t currency,
                            deribit::Records records);
  std::string search_labels(deribit::OrderSearch& search, std::span<const QueryOrder> orders);
  std::string fetch_picture(Picture& picture);
  // `end_ms`: up to which venue time they were asked for.
  std::string fetch_trades(EventBatch& batch, std::size_t& rows, std::int64_t& end_ms);
  void mark(const Reconcile& command, ReconcilePhase phase, const Picture* picture,
            const PushUnits& push);
  RecvTime now() const { return setup_.transport->now(); }
  ExchTime wall() const { return setup_.transport->wall(); }

  struct Stamp {
    ExchTime venue{};  // zero: none yet
    RecvTime received{};
  };
  // An order of an earlier boot that a picture showed.
  struct Shown {
    ExchTime created{};
    std::uint32_t label_hash{0};
  };

  QuerySetup setup_;
  deribit::DeribitLogin login_;
  deribit::QueryTexts texts_;
  deribit::QueryParser parser_;
  Outbox outbox_;
  double credits_;
  RecvTime credits_at_{};
  std::int64_t next_id_{1};
  Stamp newest_reply_{};
  std::int64_t trades_from_ms_{0};  // venue time; 0: before the first picture
  std::unordered_map<std::uint64_t, Shown> shown_;
  std::function<bool()> count_waits_;
  std::function<bool()> picture_waits_;
  RecvTime look_up_until_{};
  std::size_t labels_from_{0};  // the next of a group to be asked by label
  std::atomic<std::uint64_t> account_id_{0};
  std::atomic<std::uint64_t> lists_unread_{0};
};

}  // namespace gimbal
