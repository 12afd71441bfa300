// Faults that come with time: sessions, the bot's process, the account.
#include <algorithm>
#include <array>
#include <cmath>

#include "tests/simtest/nemesis.hpp"

namespace gimbal::simtest {
namespace {

const Currency btc = currency("BTC");

Lane any_lane(Random& random) { return Lane{static_cast<std::uint8_t>(random.below(lanes_total))}; }
Side any_side(Random& random) { return random.chance(0.5) ? Side::buy : Side::sell; }

}  // namespace

void Nemesis::moments() {
  session_moments();
  address_moments();
  process_moments();
  account_moments();
  venue_moments();
  listing_moments();
}

void Nemesis::session_moments() {
  for (std::size_t i = 0; i < lanes_total; ++i) {
    const Lane lane{static_cast<std::uint8_t>(i)};
    for (RecvTime* until : {&deaf_until_[i], &dumb_until_[i]}) {
      if (until->mono_ns == 0 || *until > now_) continue;
      *until = RecvTime{};
      network_->cut(lane);  // bytes are missing: the connection cannot go on
    }
  }
  if (fires(Fault::half_open)) {
    Random& r = random(Fault::half_open);
    auto& until = r.chance(0.5) ? deaf_until_ : dumb_until_;
    until[r.below(lanes_total)] = now_ + r.spread(milliseconds(100), seconds(20));
  }
  if (fires(Fault::session_cut)) network_->cut(any_lane(random(Fault::session_cut)));
  // Most log-ins are those of a boot: this makes more, up to the end of the trouble.
  if (on(Fault::nonce_refused) && may_fire() && random(Fault::nonce_refused).chance(4e-4)) {
    network_->cut(any_lane(random(Fault::nonce_refused)));
  }
  if (fires(Fault::fill_replayed)) {
    replay_due_ = true;
    network_->cut(Lane::orders);
  }
  if (replay_due_ && network_->up(Lane::orders) && !network_->ended(Lane::orders)) {
    replay_due_ = !network_->deliver(Lane::orders, {last_private_.begin(), last_private_.end()});
  }
  if (fires(Fault::reconnect_storm)) {
    storm_until_ = now_ + random(Fault::reconnect_storm).time(milliseconds(500), seconds(4));
    for (std::size_t i = 0; i < lanes_total; ++i) network_->cut(Lane{static_cast<std::uint8_t>(i)});
  }
  if (fires(Fault::banned)) {
    banned_until_ = now_ + random(Fault::banned).spread(seconds(1), seconds(120));
    for (std::size_t i = 0; i < lanes_total; ++i) network_->cut(Lane{static_cast<std::uint8_t>(i)});
  }
  if (fires(Fault::feeds_skewed)) {
    skewed_until_ = now_ + random(Fault::feeds_skewed).spread(milliseconds(50), seconds(5));
  }
  if (fires(Fault::silent_stall)) {
    stalled_until_ = now_ + random(Fault::silent_stall).spread(milliseconds(100), seconds(6));
  }
  if (fires(Fault::bytes_split)) {
    split_until_ = now_ + random(Fault::bytes_split).spread(milliseconds(10), seconds(4));
  }
  if (fires(Fault::dead_man_absent) && network_->up(Lane::orders)) {
    venue_.exchange.set_cod(network_->connection(Lane::orders), sim::CodScope::connection, false);
    network_->cut(Lane::orders);
  }
}

void Nemesis::address_moments() {
  if (fires(Fault::name_unresolved)) {
    unresolved_until_ =
        now_ + random(Fault::name_unresolved).spread(milliseconds(100), seconds(20));
  }
  if (!fires(Fault::address_changed)) return;
  for (std::size_t i = 0; i < lanes_total; ++i) {
    stranded_[i] = network_->connection(Lane{static_cast<std::uint8_t>(i)});
  }
  query_stranded_ = true;
}

// Somebody starts a process again whose journal has failed.
void Nemesis::disk_moments() {
  ProcessTrouble& p = process_;
  if (!p.disk_failed && fires(Fault::disk_failed)) {
    p.disk_failed = true;
    restart_at_ = now_ + random(Fault::disk_failed).spread(milliseconds(50), seconds(3));
  }
  if (!p.disk_failed || (now_ < restart_at_ && !stopped_)) return;
  Random& r = random(Fault::disk_failed);
  p.crash = true;
  p.down = r.spread(milliseconds(20), seconds(2));
  if (r.chance(0.5)) p.damage = {Damage::torn, r.next()};
}

void Nemesis::process_moments() {
  ProcessTrouble& p = process_;
  disk_moments();
  if (fires(Fault::paused)) {
    p.paused_until = now_ + random(Fault::paused).spread(milliseconds(1), milliseconds(500));
  }
  if (fires(Fault::wall_clock_step)) {
    Random& r = random(Fault::wall_clock_step);
    const Nanos step = r.spread(milliseconds(1), seconds(90));
    p.wall_offset_ns = r.chance(0.3) ? 0 : r.chance(0.5) ? step.count : -step.count;
  }
  if (stopped_) p.wall_offset_ns = 0;
  if (fires(Fault::journal_refused)) {
    p.journal_back_at = now_ + random(Fault::journal_refused).time(milliseconds(1), seconds(1));
  }
  if (fires(Fault::restart)) {
    p.crash = true;
    p.down = random(Fault::restart).spread(milliseconds(20), seconds(2));
  }
  if (fires(Fault::restart_late)) {
    p.crash = true;
    p.down = random(Fault::restart_late).time(seconds(605), seconds(700));
  }
  damage_files(Fault::torn_write, Damage::torn);
  damage_files(Fault::bit_flip, Damage::flipped);
  damage_files(Fault::sync_lied, Damage::unsynced);
  if (fires(Fault::reconciled_twice)) p.reconcile_again = true;
  if (fires(Fault::killed)) {
    (random(Fault::killed).chance(0.6) ? p.kill : p.kill_instrument) = true;
  }
  if (fires(Fault::control_flood)) {
    p.flood = 200 + static_cast<std::uint32_t>(random(Fault::control_flood).below(600));
  }
}

// The process dies as well: it is a boot that reads files.
void Nemesis::damage_files(Fault fault, Damage damage) {
  if (!fires(fault)) return;
  process_.crash = true;
  process_.down = random(fault).spread(milliseconds(20), seconds(2));
  process_.damage = {damage, random(fault).next()};
}

void Nemesis::label_of_another_boot(std::string& out) {
  static constexpr char digits[] = "0123456789abcdef";
  ++strange_orders_;
  const std::uint64_t id = (std::uint64_t{0xFFFF00} << 40) | strange_orders_;
  out = "g" + std::string{label_tag} + "-";
  for (int shift = 60; shift >= 0; shift -= 4) out += digits[(id >> shift) & 15];
  out += "-00000000";
}

// What the venue does of its own: to positions, to what it lists.
void Nemesis::venue_moments() {
  if (fires(Fault::auto_deleveraged)) {
    Random& r = random(Fault::auto_deleveraged);
    const auto held = venue_.exchange.positions(venue_.account);
    const std::size_t which = r.below(held.size() + 1);  // the hedge's twice
    const sim::InstrumentIndex i = which == held.size() ? venue_.perpetual : held[which].instrument;
    const double size = std::abs(to_double(venue_.exchange.held(venue_.account, i)));
    static_cast<void>(venue_.dialect.deleverage(
        venue_.account, i, Qty{static_cast<std::int64_t>(size * r.unit() * 1e9)}));
  }
  if (fires(Fault::fill_voided)) {
    const auto rows = venue_.exchange.user_trades(venue_.account, 0);
    const std::size_t latest = std::min<std::size_t>(rows.size(), 5);
    const std::size_t back = 1 + random(Fault::fill_voided).below(latest);
    if (latest > 0) static_cast<void>(venue_.dialect.void_trade(rows[rows.size() - back]));
  }
  if (fires(Fault::tick_changed)) {
    static constexpr std::array<std::int64_t, 5> cents{10, 50, 100, 250, 500};
    static constexpr std::array<std::int64_t, 3> lots{10, 20, 50};
    Random& r = random(Fault::tick_changed);
    const Instrument& now = venue_.exchange.instruments()[venue_.perpetual].def;
    TickSchedule ticks = now.ticks;
    Qty lot = now.lot;
    const bool both = r.chance(0.3);
    const bool tick = both || r.chance(0.6);
    if (tick) ticks.base = Price{cents[r.below(cents.size())] * nano_per_unit / 100};
    if (both || !tick) lot = Qty{lots[r.below(lots.size())] * nano_per_unit};
    venue_.dialect.set_terms(venue_.perpetual, ticks, lot);
  }
}

// The settlement comes by the venue's clock, whatever may fire.
void Nemesis::listing_moments() {
  const std::size_t settlements = venue_.exchange.settlements().size();
  if (on(Fault::settled) && settlements_seen_ == 0 && settlements > 0) count(Fault::settled);
  settlements_seen_ = settlements;
  if (fires(Fault::instrument_halted)) {
    halted_until_ = now_ + random(Fault::instrument_halted).spread(milliseconds(100), seconds(4));
  }
  if (fires(Fault::delisted)) venue_.end_expiry(random(Fault::delisted).next());
}

void Nemesis::account_moments() {
  if (fires(Fault::manual_trade)) {
    Random& r = random(Fault::manual_trade);
    if (r.chance(0.6)) {
      venue_.human_trade(any_side(r), r.between(1, 400) * 10, {});
    } else {
      venue_.human_rest(any_side(r), r.between(1, 400) * 10, r.between(5, 60), {});
    }
  }
  if (fires(Fault::second_bot)) {
    Random& r = random(Fault::second_bot);
    std::string label;
    label_of_another_boot(label);
    if (r.chance(0.5)) {
      venue_.human_trade(any_side(r), r.between(1, 200) * 10, label);
    } else {
      venue_.human_rest(any_side(r), r.between(1, 200) * 10, r.between(5, 60), label);
    }
  }
  if (fires(Fault::self_trade)) {
    for (const sim::OrderNo n : venue_.resting()) {
      const sim::OrderInfo o = *venue_.exchange.order(n);
      const Side other = o.side == Side::buy ? Side::sell : Side::buy;
      venue_.human_trade(other, 10 + 10 * static_cast<std::int64_t>(o.amount.nano % 7), {});
    }
    venue_.human_rest(any_side(random(Fault::self_trade)), 100, 0, {});
  }
  if (fires(Fault::reduce_only_cut)) {
    const Qty held = venue_.exchange.position(venue_.account, venue_.perpetual).size;
    const std::int64_t usd = held.nano / nano_per_unit;
    if (usd != 0) venue_.human_trade(usd > 0 ? Side::sell : Side::buy, usd > 0 ? usd : -usd, {});
  }
  if (fires(Fault::throttled)) {
    for (int i = 0; i < 22; ++i) {
      static_cast<void>(venue_.human.call("private/cancel", R"({"order_id":"1"})"));
    }
  }
  if (fires(Fault::dead_man_early)) {
    static_cast<void>(venue_.human.call("private/cancel_all", "{}"));
  }
  if (fires(Fault::maintenance)) {
    maintenance_until_ =
        now_ + random(Fault::maintenance).spread(milliseconds(100), milliseconds(3000));
    venue_.dialect.set_maintenance(true);
  }
  if (maintenance_until_.mono_ns != 0 && (now_ >= maintenance_until_ || stopped_)) {
    maintenance_until_ = RecvTime{};
    venue_.dialect.set_maintenance(false);
  }
  if (liquidation_until_.mono_ns == 0 && fires(Fault::liquidated)) {
    const sim::Summary s = venue_.exchange.summary(venue_.account, btc);
    const Money room = s.margin_balance - s.maintenance_margin;
    venue_.liquidation_taken = room + Money{s.maintenance_margin.nano / 10};
    venue_.exchange.deposit(venue_.account, btc, -venue_.liquidation_taken);
    liquidation_until_ = now_ + milliseconds(700);
  }
  if (liquidation_until_.mono_ns != 0 && (now_ >= liquidation_until_ || stopped_)) {
    liquidation_until_ = RecvTime{};
    venue_.exchange.deposit(venue_.account, btc, venue_.liquidation_taken);
  }
}

}  // namespace gimbal::simtest
