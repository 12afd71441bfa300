// The formatter has nothing to change. `ops/format` makes it so.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

TEST(Format, ClangFormatWouldChangeNothing) {
  if (std::system("command -v clang-format-14 >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "clang-format-14 is not installed (ops/setup installs it)";
  }
  const auto command = "cd '" + std::string{GIMBAL_SOURCE_DIR} + "' && ops/format --check 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string said;
  char chunk[4096];
  while (const std::size_t n = ::fread(chunk, 1, sizeof chunk, pipe)) said.append(chunk, n);
  EXPECT_EQ(::pclose(pipe), 0) << said;
}

}  // namespace
}  // namespace gimbal::tidy
