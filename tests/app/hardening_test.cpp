// The built programs carry the hardening that the flags ask for (controls, section 7): what
// checksec looks at, read with readelf and objdump from the files that are deployed.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace gimbal {
namespace {

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{::popen(command.c_str(), "r"), &::pclose};
  std::string text;
  std::array<char, 65536> chunk{};
  while (pipe != nullptr) {
    const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe.get());
    if (n == 0) break;
    text.append(chunk.data(), n);
  }
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Program : public ::testing::TestWithParam<const char*> {};

TEST_P(Program, IsPositionIndependentWithFullRelroAndNoExecutableStack) {
  const std::string file = GetParam();
  EXPECT_TRUE(holds(output_of("readelf -hW " + file), "DYN (Position-Independent Executable"));
  const std::string dynamic = output_of("readelf -dW " + file);
  EXPECT_TRUE(holds(dynamic, "BIND_NOW")) << dynamic;
  EXPECT_TRUE(holds(dynamic, "NOW PIE")) << dynamic;
  EXPECT_FALSE(holds(dynamic, "(RPATH)"));
  EXPECT_FALSE(holds(dynamic, "(RUNPATH)"));
  EXPECT_FALSE(holds(dynamic, "(TEXTREL)"));
  const std::string segments = output_of("readelf -lW " + file);
  EXPECT_TRUE(holds(segments, "GNU_RELRO"));
  const auto stack = segments.find("GNU_STACK");
  ASSERT_NE(stack, std::string::npos);
  const std::string line = segments.substr(stack, segments.find('\n', stack) - stack);
  EXPECT_TRUE(holds(line, "RW ")) << line;
  EXPECT_FALSE(holds(line, "RWE")) << line;
}

#if defined(__OPTIMIZE__) && !defined(GIMBAL_SANITIZED)
TEST_P(Program, ChecksItsStackItsCopiesAndItsIndirectCalls) {
  const std::string file = GetParam();
  const std::string symbols = output_of("readelf -sW --dyn-syms " + file);
  EXPECT_TRUE(holds(symbols, "__stack_chk_fail")) << "stack protector";
  EXPECT_TRUE(holds(symbols, "_chk@")) << "FORTIFY";
  EXPECT_TRUE(holds(symbols, "__glibcxx_assert_fail")) << "libstdc++ assertions";
  const std::string marks =
      output_of("objdump -d --no-show-raw-insn " + file + " | grep -c endbr64");
  EXPECT_GT(std::stoi("0" + marks), 100) << "indirect branch targets (CET)";
  // Level 3 leaves no other mark in a program than level 2: the flags are this file's too.
  EXPECT_EQ(_FORTIFY_SOURCE, 3);
}

#ifndef __clang__
struct Unit {
  std::string flags;
  std::string name;
};

// The compilation units of ours in `file`, with the flags that g++ records beside the debug lines.
std::vector<Unit> units_of(const std::string& file) {
  std::istringstream lines{
      output_of("readelf --debug-dump=info --dwarf-depth=1 " + file + " 2>/dev/null")};
  std::vector<Unit> units;
  std::string flags;
  for (std::string line; std::getline(lines, line);) {
    if (holds(line, "DW_AT_producer")) {
      flags = line;
    } else if (holds(line, "DW_AT_name") && !flags.empty()) {
      // Objects of other libraries have other flags, and what the linker adds has none.
      if (holds(flags, "GNU C++20") && holds(flags, "-march=x86-64-v3")) {
        units.push_back({flags, line.substr(line.rfind(' ') + 1)});
      }
      flags.clear();
    }
  }
  return units;
}

TEST_P(Program, EveryUnitWasCompiledWithTheFlags) {
  const std::vector<Unit> units = units_of(GetParam());
  ASSERT_GT(units.size(), 3U) << "no debug lines to read the flags from";
  for (const Unit& unit : units) {
    for (const char* flag :
         {"-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection=full"}) {
      EXPECT_TRUE(holds(unit.flags, flag)) << unit.name << " lacks " << flag;
    }
  }
}

// Cold rooms parse what others wrote; the hot path pays for no store that nothing reads.
TEST(Deployed, ColdRoomsStartTheirVariablesAtZeroAndTheHotPathDoesNot) {
  const auto zeroed = [](const char* program, const std::string& name) {
    for (const Unit& unit : units_of(program)) {
      if (holds(unit.name, name)) return holds(unit.flags, "-ftrivial-auto-var-init=zero") ? 1 : 0;
    }
    return -1;  // not in the program
  };
  // Their files are compiled together: a unit bears its room's name.
  for (const char* name : {"/gimbal_control.dir/", "/gimbal_config.dir/", "/gimbal_monitor.dir/"}) {
    EXPECT_EQ(zeroed(GIMBAL, name), 1) << name;
  }
  EXPECT_EQ(zeroed(GIMBAL_GUARDIAN, "/gimbal_guard.dir/"), 1);
  for (const char* name :
       {"/gimbal_core.dir/", "/bot_run.cpp", "/gimbal_venues.dir/", "/gimbal_runtime.dir/"}) {
    EXPECT_EQ(zeroed(GIMBAL, name), 0) << name;
  }
}
#endif
#endif

INSTANTIATE_TEST_SUITE_P(Deployed, Program,
                         ::testing::Values(GIMBAL, GIMBAL_GUARDIAN, GIMBALCTL, GIMBAL_SIM),
                         [](const auto& p) {
                           std::string name{p.param};
                           name = name.substr(name.rfind('/') + 1);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

}  // namespace
}  // namespace gimbal
