#include "ops/app/health.hpp"

#include <algorithm>

namespace gimbal {
namespace {

std::string ms(Nanos n) { return std::to_string(n.count / 1'000'000) + " ms"; }

void add(HealthStatus& out, std::string check, bool ok, std::string cause) {
  out.ok = out.ok && ok;
  out.checks.push_back(HealthLine{std::move(check), ok, std::move(cause)});
}

}  // namespace

// How long `value` has not changed.
Nanos HealthWatch::still(const std::string& name, std::uint64_t value, RecvTime now) {
  Progress& p = progress_[name];
  if (!p.known || p.value != value) {
    p.seen = p.known;
    p.known = true;
    p.value = value;
    p.changed = now;
  }
  return now - p.changed;
}

HealthStatus HealthWatch::judge(const HealthFacts& facts) {
  HealthStatus out;
  out.ok = true;
  judge_threads(facts, out);
  judge_data(facts, out);
  judge_sessions(facts, out);
  judge_guardian(facts, out);
  judge_journal(facts, out);
  const std::string& error = facts.alert_record_error;
  add(out, "alert record", error.empty(), error.empty() ? "written" : error);
  return out;
}

void HealthWatch::judge_threads(const HealthFacts& facts, HealthStatus& out) {
  thread_names_.clear();
  for (const ThreadFacts& t : facts.threads) {
    thread_names_.push_back(t.name);
    const Nanos age = still("thread " + t.name, t.beats, facts.now);
    const Nanos limit = t.hot ? config_.hot_stall_max : config_.cold_stall_max;
    const bool ok = t.beats > 0 && age <= limit;
    add(out, "thread " + t.name, ok,
        t.beats == 0 ? "has not begun its loop"
        : ok         ? "cycles"
                     : "no cycle for " + ms(age) + ", limit " + ms(limit));
  }
  if (facts.threads.empty()) add(out, "threads", false, "none is running");
  const Nanos age = still("core", facts.pictures, facts.now);
  const bool ok = facts.pictures > 0 && age <= config_.hot_stall_max;
  add(out, "core", ok,
      facts.pictures == 0 ? "has not shown a picture yet"
      : ok                ? "answers"
                          : "no new picture for " + ms(age));
}

void HealthWatch::judge_data(const HealthFacts& facts, HealthStatus& out) const {
  for (const DataFacts& d : facts.data) {
    const bool ok = d.valid && d.age.count >= 0 && d.age <= config_.data_age_max;
    add(out, "data " + d.instrument, ok,
        d.age.count < 0 ? "none yet"
        : !d.valid      ? "the book is not valid"
        : ok            ? ms(d.age) + " old"
                        : ms(d.age) + " old, limit " + ms(config_.data_age_max));
  }
  if (facts.data.empty()) add(out, "data", false, "no hedge instrument is known");
}

void HealthWatch::judge_sessions(const HealthFacts& facts, HealthStatus& out) const {
  for (const SessionFacts& s : facts.sessions) {
    add(out, "session " + s.account, s.ready && s.reconciled,
        !s.ready        ? "the order session is not ready"
        : !s.reconciled ? "no clean reconciliation since the last connection"
                        : "ready and reconciled");
    const bool armed = s.dead_man || !s.dead_man_required;
    add(out, "dead man " + s.account, armed,
        s.dead_man ? "armed at the venue"
        : armed    ? "waived by [engine] require_cancel_on_disconnect = false"
                   : "cancel-on-disconnect is not proven on at the venue");
  }
  if (facts.sessions.empty()) add(out, "session", false, "there is none");
}

void HealthWatch::judge_guardian(const HealthFacts& facts, HealthStatus& out) const {
  const bool waived = facts.guardian_waived && !facts.guardian_live;
  add(out, "guardian", facts.guardian_live || waived,
      waived ? "waived by [runtime] guardian_required = false" : facts.guardian);
}

void HealthWatch::judge_journal(const HealthFacts& facts, HealthStatus& out) {
  const JournalStatusLine& j = facts.journal;
  const Nanos unwritten = still("journal written", j.written, facts.now);
  const Nanos unsynced = still("journal durable", j.durable, facts.now);
  const bool behind = j.written < facts.journal_given && unwritten > config_.journal_lag_max;
  const bool loose = j.durable < j.written && unsynced > config_.journal_lag_max;
  const bool ok = !j.failed && j.lost == 0 && !behind && !loose;
  add(out, "journal", ok,
      j.failed     ? "the writer has failed"
      : j.lost > 0 ? std::to_string(j.lost) + " records were lost"
      : behind     ? "nothing written for " + ms(unwritten) + ", events wait"
      : loose      ? "nothing synced for " + ms(unsynced) + ", records wait"
                   : "written and synced");
}

std::vector<ThreadStatusLine> HealthWatch::threads(RecvTime now) const {
  std::vector<ThreadStatusLine> out;
  for (const std::string& name : thread_names_) {
    const auto at = progress_.find("thread " + name);
    if (at == progress_.end()) continue;
    const Progress& p = at->second;
    out.push_back(ThreadStatusLine{name, p.value, p.seen ? (now - p.changed).count : -1});
  }
  return out;
}

}  // namespace gimbal
