#include "ops/app/order_keeper.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "engine/core/engine_status.hpp"
#include "engine/runtime/latch.hpp"

namespace gimbal {
namespace {

constexpr std::chrono::milliseconds write_pause{50};
// Without a change: how much journal the next boot reads behind the snapshot goes by it.
constexpr Nanos still_interval = seconds(5);

}  // namespace

LeftOrders read_left_orders(const std::string& path, const std::string& account,
                            const std::string& journal, const TailLimits& limits) {
  LeftOrders left;
  OrdersFileContent found = load_orders(path);
  if (found.kind == OrdersFileKind::sound && found.record.account != account) {
    found.kind = OrdersFileKind::unusable;
    found.error = path + ": it is of the account " + found.record.account + ", not of " + account;
  }
  if (found.kind != OrdersFileKind::sound) {
    left.trouble = found.error;
    return left;
  }
  OrdersRecord& r = found.record;
  left.epoch = r.epoch;
  left.snapshot = r.orders.size();
  left.names = std::move(r.names);
  OrderLog log;
  log.restore(std::move(r.orders), r.seq, r.epoch, r.tag);
  TailTold told;
  told.event = [&](const Event& e) { log.take(e); };
  left.tail = read_tail(journal, r.epoch, {r.seq, r.place}, limits, told);
  if (!left.tail.whole) {
    left.trouble = "journal of boot " + std::to_string(r.epoch) + ": " + left.tail.why;
  }
  for (const auto& [id, order] : log.orders()) {
    if (order.instrument.value < left.names.size()) {
      left.orders.push_back(order);
    } else {
      left.trouble = "an instrument that was listed in the boot's last seconds has no name";
    }
  }
  return left;
}

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
  while (!stop.load(std::memory_order_acquire)) {
    (void)write();
    std::this_thread::sleep_for(write_pause);
  }
}

std::string OrderKeeper::trouble() {
  const std::lock_guard lock{mutex_};
  return error_.empty() ? std::string{} : "the orders cannot be kept: " + error_;
}

}  // namespace gimbal
