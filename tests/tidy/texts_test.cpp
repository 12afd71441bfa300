// Texts: the front page, scripts, docs. What they promise exists; what must not ship is not there.
#include <gtest/gtest.h>

#include <cstdlib>

#include "ops/app/config.hpp"
#include "tests/tidy/source_files.hpp"

namespace gimbal::tidy {
namespace {

const fs::path root{GIMBAL_SOURCE_DIR};

// All texts that ship: sources, scripts, docs, configs.
std::vector<SourceFile> all_texts() {
  auto texts = all_sources();
  for (const auto* folder : {"engine", "feeds", "venues", "strategies", "ops", "tests", "bench"}) {
    for (auto& file :
         files_under(folder, {".md", ".txt", ".toml", ".cmake", ".sh", ".service", ".py", ""})) {
      texts.push_back(std::move(file));
    }
  }
  for (const auto* name :
       {"README.md", "CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", ".ci/run"}) {
    if (!fs::exists(root / name)) continue;
    SourceFile file;
    file.path = name;
    file.text = slurp(root / name);
    file.lines = lines_of(file.text);
    texts.push_back(std::move(file));
  }
  return texts;
}

TEST(Texts, TheFrontPageShowsTheTwoCommands) {
  const auto readme = slurp(root / "README.md");
  ASSERT_FALSE(readme.empty()) << "README.md is missing";
  for (const auto* command : {"ops/demo", "ops/test"}) {
    EXPECT_NE(readme.find(command), std::string::npos) << command;
    EXPECT_TRUE(fs::exists(root / command)) << command;
  }
}

TEST(Texts, NothingIsLeftForLater) {
  const std::vector<std::string> marks{std::string{"TO"} + "DO", std::string{"FIX"} + "ME",
                                       std::string{"XX"} + "X:", std::string{"HA"} + "CK:"};
  for (const auto& file : all_texts()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (const auto& mark : marks) {
        EXPECT_EQ(file.lines[i].find(mark), std::string::npos) << file.path << ":" << i + 1;
      }
    }
  }
}

TEST(Texts, NoPathOfABuildMachineIsWrittenDown) {
  const std::vector<std::string> paths{std::string{"/wo"} + "rk/", std::string{"/ho"} + "me/",
                                       std::string{"/ro"} + "ot/"};
  for (const auto& file : all_texts()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      for (const auto& path : paths) {
        EXPECT_EQ(file.lines[i].find(path), std::string::npos)
            << file.path << ":" << i + 1 << ": " << file.lines[i];
      }
    }
  }
}

TEST(Texts, SourcesAreAscii) {
  for (const auto& file : all_sources()) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_TRUE(std::all_of(file.lines[i].begin(), file.lines[i].end(),
                              [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
          << file.path << ":" << i + 1;
    }
  }
}

TEST(Texts, NoLineEndsInASpaceAndEveryFileEndsInANewline) {
  for (const auto& file : all_sources()) {
    ASSERT_FALSE(file.text.empty()) << file.path;
    EXPECT_EQ(file.text.back(), '\n') << file.path;
    EXPECT_EQ(file.text.find('\t'), std::string::npos) << file.path << " holds a tab";
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      EXPECT_FALSE(!file.lines[i].empty() && file.lines[i].back() == ' ')
          << file.path << ":" << i + 1;
    }
  }
}

TEST(Texts, EveryFileOfARoomBeginsWithItsContract) {
  for (const auto* folder : {"engine", "feeds", "venues", "strategies"}) {
    for (const auto& file : files_under(folder, {".hpp"})) {
      EXPECT_TRUE(starts_with(file.text, "//")) << file.path << " has no head comment";
    }
  }
}

TEST(Texts, ScriptsAreStrictAndExecutable) {
  for (const auto* name :
       {"ops/setup", "ops/test", "ops/demo", "ops/bench", ".ci/run", "ops/host/tune-host.sh"}) {
    const auto path = root / name;
    if (!fs::exists(path)) continue;
    EXPECT_NE(slurp(path).find("set -euo pipefail"), std::string::npos) << name;
    EXPECT_NE(fs::status(path).permissions() & fs::perms::owner_exec, fs::perms::none) << name;
    EXPECT_EQ(std::system(("bash -n " + path.string()).c_str()), 0) << name;
  }
}

TEST(Docs, TheConfigReferenceIsCurrent) {
  EXPECT_EQ(slurp(root / "ops/docs/config-reference.md"), config_reference())
      << "run: gimbal check --reference > ops/docs/config-reference.md";
}

TEST(Docs, EveryConfigKeyIsInTheReference) {
  const auto page = slurp(root / "ops/docs/config-reference.md");
  const auto keys = config_keys();
  EXPECT_GT(keys.size(), 80u);
  for (const auto& key : keys) {
    const auto name = key.substr(key.rfind(' ') + 1);
    EXPECT_NE(page.find("| `" + name + "` |"), std::string::npos) << key;
  }
}

TEST(Docs, EveryTopFolderSaysWhatItIsFor) {
  for (const auto* folder : {"engine", "feeds", "venues", "strategies", "ops", "tests", "bench"}) {
    const auto page = root / folder / "README.md";
    ASSERT_TRUE(fs::exists(page)) << page;
    EXPECT_LE(lines_of(slurp(page)).size(), 40u) << page;
  }
}

// Relative links and paths in backticks lead somewhere.
TEST(Docs, LinksLeadSomewhere) {
  std::vector<SourceFile> pages = files_under("ops/docs", {".md"});
  for (const auto& page : pages) {
    for (auto at = page.text.find("]("); at != std::string::npos;
         at = page.text.find("](", at + 1)) {
      const auto target = page.text.substr(at + 2, page.text.find_first_of(")#", at + 2) - at - 2);
      if (target.empty() || starts_with(target, "http")) continue;
      EXPECT_TRUE(fs::exists((root / page.path).parent_path() / target))
          << page.path << " links to " << target;
    }
  }
}

}  // namespace
}  // namespace gimbal::tidy
