#include "engine/wire/stream.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

namespace gimbal {
namespace {

constexpr std::size_t raw_bytes = 16 * 1024;

struct Address {
  sockaddr_storage storage{};
  socklen_t size{0};
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

std::string text_of(int error) { return std::strerror(error); }

int left_ms(Deadline deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 1 << 30));
}

bool late(Deadline deadline) { return std::chrono::steady_clock::now() >= deadline; }

// False on time-out; a socket error counts as ready, the next call reports it.
bool wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, left_ms(deadline));
    if (ready > 0) return true;
    if (ready == 0 && late(deadline)) return false;
    if (ready < 0 && errno != EINTR) return true;
  }
}

std::vector<Address> lookup(const std::string& host, std::uint16_t port, bool numeric, int& code) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0);
  addrinfo* list = nullptr;
  std::vector<Address> found;
  code = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  if (code != 0) return found;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Address address;
    if (entry->ai_addrlen > sizeof address.storage) continue;
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.size = entry->ai_addrlen;
    found.push_back(address);
  }
  freeaddrinfo(list);
  return found;
}

struct Lookup {
  std::mutex mutex;
  std::condition_variable ready;
  bool done{false};
  int code{0};
  std::vector<Address> found;
};

// getaddrinfo() has no deadline: it runs on a thread of its own that is abandoned when it is late.
std::vector<Address> resolve(const std::string& host, std::uint16_t port, Deadline deadline,
                             std::string& error) {
  int code = 0;
  std::vector<Address> found = lookup(host, port, true, code);
  if (!found.empty()) return found;
  auto job = std::make_shared<Lookup>();
  std::thread{[job, host, port] {
    int result = 0;
    auto list = lookup(host, port, false, result);
    const std::lock_guard lock{job->mutex};
    job->found = std::move(list);
    job->code = result;
    job->done = true;
    job->ready.notify_one();
  }}.detach();
  std::unique_lock lock{job->mutex};
  if (!job->ready.wait_until(lock, deadline, [&] { return job->done; })) {
    error = "cannot resolve " + host + ": timed out";
    return {};
  }
  if (job->found.empty()) error = "cannot resolve " + host + ": " + gai_strerror(job->code);
  return job->found;
}

bool is_loopback(const Address& address) {
  if (address.storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.storage);
    return (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.storage);
  return address.storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

std::string name_of(const Address& address) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(address.get(), address.size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "?";
  }
  return std::string{host.data()} + ":" + port.data();
}

// No Nagle; acknowledge at once while the session starts. TCP_QUICKACK does not stick, and renewing
// it would be a system call per message: from then on our own sends carry the acknowledgements.
bool set_options(int fd, int busy_poll_us, std::string& error) {
  const int on = 1;
  int got = 0;
  socklen_t size = sizeof got;
  if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
      setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on) != 0 ||
      getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &got, &size) != 0 || got == 0) {
    error = "cannot set TCP_NODELAY and TCP_QUICKACK: " + text_of(errno);
    return false;
  }
  if (busy_poll_us > 0) {  // a hint; needs CAP_NET_ADMIN to be raised on some kernels
    (void)setsockopt(fd, SOL_SOCKET, SO_BUSY_POLL, &busy_poll_us, sizeof busy_poll_us);
  }
  return true;
}

}  // namespace

void acknowledge_late(int fd) noexcept {
  const int off = 0;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
}

