// The bot's watch over itself on the cold thread: trips become alerts, alerts are recorded and
// escalated, health is judged, a scraper is answered. Room: ops/app (wiring). Cold thread only.
//
// Escalation (M-02) is level-triggered: as long as the book wants the pause and the core's picture
// does not show it, or the other way round, the command is sent again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/core/trip.hpp"
#include "ops/app/alerts.hpp"
#include "ops/app/control.hpp"
#include "ops/app/health.hpp"
#include "ops/app/hop_budget.hpp"
#include "ops/app/http_listener.hpp"

namespace gimbal {

class Bot;

inline constexpr std::size_t alerts_shown_max = 200;       // open ones, in a status report
inline constexpr std::size_t acknowledged_shown_max = 10;  // newest ones

class Monitor {
 public:
  explicit Monitor(Bot& bot);
  // Reads the alert record back, opens the metrics port. Empty text on success.
  [[nodiscard]] std::string open();
  // Once a cycle of the cold loop.
  void cycle(RecvTime now);
  // At the end: what still waits goes to the record.
  void finish();

  // A trip of the core, or of a source on the cold side (then seq and at may be zero). `text`
  // follows the row's own sentence.
  void raise(Trip trip, std::string_view text = {});
  // The operator's `ack`.
  [[nodiscard]] ControlAnswer ack(const OtherRequest& request);
  // Alerts, health, threads, journal and refusals of the status report.
  void fill(StatusReport& report);

  [[nodiscard]] const AlertBook& book() const noexcept { return book_; }
  [[nodiscard]] const HealthStatus& health() const noexcept { return health_; }
  [[nodiscard]] const HopBudgets& hops() const noexcept { return hops_; }

 private:
  [[nodiscard]] HealthFacts look(RecvTime now) const;
  void judge(RecvTime now);
  void compare(const HealthStatus& before);
  void watch_counters();
  void watch_lists();
  void watch_sessions();
  void watch_hops(RecvTime now);
  void announce(RecvTime now);
  void escalate(RecvTime now);
  void fill_alerts(StatusReport& report) const;
  [[nodiscard]] std::string line_of(const Alert& alert) const;
  [[nodiscard]] HttpAnswer answer(std::string_view path);

  Bot& bot_;
  AlertBook book_;
  HealthWatch watch_;
  HealthStatus health_;
  HopBudgets hops_;
  std::unique_ptr<HttpListener> http_;
  RecvTime judge_due_{};
  RecvTime escalate_due_{};
  bool paused_{false};  // what the core was last told
  std::uint64_t tls_refused_{0};
  std::uint64_t held_back_{0};
  std::uint64_t silences_{0};
  std::uint64_t lists_unread_{0};
  std::uint64_t control_refused_{0};
};

}  // namespace gimbal
