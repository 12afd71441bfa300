// One expiry of the volatility surface as it enters the core: the side block of kind `surface`,
// named by a side_block event. Head, then `rows` rows, nothing else.
//
// Room: engine/core, hot; part of the journal format. The fit is made on a cold thread; the core
// stores one volatility and one slope an option, by index, and never evaluates a curve.
// Units: sigma a fraction per sqrt(year), slope d sigma / dk with k = ln(K/F).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "engine/core/ids.hpp"
#include "engine/core/math.hpp"
#include "engine/core/smile_delta.hpp"
#include "engine/core/time.hpp"
#include "engine/core/vol_source.hpp"

namespace gimbal {

inline constexpr std::uint32_t surface_block_version = 1;
inline constexpr double surface_slope_max = 50;  // |d sigma / dk|; a larger one is refused

// What became of the newest quotes of the expiry; the numbers of quant::SliceVerdict.
enum class SurfaceVerdict : std::uint8_t { accepted, unusable, butterfly, calendar, error };

struct SurfaceHead {
  std::uint32_t version{surface_block_version};
  std::uint32_t rows{0};
  ExchTime expiry{};
  RecvTime as_of{};  // the oldest quote that the curve stands on: its age is counted from here
  UnderlyingId underlying{};
  std::uint8_t inverse{1};            // coin-settled options
  VolSource source{VolSource::none};  // svi, ssvi or kept; none: no curve, and no rows
  SurfaceVerdict verdict{SurfaceVerdict::unusable};
  std::uint32_t reserved{0};
  // a, b, c of the minimum-variance delta; all zero while its gain out of sample is too small.
  std::array<double, 3> minimum_variance{};
  double rms{0};      // error of the newest fit, in volatility
  double rms_max{0};  // and what it may be
  double gain{0};     // of the minimum-variance delta, out of sample: 1 - SSE / SSE of Black
};
struct SurfaceRow {
  InstrumentId instrument{};
  std::array<std::uint8_t, 6> reserved{};
  double sigma{0};
  double slope{0};
};
static_assert(sizeof(SurfaceHead) == 80 && std::is_trivially_copyable_v<SurfaceHead>);
static_assert(sizeof(SurfaceRow) == 24 && std::is_trivially_copyable_v<SurfaceRow>);

// A view of a block's bytes; `sound` says whether they are one.
class SurfaceBlock {
 public:
  explicit SurfaceBlock(std::span<const std::byte> bytes) noexcept : bytes_{bytes} {
    if (bytes.size() >= sizeof head_) std::memcpy(&head_, bytes.data(), sizeof head_);
  }
  [[nodiscard]] const SurfaceHead& head() const noexcept { return head_; }
  [[nodiscard]] std::size_t rows() const noexcept { return head_.rows; }
  [[nodiscard]] SurfaceRow row(std::size_t n) const noexcept {
    SurfaceRow r;
    std::memcpy(&r, bytes_.data() + sizeof head_ + n * sizeof r, sizeof r);
    return r;
  }
  // Size, version and every number (an age is counted from `as_of`: never before the clock's zero);
  // which instruments the rows name is the reader's to check.
  [[nodiscard]] bool sound() const noexcept {
    if (bytes_.size() < sizeof head_ || head_.version != surface_block_version) return false;
    if ((bytes_.size() - sizeof head_) / sizeof(SurfaceRow) != head_.rows) return false;
    if ((bytes_.size() - sizeof head_) % sizeof(SurfaceRow) != 0) return false;
    if (head_.underlying.value >= underlyings_max || head_.inverse > 1) return false;
    if (head_.verdict > SurfaceVerdict::error || head_.as_of < RecvTime{}) return false;
    const bool curve = of_surface(head_.source);
    if (!curve && (head_.source != VolSource::none || head_.rows != 0)) return false;
    for (const double v : head_.minimum_variance) {
      if (!(math::abs(v) <= minimum_variance_max)) return false;
    }
    for (std::size_t n = 0; n < head_.rows; ++n) {
      const SurfaceRow r = row(n);
      if (!(r.sigma > 0 && r.sigma <= 100) || !(math::abs(r.slope) <= surface_slope_max)) {
        return false;
      }
    }
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  SurfaceHead head_{};
};

}  // namespace gimbal
