#include "bench/venue.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace gimbal::bench {
namespace {

using sim::DeribitDialect;
using sim::SimConfig;
using sim::SimExchange;

constexpr std::uint32_t strikes = 26;  // 4 expiries: 208 options
constexpr std::int64_t jump = 25;      // USD: the mid alternates between center - jump, + jump
constexpr int levels_kept = 20;        // a side, which never change but in amount
constexpr std::string_view hedge_name = "BTC-PERPETUAL";
constexpr std::string_view book_channel = "\"book.BTC-PERPETUAL.raw\"";

std::int64_t wall_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SimConfig market() {
  SimConfig c;
  c.seed = 11;
  c.start = ExchTime{wall_ns()};
  c.walk_speed = 1e-9;  // the price is the bench's own
  c.enforce_rates = false;
  c.rates.matching_per_s = 10'000;
  c.rates.matching_burst = 10'000;
  c.maker.taker_per_s = 0;
  for (sim::CoinConfig& coin : c.coins) {
    coin.jumps_per_year = 0;
    coin.vol_of_vol = 0;
  }
  c.products.resize(1);  // BTC
  c.products[0].strikes = strikes;
  return c;
}

sim::TlsFiles make_tls(const std::filesystem::path& directory) {
  sim::TlsFiles files;
  std::string error;
  if (!sim::make_tls_files(directory, files, error)) throw std::runtime_error(error);
  return files;
}

// Value of a flat member: text without its quotes, or a number.
std::string_view member(std::string_view text, std::string_view name) {
  const std::string key = '"' + std::string{name} + "\":";
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  std::size_t begin = at + key.size();
  const bool quoted = begin < text.size() && text[begin] == '"';
  if (quoted) ++begin;
  const std::size_t end = text.find_first_of(quoted ? "\"" : ",}", begin);
  return text.substr(begin, end - begin);
}

std::int64_t nano_of(std::string_view number) {
  return std::llround(std::strtod(std::string{number}.c_str(), nullptr) * 1e9);
}

void level(std::string& out, std::string_view action, std::int64_t price, std::int64_t amount) {
  if (out.back() == ']') out += ',';
  out += "[\"";
  out += action;
  out += "\",";
  out += std::to_string(price);
  out += ".0,";
  out += std::to_string(amount);
  out += ".0]";
}

}  // namespace

std::string wall_ms_text() { return std::to_string(wall_ns() / 1'000'000); }

Venue::Venue(const std::filesystem::path& tls_directory)
    : tls_{make_tls(tls_directory)},
      server_{tls_.leaf.string(), tls_.key.string()},
      exchange_{std::make_unique<SimExchange>(market())} {
  sim::DialectConfig config;
  config.vary = false;
  dialect_ = std::make_unique<DeribitDialect>(*exchange_, config);
  furnish();
  server_.on_open = [this](SpinConnection& c) {
    if (!welcome(c)) c.tag = dialect_->connect();
  };
  server_.on_text = [this](SpinConnection& c, std::string_view text) { on_text(c, text); };
  server_.on_http = [this](const HttpRequest& request) { return on_http(request); };
}

// A floor ignores the picture's text; a rival starts its book from it.
bool Venue::welcome(SpinConnection& c) {
  for (std::size_t g = 0; g < guests; ++g) {
    if (c.path != guest_paths[g]) continue;
    guests_[g] = &c;
    if (static_cast<Guest>(g) >= Guest::rival_polled) c.tls->send_text(snapshot(guest_books_[g]));
    return true;
  }
  return false;
}

