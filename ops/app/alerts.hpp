// The book of alerts: what tripped, who owns it, with which evidence, and whether somebody has
// looked. Rows M-01 and M-02. Room: ops/app. Cold thread only; no clock of its own.
//
// Every alert is one line of `alerts.jsonl` in state_dir before it counts as recorded; lines that
// belong to a critical alert are made durable (one fdatasync a commit). Alerts that nobody has
// acknowledged are shown again after a restart. A repeat (same code, same scope, not acknowledged)
// raises the count of the alert that is there. A critical alert that stays unacknowledged for
// `pause_after` wants PAUSE(global) until it is acknowledged; the caller sends it to the core.
//
// Record, one JSON object a line: "t" is raise, repeat, ack, pause or resume; times are
// nanoseconds since 1970 UTC; the last member "crc" is CRC-32C of the bytes before it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/core/time.hpp"
#include "engine/core/trip.hpp"
#include "engine/runtime/outcome.hpp"
#include "ops/app/line_record.hpp"
#include "ops/app/monitor_config.hpp"

namespace gimbal {

// What happened. `limit`, `actual` and `evidence` are in the unit of the row.
struct AlertFacts {
  std::string code;   // "price_drift"
  std::string row;    // "P-02"
  std::string owner;  // who must act: "risk" "desk" "ops"
  Severity severity{Severity::warning};
  bool latched{false};
  std::string mode{"active"};  // resulting mode of the scope; "active": nothing but the alert
  std::string scope{"global"};
  std::string text;  // one sentence for people; may be empty
  std::int64_t limit{0};
  std::int64_t actual{0};
  std::int64_t evidence{0};
  std::uint64_t seq{0};  // journal sequence number of the event that tripped; 0: none
  RecvTime at{};         // when it happened
};

struct Alert {
  std::uint64_t id{0};
  AlertFacts facts;  // of the first time; the numbers of the last
  ExchTime first{};  // wall clock
  ExchTime last{};
  RecvTime since{};  // monotonic, of this process: the escalation counts from here
  std::uint64_t count{1};
  bool acknowledged{false};
  std::string acknowledged_by;
  bool from_before{false};   // read back from the record at start
  RecvTime announced{};      // when it was last said; zero: never
  bool repeat_waits{false};  // a repeat's line is still to be written
  RecvTime repeat_at{};      // the event of the oldest of those
  RecvTime repeat_put{};     // when a repeat's line was last written
};

struct AlertCounters {
  std::uint64_t raised{0};   // new alerts
  std::uint64_t repeats{0};  // coalesced into one that was there
  std::uint64_t acknowledged{0};
  std::uint64_t pauses{0};
  std::uint64_t damaged_lines{0};   // of the record, skipped at start
  std::uint64_t write_failures{0};  // commits that the disk refused; tried again
  std::uint64_t lost_lines{0};      // not kept: the disk refused for too long
  std::uint64_t records{0};         // lines given to the record
  std::int64_t slowest_ns{0};       // longest time from event to record
};

class AlertBook {
 public:
  static constexpr std::size_t open_max = 1000;                // further ones are coalesced by code
  static constexpr std::size_t recent_max = 100;               // acknowledged ones still shown
  static constexpr std::uint64_t record_bytes_max = 8u << 20;  // then a new file is begun

  explicit AlertBook(AlertConfig config = {}) : config_{config} {}
  AlertBook(const AlertBook&) = delete;
  AlertBook& operator=(const AlertBook&) = delete;

  // Reads the record back and opens it for appending (mode 0600). Damaged lines are skipped and
  // counted. An error: the file cannot be opened.
  Outcome open(const std::string& path, RecvTime now);

  // Gives the alert's id. Recorded at the next commit().
  std::uint64_t raise(const AlertFacts& facts, RecvTime now, ExchTime wall);
  enum class Ack : std::uint8_t { done, already, unknown };
  Ack ack(std::uint64_t id, const std::string& who, const std::string& remark, ExchTime wall);

  // Writes what was raised since, then syncs when a critical line is among it. False when the
  // disk refuses: everything is kept and tried again.
  bool commit(RecvTime now);
  // The next commit writes the counts of all repeats, however young.
  void flush() noexcept;

  // Whether growth must be paused everywhere, and since when that holds.
  [[nodiscard]] bool wants_pause(RecvTime now) const noexcept;
  // Records that the core was told.
  void note_pause(bool paused, ExchTime wall);
  // Critical alerts that are due to be said (again); each is due once per `announce_every`.
  [[nodiscard]] std::vector<std::uint64_t> due_announcements(RecvTime now);

  [[nodiscard]] const Alert* find(std::uint64_t id) const noexcept;
  [[nodiscard]] const std::vector<Alert>& open_alerts() const noexcept { return open_; }
  [[nodiscard]] const std::deque<Alert>& acknowledged() const noexcept { return recent_; }
  [[nodiscard]] std::size_t unacknowledged(Severity severity) const noexcept;
  [[nodiscard]] const AlertCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] const AlertConfig& config() const noexcept { return config_; }

 private:
  using Key = std::pair<std::string, std::string>;  // code, scope

  void read_line(std::string_view line, RecvTime now);
  void add(Alert alert);
  std::uint64_t key_of(const AlertFacts& facts) const;
  std::uint64_t repeat(Alert& alert, const AlertFacts& facts, ExchTime wall);
  void put(std::string object, bool durable);
  void put_raise(const Alert& alert);
  void put_repeats(RecvTime now);
  void close(std::size_t index, const std::string& who);
  void roll_over();
  [[nodiscard]] Alert* open_alert(std::uint64_t id) noexcept;

  AlertConfig config_;
  LineRecord record_;
  std::vector<Alert> open_;
  std::map<Key, std::uint64_t> keys_;  // of open alerts: the id
  std::deque<Alert> recent_;
  std::vector<RecvTime> waiting_;  // of events whose lines wait for the commit
  std::uint64_t next_id_{1};
  AlertCounters counters_;
  std::string error_;
};

}  // namespace gimbal
