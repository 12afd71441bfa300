// What the monitors say in the status report: health, alerts, journal, refusals by reason.
// Room: ops/app. Cold. Conventions of status.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gimbal {

class JsonWriter;

// One thing that must be so for the bot to do its work.
struct HealthLine {
  std::string
      check;  // "thread gimbal-hot" "data BTC-PERPETUAL" "dead man" "guardian" "journal" ...
  bool ok{false};
  std::string cause;  // the one reason, when not ok; what was seen, when ok
};
struct HealthStatus {
  bool ok{false};  // every check is
  std::vector<HealthLine> checks;
};

// A thread of the bot and what it was seen to do.
struct ThreadStatusLine {
  std::string name;
  std::uint64_t beats{0};     // cycles so far
  std::int64_t still_ns{-1};  // since the last progress that was seen; -1: none seen yet
};

struct AlertStatus {
  std::uint64_t id{0};
  std::string severity;  // "info" "warning" "critical"
  std::string text;      // one line for people: code, scope, numbers
  std::int64_t age_ns{0};
  bool acknowledged{false};
  std::string code;   // "price_drift"
  std::string row;    // "P-02"
  std::string owner;  // "risk" "desk" "ops"
  std::string scope;
  std::string mode;  // resulting; "active": alert only
  bool latched{false};
  std::uint64_t count{1};
  std::int64_t limit{0};
  std::int64_t actual{0};
  std::int64_t evidence{0};
  std::uint64_t seq{0};
  std::string acknowledged_by;
};

// Of the alert book, since start.
struct AlertTotals {
  std::uint64_t raised{0};
  std::uint64_t repeats{0};
  std::uint64_t acknowledged{0};
  std::uint64_t pauses{0};
  std::uint64_t write_failures{0};
  std::int64_t slowest_ns{0};  // longest time from event to record
  bool paused{false};          // growth is paused for want of an acknowledgement
};

struct JournalStatusLine {
  std::uint64_t written{0};  // sequence number handed to the kernel
  std::uint64_t durable{0};  // and synced
  std::uint64_t backlog{0};  // records that wait for the writer
  std::uint64_t bytes{0};
  std::uint64_t lost{0};
  bool failed{false};
};

struct RefusalStatus {
  std::string reason;  // "price_collar"
  std::uint64_t count{0};
};

void put(JsonWriter& w, const AlertStatus& alert);
void put_health(JsonWriter& w, const HealthStatus& health);
void put_journal(JsonWriter& w, const JournalStatusLine& journal);
// {"ok":...,"checks":[...]} alone, as the health endpoint answers it.
[[nodiscard]] std::string health_json(const HealthStatus& health);

}  // namespace gimbal
