// The trading day across a restart, on the cold side: what the boot before left becomes events,
// and what the core counts goes to the keeper. Room: ops/app (wiring). Cold.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>

#include "ops/app/bot.hpp"
#include "ops/app/day_keeper.hpp"
#include "ops/app/desk.hpp"
#include "ops/app/venue_address.hpp"

namespace gimbal {
namespace {

constexpr Nanos keep_interval = milliseconds(500);
constexpr std::size_t account_owner = day_owners_max - 1;
constexpr std::size_t operator_owner = account_owner - 1;  // what an operator's flatten traded

std::string owner_name(std::size_t owner) {
  if (owner < Strategies::names.size()) return std::string{Strategies::names[owner]};
  if (owner == operator_owner) return "operator";
  return owner == account_owner ? "account" : "strategy " + std::to_string(owner);
}

// A strategy that this build does not have: the account answers for it.
std::uint8_t owner_number(const std::string& name) {
  for (std::size_t owner = 0; owner < account_owner; ++owner) {
    if (owner_name(owner) == name) return static_cast<std::uint8_t>(owner);
  }
  return static_cast<std::uint8_t>(account_owner);
}

std::string moment(ExchTime t) {
  const auto second = static_cast<std::time_t>(t.unix_ns / 1'000'000'000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(second));
}

const char* text(DayCarryState s) {
  switch (s) {
    case DayCarryState::none: return "none";
    case DayCarryState::waiting: return "waiting";
    case DayCarryState::counted: return "counted";
    case DayCarryState::ended: return "ended";
  }
  return "none";
}

DayCarry item_of(DayItem item, std::size_t subject, std::int64_t a, std::int64_t b = 0) {
  DayCarry c;
  c.item = item;
  c.subject = static_cast<std::uint8_t>(subject);
  c.a = a;
  c.b = b;
  return c;
}

}  // namespace

void Bot::load_day() {
  const Config& config = loaded_->config;
  day_ = std::make_unique<DayKeeper>(config.runtime.state_dir + "/day",
                                     account_text(config.venues[0]));
  const DayFileContent& found = day_->found();
  if (found.kind == DayFileKind::missing) {
    return say("day: no figures of an earlier boot: " + day_->path() + " is not there");
  }
  if (found.kind == DayFileKind::unusable) return say("day: " + day_->trouble());
  const DayRecord& r = found.record;
  const bool over = wall_now() >= r.began + trading_day;
  say(fmt::format(
      "day: carried from boot {}: profit {:+.2f} USD, peak {:.2f}, {} holdings; the "
      "day began {}{}",
      r.epoch, to_double(r.profit()), to_double(r.peak), r.holdings.size(), moment(r.began),
      over ? " and is over by this host's clock: they end when the venue's says so too" : ""));
}

// Behind Boot and the tables, before anything is connected.
std::vector<Event> Bot::day_events() const {
  std::vector<Event> events;
  if (day_->found().kind != DayFileKind::sound) return events;
  const DayRecord& r = day_->found().record;
  const auto add = [&](const DayCarry& item, InstrumentId id = {}) {
    events.push_back(make_event(EventKind::day_carry, venue_, id, clock_.now(), {}, item));
  };
  DayCarry day = item_of(DayItem::day, 0, r.began.unix_ns, r.peak.nano);
  day.c = r.booked_until.unix_ns;
  add(day);
  std::array<i128, day_owners_max> profit{};
  for (const DayRecord::Owner& o : r.owners) profit[owner_number(o.name)] += o.profit.nano;
  for (std::size_t owner = 0; owner < day_owners_max; ++owner) {
    if (profit[owner] == 0) continue;
    const i128 usd = profit[owner];
    const std::int64_t most = usd < 0 ? -INT64_MAX : INT64_MAX;
    add(item_of(DayItem::profit, owner, fits_int64(usd) ? static_cast<std::int64_t>(usd) : most));
  }
  for (const DayRecord::Ratio& ratio : r.ratios) {
    const UnderlyingId id = universe_.underlyings().find(ratio.underlying);
    if (!id.valid()) continue;
    DayCarry item = item_of(DayItem::ratio, id.value,
                            static_cast<std::int64_t>(ratio.count.changes), ratio.count.maker_nano);
    item.group = ratio.group;
    add(item);
  }
  for (const DayRecord::Holding& h : r.holdings) {
    const InstrumentId id = universe_.symbols().find(h.instrument);
    if (!id.valid()) {
      say("day: " + h.instrument + " is listed no more: what it did since is not counted");
      continue;
    }
    add(item_of(DayItem::holding, owner_number(h.owner), h.amount.nano, h.mark.nano), id);
  }
  return events;
}

DayRecord Bot::day_record(const DayFigures& f) const {
  DayRecord r;
  r.epoch = epoch_;
  r.began = f.began;
  r.booked_until = f.booked_until;
  r.peak = f.peak;
  for (std::size_t owner = 0; owner < day_owners_max; ++owner) {
    if (f.profit[owner].nano != 0) r.owners.push_back({owner_name(owner), f.profit[owner]});
  }
  for (std::size_t u = 0; u < universe_.underlyings().size(); ++u) {
    const UnderlyingId id{static_cast<std::uint8_t>(u)};
    for (std::uint8_t g = 0; g < 2; ++g) {
      const DayRatio& count = f.ratio[u][g];
      if (count.changes == 0 && count.maker_nano == 0) continue;
      r.ratios.push_back({std::string{universe_.underlyings().name(id)}, g, count});
    }
  }
  for (std::size_t n = 0; n < f.holdings; ++n) {
    const DayHolding& h = f.holding[n];
    r.holdings.push_back({std::string{universe_.symbols().name(h.instrument)}, owner_name(h.owner),
                          h.amount, h.mark});
  }
  return r;
}

void Bot::keep_day(RecvTime now) {
  if (now < day_due_) return;
  day_due_ = now + keep_interval;
  const DayFigures& f = snapshot_->engine.day;
  if (f.carry != day_told_) {
    day_told_ = f.carry;
    if (f.carry == DayCarryState::counted) {
      say(fmt::format("day: it still runs; {:+.2f} USD of the boots before count",
                      to_double(f.carried)));
    } else if (f.carry == DayCarryState::ended) {
      say("day: the carried figures are of a day that is over; they count no more");
    }
  }
  if (f.complete) day_->offer(day_record(f), now);
  const std::string trouble = day_->trouble();
  if (trouble != day_trouble_ && !trouble.empty())
    say("day: " + trouble + "; nothing can be armed");
  if (trouble != day_trouble_ && trouble.empty()) say("day: its figures are kept again");
  day_trouble_ = trouble;
}

// With all threads ended: what the core has last.
Outcome Bot::close_day() {
  const DayFigures f = engine_->snapshot().day;
  if (f.complete) day_->offer(day_record(f), clock_.now());
  return day_->finish();
}

DayStatus Desk::day_status() {
  const DayFigures& f = bot_.snapshot_->engine.day;
  DayStatus out;
  out.began = f.began.unix_ns > 0 ? moment(f.began) : std::string{};
  out.carry = text(f.carry);
  out.held = f.held;
  out.carried_usd = to_double(f.carried);
  if (bot_.day_->found().kind == DayFileKind::sound) {
    out.from_boot = bot_.day_->found().record.epoch;
    out.found_profit_usd = to_double(bot_.day_->found().record.profit());
    out.found_peak_usd = to_double(bot_.day_->found().record.peak);
  }
  const RecvTime kept = bot_.day_->kept_at();
  out.kept_age_ns = kept.mono_ns > 0 ? (bot_.clock_.now() - kept).count : -1;
  out.holdings_left_out = f.holdings_left_out;
  out.trouble = bot_.day_->trouble();
  return out;
}

}  // namespace gimbal
