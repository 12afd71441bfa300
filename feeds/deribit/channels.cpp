// Channel names, table and subscription texts: see channels.hpp.
#include "feeds/deribit/channels.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "feeds/deribit/symbols.hpp"

namespace gimbal::deribit {

namespace {

// Splits on '.'; names never hold one (a strike's decimal point is written as d).
std::size_t split(std::string_view name, std::array<std::string_view, 6>& parts) noexcept {
  std::size_t count = 0;
  while (count < parts.size()) {
    const std::size_t dot = name.find('.');
    parts[count++] = name.substr(0, dot);
    if (dot == std::string_view::npos) return count;
    name.remove_prefix(dot + 1);
  }
  return 0;
}

bool is_kind_word(std::string_view word) noexcept {
  return word == "future" || word == "option" || word == "spot" || word == "future_combo" ||
         word == "option_combo" || word == "combo" || word == "any";
}

}  // namespace

std::string_view text(Interval interval) noexcept {
  switch (interval) {
    case Interval::raw: return "raw";
    case Interval::ms100: return "100ms";
    case Interval::agg2: return "agg2";
  }
  return "raw";
}

ChannelName parse_channel(std::string_view name) noexcept {
  ChannelName out;
  std::array<std::string_view, 6> part{};
  const std::size_t n = split(name, part);
  if (n == 0) return out;
  const std::string_view head = part[0];
  if (head == "user") {
    out.is_private = true;
  } else if (head == "book" && (n == 3 || n == 5)) {
    out.kind = n == 3 ? ChannelKind::book : ChannelKind::grouped_book;
    out.instrument = part[1];
  } else if (head == "ticker" && n == 3) {
    out.kind = ChannelKind::ticker;
    out.instrument = part[1];
  } else if (head == "quote" && n == 2) {
    out.kind = ChannelKind::quote;
    out.instrument = part[1];
  } else if (head == "trades" && n == 3) {
    out.kind = ChannelKind::trades;
    out.instrument = part[1];
  } else if (head == "trades" && n == 4 && is_kind_word(part[1])) {
    out.kind = ChannelKind::trades_of_kind;
  } else if (head == "deribit_price_index" && n == 2) {
    out.kind = ChannelKind::price_index;
    out.index = part[1];
  } else if (head == "markprice" && n == 3 && part[1] == "options") {
    out.kind = ChannelKind::mark_prices;
    out.index = part[2];
  } else if (head == "instrument" && n == 4 && part[1] == "state") {
    out.kind = ChannelKind::instrument_state;
  } else if (head == "platform_state" && n == 1) {
    out.kind = ChannelKind::platform_state;
  } else if (head == "perpetual" && n == 3) {
    out.kind = ChannelKind::perpetual;
    out.instrument = part[1];
  }
  return out;
}

ChannelTable::ChannelTable(std::size_t capacity)
    : capacity_{capacity}, mask_{std::bit_ceil(2 * capacity + 2) - 1}, slots_(mask_ + 1, 0) {
  channels_.reserve(capacity);
}

Channel* ChannelTable::add(std::string_view name) noexcept {
  if (name.empty() || name.size() > channel_text_max || channels_.size() == capacity_ ||
      find(name) != nullptr) {
    return nullptr;
  }
  Channel channel;
  std::memcpy(channel.text_, name.data(), name.size());
  channel.length = static_cast<std::uint8_t>(name.size());
  channels_.push_back(channel);
  std::size_t at = table_hash(name) & mask_;
  while (slots_[at] != 0) at = (at + 1) & mask_;
  slots_[at] = static_cast<std::uint32_t>(channels_.size());
  return &channels_.back();
}

Channel* ChannelTable::find(std::string_view name) noexcept {
  for (std::size_t at = table_hash(name) & mask_; slots_[at] != 0; at = (at + 1) & mask_) {
    Channel& channel = channels_[slots_[at] - 1];
    if (channel.name() == name) return &channel;
  }
  return nullptr;
}

std::size_t write_channel_request(std::int64_t id, std::string_view method,
                                  std::span<const Channel> channels, ChannelStage stage,
                                  std::span<char> out) noexcept {
  std::size_t used = 0;
  bool fits = true;
  const auto put = [&](std::string_view piece) {
    if (!fits || out.size() - used < piece.size()) {
      fits = false;
      return;
    }
    std::memcpy(out.data() + used, piece.data(), piece.size());
    used += piece.size();
  };
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), id).ptr;
  put(R"({"jsonrpc":"2.0","id":)");
  put({digits.data(), static_cast<std::size_t>(end - digits.data())});
  put(R"(,"method":")");
  put(method);
  put(R"(","params":{"channels":[)");
  bool first = true;
  for (const Channel& channel : channels) {
    if (channel.stage != stage) continue;
    put(first ? "\"" : ",\"");
    put(channel.name());
    put("\"");
    first = false;
  }
  put("]}}");
  return fits ? used : 0;
}

}  // namespace gimbal::deribit
