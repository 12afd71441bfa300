#include "bench/peak_flow.hpp"

#include <algorithm>
#include <charconv>

namespace gimbal::bench {
namespace {

constexpr std::size_t time_digits = 13;
constexpr std::string_view hedge_ticker_channel = "ticker.BTC-PERPETUAL.";

std::string_view between(std::string_view text, std::string_view key, char end) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  return text.substr(begin, text.find(end, begin) - begin);
}

}  // namespace

PeakFlow::PeakFlow(Venue& venue) : venue_{venue} {
  venue_.on_publication = [this](SpinConnection& c, std::string_view text) { learn(c, text); };
  venue_.on_closed = [this](const SpinConnection& c) { forget(c); };
}

void PeakFlow::learn(SpinConnection& connection, std::string_view text) {
  const std::string_view channel = between(text, "\"channel\":\"", '"');
  if (channel.starts_with("book.")) learn_book(connection, channel, text);
  if (channel.starts_with("ticker.")) learn_ticker(connection, channel, text);
}

void PeakFlow::know(SpinConnection& connection) {
  if (std::find(connections_.begin(), connections_.end(), &connection) == connections_.end()) {
    connections_.push_back(&connection);
  }
}

// The first level of either side is what changes from now on.
void PeakFlow::learn_book(SpinConnection& connection, std::string_view channel,
                          std::string_view text) {
  OptionBook book;
  book.connection = &connection;
  book.channel = channel;
  const std::string_view id = between(text, "\"change_id\":", ',');
  (void)std::from_chars(id.data(), id.data() + id.size(), book.change_id);
  const auto known = std::find_if(books_.begin(), books_.end(), [&](const OptionBook& b) {
    return b.connection == &connection && b.channel == channel;
  });
  if (known != books_.end() && text.find("\"snapshot\"") == std::string_view::npos) {
    known->change_id = book.change_id;
    return;
  }
  std::string_view side = "bids";
  std::string_view price = between(text, "\"bids\":[[\"new\",", ',');
  if (price.empty()) {
    side = "asks";
    price = between(text, "\"asks\":[[\"new\",", ',');
  }
  if (price.empty()) return;
  book.head = R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":")" +
              std::string{channel} + R"(","data":{"timestamp":)";
  book.tail = R"(,"instrument_name":")" +
              std::string{between(text, "\"instrument_name\":\"", '"')} + R"(","bids":[)" +
              (side == "bids" ? "" : R"(],"asks":[)") + R"(["change",)" + std::string{price} + ',';
  book.end = std::string{side == "bids" ? R"(]],"asks":[])" : "]]"} + R"(,"prev_change_id":)";
  if (known == books_.end()) {
    books_.push_back(std::move(book));
  } else {
    *known = std::move(book);
  }
  know(connection);
}

void PeakFlow::learn_ticker(SpinConnection& connection, std::string_view channel,
                            std::string_view text) {
  Ticker seen{&connection, std::string{channel}, std::string{text}, 0};
  seen.time_at = text.find("\"timestamp\":") + std::string_view{"\"timestamp\":"}.size();
  know(connection);
  if (channel.starts_with(hedge_ticker_channel)) {
    quotes_ = &connection;
    hedge_ticker_ = std::move(seen);
    return;
  }
  for (Ticker& t : tickers_) {
    if (t.connection != &connection || t.channel != channel) continue;
    t = std::move(seen);
    return;
  }
  tickers_.push_back(std::move(seen));
}

void PeakFlow::forget(const SpinConnection& connection) {
  const std::size_t before = connections_.size();
  std::erase(connections_, &connection);
  lost_ += before - connections_.size();
  std::erase_if(books_, [&](const OptionBook& b) { return b.connection == &connection; });
  std::erase_if(tickers_, [&](const Ticker& t) { return t.connection == &connection; });
  if (quotes_ == &connection) quotes_ = nullptr;
}

std::string_view PeakFlow::book_change(OptionBook& book) {
  const std::uint64_t before = book.change_id;
  book.change_id += 2;
  book.more = !book.more;
  text_ = book.head;
  text_ += wall_ms_text();
  text_ += R"(,"type":"change","change_id":)";
  text_ += std::to_string(book.change_id);
  text_ += book.tail;
  text_ += book.more ? "12.5" : "11.0";
  text_ += book.end;
  text_ += std::to_string(before);
  text_ += "}}}";
  return text_;
}

std::string_view PeakFlow::ticker(Ticker& ticker) {
  ticker.text.replace(ticker.time_at, time_digits, wall_ms_text());
  return ticker.text;
}

std::string_view PeakFlow::trade() {
  const std::string number = std::to_string(300'000'000 + ++trades_);
  const std::string price = std::to_string(venue_.center()) + ".0";
  text_ = R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":)"
          R"("trades.BTC-PERPETUAL.raw","data":[{"timestamp":)" +
          wall_ms_text() + R"(,"price":)" + price +
          R"(,"amount":8450.0,"direction":"buy","index_price":)" + price +
          R"(,"instrument_name":"BTC-PERPETUAL","trade_seq":)" + number + R"(,"mark_price":)" +
          price + R"(,"tick_direction":0,"trade_id":")" + number + R"(","contracts":845.0}]}})";
  return text_;
}

SpinConnection* PeakFlow::seal(Message kind, Random& random) {
  SpinConnection* to = quotes_;
  std::string_view text;
  switch (kind) {
    case Message::hedge_book:
      to = venue_.bot().ticks;
      if (to != nullptr) text = venue_.next_tick(false);
      break;
    case Message::option_book: {
      if (books_.empty()) return nullptr;
      OptionBook& book = books_[random.next() % books_.size()];
      to = book.connection;
      text = book_change(book);
      break;
    }
    case Message::option_ticker: {
      if (tickers_.empty()) return nullptr;
      Ticker& chosen = tickers_[random.next() % tickers_.size()];
      to = chosen.connection;
      text = ticker(chosen);
      break;
    }
    case Message::trade: text = trade(); break;
    case Message::quote:
      if (quotes_ != nullptr) text = ticker(hedge_ticker_);
      break;
  }
  if (to != nullptr) to->tls->seal_text(text);
  return to;
}

}  // namespace gimbal::bench
