#include "engine/wire/link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "engine/core/bring_near.hpp"
#include "engine/wire/socket_calls.hpp"

namespace gimbal {

const char* name_of(CloseCause cause) noexcept {
  switch (cause) {
    case CloseCause::none: return "none";
    case CloseCause::by_us: return "closed by us";
    case CloseCause::unanswered: return "closed by us, not answered";
    case CloseCause::by_peer: return "closed by the peer";
    case CloseCause::protocol: return "protocol broken by the peer";
    case CloseCause::tls: return "TLS record or alert";
    case CloseCause::tls_closed: return "TLS closed without a close frame";
    case CloseCause::end_of_stream: return "end of stream";
    case CloseCause::socket_error: return "socket error";
    case CloseCause::backlog_full: return "unsent bytes fill the buffer";
  }
  return "?";
}

Link::Link(const LinkConfig& config)
    : config_{config},
      reader_{config.message_max},
      plain_(ws_header_max + config.send_max),
      control_(ws_header_max + ws_control_payload_max) {}

void Link::begin(std::unique_ptr<Established> connection) noexcept {
  connection_ = std::move(connection);
  reader_.reset();
  sealed_ = {};
  reserved_ = 0;
  leftover_taken_ = 0;
  reported_ = false;
  closed_ = {};
  if (!connection_) {
    state_ = LinkState::idle;
    return;
  }
  keys_ = MaskKeys{connection_->mask_seed};
  state_ = LinkState::open;
  ++counters_.adopted;
}

// The next piece of what came with the upgrade answer into the frame buffer.
bool Link::take_leftover() noexcept {
  if (!connected()) return false;
  const std::span<const char> rest =
      std::span<const char>{connection_->leftover}.subspan(leftover_taken_);
  const std::span<char> room = reader_.room();
  const std::size_t size = std::min(rest.size(), room.size());
  if (size == 0) return false;
  std::memcpy(room.data(), rest.data(), size);
  reader_.commit(size);
  leftover_taken_ += size;
  return true;
}

std::unique_ptr<Established> Link::retire() noexcept {
  state_ = LinkState::idle;
  sealed_ = {};
  reserved_ = 0;
  return std::move(connection_);
}

// --- receiving
// ------------------------------------------------------------------------------------

void Link::feed(std::span<const char> bytes) noexcept {
  if (!connected()) return;
  counters_.bytes_in += bytes.size();
  connection_->channel->feed(bytes);
}

bool Link::decrypt() noexcept {
  if (!connected()) return false;
  std::size_t got = 0;
  switch (connection_->channel->read(reader_.room(), got)) {
    case ChannelStatus::ok: reader_.commit(got); return true;
    case ChannelStatus::need_more: return false;
    case ChannelStatus::closed: end(CloseCause::tls_closed, no_close_frame); return false;
    case ChannelStatus::failed: end(CloseCause::tls, no_close_frame); return false;
  }
  return false;
}

bool Link::parse(WsMessage& out) noexcept {
  while (connected()) {
    switch (reader_.next(out)) {
      case WsEvent::text:
        // After our close frame the peer may still have been sending; nothing acts on it any more.
        if (state_ == LinkState::closing) break;
        ++counters_.texts_in;
        return true;
      case WsEvent::ping:
        ++counters_.pings_in;
        if (state_ == LinkState::open && !send_control(WsOpcode::pong, {out.data, out.size})) {
          end(CloseCause::backlog_full, no_close_frame);
        }
        break;
      case WsEvent::pong: ++counters_.pongs_in; break;
      case WsEvent::close: on_peer_close(out); return false;
      case WsEvent::failed: on_failure(); return false;
      case WsEvent::need_more: return false;
    }
  }
  return false;
}

void Link::on_peer_close(const WsMessage& message) noexcept {
  if (state_ == LinkState::closing) {
    end(CloseCause::by_us, message.code);
    return;
  }
  std::array<char, 2> body{};
  const std::size_t size = message.code == 1005 ? 0 : ws_close_body(body, message.code, {});
  (void)send_control(WsOpcode::close, std::span<const char>{body}.first(size));
  end(CloseCause::by_peer, message.code);
}

void Link::on_failure() noexcept {
  closed_.failure = reader_.failure();
  const std::uint16_t code = close_code(reader_.failure());
  if (state_ == LinkState::open) {
    std::array<char, 2> body{};
    (void)send_control(WsOpcode::close,
                       std::span<const char>{body}.first(ws_close_body(body, code, {})));
  }
  end(CloseCause::protocol, code);
}

void Link::lose(int error) noexcept {
  if (!connected()) return;
  closed_.error = error;
  end(error == 0 ? CloseCause::end_of_stream : CloseCause::socket_error, no_close_frame);
}

// Says good-bye as far as the socket takes it; the rest is dropped with the connection.
void Link::end(CloseCause cause, std::uint16_t code) noexcept {
  if (!connected()) return;
  closed_.cause = cause;
  closed_.code = code;
  if (cause != CloseCause::socket_error && cause != CloseCause::tls) {
    connection_->channel->write_close();
    (void)push_out();
  }
  state_ = LinkState::closed;
  ++counters_.closed;
}

// --- sending
// --------------------------------------------------------------------------------------

std::span<char> Link::reserve(std::size_t bytes) noexcept {
  if (state_ != LinkState::open || bytes > config_.send_max) {
    ++counters_.send_refused;
    reserved_ = 0;
    return {};
  }
  reserved_ = bytes;
  return std::span<char>{plain_}.subspan(ws_header_max, bytes);
}

bool Link::seal(std::size_t bytes) noexcept {
  if (state_ != LinkState::open || bytes > reserved_) {
    ++counters_.send_refused;
    return false;
  }
  sealed_ = ws_seal(plain_, bytes, WsOpcode::text, keys_.next());
  reserved_ = 0;
  return true;
}

bool Link::encrypt() noexcept {
  if (state_ != LinkState::open || sealed_.empty() || !connection_->channel->write(sealed_)) {
    ++counters_.send_refused;
    sealed_ = {};
    return false;
  }
  sealed_ = {};
  ++counters_.texts_out;
  return true;
}

// Hands unsent bytes to the kernel. 0, EAGAIN when some are left, or the errno that ends the link.
int Link::push_out() noexcept {
  Channel& channel = *connection_->channel;
  while (!channel.out().empty()) {
    const auto out = channel.out();
    const long sent = send_now(connection_->fd, out.data(), out.size());
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) return errno;
      ++counters_.send_again;
      return EAGAIN;
    }
    counters_.bytes_out += static_cast<std::uint64_t>(sent);
    channel.sent(static_cast<std::size_t>(sent));
  }
  return 0;
}

