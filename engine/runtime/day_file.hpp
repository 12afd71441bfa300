// The trading day's figures in the state directory: profits per owner, the day's peak, ratios and
// what was held at which mark (engine/core/day_figures.hpp), by name, so that another order of the
// configuration's tables changes nothing. Cold.
//
// Layout, little endian: magic (8), format version (4), the record, CRC-32C of all before it (4).
// Written as a whole through replace_file: a cut at any byte leaves the old or the new content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/core/day_figures.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

inline constexpr std::uint32_t day_file_version = 1;
inline constexpr std::size_t day_name_max = 100;  // bytes of a name
inline constexpr std::size_t day_lines_max = 4096;

struct DayRecord {
  struct Owner {
    std::string name;  // strategy, or "account" for what it held besides
    Money profit{};
  };
  struct Ratio {
    std::string underlying;
    std::uint8_t group{0};  // 0 futures, 1 options
    DayRatio count{};
  };
  struct Holding {
    std::string instrument;
    std::string owner;
    Qty amount{};
    Price mark{};
  };
  std::string account;     // whose figures they are
  std::uint32_t epoch{0};  // boot that wrote them
  ExchTime began{};        // of the day, on the venue's clock
  ExchTime booked_until{};
  Money peak{};
  std::vector<Owner> owners;
  std::vector<Ratio> ratios;
  std::vector<Holding> holdings;

  [[nodiscard]] Money profit() const noexcept;  // of everything
};

enum class DayFileKind : std::uint8_t {
  missing,   // none was ever written, or somebody removed it
  sound,     // `record` holds
  unusable,  // `error` says why: damaged, of another version, or unreadable
};

struct DayFileContent {
  DayFileKind kind{DayFileKind::missing};
  DayRecord record{};
  std::string error{};
};

// The bytes of a file, and back: anything but exactly what encode makes is unusable. Exposed for
// tests.
[[nodiscard]] std::string encode_day(const DayRecord& record);
[[nodiscard]] DayFileContent parse_day(const std::string& bytes);

// Never fails: see DayFileKind. Errors name the file.
[[nodiscard]] DayFileContent load_day(const std::string& path);

}  // namespace gimbal
