// recv(2) and send(2) of the hot thread, without what the C library does around them: in a process
// of several threads each of its calls opens and closes a point where a thread can be cancelled
// (two atomic exchanges, about 50 ns together). No thread of gimbal is ever cancelled.
// ThreadSanitizer sees the library's calls alone, so its builds make those. Room: engine/wire. Hot.
#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

namespace gimbal {

// Bytes received, 0 at the end of the stream, or -1 with errno. Never waits.
inline long receive_now(int fd, char* to, std::size_t size) noexcept {
#ifdef __SANITIZE_THREAD__
  return ::recv(fd, to, size, MSG_DONTWAIT);
#else
  return ::syscall(SYS_recvfrom, fd, to, size, MSG_DONTWAIT, nullptr, nullptr);
#endif
}

// Bytes that the kernel took, or -1 with errno. Never waits, never raises SIGPIPE.
inline long send_now(int fd, const char* from, std::size_t size) noexcept {
#ifdef __SANITIZE_THREAD__
  return ::send(fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
#else
  return ::syscall(SYS_sendto, fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT, nullptr, 0);
#endif
}

}  // namespace gimbal
