#include "engine/wire/sweep.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/wire/socket_calls.hpp"

namespace gimbal {

SweepBackend::SweepBackend(const PollerConfig& config, bool use_epoll)
    : use_epoll_{use_epoll}, kernel_stamps_{config.kernel_stamps}, buffer_(config.buffer_bytes) {
  if (!use_epoll_) return;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) open_error_ = errno;
}

SweepBackend::~SweepBackend() {
  if (epoll_ >= 0) ::close(epoll_);
}

bool SweepBackend::add(int fd, std::uint16_t slot, Priority priority) noexcept {
  if (slot >= poller_slots_max || slots_[slot].fd >= 0 || fd < 0) return false;
  if (kernel_stamps_) {
    const int on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) return false;
  }
  if (use_epoll_) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
    event.data.u32 = slot;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return false;
  }
  slots_[slot] = {};
  slots_[slot].fd = fd;
  slots_[slot].priority = priority;
  slots_[slot].ready = true;  // what came before the registration gives no edge
  rebuild();
  return true;
}

void SweepBackend::remove(std::uint16_t slot) noexcept {
  if (slot >= poller_slots_max || slots_[slot].fd < 0) return;
  if (use_epoll_) (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, slots_[slot].fd, nullptr);
  slots_[slot] = {};
  rebuild();
}

void SweepBackend::set_paused(std::uint16_t slot, bool paused) noexcept {
  if (slot < poller_slots_max && slots_[slot].fd >= 0) slots_[slot].paused = paused;
}

void SweepBackend::rebuild() noexcept {
  first_.size = normal_.size = 0;
  for (std::uint16_t i = 0; i < poller_slots_max; ++i) {
    if (slots_[i].fd < 0) continue;
    Order& order = slots_[i].priority == Priority::first ? first_ : normal_;
    order.slots[order.size++] = i;
  }
  first_at_ = normal_at_ = normal_left_ = 0;
}

void SweepBackend::begin() noexcept {
  first_at_ = 0;
  normal_left_ = normal_.size;
  if (!use_epoll_) return;
  std::array<epoll_event, poller_slots_max> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    Slot& slot = slots_[event.data.u32];
    slot.ready = true;
    if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) slot.ending = true;
  }
}

// First-priority slots from the start after every normal chunk; normal slots go on where the last
// sweep stopped.
bool SweepBackend::next(Received& out) noexcept {
  for (; first_at_ < first_.size; ++first_at_) {
    if (try_slot(first_.slots[first_at_], out)) {
      ++first_at_;
      return true;
    }
  }
  while (normal_left_ > 0) {
    --normal_left_;
    const std::uint16_t slot = normal_.slots[normal_at_];
    normal_at_ = normal_at_ + 1 < normal_.size ? normal_at_ + 1 : 0;
    if (!try_slot(slot, out)) continue;
    first_at_ = 0;
    return true;
  }
  return false;
}

bool SweepBackend::try_slot(std::uint16_t number, Received& out) noexcept {
  Slot& slot = slots_[number];
  if (slot.paused || slot.lost || slot.fd < 0 || (use_epoll_ && !slot.ready)) return false;
  std::int64_t stamp = 0;
  const long got = receive(slot, stamp);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    if (errno != EINTR) slot.ready = false;
    return false;
  }
  out = {};
  out.slot = number;
  if (got <= 0) {
    slot.lost = true;
    out.error = got < 0 ? errno : 0;
    return true;
  }
  // A short read emptied the socket (epoll(7)), unless the edge also told of the end behind it.
  if (static_cast<std::size_t>(got) < buffer_.size() && !slot.ending) slot.ready = false;
  out.bytes = {buffer_.data(), static_cast<std::size_t>(got)};
  out.kernel_unix_ns = stamp;
  return true;
}

long SweepBackend::receive(const Slot& from, std::int64_t& kernel_unix_ns) noexcept {
  if (!kernel_stamps_) return receive_now(from.fd, buffer_.data(), buffer_.size());
  alignas(cmsghdr) std::array<char, 128> control;
  iovec part{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(from.fd, &message, MSG_DONTWAIT);
  if (got <= 0) return got;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    kernel_unix_ns = at.tv_sec * 1'000'000'000 + at.tv_nsec;
  }
  return got;
}

bool SweepBackend::wait(int milliseconds) noexcept {
  for (const Slot& slot : slots_) {
    if (use_epoll_ && slot.fd >= 0 && slot.ready && !slot.paused && !slot.lost) return true;
  }
  if (use_epoll_) {  // the epoll descriptor itself polls readable without using up the edges
    pollfd entry{epoll_, POLLIN, 0};
    return ::poll(&entry, 1, milliseconds) > 0;
  }
  std::array<pollfd, poller_slots_max> entries;
  nfds_t count = 0;
  for (const Slot& slot : slots_) {
    if (slot.fd >= 0 && !slot.paused && !slot.lost) entries[count++] = {slot.fd, POLLIN, 0};
  }
  return ::poll(entries.data(), count, milliseconds) > 0;
}

}  // namespace gimbal
