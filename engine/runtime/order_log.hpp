// The orders of one boot that may still live, as its journal tells them: a fold over the events in
// their order. The running bot keeps it beside the journal and writes it to the state directory
// (orders_file.hpp); the boot after it goes on with the same fold over the journal's tail.
//
// It errs on one side: an order stays until the journal has its definitive end, amounts are the
// largest that may be filled, a fill counts once by its trade id and not at all when in doubt.
// Cold, one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "engine/core/event.hpp"
#include "engine/core/orders.hpp"
#include "engine/core/payload.hpp"

namespace gimbal {

inline constexpr std::size_t kept_orders_max = open_orders_max;  // orders; more are left out
inline constexpr std::size_t kept_trades_max =
    256;  // trade ids an order; later fills count no more

struct KeptOrder {
  InstrumentId instrument{};  // number in the boot that wrote it
  OrderCarry terms{};
  std::vector<TradeId> trades{};  // counted in `terms.filled`
  ExchTime updated{};             // venue's time of the newest terms
  std::uint8_t changes{2};        // without an answer: 0, 1, or more; not kept in the file
};

class OrderLog {
 public:
  // Every event of the journal, all parts of it.
  void take(const Event& event);
  // What the journal does not have: prices when it was decided and when it left.
  void note_decision(OrderId id, Price decision, Price theoretical, Price arrival, Money reserved);
  // From a snapshot: the state behind event `seq` of boot `epoch`, whose labels bear `tag`.
  void restore(std::vector<KeptOrder> orders, Seq seq, std::uint32_t epoch, std::uint32_t tag);

  // By id.
  [[nodiscard]] const std::map<std::uint64_t, KeptOrder>& orders() const noexcept {
    return orders_;
  }
  [[nodiscard]] Seq seq() const noexcept { return seq_; }  // of the last event
  [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }
  [[nodiscard]] std::uint32_t tag() const noexcept { return tag_; }
  [[nodiscard]] std::uint64_t revision() const noexcept { return revision_; }  // grows on change
  // Without room among those that are kept, and not known to have ended.
  [[nodiscard]] std::size_t left_out() const noexcept { return left_out_.size(); }

 private:
  [[nodiscard]] KeptOrder* find(OrderId id);
  KeptOrder* add(OrderId id, InstrumentId instrument);
  void remove(OrderId id);
  [[nodiscard]] bool has_ended(OrderId id) const;
  [[nodiscard]] ExchTime venue_time(const Event& event) const;
  void on_sent(const Event& event);
  void on_ack(const Event& event);
  void on_reject(const OrderReject& reject);
  void on_fill(const Fill& fill);
  void begin_picture();
  void on_lookup(const Event& event);
  void on_report(const Event& event, const OpenOrderReport& report);
  void on_carry(const Event& event, const OrderCarry& carry);

  std::map<std::uint64_t, KeptOrder> orders_;
  std::set<std::uint64_t> ended_;  // since the newest picture began, which may still show them
  std::set<std::uint64_t> ended_before_;  // since the one before it: a change may still be told
  Seq seq_{};
  std::uint64_t revision_{0};
  std::set<std::uint64_t> left_out_;
  std::uint32_t epoch_{0};
  std::uint32_t tag_{0};  // config hash in this boot's labels
  Nanos clock_offset_{};
  PartsBuffer<Fill> fill_;
  PartsBuffer<OpenOrderReport> report_;
  PartsBuffer<OrderCarry> carry_;
};

}  // namespace gimbal
