// Keeps the trading day's figures in STATE_DIR/day, so that a restart does not give the day's
// losses back. The cold cycle offers pictures, a thread of its own writes them: a slow disk holds
// nobody up.
//
// A file that cannot be used is never overwritten and nothing may be armed before somebody has
// removed it: that is the acknowledgement that the day counts from zero. Room: ops/app. Cold.
#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "engine/core/time.hpp"
#include "engine/runtime/day_file.hpp"
#include "engine/runtime/outcome.hpp"

namespace gimbal {

class DayKeeper {
 public:
  // Reads the file. Figures of another account than `account` are not usable.
  DayKeeper(std::string path, std::string account);

  [[nodiscard]] const DayFileContent& found() const noexcept { return found_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // The newest picture; written soon, unless it is what the file has.
  void offer(DayRecord record, RecvTime now);
  // Writes what was offered until `stop`.
  void run(const std::atomic<bool>& stop);
  // Writes the last picture now, with nobody in run().
  Outcome finish();

  // Why nothing may be armed; empty when the figures are kept.
  [[nodiscard]] std::string trouble();
  // When the file was last known to be what was offered; zero: not yet.
  [[nodiscard]] RecvTime kept_at() const noexcept { return {kept_at_.load()}; }

 private:
  [[nodiscard]] bool refused() const;  // the unusable file is still there
  Outcome write_pending();

  std::string path_;
  std::string account_;
  DayFileContent found_;
  std::atomic<std::int64_t> kept_at_{0};
  std::mutex mutex_;  // guards what follows
  std::string refused_;
  std::string pending_;  // bytes to write; empty: none
  RecvTime pending_at_{};
  std::string written_;
  std::string error_;
};

}  // namespace gimbal
