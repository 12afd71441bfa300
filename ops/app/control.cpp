// Sockets of the control server: accept, lines in, answers out. What the verbs mean is in
// control_dispatch.cpp.
#include "ops/app/control.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace gimbal {
namespace {

constexpr std::size_t reserve_max = 16;          // kill-only connections held at once
constexpr std::size_t out_bytes_max = 8u << 20;  // an answer nobody reads ends the connection
constexpr std::chrono::seconds write_patience{2};

bool read_peer_of(int fd, ControlPeer& peer) {
  ucred ids{};
  socklen_t size = sizeof ids;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ids, &size) != 0) return false;
  peer.uid = ids.uid;
  peer.gid = ids.gid;
  peer.pid = static_cast<std::uint32_t>(ids.pid);
#ifdef SO_PEERGROUPS
  std::array<gid_t, 256> groups{};
  socklen_t bytes = sizeof groups;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &bytes) == 0) {
    peer.groups.assign(groups.begin(), groups.begin() + bytes / sizeof(gid_t));
  }
#endif
  std::array<char, 512> exe{};
  const auto link = "/proc/" + std::to_string(ids.pid) + "/exe";
  if (const auto n = ::readlink(link.c_str(), exe.data(), exe.size()); n > 0) {
    peer.exe.assign(exe.data(), static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<std::uint32_t> group_id(const char* name) {
  std::array<char, 4096> buffer{};
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// Removes a socket file that nobody answers on.
Outcome remove_stale(const sockaddr_un& address) {
  struct stat st {};
  if (::lstat(address.sun_path, &st) != 0) return {};
  if (!S_ISSOCK(st.st_mode)) {
    return Outcome::failure(std::string{"control socket path "} + address.sun_path +
                            " exists and is not a socket");
  }
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answers = probe >= 0 && ::connect(probe, reinterpret_cast<const sockaddr*>(&address),
                                               sizeof address) == 0;
  if (probe >= 0) ::close(probe);
  if (answers) return Outcome::failure(std::string{"another bot listens on "} + address.sun_path);
  if (::unlink(address.sun_path) != 0)
    return Outcome::system("remove stale socket", address.sun_path);
  return {};
}

}  // namespace

Outcome make_private_directory(const std::string& directory) {
  if (::mkdir(directory.c_str(), 0750) == 0) {
    if (::chmod(directory.c_str(), 0750) != 0) return Outcome::system("set the mode of", directory);
    return {};
  }
  if (errno != EEXIST) return Outcome::system("make directory", directory);
  struct stat st {};
  if (::stat(directory.c_str(), &st) != 0) return Outcome::system("examine directory", directory);
  if (!S_ISDIR(st.st_mode)) return Outcome::failure(directory + " exists and is not a directory");
  if ((st.st_mode & 0027) == 0) return {};
  return Outcome::failure("directory " + directory +
                          " can be entered by everybody or written by its group; run: chmod 0750 " +
                          directory);
}

bool ControlPeer::in_group(std::uint32_t group) const noexcept {
  return gid == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

ControlPolicy ControlPolicy::of_this_process() {
  return {static_cast<std::uint32_t>(::geteuid()), group_id("gimbal-stop"), group_id("gimbal-arm")};
}

ControlServer::ControlServer(ControlOptions options, ControlHandler& handler)
    : options_{std::move(options)}, handler_{handler} {
  if (!options_.read_peer) options_.read_peer = read_peer_of;
}

ControlServer::~ControlServer() {
  for (auto& client : clients_) ::close(client.fd);
  if (listener_ < 0) return;
  ::close(listener_);
  ::unlink(options_.path.c_str());
}

Outcome ControlServer::open() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options_.path.empty() || options_.path.size() >= sizeof address.sun_path) {
    return Outcome::failure("control socket path must have 1 to 107 bytes: " + options_.path);
  }
  std::copy(options_.path.begin(), options_.path.end(), address.sun_path);
  if (auto made = make_private_directory(directory_of(options_.path)); !made) return made;
  if (auto removed = remove_stale(address); !removed) return removed;
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0) return Outcome::system("make", "control socket");
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const auto failed = Outcome::system("bind control socket", options_.path);
    ::close(listener_);
    listener_ = -1;
    return failed;
  }
  if (::chmod(options_.path.c_str(), 0660) != 0)
    return Outcome::system("set the mode of", options_.path);
  if (options_.policy.stop_gid) {
    // Works when this process is a member; otherwise only the owner reaches the socket, as before.
    if (::chown(options_.path.c_str(), static_cast<uid_t>(-1), *options_.policy.stop_gid) != 0)
      errno = 0;
  }
  if (::listen(listener_, 64) != 0) return Outcome::system("listen on", options_.path);
  return {};
}

std::size_t ControlServer::poll_once(std::chrono::milliseconds timeout) {
  if (listener_ < 0) return 0;
  std::vector<pollfd> fds;
  fds.push_back({listener_, POLLIN, 0});
  for (const auto& client : clients_) {
    const short reading = client.closing || client.waiting ? 0 : POLLIN;
    // A peer that left while its request is worked on would wake poll for ever.
    const bool gone = client.closing && client.out.empty();
    fds.push_back({gone ? -1 : client.fd,
                   static_cast<short>(reading | (client.out.empty() ? 0 : POLLOUT)), 0});
  }
  const int ready = ::poll(fds.data(), fds.size(), wait_ms(timeout, Clock::now()));
  const auto now = Clock::now();
  const auto before = counters_.requests;
  if (ready > 0) {
    std::size_t i = 1;
    for (auto& client : clients_) {
      const auto events = fds[i++].revents;
      if ((events & (POLLIN | POLLHUP | POLLERR)) != 0) receive(client, now);
    }
    if ((fds[0].revents & POLLIN) != 0) accept_all(now);
  }
  for (auto& client : clients_) {
    if (client.fd >= 0) take_lines(client, now);
    if (client.waiting) progress(client, now);
    if (!client.out.empty()) send_some(client, now);
  }
  expire(now);
  drop_closed();
  return counters_.requests - before;
}

