// Cold. Steps a journal again and compares the command digest with the digest records it carries.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/core/command.hpp"
#include "engine/core/event.hpp"
#include "engine/core/payload.hpp"
#include "engine/runtime/journal.hpp"

namespace gimbal {

// Keeps the journalled side blocks for a core that looks them up by slot and generation.
class ReplayBlocks {
 public:
  void add(const SideBlockRef& ref, std::span<const std::byte> bytes) {
    Block& block = blocks_[ref.slot];
    block.generation = ref.generation;
    block.bytes.assign(bytes.begin(), bytes.end());
  }
  // `store` is a ReplayBlocks; the signature of the core's SideBlocks::find.
  [[nodiscard]] static std::span<const std::byte> find(const void* store, std::uint16_t slot,
                                                       std::uint32_t generation) noexcept {
    const auto& blocks = static_cast<const ReplayBlocks*>(store)->blocks_;
    const auto at = blocks.find(slot);
    if (at == blocks.end() || at->second.generation != generation) return {};
    return at->second.bytes;
  }

 private:
  struct Block {
    std::uint32_t generation{0};
    std::vector<std::byte> bytes{};
  };
  std::map<std::uint16_t, Block> blocks_;
};

// What is driven. `step` fills `out` (cleared before every call); `side_block` hands over the block
// that the next event names; `stepped` sees the event with its commands, digested, and may take
// them; all may be empty.
struct ReplayTarget {
  std::function<void(const Event& event, Commands& out)> step{};
  std::function<void(const Event& event, Commands& out)> stepped{};
  std::function<void(const SideBlockRef& ref, std::span<const std::byte> bytes)> side_block{};
  std::function<void(const Boot& boot)> boot{};  // before the Boot event is stepped
};

enum class ReplayVerdict : std::uint8_t {
  same,       // every digest record matched
  unchecked,  // stepped to the end, but the journal carries no digest record
  different,  // see first_difference_*
  damaged,    // the journal is corrupt or has a gap: see error
};

struct ReplayResult {
  ReplayVerdict verdict{ReplayVerdict::unchecked};
  JournalStatus journal{JournalStatus::end};  // how the journal ended
  std::string error{};                        // of a damaged journal; a note for a torn one
  Boot boot{};
  std::uint64_t events{0};  // records
  std::uint64_t units{0};
  std::uint64_t side_blocks{0};
  std::uint64_t commands{0};
  std::uint64_t digest{0};
  std::uint64_t digests_compared{0};
  // The first interval whose digest differs: it matched after `_after` and differed after `_at`.
  std::uint64_t first_difference_after{0};
  std::uint64_t first_difference_at{0};
  std::uint64_t expected_digest{0};
  std::uint64_t found_digest{0};
};

struct ReplayOptions {
  bool stop_at_difference{true};
  std::uint64_t last_seq{UINT64_MAX};  // stop after this sequence number
};

// One replay, record by record.
class ReplayRun {
 public:
  // Everything given must outlive the run.
  ReplayRun(JournalReader& journal, const ReplayTarget& target, const ReplayOptions& options = {});

  // Steps one record. False: the journal ended, is damaged or differs; it stays so.
  bool next();
  // How it went so far; after the last next() the verdict.
  [[nodiscard]] ReplayResult result() const;
  [[nodiscard]] bool over() const noexcept { return over_; }
  // Reads the rest without stepping it; what is damaged of it, empty: nothing. The last call.
  [[nodiscard]] std::string check_rest();

 private:
  bool take(const JournalRecord& record);
  bool on_event(const JournalRecord& record);
  bool on_digest(const DigestRecord& expected);
  bool on_gap(const GapRecord& gap);

  JournalReader& journal_;
  const ReplayTarget& target_;
  ReplayOptions options_;
  ReplayResult result_{};
  JournalRecord record_{};
  Commands commands_{};
  CommandDigest digest_{};
  bool over_{false};
};

[[nodiscard]] ReplayResult replay(JournalReader& journal, const ReplayTarget& target,
                                  const ReplayOptions& options = {});

}  // namespace gimbal
