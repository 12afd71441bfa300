#include "ops/guardian/watched_bot.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "ops/app/scope_names.hpp"

namespace gimbal::guardian {
namespace {

std::uint64_t file_number(const std::string& path) noexcept {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

}  // namespace

void ProcessHandle::open(pid_t pid) noexcept {
  close();
  pid_ = pid;
  if (pid <= 0) return;
  fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  gone_ = fd_ < 0 && errno == ESRCH;
}

void ProcessHandle::close() noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  pid_ = 0;
  gone_ = false;
}

bool ProcessHandle::exited() const noexcept {
  if (gone_) return true;
  if (fd_ < 0) return pid_ > 0 && ::kill(pid_, 0) != 0 && errno == ESRCH;
  pollfd ready{fd_, POLLIN, 0};
  return ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN) != 0;
}

void WatchedBot::map() {
  const std::string gate = runtime_dir_ + "/" + std::string{gate_page_file};
  const std::string stop = runtime_dir_ + "/" + std::string{stop_page_file};
  auto fresh = std::make_unique<Pages>();
  fresh->gate_file = file_number(gate);
  fresh->stop_file = file_number(stop);
  if (fresh->gate_file == 0 || fresh->stop_file == 0) {
    trouble_ = "no bot has run in " + runtime_dir_;
    return;
  }
  if (Outcome o = fresh->gate.open(gate, true); !o) {
    trouble_ = o.error();
    return;
  }
  if (Outcome o = fresh->stop.open(stop, true); !o) {
    trouble_ = o.error();
    return;
  }
  trouble_.clear();
  pages_ = std::move(fresh);
}

bool WatchedBot::dead() const noexcept {
  if (process_.exited()) return true;
  if (pages_ == nullptr) return false;
  const GateLayout& page = pages_->gate.layout();
  return page.header.epoch.load(std::memory_order_acquire) == epoch_ && owner_died(page.life);
}

bool WatchedBot::refresh(RecvTime now) {
  if (now >= look_due_) {
    look_due_ = now + look_interval;
    const bool same =
        pages_ != nullptr &&
        pages_->gate_file == file_number(runtime_dir_ + "/" + std::string{gate_page_file}) &&
        pages_->stop_file == file_number(runtime_dir_ + "/" + std::string{stop_page_file});
    // A page that was deleted under a bot that lives is still its page: it is let go with the bot.
    if (!same && (pages_ == nullptr || pid_ == 0 || process_.exited())) {
      const Pages* before = pages_.get();
      map();
      if (pages_.get() != before) epoch_ = pid_ = 0;
    }
  }
  if (pages_ == nullptr) return false;
  const GateLayout& page = pages_->gate.layout();
  const std::uint32_t epoch = page.header.epoch.load(std::memory_order_acquire);
  const std::uint32_t pid = page.bot.pid.load(std::memory_order_acquire);
  if (epoch == epoch_ && pid == pid_) return false;
  epoch_ = epoch;
  pid_ = pid;
  process_.open(static_cast<pid_t>(pid));
  return true;
}

}  // namespace gimbal::guardian