// Short 8 calls and 2 puts of the five strikes nearest to the money, first expiry over a day away.
void Venue::furnish() {
  account_ = exchange_->add_account(bench_client, bench_secret);
  exchange_->deposit(account_, currency("BTC"), Money{50 * nano_per_unit});
  hedge_ = exchange_->find(hedge_name);
  const double spot = to_double(exchange_->index_price(0));
  center_ = std::llround(spot);
  std::vector<const sim::Listing*> calls;
  for (const sim::Listing& l : exchange_->instruments()) {
    if (l.def.kind != InstrumentKind::inverse_option) continue;
    ++options_;
    if (l.def.option != OptionType::call || l.def.expiry - exchange_->now() < seconds(86'400))
      continue;
    if (!calls.empty() && l.def.expiry < calls.front()->def.expiry) calls.clear();
    if (calls.empty() || l.def.expiry == calls.front()->def.expiry) calls.push_back(&l);
  }
  if (calls.size() < 5) throw std::runtime_error("the bench exchange lists too few options");
  std::sort(calls.begin(), calls.end(), [spot](const sim::Listing* a, const sim::Listing* b) {
    return std::abs(to_double(a->def.strike) - spot) < std::abs(to_double(b->def.strike) - spot);
  });
  std::vector<sim::InitialPosition> book;
  for (std::size_t i = 0; i < 5; ++i) {
    std::string put = calls[i]->name;
    put.back() = 'P';
    sim::InitialPosition p;
    p.instrument = exchange_->find(calls[i]->name);
    p.size = Qty{-8 * nano_per_unit};
    book.push_back(p);
    p.instrument = exchange_->find(put);
    p.size = Qty{-2 * nano_per_unit};
    book.push_back(p);
  }
  exchange_->endow(account_, book);
}

void Venue::serve(bool time) {
  server_.accept_new();
  server_.serve_all();
  settle();
  if (time) dialect_->advance(ExchTime{wall_ns()});
  pump();
  forget_closed();
}

void Venue::keep_house(const SpinConnection& ticks) {
  server_.accept_new();
  for (std::size_t i = 0; i < server_.connections().size(); ++i) {
    SpinConnection& c = *server_.connections()[i];
    if (&c != &ticks) server_.serve(c);
  }
}

void Venue::forget_closed() {
  bool any = false;
  for (const auto& c : server_.connections()) {
    if (!c->closed) continue;
    any = true;
    if (c->tag != 0) dialect_->disconnected(c->tag);
    if (on_closed) on_closed(*c);
    if (c.get() == book_connection_) book_connection_ = nullptr;
    if (c.get() == order_connection_) order_connection_ = nullptr;
    for (SpinConnection*& g : guests_) {
      if (c.get() == g) g = nullptr;
    }
  }
  if (any) server_.forget_closed();
}

Venue::Target Venue::guest(Guest g) const {
  SpinConnection* c = guests_[static_cast<std::size_t>(g)];
  return {c, c};
}
Venue::Target Venue::bot() const { return {book_connection_, order_connection_}; }

std::int64_t Venue::take_stamp() {
  const std::int64_t at = stamp_;
  stamp_ = 0;
  return at;
}

void Venue::on_text(SpinConnection& c, std::string_view text) {
  if (std::find(guests_.begin(), guests_.end(), &c) != guests_.end()) {
    stamp_ = c.first_byte_ns;
    return;
  }
  const std::string_view method = member(text, "method");
  if (method == "private/buy" || method == "private/sell") {
    stamp_ = c.first_byte_ns;
    order_connection_ = &c;
    pending_.push_back({&c, std::string{text}});
    return;
  }
  // The dialect would ask for proofs of life in the exchange's time, which jumps between blocks.
  if (method == "public/set_heartbeat") {
    c.tls->send_text(R"({"jsonrpc":"2.0","id":)" + std::string{member(text, "id")} +
                     R"(,"result":"ok"})");
    return;
  }
  dialect_->receive(c.tag, text);
  pump(c);
}

std::string Venue::on_http(const HttpRequest& request) {
  if (request.target.find("get_time") != std::string_view::npos ||
      request.body.find("get_time") != std::string_view::npos) {
    const std::string_view id = member(request.body, "id");
    return R"({"jsonrpc":"2.0",)" + (id.empty() ? "" : "\"id\":" + std::string{id} + ',') +
           "\"result\":" + wall_ms_text() + '}';
  }
  return dialect_->http({request.verb, request.target, request.authorization, request.body}).body;
}

void Venue::pump() {
  for (std::size_t i = 0; i < server_.connections().size(); ++i) pump(*server_.connections()[i]);
}

void Venue::pump(SpinConnection& c) {
  if (c.tag == 0 || c.closed) return;
  while (dialect_->pop(c.tag, frame_)) {
    if (frame_.find(book_channel) != std::string::npos &&
        frame_.find("\"method\":\"subscription\"") != std::string::npos) {
      if (frame_.find("\"snapshot\"") == std::string::npos) continue;
      book_connection_ = &c;
      c.tls->send_text(snapshot(bot_book_));
      continue;
    }
    if (on_publication && frame_.find("\"method\":\"subscription\"") != std::string::npos) {
      on_publication(c, frame_);
    }
    c.tls->send_text(frame_);
  }
  if (dialect_->closing(c.tag)) c.closed = true;
}

std::string Venue::snapshot(const Book& book) const {
  std::string s = R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":)";
  s += book_channel;
  s += R"(,"data":{"timestamp":)" + wall_ms_text() + R"(,"type":"snapshot","change_id":)" +
       std::to_string(book.change_id) + R"(,"instrument_name":"BTC-PERPETUAL","bids":[)";
  const std::int64_t mid = center_ + (book.high ? jump : -jump);
  level(s, "new", mid - 1, 60000);
  for (int i = 0; i < levels_kept; ++i) level(s, "new", center_ - 100 - 10 * i, 50000);
  s += R"(],"asks":[)";
  level(s, "new", mid + 1, 60000);
  for (int i = 0; i < levels_kept; ++i) level(s, "new", center_ + 100 + 10 * i, 50000);
  return s + "]}}}";
}

std::string_view Venue::next_tick(bool moves, Book& book) {
  const std::uint64_t before = book.change_id;
  book.change_id += 3;
  std::string& t = tick_;
  t = R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":)";
  t += book_channel;
  t += R"(,"data":{"timestamp":)" + wall_ms_text() + R"(,"type":"change","change_id":)" +
       std::to_string(book.change_id) + R"(,"instrument_name":"BTC-PERPETUAL","bids":[)";
  if (moves) {
    const std::int64_t from = center_ + (book.high ? jump : -jump);
    book.high = !book.high;
    const std::int64_t to = center_ + (book.high ? jump : -jump);
    level(t, "delete", from - 1, 0);
    level(t, "new", to - 1, 60000);
    t += R"(],"asks":[)";
    level(t, "delete", from + 1, 0);
    level(t, "new", to + 1, 60000);
  } else {
    book.deep = (book.deep + 1) % levels_kept;
    level(t, "change", center_ - 100 - 10 * book.deep, 50000 + 10 * (book.deep + 1));
    t += R"(],"asks":[)";
    level(t, "change", center_ + 100 + 10 * book.deep, 50000 + 10 * (book.deep + 1));
  }
  t += R"(],"prev_change_id":)" + std::to_string(before) + "}}}";
  return t;
}

void Venue::settle() {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    answer_order(*pending_[i].connection, pending_[i].text);
  }
  pending_.clear();
}

void Venue::answer_order(SpinConnection& c, std::string_view text) {
  if (c.closed) return;
  ++orders_;
  order_bytes_ = text.size();
  const bool buy = member(text, "method") == "private/buy";
  const std::string amount{member(text, "amount")};
  const std::string label{member(text, "label")};
  const std::string number = std::to_string(50'000'000 + orders_);
  const std::int64_t mid = center_ + (bot_book_.high ? jump : -jump);
  const std::string price = std::to_string(buy ? mid + 1 : mid - 1) + ".0";
  const std::string now = wall_ms_text();
  const std::string common = R"("order_id":")" + number + R"(","label":")" + label +
                             R"(","instrument_name":"BTC-PERPETUAL","direction":")" +
                             (buy ? "buy" : "sell") + R"(","amount":)" + amount;
  const std::string trade =
      "{" + common + R"(,"trade_id":"T)" + number + R"(","trade_seq":)" + number +
      R"(,"timestamp":)" + now + R"(,"price":)" + price +
      R"(,"fee":0.0000001,"fee_currency":"BTC","liquidity":"T","state":"filled",)"
      R"("order_type":"limit","profit_loss":null,"index_price":)" +
      std::to_string(center_) + R"(,"mark_price":)" + std::to_string(center_) +
      R"(,"matching_id":null})";
  const std::string order =
      "{" + common + R"(,"price":)" + std::string{member(text, "price")} + R"(,"filled_amount":)" +
      amount + R"(,"average_price":)" + price +
      R"(,"order_state":"filled","time_in_force":"immediate_or_cancel","order_type":"limit",)"
      R"("last_update_timestamp":)" +
      now + R"(,"creation_timestamp":)" + now + "}";
  c.tls->send_text(R"({"jsonrpc":"2.0","id":)" + std::string{member(text, "id")} +
                   R"(,"result":{"trades":[)" + trade + R"(],"order":)" + order +
                   R"(},"usIn":1,"usOut":2,"usDiff":1,"testnet":true})");
  sim::InitialPosition fill;
  fill.instrument = hedge_;
  fill.size = Qty{nano_of(amount) * (buy ? 1 : -1)};
  fill.price = Price{(buy ? mid + 1 : mid - 1) * nano_per_unit};
  exchange_->endow(account_, std::vector<sim::InitialPosition>{fill});
}

}  // namespace gimbal::bench
