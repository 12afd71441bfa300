// Positions and the risk of the book, kept in place: O(1) on a fill and on one option's change
// of volatility, O(expiries) on a move of the underlying, independent of the number of options.
//
// Room: engine/core, hot. All memory is taken at construction. Per bucket (underlying, expiry,
// linear or inverse) the sums of value, delta, gamma, vega, theta, vanna and speed are held at a
// reference point (F0, t0). A move to F expands from that point, never from the last tick, so
// errors do not pile up:
//   delta(F) = delta0 + gamma0 x,   value(F) = value0 + delta0 x + gamma0 x^2 / 2,   x = F - F0
//   |error of delta| <= sum |position| M3 x^2 / 2,  M3 = (0.39895 + 0.24198/sd) / (Fmin^2 sd)
// (for the premium-adjusted delta add sum |position| M3 |x|^3 / (6 Fmin)). The bucket is priced
// anew when that bound passes `delta_error_max`, when the reference is older than
// `reprice_age_max`, or when more than `time_share_max` of the remaining life has passed.
//
// Volatilities come from a ladder: the surface while it is young enough, else what the venue
// publishes, else a flat one where the config has one; every number says which it stands on.
// Without a surface and a flat volatility (the default) it is the venue's alone, of any age, as a
// number that its age makes incomplete.
//
// Time to expiry comes from exchange time only. Marks older than their limit, or missing, make the
// answer incomplete; they never make it NaN.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/core/field.hpp"
#include "engine/core/forwards.hpp"
#include "engine/core/ids.hpp"
#include "engine/core/instrument.hpp"
#include "engine/core/pricing.hpp"
#include "engine/core/surface_block.hpp"
#include "engine/core/time.hpp"
#include "engine/core/units.hpp"
#include "engine/core/vol_source.hpp"

namespace gimbal {

// How the averaging of the delivery price over the last 30 minutes enters.
enum class ExpiryRule : std::uint8_t {
  black,           // plain time to expiry to the end, no averaging: what the venue's marks use
  inside_window,   // plain before the window; inside it the running index average and the remaining
                   // variance tau/3, delta scaled by the share still to be averaged
  effective_time,  // as inside_window, and T - 2W/3 before it: for volatilities quoted in that
                   // time, not for the venue's mark_iv, which already carries the averaging
};

struct PortfolioConfig {
  double delta_error_max{0.0001};  // coins, per bucket
  Nanos reprice_age_max{milliseconds(250)};
  double time_share_max{1e-4};  // of the remaining life
  Nanos volatility_age_max{seconds(30)};
  Nanos forward_age_max{seconds(30)};
  ExpiryRule expiry_rule{ExpiryRule::inside_window};
  Nanos expiry_window{seconds(1800)};
  // Of [surface]; set in wiring.
  Nanos surface_age_max{};    // 0: no surface
  double flat_volatility{0};  // the last rung; 0: there is none
};

// Config keys of [portfolio]. The bounds of the arithmetic and the rule of the expiry are no keys.
template <class Visitor>
void fields(Visitor&& visit, PortfolioConfig& c) {
  visit("volatility_age_max", c.volatility_age_max,
        FieldInfo{1, 3600, false, Reload::fixed, "s",
                  "Age of a held option's volatility beyond which the risk is incomplete."});
  visit("forward_age_max", c.forward_age_max,
        FieldInfo{1, 3600, false, Reload::fixed, "s",
                  "Age of a held expiry's forward beyond which the risk is incomplete."});
}

struct RiskNumbers {
  Delta delta_net{};        // coins: premium-adjusted options plus delta-one; zero hedges coins
  Delta delta_bs{};         // coins: Black options plus delta-one
  Delta options_delta{};    // coins: Black, options only
  double delta_one{0};      // coins: sum of N/P and of linear amounts
  double linear_one{0};     // the linear part of delta_one
  Gamma gamma{};            // coins per quote unit: Black gamma of the options
  Gamma gamma_net{};        // d delta_net / dF, delta-one included
  Vega vega{};              // quote currency per 1.00 of volatility
  Theta theta{};            // quote currency per year
  double options_value{0};  // coins: inverse options at their own forwards
  double linear_value{0};   // quote currency: linear options
  double delta_error{0};    // coins: bound on the error of delta_net from expanding in place
  // Coins to add to either delta of the options, both 0 where no surface prices them: for the smile
  // that moves with the forward (sticky delta), and for minimum variance (Hull & White 2017). Each
  // option's share is bounded (smile_delta.hpp).
  double sticky_delta_shift{0};
  double minimum_variance_shift{0};
  VolSources models{};             // which models priced the held options
  RecvTime surface_at{};           // of the oldest curve that was last in use; zero: none was
  std::uint32_t surface_stale{0};  // held options whose curve passed its age limit
  bool complete{true};             // false: some nonzero position has no usable or recent mark
  RecvTime oldest_mark{};  // over held options, as of the last pricing; zero when none is held
  RecvTime updated{};      // oldest update of a bucket that holds options; zero when none does
};

struct OptionMark {
  bool usable{false};   // forward and volatility known
  double price{0};      // coins (inverse) or quote (linear)
  double delta_net{0};  // premium-adjusted for inverse, plain for linear
  double delta_bs{0};
  double gamma{0}, vega{0}, theta{0};  // Black; quote currency
  double forward{0};
  double sigma{0};
  double seen{0};   // forward that the option sees: inside the expiry window the average counts too
  double share{1};  // d ln(seen) / d ln(forward)
  double years{0};  // time that its variance runs for
  VolSource source{VolSource::none};
  Price venue_mark{};   // as last reported; zero when never
  RecvTime received{};  // of the volatility
};

// Counts of work done, for tests and counters.
struct PortfolioWork {
  std::uint64_t ticks{0};          // underlying moves applied
  std::uint64_t bucket_visits{0};  // buckets looked at by those moves
  std::uint64_t reprices{0};       // buckets priced anew
  std::uint64_t rows_priced{0};    // options priced, alone or in a bucket
};

class Portfolio {
 public:
  explicit Portfolio(const InstrumentTable& table, const PortfolioConfig& config = {},
                     const PricingKernels& kernels = scalar_pricing());