namespace {

bool connect_to(Established& out, const Address& address, int busy_poll_us, Deadline deadline,
                std::string& error) {
  out.peer = name_of(address);
  out.fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (out.fd < 0) {
    error = "cannot make a socket: " + text_of(errno);
    return false;
  }
  if (::connect(out.fd, address.get(), address.size) != 0) {
    if (errno != EINPROGRESS) {
      error = "cannot connect to " + out.peer + ": " + text_of(errno);
      return false;
    }
    if (!wait_for(out.fd, POLLOUT, deadline)) {
      error = "cannot connect to " + out.peer + ": timed out";
      return false;
    }
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(out.fd, SOL_SOCKET, SO_ERROR, &code, &size);
    if (code != 0) {
      error = "cannot connect to " + out.peer + ": " + text_of(code);
      return false;
    }
  }
  return set_options(out.fd, busy_poll_us, error);
}

StreamStatus flush_out(Established& stream, Deadline deadline, std::string& error) {
  while (!stream.channel->out().empty()) {
    const auto out = stream.channel->out();
    const ssize_t sent = ::send(stream.fd, out.data(), out.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      stream.channel->sent(static_cast<std::size_t>(sent));
    } else if (sent < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (!wait_for(stream.fd, POLLOUT, deadline)) {
        error = "sending to " + stream.peer + " timed out";
        return StreamStatus::timed_out;
      }
    } else {
      error = "sending to " + stream.peer + " failed: " + text_of(errno);
      return StreamStatus::failed;
    }
  }
  return StreamStatus::ok;
}

// One recv() of ciphertext for the channel, waiting for it if need be. Only called when the channel
// has consumed all of the last one.
StreamStatus receive_raw(Established& stream, Deadline deadline, std::string& error) {
  for (;;) {
    const ssize_t received = ::recv(stream.fd, stream.raw.data(), stream.raw.size(), 0);
    if (received > 0) {
      stream.channel->feed({stream.raw.data(), static_cast<std::size_t>(received)});
      return StreamStatus::ok;
    }
    if (received == 0) {
      const bool cut = stream.channel->encrypted();
      error = stream.peer + (cut ? " cut the connection" : " ended the connection");
      return cut ? StreamStatus::cut : StreamStatus::closed;
    }
    if (errno != EAGAIN && errno != EINTR) {
      error = "receiving from " + stream.peer + " failed: " + text_of(errno);
      return StreamStatus::failed;
    }
    if (!wait_for(stream.fd, POLLIN, deadline) || late(deadline)) {
      error = "no answer from " + stream.peer + " in time";
      return StreamStatus::timed_out;
    }
  }
}

bool secure(Established& stream, Deadline deadline, std::string& error) {
  for (;;) {
    const ChannelStatus status = stream.channel->handshake();
    std::string send_error;
    const StreamStatus sent = flush_out(stream, deadline, send_error);  // alerts go out as well
    if (status == ChannelStatus::ok && sent == StreamStatus::ok) {
      stream.security = stream.channel->describe();
      return true;
    }
    if (status == ChannelStatus::failed || status == ChannelStatus::closed) {
      error = stream.channel->last_error();
      return false;
    }
    if (sent != StreamStatus::ok) {
      error = send_error;
      return false;
    }
    if (receive_raw(stream, deadline, error) != StreamStatus::ok) return false;
  }
}

std::unique_ptr<Established> connect_any(const Endpoint& endpoint, Deadline deadline,
                                         ConnectFailure& failure) {
  failure.stage = ConnectStage::resolve;
  const std::string& target = endpoint.address.empty() ? endpoint.host : endpoint.address;
  const auto addresses = resolve(target, endpoint.port, deadline, failure.text);
  if (addresses.empty()) return nullptr;
  failure.stage = ConnectStage::connect;
  for (std::size_t i = 0; i < addresses.size() && !late(deadline); ++i) {
    if (endpoint.transport == Transport::plaintext_loopback && !is_loopback(addresses[i])) {
      failure.text = "plaintext refused: " + name_of(addresses[i]) + " is not a loopback address";
      return nullptr;
    }
    auto made = std::make_unique<Established>();
    const auto share = (deadline - std::chrono::steady_clock::now()) / (addresses.size() - i);
    const Deadline turn = std::chrono::steady_clock::now() + share;
    if (connect_to(*made, addresses[i], endpoint.busy_poll_us, turn, failure.text)) return made;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Established> open_stream(const std::shared_ptr<TlsContext>& context,
                                         const Endpoint& endpoint, Deadline deadline,
                                         ConnectFailure& failure) {
  failure = {};
  auto made = connect_any(endpoint, deadline, failure);
  if (!made) return nullptr;
  failure.stage = ConnectStage::tls;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&made->mask_seed), sizeof made->mask_seed) != 1) {
    failure.text = "no random bytes from the system";
    return nullptr;
  }
  made->raw.resize(raw_bytes);
  made->channel = endpoint.transport == Transport::tls
                      ? Channel::tls_client(context, endpoint.host, failure.text)
                      : Channel::plaintext();
  if (!made->channel) return nullptr;
  if (!secure(*made, deadline, failure.text)) {
    failure.text = "TLS with " + endpoint.host + " (" + made->peer + "): " + failure.text;
    return nullptr;
  }
  failure = {};
  return made;
}

StreamStatus send_all(Established& stream, std::span<const char> data, Deadline deadline,
                      std::string& error) {
  constexpr std::size_t piece_max = 64 * 1024;
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), piece_max));
    if (!stream.channel->write(piece)) {
      error = "cannot encrypt for " + stream.peer + ": " + stream.channel->last_error();
      return StreamStatus::failed;
    }
    data = data.subspan(piece.size());
    const StreamStatus status = flush_out(stream, deadline, error);
    if (status != StreamStatus::ok) return status;
  }
  return StreamStatus::ok;
}

StreamStatus receive_some(Established& stream, std::span<char> into, std::size_t& got,
                          Deadline deadline, std::string& error) {
  for (;;) {
    switch (stream.channel->read(into, got)) {
      case ChannelStatus::ok: return StreamStatus::ok;
      case ChannelStatus::closed:
        error = stream.peer + " ended the connection";
        return StreamStatus::closed;
      case ChannelStatus::failed:
        error = "TLS with " + stream.peer + ": " + stream.channel->last_error();
        return StreamStatus::failed;
      case ChannelStatus::need_more: break;
    }
    if (const auto sent = flush_out(stream, deadline, error); sent != StreamStatus::ok) return sent;
    const StreamStatus status = receive_raw(stream, deadline, error);
    if (status != StreamStatus::ok) return status;
  }
}

}  // namespace gimbal
