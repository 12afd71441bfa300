// What the nemesis does to a text. Damage is such that no correct reader can take it for a message.
#include <algorithm>
#include <array>
#include <charconv>

#include "tests/simtest/nemesis.hpp"

namespace gimbal::simtest {

Ask ask_of(std::string_view request) noexcept {
  const std::string_view method = member_text(request, "method");
  if (method == "private/buy" || method == "private/sell") return Ask::place;
  if (method == "private/edit" || method == "private/edit_by_label") return Ask::edit;
  if (method.rfind("private/cancel", 0) == 0) return Ask::cancel;
  return Ask::other;
}

std::int64_t member_integer(std::string_view text, std::string_view name) noexcept {
  const std::string key = '"' + std::string{name} + "\":";
  const std::size_t at = text.find(key);
  std::int64_t value = -1;
  if (at == std::string_view::npos) return value;
  std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
  return value;
}

std::int64_t id_of(std::string_view text) noexcept { return member_integer(text, "id"); }

std::string_view member_text(std::string_view text, std::string_view name) noexcept {
  std::array<char, 40> key{};
  key[0] = '"';
  std::copy(name.begin(), name.end(), key.begin() + 1);
  std::copy_n("\":\"", 3, key.begin() + 1 + static_cast<std::ptrdiff_t>(name.size()));
  const std::string_view wanted{key.data(), name.size() + 4};
  const std::size_t at = text.find(wanted);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + wanted.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

std::int64_t member_number(std::string_view text, std::string_view name) noexcept {
  const std::string key = '"' + std::string{name} + "\":";
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return 0;
  at += key.size();
  const bool negative = at < text.size() && text[at] == '-';
  if (negative) ++at;
  std::int64_t value = 0;
  int decimals = -1;
  for (; at < text.size() && decimals < 9; ++at) {
    if (text[at] == '.') {
      decimals = 0;
    } else if (text[at] >= '0' && text[at] <= '9') {
      value = value * 10 + (text[at] - '0');
      if (decimals >= 0) ++decimals;
    } else {
      break;
    }
  }
  for (decimals = decimals < 0 ? 0 : decimals; decimals < 9; ++decimals) value *= 10;
  return negative ? -value : value;
}

void damage(std::string& text, Random& random) {
  switch (random.below(6)) {
    case 0: text.resize(random.below(text.size())); break;
    case 1: text.insert(random.below(text.size()), "\xC0\xFF"); break;
    case 2: text = std::string(100'000, '['); break;
    case 3: text.insert(text.size() - 1, R"(,"x":)" + std::string(400, '9') + "e999999"); break;
    case 4: text.insert(1, "\"\\ud800\":}{,"); break;
    default: text.pop_back(); break;
  }
}

void break_levels(std::string& text, Random& random) {
  const bool bids = random.chance(0.5);
  const std::string_view key = bids ? "\"bids\":[" : "\"asks\":[";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return;
  std::string level;
  switch (random.below(5)) {
    case 0: level = R"(["new",0,10])"; break;
    case 1: level = R"(["change",-100,10])"; break;
    case 2: level = R"(["new",100000,-10])"; break;
    case 3: level = bids ? R"(["new",9000000,10])" : R"(["new",1,10])"; break;  // crossed
    default: level = R"(["new",0.0,0])"; break;
  }
  const std::size_t begin = at + key.size();
  if (text[begin] != ']') level += ',';
  text.insert(begin, level);
}

void move_change_id(std::string& text, Random& random) {
  constexpr std::string_view key = "\"change_id\":";
  std::size_t at = text.find(key);
  while (at != std::string::npos && at > 5 && text.substr(at - 4, 5) == "prev_") {
    at = text.find(key, at + 1);
  }
  if (at == std::string::npos) return;
  const std::size_t begin = at + key.size();
  std::size_t end = begin;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
  static constexpr std::array<std::string_view, 4> ids{"1", "0", "9007199254740993",
                                                       "18446744073709551615"};
  text.replace(begin, end - begin, ids[random.below(ids.size())]);
}

void strange_words(std::string& text, Random& random) {
  const auto replace = [&](std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    if (at != std::string::npos) text.replace(at, from.size(), to);
  };
  switch (random.below(5)) {
    case 0: replace("\"order_state\":\"open\"", "\"order_state\":\"dreaming\""); break;
    case 1: replace("\"order_state\":\"filled\"", "\"order_state\":\"fulfilled\""); break;
    case 2: replace("\"data\":{", R"("data":{"brand_new":{"a":[1,null,"x"]},)"); break;
    case 3: replace("\"order_state\":\"cancelled\"", "\"order_state\":null"); break;
    default: replace("\"amount\":", R"("amount":"text","old_amount":)"); break;
  }
}

void spoil_nonce(std::string& text) {
  constexpr std::string_view key = "\"nonce\":\"";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return;
  char& first = text[at + key.size()];
  first = first == '0' ? '1' : '0';
}

void spoil_timestamp(std::string& text) {
  constexpr std::string_view key = "\"timestamp\":";
  const std::size_t at = text.find(key);
  if (at != std::string::npos) text.erase(at + key.size(), 1);  // long before its window
}

void empty_trade_ids(std::string& text) {
  constexpr std::string_view key = "\"trade_id\":\"";
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
    const std::size_t begin = at + key.size();
    text.erase(begin, text.find('"', begin) - begin);
  }
}

}  // namespace gimbal::simtest
