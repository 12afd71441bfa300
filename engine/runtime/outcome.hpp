// Cold. The answer of a call that touches files or the kernel: success, or a sentence that names
// what failed, where, and the system's reason.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace gimbal {

class [[nodiscard]] Outcome {
 public:
  Outcome() = default;  // success
  static Outcome failure(std::string text) {
    Outcome o;
    o.error_ = std::move(text);
    return o;
  }
  // "cannot <verb> <what>: <strerror(errno)>"
  static Outcome system(const std::string& verb, const std::string& what) {
    return failure("cannot " + verb + " " + what + ": " + std::strerror(errno));
  }
  [[nodiscard]] explicit operator bool() const noexcept { return error_.empty(); }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

 private:
  std::string error_;
};

}  // namespace gimbal
