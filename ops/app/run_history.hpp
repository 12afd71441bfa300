// What happened in a run, gathered while its journal is stepped: samples of prices, delta and P&L,
// orders with their gaps, latencies, stops and limits. For `gimbal report`. Room: ops/app. Cold;
// analytics in double.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/core/execution_gap.hpp"
#include "engine/runtime/histogram.hpp"
#include "ops/app/core_replay.hpp"
#include "ops/app/gate_numbers.hpp"
#include "ops/app/profit_explain.hpp"

namespace gimbal {

// One look at an underlying. Money is in the unit of its account: coins, or the quote currency.
struct HistorySample {
  double t{0};  // seconds since the first event
  double mid{0};
  double residual{0}, band{0};  // coins; band is the half width
  double pnl{0};                // change of the account's equity; NAN before its first report
  // Explanation, summed from the start of the run.
  double options{0}, gamma{0}, theta{0}, hedge{0}, fees{0}, execution{0};
  [[nodiscard]] double explained() const {
    return options + gamma + theta + hedge + fees + execution;
  }
};

struct UnderlyingHistory {
  UnderlyingId id{};
  std::string name;
  std::string unit;  // of the money
  bool inverse{true};
  InstrumentId hedge{};
  std::vector<HistorySample> samples;
  double inside_s{0}, outside_s{0};  // time of the residual against the band while armed
};

struct OrderHistory {
  double t{0};
  OrderId id{};
  InstrumentId instrument{};
  Side side{Side::buy};
  Price limit{};
  Qty amount{};
  Price decision{};
  OrderState state{OrderState::pending_new};
  Qty filled{};
};

struct HistoryMark {  // something to know about a moment
  double t{0};
  std::string text;
  bool bad{false};
};

class RunHistory {
 public:
  // Watches `core` until its end.
  RunHistory(const JournalOrigin& origin, CoreReplay& core);

  // After the last step.
  void finish();

  ProfitExplain profit;
  std::vector<UnderlyingHistory> underlyings;
  std::vector<OrderHistory> orders;
  std::vector<FillGap> fills;
  std::vector<double> fill_times;
  std::vector<HistoryMark> marks;
  std::vector<LimitUse> limits;  // the largest use of each, over all orders that were judged
  std::map<std::string, std::uint64_t> refusals;
  Histogram waited;         // received until stepped, market data
  Histogram tick_to_order;  // the deciding event received until the order's bytes left
  Histogram order_to_ack;   // bytes left until the venue's first answer
  double seconds{0};
  bool thinned_orders{false};

 private:
  static constexpr std::size_t samples_max = 4000;
  static constexpr std::size_t orders_max = 20000;
  struct Sent {
    RecvTime decided{};
    RecvTime sent{};
    std::size_t order{0};  // its place in orders
  };
  struct Before {  // of the last sample, for the explanation
    bool known{false};
    double t{0}, mid{0}, options_delta{0}, delta_one{0}, gamma{0}, theta{0};
  };

  void step(const Event& event, const Commands& commands);
  void command(const Event& event, const Command& c);
  void order_event(const Event& event);
  void operator_event(const Event& event);
  void sample(double t);
  void look(UnderlyingHistory& u, Before& before, double t);
  void thin();
  void take_fills();
  void note_state(OrderId id);
  void judge();
  [[nodiscard]] double time_of(RecvTime at) const {
    return static_cast<double>(at.mono_ns - begin_.mono_ns) * 1e-9;
  }

  const JournalOrigin& origin_;
  CoreReplay& core_;
  bool started_{false};
  RecvTime begin_{};
  RecvTime now_{};
  double interval_{0.05};
  double next_sample_{0};
  std::vector<Before> before_;
  std::vector<double> first_equity_;
  std::map<std::uint64_t, Sent> sent_;
  std::uint64_t fills_seen_{0};
  std::array<std::uint64_t, 2> marks_seen_{};
  OrderId judged_{};
  Mode mode_{Mode::halt};
  PartsBuffer<OperatorCommand> operator_;
};

}  // namespace gimbal
