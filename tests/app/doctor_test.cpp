// The host examination against made-up hosts, and the program's own commands.
#include "ops/app/doctor.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gimbal {
namespace {

namespace fs = std::filesystem;

class Doctor : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = fs::temp_directory_path() / "gimbal-doctor-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
  }
  void TearDown() override { fs::remove_all(root); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories((root + path).substr(0, (root + path).rfind('/')));
    std::ofstream{root + path} << text << "\n";
  }
  Finding about(const std::string& topic) {
    for (const auto& f : examine_host(root)) {
      if (f.topic == topic) return f;
    }
    ADD_FAILURE() << "no finding about " << topic;
    return {};
  }
  std::string root;
};

TEST_F(Doctor, EveryWarningComesWithAFix) {
  for (const auto& where : {std::string{}, root}) {
    for (const auto& f : examine_host(where)) {
      EXPECT_FALSE(f.found.empty()) << f.topic;
      EXPECT_EQ(f.fix.empty(), f.verdict == HostVerdict::ok) << f.topic << ": " << f.fix;
    }
  }
}

TEST_F(Doctor, AnUntunedHostIsWarnedAbout) {
  file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave");
  file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet");
  file("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,4");
  file("/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never");
  file("/proc/meminfo", "SwapTotal:       2097148 kB\nHugePages_Total:       0");
  for (const auto* topic :
       {"governor", "clock source", "smt", "huge pages", "swap", "isolation", "invariant tsc"}) {
    EXPECT_EQ(about(topic).verdict, HostVerdict::warn) << topic;
  }
}

TEST_F(Doctor, ATunedHostIsOk) {
  file("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
  file("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
  file("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0");
  file("/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never");
  file("/sys/devices/system/cpu/isolated", "2-3");
  file("/proc/cmdline", "quiet isolcpus=2-3 nohz_full=2-3");
  file("/proc/meminfo", "SwapTotal:       0 kB");
  file("/proc/cpuinfo", "model name\t: Test CPU\nflags\t\t: fpu constant_tsc nonstop_tsc");
  for (const auto* topic :
       {"governor", "clock source", "smt", "huge pages", "swap", "isolation", "invariant tsc"}) {
    EXPECT_EQ(about(topic).verdict, HostVerdict::ok) << topic << ": " << about(topic).found;
  }
  EXPECT_NE(about("cpu").found.find("Test CPU"), std::string::npos);
}

TEST_F(Doctor, ThisMachineRunsWhatItsTestsRun) {
  EXPECT_TRUE(missing_cpu_features().empty());
  const auto findings = examine_host();
  EXPECT_TRUE(std::none_of(findings.begin(), findings.end(),
                           [](const Finding& f) { return f.verdict == HostVerdict::fail; }));
}

struct Ran {
  int code{-1};
  std::string out;
};
Ran gimbal_command(const std::string& arguments) {
  Ran ran;
  FILE* pipe = ::popen((std::string{GIMBAL} + " " + arguments + " 2>&1 </dev/null").c_str(), "r");
  char chunk[4096];
  while (const std::size_t n = ::fread(chunk, 1, sizeof chunk, pipe)) ran.out.append(chunk, n);
  const int status = ::pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

TEST(GimbalProgram, ExitCodesTellUsageFromRefusalFromSuccess) {
  EXPECT_EQ(gimbal_command("").code, 2);
  EXPECT_EQ(gimbal_command("explode").code, 2);
  EXPECT_NE(gimbal_command("explode").out.find("no command 'explode'"), std::string::npos);
  EXPECT_EQ(gimbal_command("replay /etc/passwd").code, 2);
  EXPECT_EQ(gimbal_command("replay /nonexistent").code, 2);
  EXPECT_EQ(gimbal_command("check --no-such-option").code, 2);
  EXPECT_EQ(gimbal_command("--help").code, 0);
  EXPECT_EQ(gimbal_command("doctor --json").code, 0);
  EXPECT_EQ(gimbal_command("check /nonexistent.toml").code, 2);
  const std::string source{GIMBAL_SOURCE_DIR};
  EXPECT_EQ(gimbal_command("check " + source + "/ops/config/demo.toml").code, 0);
  EXPECT_EQ(
      gimbal_command("check --json " + source + "/tests/fixtures/config/bad/unknown_key.toml").code,
      2);
}

TEST(GimbalProgram, TheVersionNamesTheBuild) {
  const auto ran = gimbal_command("--version");
  EXPECT_EQ(ran.code, 0);
  const auto sum = [] {
    FILE* pipe = ::popen((std::string{"sha256sum "} + GIMBAL).c_str(), "r");
    char digest[65]{};
    EXPECT_EQ(::fread(digest, 1, 64, pipe), 64u);
    ::pclose(pipe);
    return std::string{digest};
  }();
  EXPECT_NE(ran.out.find("build " + sum), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace gimbal
