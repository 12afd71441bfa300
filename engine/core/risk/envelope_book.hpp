// The envelopes of all risk modules, combined: one cap an instrument and one time until which all
// modules have spoken, so that the gate reads by index and loops over nothing. Part of the core:
// memory is taken at construction. Taking an envelope costs its rows and those of the one before;
// a pass over all instruments when it limits those without a row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/core/portfolio.hpp"
#include "engine/core/risk/envelope.hpp"

namespace gimbal {

// One [[module]].
struct ModuleSetup {
  bool used{false};
  bool required{false};  // growth is denied until it speaks; else from its first envelope on
  Nanos ttl{};           // the longest time to live that is believed
};
using ModuleSetups = std::array<ModuleSetup, risk_modules_max>;

// One module as the core knows it. Plain, part of the status picture.
struct ModuleSeat {
  bool used{false};
  bool required{false};
  ModuleSight sight{ModuleSight::absent};
  bool lost{false};  // counted on, and late, dead or invalid: found by EngineCore::check_modules
  std::uint32_t capped{0};  // instruments on which it has an opinion
  Nanos ttl{};              // of the newest envelope, at most the setup's
  RecvTime made{};          // of the newest envelope
  RecvTime until{};         // it is late from here on; zero: nothing to rely on
  std::uint64_t as_of{0};
  std::uint64_t taken{0};
  std::uint64_t refused{0};  // by the core: what the cold side should have kept back

  // Its silence denies growth.
  [[nodiscard]] constexpr bool counts() const noexcept {
    return used && (required || sight != ModuleSight::absent);
  }
};

class EnvelopeBook {
 public:
  enum class Taken : std::uint8_t { no, yes, tightened };

  EnvelopeBook(const ModuleSetups& modules, std::size_t instruments);

  // A side block of kind risk_envelope, whatever is in it. `listed`: instruments so far. A block
  // that is refused denies growth when it names a module, and changes nothing otherwise.
  Taken take(std::span<const std::byte> block, RecvTime now, const Portfolio& portfolio,
             std::size_t listed) noexcept;
  // An instrument that was not there when the envelopes were taken.
  void list(InstrumentId id) noexcept;
  // The event `seq` moved a position from `before`. Amounts of an envelope that had not seen it yet
  // count from whichever of the two positions allows less. O(1).
  void moved(InstrumentId id, std::uint64_t seq, Qty before) noexcept;

  [[nodiscard]] bool used() const noexcept { return used_ != 0; }
  // A module is late, dead or invalid, or a required one never spoke.
  [[nodiscard]] bool late(RecvTime now) const noexcept { return now >= until_; }
  [[nodiscard]] const EnvelopeCap& cap(InstrumentId id) const noexcept { return caps_[id.value]; }

  [[nodiscard]] std::size_t size() const noexcept { return used_; }
  [[nodiscard]] ModuleSeat& seat(std::size_t n) noexcept { return seats_[n]; }
  [[nodiscard]] const std::array<ModuleSeat, risk_modules_max>& seats() const noexcept {
    return seats_;
  }

 private:
  struct Spoken {  // by one module
    EnvelopeRow others{};
    std::vector<EnvelopeCap> caps{};
    std::array<InstrumentId, envelope_rows_max> rows{};
    std::size_t count{0};
  };
  struct Move {
    std::uint64_t seq{0};
    Qty before{};
    InstrumentId id{};
  };
  struct Moved {              // of one instrument
    std::uint64_t newest{0};  // sequence number of its newest move
    Qty before{};             // position at rewind's as_of, where newest is after it
  };
  static constexpr std::size_t moves_max = 256;
  void rewind(std::uint64_t as_of) noexcept;
  [[nodiscard]] EnvelopeCap cap_for(const EnvelopeRow& row, InstrumentId id, Qty position,
                                    std::uint64_t as_of) const noexcept;
  bool spread(const EnvelopeHead& head, std::span<const EnvelopeRow> rows,
              const Portfolio& portfolio, std::size_t listed) noexcept;
  bool combine(std::size_t id) noexcept;
  void look_until() noexcept;

  ModuleSetups setups_;
  std::size_t used_{0};
  std::array<ModuleSeat, risk_modules_max> seats_{};
  std::array<Spoken, risk_modules_max> spoken_{};
  std::vector<EnvelopeCap> caps_;
  std::array<EnvelopeRow, envelope_rows_max> rows_{};  // of the block being taken
  std::vector<Moved> moved_;
  std::array<Move, moves_max> moves_{};  // the newest
  std::uint64_t moves_seen_{0};
  bool forgotten_{false};  // more moves after as_of than are kept
  RecvTime until_{INT64_MAX};
};

}  // namespace gimbal
