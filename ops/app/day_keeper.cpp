#include "ops/app/day_keeper.hpp"

#include <unistd.h>

#include <chrono>
#include <thread>
#include <utility>

#include "engine/runtime/latch.hpp"

namespace gimbal {
namespace {

constexpr std::chrono::milliseconds write_wait{50};

}  // namespace

DayKeeper::DayKeeper(std::string path, std::string account)
    : path_{std::move(path)}, account_{std::move(account)}, found_{load_day(path_)} {
  if (found_.kind == DayFileKind::sound && found_.record.account != account_) {
    found_ = {DayFileKind::unusable,
              {},
              path_ + ": it is of the account " + found_.record.account + ", not of " + account_};
  }
  if (found_.kind == DayFileKind::unusable) {
    refused_ = found_.error +
               "; what the day has lost is not known. Look at the account, then "
               "remove the file: the day counts from zero from there on";
  }
}

// Called with the lock held.
bool DayKeeper::refused() const { return !refused_.empty() && ::access(path_.c_str(), F_OK) == 0; }

void DayKeeper::offer(DayRecord record, RecvTime now) {
  record.account = account_;
  std::string bytes = encode_day(record);
  const std::lock_guard lock{mutex_};
  if (bytes == written_ && error_.empty() && ::access(path_.c_str(), F_OK) == 0) {
    kept_at_ = now.mono_ns;
    return;
  }
  pending_ = std::move(bytes);
  pending_at_ = now;
}

Outcome DayKeeper::write_pending() {
  std::string bytes;
  RecvTime at{};
  {
    const std::lock_guard lock{mutex_};
    if (pending_.empty() || refused()) return {};
    refused_.clear();
    bytes.swap(pending_);
    at = pending_at_;
  }
  Outcome stored = replace_file(path_, bytes);
  const std::lock_guard lock{mutex_};
  error_ = stored ? std::string{} : stored.error();
  if (stored) {
    written_ = std::move(bytes);
    kept_at_ = at.mono_ns;
  }
  return stored;
}

void DayKeeper::run(const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_acquire)) {
    (void)write_pending();
    std::this_thread::sleep_for(write_wait);
  }
}

Outcome DayKeeper::finish() { return write_pending(); }

std::string DayKeeper::trouble() {
  const std::lock_guard lock{mutex_};
  if (refused()) return refused_;
  return error_.empty() ? std::string{} : "the day's figures cannot be kept: " + error_;
}

}  // namespace gimbal
