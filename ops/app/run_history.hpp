// What happened in a run, gathered while its journal is stepped: samples of prices, delta and P&L,
// orders with their gaps, latencies, stops and limits; of all of it, or of one trading day.
// For `gimbal report`. Room: ops/app. Cold; analytics in double.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ops/app/core_replay.hpp"
#include "ops/app/profit_explain.hpp"
#include "ops/app/run_picture.hpp"
#include "ops/app/trading_day.hpp"

namespace gimbal {

// Where a run's events are in the day: by the venue's clock, until that is known by this host's.
struct DayView {
  TradingDay day{};
  std::int64_t unix_minus_mono{0};  // of the host, from the journal's header
};

class RunHistory {
 public:
  // Watches `core` until its end. `day`: null, the whole run, times since its first event; else
  // what is in that day, times since its midnight.
  RunHistory(const JournalOrigin& origin, CoreReplay& core, const DayView* day = nullptr);

  // Nothing that comes can be of the day, marks of its fills included.
  [[nodiscard]] bool past() const noexcept { return past_; }
  // After the last step. Without boots where nothing was of the day.
  [[nodiscard]] RunPicture finish();

 private:
  static constexpr std::size_t samples_max = 4000;
  enum class Place : std::uint8_t { before, inside, behind };
  struct Sent {
    RecvTime decided{};
    RecvTime sent{};
  };
  struct Before {  // of the last sample, for the explanation
    bool known{false};
    double t{0}, mid{0}, options_delta{0}, delta_one{0}, gamma{0}, theta{0};
  };
  struct Counts {  // of the core, from its start
    std::uint64_t placed{0};
    std::array<std::uint64_t, refusals> refused{};
  };

  void step(const Event& event, const Commands& commands);
  void look_at_clock();
  void resume_samples();
  void enter();
  void leave(RecvTime at);
  void command(const Event& event, const Command& c);
  void order_event(const Event& event);
  void operator_event(const Event& event);
  void sample(double t);
  void look(UnderlyingHistory& u, Before& before, double t);
  void thin();
  void take_fills();
  void take_marks();
  void judge();
  void sum_gaps();
  void take_profit();
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] const EngineCore& engine() const { return core_.engine().core(); }
  [[nodiscard]] std::string name_of_instrument(InstrumentId id) const;
  [[nodiscard]] double time_of(RecvTime at) const {
    return static_cast<double>(at.mono_ns - zero_mono_) * 1e-9;
  }

  const JournalOrigin& origin_;
  CoreReplay& core_;
  const DayView* day_;
  ProfitExplain profit_;
  RunPicture out_;
  std::vector<std::string> listed_;  // names of what was listed while running
  Place place_{Place::before};
  bool past_{false};
  std::int64_t zero_mono_{0};  // of the page's clock
  RecvTime now_{};
  RecvTime began_{}, ended_{};  // of what is shown
  std::uint64_t events_{0};
  double interval_{0.05};
  double next_sample_{0};
  std::vector<Before> before_;
  std::map<std::uint64_t, Sent> sent_;
  std::uint64_t first_fill_{0};
  std::uint64_t fills_seen_{0};
  std::array<std::uint64_t, 2> marks_seen_{};
  OrderId judged_{};
  Mode mode_{Mode::halt};
  Counts at_entry_{}, at_leave_{};
  PartsBuffer<OperatorCommand> operator_;
};

}  // namespace gimbal
