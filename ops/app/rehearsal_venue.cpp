#include "ops/app/rehearsal_venue.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "engine/wire/loopback.hpp"
#include "engine/wire/socket_calls.hpp"
#include "venues/deribit/json_writer.hpp"

namespace gimbal {
namespace {

using deribit::JsonWriter;

constexpr std::size_t header_bytes = 4;  // every text here is 126 bytes or longer, or padded to it
constexpr std::int64_t level_usd = 60'000;
constexpr std::int64_t levels_kept = 8;  // a side, which never change

// Value of a flat member: text without its quotes, or a number; empty when it is not there.
std::string_view member(std::string_view text, std::string_view key) noexcept {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  std::size_t begin = at + key.size();
  const bool quoted = begin < text.size() && text[begin] == '"';
  if (quoted) ++begin;
  const std::size_t end = text.find_first_of(quoted ? "\"" : ",}", begin);
  return end == std::string_view::npos ? std::string_view{} : text.substr(begin, end - begin);
}

std::int64_t integer_of(std::string_view digits) noexcept {
  std::int64_t value = 0;
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

template <std::size_t N>
std::size_t keep(std::string_view from, std::array<char, N>& to) noexcept {
  const std::size_t size = from.size() < N ? from.size() : 0;
  std::memcpy(to.data(), from.data(), size);
  return size;
}

void level(JsonWriter& w, std::string_view before, std::string_view action, std::int64_t price,
           std::int64_t amount) noexcept {
  w.raw(before).raw("[\"").raw(action).raw("\",").integer(price).raw(".0,");
  w.integer(amount).raw(".0]");
}

void book_head(JsonWriter& w, std::string_view type, std::uint64_t id, ExchTime now) noexcept {
  w.raw(R"({"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.)");
  w.raw(rehearsal_symbol).raw(R"(.raw","data":{"timestamp":)").integer(to_unix_ms(now));
  w.raw(R"(,"type":")").raw(type).raw(R"(","change_id":)").integer(static_cast<std::int64_t>(id));
  w.raw(R"(,"instrument_name":")").raw(rehearsal_symbol).raw("\"");
}

struct ClientFrame {
  std::size_t size{0};  // header, mask and payload; 0: not whole yet
  std::size_t payload_at{0};
  unsigned opcode{0};
};

// A masked client frame below 64 KiB.
ClientFrame look(std::span<const char> bytes) noexcept {
  ClientFrame f;
  if (bytes.size() < 2) return f;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t length = byte(1) & 0x7Fu;
  f.opcode = byte(0) & 0x0Fu;
  f.payload_at = 6;
  if (length == 126) {
    if (bytes.size() < 4) return f;
    length = static_cast<std::size_t>(byte(2)) << 8 | byte(3);
    f.payload_at = 8;
  }
  if (bytes.size() >= f.payload_at + length) f.size = f.payload_at + length;
  return f;
}

void unmask(char* payload, std::size_t size) noexcept {
  const char* key = payload - 4;
  for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ key[i & 3]);
}

}  // namespace

RehearsalVenue::ClientEnds RehearsalVenue::open(std::string& error) {
  LoopbackPair feed = make_loopback_pair(error);
  LoopbackPair orders = feed.client != nullptr ? make_loopback_pair(error) : LoopbackPair{};
  if (orders.client == nullptr) return {};
  feed_.connection = std::move(feed.server);
  orders_.connection = std::move(orders.server);
  return {std::move(feed.client), std::move(orders.client)};
}

// --- bytes

void RehearsalVenue::receive(End& end) noexcept {
  const long n = receive_now(end.connection->fd, end.wire.data(), end.wire.size());
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n <= 0) {
    alive_ = false;
    return;
  }
  Channel& channel = *end.connection->channel;
  channel.feed({end.wire.data(), static_cast<std::size_t>(n)});
  for (;;) {
    std::size_t got = 0;
    const std::span<char> room = std::span{end.plain}.subspan(end.used);
    const ChannelStatus status = channel.read(room, got);
    if (status == ChannelStatus::need_more) return;
    end.used += got;
    // A full buffer cannot be: the sessions wait for their answers.
    alive_ = alive_ && status == ChannelStatus::ok && end.used < end.plain.size();
    if (!alive_) return;
  }
}