  // The instrument is known from now on (after InstrumentTable::add). Calling twice is harmless.
  void list(InstrumentId id) noexcept;
  // Expired: the position becomes zero and its marks are dropped.
  void settle(InstrumentId id, Price delivery) noexcept;

  // Unknown ids are ignored by every call below; `position` gives zero for them.
  void set_position(InstrumentId id, Qty amount) noexcept;  // the venue's truth is adopted
  void apply_fill(InstrumentId id, Qty signed_amount) noexcept;
  [[nodiscard]] Qty position(InstrumentId id) const noexcept;

  // Absent numbers (absent_nano, or not positive) leave what was known.
  void on_option_ticker(InstrumentId id, std::int64_t mark_iv_nano, Price underlying, Price mark,
                        ExchTime venue_time, RecvTime now) noexcept;
  void on_perpetual_mid(UnderlyingId u, Price mid, ExchTime venue_time, RecvTime now) noexcept;
  // The perpetual's book is invalid: forwards stay where they are until told otherwise.
  void on_perpetual_lost(UnderlyingId u) noexcept;
  // Price of a dated future (or of a second perpetual) for its own N/P.
  void on_future_mid(InstrumentId id, Price mid, ExchTime venue_time, RecvTime now) noexcept;
  // One expiry of the surface, already checked: what it says of options that are not listed here,
  // or of another underlying or kind, is not taken. Gives the number of volatilities taken.
  std::size_t on_surface(const SurfaceBlock& block, RecvTime now) noexcept;
  // The expiry has no curve any more: the next rung prices its options. False: it had none.
  bool withdraw_surface(const SurfaceHead& head, RecvTime now) noexcept;
  // The index: averaged by time inside an expiry window, used for nothing else.
  void on_index(UnderlyingId u, Price index, ExchTime venue_time) noexcept;
  // Advances both clocks (they never go back) and prices anew what is too old: one bucket a call,
  // so that no event pays for all of them, but at once whatever is a whole period late. Call it on
  // every event; it is one comparison when nothing is due. Nothing is priced before the first call
  // or ticker.
  void on_clock(RecvTime now, ExchTime venue_now) noexcept;

