#include "engine/runtime/replay.hpp"

namespace gimbal {
namespace {

// One replay's running state.
class Run {
 public:
  Run(const ReplayTarget& target, const ReplayOptions& options, ReplayResult& result)
      : target_{target}, options_{options}, result_{result} {}

  // False: stop here.
  bool take(const JournalRecord& record) {
    switch (record.type) {
      case RecordType::event: return on_event(record);
      case RecordType::side_block:
        ++result_.side_blocks;
        if (target_.side_block) target_.side_block(record.block, record.bytes);
        return true;
      case RecordType::digest: return on_digest(record.digest);
      case RecordType::gap:
        result_.verdict = ReplayVerdict::damaged;
        result_.error = std::to_string(record.gap.records) + " records are missing from sequence " +
                        std::to_string(record.gap.first_seq) + " on: they were never journalled";
        return false;
      case RecordType::end:
      case RecordType::seal:
      case RecordType::frame:
      case RecordType::none: return true;
    }
    return true;
  }
  [[nodiscard]] const CommandDigest& digest() const noexcept { return digest_; }

 private:
  bool on_event(const JournalRecord& record) {
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
    return true;
  }
  bool on_digest(const DigestRecord& expected) {
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

  const ReplayTarget& target_;
  const ReplayOptions& options_;
  ReplayResult& result_;
  Commands commands_{};
  CommandDigest digest_{};
};

}  // namespace

ReplayResult replay(JournalReader& journal, const ReplayTarget& target,
                    const ReplayOptions& options) {
  ReplayResult result;
  Run run{target, options, result};
  JournalRecord record;
  for (;;) {
    result.journal = journal.next(record);
    if (result.journal != JournalStatus::record) break;
    if (!run.take(record)) break;
  }
  if (result.journal == JournalStatus::corrupt) result.verdict = ReplayVerdict::damaged;
  if (result.journal == JournalStatus::corrupt || result.journal == JournalStatus::torn) {
    result.error = journal.error() + " (segment " + std::to_string(journal.error_segment()) +
                   ", offset " + std::to_string(journal.error_offset()) + ")";
  }
  result.digest = run.digest().value();
  result.commands = run.digest().count();
  if (result.verdict != ReplayVerdict::different) result.first_difference_after = 0;
  return result;
}

}  // namespace gimbal
