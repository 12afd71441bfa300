// Health: whether the bot is doing its work, judged from progress and not from being alive. Every
// check has one cause; the whole is ok only when all are. What cannot be seen is not ok.
// Room: ops/app. Cold; time is passed in.
//
// A hot thread must go through its loop, the core must answer with a picture, the data of every
// hedge instrument must be fresh, the order session ready and its dead-man proven armed, the
// guardian beating (unless waived), the journal written and synced, the alert record writable.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/time.hpp"
#include "ops/app/monitor_config.hpp"
#include "ops/app/monitor_status.hpp"

namespace gimbal {

struct ThreadFacts {
  std::string name;
  std::uint64_t beats{0};
  bool hot{true};
};
struct DataFacts {
  std::string instrument;
  bool valid{false};  // its book can be read
  Nanos age{-1};      // of its newest data; negative: none yet
};
struct SessionFacts {
  std::string account;
  bool ready{false};
  bool dead_man_required{true};
  bool dead_man{false};  // proven armed at the venue
  bool reconciled{false};
};
struct HealthFacts {
  RecvTime now{};
  std::vector<ThreadFacts> threads;
  std::uint64_t pictures{0};  // of the core, so far
  std::vector<DataFacts> data;
  std::vector<SessionFacts> sessions;
  bool guardian_waived{false};
  bool guardian_live{false};       // beats, watches this boot and can cancel
  std::string guardian;            // what it is seen to be: "silent for 0.7 s"
  std::uint64_t journal_given{0};  // sequence number that the core has stepped
  JournalStatusLine journal;
  std::string alert_record_error;
};

class HealthWatch {
 public:
  explicit HealthWatch(HealthConfig config = {}) : config_{config} {}

  // Compares with what earlier calls saw; call at least every tenth of the shortest limit.
  [[nodiscard]] HealthStatus judge(const HealthFacts& facts);
  [[nodiscard]] std::vector<ThreadStatusLine> threads(RecvTime now) const;

 private:
  struct Progress {
    std::uint64_t value{0};
    RecvTime changed{};
    bool seen{false};  // changed at least once since the first look
    bool known{false};
  };
  Nanos still(const std::string& name, std::uint64_t value, RecvTime now);
  void judge_threads(const HealthFacts& facts, HealthStatus& out);
  void judge_data(const HealthFacts& facts, HealthStatus& out) const;
  void judge_sessions(const HealthFacts& facts, HealthStatus& out) const;
  void judge_guardian(const HealthFacts& facts, HealthStatus& out) const;
  void judge_journal(const HealthFacts& facts, HealthStatus& out);

  HealthConfig config_;
  std::map<std::string, Progress> progress_;
  std::vector<std::string> thread_names_;
};

}  // namespace gimbal
