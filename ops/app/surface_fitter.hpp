// The bot's volatility surface on its cold side: the newest ticker of each option in, one side
// block an expiry out (engine/core/surface_block.hpp). Room: ops/app. Cold; one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/core/instrument.hpp"
#include "engine/core/payload.hpp"
#include "engine/core/surface_block.hpp"
#include "engine/core/time.hpp"
#include "engine/quant/implied_vols.hpp"
#include "engine/quant/surface/delta_study.hpp"
#include "engine/quant/surface/vol_surface.hpp"
#include "ops/app/surface_config.hpp"

namespace gimbal {

// What one ticker says of one option. Volatilities as fractions, 0: none.
struct SurfaceQuote {
  InstrumentId instrument{};
  UnderlyingId underlying{};
  OptionType type{OptionType::call};
  bool inverse{true};
  double strike{0};
  ExchTime expiry{};
  double forward{0};  // quote units, of its own expiry
  double mark{0};
  double bid{0};
  double ask{0};
  // Of the book's best, in quote units. Where there is one, our own volatility of it stands in for
  // the venue's before the fit, and these are 0 again.
  double bid_price{0};
  double ask_price{0};
  ExchTime venue_time{};
  RecvTime at{};
};

// What a ticker says of an open option of the table; false for anything else.
[[nodiscard]] bool quote_of(const InstrumentTable& table, const Event& last_part, const Ticker& t,
                            SurfaceQuote& out);

struct SurfaceCounters {
  std::uint64_t fits{0};      // of a whole surface
  std::uint64_t accepted{0};  // expiries, each time they were fitted
  std::uint64_t kept{0};
  std::uint64_t refused{0};   // butterfly, calendar or error
  std::uint64_t unusable{0};  // too few quotes, or none that can be used
  std::uint64_t blocks{0};
  std::uint64_t implied{0};       // prices of bids and asks, each time
  std::uint64_t implied_slow{0};  // of these without a start that led to the answer
  std::uint64_t apart{0};         // of these where the venue's own volatility differs
};

class SurfaceFitter {
 public:
  // `sigma_min`, `sigma_max`: what the core believes; rows outside are left out. The deltas are
  // compared over changes of `study_step`.
  SurfaceFitter(const SurfaceConfig& config, double sigma_min, double sigma_max,
                Nanos study_step = seconds(10))
      : config_{config}, sigma_min_{sigma_min}, sigma_max_{sigma_max}, study_step_{study_step} {}

  // Ignored unless strike, forward and expiry make sense.
  void quote(const SurfaceQuote& q);
  // Fits every expiry; gives the blocks of those that say something new: another curve, or the same
  // one before a third of its age limit has passed, or a verdict.
  [[nodiscard]] std::vector<std::vector<std::byte>> fit(RecvTime now);
  [[nodiscard]] const SurfaceCounters& counters() const noexcept { return counters_; }

  using Market = std::pair<std::uint8_t, bool>;  // underlying, inverse
  struct Study {
    quant::DeltaStudy deltas{};
    RecvTime at{};  // of the newest step
  };
  [[nodiscard]] const std::map<Market, Study>& studies() const noexcept { return studies_; }

 private:
  struct Newest {  // of one option
    SurfaceQuote quote{};
    double bid{0};  // the last volatilities that its prices implied: where the next ones start
    double ask{0};
  };
  struct Expiry {
    ExchTime at{};
    RecvTime as_of{};  // the oldest quote taken
    double forward{0};
    RecvTime forward_at{};
    std::vector<SurfaceQuote> all{};
    std::vector<quant::VolQuote> quotes{};
    bool firm{false};
    double years{0};
  };
  struct Told {  // as last published
    SurfaceHead head{};
    std::vector<SurfaceRow> rows{};
  };
  // What the core prices an expiry by: the newest rows published and not withdrawn; too few quotes
  // withdraw nothing.
  struct Live {
    RecvTime as_of{};
    std::vector<SurfaceRow> rows{};  // empty: none
    int refused{0};                  // fits, since one that gave a curve
    RecvTime refused_since{};
  };
  using Key = std::tuple<std::uint8_t, bool, std::int64_t>;
  void imply();
  void take(double sigma, double& venue, double& last);
  [[nodiscard]] std::map<Market, std::vector<Expiry>> gather(RecvTime now);
  void choose(Expiry& e, RecvTime now) const;
  [[nodiscard]] bool fresh(const SurfaceQuote& q, RecvTime now) const noexcept {
    return (now - q.at) * 2 <= config_.age_max;
  }
  void study(const Market& market, const std::vector<Expiry>& expiries,
             const quant::VolSurface& surface, RecvTime now);
  [[nodiscard]] Told say(const Market& market, const Expiry& e, const quant::VolSurface& surface,
                         std::size_t n);
  void count(const quant::VolSurface::Slice& s);
  [[nodiscard]] bool news(const Told& before, const Told& now) const;
  // A refused fit without a curve to keep goes on as the live one, for a few fits.
  static void stand_by(Live& live, Told& fresh, RecvTime now);
  static void follow(Live& live, const Told& told);

  SurfaceConfig config_;
  double sigma_min_;
  double sigma_max_;
  Nanos study_step_;
  quant::WarmVol warm_{quant::proven_warm_vol()};
  std::map<std::uint16_t, Newest> newest_;
  std::map<Market, quant::VolSurface> surfaces_;
  std::map<Market, Study> studies_;
  std::map<Key, Told> told_;
  std::map<Key, Live> live_;
  std::map<Key, RecvTime> as_of_;  // of the curve in use
  ExchTime venue_now_{};
  SurfaceCounters counters_{};
};

}  // namespace gimbal
