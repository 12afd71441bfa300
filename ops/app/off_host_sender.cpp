#include "ops/app/off_host_sender.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace gimbal {

OffHostSender::~OffHostSender() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome OffHostSender::open() {
  const auto colon = setup_.to.rfind(':');
  std::string host = setup_.to.substr(0, colon);
  const std::string port = colon == std::string::npos ? "" : setup_.to.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (error != 0) {
    return Outcome::failure("[guardian] off_host: " + setup_.to + ": " + ::gai_strerror(error));
  }
  for (const addrinfo* at = found; at != nullptr && fd_ < 0; at = at->ai_next) {
    fd_ = ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ >= 0 && ::connect(fd_, at->ai_addr, at->ai_addrlen) != 0) {
      ::close(fd_);
      fd_ = -1;
    }
  }
  ::freeaddrinfo(found);
  return fd_ >= 0 ? Outcome{} : Outcome::system("open a UDP socket to", setup_.to);
}

void OffHostSender::listen(RecvTime now) noexcept {
  std::array<std::uint8_t, off_host_beat_bytes + 1> bytes{};
  for (int i = 0; i < 8; ++i) {
    const ssize_t n = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n < 0) return;  // nothing there, or nobody listens over there
    OffHostBeat said;
    if (!decode_beat({bytes.data(), static_cast<std::size_t>(n)}, key_.reveal(), said)) continue;
    if (said.kind != BeatKind::challenge || said.account != setup_.account) continue;
    // Another watcher takes over only when the one we know is silent: an old answer that somebody
    // replays must not lead us away from it.
    const bool other = said.nonce != nonce_;
    const bool known = answered_at_.mono_ns != 0;
    if (other && known && now - answered_at_ <= setup_.answer_max) continue;
    if (!other && said.sequence <= heard_) continue;
    fired_ = fired_ || (!other && said.epoch > fires_);
    nonce_ = said.nonce;
    // The watcher counts us from the first beat that bears its nonce: not an interval later.
    if (other) due_ = now;
    fires_ = said.epoch;
    heard_ = said.sequence;
    ready_ = static_cast<GuardianState>(said.state) == GuardianState::ready;
    answered_at_ = now;
  }
}

void OffHostSender::send(BotState state) noexcept {
  OffHostBeat beat;
  beat.state = static_cast<std::uint8_t>(state);
  beat.epoch = setup_.epoch;
  beat.sequence = ++sequence_;
  beat.account = setup_.account;
  beat.venue_account = venue_account_;
  beat.nonce = nonce_;
  std::array<std::uint8_t, off_host_beat_bytes> bytes{};
  if (!encode_beat(beat, key_.reveal(), bytes)) return;
  // A datagram that is lost is made up for by the next one.
  (void)::send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void OffHostSender::beat(RecvTime now, BotState state) noexcept {
  if (fd_ < 0) return;
  listen(now);
  if (now < due_) return;
  due_ = now + setup_.interval;
  send(state);
}

void OffHostSender::say_stopped(RecvTime now) noexcept {
  if (fd_ < 0) return;
  listen(now);
  for (int i = 0; i < 3; ++i) send(BotState::stopped);
}

}  // namespace gimbal
