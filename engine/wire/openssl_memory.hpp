// Room: engine/wire, private. OpenSSL 3.0 makes and frees four small blocks for every record read
// and written. On a thread that called keep_openssl_blocks() they come from a list of its own, so
// that steady state does not touch the heap; other threads use malloc as before.
#pragma once

namespace gimbal {

// True when OpenSSL took our allocator (it does unless something used OpenSSL before main()).
[[nodiscard]] bool openssl_memory_installed() noexcept;
// Cold, once a thread: fills the list; it is emptied when the thread ends.
void keep_openssl_blocks() noexcept;

}  // namespace gimbal
