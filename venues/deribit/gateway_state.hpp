// The inside of DeribitGateway. Room: venues (hot), private to it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/core/bring_near.hpp"
#include "venues/deribit/gateway.hpp"
#include "venues/deribit/private_reader.hpp"
#include "venues/deribit/reports.hpp"

namespace gimbal::deribit {

// Request id -> what it asked. A ring: the oldest entry is overwritten.
class RequestTable {
 public:
  static constexpr std::size_t slots = 4096;

  struct Entry {
    std::int64_t id{-1};
    OrderId order{};
    InstrumentId instrument{};
    OrderAction action{OrderAction::place};
    bool mass{false};
  };

  void put(const Entry& entry) noexcept { at(entry.id) = entry; }
  // Copies and forgets; false when the id is not one of ours.
  [[nodiscard]] bool take(std::int64_t id, Entry& out) noexcept {
    if (id < 0 || at(id).id != id) return false;
    out = at(id);
    at(id).id = -1;
    return true;
  }
  void clear() noexcept { entries_.fill(Entry{}); }
  void look_over(std::int64_t next) const noexcept {
    bring_near(entries_[static_cast<std::size_t>(next) % slots]);
  }

 private:
  Entry& at(std::int64_t id) noexcept { return entries_[static_cast<std::size_t>(id) % slots]; }
  std::array<Entry, slots> entries_{};
};

// OrderId -> the venue's order id, while the order may rest. Open addressing with backward-shift
// deletion; when full, new orders are cancelled by label instead.
class OrderRefs {
 public:
  static constexpr std::size_t slots = 8192;
  static constexpr std::size_t orders_max = 4096;
  static constexpr std::size_t text_max = 31;

  void put(OrderId order, std::string_view venue_id) noexcept;
  void erase(OrderId order) noexcept;
  [[nodiscard]] std::string_view find(OrderId order) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  struct Entry {
    OrderId order{};
    std::uint8_t length{0};
    char text[text_max]{};
  };
  static std::size_t home(OrderId order) noexcept {
    return static_cast<std::size_t>((order.value * 0x9e3779b97f4a7c15ULL) >> 51);
  }
  [[nodiscard]] std::size_t slot(OrderId order) const noexcept;
  std::array<Entry, slots> entries_{};
  std::size_t size_{0};
};

struct DeribitGateway::State {
  // Steps of the set-up, each with its own answer.
  enum Step : unsigned {
    step_login = 1,
    step_heartbeat = 2,
    step_cod_on = 4,
    step_cod_read = 8,
    step_channels = 16
  };
  static constexpr unsigned all_steps = 31;
  static constexpr std::int64_t ids_of_session = 16;  // first ids are the set-up's

  State(GatewayConfig settings, const SymbolTable& names, const InstrumentTable& table,
        const UnderlyingNames& coins, RateBudget& rates);

  GatewayConfig config;
  const SymbolTable* symbols;
  std::size_t names_end{SIZE_MAX};
  const InstrumentTable* instruments;
  const UnderlyingNames* underlyings;
  RateBudget* budget;
  DeribitLogin login;
  PrivateReader reader;
  GatewayCounters counters{};
  RequestTable requests;
  OrderRefs refs;
  std::int64_t next_id{0};
  std::uint64_t generation{0};
  unsigned done_steps{0};
  bool open{false};
  bool failed{false};
  bool late{false};  // failed, for nothing but a slow answer
  RecvTime failed_at{};
  RecvTime set_up_by{};
  std::string_view trouble{};  // what stands in the way of ready

  [[nodiscard]] bool ready() const noexcept { return open && !failed && done_steps == all_steps; }
  [[nodiscard]] std::int64_t session_id(std::int64_t n) const noexcept {
    return config.first_request_id + n;
  }
  [[nodiscard]] std::int64_t take_id() noexcept {
    return config.first_request_id + ids_of_session + next_id++;
  }
  [[nodiscard]] ReportContext context(RecvTime now, EventBatch& batch) const noexcept {
    return {config.venue, config.label_tag, symbols, now, 0, &batch, names_end};
  }

  // session (gateway.cpp)
  void status(GatewayState state, std::int32_t code, RecvTime now, EventBatch& batch) noexcept;
  void set_up(RecvTime now, Outbox& outbox) noexcept;
  void step_done(Step step, RecvTime now, EventBatch& batch) noexcept;
  void step_failed(std::string_view why, std::int32_t code, RecvTime now,
                   EventBatch& batch) noexcept;
  bool on_set_up_answer(const PrivateFrame& frame, RecvTime now, EventBatch& batch,
                        Outbox& outbox) noexcept;
  bool channels_accepted(const PrivateFrame& frame) const noexcept;

  // answers and notifications (gateway.cpp)
  DecodeStatus decode(const PrivateFrame& frame, RecvTime now, EventBatch& batch,
                      Outbox& outbox) noexcept;
  DecodeStatus malformed(const PrivateFrame& frame, RecvTime now, EventBatch& batch) noexcept;
  DecodeStatus on_reply(const PrivateFrame& frame, RecvTime now, EventBatch& batch) noexcept;
  DecodeStatus on_error(const PrivateFrame& frame, RecvTime now, EventBatch& batch) noexcept;
  DecodeStatus on_rows(const PrivateFrame& frame, RecvTime now, EventBatch& batch) noexcept;
  void order_row(const ReportContext& c, const OrderRow& row, OrderAction action) noexcept;
  void remember(const OrderRow& row) noexcept;
  void reject(OrderId order, InstrumentId instrument, OrderAction action, RejectReason reason,
              std::int32_t code, RecvTime now, EventBatch& batch) noexcept;
  void count(Reported reported) noexcept;

  // encoding (encode.cpp)
  [[nodiscard]] RejectReason admit(InstrumentId instrument, Price price, Qty amount,
                                   ExchTime valid_until, RecvTime now) noexcept;
  bool cancel_underlying(UnderlyingId underlying, Outbox& outbox, std::span<char> out) noexcept;
};

}  // namespace gimbal::deribit
