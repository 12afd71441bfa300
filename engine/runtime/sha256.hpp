// SHA-256 of a growing run of bytes. Cold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace gimbal {

using Sha256Digest = std::array<std::uint8_t, 32>;

class RunningSha256 {
 public:
  RunningSha256();
  ~RunningSha256();
  RunningSha256(const RunningSha256&) = delete;
  RunningSha256& operator=(const RunningSha256&) = delete;

  void restart() noexcept;
  void add(const void* data, std::size_t bytes) noexcept;
  // The digest of everything since the last restart, and restarts.
  [[nodiscard]] Sha256Digest finish() noexcept;

 private:
  struct Context;
  Context* context_;
};

}  // namespace gimbal
