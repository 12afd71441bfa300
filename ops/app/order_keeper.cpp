#include "ops/app/order_keeper.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "engine/core/engine_status.hpp"
#include "engine/runtime/latch.hpp"
#include "engine/runtime/orders_file.hpp"

namespace gimbal {
namespace {

constexpr std::chrono::milliseconds write_pause{50};
constexpr std::chrono::milliseconds failed_pause{500};  // a full disk is not asked all the time
// Without a change: how much journal the next boot reads behind the snapshot goes by it.
constexpr Nanos still_interval = seconds(5);

}  // namespace

void OrderKeeper::note(const OrderStatus& shown) {
  log_.note_decision(shown.id, shown.decision, shown.theoretical, shown.arrival,
                     shown.reserved_usd);
}

bool OrderKeeper::due(RecvTime now) const noexcept {
  if (log_.revision() != offered_revision_) return true;
  return log_.seq() != offered_seq_ && now - offered_at_ >= still_interval;
}

void OrderKeeper::offer(std::vector<std::string> names, const JournalPlace& at, RecvTime now) {
  OrdersRecord r;
  r.account = account_;
  r.epoch = log_.epoch();
  r.tag = log_.tag();
  r.seq = log_.seq();
  r.place = at;
  r.names = std::move(names);
  for (const auto& [id, order] : log_.orders()) {
    if (order.instrument.value < r.names.size()) r.orders.push_back(order);
  }
  offered_revision_ = log_.revision();
  offered_seq_ = r.seq;
  offered_at_ = now;
  std::string bytes = encode_orders(r);
  const std::lock_guard lock{mutex_};
  left_out_ = log_.left_out();
  pending_ = std::move(bytes);
}

Outcome OrderKeeper::write() {
  std::string bytes;
  {
    const std::lock_guard lock{mutex_};
    if (pending_.empty()) return {};
    bytes.swap(pending_);
  }
  Outcome stored = replace_file(path_, bytes);
  const std::lock_guard lock{mutex_};
  error_ = stored ? std::string{} : stored.error();
  // Tried again, unless something newer came meanwhile.
  if (!stored && pending_.empty()) pending_ = std::move(bytes);
  return stored;
}

void OrderKeeper::run(const std::atomic<bool>& stop) {
  auto due = std::chrono::steady_clock::now();
  while (!stop.load(std::memory_order_acquire)) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= due && !write()) due = now + failed_pause;
    std::this_thread::sleep_for(write_pause);
  }
}

std::string OrderKeeper::trouble() {
  const std::lock_guard lock{mutex_};
  if (!error_.empty()) return "the orders cannot be kept: " + error_;
  if (left_out_ == 0) return {};
  return std::to_string(left_out_) + " orders found no room among the " +
         std::to_string(kept_orders_max) + " that a restart knows of";
}

}  // namespace gimbal
