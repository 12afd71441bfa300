// The pages controls*.md say which code does a control and which test fails without it: both exist.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

// "Suite.Name" of every test; those of ctest's own under their whole name.
std::set<std::string> test_names() {
  static const std::regex test{R"(\b(?:TEST|TEST_F|TEST_P|TYPED_TEST)\(\s*(\w+),\s*(\w+)\))"};
  static const std::regex added{R"(add_test\(NAME (\S+))"};
  std::set<std::string> names;
  const auto each = [](const std::string& text, const std::regex& what, auto&& visit) {
    for (auto m = std::sregex_iterator(text.begin(), text.end(), what); m != std::sregex_iterator{};
         ++m) {
      visit(*m);
    }
  };
  for (const SourceFile& file : files_under("tests", {".cpp", ".hpp"})) {
    each(file.text, test,
         [&](const std::smatch& m) { names.insert(m[1].str() + "." + m[2].str()); });
  }
  for (const SourceFile& file : files_under("tests", {".txt"})) {
    each(file.text, added, [&](const std::smatch& m) { names.insert(m[1].str()); });
  }
  return names;
}

// `*` and `...` stand for anything; what an instantiation is called does not count.
bool any_matches(const std::set<std::string>& names, std::string pattern) {
  pattern.erase(0, pattern.find('/') + 1);
  for (std::size_t at; (at = pattern.find("...")) != std::string::npos;)
    pattern.replace(at, 3, "*");
  const auto matches = [&](const std::string& name) {
    std::size_t at = 0;
    std::size_t begin = 0;
    for (bool first = true; begin <= pattern.size(); first = false) {
      const std::size_t star = std::min(pattern.find('*', begin), pattern.size());
      const std::string part = pattern.substr(begin, star - begin);
      const std::size_t found = name.find(part, at);
      if (found == std::string::npos || (first && found != 0)) return false;
      at = found + part.size();
      if (star == pattern.size()) return part.empty() || name.size() == at || name.ends_with(part);
      begin = star + 1;
    }
    return true;
  };
  return std::any_of(names.begin(), names.end(), matches);
}

// What stands in backticks on a page.
std::vector<std::string> quoted(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t open = text.find('`'); open != std::string::npos;) {
    const std::size_t close = text.find('`', open + 1);
    if (close == std::string::npos) break;
    out.push_back(text.substr(open + 1, close - open - 1));
    open = text.find('`', close + 1);
  }
  return out;
}

std::vector<SourceFile> control_pages() {
  std::vector<SourceFile> pages = files_under("ops/docs", {".md"});
  std::erase_if(pages, [](const SourceFile& p) {
    return p.path.find("ops/docs/controls") == std::string::npos;
  });
  return pages;
}

TEST(Controls, ATestThatAPageNamesExists) {
  static const std::regex whole{R"([A-Z]\w*(/\w+)?\.[A-Z*][\w.*]*)"};
  static const std::regex suites{R"([A-Z]\w*\*)"};
  const std::set<std::string> names = test_names();
  std::size_t seen = 0;
  for (const SourceFile& page : control_pages()) {
    for (const std::string& word : quoted(page.text)) {
      if (std::regex_match(word, whole)) {
        ++seen;
        EXPECT_TRUE(any_matches(names, word)) << page.path << " names the test " << word;
      } else if (std::regex_match(word, suites)) {
        EXPECT_TRUE(any_matches(names, word)) << page.path << " names the tests " << word;
      }
    }
  }
  EXPECT_GT(seen, 100U);
  EXPECT_FALSE(any_matches(names, "Controls.ATestThatNobodyWrote"));
  EXPECT_FALSE(any_matches(names, "Controls.ATest*Nobody*"));
}

TEST(Controls, AFileAndAFunctionThatAPageNamesExist) {
  static const std::regex path{R"([\w/]+\.(?:hpp|cpp))"};
  static const std::regex member{R"((\w+)::(\w+)(?:\(\))?)"};
  const std::vector<SourceFile> sources = all_sources();
  const auto in_code = [&](const std::string& word) {
    return std::any_of(sources.begin(), sources.end(),
                       [&](const SourceFile& f) { return f.text.find(word) != std::string::npos; });
  };
  const auto there = [&](const std::string& name) {
    return std::any_of(sources.begin(), sources.end(), [&](const SourceFile& f) {
      return f.path == name || f.path.ends_with("/" + name);
    });
  };
  for (const SourceFile& page : control_pages()) {
    const auto end = std::sregex_iterator{};
    for (auto m = std::sregex_iterator(page.text.begin(), page.text.end(), path); m != end; ++m) {
      EXPECT_TRUE(there(m->str())) << page.path << " names the file " << m->str();
    }
    for (const std::string& word : quoted(page.text)) {
      std::smatch m;
      if (!std::regex_match(word, m, member)) continue;
      EXPECT_TRUE(in_code(m[1].str()) && in_code(m[2].str() + "(")) << page.path << ": " << word;
    }
  }
}

}  // namespace
}  // namespace gimbal::tidy
