// Names that say nothing are refused, and files are named like what they hold.
#include <gtest/gtest.h>

#include <regex>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

const std::vector<std::string> banned_suffixes{"Manager", "Helper", "Helpers", "Util",
                                               "Utils",   "Base",   "Impl"};

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::vector<std::string> declared_types(const std::string& line) {
  static const std::regex declaration{
      R"((?:class|struct|enum class|concept|using)\s+(?:alignas\([^)]*\)\s+)?([A-Za-z_]\w*))"};
  std::vector<std::string> names;
  for (auto it = std::sregex_iterator{line.begin(), line.end(), declaration};
       it != std::sregex_iterator{}; ++it) {
    names.push_back((*it)[1].str());
  }
  return names;
}

TEST(Names, NoTypeEndsInAWordWithoutMeaning) {
  std::size_t seen = 0;
  for (const auto& file : all_sources()) {
    for (std::size_t i = 0; i < file.code.size(); ++i) {
      for (const auto& name : declared_types(file.code[i])) {
        ++seen;
        for (const auto& suffix : banned_suffixes) {
          EXPECT_FALSE(ends_with(name, suffix)) << file.path << ":" << i + 1 << ": " << name;
        }
      }
    }
  }
  EXPECT_GT(seen, 300u);
}

TEST(Names, FilesAreSnakeCase) {
  static const std::regex snake{R"([a-z0-9_]+\.(hpp|cpp))"};
  for (const auto& file : all_sources()) {
    const auto name = fs::path{file.path}.filename().string();
    EXPECT_TRUE(std::regex_match(name, snake)) << file.path;
    const auto stem = fs::path{file.path}.stem().string();
    for (const auto* bad : {"util", "utils", "helper", "helpers", "misc", "common", "manager"}) {
      EXPECT_NE(stem, bad) << file.path;
    }
  }
}

TEST(Names, TheReaderFindsDeclaredTypes) {
  EXPECT_EQ(declared_types("struct alignas(64) Event {"), std::vector<std::string>{"Event"});
  EXPECT_EQ(declared_types("enum class Side : int {"), std::vector<std::string>{"Side"});
  EXPECT_TRUE(ends_with("OrderManager", "Manager"));
  EXPECT_FALSE(ends_with("Database", "Base"));
}

}  // namespace
}  // namespace gimbal::tidy
