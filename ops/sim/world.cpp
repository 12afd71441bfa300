#include "ops/sim/world.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gimbal::sim {
namespace {

constexpr double demo_coins = 50;        // collateral
constexpr std::size_t demo_strikes = 5;  // per expiry, nearest to the forward
constexpr double demo_calls = 4.0;       // short, of each strike
constexpr double demo_puts = 1.0;
constexpr double default_coins = 10;
constexpr double default_usdc = 1'000'000;

double number(std::string_view text, const std::string& where) {
  double value = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
  if (done.ec != std::errc{} || done.ptr != text.data() + text.size()) {
    throw std::runtime_error{where + ": '" + std::string{text} + "' is not a number"};
  }
  return value;
}

std::int64_t nano_of(double value, const std::string& where) {
  std::int64_t nano = 0;
  if (!decision_nano(value, nano)) throw std::runtime_error{where + ": number out of range"};
  return nano;
}

SimConfig config_of(const SimOptions& o, const ReplayMarket* replay) {
  SimConfig c;
  c.seed = o.seed;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  c.start = {std::chrono::duration_cast<std::chrono::nanoseconds>(wall).count()};
  c.step = Nanos{static_cast<std::int64_t>(o.step_ms * 1e6)};
  c.walk_speed = o.walk_speed;
  for (CoinConfig& coin : c.coins) {
    if (o.vol > 0) coin.vol = o.vol;
    if (o.vol_of_vol >= 0) coin.vol_of_vol = o.vol_of_vol;
    if (o.jump_rate >= 0) coin.jumps_per_year = o.jump_rate;
    if (o.btc_price > 0 && coin.coin == "BTC") coin.price = o.btc_price;
  }
  if (o.taker_rate >= 0) c.maker.taker_per_s = o.taker_rate;
  if (o.matching_rate > 0) c.rates.matching_per_s = o.matching_rate;
  if (o.matching_burst > 0) c.rates.matching_burst = o.matching_burst;
  if (o.query_rate > 0) c.rates.general_per_s = o.query_rate;
  if (o.query_burst > 0) c.rates.general_burst = o.query_burst;
  c.misbooked_fee = Money{static_cast<std::int64_t>(std::llround(o.misbooked_fee * 1e9))};
  if (o.portfolio_margin) c.portfolio = usual_portfolio_rules();
  if (replay == nullptr) return c;
  // The recordings make the price: the walk itself stands still.
  c.start = replay->first();
  for (CoinConfig& coin : c.coins) {
    coin.jumps_per_year = 0;
    coin.vol_of_vol = 0;
    if (const auto price = replay->coin_price(coin.coin)) coin.price = *price;
  }
  c.walk_speed = 1e-9;
  return c;
}

// What an account starts with.
struct Start {
  std::vector<std::pair<std::string, double>> cash;
  std::vector<std::pair<std::string, double>> positions;
};

// A comment begins with a word that begins with '#': a secret may hold one.
std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in{line};
  std::vector<std::string> out;
  for (std::string word; in >> word && word.front() != '#';) out.push_back(word);
  return out;
}

void take_cash(Start& start, const std::string& word, const std::string& where) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw std::runtime_error{where + ": expected CURRENCY=AMOUNT, found '" + word + "'"};
  }
  start.cash.emplace_back(word.substr(0, equals),
                          number(std::string_view{word}.substr(equals + 1), where));
}

Start read_book(const std::filesystem::path& path) {
  Start start;
  std::ifstream in{path};
  if (!in) throw std::runtime_error{"cannot read " + path.string()};
  std::string line;
  for (std::size_t n = 1; std::getline(in, line); ++n) {
    const std::string where = path.string() + ':' + std::to_string(n);
    const auto words = words_of(line);
    if (words.empty()) continue;
    if (words.size() == 1)
      take_cash(start, words[0], where);
    else if (words.size() == 2)
      start.positions.emplace_back(words[0], number(words[1], where));
    else
      throw std::runtime_error{where + ": expected INSTRUMENT SIZE or CURRENCY=AMOUNT"};
  }
  return start;
}

