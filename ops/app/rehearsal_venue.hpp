// The venue's side of the rehearsals (rehearsal.hpp): the far ends of two private connections. It
// speaks as much of Deribit's dialect as one hedge needs: login, subscription, a book that jumps
// between two prices, and a fill for every order.
//
// Its sockets come from make_loopback_pair() and from nowhere else: no address, no credential and
// no connection of a real venue can be given to it. Hot after open(): no allocation, no system call
// but recv and send. Room: ops/app (wiring).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "engine/core/time.hpp"
#include "engine/wire/connector.hpp"

namespace gimbal {

inline constexpr std::string_view rehearsal_symbol = "BTC-PERPETUAL";
inline constexpr std::int64_t rehearsal_center_usd = 100'000;
inline constexpr std::int64_t rehearsal_jump_usd = 25;  // the mid is center - jump or center + jump

class RehearsalVenue {
 public:
  // What a session adopts; the other end stays here.
  struct ClientEnds {
    std::unique_ptr<Established> feed;
    std::unique_ptr<Established> orders;
  };

  // Cold. Makes the two connections; `error` on failure.
  [[nodiscard]] ClientEnds open(std::string& error);

  // Answers whatever the set-up of either session asked. `now` becomes the frames' time.
  void serve(ExchTime now) noexcept;
  // The hedge instrument's book jumps: one encrypted frame on the feed's connection.
  void send_tick(ExchTime now) noexcept;
  // Reads the order connection; true when a whole order has come, once for each.
  [[nodiscard]] bool take_order() noexcept;
  // The reply to it: filled whole at its limit price.
  void send_fill(ExchTime now) noexcept;

  [[nodiscard]] std::uint64_t ticks() const noexcept { return ticks_; }
  [[nodiscard]] std::uint64_t orders() const noexcept { return orders_taken_; }
  // Both connections still work.
  [[nodiscard]] bool alive() const noexcept { return alive_; }

 private:
  static constexpr std::size_t text_max = 4096;

  struct End {
    std::unique_ptr<Established> connection;
    std::array<char, 32768> wire{};   // ciphertext as received
    std::array<char, 32768> plain{};  // frames of the client, decrypted
    std::size_t used{0};
  };
  // The members of an order that its fill repeats.
  struct Asked {
    std::int64_t id{0};
    std::array<char, 64> label{};
    std::size_t label_size{0};
    std::array<char, 32> amount{};
    std::size_t amount_size{0};
    std::array<char, 32> price{};
    std::size_t price_size{0};
    bool buy{false};
  };

  void receive(End& end) noexcept;
  // Takes whole frames off `end`; each text goes to on_text.
  void take_frames(End& end, ExchTime now) noexcept;
  void on_text(End& end, std::string_view text, ExchTime now) noexcept;
  void note_order(std::string_view text, bool buy) noexcept;
  void answer(End& end, std::string_view text, std::string_view result) noexcept;
  void send_snapshot(ExchTime now) noexcept;
  // The first `size` bytes of text_ as one text frame, encrypted and sent.
  void send_text(End& end, std::size_t size) noexcept;
  [[nodiscard]] std::span<char> text_room() noexcept;

  End feed_{};
  End orders_{};
  Asked asked_{};
  std::array<char, text_max + 4> frame_{};  // header, then the text
  std::uint64_t change_id_{1'000'000};
  std::uint64_t ticks_{0};
  std::uint64_t orders_taken_{0};
  bool order_waits_{false};
  bool high_{false};
  bool alive_{true};
};

}  // namespace gimbal
