// Shared by the exchange's tests: a recording observer, an exchange without a house, short hands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/core/payload.hpp"
#include "venues/sim/exchange.hpp"

namespace gimbal::sim {

struct Recorder : Observer {
  struct BookChange {
    InstrumentIndex instrument;
    std::uint64_t id;
    std::uint64_t previous;
    std::vector<LevelChange> levels;
  };
  std::vector<BookChange> books;
  std::vector<PublicTrade> trades;
  std::vector<TickerInfo> tickers;
  std::vector<OrderInfo> orders;
  std::vector<UserTrade> fills;
  std::vector<std::pair<InstrumentIndex, ListingState>> states;
  std::vector<InstrumentIndex> tick_changes;
  std::vector<std::pair<bool, bool>> liquidations;  // active, bankrupt

  void on_book_change(InstrumentIndex i, std::uint64_t id, std::uint64_t previous,
                      std::span<const LevelChange> c) override {
    books.push_back({i, id, previous, {c.begin(), c.end()}});
  }
  void on_trade(const PublicTrade& t) override { trades.push_back(t); }
  void on_ticker(const TickerInfo& t) override { tickers.push_back(t); }
  void on_user_order(const OrderInfo& o) override { orders.push_back(o); }
  void on_user_trade(const UserTrade& t) override { fills.push_back(t); }
  void on_instrument_state(InstrumentIndex i, ListingState s) override { states.push_back({i, s}); }
  void on_ticks_change(InstrumentIndex i) override { tick_changes.push_back(i); }
  void on_liquidation(AccountId, bool active, bool bankrupt) override {
    liquidations.push_back({active, bankrupt});
  }
};

constexpr Qty qty(std::int64_t units) noexcept { return Qty{units * nano_per_unit}; }
constexpr Price price(std::int64_t units) noexcept { return Price{units * nano_per_unit}; }
constexpr Money coins(std::int64_t units) noexcept { return Money{units * nano_per_unit}; }
inline const Currency btc = currency("BTC");

// One inverse coin, no house quotes, no noise, no walk to speak of: users own the book.
inline SimConfig empty_market() {
  SimConfig c;
  c.coins = {{"BTC", 100'000, 0.55, 1.0, 6.0, 0.9, 0, 0}};
  c.products = {{"BTC", "BTC", false, "BTC", "btc_usd", 0.5, 10, true, 2, 5, 0.1}};
  c.maker.perpetual_levels = c.maker.future_levels = c.maker.option_levels = 0;
  c.maker.taker_per_s = 0;
  c.enforce_rates = false;
  return c;
}

// The whole default market with fewer strikes, for speed.
inline SimConfig small_market(std::uint64_t seed) {
  SimConfig c;
  c.seed = seed;
  c.products[0].strikes = c.products[1].strikes = 3;
  c.products[2].strikes = 3;
  c.enforce_rates = false;
  return c;
}

struct Venue {
  explicit Venue(SimConfig c = empty_market()) : exchange{std::move(c)} {
    perpetual = exchange.find("BTC-PERPETUAL");
    alice = add("alice", 10);
    bob = add("bob", 10);
  }
  AccountId add(const std::string& name, std::int64_t deposit) {
    const AccountId a = exchange.add_account(name, "secret");
    exchange.deposit(a, btc, coins(deposit));
    return a;
  }
  NewOrder order(Side side, std::int64_t amount, std::int64_t at) const {
    NewOrder o;
    o.instrument = perpetual;
    o.side = side;
    o.amount = qty(amount);
    o.price = price(at);
    return o;
  }
  OrderResult buy(AccountId who, std::int64_t amount, std::int64_t at) {
    return exchange.submit(who, 0, order(Side::buy, amount, at), out);
  }
  OrderResult sell(AccountId who, std::int64_t amount, std::int64_t at) {
    return exchange.submit(who, 0, order(Side::sell, amount, at), out);
  }
  std::vector<Level> side(Side s, InstrumentIndex i = no_instrument) const {
    std::vector<Level> list;
    exchange.levels(i == no_instrument ? perpetual : i, s, 0, list);
    return list;
  }
  void run(Nanos d) { exchange.advance(exchange.now() + d, out); }
  const OrderInfo& info(const OrderResult& r) const { return *exchange.order(r.order); }

  SimExchange exchange;
  Recorder out;
  InstrumentIndex perpetual{no_instrument};
  AccountId alice{};
  AccountId bob{};
};

// An operator's command to a core, record by record.
template <class Step>
void operator_events(OperatorAction action, std::uint64_t id, std::uint64_t config_hash,
                     RecvTime now, Step step) {
  OperatorCommand c;
  c.command_id = id;
  c.config_hash = config_hash;
  c.action = action;
  const Event head = make_event(EventKind::operator_command, VenueId{0}, {}, now, {}, c);
  Event parts[event_parts_max];
  const std::size_t n = write_parts(head, c, parts);
  for (std::size_t i = 0; i < n; ++i) step(parts[i]);
}

}  // namespace gimbal::sim
