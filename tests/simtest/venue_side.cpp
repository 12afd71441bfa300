#include "tests/simtest/venue_side.hpp"

#include <iterator>
#include <set>

#include "tests/simtest/random.hpp"

namespace gimbal::simtest {
namespace {

constexpr std::string_view rival_key = "rival-key";
constexpr std::string_view rival_secret = "rival-secret";
const Currency btc = currency("BTC");

constexpr ExchTime settlement{1'790'064'000'000'000'000};  // 2026-09-22 08:00 UTC

sim::SimConfig market(std::uint64_t seed, Money misbooked_fee, bool settles) {
  sim::SimConfig c;
  c.seed = seed;
  if (settles) c.start = settlement - Random{seed, 6}.time(seconds(1), seconds(7));
  c.misbooked_fee = misbooked_fee;
  c.coins = {{"BTC", 100'000, 0.55, 1.0, 6.0, 0.9, 200, 0.015}};
  c.products = {{"BTC", "BTC", false, "BTC", "btc_usd", 0.5, 10, true, 2, 3, 0.1}};
  c.maker.perpetual_levels = 8;
  c.maker.future_levels = 2;
  c.maker.option_levels = 1;
  c.maker.option_requote = seconds(1);
  c.walk_speed = 60;
  c.step = milliseconds(10);
  return c;
}

sim::DialectConfig dialect(std::uint64_t seed) {
  sim::DialectConfig c;
  c.seed = seed;
  return c;
}

// Fixed point as the venue takes it: at most 9 decimals.
std::string decimal(std::int64_t nano) {
  std::string text = std::to_string(nano / nano_per_unit);
  std::string part = std::to_string(nano_per_unit + nano % nano_per_unit).substr(1);
  while (!part.empty() && part.back() == '0') part.pop_back();
  return part.empty() ? text : text + '.' + part;
}

}  // namespace

std::string Hand::exchange_texts(std::string_view text) {
  venue_.receive(connection_, text);
  std::string reply;
  std::string frame;
  while (venue_.pop(connection_, frame)) {
    if (frame.find("\"id\":") != std::string::npos) reply = frame;
  }
  return reply;
}

void Hand::log_in() {
  connection_ = venue_.connect();
  static_cast<void>(
      exchange_texts(R"({"jsonrpc":"2.0","id":0,"method":"public/auth","params":{"grant_type":)"
                     R"("client_credentials","client_id":")" +
                     key_ + R"(","client_secret":")" + secret_ + "\"}}"));
}

std::string Hand::call(std::string_view method, std::string_view params) {
  if (connection_ == 0 || venue_.closing(connection_)) {
    if (connection_ != 0) venue_.disconnected(connection_);
    log_in();
  }
  std::string text = R"({"jsonrpc":"2.0","id":)" + std::to_string(next_id_++) + R"(,"method":")";
  text += method;
  text += R"(","params":)";
  text += params;
  text += '}';
  std::string reply = exchange_texts(text);
  if (reply.find(R"("code":10028)") != std::string::npos) ++throttled_;
  return reply;
}

VenueSide::VenueSide(std::uint64_t seed, Money misbooked_fee, bool settles)
    : exchange{market(seed, misbooked_fee, settles)},
      dialect{exchange, simtest::dialect(seed)},
      account{exchange.add_account(bot_key, bot_secret)},
      perpetual{exchange.find("BTC-PERPETUAL")},
      human{dialect, bot_key, bot_secret},
      rival{dialect, rival_key, rival_secret} {
  exchange.deposit(account, btc, Money{50 * nano_per_unit});
  exchange.deposit(exchange.add_account(rival_key, rival_secret), btc, Money{1000 * nano_per_unit});
  std::vector<sim::InitialPosition> book;
  const auto all = exchange.instruments();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_option(all[i].def.kind)) continue;
    const bool ends_soon = all[i].def.expiry - exchange.now() < seconds(86'400);
    if (ends_soon && !settles) continue;
    sim::InitialPosition p;
    p.instrument = static_cast<sim::InstrumentIndex>(i);
    p.size = Qty{ends_soon ? -nano_per_unit / 2 : -3 * nano_per_unit};
    book.push_back(p);
  }
  exchange.endow(account, book);
}

