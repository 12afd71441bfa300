// The cold thread that asks the venue: reconciliations and look-ups that the core wants, the
// venue's clock, and how many orders rest there, for the proof of a kill. Its answers reach the
// core as events through their own ring. Room: ops/app (wiring). Cold.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ops/app/connect_loop.hpp"
#include "ops/app/instrument_picture.hpp"
#include "ops/app/order_listing.hpp"
#include "ops/app/query_queue.hpp"
#include "ops/app/router.hpp"
#include "ops/app/venue_queries.hpp"

namespace gimbal {

class QueryLoop {
 public:
  QueryLoop(VenueQueries& queries, QueryRing& tasks, EventRing& events, GatePage& page,
            const TscClock& clock, VenueId venue, Nanos token_life, Say say);

  // Before run(): which lists to read again, and how often.
  void refresh_instruments(std::vector<std::string> currencies, Nanos interval);

  void run(const std::atomic<bool>& stop);

  // From the control thread: asks for a count of resting orders. The answer's number is higher than
  // any before the call.
  std::uint64_t ask_count();
  struct Count {
    std::uint64_t number{0};  // of the request that it answers
    bool ok{false};
    VenueQueries::OpenCount open{};
  };
  [[nodiscard]] Count last_count() const;
  // Any thread: the lists are read again soon, not when the interval ends.
  void ask_instruments() noexcept { lists_wanted_.store(true, std::memory_order_release); }
  // The newest complete picture, once.
  [[nodiscard]] std::optional<InstrumentPicture> take_instruments();
  // Any thread: cycles of the loop.
  [[nodiscard]] std::uint64_t cycles() const noexcept {
    return cycles_.load(std::memory_order_relaxed);
  }

 private:
  void take_tasks();
  bool serve();
  [[nodiscard]] bool send_clock();
  void answer_count();
  bool read_list();
  bool push(std::span<const Event> unit);

  VenueQueries& queries_;
  QueryRing& tasks_;
  EventRing& events_;
  GatePage& page_;
  const TscClock& clock_;
  VenueId venue_;
  Nanos token_life_;
  Say say_;
  RecvTime clock_due_{};
  RecvTime login_due_{};
  std::atomic<std::uint64_t> asked_{0};
  std::atomic<std::uint64_t> cycles_{0};
  std::uint64_t answered_{0};
  std::vector<std::string> currencies_;
  Nanos lists_interval_{};
  RecvTime lists_due_{};
  RecvTime lists_not_before_{};
  std::atomic<bool> lists_wanted_{false};
  InstrumentPicture reading_;
  QueryQueue queue_;
  mutable std::mutex mutex_;
  Count count_{};
  std::optional<InstrumentPicture> picture_;
};

}  // namespace gimbal
