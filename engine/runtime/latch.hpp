// What survives a restart: the latch file (modes per scope, with reasons), the boot epoch counter
// and the instance lock. Cold: every write is a new file, fsynced, renamed over the old one, and
// the directory fsynced, so that a cut at any byte leaves the old or the new content, never a
// mixture.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/modes.hpp"
#include "engine/core/time.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

struct LatchEntry {
  Scope scope{};
  Mode mode{Mode::halt};
  std::uint32_t uid{0};
  std::uint64_t command_id{0};
  ExchTime when{};
  std::string reason{};  // at most latch_reason_max bytes are kept
  // What the scope is called ("BTC-PERPETUAL"): numbers belong to one run, names to all. At most
  // latch_name_max bytes. Empty: global, or not known.
  std::string name{};
};
inline constexpr std::size_t latch_reason_max = 200;
inline constexpr std::size_t latch_name_max = 64;
// Of a scope whose name has no number in this run: an instrument that is not listed now, an
// underlying or a strategy that is not configured.
inline constexpr std::uint16_t latch_id_unknown = 0xFFFF;
// The number that a name has in this run, latch_id_unknown when it has none.
using ScopeNumber = std::function<std::uint16_t(ScopeLevel, std::string_view)>;
inline constexpr std::size_t latch_entries_max = 20'000;

// What the file says. `trusted` is false when the file is missing or damaged: then the only entry
// is global HALT and its reason says why.
struct LatchState {
  std::vector<LatchEntry> entries{};
  bool trusted{false};
};

// Puts `entry` into the list, or raises the mode of its scope's entry, or names it when it had no
// name. True when the list changed. Two entries are of one scope when their names agree, or their
// numbers where a name is missing.
bool raise_entry(std::vector<LatchEntry>& entries, const LatchEntry& entry);

// Gives each named entry the number that its name has in this run. An entry without a name keeps
// its number, and so do a venue and an account whose name is gone. True when a number changed.
bool renumber(std::vector<LatchEntry>& entries, const ScopeNumber& number);

class LatchFile {
 public:
  explicit LatchFile(std::string path) : path_{std::move(path)} {}

  // Never fails: see LatchState::trusted. Bot and guardian may both write: tighten and release wait
  // for each other (a lock file beside it, 100 ms at most, so that a writer that hangs holds
  // nobody).
  [[nodiscard]] LatchState load() const;
  // Replaces the whole content, durably. An empty list means that nothing is latched.
  Outcome store(const std::vector<LatchEntry>& entries) const;
  // load, raise the scope's entry to the stricter mode, store. An untrusted file is first replaced
  // by its global HALT.
  Outcome tighten(const LatchEntry& entry) const;
  // Says who and why in the scope's entry when the same command wrote it. A kill reaches the stop
  // page before its words arrive; the entry is as strict before as after.
  Outcome attribute(const LatchEntry& entry) const;
  // Removes the entry of exactly this scope, by its number, and keeps all others. `held`: what else
  // holds as its owner knows it; raised into the file's entries, so that a file lost in between
  // loses nothing. Of an untrusted file the global HALT stays, unless the scope is global. Only for
  // a validated arm command.
  Outcome release(Scope scope, const std::vector<LatchEntry>& held = {}) const;
  // renumber() of what the file says, stored when something changed. At boot, and when an
  // instrument is listed.
  Outcome renumber(const ScopeNumber& number) const;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

// The bytes of a latch file, and back; parse gives an untrusted HALT state for anything but exactly
// what encode makes. Exposed for tests and fuzzing.
[[nodiscard]] std::string encode_latch(const std::vector<LatchEntry>& entries);
[[nodiscard]] LatchState parse_latch(const std::string& bytes);

// Whole content of a file of at most 8 MiB, which is no symbolic link; `missing` tells that there
// is none.
Outcome read_small_file(const std::string& path, std::string& out, bool& missing);

// Writes `bytes` to `path` through a temporary file in the same directory, fsync, rename and fsync
// of the directory. Mode 0600.
Outcome replace_file(const std::string& path, const std::string& bytes);

// Gives the next boot epoch (24 bits, at least `at_least`) and makes it durable before returning. A
// missing file starts at `at_least`; a damaged one is an error: a reused epoch would reuse order
// ids.
Outcome next_boot_epoch(const std::string& path, std::uint32_t at_least, std::uint32_t& epoch);

// One running bot per account: an exclusive flock, held until destruction.
class InstanceLock {
 public:
  InstanceLock() noexcept = default;
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;
  ~InstanceLock();
  // Refused when another process holds it; the error names its pid.
  Outcome acquire(const std::string& path);

 private:
  int fd_{-1};
};

}  // namespace gimbal