std::string VenueSide::limit_order(Side side, Qty amount, Price price,
                                   std::string_view rest) const {
  const sim::Listing& l = exchange.instruments()[perpetual];
  const Price on_tick = l.def.ticks.snap(price, side == Side::buy ? Rounding::up : Rounding::down);
  std::string text = R"({"instrument_name":"BTC-PERPETUAL","type":"limit","amount":)";
  text += decimal(amount.nano) + R"(,"price":)" + decimal(on_tick.nano);
  text += rest;
  text += '}';
  return text;
}

void VenueSide::hit(sim::OrderNo order, double share) { take_from(order, share, false); }
void VenueSide::hit_through(sim::OrderNo order, double share) { take_from(order, share, true); }

void VenueSide::take_from(sim::OrderNo order, double share, bool through) {
  const sim::OrderInfo* o = exchange.order(order);
  if (o == nullptr || o->state != sim::OrderState::open || o->instrument != perpetual) return;
  const std::int64_t lot = exchange.instruments()[perpetual].def.lot.nano;
  const std::int64_t rest = (o->amount - o->filled).nano;
  const auto wanted = static_cast<std::int64_t>(share * static_cast<double>(rest));
  std::int64_t amount = std::max(lot, wanted / lot * lot);
  std::vector<sim::Level> levels;
  if (through) exchange.levels(perpetual, o->side, 0, levels);
  for (const sim::Level& l : levels) {
    if (o->side == Side::buy ? l.price < o->price : l.price > o->price) break;
    amount += l.amount.nano - (l.price == o->price ? rest : 0);
  }
  const Side side = o->side == Side::buy ? Side::sell : Side::buy;
  static_cast<void>(rival.call(
      side == Side::buy ? "private/buy" : "private/sell",
      limit_order(side, Qty{amount}, o->price, R"(,"time_in_force":"immediate_or_cancel")")));
}

void VenueSide::human_trade(Side side, std::int64_t usd, std::string_view label) {
  const std::int64_t mark = exchange.mark_price(perpetual).nano;
  const Price reach{side == Side::buy ? mark + mark / 200 : mark - mark / 200};
  std::string rest = R"(,"time_in_force":"immediate_or_cancel")";
  if (!label.empty()) rest += R"(,"label":")" + std::string{label} + '"';
  static_cast<void>(human.call(side == Side::buy ? "private/buy" : "private/sell",
                               limit_order(side, Qty{usd * nano_per_unit}, reach, rest)));
}

void VenueSide::human_rest(Side side, std::int64_t usd, std::int64_t bp, std::string_view label) {
  const std::int64_t mark = exchange.mark_price(perpetual).nano;
  const std::int64_t away = mark / 10'000 * bp;
  std::string rest;
  if (!label.empty()) rest = R"(,"label":")" + std::string{label} + '"';
  static_cast<void>(
      human.call(side == Side::buy ? "private/buy" : "private/sell",
                 limit_order(side, Qty{usd * nano_per_unit},
                             Price{side == Side::buy ? mark - away : mark + away}, rest)));
}

std::uint64_t VenueSide::rate_refusals() const noexcept {
  return dialect.stats().rate_limit_errors - human.throttled() - rival.throttled();
}

bool VenueSide::ours(const sim::OrderInfo& order) const {
  return order.label.rfind("g" + std::string{label_tag} + "-", 0) == 0;
}

bool VenueSide::end_expiry(std::uint64_t pick) {
  std::set<ExchTime> listed;
  for (const sim::Listing& l : exchange.instruments()) {
    if (l.active && is_option(l.def.kind)) listed.insert(l.def.expiry);
  }
  if (listed.size() < 2) return false;
  const ExchTime expiry =
      *std::next(listed.begin(), static_cast<std::ptrdiff_t>(pick % listed.size()));
  bool holds = false;
  for (sim::InstrumentIndex i = 0; i < exchange.instruments().size(); ++i) {
    const sim::Listing& l = exchange.instruments()[i];
    const bool ends = l.active && is_option(l.def.kind) && l.def.expiry == expiry;
    holds = holds || (ends && exchange.held(account, i).nano != 0);
  }
  const bool ended = dialect.settle_expiry(0, expiry) > 0;
  held_ends_ += ended && holds;
  return ended;
}

std::vector<sim::OrderNo> VenueSide::resting() const {
  std::vector<sim::OrderNo> list;
  for (const sim::OrderNo n : exchange.open_orders(account)) {
    if (ours(*exchange.order(n))) list.push_back(n);
  }
  return list;
}

}  // namespace gimbal::simtest
