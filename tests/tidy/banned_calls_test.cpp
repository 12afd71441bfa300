// What the deterministic core and the strategies may not use: clocks, threads, heap, exceptions,
// text streams, and functions whose bits differ between builds.
#include <gtest/gtest.h>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// `token` at a word boundary on its left, and on its right when it ends in a letter.
bool contains_token(const std::string& line, const std::string& token) {
  for (auto at = line.find(token); at != std::string::npos; at = line.find(token, at + 1)) {
    const bool left = at == 0 || !word_char(token.front()) || !word_char(line[at - 1]);
    const auto end = at + token.size();
    const bool right = end >= line.size() || !word_char(token.back()) || !word_char(line[end]);
    if (left && right) return true;
  }
  return false;
}

// One file that may use one banned word, with the reason.
struct Exemption {
  std::string file;
  std::string token;
};
const std::vector<Exemption>& exemptions() {
  static const std::vector<Exemption> table{
      {"engine/core/trace_sink.hpp", "std::atomic"},   // the ring that a cold thread drains
      {"engine/core/assert.cpp", "fprintf"},           // the last words before abort
      {"engine/core/config_tags.hpp", "std::atomic"},  // lies in the page that other processes map
  };
  return table;
}

bool exempt(const std::string& file, const std::string& token) {
  return std::any_of(exemptions().begin(), exemptions().end(),
                     [&](const Exemption& e) { return e.file == file && e.token == token; });
}

void expect_none(const std::string& folder, const std::vector<std::string>& banned) {
  const auto files = sources_under(folder);
  EXPECT_FALSE(files.empty()) << folder;
  for (const auto& file : files) {
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      for (const auto& token : banned) {
        EXPECT_FALSE(contains_token(file.code[i], token) && !exempt(file.path, token))
            << file.path << ":" << i + 1 << " uses " << token << ": " << file.lines[i];
      }
    }
  }
}

const std::vector<std::string> clocks_and_threads{
    "_clock::now",    "Clock::now", "clock_gettime", "gettimeofday",
    "rdtsc",          "read_tsc",   "time(nullptr)", "std::thread",
    "std::jthread",   "std::mutex", "std::atomic",   "std::condition_variable",
    "pthread_create", "sleep_for",  "getenv"};
const std::vector<std::string> surprises{"throw",
                                         "try",
                                         "catch",
                                         "std::function",
                                         "std::unordered_map",
                                         "std::unordered_set",
                                         "std::random_device",
                                         "std::rand",
                                         "rand()",
                                         "std::map",
                                         "std::set",
                                         "std::shared_ptr",
                                         "std::any"};
const std::vector<std::string> text_streams{"std::cout",     "std::cerr",    "printf",
                                            "fprintf",       "std::ostream", "std::stringstream",
                                            "std::to_string"};
// The C library's results differ between versions, builds and vector targets.
const std::vector<std::string> library_math{
    "std::exp",  "std::exp2", "std::expm1",  "std::log",      "std::log2",     "std::log1p",
    "std::pow",  "std::sin",  "std::cos",    "std::tan",      "std::erf",      "std::erfc",
    "std::cbrt", "std::tanh", "std::lgamma", "__builtin_exp", "__builtin_log", "__builtin_pow"};

TEST(BannedCalls, CoreReadsNoClockAndOwnsNoThread) {
  expect_none("engine/core", clocks_and_threads);
}
TEST(BannedCalls, CoreThrowsNothingAndHashesNothing) { expect_none("engine/core", surprises); }
TEST(BannedCalls, CoreUsesNoLibraryMathAndWritesNoText) {
  expect_none("engine/core", library_math);
  expect_none("engine/core",
              {"std::cout", "std::cerr", "fprintf", "std::ostream", "std::stringstream"});
}

TEST(BannedCalls, StrategiesReadNoClockAndOwnNoThread) {
  expect_none("strategies", clocks_and_threads);
}
TEST(BannedCalls, StrategiesThrowNothingAndWriteNoText) {
  expect_none("strategies", surprises);
  expect_none("strategies", text_streams);
}
TEST(BannedCalls, StrategiesUseNoLibraryMath) { expect_none("strategies", library_math); }

TEST(BannedCalls, FeedsAndVenuesOpenNoSocketAndReadNoClock) {
  const std::vector<std::string> banned{"::socket(",    "::connect(",  "::recv(",
                                        "::send(",      "std::thread", "clock_gettime",
                                        "steady_clock", "system_clock"};
  expect_none("feeds", banned);
  expect_none("venues/deribit", banned);
}

// new in the core is allowed only as placement new, which makes no memory.
TEST(BannedCalls, CoreAllocatesOnlyWhatIsNamedAtConstruction) {
  for (const auto* folder : {"engine/core", "strategies"}) {
    for (const auto& file : sources_under(folder)) {
      for (std::size_t i = 0; i < file.code.size(); ++i) {
        const auto& line = file.code[i];
        if (line.find("#include") != std::string::npos ||
            line.find("operator new") != std::string::npos)
          continue;
        for (auto at = line.find("new"); at != std::string::npos; at = line.find("new", at + 1)) {
          const bool is_word =
              (at == 0 || !word_char(line[at - 1])) && at + 3 < line.size() && line[at + 3] == ' ';
          const bool placement = line.substr(at, 5) == "new (";
          EXPECT_FALSE(is_word && !placement) << file.path << ":" << i + 1 << ": " << file.lines[i];
        }
        EXPECT_FALSE(contains_token(line, "malloc")) << file.path << ":" << i + 1;
      }
    }
  }
}

TEST(BannedCalls, NoTestIsSwitchedOff) {
  const std::string off = std::string{"DISABLED"} + "_";
  for (const auto& file : sources_under("tests")) {
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      EXPECT_EQ(file.code[i].find(off), std::string::npos) << file.path << ":" << i + 1;
    }
  }
}

TEST(BannedCalls, TheReaderSeesCodeButNotCommentsAndLiterals) {
  const auto code = code_of(
      "int a; // throw\nconst char* s = \"throw\"; /* throw\nthrow */ int n = 1'000; throw 1;\n");
  const auto lines = lines_of(code);
  EXPECT_FALSE(contains_token(lines[0], "throw"));
  EXPECT_FALSE(contains_token(lines[1], "throw"));
  EXPECT_TRUE(contains_token(lines[2], "throw"));
  EXPECT_FALSE(contains_token("rethrown", "throw"));
  EXPECT_TRUE(contains_token("x = std::exp(y)", "std::exp"));
  EXPECT_FALSE(contains_token("x = math::exp(y)", "std::exp"));
  EXPECT_EQ(lines_of(code_of("auto s = R\"(throw)\"; f();\n"))[0], "auto s = R\"      )\"; f();");
}

}  // namespace
}  // namespace gimbal::tidy
