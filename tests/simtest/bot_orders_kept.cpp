// Orders across a restart, as the product does it: a snapshot of the journal's fold every half a
// second, and the journal behind it. What a dead process had not written is the tail's end.
#include <utility>

#include "engine/runtime/orders_file.hpp"
#include "tests/simtest/bot.hpp"
#include "tests/simtest/random.hpp"

namespace gimbal::simtest {
namespace {

constexpr Nanos keep_interval = milliseconds(500);
constexpr std::size_t kept_before_max = 3;

std::string encode_state(const OrderLog& log, std::vector<std::string> names) {
  OrdersRecord r;
  r.account = "sim";
  r.epoch = log.epoch();
  r.tag = log.tag();
  r.seq = log.seq();
  r.names = std::move(names);
  for (const auto& [id, order] : log.orders()) r.orders.push_back(order);
  return encode_orders(r);
}

// The snapshot and the first `events` of what the journal has behind it.
OrderLog fold(const OrdersRecord& snapshot, const std::vector<Event>& tail, std::size_t events) {
  OrderLog log;
  log.restore(snapshot.orders, snapshot.seq, snapshot.epoch, snapshot.tag);
  for (std::size_t n = 0; n < events; ++n) log.take(tail[n]);
  return log;
}

}  // namespace

void Bot::keep_orders() {
  if (clock_.now() < keep_due_) return;
  keep_due_ = clock_.now() + keep_interval;
  const bool first = !std::exchange(kept_, true);
  const OrderTable& orders = core().orders();
  for (std::size_t n = 0; n < orders.listed(); ++n) {
    const Order& o = orders.open_order(n);
    // Filled whole and not told its end: nothing of it can fill any more, nothing is to be kept.
    const bool works = o.open() && o.open_amount().nano > 0;
    const bool seen = works && o.confirmed && o.id.epoch() == epoch_;
    if (seen && !journal_.missed && journal_.log.orders().count(o.id.value) == 0) {
      host_.checker->fail("I10", "order " + std::to_string(o.id.value) +
                                     " works in the core, and the journal's fold let go of it");
    }
    const auto kept = journal_.log.orders().find(o.id.value);
    const bool known = o.id.epoch() == epoch_ && kept != journal_.log.orders().end();
    if (known && kept->second.terms.filled > o.filled) {
      host_.checker->fail("I10", "of order " + std::to_string(o.id.value) +
                                     " the journal's fold counts more fills than the core");
    }
    journal_.log.note_decision(o.id, o.decision_price, o.decision.theoretical, o.decision.arrival,
                               o.reserved_usd);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < universe_.table().size(); ++i) {
    names.emplace_back(universe_.symbols().name(InstrumentId{static_cast<std::uint16_t>(i)}));
  }
  if (first) host_.kept_before.clear();
  if (!first && host_.sync_lies) {
    host_.kept_before.push_back({host_.kept_orders, std::move(journal_.tail)});
    if (host_.kept_before.size() > kept_before_max) host_.kept_before.pop_front();
  }
  host_.kept_orders = encode_state(journal_.log, std::move(names));
  host_.tail.clear();
  journal_.tail.clear();
}

void Bot::leave() {
  if (kept_) host_.tail = std::move(journal_.tail);
}

// False: there are none, as for the product when it does not believe them.
bool Bot::read_damaged_files(const OrdersRecord& kept, std::size_t& events) {
  const FileDamage damage = std::exchange(host_.damage, {});
  const FilesRead read = read_damaged(host_.files, kept, host_.tail, damage, host_.plant);
  if (!read.wrong.empty()) host_.checker->fail("I10", read.wrong);
  if (!read.orders) {
    host_.kept_orders.clear();
    host_.tail.clear();
    return false;
  }
  // It stays so for the boots after this one.
  events = read.events;
  while (events > 0 && !host_.tail[events - 1].last_part()) --events;
  host_.tail.resize(events);
  return true;
}

// The snapshots since one of them never came to the disk.
void Bot::lose_snapshots() {
  const auto lost = std::exchange(host_.kept_before, {});
  if (host_.damage.damage != Damage::unsynced || lost.empty()) return;
  const std::size_t from = Random{host_.damage.seed, 1}.below(lost.size() + 1);
  if (from == lost.size()) return;
  std::vector<Event> tail;
  for (std::size_t n = from; n < lost.size(); ++n) {
    tail.insert(tail.end(), lost[n].tail.begin(), lost[n].tail.end());
  }
  host_.tail.insert(host_.tail.begin(), tail.begin(), tail.end());
  host_.kept_orders = lost[from].orders;
}

void Bot::recover_orders() {
  lose_snapshots();
  if (host_.kept_orders.empty()) {
    host_.damage = {};  // there was no file yet
    return;
  }
  const OrdersFileContent found = parse_orders(host_.kept_orders);
  if (found.kind != OrdersFileKind::sound) {
    return host_.checker->fail("I10", "the snapshot cannot be read: " + found.error);
  }
  Random random{host_.seed, 90 + epoch_};
  const std::size_t all = host_.tail.size();
  std::size_t events = random.chance(0.5) ? all : random.below(all + 1);
  if (host_.damage.damage != Damage::none && !read_damaged_files(found.record, events)) return;
  const OrderLog log = fold(found.record, host_.tail, events);
  const OrderLog again = fold(found.record, host_.tail, events);
  if (encode_state(log, found.record.names) != encode_state(again, found.record.names)) {
    host_.checker->fail("I10", "recovering twice gives two states");
  }
  // Told twice, they are held once.
  const int times = random.chance(0.25) ? 2 : 1;
  std::size_t told = 0;
  for (int n = 0; n < times; ++n) {
    for (const auto& [value, order] : log.orders()) {
      const InstrumentId id = universe_.symbols().find(found.record.names[order.instrument.value]);
      if (!id.valid()) continue;
      static_cast<void>(host_.gate->list_order(order.terms.order, venue_, id));
      std::array<Event, parts_of<OrderCarry>> unit;
      write_parts(make_event(EventKind::order_carry, venue_, id, clock_.now(), {}, order.terms),
                  order.terms, unit.data());
      sequencer_->submit(unit.data(), unit.size());
      told += n == 0;
    }
  }
  const OrderTable& orders = core().orders();
  const std::uint64_t refused = core().counters().orders_refused;
  if (orders.unknown_count() != told || refused != told * static_cast<std::size_t>(times - 1)) {
    host_.checker->fail("I10", std::to_string(told) + " orders of the boot before, " +
                                   std::to_string(orders.unknown_count()) + " are held, " +
                                   std::to_string(refused) + " were refused");
  }
  host_.checker->carried(log);
}

}  // namespace gimbal::simtest
