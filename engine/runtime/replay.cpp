#include "engine/runtime/replay.hpp"

namespace gimbal {

ReplayRun::ReplayRun(JournalReader& journal, const ReplayTarget& target,
                     const ReplayOptions& options)
    : journal_{journal}, target_{target}, options_{options} {}

bool ReplayRun::next() {
  if (over_) return false;
  result_.journal = journal_.next(record_);
  if (result_.journal == JournalStatus::record && take(record_)) return true;
  over_ = true;
  return false;
}

std::string ReplayRun::check_rest() {
  over_ = true;
  JournalStatus status = JournalStatus::record;
  while (status == JournalStatus::record) status = journal_.next(record_);
  return status == JournalStatus::corrupt ? journal_.place_of_error() : std::string{};
}

ReplayResult ReplayRun::result() const {
  ReplayResult out = result_;
  if (out.journal == JournalStatus::corrupt) out.verdict = ReplayVerdict::damaged;
  if (out.journal == JournalStatus::corrupt || out.journal == JournalStatus::torn) {
    out.error = journal_.place_of_error();
  }
  out.digest = digest_.value();
  out.commands = digest_.count();
  if (out.verdict != ReplayVerdict::different) out.first_difference_after = 0;
  return out;
}

bool ReplayRun::take(const JournalRecord& record) {
  switch (record.type) {
    case RecordType::event: return on_event(record);
    case RecordType::side_block:
      ++result_.side_blocks;
      if (target_.side_block) target_.side_block(record.block, record.bytes);
      return true;
    case RecordType::digest: return on_digest(record.digest);
    case RecordType::gap: return on_gap(record.gap);
    case RecordType::end:
    case RecordType::seal:
    case RecordType::frame:
    case RecordType::none: return true;
  }
  return true;
}

bool ReplayRun::on_gap(const GapRecord& gap) {
  result_.verdict = ReplayVerdict::damaged;
  result_.error = std::to_string(gap.records) + " records are missing from sequence " +
                  std::to_string(gap.first_seq) + " on: they were never journalled";
  return false;
}

bool ReplayRun::on_event(const JournalRecord& record) {
  if (record.event.seq().value > options_.last_seq) return false;
  if (record.event.kind() == EventKind::boot) {
    result_.boot = record.event.as<Boot>();
    if (target_.boot) target_.boot(result_.boot);
  }
  ++result_.events;
  if (!record.more) ++result_.units;
  commands_.clear();
  if (target_.step) target_.step(record.event, commands_);
  for (const Command& c : commands_) digest_.add(c);
  if (target_.stepped) target_.stepped(record.event, commands_);
  return true;
}

bool ReplayRun::on_digest(const DigestRecord& expected) {
  ++result_.digests_compared;
  if (expected.digest == digest_.value() && expected.commands == digest_.count()) {
    if (result_.verdict == ReplayVerdict::unchecked) result_.verdict = ReplayVerdict::same;
    if (result_.verdict == ReplayVerdict::same) result_.first_difference_after = expected.seq;
    return true;
  }
  if (result_.verdict != ReplayVerdict::different) {
    result_.verdict = ReplayVerdict::different;
    result_.first_difference_at = expected.seq;
    result_.expected_digest = expected.digest;
    result_.found_digest = digest_.value();
  }
  return !options_.stop_at_difference;
}

ReplayResult replay(JournalReader& journal, const ReplayTarget& target,
                    const ReplayOptions& options) {
  ReplayRun run{journal, target, options};
  while (run.next()) {}
  return run.result();
}

}  // namespace gimbal
