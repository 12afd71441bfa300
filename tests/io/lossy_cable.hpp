// A cable between two hosts that takes time and loses packets: the kernel's netem is not
// everywhere, a pair of tun devices with a thread between them is. The losses are of a seed.
#pragma once

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/io/two_hosts.hpp"

namespace gimbal::test {

class LossyCable {
 public:
  struct Terms {
    std::int64_t delay_ns{0};  // each way
    double loss{0};            // of the packets
  };

  LossyCable() = default;
  LossyCable(const LossyCable&) = delete;
  LossyCable& operator=(const LossyCable&) = delete;
  ~LossyCable() {
    stop_.store(true);
    if (carrier_.joinable()) carrier_.join();
    for (const End& end : ends_) {
      if (end.fd >= 0) ::close(end.fd);
    }
  }

  // Empty text on success; otherwise what this machine does not permit. The hosts are separate.
  [[nodiscard]] std::string join(const TwoHosts& hosts, const Terms& terms) {
    terms_ = terms;
    const bool made =
        make_end(0, "cable-a") && hosts.on_host_b([this] { return make_end(1, "cable-b"); });
    if (!made) return "a tun device is not permitted here";
    if (!hosts.address_cable()) return "a tun device has no address here";
    carrier_ = std::thread{[this] { carry(); }};
    return {};
  }
  [[nodiscard]] std::uint64_t carried() const { return carried_.load(); }
  [[nodiscard]] std::uint64_t lost() const { return lost_.load(); }

 private:
  struct Packet {
    std::int64_t due{0};
    std::vector<char> bytes;
  };
  struct End {
    int fd{-1};
    std::deque<Packet> to_it;
  };

  bool make_end(std::size_t which, const char* name) {
    const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    ends_[which].fd = fd;
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return ::ioctl(fd, TUNSETIFF, &request) == 0;
  }
  static std::int64_t now_ns() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
  }
  void take(std::size_t from) {
    std::array<char, 4096> packet;
    for (;;) {
      const ssize_t n = ::read(ends_[from].fd, packet.data(), packet.size());
      if (n <= 0) return;
      if (std::uniform_real_distribution<>{}(random_) < terms_.loss) {
        lost_.fetch_add(1);
        continue;
      }
      ends_[1 - from].to_it.push_back(
          {now_ns() + terms_.delay_ns, {packet.data(), packet.data() + n}});
    }
  }
  void give(End& end) {
    for (; !end.to_it.empty() && end.to_it.front().due <= now_ns(); end.to_it.pop_front()) {
      const auto& bytes = end.to_it.front().bytes;
      if (::write(end.fd, bytes.data(), bytes.size()) > 0) carried_.fetch_add(1);
    }
  }
  void carry() {
    while (!stop_.load()) {
      pollfd ready[2] = {{ends_[0].fd, POLLIN, 0}, {ends_[1].fd, POLLIN, 0}};
      static_cast<void>(::poll(ready, 2, 1));
      for (const std::size_t from : {0U, 1U}) take(from);
      for (End& end : ends_) give(end);
    }
  }

  Terms terms_{};
  std::array<End, 2> ends_{};
  std::mt19937_64 random_{20261129};
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> carried_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::thread carrier_;
};

}  // namespace gimbal::test
