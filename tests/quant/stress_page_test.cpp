// The page of `gimbal stress` in a real browser.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/stress_fixture.hpp"

namespace gimbal::risk {
namespace {

std::string run(const std::string& command, int& status) {
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> block{};
  for (std::size_t got = 1; pipe != nullptr && got > 0;) {
    got = std::fread(block.data(), 1, block.size(), pipe);
    out.append(block.data(), got);
  }
  status = pipe == nullptr ? -1 : pclose(pipe);
  return out;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(StressPage, RendersInHeadlessChromium) {
  int status = 0;
  run("command -v chromium", status);
  if (status != 0) GTEST_SKIP() << "chromium is not installed";
  const auto folder =
      std::filesystem::temp_directory_path() / ("gimbal-stress-page-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::string page = (folder / "page.html").string();
  std::ofstream{page} << stress_html(test::example_report(2000, 1));
  const std::string dom =
      run("timeout 90 chromium --headless --no-sandbox --disable-gpu "
          "--host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir=" +
              (folder / "profile").string() + " --dump-dom file://" + page + " 2>/dev/null",
          status);
  std::filesystem::remove_all(folder);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(count(dom, "<svg"), 5u);
  EXPECT_GT(count(dom, "<rect"), 400u);
  EXPECT_NE(dom.find("Distance to liquidation"), std::string::npos);
  EXPECT_TRUE(dom.find("</html>") != std::string::npos);
}

}  // namespace
}  // namespace gimbal::risk
