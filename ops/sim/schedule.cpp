#include "ops/sim/schedule.hpp"

#include <algorithm>

#include "venues/sim/listing.hpp"

namespace gimbal::sim {
namespace {

constexpr std::int64_t tick_factor = 5;

ExchTime due(ExchTime start, double after_s) {
  if (after_s <= 0) return {};
  return start + Nanos{static_cast<std::int64_t>(after_s * 1e9)};
}

bool take(ExchTime& at, ExchTime now) {
  if (at.unix_ns == 0 || now < at) return false;
  at = {};
  return true;
}

}  // namespace

Schedule::Schedule(const SimOptions& o, const World& world, DeribitDialect& dialect)
    : world_{world},
      dialect_{dialect},
      list_at_{due(dialect.now(), o.list_in_s)},
      settle_at_{due(dialect.now(), o.settle_in_s)},
      retick_at_{due(dialect.now(), o.retick_in_s)},
      silent_at_{due(dialect.now(), o.silent_in_s)} {}

void Schedule::on_time(ExchTime now) {
  if (take(list_at_, now)) list();
  if (take(settle_at_, now)) settle();
  if (take(retick_at_, now)) retick();
  if (take(silent_at_, now)) dialect_.mute_connections();
}

// The next day without options, for every product.
void Schedule::list() {
  const auto products = static_cast<std::uint32_t>(dialect_.exchange().config().products.size());
  for (std::uint32_t p = 0; p < products; ++p) {
    ExchTime at = next_settlement(dialect_.now());
    for (int day = 0; day < 30 && dialect_.list_expiry(p, at, Period::day) == 0; ++day) {
      at = next_settlement(at);
    }
  }
}

// The nearest expiry that the trading account holds, else the nearest of all.
void Schedule::settle() {
  SimExchange& x = dialect_.exchange();
  ExchTime nearest{};
  std::uint32_t product = 0;
  const auto offer = [&](InstrumentIndex i) {
    const Listing& l = x.instruments()[i];
    const ExchTime at = l.def.expiry;
    if (!l.active || at.unix_ns == 0 || (nearest.unix_ns != 0 && nearest <= at)) return;
    nearest = at;
    product = l.product;
  };
  for (const Position& held : x.positions(world_.accounts.front().id)) {
    if (held.size.nano != 0) offer(held.instrument);
  }
  if (nearest.unix_ns == 0) {
    for (const Listing& l : x.instruments()) offer(l.index);
  }
  (void)dialect_.settle_expiry(product, nearest);
}

// Every perpetual.
void Schedule::retick() {
  SimExchange& x = dialect_.exchange();
  for (InstrumentIndex i = 0; i < x.instruments().size(); ++i) {
    const Instrument& def = x.instruments()[i].def;
    if (!is_perpetual(def.kind)) continue;
    TickSchedule coarse = def.ticks;
    coarse.base = Price{coarse.base.nano * tick_factor};
    dialect_.set_ticks(i, coarse);
  }
}

}  // namespace gimbal::sim
