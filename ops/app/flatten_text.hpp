// FLATTEN in words and as JSON: what status, the plan and the proof say. Room: ops/app. Cold.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/flatten.hpp"
#include "engine/core/units.hpp"

namespace gimbal {

class JsonWriter;

[[nodiscard]] std::string_view name_of(
    FlattenPhase phase) noexcept;                                 // "none" "closing" "ended" ...
[[nodiscard]] std::string_view name_of(FlattenEnd end) noexcept;  // "none" "flat" "left_over" ...
[[nodiscard]] std::string_view name_of(FlattenWhy why) noexcept;

struct FlattenPosition {
  std::string instrument;
  std::string why;      // "none": being closed; else why not
  std::string refusal;  // of the control, when `why` is "refused"
  Qty amount{};         // signed, still held
};

struct FlattenReport {
  std::uint64_t command{0};  // 0: none in this boot
  std::string scope;
  std::string phase{"none"};
  std::string end{"none"};
  bool options{false};
  bool hedge_only{false};
  std::uint64_t orders{0};
  std::uint64_t fills{0};
  std::uint64_t held{0};     // positions of the scope
  std::uint64_t unknown{0};  // orders of the scope in doubt
  Money cost{};              // USD
  Money max_loss{};
  std::int64_t elapsed_ns{0};
  bool verified{false};  // by the venue's positions after the last slice
  std::vector<FlattenPosition> positions;
};

// As a member "flatten" of the object that is open.
void put_flatten(JsonWriter& w, const FlattenReport& report);

}  // namespace gimbal
