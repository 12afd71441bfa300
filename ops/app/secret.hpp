// Secrets: where they may be read from, and memory that keeps them. Room: ops/app. Cold path.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "engine/runtime/outcome.hpp"

namespace gimbal {

// Bytes on pages of their own: locked (where the limit allows), left out of core dumps and of
// children, wiped before they are returned. Move-only; there is no way to print one.
class Secret {
 public:
  Secret() noexcept = default;
  explicit Secret(std::size_t capacity);  // throws std::bad_alloc when the pages cannot be mapped
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret();

  static Secret copy_of(std::string_view text);
  // For the one call that signs or logs in; the view ends with this object.
  [[nodiscard]] std::string_view reveal() const noexcept { return {data_, size_}; }
  [[nodiscard]] char* data() noexcept { return data_; }
  [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void resize(std::size_t size) noexcept { size_ = size < capacity_ ? size : capacity_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool locked() const noexcept { return locked_; }

 private:
  void release() noexcept;
  char* data_{nullptr};
  std::size_t size_{0};
  std::size_t capacity_{0};
  bool locked_{false};
};

struct Credentials {
  Secret client_id;
  Secret client_secret;
};

inline constexpr std::size_t credential_bytes_max = 4096;

// Reads `client_id=...` and `client_secret=...` (one each, one per line, # comments).
// `where` is a path, or without a slash the name of a systemd credential in $CREDENTIALS_DIRECTORY.
// Refused, with the reason and the command that repairs it: a symbolic link; not a regular file;
// not owned by this user or root; a mode other than 0400 or 0600; a directory that group or others
// may write to, or that somebody else owns; over 4096 bytes; missing, repeated or unknown keys.
// No message ever holds a byte of the content.
Outcome read_credentials(const std::string& where, Credentials& out);

inline constexpr std::size_t secret_key_bytes = 32;
// Reads `key=HEX`, 64 lower-case digits, from a file under the same rules; `out` has 32 bytes.
Outcome read_key(const std::string& where, Secret& out);

// Core dumps off and not attachable by the same user (PR_SET_DUMPABLE 0). Call first in `run`.
Outcome forbid_dumps();

}  // namespace gimbal