  // Added up once between two changes: strategy and gate ask for the same numbers. The reference
  // holds until the next call that is not const.
  [[nodiscard]] const RiskNumbers& risk(UnderlyingId u) const noexcept;
  [[nodiscard]] RiskNumbers risk(ExpiryId e) const noexcept;
  // What the next risk(u) adds up: bring_near.hpp.
  void look_over(UnderlyingId u) const noexcept;
  // What prices one option now; none for anything else.
  [[nodiscard]] VolSource model(InstrumentId id) const noexcept;
  // RiskNumbers::models alone.
  [[nodiscard]] VolSources models(UnderlyingId u) const noexcept;
  // One option at the current forward, volatility and time, held or not.
  [[nodiscard]] OptionMark mark(InstrumentId id) const noexcept;
  // The same without price and Greeks, which stay zero.
  [[nodiscard]] OptionMark sight(InstrumentId id) const noexcept;
  // Forward of the instrument's bucket; 0 when unknown.
  [[nodiscard]] double forward(InstrumentId id) const noexcept;
  // Last mid of the underlying's perpetual; 0 when unknown.
  [[nodiscard]] double perpetual_mid(UnderlyingId u) const noexcept;
  // Prices every bucket of the underlying at its current point. Idempotent.
  void reprice(UnderlyingId u) noexcept;
  [[nodiscard]] const PortfolioWork& work() const noexcept { return work_; }
  [[nodiscard]] const PortfolioConfig& config() const noexcept { return config_; }

 private:
  struct Seen {
    OptionMark mark{};
    double scale{1};  // d seen / d forward
  };
  [[nodiscard]] Seen see(InstrumentId id) const noexcept;
  static constexpr std::size_t rows_max = 32;  // options of one chunk
  static constexpr std::uint16_t none = 0xFFFF;

  // A block of held options of one bucket: columns for the kernel, padded with harmless rows.
  struct alignas(64) Chunk {
    Chunk() noexcept {
      strike.fill(1);
      sigma.fill(1);
      sign.fill(1);
    }
    std::array<double, rows_max> strike, sigma, sign;
    std::array<double, rows_max> weight{};  // signed amount; 0 while the option has no volatility
    std::array<double, rows_max> price{}, delta{}, gamma{}, vega{}, theta{}, vanna{}, speed{};
    std::array<double, rows_max> inverse_sd{};
    std::array<double, rows_max> slope{};  // d sigma / dk; 0 unless the surface prices the row
    std::array<RecvTime, rows_max> received{};
    std::array<VolSource, rows_max> source{};
    std::array<InstrumentId, rows_max> owner{};
    std::uint16_t count{0};
    std::uint16_t next{none};  // towards older chunks; only the newest one has free rows
  };
  struct Sums {
    double value{0}, delta{0}, gamma{0}, vega{0}, theta{0}, vanna{0}, speed{0};
    double third{0};         // sum |weight| (0.39895 + 0.24198/sd)/sd: M3 times the forward squared
    double time_slope{0};    // sum |weight| (0.242 + 0.798 sd): bound of |d delta / d ln sd|
    double sticky_delta{0};  // sum weight times the shift of each, bounded by itself
    double minimum_variance{0};  // and of this one
  };
  // Where a bucket is priced: the forward that the option sees is base + scale * F. Outside the
  // expiry window base is 0 and scale 1; inside it they are a A and 1 - a.
  struct Point {
    double base{0};
    double scale{1};
    double years{0};
  };
  struct Bucket {
    UnderlyingId underlying{};
    ExchTime expiry{};
    bool inverse{true};
    bool used{false};
    bool filled{false};      // holds something: stands in the coin's `filled`
    std::uint16_t place{0};  // in the coin's `buckets`
    bool priced{false};      // `sums` belong to `reference` and `at`
    bool window_open{false};
    bool surfaced{false};  // some option has a volatility of the surface, of any age
    Forward forward{};
    Point at{};
    double reference{0};  // forward that the option saw when priced
    ExchTime reference_time{};
    RecvTime priced_at{};
    RecvTime updated{};  // priced, or moved in place
    RecvTime oldest_mark{};
    double window_integral{0};  // of the index, at `window_from`
    ExchTime window_from{};
    std::uint16_t newest{none};
    std::uint32_t held{0};
    std::uint32_t unmarked{0};
    i128 future_coins_atto{0};  // dated futures with a price: sum of N/P and of linear amounts
    i128 future_slope_atto{0};  // sum of -N/P^2
    i128 future_usd_nano{0};    // inverse futures without a price of their own: sum of N
    Sums sums{};
    std::array<double, 3> minimum_variance{};
    double sticky_unit{0};    // 1 / reference
    double variance_unit{0};  // 1 / (reference sqrt(years)); 0: too near to expiry
    VolSources models{};      // as of the last pricing
    RecvTime surface_at{};
    std::uint32_t surface_stale{0};
  };
  // What one rung of the ladder says.
  struct Vol {
    double sigma{0};  // 0: nothing
    double slope{0};
    RecvTime at{};
    VolSource source{VolSource::none};
  };
  struct Holding {  // one per instrument
    Qty amount{};
    double sigma{0};  // of the rung in use; 0: no volatility yet
    double future_price{0};
    RecvTime received{};
    double venue_sigma{0};
    RecvTime venue_received{};
    Price venue_mark{};
    std::uint16_t bucket{none};
    std::uint16_t chunk{none};
    std::uint16_t row{0};
  };
  struct Coin {     // one per underlying
    double mid{0};  // perpetual
    bool lost{false};
    i128 perpetual_usd_nano{0};
    i128 perpetual_coins_nano{0};
    double index{0};
    double index_integral{0};  // price * seconds since the first index
    ExchTime index_time{};
    bool anchored{true};  // no bucket's forward waits for a mid
    // Both reserved at construction. A tick and the risk look at what is held, in the order of
    // listing, so that neither grows with the listed expiries nor sums in another order.
    std::vector<std::uint16_t> buckets{};
    std::vector<std::uint16_t> filled{};
  };

