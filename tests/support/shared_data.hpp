// Where recorded and golden data too large for the repository live: $GIMBAL_SHARED, else a folder
// `shared` beside the source tree. Tests that need it skip, with the reason, when it is absent.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace gimbal::test {

inline std::string shared_path(const std::string& relative) {
  const char* root = std::getenv("GIMBAL_SHARED");
  const std::string base = root != nullptr ? root : GIMBAL_SOURCE_DIR "/../shared";
  return base + "/" + relative;
}
inline bool present(const std::string& path) { return std::filesystem::exists(path); }
inline std::string fixture_path(const std::string& relative) {
  return std::string{GIMBAL_SOURCE_DIR "/tests/fixtures/"} + relative;
}

}  // namespace gimbal::test
