#include "tests/runtime/failing_calls.hpp"

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <new>

namespace gimbal::test {
namespace {

thread_local Failing kind_now = Failing::none;
thread_local int error_now = 0;
thread_local std::uint64_t left = 0;
thread_local bool stays = false;
thread_local bool has_fired = false;

bool due(Failing kind) noexcept {
  if (kind_now != kind) return false;
  if (left > 1) {
    --left;
    return false;
  }
  if (left == 0 && !stays) return false;
  left = 0;
  has_fired = true;
  errno = error_now;
  return true;
}

void wait_ms(long ms) noexcept {
  const timespec nap{0, ms * 1'000'000};
  ::nanosleep(&nap, nullptr);
}

}  // namespace

FailingCall::FailingCall(Failing kind, int error, std::uint64_t n, bool for_good) noexcept {
  error_now = error;
  left = n;
  stays = for_good;
  has_fired = false;
  kind_now = kind;
}
FailingCall::~FailingCall() { kind_now = Failing::none; }
bool FailingCall::fired() noexcept { return has_fired; }

// The names below are the C library's: what this program links statically finds these first.
extern "C" {
// NOLINTBEGIN
int failing_open(const char* path, int flags, ...) asm("open");
ssize_t failing_pwrite(int fd, const void* data, std::size_t bytes, off_t at) asm("pwrite");
int failing_fallocate(int fd, int mode, off_t from, off_t bytes) asm("fallocate");
int failing_fdatasync(int fd) asm("fdatasync");
int failing_fsync(int fd) asm("fsync");
int failing_ftruncate(int fd, off_t bytes) asm("ftruncate");
int failing_rename(const char* from, const char* to) asm("rename");

int failing_open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const unsigned mode = va_arg(more, unsigned);  // read where none was given, and then ignored
  va_end(more);
  if (due(Failing::open)) return -1;
  constexpr int from_here = -100;  // AT_FDCWD
  return static_cast<int>(::syscall(SYS_openat, from_here, path, flags, mode));
}
ssize_t failing_pwrite(int fd, const void* data, std::size_t bytes, off_t at) {
  if (due(Failing::pwrite) || due(Failing::interrupted_pwrite)) return -1;
  if (bytes > 1 && due(Failing::short_pwrite)) bytes /= 2;
  if (due(Failing::slow_pwrite)) wait_ms(slow_pwrite_ms);
  return ::syscall(SYS_pwrite64, fd, data, bytes, at);
}
int failing_fallocate(int fd, int mode, off_t from, off_t bytes) {
  if (due(Failing::fallocate)) return -1;
  return static_cast<int>(::syscall(SYS_fallocate, fd, mode, from, bytes));
}
// A sweep over thousands of runs need not wait for the disk.
int failing_fdatasync(int fd) {
  if (due(Failing::slow_fdatasync)) wait_ms(slow_fdatasync_ms);
  if (kind_now != Failing::none) return due(Failing::fdatasync) ? -1 : 0;
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
int failing_fsync(int fd) {
  if (kind_now != Failing::none) return due(Failing::fsync) ? -1 : 0;
  return static_cast<int>(::syscall(SYS_fsync, fd));
}
int failing_ftruncate(int fd, off_t bytes) {
  return due(Failing::ftruncate) ? -1 : static_cast<int>(::syscall(SYS_ftruncate, fd, bytes));
}
int failing_rename(const char* from, const char* to) {
  return due(Failing::rename) ? -1 : static_cast<int>(::syscall(SYS_rename, from, to));
}
// NOLINTEND
}

bool allocation_due() noexcept { return due(Failing::allocation); }

}  // namespace gimbal::test

void* operator new(std::size_t bytes) {
  void* const memory =
      gimbal::test::allocation_due() ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc{};
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