bool Link::flush() noexcept {
  if (!connected()) return false;
  const int error = push_out();
  if (error != 0 && error != EAGAIN) lose(error);
  return error == 0;
}

std::size_t Link::backlog() const noexcept {
  return connected() ? connection_->channel->out().size() : 0;
}

void Link::look_over() noexcept {
  if (state_ != LinkState::open) return;
  constexpr std::size_t text = 512;  // an order's
  bring_near(*this);
  bring_near(plain_.data(), text);
  connection_->channel->look_over();
}

bool Link::send_text(std::string_view text) noexcept {
  const std::span<char> room = reserve(text.size());
  if (room.size() != text.size() || state_ != LinkState::open) return false;
  std::memcpy(room.data(), text.data(), text.size());
  return commit(text.size());
}

bool Link::send_control(WsOpcode opcode, std::span<const char> payload) noexcept {
  std::memcpy(control_.data() + ws_header_max, payload.data(), payload.size());
  const auto frame = ws_seal(control_, payload.size(), opcode, keys_.next());
  if (!connection_->channel->write(frame)) return false;
  flush();
  return true;
}

bool Link::ping(std::string_view payload) noexcept {
  if (state_ != LinkState::open || payload.size() > ws_control_payload_max) return false;
  if (!send_control(WsOpcode::ping, payload)) return false;
  ++counters_.pings_out;
  return true;
}

void Link::close(std::uint16_t code, std::string_view reason) noexcept {
  if (state_ != LinkState::open) return;
  std::array<char, ws_control_payload_max> body{};
  const std::size_t size = ws_close_body(body, code, reason);
  if (!send_control(WsOpcode::close, std::span<const char>{body}.first(size))) {
    end(CloseCause::backlog_full, no_close_frame);
    return;
  }
  if (state_ == LinkState::open) state_ = LinkState::closing;
}

}  // namespace gimbal