bool ControlServer::waited_for() const noexcept {
  return std::any_of(clients_.begin(), clients_.end(),
                     [](const Client& c) { return c.waiting.has_value(); });
}

int ControlServer::wait_ms(std::chrono::milliseconds timeout, Clock::time_point now) const {
  auto wait = timeout;
  for (const auto& client : clients_) {
    // A request in progress is asked about every millisecond; a half line has its own deadline.
    if (client.waiting)
      wait = std::min(wait, std::chrono::milliseconds{1});
    else if (client.in.find('\n') != std::string::npos)
      return 0;
    if (client.in.empty() && !client.reserve) continue;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        client.line_began + options_.line_timeout - now);
    wait =
        std::min(wait, std::max(left, std::chrono::milliseconds{0}) + std::chrono::milliseconds{1});
  }
  return static_cast<int>(std::max<std::int64_t>(wait.count(), 0));
}

void ControlServer::accept_all(Clock::time_point now) {
  for (int i = 0; i < 64; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    add_client(fd, now);
  }
}

void ControlServer::add_client(int fd, Clock::time_point now) {
  ++counters_.accepted;
  Client client;
  client.fd = fd;
  if (!options_.read_peer(fd, client.peer)) {
    ++counters_.refused;
    ::close(fd);
    return;
  }
  const auto normal =
      std::count_if(clients_.begin(), clients_.end(), [](const Client& c) { return !c.reserve; });
  client.reserve = static_cast<std::size_t>(normal) >= options_.clients_max;
  if (client.reserve && clients_.size() - static_cast<std::size_t>(normal) >= reserve_max)
    evict_oldest_reserve();
  client.line_began = now;
  client.last_active = now;
  clients_.push_back(std::move(client));
  // Its line is usually there already; a kill taken now cannot be pushed out by the next arrival.
  receive(clients_.back(), now);
  take_lines(clients_.back(), now);
}

// A connection whose kill is being worked on keeps its place.
void ControlServer::evict_oldest_reserve() {
  const auto oldest = std::find_if(clients_.begin(), clients_.end(),
                                   [](const Client& c) { return c.reserve && !c.waiting; });
  if (oldest == clients_.end()) return;
  ++counters_.evicted;
  ::close(oldest->fd);
  clients_.erase(oldest);
}

void ControlServer::receive(Client& client, Clock::time_point now) {
  std::array<char, control_line_max + 2> chunk{};
  while (client.in.size() <= control_line_max) {
    const ssize_t n = ::recv(client.fd, chunk.data(), chunk.size(), 0);
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) client.closing = true;
      return;
    }
    if (n == 0) {
      // The peer may still read: finish what was asked, then close.
      if (client.in.find('\n') == std::string::npos) client.closing = true;
      return;
    }
    if (client.in.empty()) client.line_began = now;
    client.last_active = now;
    client.in.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

void ControlServer::take_lines(Client& client, Clock::time_point now) {
  while (!client.waiting && !client.closing) {
    const auto end = client.in.find('\n');
    if (end == std::string::npos || end > control_line_max) {
      if (client.in.size() > control_line_max) {
        ++counters_.malformed;
        answer(client,
               {AnswerState::final, 2,
                "{\"error\":\"the line is over " + std::to_string(control_line_max) + " bytes\"}"});
        client.in.clear();
        client.closing = true;
      }
      break;
    }
    const std::string line = client.in.substr(0, end);
    client.in.erase(0, end + 1);
    client.line_began = now;
    handle(client, line, now);
  }
}

void ControlServer::send_some(Client& client, Clock::time_point now) {
  while (!client.out.empty()) {
    const ssize_t n = ::send(client.fd, client.out.data(), client.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno != EAGAIN && errno != EWOULDBLOCK) {
        client.out.clear();
        client.closing = true;
      }
      break;
    }
    client.out.erase(0, static_cast<std::size_t>(n));
    client.last_active = now;
  }
  if (client.out.size() > out_bytes_max) {
    client.out.clear();
    client.closing = true;
  }
}

void ControlServer::expire(Clock::time_point now) {
  for (auto& client : clients_) {
    if (client.waiting) continue;
    const bool half_line = !client.in.empty() || client.reserve;
    if (!client.out.empty()) {
      if (now - client.last_active > write_patience) {
        client.out.clear();
        client.closing = true;
      }
    } else if (!client.closing && half_line && now - client.line_began > options_.line_timeout) {
      ++counters_.timed_out;
      client.in.clear();
      client.closing = true;
      answer(client, {AnswerState::final, 2, "{\"error\":\"the line was not complete in time\"}"});
      send_some(client, now);
    } else if (now - client.last_active > options_.idle_timeout) {
      client.closing = true;
    }
  }
}

void ControlServer::drop_closed() {
  for (auto it = clients_.begin(); it != clients_.end();) {
    if (it->closing && it->out.empty() && !it->waiting) {
      ::close(it->fd);
      it = clients_.erase(it);
    } else {
      ++it;
    }
  }
}

}  // namespace gimbal
