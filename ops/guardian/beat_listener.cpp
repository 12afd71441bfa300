#include "ops/guardian/beat_listener.hpp"

#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "ops/app/listen_address.hpp"

namespace gimbal::guardian {

BeatListener::~BeatListener() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome BeatListener::open() {
  ListenAddress address;
  if (!parse_listen(setup_.listen, address)) {
    return Outcome::failure("[guardian] off_host_listen: \"" + setup_.listen +
                            "\" is not an IP address and a port");
  }
  if (::getrandom(nonce_.data(), nonce_.size(), 0) != static_cast<ssize_t>(nonce_.size())) {
    return Outcome::system("get", "random bytes");
  }
  sockaddr_storage at{};
  socklen_t size = 0;
  (void)make_address(address, at, size);
  fd_ = ::socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return Outcome::system("open", "a UDP socket");
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&at), size) != 0) {
    return Outcome::system("listen on", setup_.listen);
  }
  size = sizeof at;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    return Outcome::system("name", setup_.listen);
  }
  port_ = ntohs(at.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&at)->sin6_port
                                         : reinterpret_cast<const sockaddr_in*>(&at)->sin_port);
  return {};
}

bool BeatListener::take(std::span<const std::uint8_t> bytes, RecvTime now) noexcept {
  OffHostBeat beat;
  if (!decode_beat(bytes, key_.reveal(), beat) || beat.kind != BeatKind::beat ||
      beat.account != setup_.account) {
    ++counters_.forged;
    return false;
  }
  const bool newer = beat.epoch > epoch_ || (beat.epoch == epoch_ && beat.sequence > sequence_);
  if (beat.nonce != nonce_ || !newer) {
    if (beat.nonce != BeatNonce{}) ++counters_.replayed;
    return false;
  }
  epoch_ = beat.epoch;
  sequence_ = beat.sequence;
  venue_account_ = beat.venue_account;
  ++counters_.valid;
  watching_ = static_cast<BotState>(beat.state) == BotState::running;
  (void)silence_.look(counters_.valid, now);
  return true;
}

void BeatListener::poll(RecvTime now, bool ready, std::uint64_t fires) noexcept {
  std::array<std::uint8_t, off_host_beat_bytes + 1> bytes{};
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const ssize_t n = ::recvfrom(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return;
    const std::uint64_t forged = counters_.forged;
    (void)take({bytes.data(), static_cast<std::size_t>(n)}, now);
    if (counters_.forged != forged) continue;  // strangers get no answer
    OffHostBeat answer;
    answer.kind = BeatKind::challenge;
    answer.state =
        static_cast<std::uint8_t>(ready ? GuardianState::ready : GuardianState::connecting);
    answer.epoch = static_cast<std::uint32_t>(fires);
    answer.sequence = ++sent_;
    answer.account = setup_.account;
    answer.nonce = nonce_;
    std::array<std::uint8_t, off_host_beat_bytes> out{};
    if (!encode_beat(answer, key_.reveal(), out)) continue;
    (void)::sendto(fd_, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                   reinterpret_cast<const sockaddr*>(&from), size);
  }
}

bool BeatListener::take_silence(RecvTime now) noexcept {
  if (!watching_) {
    silence_.forget();
    return false;
  }
  if (silence_.look(counters_.valid, now) <= setup_.miss) return false;
  watching_ = false;  // until a beat counts again
  return true;
}

}  // namespace gimbal::guardian