void RehearsalVenue::take_frames(End& end, ExchTime now) noexcept {
  std::size_t at = 0;
  while (at < end.used) {
    const ClientFrame f = look(std::span{end.plain}.subspan(at, end.used - at));
    if (f.size == 0) break;
    char* payload = end.plain.data() + at + f.payload_at;
    const std::size_t size = f.size - f.payload_at;
    unmask(payload, size);
    if (f.opcode == 1) on_text(end, {payload, size}, now);
    at += f.size;
  }
  if (at == 0) return;
  std::memmove(end.plain.data(), end.plain.data() + at, end.used - at);
  end.used -= at;
}

std::span<char> RehearsalVenue::text_room() noexcept {
  return std::span{frame_}.subspan(header_bytes);
}

void RehearsalVenue::send_text(End& end, std::size_t size) noexcept {
  // JSON may end in spaces: one form of header serves every length.
  while (size != 0 && size < 126) frame_[header_bytes + size++] = ' ';
  if (size == 0 || !alive_) return;
  frame_[0] = static_cast<char>(0x81);
  frame_[1] = 126;
  frame_[2] = static_cast<char>(size >> 8);
  frame_[3] = static_cast<char>(size & 0xFF);
  Channel& channel = *end.connection->channel;
  if (!channel.write(std::span{frame_}.first(header_bytes + size))) {
    alive_ = false;
    return;
  }
  const auto out = channel.out();
  const long sent = send_now(end.connection->fd, out.data(), out.size());
  // A socket that takes less than a frame is a session that stopped reading: the rehearsals end.
  alive_ = sent == static_cast<ssize_t>(out.size());
  if (alive_) channel.sent(out.size());
}

// --- the set-up of both sessions

void RehearsalVenue::serve(ExchTime now) noexcept {
  for (End* end : {&feed_, &orders_}) {
    if (!alive_) return;
    receive(*end);
    take_frames(*end, now);
  }
}

void RehearsalVenue::answer(End& end, std::string_view text, std::string_view result) noexcept {
  JsonWriter w{text_room()};
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(integer_of(member(text, R"("id":)")));
  w.raw(R"(,"result":)").raw(result).raw("}");
  send_text(end, w.size());
}

void RehearsalVenue::on_text(End& end, std::string_view text, ExchTime now) noexcept {
  const std::string_view method = member(text, R"("method":)");
  if (method == "private/buy" || method == "private/sell") {
    return note_order(text, method == "private/buy");
  }
  if (method == "public/auth") {
    return answer(end, text,
                  R"({"access_token":"rehearsal","refresh_token":"rehearsal",)"
                  R"("expires_in":1000000000,"token_type":"bearer",)"
                  R"("scope":"connection trade:read_write account:read_write"})");
  }
  if (method == "private/get_cancel_on_disconnect") {
    return answer(end, text, R"({"scope":"connection","enabled":true})");
  }
  if (method == "private/subscribe" || method == "public/subscribe") {
    const std::size_t from = text.find('[');
    const std::size_t to = text.find(']');
    if (from == std::string_view::npos || to == std::string_view::npos) return;
    answer(end, text, text.substr(from, to - from + 1));
    if (&end == &feed_) send_snapshot(now);
    return;
  }
  answer(end, text, R"("ok")");
}

void RehearsalVenue::send_snapshot(ExchTime now) noexcept {
  JsonWriter w{text_room()};
  book_head(w, "snapshot", change_id_, now);
  const std::int64_t mid =
      rehearsal_center_usd + (high_ ? rehearsal_jump_usd : -rehearsal_jump_usd);
  level(w, R"(,"bids":[)", "new", mid - 1, level_usd);
  for (std::int64_t i = 1; i <= levels_kept; ++i) {
    level(w, ",", "new", rehearsal_center_usd - 100 * i, level_usd);
  }
  level(w, R"(],"asks":[)", "new", mid + 1, level_usd);
  for (std::int64_t i = 1; i <= levels_kept; ++i) {
    level(w, ",", "new", rehearsal_center_usd + 100 * i, level_usd);
  }
  w.raw("]}}}");
  send_text(feed_, w.size());
}