  // The last answer to risk(), for as long as nothing has changed.
  struct Answer {
    RiskNumbers risk{};
    std::uint64_t version{0};
  };

  Holding* open(InstrumentId id) noexcept;
  [[nodiscard]] RiskNumbers sum_of(const Coin& c) const noexcept;
  void note_filled(std::size_t bucket) noexcept;
  void change_option(InstrumentId id, Holding& h, Qty amount) noexcept;
  void change_future(const Instrument& i, Holding& h, Qty amount, double price) noexcept;
  void change_perpetual(const Instrument& i, Holding& h, Qty amount) noexcept;
  void change(InstrumentId id, Holding& h, Qty amount) noexcept;
  [[nodiscard]] bool laddered() const noexcept {
    return !surface_.empty() || config_.flat_volatility > 0;
  }
  [[nodiscard]] Vol pick(InstrumentId id) const noexcept;
  void set_volatility(Holding& h, const Vol& vol) noexcept;
  void put_row(Bucket& b, Holding& h, const Vol& vol) noexcept;
  void pick_rows(Bucket& b) noexcept;
  void insert_row(InstrumentId id, Holding& h, Bucket& b) noexcept;
  void remove_row(Holding& h, Bucket& b) noexcept;
  void price_row(const Bucket& b, Chunk& c, std::size_t row) noexcept;
  void add_row(Bucket& b, const Chunk& c, std::size_t row, double weight, double size) noexcept;
  void add_chunk(Bucket& b, const Chunk& c) noexcept;
  void add_smile(Bucket& b, const Chunk& c) noexcept;
  static void set_smile_units(Bucket& b) noexcept;
  [[nodiscard]] static double sticky_share(const Bucket& b, const Chunk& c,
                                           std::size_t row) noexcept;
  [[nodiscard]] static double variance_share(const Bucket& b, const Chunk& c,
                                             std::size_t row) noexcept;
  static void add_smile_risk(const Bucket& b, RiskNumbers& out) noexcept;
  void on_forward(Bucket& b) noexcept;
  void reprice(Bucket& b) noexcept;
  void activate(std::size_t bucket) noexcept;
  void deactivate(std::size_t bucket) noexcept;
  [[nodiscard]] RecvTime due(const Bucket& b) const noexcept;
  [[nodiscard]] Point point(const Bucket& b, double forward) const noexcept;
  [[nodiscard]] double window_average(const Bucket& b, double otherwise) const noexcept;
  [[nodiscard]] double forward_of(const Bucket& b) const noexcept;
  [[nodiscard]] double delta_error(const Bucket& b, double seen) const noexcept;
  void add_options_risk(const Bucket& b, RiskNumbers& out) const noexcept;
  void add_futures_risk(const Bucket& b, RiskNumbers& out) const noexcept;
  void add_perpetual_risk(const Coin& c, RiskNumbers& out) const noexcept;

  const InstrumentTable& table_;
  PortfolioConfig config_;
  PricingKernels kernels_;
  RecvTime now_{};
  ExchTime venue_now_{};
  RecvTime check_at_{};  // no bucket is due before
  std::vector<Holding> holdings_;
  std::vector<Vol> surface_;     // one per instrument; empty without a surface
  std::vector<Bucket> buckets_;  // 2 * expiry + (linear ? 1 : 0)
  std::vector<Coin> coins_;
  std::vector<Chunk> chunks_;
  std::vector<std::uint16_t> free_chunks_;
  std::vector<std::uint16_t> active_;  // buckets that hold options
  std::uint64_t version_{1};           // one more with every call that may change an answer
  mutable std::array<Answer, underlyings_max> answers_{};
  PortfolioWork work_{};
};

}  // namespace gimbal
