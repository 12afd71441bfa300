// Sizes: files that fit in a head, functions that fit on a screen.
#include <gtest/gtest.h>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

constexpr std::size_t file_lines_max = 600;
constexpr std::size_t file_lines_p90 = 300;
constexpr std::size_t function_lines_max = 70;
constexpr std::size_t line_columns_max = 100;

struct Function {
  std::size_t line{0};  // of its opening brace, from 1
  std::size_t lines{0};
  std::string head;
};

// Brace matching: a block whose head ends in a parameter list (or its qualifiers) and is not nested
// in another such block is a function body.
std::vector<Function> functions_of(const SourceFile& file) {
  struct Open {
    bool function{false};
    std::size_t line{0};
    std::string head;
  };
  std::vector<Open> open;
  std::vector<Function> found;
  std::string head;
  for (std::size_t i = 0; i < file.code.size(); ++i) {
    if (!file.code[i].empty() && file.code[i][0] == '#') continue;
    for (const char c : file.code[i]) {
      if (c == '{') {
        const bool inside =
            std::any_of(open.begin(), open.end(), [](const Open& o) { return o.function; });
        const bool names_type =
            head.find("namespace") != std::string::npos ||
            head.find("class ") != std::string::npos || head.find("struct ") != std::string::npos ||
            head.find("enum ") != std::string::npos || head.find("union ") != std::string::npos;
        const bool has_parameters =
            head.find('(') != std::string::npos && head.find(')') != std::string::npos;
        const bool is_value =
            head.find('=') != std::string::npos && head.find("operator") == std::string::npos;
        open.push_back({!inside && has_parameters && !is_value && !names_type, i + 1, head});
        head.clear();
      } else if (c == '}') {
        if (!open.empty()) {
          if (open.back().function)
            found.push_back({open.back().line, i + 2 - open.back().line, open.back().head});
          open.pop_back();
        }
        head.clear();
      } else if (c == ';') {
        head.clear();
      } else {
        head += c;
      }
    }
    head += ' ';
  }
  return found;
}

TEST(Sizes, NoFileIsOverSixHundredLines) {
  for (const auto& file : all_sources()) {
    EXPECT_LE(file.lines.size(), file_lines_max) << file.path;
  }
}

TEST(Sizes, NineFilesInTenHaveAtMostThreeHundredLines) {
  std::vector<std::size_t> sizes;
  for (const auto& file : all_sources()) sizes.push_back(file.lines.size());
  ASSERT_FALSE(sizes.empty());
  std::sort(sizes.begin(), sizes.end());
  EXPECT_LE(sizes[sizes.size() * 9 / 10], file_lines_p90);
}

TEST(Sizes, NoFunctionIsOverSeventyLines) {
  std::size_t seen = 0;
  for (const auto& file : all_sources()) {
    for (const auto& function : functions_of(file)) {
      ++seen;
      EXPECT_LE(function.lines, function_lines_max)
          << file.path << ":" << function.line << ":" << function.head.substr(0, 100);
    }
  }
  EXPECT_GT(seen, 500u);
}

TEST(Sizes, NoLineIsEndless) {
  for (const auto& file : all_sources()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_LE(file.lines[i].size(), line_columns_max) << file.path << ":" << i + 1;
    }
  }
}

TEST(Sizes, TheMatcherFindsFunctionsAndTheirLength) {
  SourceFile file;
  file.code = lines_of(
      "namespace a {\nstruct S {\n  int f(int x) const {\n    if (x) {\n      return 1;\n    }\n   "
      " return 2;\n  }\n};\n"
      "int v = g({1, 2});\nint g() { return 3; }\n}\n");
  const auto found = functions_of(file);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].line, 3u);
  EXPECT_EQ(found[0].lines, 6u);
  EXPECT_EQ(found[1].lines, 1u);
}

}  // namespace
}  // namespace gimbal::tidy
