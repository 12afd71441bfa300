// Loaded into the real bot ahead of the C library (LD_PRELOAD): writes and syncs of the journal's
// files are slow, fail or lie as the test's page says. Everything else goes on to the kernel.
//
// Beside a throttled loop device (ThrottledDisk) a shim: it fails, delays and lies at the call that
// the test means, without root, and where the kernel has no device mapper (dm-delay, dm-flakey).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/io/disk_control.hpp"

namespace gimbal::test {
namespace {

DiskControl* map_control() {
  const char* path = std::getenv(disk_control_variable);
  const int fd = path != nullptr ? ::open(path, O_RDWR | O_CLOEXEC) : -1;
  if (fd < 0) return nullptr;
  void* page = ::mmap(nullptr, sizeof(DiskControl), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  return page == MAP_FAILED ? nullptr : static_cast<DiskControl*>(page);
}

DiskControl* control() {
  static DiskControl* const mapped = map_control();
  return mapped;
}

// False: no file of the journal.
bool name_of(int fd, char (&name)[64]) {
  char link[48];
  char path[512];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = ::readlink(link, path, sizeof path - 1);
  if (length <= 0) return false;
  path[length] = '\0';
  const char* at = std::strstr(path, journal_folder);
  if (at == nullptr) return false;
  std::snprintf(name, sizeof name, "%.63s", at + std::strlen(journal_folder));
  return true;
}

// Ends at once when the test makes the disk fast again.
void wait_ms(const std::atomic<std::uint32_t>& ms) {
  for (std::uint32_t waited = 0, step = 0; waited < ms.load(); waited += step) {
    step = std::min(ms.load() - waited, 20U);
    const timespec nap{0, static_cast<long>(step) * 1'000'000};
    ::nanosleep(&nap, nullptr);
  }
}

// The journal's files have one writer, each its own thread at most.
void note_unsafe(DiskControl& disk, const char* name, std::uint64_t from, std::uint64_t to) {
  const std::uint32_t files = disk.files.load();
  for (std::uint32_t i = 0; i < files; ++i) {
    if (std::strcmp(disk.unsafe[i].name, name) != 0) continue;
    if (to > disk.unsafe[i].to) disk.unsafe[i].to = to;
    return;
  }
  if (files == sizeof disk.unsafe / sizeof disk.unsafe[0]) return;
  UnsafeBytes& unsafe = disk.unsafe[files];
  std::snprintf(unsafe.name, sizeof unsafe.name, "%s", name);
  unsafe.from = from;
  unsafe.to = to;
  disk.files.store(files + 1);
}

}  // namespace

// NOLINTBEGIN
extern "C" __attribute__((visibility("default"))) ssize_t shim_pwrite(int fd, const void* data,
                                                                      std::size_t bytes,
                                                                      off_t at) asm("pwrite");
extern "C" __attribute__((visibility("default"))) ssize_t shim_pwrite64(int fd, const void* data,
                                                                        std::size_t bytes,
                                                                        off_t at) asm("pwrite64");
extern "C" __attribute__((visibility("default"))) int shim_fdatasync(int fd) asm("fdatasync");

ssize_t shim_pwrite(int fd, const void* data, std::size_t bytes, off_t at) {
  DiskControl* const disk = control();
  char name[64];
  const bool ours = disk != nullptr && name_of(fd, name);
  if (ours) {
    disk->writes.fetch_add(1);
    wait_ms(disk->write_ms);
    if (const int error = disk->write_error.load(); error != 0) {
      errno = error;
      return -1;
    }
  }
  const ssize_t done = ::syscall(SYS_pwrite64, fd, data, bytes, at);
  if (ours && done > 0 && disk->lies.load() != 0) {
    const auto from = static_cast<std::uint64_t>(at);
    note_unsafe(*disk, name, from, from + static_cast<std::uint64_t>(done));
  }
  return done;
}

ssize_t shim_pwrite64(int fd, const void* data, std::size_t bytes, off_t at) {
  return shim_pwrite(fd, data, bytes, at);
}

int shim_fdatasync(int fd) {
  DiskControl* const disk = control();
  char name[64];
  if (disk != nullptr && name_of(fd, name)) {
    disk->syncs.fetch_add(1);
    wait_ms(disk->sync_ms);
    if (const int error = disk->sync_error.load(); error != 0) {
      errno = error;
      return -1;
    }
    if (disk->lies.load() != 0) return 0;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
// NOLINTEND

}  // namespace gimbal::test
