// One bot an account on this host, and what the system says in place of an answer.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>

#include "engine/runtime/latch.hpp"
#include "tests/runtime/temp_dir.hpp"

namespace gimbal {
namespace {

using test::TempDir;

TEST(InstanceLock, RefusesASecondHolderAndNamesTheFirst) {
  const TempDir dir;
  {
    InstanceLock first, second;
    ASSERT_TRUE(first.acquire(dir.file("lock")));
    const Outcome refused = second.acquire(dir.file("lock"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().find(std::to_string(::getpid())), std::string::npos);
  }
  InstanceLock third;
  EXPECT_TRUE(third.acquire(dir.file("lock"))) << "free again after the holder is gone";
}

// In a child, for which the system answers every flock with ENOLCK.
int acquire_without_locks(const std::string& path) {
  std::array<sock_filter, 4> program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog filter{program.size(), program.data()};
  const pid_t child = ::fork();
  if (child == 0) {
    const bool set = ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                     ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
    if (!set) ::_exit(77);
    InstanceLock lock;
    const Outcome refused = lock.acquire(path);
    const bool told = refused.error().find(std::strerror(ENOLCK)) != std::string::npos &&
                      refused.error().find("another instance") == std::string::npos;
    ::_exit(!refused && told ? 0 : 1);
  }
  int status = -1;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(InstanceLock, ASystemWithoutLocksIsNotAnotherInstanceAndStillNoStart) {
  const TempDir dir;
  const int code = acquire_without_locks(dir.file("lock"));
  if (code == 77) GTEST_SKIP() << "no system call filter is permitted here";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace gimbal
