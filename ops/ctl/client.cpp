#include "ops/ctl/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace gimbal::ctl {
namespace {

constexpr std::size_t answer_bytes_max = 16u << 20;

class Socket {
 public:
  Socket() : fd_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)} {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const noexcept { return fd_; }

 private:
  int fd_;
};

Outcome connect_to(int fd, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return Outcome::failure("control socket path must have 1 to 107 bytes: " + path);
  }
  std::copy(path.begin(), path.end(), address.sun_path);
  // A full backlog must not hang a kill: the send time-out bounds a blocking connect as well.
  const timeval limit{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Outcome::system("reach the bot at", path);
  }
  return {};
}

Outcome send_all(int fd, const std::string& text) {
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t n = ::send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Outcome::system("send to", "the bot");
    sent += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace

Outcome ask(const std::string& socket_path, const ControlRequest& request,
            std::chrono::milliseconds patience,
            const std::function<bool(const std::string&)>& line) {
  const Socket socket;
  if (socket.fd() < 0) return Outcome::system("make", "a socket");
  if (auto connected = connect_to(socket.fd(), socket_path); !connected) return connected;
  if (auto sent = send_all(socket.fd(), format_request(request)); !sent) return sent;
  using Clock = std::chrono::steady_clock;
  auto deadline = Clock::now() + patience;
  std::string in;
  std::array<char, 65536> chunk{};
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd entry{socket.fd(), POLLIN, 0};
    const int ready = left > 0 ? ::poll(&entry, 1, static_cast<int>(left)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0)
      return Outcome::failure("the bot at " + socket_path + " did not answer in time");
    const ssize_t n = ::recv(socket.fd(), chunk.data(), chunk.size(), 0);
    if (n < 0) return Outcome::system("receive from", "the bot");
    if (n == 0)
      return Outcome::failure("the bot at " + socket_path +
                              " closed the connection without an answer");
    in.append(chunk.data(), static_cast<std::size_t>(n));
    if (in.size() > answer_bytes_max) return Outcome::failure("the answer of the bot is too long");
    for (auto end = in.find('\n'); end != std::string::npos; end = in.find('\n')) {
      const std::string text = in.substr(0, end);
      in.erase(0, end + 1);
      deadline = Clock::now() + patience;
      if (line(text)) return {};
    }
  }
}

}  // namespace gimbal::ctl
