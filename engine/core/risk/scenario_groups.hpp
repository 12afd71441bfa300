// Options in groups that are priced together: of one underlying, settlement and expiry, up to
// sixteen.
//
// Room: engine/core, hot. Built as instruments are listed; all memory is taken at construction.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/risk/rows_asked.hpp"
#include "engine/core/risk/scenario_rows.hpp"

namespace gimbal {

class ScenarioGroups {
 public:
  static constexpr std::uint16_t none = 0xFFFF;
  struct Group {
    UnderlyingId underlying{};
    bool inverse{true};
    std::uint8_t count{0};
    ExchTime expiry{};
    RecvTime asked{};             // zero: never, or to be asked for anew
    RecvTime answered{};          // of the newest rows taken: when they were asked for
    std::uint8_t held{0};         // options with a position
    std::uint16_t asked_for{0};   // a bit for each option of that question
    std::uint32_t generation{0};  // of the anchor that was asked for
    std::array<InstrumentId, scenario_rows_max> options{};
  };

  // 0 instruments: not used.
  explicit ScenarioGroups(std::size_t instruments);
  // A new option joins a group of its expiry that has room; whatever is no option is ignored. What
  // a group is made of never changes for a listed option (InstrumentTable::redefine).
  void list(const Instrument& i) noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return groups_.size(); }
  [[nodiscard]] Group& operator[](std::size_t n) noexcept { return groups_[n]; }
  [[nodiscard]] const Group& operator[](std::size_t n) const noexcept { return groups_[n]; }
  // The option has a position now, or has none any more.
  void hold(InstrumentId id, bool held) noexcept;
  // Whether the option was in its group's newest question. True for what is in no group.
  [[nodiscard]] bool asked_for(InstrumentId id) const noexcept {
    const std::uint16_t n = of(id);
    return n == none || (groups_[n].asked_for >> place_[id.value] & 1U) != 0;
  }
  // `none` where the instrument is in no group.
  [[nodiscard]] std::uint16_t of(InstrumentId id) const noexcept {
    return id.value < of_.size() ? of_[id.value] : none;
  }

  // Questions on their way, of all groups.
  [[nodiscard]] RowsAsked& questions() noexcept { return questions_; }

 private:
  [[nodiscard]] static bool fits(const Group& g, const Instrument& i) noexcept;

  RowsAsked questions_{};
  std::vector<Group> groups_;  // reserved
  std::vector<std::uint16_t> of_;
  std::vector<std::uint8_t> place_;  // in its group
};

}  // namespace gimbal