// Short options around the money of the first BTC expiry with more than a day to live. More calls
// than puts, so that the book has a delta to hedge from the first tick.
Start demo_book(const SimExchange& x) {
  Start start;
  start.cash = {{"BTC", demo_coins}};
  std::vector<const Listing*> calls;
  ExchTime expiry{};
  for (const Listing& l : x.instruments()) {
    const Instrument& def = l.def;
    if (l.base != "BTC" || def.kind != InstrumentKind::inverse_option || !l.active) continue;
    if (def.option != OptionType::call || def.expiry - x.now() < seconds(86'400)) continue;
    if (expiry.unix_ns == 0 || def.expiry < expiry) {
      expiry = def.expiry;
      calls.clear();
    }
    if (def.expiry == expiry) calls.push_back(&l);
  }
  if (calls.empty()) throw std::runtime_error{"--demo-book: no BTC option is listed"};
  const double spot = to_double(x.index_price(calls.front()->product));
  std::sort(calls.begin(), calls.end(), [spot](const Listing* a, const Listing* b) {
    return std::abs(to_double(a->def.strike) - spot) < std::abs(to_double(b->def.strike) - spot);
  });
  calls.resize(std::min(calls.size(), demo_strikes));
  for (const Listing* call : calls) {
    std::string put = call->name;
    put.back() = 'P';
    start.positions.emplace_back(call->name, -2 * demo_calls);
    start.positions.emplace_back(put, -2 * demo_puts);
  }
  return start;
}

// The recorded options instead: short 10 of each.
Start demo_book(const ReplayMarket& replay) {
  Start start;
  start.cash = {{"BTC", demo_coins}, {"ETH", demo_coins * 10}};
  for (const ReplayOption& o : replay.instruments()) {
    if (o.option && o.currency == "BTC") start.positions.emplace_back(o.name, -10);
  }
  return start;
}

void furnish(World& world, AccountId account, const Start& start) {
  SimExchange& x = *world.exchange;
  const std::vector<Currency> known = x.currencies();
  for (const auto& [name, amount] : start.cash) {
    if (std::find(known.begin(), known.end(), currency(name)) == known.end()) {
      throw std::runtime_error{"currency " + name + " is not one of this exchange"};
    }
    x.deposit(account, currency(name), Money{nano_of(amount, name)});
  }
  std::vector<InitialPosition> positions;
  for (const auto& [name, size] : start.positions) {
    if (world.replay != nullptr && world.replay->find(name) != nullptr) {
      if (!world.replay->endow(account, name, size))
        throw std::runtime_error{"cannot hold " + name};
      continue;
    }
    InitialPosition position;
    position.instrument = x.find(name);
    if (position.instrument == no_instrument) {
      throw std::runtime_error{"instrument " + name + " is not listed"};
    }
    position.size = {nano_of(size, name)};
    positions.push_back(position);
  }
  x.endow(account, positions);
}

void read_accounts(World& world, const std::filesystem::path& path) {
  std::ifstream in{path};
  if (!in) throw std::runtime_error{"cannot read " + path.string()};
  std::string line;
  for (std::size_t n = 1; std::getline(in, line); ++n) {
    const std::string where = path.string() + ':' + std::to_string(n);
    const auto words = words_of(line);
    if (words.empty()) continue;
    if (words.size() < 2) throw std::runtime_error{where + ": expected CLIENT_ID SECRET .."};
    if (words.size() == 3 && words[2].front() == '@') {
      const Credential* other = world.exchange->credential(words[2].substr(1));
      if (other == nullptr) throw std::runtime_error{where + ": unknown account " + words[2]};
      world.extra_keys.push_back({words[0], words[1], other->account});
      continue;
    }
    Start start;
    for (std::size_t i = 2; i < words.size(); ++i) take_cash(start, words[i], where);
    const AccountId account = world.exchange->add_account(words[0], words[1]);
    world.accounts.push_back({words[0], account});
    furnish(world, account, start);
  }
}

}  // namespace

World make_world(const SimOptions& o) {
  World world;
  if (!o.replay.empty()) {
    world.replay = std::make_unique<ReplayMarket>();
    std::string error;
    if (!world.replay->load(o.replay, error)) throw std::runtime_error{error};
  }
  world.exchange = std::make_unique<SimExchange>(config_of(o, world.replay.get()));
  SimExchange& x = *world.exchange;
  const AccountId trader = x.add_account(o.client_id, o.client_secret);
  world.accounts.push_back({o.client_id, trader});
  world.extra_keys.push_back({o.guardian_id, o.guardian_secret, trader});
  Start start;
  if (!o.book.empty()) {
    start = read_book(o.book);
  } else if (o.demo_book) {
    start = world.replay != nullptr ? demo_book(*world.replay) : demo_book(x);
  } else {
    start.cash = {{"BTC", default_coins}, {"ETH", default_coins * 10}, {"USDC", default_usdc}};
  }
  furnish(world, trader, start);
  if (o.shadow) {
    const AccountId shadow = x.add_account("shadow", "");
    world.accounts.push_back({"shadow", shadow});
    furnish(world, shadow, start);
  }
  if (!o.accounts.empty()) read_accounts(world, o.accounts);
  return world;
}

}  // namespace gimbal::sim