// --- one rehearsal

void RehearsalVenue::send_tick(ExchTime now) noexcept {
  const std::uint64_t before = change_id_++;
  const std::int64_t from =
      rehearsal_center_usd + (high_ ? rehearsal_jump_usd : -rehearsal_jump_usd);
  high_ = !high_;
  const std::int64_t to = rehearsal_center_usd + (high_ ? rehearsal_jump_usd : -rehearsal_jump_usd);
  JsonWriter w{text_room()};
  book_head(w, "change", change_id_, now);
  level(w, R"(,"bids":[)", "delete", from - 1, 0);
  level(w, ",", "new", to - 1, level_usd);
  level(w, R"(],"asks":[)", "delete", from + 1, 0);
  level(w, ",", "new", to + 1, level_usd);
  w.raw(R"(],"prev_change_id":)").integer(static_cast<std::int64_t>(before)).raw("}}}");
  send_text(feed_, w.size());
  ++ticks_;
}

void RehearsalVenue::note_order(std::string_view text, bool buy) noexcept {
  asked_.id = integer_of(member(text, R"("id":)"));
  asked_.label_size = keep(member(text, R"("label":)"), asked_.label);
  asked_.amount_size = keep(member(text, R"("amount":)"), asked_.amount);
  asked_.price_size = keep(member(text, R"("price":)"), asked_.price);
  asked_.buy = buy;
  order_waits_ = true;
  ++orders_taken_;
}

bool RehearsalVenue::take_order() noexcept {
  if (!alive_) return false;
  receive(orders_);
  take_frames(orders_, ExchTime{});
  return std::exchange(order_waits_, false);
}

void RehearsalVenue::send_fill(ExchTime now) noexcept {
  const std::string_view label{asked_.label.data(), asked_.label_size};
  const std::string_view amount{asked_.amount.data(), asked_.amount_size};
  const std::string_view price{asked_.price.data(), asked_.price_size};
  const auto number = static_cast<std::int64_t>(orders_taken_);
  JsonWriter w{text_room()};
  const auto common = [&] {
    w.raw(R"("order_id":")").integer(number).raw(R"(","label":")").plain(label);
    w.raw(R"(","instrument_name":")").raw(rehearsal_symbol).raw(R"(","direction":")");
    w.raw(asked_.buy ? "buy" : "sell").raw(R"(","amount":)").raw(amount);
    w.raw(R"(,"price":)").raw(price);
  };
  w.raw(R"({"jsonrpc":"2.0","id":)").integer(asked_.id).raw(R"(,"result":{"trades":[{)");
  common();
  w.raw(R"(,"trade_id":"R)").integer(number).raw(R"(","trade_seq":)").integer(number);
  w.raw(R"(,"timestamp":)").integer(to_unix_ms(now));
  w.raw(R"(,"fee":0.0,"fee_currency":"BTC","liquidity":"T","state":"filled",)"
        R"("order_type":"limit","profit_loss":null,"index_price":)");
  w.integer(rehearsal_center_usd).raw(R"(,"mark_price":)").integer(rehearsal_center_usd);
  w.raw(R"(,"matching_id":null}],"order":{)");
  common();
  w.raw(R"(,"filled_amount":)").raw(amount).raw(R"(,"average_price":)").raw(price);
  w.raw(R"(,"order_state":"filled","time_in_force":"immediate_or_cancel","order_type":"limit",)"
        R"("last_update_timestamp":)");
  w.integer(to_unix_ms(now)).raw(R"(,"creation_timestamp":)").integer(to_unix_ms(now));
  w.raw(R"(}},"usIn":1,"usOut":2,"usDiff":1,"testnet":true})");
  send_text(orders_, w.size());
}

}  // namespace gimbal
