// Two hosts on one machine: the test's process moves into a network namespace of its own (host A,
// with the exchange and the watcher), the bot runs in another (host B). A cable joins them. Either
// a relay lends host B the exchange's port, so that pulling the cable takes the heartbeats alone,
// or host B's way to the exchange is the cable itself.
#pragma once

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace gimbal::test {

class TwoHosts {
 public:
  static constexpr const char* address_a = "10.77.0.1";

  TwoHosts() = default;
  TwoHosts(const TwoHosts&) = delete;
  TwoHosts& operator=(const TwoHosts&) = delete;
  ~TwoHosts() {
    stop_.store(true);
    if (listener_ >= 0) ::shutdown(listener_, SHUT_RDWR);
    if (accepts_.joinable()) accepts_.join();
    for (std::thread& t : pumps_) t.join();
    for (const int fd : {listener_, home_, other_}) {
      if (fd >= 0) ::close(fd);
    }
    if (holder_ > 0) {
      ::kill(holder_, SIGKILL);
      ::waitpid(holder_, nullptr, 0);
    }
  }

  // Empty text on success; otherwise what this machine does not permit.
  [[nodiscard]] std::string open() {
    std::string why = separate();
    return why.empty() ? join() : why;
  }
  // The two hosts, without a cable.
  [[nodiscard]] std::string separate() {
    if (::unshare(CLONE_NEWNET) != 0) return "a network namespace is not permitted here";
    if (!shell("ip link set lo up")) return "ip (iproute2) does not work here";
    holder_ = ::fork();
    if (holder_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
      for (;;) ::pause();
    }
    home_ = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    const std::string pid = std::to_string(holder_);
    for (int i = 0; i < 200 && other_ < 0; ++i) {  // until the child has its own
      const int fd = ::open(("/proc/" + pid + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
      if (fd >= 0 && !same(fd, home_)) other_ = fd;
      if (other_ < 0) {
        if (fd >= 0) ::close(fd);
        ::usleep(10'000);
      }
    }
    if (other_ < 0) return "a second network namespace is not permitted here";
    return shell(inside() + "ip link set lo up") ? std::string{} : "no loopback on the second host";
  }
  [[nodiscard]] std::string join() const {
    const bool joined =
        shell("ip link add cable-a type veth peer name cable-b netns " + std::to_string(holder_)) &&
        address_cable();
    return joined ? std::string{} : "a veth pair is not permitted here";
  }
  // Of a cable whose ends are there: addresses, and up.
  [[nodiscard]] bool address_cable() const {
    return shell("ip addr add 10.77.0.1/24 dev cable-a") && shell("ip link set cable-a up") &&
           shell(inside() + "ip addr add 10.77.0.2/24 dev cable-b") &&
           shell(inside() + "ip link set cable-b up");
  }
  // From now on 127.0.0.1 is host A on host B, over the cable: the exchange, which listens there
  // and has a certificate for it, is reached with nothing between. Host B keeps no own loopback.
  [[nodiscard]] bool lead_loopback() const {
    const auto allow = [](const std::string& cable) {
      return "sh -c 'echo 1 > /proc/sys/net/ipv4/conf/" + cable + "/route_localnet'";
    };
    return shell(allow("cable-a")) && shell(inside() + allow("cable-b")) &&
           shell(inside() + "ip addr del 127.0.0.1/8 dev lo") &&
           shell(inside() + "ip route add 127.0.0.1/32 via 10.77.0.1 dev cable-b src 10.77.0.2");
  }
  // Runs `what` with the network of host B, in this thread.
  template <class What>
  bool on_host_b(What what) const {
    if (::setns(other_, CLONE_NEWNET) != 0) return false;
    const bool done = what();
    return ::setns(home_, CLONE_NEWNET) == 0 && done;
  }
  // On host B, 127.0.0.1:port leads to the same port of host A.
  [[nodiscard]] bool lend_port(int port) {
    const bool bound = on_host_b([this, port] {
      listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in at = loopback(port);
      const int yes = 1;
      ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      return ::bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
             ::listen(listener_, 16) == 0;
    });
    if (!bound) return false;
    accepts_ = std::thread{[this, port] { accept_all(port); }};
    return true;
  }
  // What starts a program on host B.
  [[nodiscard]] std::vector<std::string> on_b() const {
    return {"/usr/bin/nsenter", "-t", std::to_string(holder_), "-n"};
  }
  bool pull() const { return shell("ip link set cable-a down"); }
  bool plug() const { return shell("ip link set cable-a up"); }

 private:
  static bool shell(const std::string& command) {
    return std::system(("PATH=$PATH:/usr/sbin:/sbin " + command + " >/dev/null 2>&1").c_str()) == 0;
  }
  [[nodiscard]] std::string inside() const {
    return "nsenter -t " + std::to_string(holder_) + " -n ";
  }
  static bool same(int a, int b) {
    struct stat x {
    }, y{};
    return ::fstat(a, &x) == 0 && ::fstat(b, &y) == 0 && x.st_ino == y.st_ino;
  }
  static sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
  }
  // Both ends stay where they were made; only making them depends on the namespace.
  void accept_all(int port) {
    while (!stop_.load()) {
      const int from = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (from < 0) continue;
      const int to = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in at = loopback(port);
      if (::connect(to, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
        ::close(from);
        ::close(to);
        continue;
      }
      pumps_.emplace_back([this, from, to] { pump(from, to); });
    }
  }
  void pump(int a, int b) {
    std::vector<char> bytes(65536);
    const auto pass = [&bytes](int from, int to) {
      const ssize_t n = ::recv(from, bytes.data(), bytes.size(), 0);
      for (ssize_t done = 0; done < n;) {
        const ssize_t sent =
            ::send(to, bytes.data() + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += sent;
      }
      return n > 0;
    };
    for (bool open = true; open && !stop_.load();) {
      pollfd ends[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
      if (::poll(ends, 2, 50) <= 0) continue;
      if (ends[0].revents != 0) open = pass(a, b);
      if (open && ends[1].revents != 0) open = pass(b, a);
    }
    ::close(a);
    ::close(b);
  }

  pid_t holder_{-1};
  int home_{-1};
  int other_{-1};
  int listener_{-1};
  std::atomic<bool> stop_{false};
  std::thread accepts_;
  std::vector<std::thread> pumps_;
};

}  // namespace gimbal::test
