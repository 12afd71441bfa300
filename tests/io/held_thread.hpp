// One thread of a running program held still by ptrace, the rest going on.
#pragma once

#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <string>

#include "tests/io/process.hpp"

namespace gimbal::test {

// One thread of another process, held still as long as this lives. The rest goes on.
class HeldThread {
 public:
  HeldThread(pid_t process, const std::string& name) : thread_{find(process, name)} {
    if (thread_ <= 0 || ::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) != 0) return;
    if (::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) != 0) return;
    int status = 0;
    held_ = ::waitpid(thread_, &status, __WALL) == thread_;
  }
  HeldThread(const HeldThread&) = delete;
  HeldThread& operator=(const HeldThread&) = delete;
  ~HeldThread() { release(); }
  void release() {
    if (held_) ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
    held_ = false;
  }
  [[nodiscard]] bool held() const { return held_; }

 private:
  static pid_t find(pid_t process, const std::string& name) {
    const std::string tasks = "/proc/" + std::to_string(process) + "/task";
    DIR* directory = ::opendir(tasks.c_str());
    pid_t found = 0;
    while (directory != nullptr) {
      const dirent* entry = ::readdir(directory);
      if (entry == nullptr) break;
      std::string comm = read_text(tasks + "/" + entry->d_name + "/comm");
      if (!comm.empty()) comm.pop_back();
      if (comm == name) found = static_cast<pid_t>(std::stol(entry->d_name));
    }
    if (directory != nullptr) ::closedir(directory);
    return found;
  }
  pid_t thread_;
  bool held_{false};
};

}  // namespace gimbal::test
