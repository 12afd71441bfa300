// The venue's side of each program's connection.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "bench/contest.hpp"
#include "bench/floor_client.hpp"
#include "bench/peak_flow.hpp"
#include "bench/venue.hpp"

namespace gimbal::bench {

// Floors and rivals: ticks and answers on one connection.
class GuestDoor : public Door {
 public:
  GuestDoor(Venue& venue, Guest guest) : venue_{venue}, guest_{guest} {}
  void prepare(bool moves) override {
    connection()->tls->seal_text(venue_.next_tick(moves, guest_));
  }
  void send() override { connection()->tls->send_sealed(); }
  std::int64_t look() override {
    venue_.poll(*connection());
    return venue_.take_stamp();
  }
  void keep_house() override { venue_.keep_house(*connection()); }
  [[nodiscard]] bool open() const override { return connection() != nullptr; }

 private:
  [[nodiscard]] SpinConnection* connection() const { return venue_.guest(guest_).ticks; }
  Venue& venue_;
  Guest guest_;
};

// The bot: ticks on its hedge feed, orders on its order session.
class BotDoor : public Door {
 public:
  explicit BotDoor(Venue& venue) : venue_{venue} {}
  void prepare(bool moves) override { venue_.bot().ticks->tls->seal_text(venue_.next_tick(moves)); }
  void send() override { venue_.bot().ticks->tls->send_sealed(); }
  std::int64_t look() override {
    const Venue::Target target = venue_.bot();
    if (target.orders != nullptr) {
      venue_.poll(*target.orders);
    } else {
      venue_.keep_house(*target.ticks);
    }
    return venue_.take_stamp();
  }
  void keep_house() override {
    const Venue::Target target = venue_.bot();
    venue_.keep_house(*target.ticks);
    if (target.orders != nullptr && target.orders != target.ticks) venue_.poll(*target.orders);
  }
  // The first ticker after a move anchors the forwards anew, which may ask for a small hedge.
  bool rest() override {
    venue_.serve(true);
    return venue_.take_stamp() != 0;
  }
  void settle() override { venue_.settle(); }
  [[nodiscard]] bool open() const override { return venue_.bot().ticks != nullptr; }

 private:
  Venue& venue_;
};

// The bot, with changes of twenty option books on their feed just before each tick that matters.
class CrowdedDoor : public BotDoor {
 public:
  static constexpr int options_before = 20;
  CrowdedDoor(Venue& venue, PeakFlow& flow) : BotDoor{venue}, flow_{flow} {}
  void prepare(bool moves) override {
    for (int i = 0; moves && i < options_before; ++i) {
      options_ = flow_.seal(Message::option_book, random_);
    }
    BotDoor::prepare(moves);
  }
  void lead() override {
    if (options_ != nullptr) options_->tls->send_sealed();
    options_ = nullptr;
  }

 private:
  PeakFlow& flow_;
  SpinConnection* options_{nullptr};
  Random random_{20};
};

// Bare TCP: as many bytes as a tick's record.
class TcpDoor : public Door {
 public:
  explicit TcpDoor(std::size_t tick_bytes) : tick_(tick_bytes, 't') {
    listener_ = listen_loopback(port_);
  }
  TcpDoor(const TcpDoor&) = delete;
  TcpDoor& operator=(const TcpDoor&) = delete;
  ~TcpDoor() override {
    if (fd_ >= 0) ::close(fd_);
    if (listener_ >= 0) ::close(listener_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  // Waits for the floor's connection.
  void accept() {
    fd_ = ::accept(listener_, nullptr, nullptr);
    if (fd_ >= 0) no_delay(fd_);
  }
  void prepare(bool /*moves*/) override {}
  void send() override { (void)::send(fd_, tick_.data(), tick_.size(), MSG_NOSIGNAL); }
  std::int64_t look() override {
    const long n = ::recv(fd_, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
    return n > 0 ? now_ns() : 0;
  }
  [[nodiscard]] bool open() const override { return fd_ >= 0; }

 private:
  std::uint16_t port_{0};
  int listener_{-1};
  int fd_{-1};
  std::string tick_;
  std::array<char, 65536> bytes_{};
};

}  // namespace gimbal::bench
