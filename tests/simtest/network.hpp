// The three connections between bot and venue in virtual time: what was sent, when it arrives, what
// the nemesis makes of it. Order is kept in each direction unless a fault breaks it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.hpp"
#include "tests/simtest/byte_path.hpp"
#include "tests/simtest/random.hpp"
#include "venues/sim/dialect_deribit.hpp"

namespace gimbal::simtest {

enum class Lane : std::uint8_t { orders, hedge, options };
inline constexpr std::size_t lanes_total = 3;

// What becomes of one text on its way; a text may become several.
struct Parcel {
  std::string text;
  Nanos delay{};          // on top of the usual latency
  bool overtakes{false};  // not bound to the order of its direction
};

// Decides about texts. `send` is called for what arrives.
class Carrier {
 public:
  Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  virtual ~Carrier() = default;
  class Sink {
   public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;
    virtual void send(Parcel parcel) = 0;
  };
  virtual void request(Lane lane, std::string text, Sink& sink) = 0;
  virtual void frame(Lane lane, std::string text, Sink& sink) = 0;
  [[nodiscard]] virtual bool refuses_connections() const = 0;
  // What arrives now has been cut below its texts.
  [[nodiscard]] virtual bool splits_bytes() const = 0;
};

class Network {
 public:
  // `whole_bytes`: nothing is cut below the texts, whatever the carrier says.
  Network(sim::DeribitDialect& venue, Carrier& carrier, TraceHash& hash, std::uint64_t seed,
          Plant plant, bool whole_bytes)
      : venue_{venue},
        carrier_{carrier},
        hash_{hash},
        random_{seed, 1},
        seed_{seed},
        plant_{plant},
        whole_bytes_{whole_bytes} {}

  void set_now(RecvTime now) noexcept { now_ = now; }
  // --- the bot's end
  [[nodiscard]] bool connect(Lane lane);
  [[nodiscard]] bool up(Lane lane) const noexcept { return of(lane).connection != 0; }
  void send(Lane lane, std::string_view text);
  // The next text that has arrived; false when there is none.
  [[nodiscard]] bool pop(Lane lane, std::string& text);
  // The connection has ended and everything before that was popped.
  [[nodiscard]] bool ended(Lane lane) const noexcept;
  // Gives the connection up; the venue sees it at once.
  void close(Lane lane);
  // The process is gone: what it wrote still arrives, then the venue sees the end.
  void leave(Lane lane);

  // --- the middle
  // Requests arrive, frames set out.
  void run();
  // Everything in flight is gone and the bot sees the end; the venue too, unless it is not told.
  void cut(Lane lane);
  // Puts texts on the way to the bot as the venue would; false when the connection is not up.
  bool deliver(Lane lane, const std::vector<std::string>& texts);
  [[nodiscard]] sim::ConnectionId connection(Lane lane) const noexcept {
    return of(lane).connection;
  }
  // Orders on their way: calls use(text) for every request that has not arrived.
  template <class Use>
  void each_request(Use&& use) const {
    for (const End& end : ends_) {
      for (const auto& [at, text] : end.to_venue) use(text);
    }
    for (const End& end : left_) {
      for (const auto& [at, text] : end.to_venue) use(text);
    }
  }
  [[nodiscard]] std::uint64_t texts() const noexcept { return texts_; }
  // What came out of the bytes of a connection unlike it went in; empty: nothing.
  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

 private:
  using Queue = std::multimap<std::int64_t, std::string>;
  struct End {
    sim::ConnectionId connection{0};
    bool broken{false};
    Queue to_venue;
    Queue to_bot;
    std::int64_t last_to_venue{0};
    std::int64_t last_to_bot{0};
    std::size_t read{0};  // first texts of to_bot that came through the bytes already
  };
  struct Put;
  [[nodiscard]] End& of(Lane lane) noexcept { return ends_[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] const End& of(Lane lane) const noexcept {
    return ends_[static_cast<std::size_t>(lane)];
  }
  void put(Queue& queue, std::int64_t& last, Parcel parcel);
  void arrive(End& end);
  void run_left();
  void depart(Lane lane);
  // The lane's bytes while they are cut, null otherwise.
  [[nodiscard]] BytePath* bytes_of(Lane lane);
  void read_bytes(End& end, BytePath& bytes);

  sim::DeribitDialect& venue_;
  Carrier& carrier_;
  TraceHash& hash_;
  Random random_;
  RecvTime now_{};
  std::array<End, lanes_total> ends_{};
  std::vector<End> left_;  // of a process that died
  std::uint64_t texts_{0};
  std::uint64_t seed_;
  Plant plant_;
  bool whole_bytes_;
  std::array<std::unique_ptr<BytePath>, lanes_total> bytes_;
  std::string trouble_;
};

}  // namespace gimbal::simtest
