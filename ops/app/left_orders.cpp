#include "ops/app/left_orders.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "engine/runtime/gate_page.hpp"
#include "engine/runtime/journal_files.hpp"
#include "engine/runtime/orders_file.hpp"
#include "ops/app/universe.hpp"

namespace gimbal {
namespace {

// A boot keeps its orders within a second; so many that died before it are read, the newest.
constexpr std::size_t later_boots_max = 8;

// One boot, as far as its snapshot and its journal tell.
struct EarlierBoot {
  OrderLog log;
  std::vector<std::string> names;  // by its own numbers
  std::set<std::uint64_t> judged;  // orders of boots before it that it took over, or saw end
};

class LeftReader {
 public:
  LeftReader(const LeftPlaces& places, const TailLimits& limits)
      : places_{places}, limits_{limits} {}

  LeftOrders read() {
    OrdersFileContent found = load_orders(places_.orders);
    if (found.kind == OrdersFileKind::sound && found.record.account != places_.account) {
      found.kind = OrdersFileKind::unusable;
      found.error = places_.orders + ": it is of the account " + found.record.account +
                    ", not of " + places_.account;
    }
    if (found.kind != OrdersFileKind::sound) {
      left_.trouble = found.error;
      return std::move(left_);
    }
    restore(std::move(found.record));
    for (const std::uint32_t epoch : later_epochs()) {
      follow(boots_.emplace_back(), epoch, {});
      ++left_.later_boots;
    }
    gather();
    return std::move(left_);
  }

 private:
  void trouble(const std::string& why) {
    left_.trouble += left_.trouble.empty() ? why : "; " + why;
  }

  void restore(OrdersRecord r) {
    left_.epoch = r.epoch;
    left_.snapshot = r.orders.size();
    EarlierBoot& boot = boots_.emplace_back();
    boot.names = std::move(r.names);
    boot.log.restore(std::move(r.orders), r.seq, r.epoch, r.tag);
    follow(boot, r.epoch, {r.seq, r.place});
  }

  // The snapshot is stale where a later boot could not write its own.
  std::vector<std::uint32_t> later_epochs() {
    std::vector<std::uint32_t> later;
    for (const SegmentFile& file : list_segments(places_.journal, journal_stream)) {
      if (file.epoch <= left_.epoch || file.epoch >= places_.epoch) continue;
      if (later.empty() || later.back() != file.epoch) later.push_back(file.epoch);
    }
    if (later.size() > later_boots_max) {
      const std::size_t unread = later.size() - later_boots_max;
      trouble("journals of " + std::to_string(unread) + " boots before the last " +
              std::to_string(later_boots_max) + " are not read");
      later.erase(later.begin(), later.begin() + static_cast<std::ptrdiff_t>(unread));
    }
    return later;
  }

  void follow(EarlierBoot& boot, std::uint32_t epoch, const TailPlace& from) {
    PartsBuffer<OrderCarry> carry;
    TailTold told;
    told.event = [&](const Event& e) {
      boot.log.take(e);
      if (e.kind() == EventKind::order_carry && carry.add(e)) {
        boot.judged.insert(carry.value().order.value);
      } else if (e.kind() == EventKind::order_done) {
        boot.judged.insert(e.as<OrderDone>().order.value);
      }
    };
    told.block = [&](SideBlockKind kind, std::span<const std::byte> bytes) {
      if (kind == SideBlockKind::instrument) Universe::read_names(bytes, boot.names);
    };
    const TailResult tail = read_tail(places_.journal, epoch, from, limits_, told);
    left_.events += tail.events;
    left_.gaps += tail.gaps;
    left_.searched += tail.searched;
    const std::string journal = "journal of boot " + std::to_string(epoch);
    if (!tail.whole) trouble(journal + ": " + tail.why);
    if (tail.gaps > 0) trouble(journal + " lacks " + std::to_string(tail.gaps) + " events");
  }

  // The newest word on each order: what a later boot took over or saw end, an earlier one does not
  // bring up again.
  void gather() {
    std::set<std::uint64_t> judged;
    for (auto boot = boots_.rbegin(); boot != boots_.rend(); ++boot) {
      for (const auto& [id, order] : boot->log.orders()) {
        if (judged.insert(id).second) add(order, boot->names);
      }
      judged.merge(boot->judged);
    }
    std::sort(left_.orders.begin(), left_.orders.end(), [](const auto& a, const auto& b) {
      return a.terms.order.value < b.terms.order.value;
    });
  }

  void add(const KeptOrder& order, const std::vector<std::string>& names) {
    const std::size_t number = order.instrument.value;
    if (number >= names.size() || names[number].empty()) {
      if (!std::exchange(nameless_, true)) trouble("an order's instrument has no name");
      return;
    }
    if (left_.orders.size() >= kept_orders_max) {
      if (!std::exchange(full_, true)) trouble("there are more orders than can be carried");
      return;
    }
    auto at = std::find(left_.names.begin(), left_.names.end(), names[number]);
    if (at == left_.names.end()) at = left_.names.insert(at, names[number]);
    KeptOrder& kept = left_.orders.emplace_back(order);
    kept.instrument.value = static_cast<std::uint16_t>(at - left_.names.begin());
  }

  const LeftPlaces& places_;
  const TailLimits& limits_;
  LeftOrders left_;
  std::vector<EarlierBoot> boots_;
  bool nameless_{false};
  bool full_{false};
};

}  // namespace

LeftOrders read_left_orders(const LeftPlaces& places, const TailLimits& limits) {
  return LeftReader{places, limits}.read();
}

bool list_carried(GatePage& gate, const OrderTable& orders, std::span<const Event> unit) {
  PartsBuffer<OrderCarry> parts;
  for (const Event& part : unit) {
    if (!parts.add(part)) continue;
    const OrderId id = parts.value().order;
    return orders.find(id) == nullptr || gate.list_order(id, part.venue, part.instrument);
  }
  return true;
}

}  // namespace gimbal
