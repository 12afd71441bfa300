// A program one of whose system calls is refused its n-th time, in each of its threads. The kernel
// asks this process about each of them (seccomp's user notification): no tracer, no privilege, and
// the other calls cost nothing.
#pragma once

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/io/process.hpp"

namespace gimbal::test {

struct RefusedCall {
  int number{0};  // of the system call
  int error{0};   // errno; 0: the call gives 0, which is how brk() refuses
  int nth{0};     // from 1; 0: none is refused, they are counted
};

struct RefusedRun {
  Finished ended{};
  bool permitted{true};  // false: this kernel does not let us
  bool fired{false};
  bool loading{false};          // it fired in the loader of the program's libraries
  std::map<int, int> counts{};  // of a call, in the thread that makes most of them
};

class RefusedProgram {
 public:
  RefusedProgram(const std::vector<std::string>& arguments, const std::string& directory,
                 const std::vector<int>& watched)
      : out_{directory + "/program.out"}, err_{directory + "/program.err"} {
    std::vector<char*> argv;
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    std::vector<sock_filter> filter = filter_of(watched);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) become(argv, filter, ends[1]);
    ::close(ends[1]);
    listener_ = take_listener(ends[0]);
    ::close(ends[0]);
  }
  RefusedProgram(const RefusedProgram&) = delete;
  RefusedProgram& operator=(const RefusedProgram&) = delete;
  ~RefusedProgram() {
    if (listener_ >= 0) ::close(listener_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  // To its end, at most `limit`.
  RefusedRun run(const RefusedCall& refused, Patience limit) {
    RefusedRun result;
    result.permitted = listener_ >= 0;
    std::map<std::pair<pid_t, int>, int> made;
    const auto deadline = std::chrono::steady_clock::now() + limit;
    while (result.permitted && std::chrono::steady_clock::now() < deadline) {
      pollfd ready{listener_, POLLIN, 0};
      if (::poll(&ready, 1, 20) > 0 && (ready.revents & POLLIN) != 0) answer(refused, made, result);
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != pid_) continue;
      pid_ = -1;
      result.ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      break;
    }
    result.ended.out = read_text(out_);
    result.ended.err = read_text(err_);
    for (const auto& [who, count] : made) {
      result.counts[who.second] = std::max(result.counts[who.second], count);
    }
    return result;
  }

 private:
  static std::vector<sock_filter> filter_of(const std::vector<int>& watched) {
    std::vector<sock_filter> program;
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    const auto ask_about = [&program](int call) {
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
      program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
    };
    for (const int call : watched) ask_about(call);
    ask_about(SYS_set_tid_address);  // the loader's last step but one
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return program;
  }
  [[noreturn]] void become(std::vector<char*>& argv, std::vector<sock_filter>& filter,
                           int to) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const auto listener = static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                                     SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
    give(to, listener);
    if (listener < 0) ::_exit(126);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  // From here on the child makes no watched call but those of execv and what follows it.
  static void give(int to, int listener) {
    char byte = listener >= 0 ? 'l' : '-';
    iovec text{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    if (listener >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      head->cmsg_level = SOL_SOCKET;
      head->cmsg_type = SCM_RIGHTS;
      head->cmsg_len = CMSG_LEN(sizeof(int));
      std::memcpy(CMSG_DATA(head), &listener, sizeof listener);
    }
    (void)::sendmsg(to, &message, 0);
  }
  static int take_listener(int from) {
    char byte = 0;
    iovec text{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(from, &message, MSG_CMSG_CLOEXEC) != 1 || byte != 'l') return -1;
    int listener = -1;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (head != nullptr) std::memcpy(&listener, CMSG_DATA(head), sizeof listener);
    return listener;
  }
  void answer(const RefusedCall& refused, std::map<std::pair<pid_t, int>, int>& made,
              RefusedRun& result) {
    seccomp_notif asked{};
    if (::ioctl(listener_, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;
    const int call = asked.data.nr;
    if (call == SYS_set_tid_address) loaded_ = true;
    const int count = ++made[{static_cast<pid_t>(asked.pid), call}];
    seccomp_notif_resp reply{};
    reply.id = asked.id;
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if (refused.nth != 0 && call == refused.number && count == refused.nth) {
      reply.flags = 0;
      reply.error = -refused.error;
      result.fired = true;
      result.loading = !loaded_;
    }
    (void)::ioctl(listener_, SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }

  std::string out_;
  std::string err_;
  pid_t pid_{-1};
  int listener_{-1};
  bool loaded_{false};
};

}  // namespace gimbal::test
