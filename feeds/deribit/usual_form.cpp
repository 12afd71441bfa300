// See usual_form.hpp. Hot.
#include "feeds/deribit/usual_form.hpp"

#include "feeds/deribit/keys.hpp"
#include "feeds/deribit/plain_text.hpp"

namespace gimbal::deribit {
namespace {

// unix_ms_max of fields.hpp, which needs the parser's header.
constexpr std::uint64_t usual_ms_max = 9'000'000'000'000;

struct UsualForm {
  PlainText in;
  PublicFrame& out;
  std::string_view instrument{};
  SeenKeys seen{};

  // {"name":value,...}: calls visit(key) at each value of a known name.
  template <class Visit>
  [[nodiscard]] bool members(SeenKeys& known, Visit&& visit) noexcept {
    if (!in.take('{')) return false;
    do {
      std::string_view name;
      if (!in.text(name) || !in.take(':')) return false;
      const Key key = key_of(name);
      if (key == Key::unknown) {
        if (!skip()) return false;
        continue;
      }
      if (!known.first(key) || !visit(key)) return false;
    } while (in.take(','));
    return in.take('}');
  }
  [[nodiscard]] bool skip() noexcept {
    return in.next_is('{') ? in.skip_flat_object() : in.skip_scalar();
  }
  [[nodiscard]] bool time() noexcept {
    std::uint64_t ms = 0;
    if (!in.whole(ms) || ms > usual_ms_max) return false;
    out.time = from_unix_ms(static_cast<std::int64_t>(ms));
    return true;
  }
  [[nodiscard]] bool rounded(std::int64_t& nano) noexcept {
    return in.next_is('n') ? in.take("null") : in.nano(true, nano);
  }

  [[nodiscard]] bool level(PlainText& row, Side side) noexcept {
    constexpr std::uint64_t fresh = word_of("[\"new\",");
    constexpr std::uint64_t seven = 0x00FFFFFFFFFFFFFFULL;
    if (row.at >= row.end) return false;
    const std::uint64_t head = load_word(row.at);
    bool removed = false;
    if ((head & seven) == fresh) {
      row.at += 7;
    } else {
      removed = head == word_of("[\"delete");
      if (!removed && head != word_of("[\"change")) return false;
      if (row.at[8] != '"' || row.at[9] != ',') return false;
      row.at += 10;
    }
    std::int64_t price = 0;
    std::int64_t amount = 0;
    if (!row.nano(false, price) || !row.take(',') || !row.nano(false, amount) || !row.take(']') ||
        amount < 0 || out.levels.size() == FrameReader::levels_max) {
      return false;
    }
    out.levels.push_back({Price{price}, Qty{removed ? 0 : amount}, side});
    return true;
  }
  // By a cursor of its own, which no other function sees.
  [[nodiscard]] bool levels(Side side) noexcept {
    PlainText row = in;
    if (!row.take('[')) return false;
    if (!row.next_is(']')) {
      do {
        if (!level(row, side)) return false;
      } while (row.take(','));
    }
    in = row;
    return in.take(']');
  }
  [[nodiscard]] bool book_member(Key key) noexcept {
    switch (key) {
      case Key::type:
        if (in.take("\"change\"")) {
          out.type = BookType::change;
          return true;
        }
        out.type = BookType::snapshot;
        return in.take("\"snapshot\"");
      case Key::timestamp: return time();
      case Key::instrument_name: return in.text(instrument);
      case Key::change_id: return in.whole(out.change_id);
      case Key::prev_change_id:
        if (in.next_is('n')) return in.take("null");
        out.has_prev = true;
        return in.whole(out.prev_change_id);
      case Key::bids: return levels(Side::buy);
      case Key::asks: return levels(Side::sell);
      default: return skip();
    }
  }
  [[nodiscard]] bool book() noexcept {
    if (!members(seen, [this](Key key) noexcept { return book_member(key); })) return false;
    if (!seen.has(Key::timestamp) || !seen.has(Key::change_id) || !seen.has(Key::bids) ||
        !seen.has(Key::asks)) {
      return false;
    }
    if (out.type == BookType::unsaid) {
      out.type = out.has_prev ? BookType::change : BookType::snapshot;
    }
    return out.type != BookType::change || out.has_prev;
  }

  [[nodiscard]] bool greeks() noexcept {
    if (in.next_is('n')) return in.take("null");
    SeenKeys own;
    return members(own, [this](Key key) noexcept {
      switch (key) {
        case Key::delta: return rounded(out.ticker.delta_nano);
        case Key::gamma: return rounded(out.ticker.gamma_nano);
        case Key::vega: return rounded(out.ticker.vega_nano);
        default: return skip();
      }
    });
  }
  [[nodiscard]] bool ticker_member(Key key) noexcept {
    Ticker& t = out.ticker;
    switch (key) {
      case Key::timestamp: return time();
      case Key::instrument_name: return in.text(instrument);
      case Key::mark_price: return rounded(t.mark.nano);
      case Key::index_price: return rounded(t.index.nano);
      case Key::underlying_price:
        return in.next_is('"') ? in.skip_scalar() : rounded(t.underlying.nano);
      case Key::best_bid_price: return rounded(t.best_bid.nano);
      case Key::best_ask_price: return rounded(t.best_ask.nano);
      case Key::mark_iv: return rounded(t.mark_iv_nano);
      case Key::bid_iv: return rounded(t.bid_iv_nano);
      case Key::ask_iv: return rounded(t.ask_iv_nano);
      case Key::funding_8h: return rounded(t.funding_8h_nano);
      case Key::greeks: return greeks();
      default: return skip();
    }
  }
  [[nodiscard]] bool ticker() noexcept {
    if (!members(seen, [this](Key key) noexcept { return ticker_member(key); })) return false;
    if (!seen.has(Key::timestamp) || !seen.has(Key::mark_price)) return false;
    settle_ticker(out.ticker);
    return true;
  }

  // What the channel's name promises, once the data have kept it.
  [[nodiscard]] bool belongs(ChannelKind kind, const SymbolTable& symbols,
                             FrameReader::Channels& channels) noexcept {
    if (parse_channel(out.channel_name).kind != kind) return false;
    out.channel = channels.channel(out.channel_name);
    if (out.channel == nullptr || out.channel->kind != kind) return false;
    return !seen.has(Key::instrument_name) || instrument == symbols.name(out.channel->instrument);
  }
};

}  // namespace

bool read_usual_form(const Frame& frame, const SymbolTable& symbols,
                     FrameReader::Channels& channels, PublicFrame& out) noexcept {
  UsualForm form{{frame.data, frame.data + frame.size}, out};
  PlainText& in = form.in;
  if (!in.take(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":)") ||
      !in.text(out.channel_name) || !in.take(",\"data\":")) {
    return false;
  }
  ChannelKind kind = ChannelKind::other;
  bool whole = false;
  if (out.channel_name.starts_with("book.")) {
    kind = ChannelKind::book;
    whole = form.book();
  } else if (out.channel_name.starts_with("ticker.")) {
    kind = ChannelKind::ticker;
    whole = form.ticker();
  }
  if (!whole || !in.take("}}") || !in.over() || !form.belongs(kind, symbols, channels)) {
    return false;
  }
  out.shape = FrameShape::subscription;
  return true;
}

}  // namespace gimbal::deribit
