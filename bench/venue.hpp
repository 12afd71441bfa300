// The bench's exchange: the simulator's dialect answers every control request, and the hot frames
// are hand-made. Time stands still inside a measured block: nothing but the tick and the order
// moves.
//
// The hedge instrument's book is the bench's own (two levels that jump, twenty a side that stay),
// so that its change_id chain goes on from the snapshot that a connection was given. An order is
// answered with a hand-made fill and booked in the simulated account, so that a reconciliation
// agrees. Single thread; bench only.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/spin_server.hpp"
#include "venues/sim/dialect_deribit.hpp"
#include "venues/sim/exchange.hpp"
#include "venues/sim/tls_authority.hpp"

namespace gimbal::bench {

// A client that is not the bot: a floor or a rival, told apart by the path of its upgrade.
enum class Guest : std::uint8_t {
  tls_floor,
  tls_floor_warm,
  tls_floor_rare,
  rival_polled,
  rival_asleep
};
inline constexpr std::size_t guests = 5;
inline constexpr std::string_view guest_paths[guests] = {"/floor", "/floor-warm", "/floor-rare",
                                                         "/rival-polled", "/rival-asleep"};
// Wall clock in the venue's unit, as text.
std::string wall_ms_text();

inline constexpr std::string_view bench_client = "bench";
inline constexpr std::string_view bench_secret = "bench-secret-of-loopback";

class Venue {
 public:
  // Writes its certificate files into `tls_directory`. Throws std::runtime_error.
  explicit Venue(const std::filesystem::path& tls_directory);

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] const std::filesystem::path& authority() const { return tls_.ca; }
  [[nodiscard]] const std::filesystem::path& leaf() const { return tls_.leaf; }
  [[nodiscard]] const std::filesystem::path& key() const { return tls_.key; }

  // Serves everything once. With `time` the exchange's clock follows the wall clock.
  void serve(bool time);

  // What the measuring loop needs. A target is ready when both its connections are.
  struct Target {
    SpinConnection* ticks{nullptr};   // where a tick goes
    SpinConnection* orders{nullptr};  // where the order comes from; null before the first order
  };
  [[nodiscard]] Target guest(Guest g) const;
  [[nodiscard]] Target bot() const;

  // Text of the next tick; it moves the mid when `moves`, else changes one amount deep in the book.
  // Each client has its own book and its own chain of change ids.
  [[nodiscard]] std::string_view next_tick(bool moves) { return next_tick(moves, bot_book_); }
  [[nodiscard]] std::string_view next_tick(bool moves, Guest g) {
    return next_tick(moves, guest_books_[static_cast<std::size_t>(g)]);
  }
  // Stamp of the newest answer (order or echo), 0 when none since the last call; then cleared.
  [[nodiscard]] std::int64_t take_stamp();
  // Polls one connection only: the measuring loop's.
  void poll(SpinConnection& connection) { server_.serve(connection); }
  // Connections other than the ticks' own, which has a sealed frame; accepts new ones.
  void keep_house(const SpinConnection& ticks);
  // Answers and books the orders that came; outside the measured interval.
  void settle();

  // Each publication but those of the hedge instrument's book, just before it is sent; and each
  // connection that has ended, just before it is forgotten.
  std::function<void(SpinConnection&, std::string_view)> on_publication;
  std::function<void(const SpinConnection&)> on_closed;

  [[nodiscard]] std::int64_t center() const { return center_; }
  [[nodiscard]] std::uint64_t orders() const { return orders_; }
  [[nodiscard]] std::uint64_t options() const { return options_; }
  [[nodiscard]] bool book_subscribed() const { return book_connection_ != nullptr; }
  [[nodiscard]] std::size_t tick_bytes() const { return tick_.size(); }
  [[nodiscard]] std::size_t order_bytes() const { return order_bytes_; }

 private:
  struct Pending {
    SpinConnection* connection{nullptr};
    std::string text;
  };
  // The hedge instrument's book as one client knows it.
  struct Book {
    std::uint64_t change_id{7'000'000'000};
    int deep{0};
    bool high{false};
  };
  void furnish();
  [[nodiscard]] std::string_view next_tick(bool moves, Book& book);
  // True when the connection is a guest's.
  bool welcome(SpinConnection& c);
  void on_text(SpinConnection& c, std::string_view text);
  void answer_order(SpinConnection& c, std::string_view text);
  std::string on_http(const HttpRequest& request);
  void pump();
  void pump(SpinConnection& c);
  void forget_closed();
  [[nodiscard]] std::string snapshot(const Book& book) const;

  sim::TlsFiles tls_;
  SpinServer server_;
  std::unique_ptr<sim::SimExchange> exchange_;
  std::unique_ptr<sim::DeribitDialect> dialect_;
  sim::AccountId account_{};
  sim::InstrumentIndex hedge_{};
  SpinConnection* book_connection_{nullptr};
  SpinConnection* order_connection_{nullptr};
  std::array<SpinConnection*, guests> guests_{};
  std::vector<Pending> pending_;
  std::string tick_;
  std::string frame_;
  std::int64_t stamp_{0};
  std::int64_t center_{0};  // whole USD
  Book bot_book_{};
  std::array<Book, guests> guest_books_{};
  std::uint64_t orders_{0};
  std::uint64_t options_{0};
  std::size_t order_bytes_{0};
};

}  // namespace gimbal::bench
